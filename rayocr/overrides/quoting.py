"""Quotes values for Hydra's grammar and for a shell."""

from __future__ import annotations

import re
import shlex
from typing import Any

from rayocr.overrides.options import kind_of

PATTERNS = ("include", "exclude")  # options that hold names of files


def quoted(value: object) -> str:
    """Returns a value quoted so that Hydra's grammar reads it back unchanged, with any characters."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return "[" + ",".join(quoted(item) for item in value) + "]"
    if isinstance(value, dict):
        return "{" + ",".join(f"{quoted(str(key))}:{quoted(item)}" for key, item in value.items()) + "}"
    if isinstance(value, str):
        if re.fullmatch(r"[A-Za-z_][\w./-]*", value, re.ASCII) and value.lower() not in ("null", "true", "false", "nan", "inf"):
            return value
        # Inside quotes Hydra unescapes a backslash only before a quote or at the end.
        body = re.sub(r"(\\*)'", lambda match: match[1] * 2 + "\\'", value)
        body = re.sub(r"(\\+)$", lambda match: match[1] * 2, body)
        return f"'{body}'"
    return str(value)


def literal(value: object) -> str:
    """Does the same as `quoted` for values that are not written in Hydra's language, such as file names and Python strings, in
    which `${…}` is text and not an interpolation."""
    return quoted(_escaped(value))


def _escaped(value: Any) -> Any:
    if isinstance(value, str):  # OmegaConf unescapes backslashes only before ${
        return re.sub(r"(\\*)\$\{", r"\1\1\\${", value)
    if isinstance(value, list):
        return [_escaped(item) for item in value]
    return {key: _escaped(item) for key, item in value.items()} if isinstance(value, dict) else value


def for_shell(argument: str) -> str:
    """Returns one argument, quoted for a POSIX shell in the more readable way, if it needs quotes."""
    if re.fullmatch(r"[\w@%+=:,./-]+", argument, re.ASCII):
        return argument
    return f'"{argument}"' if not re.search(r'["$`\\!]', argument) else shlex.quote(argument)


def list_value(override: str) -> str:
    """Returns the override with brackets around a list. Users may omit them for a list of names, and for a single pattern:
    `outputs=markdown,jsonl`, `engine.tesseract.languages=deu+eng`, `include=2024/*`."""
    key, _, value = override.partition("=")
    if kind_of(key) != "list" or not value.strip() or value == "null" or value.startswith("$"):
        return override
    if key in PATTERNS and _is_pattern(value):
        return f"{key}={quoted([value])}"
    if value.startswith("["):
        return override
    if value[0] in "'\"" and value[-1] == value[0] and value.count(value[0]) == 2:
        return f"{key}={quoted([value[1:-1]])}"
    if key.endswith("languages"):  # Tesseract writes deu+eng
        value = value.replace("+", ",")
    items = split_items(value)
    if len(items) != 1 and key.endswith(PATTERNS):  # a comma may belong to a file name
        return override
    return f"{key}={quoted(items)}" if items else override


def pattern_option(key: str, *patterns: str) -> str:
    """Returns `include=` or `exclude=` with these patterns as a word for the shell. The patterns may contain any characters."""
    short, full = f"{key}={patterns[0]}", f"{key}={literal(list(patterns))}"
    return for_shell(short if list_value(short) == full else full)


def _is_pattern(value: str) -> bool:
    """Returns whether the first bracket closes before the end, as in `[ab]*.pdf` and `[[]x].pdf`, which is one pattern and not a
    list."""
    if not value.startswith("[") or value.startswith("[[]"):
        return value.startswith("[[]")
    end, quote = 0, ""
    depth = 0
    for end, character in enumerate(value):
        if quote:
            quote = "" if character == quote else quote
        elif character in "'\"" and value[end - 1] in "[,":
            quote = character
        elif character in "[]":
            depth += 1 if character == "[" else -1
            if depth == 0:
                break
    return depth == 0 and end < len(value.rstrip()) - 1


def split_items(value: str) -> list[str]:
    """Returns the items that the user probably meant. A comma inside quotes or brackets belongs to its item."""
    inside = value[1:-1] if value.startswith("[") and value.endswith("]") else value.removeprefix("[")
    found = re.findall(r"""(?:'[^']*'|"[^"]*"|\[[^\[\]]*\]|[^,])+""", inside)
    return [item.strip().strip("'\"") for item in found if item.strip()]
