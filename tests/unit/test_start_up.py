"""The modules that every process of a run loads at startup."""

from __future__ import annotations

import subprocess
import sys


def test_ray_finds_no_slow_checker_to_load_in_every_process() -> None:
    # Ray imports jsonschema, which imports all format checkers; this one builds a parser and takes 1.3 s of CPU time.
    loaded = subprocess.run(
        [sys.executable, "-c", "import ray, sys; print('rfc3987_syntax' in sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert loaded.stdout.strip() == "False"
