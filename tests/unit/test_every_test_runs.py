"""`make test` divides the tests among several processes."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]


@pytest.mark.skipif(not shutil.which("make"), reason="needs make")
def test_make_test_runs_every_test_file_once() -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}  # of the make that runs us
    plan = subprocess.run(["make", "-n", "test"], cwd=PROJECT, env=environment, capture_output=True, text=True, check=True).stdout
    ran = []
    for command in re.findall(r"-m pytest (.*)", plan):
        named, ignored = re.findall(r"(?<=\s)tests/\S+", command), re.findall(r"--ignore=(\S+)", command)
        found = (path for folder in named for path in (PROJECT / folder).rglob("test_*.py"))
        ran += [path for path in found if not any(path.is_relative_to(PROJECT / folder) for folder in ignored)]
    assert sorted(ran) == sorted((PROJECT / "tests").rglob("test_*.py"))
