from __future__ import annotations

import io
import json
import logging
import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from rayocr.observe.logs import configure_logs, log_event


@pytest.fixture(autouse=True)
def handlers_put_back() -> Iterator[None]:
    logger, root = logging.getLogger("rayocr"), logging.getLogger()
    before, of_root = (list(logger.handlers), logger.level, logger.propagate), list(root.handlers)
    yield
    root.handlers = of_root
    for handler in logger.handlers:
        handler.close()
    logger.handlers, logger.level, logger.propagate = before


def test_a_line_has_its_action_and_its_fields(tmp_path: Path) -> None:
    configure_logs(tmp_path, run_id="r", retention_days=1)
    log_event(logging.getLogger("rayocr.test"), "page_recognized", "A page was read.", page_number=3)
    (path,) = (tmp_path / "json").glob("*.jsonl")
    line = json.loads(path.read_text())
    assert (line["action"], line["page_number"], line["run_id"]) == ("page_recognized", 3, "r")


def test_where_no_log_can_be_written_nothing_reaches_the_terminal_instead(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "logs").write_text("a file")
    with pytest.raises(OSError):
        configure_logs(tmp_path / "logs", run_id="r", retention_days=1)
    log_event(logging.getLogger("rayocr.test"), "run_failed", "The run has to stop.", level=logging.CRITICAL)
    assert capfd.readouterr() == ("", "")


def test_a_run_of_many_days_sweeps_its_old_logs_every_day(tmp_path: Path) -> None:
    handler = configure_logs(tmp_path, run_id="r1", retention_days=1)
    old = [tmp_path / folder / "2020-01-01.jsonl" for folder in ("json", "dead_letter")]
    for path in old:
        path.parent.mkdir(exist_ok=True)
        path.write_text("{}\n")
        os.utime(path, (0, 0))
    handler.write(["{}"])  # the first line of a day
    assert not any(path.exists() for path in old)


def test_lines_of_this_process_and_of_workers_are_echoed_and_nothing_else_is(tmp_path: Path) -> None:
    echo = io.StringIO()
    handler = configure_logs(tmp_path, run_id="r", retention_days=1, echo=echo)
    log_event(logging.getLogger("rayocr.test"), "page_recognized", "A page was read.")
    handler.write(['{"action": "of_a_worker"}'])
    assert [json.loads(line)["action"] for line in echo.getvalue().splitlines()] == ["page_recognized", "of_a_worker"]
    (path,) = (tmp_path / "json").glob("*.jsonl")
    assert path.read_text() == echo.getvalue()


def test_where_no_file_can_be_written_lines_are_echoed_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "logs").write_text("a file")
    echo = io.StringIO()
    handler = configure_logs(tmp_path / "logs", run_id="r", retention_days=1, echo=echo)
    log_event(logging.getLogger("rayocr.test"), "page_recognized", "A page was read.")
    assert handler.folder is None and json.loads(echo.getvalue())["action"] == "page_recognized"


def test_a_reader_of_the_echo_that_disappears_ends_nothing(tmp_path: Path) -> None:
    echo = io.StringIO()
    handler = configure_logs(tmp_path, run_id="r", retention_days=1, echo=echo)
    echo.close()
    handler.write(['{"action": "kept"}'])
    (path,) = (tmp_path / "json").glob("*.jsonl")
    assert "kept" in path.read_text()


def test_logs_are_for_their_user_alone(tmp_path: Path) -> None:
    old = os.umask(0)
    try:
        configure_logs(tmp_path / "logs", run_id="r", retention_days=1)
        log_event(logging.getLogger("rayocr.test"), "noted", "x")
    finally:
        os.umask(old)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "logs" / "json").rglob("*")}
    assert set(modes.values()) == {0o600}
    assert stat.S_IMODE((tmp_path / "logs" / "json").stat().st_mode) == 0o700


def test_lines_after_the_end_of_a_run_are_dropped(tmp_path: Path) -> None:
    handler = configure_logs(tmp_path, run_id="r", retention_days=1)
    log_event(logging.getLogger("rayocr.test"), "page_recognized", "A page was read.")
    handler.close()
    log_event(logging.getLogger("rayocr.test"), "page_recognized", "Another page was read.")
    (path,) = (tmp_path / "json").glob("*.jsonl")
    assert len(path.read_text().splitlines()) == 1
