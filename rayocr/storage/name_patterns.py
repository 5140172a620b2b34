"""Compares the names of documents with the patterns of `include=` and `exclude=`.

A pattern is a glob in which `*` also matches `/`. Brackets are common in file names, so they match in two ways: `[xy]` matches
one of the characters in the brackets, or these four characters. A pattern that is also the name of a document means only this
document: `a [x].pdf` does not match `a x.pdf`.
"""

from __future__ import annotations

import fnmatch
import glob
from collections.abc import Iterable

from rayocr.errors import ObjectNotFound, UnsafeName
from rayocr.retry import RetryPolicy, call
from rayocr.storage.base import Storage

_PROBING = RetryPolicy(max_attempts=3, base_s=1.0, cap_s=5.0)


def matches(name: str, pattern: str) -> bool:
    """Returns whether a pattern matches the whole name. Case-sensitive."""
    return fnmatch.fnmatchcase(name, pattern) or ("[" in pattern and fnmatch.fnmatchcase(name, pattern.replace("[", "[[]")))


def exact_names(source: Storage, patterns: Iterable[str]) -> list[str]:
    """Returns the patterns, with those that are names escaped. Asks the source only about names of PDFs with `[` or `?`. Raises
    StorageError."""
    return [glob.escape(pattern) if _is_name(source, pattern) else pattern for pattern in patterns]


def _is_name(source: Storage, pattern: str) -> bool:
    if not set(pattern) & set("[?") or not pattern.lower().endswith(".pdf"):
        return False
    try:
        call(lambda: source.stat(pattern), policy=_PROBING)
    except (ObjectNotFound, UnsafeName):
        return False
    return True
