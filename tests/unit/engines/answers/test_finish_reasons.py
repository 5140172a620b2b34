"""The table contains every value of the SDK's enums: an upgrade that adds one fails here."""

from __future__ import annotations

import pytest
from google.genai import types

from rayocr.engines.answers.finish_reasons import finish_reason_of, is_known
from rayocr.errors import MalformedAnswer, Refused, Truncated

_WORDS = [*types.FinishReason, *types.BlockedReason]


@pytest.mark.parametrize("word", _WORDS, ids=str)
def test_every_finish_reason_and_block_reason_of_the_sdk_is_known(word: types.FinishReason) -> None:
    assert is_known(word.name), f"{word} is new: say in engines/endings.py what it means"
    assert is_known(str(word))


def test_only_stop_is_a_whole_answer() -> None:
    whole = {word.name for word in _WORDS if finish_reason_of(word.name).error is None}
    assert whole == {"STOP"}


@pytest.mark.parametrize(
    ("word", "error", "by_chance"),
    [
        ("RECITATION", Refused, True),
        ("SAFETY", Refused, False),
        ("PROHIBITED_CONTENT", Refused, False),
        ("MAX_TOKENS", Truncated, False),
        ("length", Truncated, False),
        ("content_filter", Refused, False),
        ("MALFORMED_RESPONSE", MalformedAnswer, True),
        ("tool_calls", MalformedAnswer, True),
    ],
)
def test_a_word_means(word: str, error: type[Exception], by_chance: bool) -> None:
    assert (finish_reason_of(word).error, finish_reason_of(word).by_chance) == (error, by_chance)
