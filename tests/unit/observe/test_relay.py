from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from rayocr.observe.logs import DailyFileHandler, JsonFormatter, attach, log_event
from rayocr.observe.relay import Mailbox, RelayHandler, Telemetry

log = logging.getLogger("rayocr.test_relay")


@pytest.fixture(autouse=True)
def unattached() -> Iterator[None]:
    yield
    attach(logging.NullHandler())


def relayed(send: object, calls: dict[tuple[str, str], int] | None = None, *, room: int = 100) -> RelayHandler:
    handler = RelayHandler(send, counts=lambda: calls or {}, room=room)  # type: ignore[arg-type]
    handler.setFormatter(JsonFormatter("run-1", {"worker": "page_worker:gemini:3", "host": "node-2"}))
    attach(handler)
    return handler


def test_a_workers_lines_come_to_the_runs_file_with_who_said_them(tmp_path: Path) -> None:
    mailbox, calls = Mailbox(), {("read", "ok"): 2}
    handler = relayed(mailbox.put, calls)
    log_event(log, "page_recognized", "A page is read.", document_id="d", page_number=3, attempt=1)
    handler.post()
    calls["read", "ok"] = 5
    handler.post()
    handler.post()
    taken = mailbox.take()
    assert dict(taken.storage_calls) == {("read", "ok"): 5}
    assert not mailbox.take()
    file = DailyFileHandler(tmp_path)
    file.write(taken.lines)
    file.close()
    (line,) = [json.loads(text) for path in tmp_path.glob("*.jsonl") for text in path.read_text().splitlines()]
    wanted = {"run_id": "run-1", "worker": "page_worker:gemini:3", "host": "node-2", "document_id": "d", "page_number": 3}
    assert wanted.items() <= line.items()


def test_a_mailbox_that_is_unavailable_costs_no_line_and_no_count() -> None:
    mailbox, away = Mailbox(), [True]

    def send(telemetry: Telemetry) -> None:
        if away[0]:
            raise ConnectionError
        mailbox.put(telemetry)

    handler = relayed(send, {("write", "StorageUnavailable"): 1})
    for number in range(3):
        log_event(log, "page_recognized", "A page is read.", page_number=number)
        handler.post()
    away[0] = False
    handler.post()
    taken = mailbox.take()
    assert [json.loads(line)["page_number"] for line in taken.lines] == [0, 1, 2]
    assert dict(taken.storage_calls) == {("write", "StorageUnavailable"): 1}


def test_both_ends_are_bounded_and_report_what_had_no_room() -> None:
    mailbox = Mailbox(room=5)
    handler = relayed(mailbox.put, room=10)
    for number in range(12):
        log_event(log, "page_recognized", "A page is read.", page_number=number)
    handler.post()
    taken = mailbox.take()
    assert [json.loads(line)["page_number"] for line in taken.lines] == [7, 8, 9, 10, 11]
    assert taken.lost == 7
