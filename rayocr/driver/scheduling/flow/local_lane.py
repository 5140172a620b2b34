"""Runs the lane of local engines: workers of the compute stage read pages that waiting workers would otherwise send to a server.

A waiting worker asks the planner for the lane of each page. While the worker reads a shard, the driver asks it which pages got
the lane local, sends them to the pool of the compute stage, and reports to it which of them are in the ledger. All other pages of
the lane need another lane, because of a low confidence, a doubt or a worker that died. No text passes through the driver.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from rayocr.driver.cluster.base import PageWorkerHandle
from rayocr.driver.cluster.pool_sizing import StagePool
from rayocr.driver.scheduling.flow.document_state import DocumentState
from rayocr.errors import Draining, RayocrError
from rayocr.messages import PageSummary, Shard

log = logging.getLogger(__name__)

_UNREACHABLE_S = 1.0  # seconds until a worker that did not answer is called again


class LocalLane:
    """Lets local engines read pages of waiting workers. `stage`: the local engines. `note(state, page)` is called for each page
    that they read."""

    def __init__(self, stage: StagePool, *, least_confidence: float, note: Callable[[DocumentState, PageSummary], None]) -> None:
        self._stage = stage
        self._least_confidence = least_confidence
        self._note = note

    async def serve(self, worker: PageWorkerHandle, state: DocumentState, shard: Shard) -> None:
        """Reads the pages of the shard that the worker assigns to the lane, until cancelled. Then waits for those in progress,
        since the worker may have died and its pages must not be read twice."""
        reading: dict[int, asyncio.Task[bool]] = {}
        try:
            while True:
                ended = {number: task.result() for number, task in reading.items() if task.done()}
                asking = asyncio.ensure_future(worker.local_pages(shard.document_id, shard.page_numbers, tuple(reading), ended))
                unfinished = [task for task in reading.values() if not task.done()]
                try:
                    await asyncio.wait([asking, *unfinished], return_when=asyncio.FIRST_COMPLETED)
                    new = asking.result() if asking.done() else ()  # otherwise the next call returns them
                except RayocrError:  # if the worker is dead, the shard's own call reports it
                    await asyncio.sleep(_UNREACHABLE_S)
                    continue
                finally:
                    asking.cancel()
                for number in new:
                    reading[number] = asyncio.create_task(self._read(state, number))
        finally:
            await asyncio.gather(*reading.values(), return_exceptions=True)

    async def _read(self, state: DocumentState, number: int) -> bool:
        """Returns whether the page was read and recorded."""
        shard = Shard(
            document_id=state.document_id,
            page_numbers=(number,),
            first_engine=self._stage.stage.first,
            least_confidence=self._least_confidence,
        )
        assert state.content is not None
        try:
            report = await self._stage.pool.recognize(shard, state.content, state.context)
        except Exception as error:  # the page needs another lane, which also detects an error of the document or the run
            fields = {"action": "local_lane_failed", "document_id": state.document_id, "page_number": number}
            bug = None if isinstance(error, RayocrError | Draining) else error
            fields |= {"error": type(error).__name__, "reason": str(error)}
            log.warning("Local engines did not read a page.", exc_info=bug, extra={"rayocr_fields": fields})
            return False
        self._stage.sizer.learn(report)
        for page in report.pages:
            self._note(state, page)
        return bool(report.pages)
