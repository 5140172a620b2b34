"""Tests of one group run in one test process, so that they share its Ray."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

PROJECT = Path(__file__).parents[2]
_TESTS = """
import pytest

@pytest.fixture(scope="session")
def process(worker_id): return worker_id

@pytest.mark.xdist_group("one")
@pytest.mark.parametrize("number", range(6))
def test_group(number, process, tmp_path_factory):
    with open(tmp_path_factory.getbasetemp().parent / "seen", "a") as file: file.write(process + "\\n")
"""


def test_tests_of_a_group_run_in_one_process(tmp_path: Path) -> None:
    (tmp_path / "test_group.py").write_text(_TESTS)
    (tmp_path / "conftest.py").write_text(f"import sys\nsys.path.insert(0, {str(PROJECT)!r})\nfrom tests.conftest import *\n")
    command = [sys.executable, "-m", "pytest", "-q", "-n", "2", "--dist", "loadgroup", "-c", "/dev/null", "--rootdir", "."]
    done = subprocess.run(
        [*command, "-p", "xdist.plugin", f"--basetemp={tmp_path}/base", "test_group.py"],
        cwd=tmp_path,
        env=os.environ | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},  # loading those of all packages takes seconds
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    (seen,) = tmp_path.rglob("seen")
    assert len(seen.read_text().split()) == 6
    assert len(set(seen.read_text().split())) == 1
