"""Describes every option by its name, its default and the comment beside its field, for `--help` and docs/configuration.md.

A field's description is the comment lines directly above it, then the comment beside it. A class is described by its docstring.
"""

from __future__ import annotations

import ast
import dataclasses
import io
import tokenize
from collections.abc import Iterator
from enum import Enum
from functools import cache
from pathlib import Path
from typing import Any

from rayocr.config.mode import Mode
from rayocr.config.run import RayocrConfig


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class OptionHelp:
    """The description of an option. `section`: the class that holds the option. `default`: written as on the command line."""

    name: str
    default: str
    meaning: str
    section: str


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """The options of one class. `prefix` is empty for the options of the run itself."""

    prefix: str
    title: str
    options: tuple[OptionHelp, ...]


@cache
def sections() -> tuple[Section, ...]:
    comments = {key: said for file in Path(__file__).parent.glob("*.py") for key, said in _comments(file.read_text()).items()}
    found = []
    for prefix, cls in _classes(RayocrConfig):
        doc = cls.__dict__.get("__doc__") or ""
        options = tuple(
            OptionHelp(
                name=f"{prefix}.{field.name}" if prefix else field.name,
                default=_default(field),
                meaning=_meaning(field, comments.get((cls.__name__, field.name), "")),
                section=cls.__name__,
            )
            for field in dataclasses.fields(cls)
            if _config_class(field) is None
        )
        title = "" if doc.startswith(f"{cls.__name__}(") else " ".join(doc.split())
        found.append(Section(prefix=prefix, title=title, options=options))
    return tuple(found)


def describe_options() -> list[OptionHelp]:
    """Returns every option in the order of its section."""
    return [option for section in sections() for option in section.options]


def _classes(cls: type, prefix: str = "") -> Iterator[tuple[str, type]]:
    yield prefix, cls
    for field in dataclasses.fields(cls):
        if (inner := _config_class(field)) is not None:
            yield from _classes(inner, f"{prefix}.{field.name}".lstrip("."))


def _config_class(field: dataclasses.Field[Any]) -> type | None:
    """Returns the class of a field that holds more options."""
    factory: Any = field.default_factory
    return factory if isinstance(factory, type) and dataclasses.is_dataclass(factory) else None


def _comments(source: str) -> dict[tuple[str, str], str]:
    """Returns the comments by (class, field)."""
    comments: dict[int, str] = {}
    alone: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT and not token.string.startswith("# noqa"):
            comments[token.start[0]] = token.string.lstrip("# ").strip()
            if token.line.lstrip().startswith("#"):
                alone.add(token.start[0])
    found = {}
    for cls in ast.parse(source).body:
        if not isinstance(cls, ast.ClassDef):
            continue
        for statement in cls.body:
            if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
                first, last = statement.lineno, statement.end_lineno or statement.lineno
                above: list[str] = []
                line = first - 1
                while line in alone:
                    above.insert(0, comments[line])
                    line -= 1
                beside = [comments[number] for number in range(first, last + 1) if number in comments]
                found[cls.name, statement.target.id] = " ".join([*above, *beside])
    return found


def _default(field: dataclasses.Field[Any]) -> str:
    value = field.default
    if field.default_factory is not dataclasses.MISSING:
        value = field.default_factory()
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Enum):
        return str(value.value)
    if isinstance(value, list):
        return "[" + ",".join(map(str, value)) + "]"
    if isinstance(value, int) and value >= 1 << 20 and value % (1 << 20) == 0:
        return f"{value} ({_binary(value)})"
    return str(value) if value != "" else '""'


def _binary(value: int) -> str:
    return f"{value >> 30} GiB" if value % (1 << 30) == 0 else f"{value >> 20} MiB"


def _meaning(field: dataclasses.Field[Any], said: str) -> str:
    if str(field.type) == "Mode":
        choices = ", ".join(mode.value for mode in Mode)
        return f"{said}: {choices}" if said else f"one of {choices}"
    return said
