"""Range checks shared by the option classes; errors name the option."""

from __future__ import annotations

import math

from rayocr.errors import UsageError


def at_least(minimum: float, **values: float | None) -> None:
    for name, value in values.items():
        if value is not None and not math.isfinite(value):
            raise UsageError(f"{name} is {value}; it must be a number.", hint="Give a number, or null for no limit.")
        if value is not None and value < minimum:
            raise UsageError(f"{name} is {value:.15g}; it must be at least {minimum:.15g}.")


def at_most(maximum: float, **values: float | None) -> None:
    for name, value in values.items():
        if value is not None and value > maximum:
            raise UsageError(f"{name} is {value:.15g}; it must be at most {maximum:.15g}.")


def one_of(name: str, value: str, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise UsageError(f"{name}={value} is unknown.", hint=f"Choose one of {', '.join(choices)}.")
