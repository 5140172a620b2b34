"""Functions in a new interpreter."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from rayocr.api.review.child import in_child
from rayocr.errors import InternalError, UsageError
from rayocr.ledger.runs import format_runs
from rayocr.storage.uri import parse_uri


def test_a_child_returns_the_result_or_raises_the_error() -> None:
    assert in_child(format_runs, [1, 2, 3]) == "1-3"
    with pytest.raises(UsageError, match="is not supported"):
        in_child(parse_uri, "ftp://host/file")


def test_a_crash_of_the_child_is_an_error_of_the_caller() -> None:
    with pytest.raises(InternalError, match="crashed the process"):
        in_child(os._exit, 11)


def test_a_program_needs_no_guard_around_its_main_code(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    lines = ["from rayocr.api.review.child import in_child", "from rayocr.ledger.runs import format_runs"]
    program.write_text("\n".join([*lines, "print(in_child(format_runs, [7]))"]))
    project = Path(__file__).parents[4]
    done = subprocess.run(
        [sys.executable, str(program)], capture_output=True, text=True, check=False, env=os.environ | {"PYTHONPATH": str(project)}
    )
    assert (done.returncode, done.stdout) == (0, "7\n"), done.stderr
