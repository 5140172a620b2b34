"""Prints text that the terminal's encoding lacks: rayocr's own signs as similar ASCII characters, other characters escaped.

A locale such as ISO-8859-1, or PYTHONIOENCODING=ascii, lacks the signs of the progress line. Python would raise an error, and the
rest of the output would be lost.
"""

from __future__ import annotations

import codecs
import sys

_NAME = "rayocr.similar"
_SIMILAR = {"…": "...", "·": "-", "–": "-", "—": "-", "→": "->", "×": "x", "‘": "'", "’": "'", "“": '"', "”": '"'}


def print_what_the_encoding_lacks() -> None:
    """Sets up standard output and standard error. Streams that are not files of text are left as they are."""
    codecs.register_error(_NAME, similar)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors=_NAME)


def similar(error: UnicodeError) -> tuple[str, int]:
    """Replaces the characters that cannot be encoded. A handler of errors, for `codecs.register_error`."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    lacking = error.object[error.start : error.end]
    return "".join(_SIMILAR.get(c) or c.encode("ascii", "backslashreplace").decode() for c in lacking), error.end
