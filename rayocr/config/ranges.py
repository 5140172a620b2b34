"""Checks ranges for the option classes. Errors name the option."""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterable, Mapping

from rayocr.errors import UsageError

_NEAR = 0.6  # minimum similarity between a misspelled value and the suggested choice


def at_least(minimum: float, **values: float | None) -> None:
    for name, value in values.items():
        if value is not None and not math.isfinite(value):
            raise UsageError(f"{name} is {value}; it must be a number.", hint="Give a number, or null for no limit.")
        if value is not None and value < minimum:
            raise UsageError(f"{name} is {value:.15g}; it must be at least {minimum:.15g}.", hint=_example(name, minimum))


def at_most(maximum: float, **values: float | None) -> None:
    for name, value in values.items():
        if value is not None and value > maximum:
            raise UsageError(f"{name} is {value:.15g}; it must be at most {maximum:.15g}.", hint=_example(name, maximum))


def _example(name: str, bound: float) -> str:
    return f"For example: {name}={bound:.15g}. `rayocr --help {name}` explains it."


def one_of(name: str, value: str, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise UsageError(f"{name}={value} is unknown.", hint=choose(value, choices))


def check_address(name: str, value: str | None) -> None:
    """Raises UsageError for an address of a server without http:// or https://. `name`: the option or environment variable."""
    if value is None or value.startswith(("http://", "https://")):
        return
    local = value.startswith(("localhost", "127.", "["))
    raise UsageError(
        f"{name}={value} is not an address: http:// or https:// is missing.",
        hint=f"For example: {name}=http{'' if local else 's'}://{value.rpartition('://')[2]}",
    )


def choose(value: str, choices: Iterable[str], others: Mapping[str, str] | None = None) -> str:
    """Returns the hint for a value that is not one of the choices: the most similar choice, unless several are
    equally similar, and the list of choices. `others` maps words that people use to the choices that they mean."""
    known = [str(choice) for choice in choices]
    word = value.strip().lower()
    likeness = sorted(((difflib.SequenceMatcher(None, word, name.lower()).ratio(), name) for name in known), reverse=True)
    is_near = bool(likeness) and likeness[0][0] >= _NEAR and (len(likeness) == 1 or likeness[0][0] > likeness[1][0])
    meant = (others or {}).get(word) or (likeness[0][1] if is_near else "")
    return f"{f'Did you mean {meant}? ' if meant else ''}Choose one of {', '.join(known)}."
