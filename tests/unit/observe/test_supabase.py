"""The sink with Supabase's own client against a strict server: nothing is lost or duplicated, and callers do not wait."""

from __future__ import annotations

import fcntl
import json
import logging
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rayocr.errors import UsageError
from rayocr.observe.logs import log_event
from rayocr.observe.supabase.rows import FIELDS, chosen_columns
from rayocr.observe.supabase.sink import SupabaseSink
from rayocr.observe.supabase.spool import Spool
from rayocr.observe.supabase.table import SupabaseTable
from tests.servers.postgrest import PostgRest, serve_postgrest

KEY = "sb_secret_0123456789abcdef"
TABLE = "Activity_Error_Log"
log = logging.getLogger("rayocr.test_supabase")
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


@pytest.fixture
def database() -> Iterator[PostgRest]:
    with serve_postgrest(key=KEY, table=TABLE, columns=FIELDS) as database:
        yield database


class World:
    def __init__(self, database: PostgRest, folder: Path, **columns: str | None) -> None:
        self.database = database
        self.now = 0.0
        self.warnings: list[str] = []
        self.folder = folder
        self.columns = columns
        self.tables: list[SupabaseTable] = []

    def sink(self, run_id: str = "run-1", *, max_bytes: int = 1 << 20, batch: int = 3) -> SupabaseSink:
        spool = Spool(self.folder, run_id=run_id, batch=batch, max_bytes=max_bytes, retention_days=14)
        table = SupabaseTable(self.database.url, KEY, table=TABLE, columns=chosen_columns(self.columns), timeout_s=1.0)
        self.tables.append(table)
        return SupabaseSink(spool, table, run_id=run_id, interval_s=3600, warn=self.warnings.append, clock=lambda: self.now)


@pytest.fixture
def world(database: PostgRest, tmp_path: Path) -> Iterator[World]:
    world = World(database, tmp_path / "supabase")
    yield world
    for table in world.tables:
        table.close()


def fail(sink: SupabaseSink, *numbers: int) -> None:
    for number in numbers:
        sink.line({"action": "page_failed", "document_id": "d", "page_number": number, "error": "Refused", "reason": "no"})


def pages(database: PostgRest) -> list[int]:
    return [row["page_number"] for row in database.rows]


def test_rows_carry_what_happened_to_which_document(world: World) -> None:
    sink = world.sink()
    logging.getLogger("rayocr").addHandler(sink)
    try:
        log_event(
            log,
            "document_rejected",
            "A document was rejected.",
            level=logging.WARNING,
            document_id="d1",
            name="a.pdf",
            error="EncryptedPdf",
            reason="It asks for\0 a password; see redis://u:hunter22@h/0",
            hint="Unlock it.",
        )
        log_event(log, "page_recognized", "A page is read.", document_id="d1")
    finally:
        logging.getLogger("rayocr").removeHandler(sink)
    sink.send_waiting()
    (row,) = world.database.rows
    assert (row["action"], row["document_name"], row["error"], row["hint"]) == (
        "document_rejected",
        "a.pdf",
        "EncryptedPdf",
        "Unlock it.",
    )
    assert row["message"] == "It asks for a password; see redis://***@h/0"
    assert set(row) == set(FIELDS)


def test_unavailable_and_back_loses_nothing_and_sends_nothing_twice(world: World) -> None:
    sink = world.sink()
    world.database.mode = "away"
    fail(sink, *range(10))
    sink.send_waiting()
    tried = world.database.requests
    sink.send_waiting()
    assert world.database.requests == tried, "it waits for its own back-off"
    world.now += 1000
    world.database.mode = "lossy"
    sink.send_waiting()
    world.database.mode = "up"
    world.now += 1000
    sink.send_waiting()
    assert sorted(pages(world.database)) == list(range(10))
    assert sink.spool.pending == 0


