"""Names and kinds of the options."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from typing import Any

from rayocr.config import RayocrConfig

CONFIG_GROUPS = ("engine", "limits", "locks")  # folders of conf/, whose values are names of files


def kind_of(key: str) -> str:
    """Returns the kind of an option: list, float, int, or "" for another kind and for unknown options."""
    cls: Any = RayocrConfig
    *parents, leaf = key.lstrip("+").split(".")
    for name in parents:
        cls = next((f.default_factory for f in fields(cls) if f.name == name), None)
        if not (isinstance(cls, type) and is_dataclass(cls)):
            return ""
    said = next((str(f.type) for f in fields(cls) if f.name == leaf), "")
    return said.partition("[")[0].removesuffix(" | None")


def option_names(cls: type, prefix: str = "") -> Iterator[str]:
    for f in fields(cls):
        name = f"{prefix}{f.name}"
        yield name
        factory: Any = f.default_factory
        if isinstance(factory, type) and is_dataclass(factory):
            yield from option_names(factory, f"{name}.")


def is_group(key: str) -> bool:
    """Returns whether the name is a group of options that cannot be set itself, like `output` and unlike `engine`."""
    return key not in CONFIG_GROUPS and any(name.startswith(f"{key}.") for name in option_names(RayocrConfig))
