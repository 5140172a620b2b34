"""Page text, answers, names and messages come from strangers, so no regular expression that reads them may take more than linear
time.
"""

from __future__ import annotations

import re

import pytest

from tests.unit.linear_time import LINEAR, Expression, expressions, patterns_in_functions, worst_exponent

PACKAGES = ("rayocr.engines", "rayocr.outputs")
READERS = (
    *PACKAGES,
    "rayocr.pdf",
    "rayocr.storage",
    "rayocr.gateway",
    "rayocr.view",
    "rayocr.observe",
    "rayocr.ledger",
    "rayocr.masking",
)
ALL = list({expression.pattern: expression for expression in expressions(*READERS)}.values())


@pytest.mark.parametrize("expression", ALL, ids=lambda expression: expression.name)
def test_a_megabyte_of_the_worst_text_takes_linear_time(expression: Expression) -> None:
    exponent, recipe = worst_exponent(expression)
    assert exponent < LINEAR, f"{expression.name} takes time that grows with the power {exponent:.2f} of the length of {recipe}."


def test_patterns_are_constants_so_that_this_test_finds_them() -> None:
    assert list(patterns_in_functions(*PACKAGES)) == []


@pytest.mark.parametrize(
    "pattern", [r"[ \t]*\n(?:[ \t]*\n)+", r"\A[\s*_]+|[\s*_]+\Z", r"^#{1,6}(?:[ \t]+(.*?))?(?:[ \t]+#+)?[ \t]*$", r"(a+)b"]
)
def test_patterns_that_once_froze_a_worker_are_found(pattern: str) -> None:
    assert worst_exponent(Expression("old", re.compile(pattern), frozenset({"sub", "match"})))[0] >= LINEAR
