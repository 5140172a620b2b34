"""`make bench-documents`: the tables of a run."""

from __future__ import annotations

import pytest

from benchmarks.documents import Moment, _print


def test_a_run_that_is_shorter_than_a_row_has_fewer_rows(capsys: pytest.CaptureFixture[str]) -> None:
    _print([Moment(0, 2.0, 1.0, {"driver": 80.0}), Moment(300, 4.0, 2.5, {"driver": 90.0})], 300, 3)
    printed = capsys.readouterr().out
    assert "300" in printed and "90" in printed
