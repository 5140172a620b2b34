"""Parses JSON that others may have written: state, requests, messages.

The result is an object, at most MAX_DEPTH deep, with 64-bit integers and finite numbers, so that later code can traverse, add up
and print it without errors.
"""

from __future__ import annotations

import functools
import json
import math
from typing import Annotated, Any, TypeVar

from pydantic import Field, TypeAdapter, ValidationError
from pydantic_core import from_json

from rayocr.errors import RecordCorrupt

T = TypeVar("T")
FiniteFloat = Annotated[float, Field(allow_inf_nan=False)]  # for `parse_as`, which also converts the string "NaN"

MAX_DEPTH = 32  # rayocr's own objects are 5 deep and contain settings that a user may nest
_MAX_INT = 1 << 63
_MAX_VALUES = 4_000_000  # an empty list of two bytes takes 60 in memory


def parse_object(data: bytes | str, *, name: str, hint: str | None = None) -> dict[str, Any]:
    """Parses `data` as an object. Raises RecordCorrupt, which names the source of the bytes."""
    if not data:
        raise RecordCorrupt(f"{name} is empty.", hint=hint)
    try:
        values = parse_value(data)
    except ValueError as error:
        raise RecordCorrupt(f"{name} is not JSON: {str(error).rstrip('.')[:200]}.", hint=hint) from error
    if not isinstance(values, dict):
        raise RecordCorrupt(f"{name} is not a JSON object.", hint=hint)
    if problem := _problem(values):
        raise RecordCorrupt(f"{name} {problem}.", hint=hint)
    return values


def parse_value(data: bytes | str) -> Any:
    """Parses any JSON, including numbers that are not finite. Raises ValueError, also for text that would exhaust the stack or
    the memory."""
    if len(data) > _MAX_VALUES and _opened(data) > _MAX_VALUES:
        raise ValueError(f"it contains more than {_MAX_VALUES:,} values")
    try:
        return from_json(data, cache_strings="keys")  # rejects more than 200 levels
    except ValueError:
        pass
    try:
        return json.loads(data)  # accepts lone surrogates, which file names may contain
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error


def parse_as(kind: type[T], data: bytes | str, *, name: str, hint: str | None = None) -> T:
    """Returns an instance of this dataclass or model. Ignores unknown fields. Raises RecordCorrupt."""
    return checked_as(kind, parse_object(data, name=name, hint=hint), name=name, hint=hint)


def checked_as(kind: type[T], values: dict[str, Any], *, name: str, hint: str | None = None) -> T:
    """Does the same as `parse_as` for a result of `parse_object`."""
    try:
        return _adapter(kind).validate_python(values)  # type: ignore[no-any-return, arg-type]
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise RecordCorrupt(f"{name} is damaged: {where[:200]}: {first['msg'][:200]}.", hint=hint) from error


@functools.cache
def _adapter(kind: type[Any]) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


def _opened(data: bytes | str) -> int:
    """Returns an upper limit of the number of values."""
    if isinstance(data, str):
        return data.count(",") + data.count("[") + data.count("{")
    return data.count(b",") + data.count(b"[") + data.count(b"{")


def _problem(values: Any) -> str:
    """Returns the first problem. Proceeds level by level, without recursion."""
    level = [values]
    for _ in range(MAX_DEPTH):
        below: list[Any] = []
        for value in level:
            if isinstance(value, dict):
                below.extend(value.values())
            elif isinstance(value, list):
                below.extend(value)
            elif isinstance(value, float) and not math.isfinite(value):
                return "contains a number that is not finite"
            elif isinstance(value, int) and not -_MAX_INT <= value < _MAX_INT:
                return "contains an integer of more than 64 bits"
        level = below
        if not level:
            return ""
    return f"is nested more than {MAX_DEPTH} levels deep"
