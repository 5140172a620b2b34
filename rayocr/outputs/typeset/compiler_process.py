"""Runs in the typesetter's process: reads programs from standard input and writes PDFs to standard output. typesetter.py starts
it as a plain script, so it imports only Typst.

A message is 4 bytes of length (big-endian) and a pickle. The input is a dict with the arguments of `typst.compile`; the output is
a tuple (PDF, None) or (None, message). The process exits at the end of its input, which is when the process that started it
exits.
"""

from __future__ import annotations

import os
import pickle
import struct
import sys
from typing import BinaryIO


def main(font_folders: list[str], *, system_fonts: bool, memory_bytes: int) -> None:
    import typst

    _limit_memory(memory_bytes)
    # Output that a library prints must not be read as an answer.
    answers: BinaryIO = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    fonts = typst.Fonts(include_system_fonts=system_fonts, font_paths=font_folders)
    questions = sys.stdin.buffer
    while header := questions.read(4):
        arguments = pickle.loads(questions.read(struct.unpack(">I", header)[0]))  # noqa: S301 - from the process that started this one
        try:
            answer: tuple[bytes | None, str | None] = (typst.compile(format="pdf", font_paths=fonts, **arguments), None)
        except (typst.TypstError, ValueError) as error:
            answer = (None, str(error))
        data = pickle.dumps(answer)
        answers.write(struct.pack(">I", len(data)) + data)
        answers.flush()


def _limit_memory(memory_bytes: int) -> None:
    """Limits the memory. Beyond the limit, Typst exits before the machine runs out of memory."""
    try:
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    except (ImportError, ValueError, OSError):
        pass  # the system does not support this limit; the time limit remains


if __name__ == "__main__":
    main(sys.argv[3:], system_fonts=sys.argv[1] == "system", memory_bytes=int(sys.argv[2]))
