"""Hosts Discovery in an actor process."""

from __future__ import annotations

from rayocr.actors.discovery.actor import Discovery, DiscoveryRules
from rayocr.actors.hosted.actor_process import relaying, to_ledger_of
from rayocr.actors.hosted.repeated_calls import Replies
from rayocr.config import StorageConfig
from rayocr.messages import DiscoveryBatch
from rayocr.storage.factory import cached_storage, open_storage


class DiscoveryActor(Discovery):
    def __init__(self, run_id: str, source_uri: str, state_uri: str, config: StorageConfig, rules: DiscoveryRules) -> None:
        relaying("discovery", run_id, to_ledger_of(run_id))
        self._replies = Replies()
        super().__init__(open_storage(source_uri, config.source), cached_storage(state_uri, access=config.state), rules)

    def next_batch(self, count: int) -> DiscoveryBatch:
        return self._replies.once_sync("driver", lambda: Discovery.next_batch(self, count))
