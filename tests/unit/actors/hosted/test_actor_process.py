"""What all actor processes do."""

from __future__ import annotations

import ctypes
import subprocess
import sys
import threading

import pytest

from rayocr.actors.hosted import actor_process


def test_free_memory_is_returned_to_the_system_again_and_again(monkeypatch: pytest.MonkeyPatch) -> None:
    enough = threading.Semaphore(0)
    calls, asleep = list[int](), threading.Event()

    class Library:
        @staticmethod
        def malloc_trim(pad: int) -> int:
            assert pad == 0
            enough.release()
            calls.append(pad)
            if len(calls) == 3:
                asleep.wait()  # ends with the test
            return 1

    monkeypatch.setattr(ctypes, "CDLL", lambda name: Library)
    thread = actor_process.return_free_memory(every_s=0.001)
    assert thread is not None and thread.daemon
    assert all(enough.acquire(timeout=60) for _ in range(3))


def test_a_system_that_cannot_return_memory_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ctypes, "CDLL", lambda name: object())
    assert actor_process.return_free_memory() is None


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "mallopt"), reason="only glibc has mallopt")
def test_memory_that_a_page_frees_is_there_for_the_next_one() -> None:
    code = (
        "import resource, threading\nimport numpy as np\n"
        "from rayocr.actors.hosted.actor_process import keep_freed_memory\n"
        "def faults():\n"
        "    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt\n"
        "    for _ in range(20): np.ones(24 << 20, np.uint8)\n"
        "    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before\n"
        "def work():\n"
        "    usual = faults()\n"
        "    keep_freed_memory()\n"
        "    faults()\n"
        "    print(usual > 10 * faults())\n"
        "thread = threading.Thread(target=work)\nthread.start()\nthread.join()"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout == b"True\n"
