"""Hosts the ledger in an actor process."""

from __future__ import annotations

from rayocr.actors.hosted.actor_process import relaying
from rayocr.actors.hosted.repeated_calls import Replies
from rayocr.actors.ledger.actor import Ledger
from rayocr.config import AccessConfig, LedgerConfig, RetryConfig
from rayocr.observe.relay import Mailbox, Telemetry
from rayocr.retry import RetryPolicy
from rayocr.storage.factory import cached_storage


class LedgerActor(Ledger):
    """Hosts the ledger as an actor. Also hosts the mailbox of the run's telemetry, since all workers have a handle of this
    process, and a separate one would take 100 MB."""

    def __init__(
        self, state_uri: str, access: AccessConfig, run_id: str, config: LedgerConfig, retry: RetryConfig, copies_bytes: int
    ) -> None:
        self._mailbox = Mailbox()
        self._replies = Replies()
        self._handler = relaying("ledger", run_id, self._mailbox.put)
        super().__init__(
            cached_storage(state_uri, access=access),
            run_id=run_id,
            flush_interval_s=config.flush_interval_s,
            flush_bytes=config.flush_bytes,
            memory_bytes=config.memory_bytes,
            copies_bytes=copies_bytes,
            policy=RetryPolicy.from_config(retry),
        )

    async def ready(self) -> int:
        """Waits until the index is rebuilt. Returns the number of recorded pages of unfinished documents."""
        return self.page_count

    async def relay(self, telemetry: Telemetry) -> None:
        self._mailbox.put(telemetry)

    async def take_telemetry(self) -> Telemetry:
        return self._replies.once_sync("driver", self._take_telemetry)

    def _take_telemetry(self) -> Telemetry:
        self._handler.post()
        return self._mailbox.take()
