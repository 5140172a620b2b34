"""Without Ray, no process isolates a hostile document: one that exceeds its limits ends the run."""

from __future__ import annotations

import subprocess
import sys

_ENDLESS_PAGE = """
import time
from rayocr.driver.cluster.local_actors import _say_what_ends_the_run
from rayocr.pdf.guard import bounded, report_before_exit

report_before_exit(_say_what_ends_the_run)
with bounded(seconds=0.01, memory_bytes=1 << 40):
    time.sleep(600)
"""


def test_a_document_that_ends_the_process_stops_the_run_and_does_not_finish_it() -> None:
    done = subprocess.run([sys.executable, "-c", _ENDLESS_PAGE], capture_output=True, text=True, check=False)
    assert done.returncode == 3, done.stderr
    assert "A PDF took longer than 0.01 s; this process ends.\n  cluster=local isolates documents." in done.stderr
