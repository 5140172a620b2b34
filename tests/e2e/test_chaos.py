"""A short scenario of `make chaos`: everything at once, with two drivers, killed actors and a Redis that dies.

A clock that jumps: tests/unit/locks/test_file.py. Actors that are killed one at a time: test_kill.py.
"""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.e2e.support import PATIENCE_S, PROJECT


@pytest.mark.slow
def test_no_page_is_lost_misplaced_or_paid_for_twice_beyond_what_was_at_risk(environment: dict[str, str]) -> None:
    played = subprocess.run(
        [sys.executable, "-m", "benchmarks.chaos", "--seed", "12", "--documents", "40"],
        env=environment,
        cwd=PROJECT,
        capture_output=True,
        text=True,
        timeout=12 * PATIENCE_S,
        check=False,
    )
    print(played.stdout)
    assert played.returncode == 0, played.stdout + played.stderr
    assert "VIOLATION" not in played.stdout
    assert played.stdout.count("lost 0, misplaced 0, stale 0") == 1
