"""Discovery as hosted in an actor process."""

from __future__ import annotations

from rayocr.actors.discovery.actor import Discovery, DiscoveryRules
from rayocr.actors.hosted.actor_process import relaying, to_ledger_of
from rayocr.config import StorageConfig
from rayocr.storage.factory import cached_storage, open_storage


class DiscoveryActor(Discovery):
    def __init__(self, run_id: str, source_uri: str, state_uri: str, config: StorageConfig, rules: DiscoveryRules) -> None:
        relaying("discovery", run_id, to_ledger_of(run_id))
        super().__init__(open_storage(source_uri, config.source), cached_storage(state_uri, access=config.state), rules)
