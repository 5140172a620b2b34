"""Parses the `q` of files.list. Unsupported queries raise, and the server answers with 400."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

_TOKEN = re.compile(r"\s*('(?:[^'\\]|\\.)*'|\(|\)|!=|=|[A-Za-z]+)")

Test = Callable[[dict[str, Any]], bool]


def parse(query: str) -> Test:
    """Raises ValueError."""
    tokens, position = [], 0
    while query[position:].strip():
        match = _TOKEN.match(query, position)
        if match is None:
            raise ValueError(query)
        tokens.append(match.group(1))
        position = match.end()
    test = _any(tokens)
    if tokens:
        raise ValueError(query)
    return test


def _any(tokens: list[str]) -> Test:
    tests = [_all(tokens)]
    while tokens[:1] == ["or"]:
        tokens.pop(0)
        tests.append(_all(tokens))
    return lambda file: any(test(file) for test in tests)


def _all(tokens: list[str]) -> Test:
    tests = [_one(tokens)]
    while tokens[:1] == ["and"]:
        tokens.pop(0)
        tests.append(_one(tokens))
    return lambda file: all(test(file) for test in tests)


def _one(tokens: list[str]) -> Test:
    if not tokens:
        raise ValueError("an end in the middle")
    first = tokens.pop(0)
    if first == "(":
        test = _any(tokens)
        if tokens[:1] != [")"]:
            raise ValueError("no bracket")
        tokens.pop(0)
        return test
    if first == "not":
        inner = _one(tokens)
        return lambda file: not inner(file)
    if len(tokens) < 2:
        raise ValueError(first)
    operator, value = tokens.pop(0), tokens.pop(0)
    if first.startswith("'") and (operator, value) == ("in", "parents"):
        parent = _text(first)
        return lambda file: parent in file["parents"]
    if first == "trashed" and operator == "=" and value in ("true", "false"):
        return lambda file: bool(file["trashed"]) == (value == "true")
    if first in ("name", "mimeType") and operator in ("=", "!=") and value.startswith("'"):
        wanted = _text(value)
        # Like Drive, compares names case-insensitively.
        same = lambda file: file[first].casefold() == wanted.casefold()  # noqa: E731
        return same if operator == "=" else lambda file: not same(file)
    raise ValueError(first)


def _text(quoted: str) -> str:
    return re.sub(r"\\(.)", r"\1", quoted[1:-1])
