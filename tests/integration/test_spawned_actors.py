"""A run's actors on a real Ray cluster with several nodes: their placement, and that a restarted actor gets its keys again."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile

import pytest

from benchmarks.ports import free_port
from benchmarks.valkey import Valkey

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("spawned")]  # one cluster


@pytest.fixture(scope="module")
def seen() -> dict[str, list[object]]:
    valkey = Valkey(port=free_port())
    home = tempfile.mkdtemp(prefix="sp", dir="/tmp")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("RAY_")}
    quiet = {"RAY_enable_worker_prestart": "0", "RAY_prestart_worker_first_driver": "0", "RAY_USAGE_STATS_ENABLED": "0"}
    try:
        done = subprocess.run(
            [sys.executable, "-m", "tests.integration.spawned", f"redis://127.0.0.1:{valkey.port}/0"],
            env=environment | quiet | {"HOME": home, "RAY_TMPDIR": home, "RAY_USE_UVLOOP": "0"},
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )
    finally:
        valkey.close()
        shutil.rmtree(home, ignore_errors=True)
    assert done.returncode == 0, done.stderr
    found: dict[str, list[object]] = json.loads(next(line for line in done.stdout.splitlines() if line.startswith("{")))
    return found


def test_a_runs_own_actors_live_on_the_drivers_node(seen: dict[str, list[object]]) -> None:
    assert seen["beside_the_driver"] == [True] * 6


def test_a_restarted_limiter_has_the_keys_of_its_shared_bucket(seen: dict[str, list[object]]) -> None:
    """Keys are not constructor arguments; Ray repeats the call that passed them."""
    assert seen["slots"] == [1, 1]


def test_slots_whose_reply_was_lost_are_given_again(seen: dict[str, list[object]]) -> None:
    """Ray repeats a call whose reply was lost in a cut network. Slots taken twice are missing until they expire after an hour:
    with as many slots as the model may have in flight, the run stood still."""
    assert seen["granted_when_lost"] == [5, 5]


def test_documents_whose_reply_was_lost_are_given_again(seen: dict[str, list[object]]) -> None:
    assert seen["documents_when_lost"] == 2