def test_what_waits_is_sent_by_the_next_run_also_when_this_one_was_killed(world: World) -> None:
    killed = world.sink("run-1")
    fail(killed, *range(7))
    killed.spool._file.close()  # as the kernel does it
    following = world.sink("run-2")
    fail(following, 7)
    following.send_waiting()
    following.send_waiting()
    assert sorted(pages(world.database)) == list(range(8))


def test_what_another_living_run_has_open_or_is_sending_is_left_to_it(world: World) -> None:
    other, ours = world.sink("run-1"), world.sink("run-2")
    fail(other, 1, 2, 3, 4)
    (sealed,) = other.spool.waiting()
    with sealed.open() as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        ours.send_waiting()
        assert world.database.rows == []
    ours.send_waiting()
    assert pages(world.database) == [1, 2, 3]
    other.send_waiting()
    assert pages(world.database) == [1, 2, 3, 4]


def test_the_spool_is_bounded_and_says_what_had_no_room(world: World) -> None:
    sink = world.sink(max_bytes=4000)
    world.database.mode = "away"
    fail(sink, *range(90))
    sink.send_waiting()
    assert sum(path.stat().st_size for path in world.folder.iterdir()) <= 4000
    assert sink.spool.dropped + sink.spool.pending == 90
    world.database.mode, world.now = "up", 1000.0
    sink.send_waiting()
    assert pages(world.database)[-1] == 89, "the oldest rows were dropped"


def test_a_row_that_the_table_refuses_does_not_hold_up_the_others(world: World) -> None:
    sink = world.sink(batch=50)
    world.database.poison = "poison"
    fail(sink, *range(5))
    sink.line({"action": "page_failed", "page_number": 5, "reason": "poison"})
    fail(sink, *range(6, 9))
    sink.send_waiting()
    assert sorted(pages(world.database)) == [0, 1, 2, 3, 4, 6, 7, 8]
    (refused,) = (world.folder / "refused.jsonl").read_text().splitlines()
    assert json.loads(refused)["row"]["page_number"] == 5


@pytest.mark.parametrize("what", ["column", "table", "key"])
def test_a_table_that_does_not_fit_is_reported_once_and_keeps_the_rows(world: World, what: str) -> None:
    database = world.database
    if what == "column":
        database.columns.discard("hint")
    elif what == "table":
        database.table = "Another"
    else:
        database.key = "another-key"
    sink = world.sink()
    for _ in range(3):
        fail(sink, 1)
        sink.send_waiting()
        world.now += 1000
    assert len(world.warnings) == 1
    assert "docs/supabase.md" in world.warnings[0]
    assert KEY not in world.warnings[0]
    database.columns.add("hint")
    database.table, database.key = TABLE, KEY
    sink.send_waiting()
    assert pages(database) == [1, 1, 1]


def test_columns_of_the_users_own_table(database: PostgRest, tmp_path: Path) -> None:
    database.columns = {"id", "file_name", "error_message"}
    database.unique = "id"
    wanted: dict[str, Any] = dict.fromkeys(FIELDS)
    wanted |= {"event_id": "id", "document_name": "file_name", "message": "error_message"}
    sink = World(database, tmp_path, **wanted).sink()
    fail(sink, 1)
    sink.close()
    assert [set(row) for row in database.rows] == [{"id", "file_name", "error_message"}]
    with pytest.raises(UsageError, match="nonesuch"):
        chosen_columns({"nonesuch": "x"})


def test_a_server_that_hangs_does_not_hold_up_the_end_of_a_run(world: World) -> None:
    sink = world.sink()
    world.database.mode = "hang"
    fail(sink, *range(100))
    started = time.monotonic()
    fail(sink, *range(100, 200))
    sink.close()
    assert time.monotonic() - started < 60  # and not for ever; the sink's own bound is 2 s
    world.database.mode = "up"
    world.database.released.set()
    following = world.sink("run-2")
    for _ in range(3):
        following.send_waiting()
    assert sorted(set(pages(world.database))) == list(range(200))
    assert len(pages(world.database)) == 200
