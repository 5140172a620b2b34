"""The guard ends the process, so most cases run in a separate process, with hostile bytes on standard input."""

from __future__ import annotations

import faulthandler
import re
import subprocess
import sys

import pytest

from rayocr.pdf import guard
from rayocr.pdf.guard import bounded
from tests.unit.pdf import pdfs

MB = 1 << 20
PATIENCE_S = 300  # only a hang takes that long

VALIDATE = """
import sys
from rayocr.pdf.document import validate
from rayocr.pdf.guard import bounded
with bounded(seconds=float(sys.argv[1]), memory_bytes=int(sys.argv[2])):
    print(validate(sys.stdin.buffer.read(), max_pages=100_000, max_bytes=1 << 30).page_count)
"""


def run(code: str, *arguments: object, data: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.run(command, input=data, capture_output=True, timeout=PATIENCE_S, check=False)


def long_to_parse() -> bytes:
    """400 MB of operators, which PDFium needs seconds for."""
    content = pdfs.padded_deflated(b"", padding=b"0 g ", megabytes=100)
    return pdfs.pages_of(content=pdfs.stream(content, "/Filter /FlateDecode"))


def test_a_good_document_passes_the_guard() -> None:
    done = run(VALIDATE, PATIENCE_S, 512 * MB, data=pdfs.pages_of(("", "")))
    assert (done.returncode, done.stdout) == (0, b"2\n")


def test_a_document_that_makes_pdfium_spin_is_ended_by_the_clock() -> None:
    done = run(VALIDATE, 1.5, 2048 * MB, data=long_to_parse())
    assert done.returncode == 1
    # A quiet machine reaches the limit of CPU time for one step first, a busy one the limit of time.
    assert re.search(rb"A PDF took (longer than 1\.5 s|more than 0\.5 s of CPU time for one step)", done.stderr)
    assert b"validate" in done.stderr  # the traceback says where


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the memory limit needs /proc")
@pytest.mark.parametrize(
    "make",
    [
        pytest.param(
            lambda: pdfs.pages_of(content=pdfs.stream(pdfs.zeros_deflated(1000 * MB), "/Filter /FlateDecode")), id="content"
        ),
        pytest.param(lambda: pdfs.in_object_stream(padding_bytes=1000 * MB), id="object stream"),
    ],
)
def test_a_megabyte_that_inflates_to_gigabytes_is_ended_by_the_memory_limit(make: object) -> None:
    data = make()  # type: ignore[operator]
    assert len(data) < 2 * MB
    done = run(VALIDATE, PATIENCE_S, 256 * MB, data=data)
    assert done.returncode == 1
    assert b"limits.page_memory" in done.stderr


def test_the_reason_is_reported_before_the_end() -> None:
    code = (
        "import time\nfrom rayocr.pdf.guard import bounded, report_before_exit\n"
        "report_before_exit(lambda why: print('because of', why, flush=True))\n"
        "with bounded(seconds=0.5, memory_bytes=1 << 30): time.sleep(300)"
    )
    assert run(code).stdout == b"because of longer than 0.5 s\n"


def test_a_block_that_holds_the_interpreter_is_ended_by_the_watchdog() -> None:
    code = (
        "import ctypes\nfrom rayocr.pdf.guard import bounded\n"
        "with bounded(seconds=0.5, memory_bytes=1 << 30): ctypes.PyDLL(None).sleep(300)"
    )
    done = run(code)
    assert done.returncode == 1
    assert b"Timeout" in done.stderr


def test_memory_taken_before_the_block_does_not_count() -> None:
    code = (
        "from rayocr.pdf.guard import _exceeded, bounded\nheld = bytearray(b'x') * (300 << 20)\n"
        "with bounded(seconds=300, memory_bytes=100 << 20): print('exceeded:', _exceeded())"
    )
    assert run(code).stdout == b"exceeded: \n"


def test_memory_taken_outside_of_a_block_does_not_count() -> None:
    code = (
        "from rayocr.pdf.guard import _exceeded, bounded\n"
        "with bounded(seconds=300, memory_bytes=50 << 20): pass\n"
        "held = bytearray(b'x') * (200 << 20)\nprint('exceeded:', _exceeded())"
    )
    assert run(code).stdout == b"exceeded: \n"


def test_the_guard_watches_in_a_forked_child_too() -> None:
    code = (
        "import os, time\nfrom rayocr.pdf.guard import bounded\n"
        "with bounded(seconds=300, memory_bytes=50 << 20): pass\n"
        "child = os.fork()\n"
        "if not child:\n"
        "    with bounded(seconds=300, memory_bytes=50 << 20):\n"
        "        held = bytearray(b'x') * (200 << 20)\n        time.sleep(300)\n"
        "print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))"
    )
    assert run(code).stdout == b"1\n"


def test_the_next_check_comes_before_the_room_can_be_filled(monkeypatch: pytest.MonkeyPatch) -> None:
    private = 100 * MB
    monkeypatch.setattr(guard, "_private_bytes", lambda: private)
    with bounded(seconds=PATIENCE_S, memory_bytes=2000 * MB):
        assert guard._wait_s() == 0.25
        private += 1600 * MB
        assert guard._wait_s() == pytest.approx(400 * MB / 3.3e9)
        private += 390 * MB
        assert guard._wait_s() == 0.03
    assert guard._wait_s() == 0.03  # the next block may have less room


def test_the_thread_rests_without_a_block_and_works_again_with_one() -> None:
    code = (
        "import time\nfrom rayocr.pdf import guard\n"
        "checks = []\nguard._exceeded = lambda: checks.append(1) or ''\n"
        "guard._CHECK_S = .001, .001\n"
        "for _ in range(2):\n"
        "    before = len(checks)\n"
        "    with guard.bounded(seconds=300, memory_bytes=1 << 30):\n"
        "        while len(checks) < before + 3: time.sleep(.001)\n"
        "    time.sleep(.1)\n"  # a check that had begun ends
        "    rest = len(checks)\n"
        "    time.sleep(.2)\n"
        "    print(len(checks) - rest)"
    )
    assert run(code).stdout == b"0\n0\n"


@pytest.mark.parametrize("end", ["os.abort()", "os.kill(os.getpid(), 11)"])
def test_a_crash_inside_ends_the_process_and_no_caller_waits(end: str) -> None:
    code = f"import os\nfrom rayocr.pdf.guard import bounded\nwith bounded(seconds=300, memory_bytes=1 << 30): {end}"
    assert run(code).returncode < 0


def test_a_finished_block_is_not_ended_later(monkeypatch: pytest.MonkeyPatch) -> None:
    watchdog: list[str] = []
    monkeypatch.setattr(faulthandler, "dump_traceback_later", lambda *_, **__: watchdog.append("set"))
    monkeypatch.setattr(faulthandler, "cancel_dump_traceback_later", lambda: watchdog.append("cancelled"))
    with bounded(seconds=PATIENCE_S, memory_bytes=1 << 40):
        assert guard._limits.open
    assert not guard._limits.open
    assert watchdog == ["set", "cancelled"]


def test_an_error_inside_comes_out_and_disarms() -> None:
    with pytest.raises(ZeroDivisionError), bounded(seconds=PATIENCE_S, memory_bytes=1 << 40):
        raise ZeroDivisionError
    assert not guard._limits.open


def test_a_block_within_a_block_is_refused() -> None:
    with (
        bounded(seconds=PATIENCE_S, memory_bytes=1 << 40),
        pytest.raises(RuntimeError, match="nest"),
        bounded(seconds=PATIENCE_S, memory_bytes=1 << 40),
    ):
        pass
