"""Runs Typst in a child process, which may crash, hang or exhaust its memory without losing a document. The page has already been
paid for, so a failure of Typst concerns only one program (TypesettingFailed). The process is replaced, and the caller typesets
the page in a simpler form.
"""

from __future__ import annotations

import os
import pickle
import select
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from rayocr.errors import TypesettingFailed
from rayocr.outputs.typeset.fonts import font_folders

_CHILD = Path(__file__).with_name("compiler_process.py")
_MEMORY_BYTES = 4 << 30  # limit of the address space, which includes mapped fonts; a page of 200,000 characters takes 0.6 GB
_PROGRAMS_A_PROCESS = 200  # Typst caches layouts, which takes about 150 MB for this number
_BLOCK_BYTES = 1 << 16


class Typesetter:
    """Runs Typst programs. Starts its process on first use. `timeout_s`: limit per program. Thread-safe, because with
    cluster=inprocess several threads assemble documents, and an answer must not reach another document."""

    def __init__(self, *, system_fonts: bool = True, timeout_s: float = 60.0, memory_bytes: int = _MEMORY_BYTES) -> None:
        self._command = [sys.executable, str(_CHILD), "system" if system_fonts else "none", str(memory_bytes), *font_folders()]
        self._timeout_s = timeout_s
        self._process: subprocess.Popen[bytes] | None = None
        self._programs = 0
        self._owner = os.getpid()
        self._lock = threading.RLock()  # allows one program at a time

    def compile(self, program: str, *, standards: tuple[str, ...] = (), tags: bool = True, root: str | None = None) -> bytes:
        """Returns the PDF of a Typst program. Files that the program names must be below `root`. Raises TypesettingFailed."""
        arguments = {"input": program.encode(), "pdf_standards": list(standards), "pdf_tags": tags, "root": root}
        answer, message = self._ask(arguments)
        if answer is None:
            raise TypesettingFailed(f"Typst rejected the page: {message}")
        return answer

    def displays(self, characters: str) -> bool:
        """Returns whether all characters can be printed. PDF/A forbids the boxes for missing ones, so Typst then fails."""
        text = " ".join(f"\\u{{{ord(character):x}}}" for character in characters)
        program = f'#set text(font: ("Noto Sans", "DejaVu Sans Mono", "New Computer Modern Math"))\n#"{text}"'
        try:
            answer, _ = self._ask({"input": program.encode(), "pdf_standards": ["a-2u"]})
        except TypesettingFailed:
            return False
        return answer is not None

    def close(self) -> None:
        """Ends the process. Idempotent. Does nothing in a fork of the process that made it, since the parent still uses it."""
        if os.getpid() != self._owner:
            return
        with self._lock:
            process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()
            for pipe in (process.stdin, process.stdout):
                if pipe is not None:
                    with suppress(OSError):  # the process has exited, so the rest of the input cannot be written
                        pipe.close()

    def _ask(self, arguments: Mapping[str, Any]) -> tuple[bytes | None, str | None]:
        with self._lock:
            return self._answer_of(arguments)

    def _answer_of(self, arguments: Mapping[str, Any]) -> tuple[bytes | None, str | None]:
        if self._programs >= _PROGRAMS_A_PROCESS:
            self.close()
        process = self._process or self._start()
        self._programs += 1
        data = pickle.dumps(dict(arguments))
        assert process.stdin is not None and process.stdout is not None
        deadline = time.monotonic() + self._timeout_s
        try:
            process.stdin.write(struct.pack(">I", len(data)) + data)
            process.stdin.flush()
            size = struct.unpack(">I", _read(process.stdout.fileno(), 4, deadline))[0]
            answer: tuple[bytes | None, str | None] = pickle.loads(_read(process.stdout.fileno(), size, deadline))  # noqa: S301
        except TimeoutError as error:
            self.close()
            raise TypesettingFailed(f"Typst did not finish a page within {self._timeout_s:g} s.") from error
        except OSError as error:
            self.close()
            raise TypesettingFailed("Typst exited while typesetting a page (out of memory or a crash).") from error
        return answer

    def _start(self) -> subprocess.Popen[bytes]:
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
        self._process = subprocess.Popen(
            self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment
        )
        self._programs = 0
        return self._process


def _read(descriptor: int, size: int, deadline: float) -> bytes:
    """Reads from the process. Raises TimeoutError, and OSError if the process has exited."""
    parts, left = [], size
    while left:
        ready, _, _ = select.select([descriptor], [], [], max(0.0, deadline - time.monotonic()))
        if not ready:
            raise TimeoutError
        block = os.read(descriptor, min(left, _BLOCK_BYTES))
        if not block:
            raise ConnectionResetError("The process exited.")
        parts.append(block)
        left -= len(block)
    return b"".join(parts)
