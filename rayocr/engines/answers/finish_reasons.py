"""Maps every finish reason of the servers to its meaning for the page.

One table holds Gemini's finish reasons, its block reasons and those of OpenAI-compatible servers. A test fails when the SDK's
enums gain a value that the table lacks.
"""

from __future__ import annotations

from dataclasses import dataclass

from rayocr.errors import BadAnswer, MalformedAnswer, Refused, Truncated


@dataclass(frozen=True, slots=True, kw_only=True)
class FinishReason:
    """The meaning of a finish reason. `error`: None if the answer is complete. `by_chance`: the same model may answer the same
    page on a retry. `unexplained`: the reason is not the content of the page, so the server can be the cause."""

    error: type[BadAnswer] | None
    words: str
    by_chance: bool = False
    unexplained: bool = False


_WHOLE = FinishReason(error=None, words="finished")
_CUT_OFF = FinishReason(error=Truncated, words="truncated its answer")
_REFUSED = FinishReason(error=Refused, words="refused the page")
_REFUSED_BY_CHANCE = FinishReason(error=Refused, words="refused the page", by_chance=True)
_REFUSED_UNEXPLAINED = FinishReason(error=Refused, words="refused the page", by_chance=True, unexplained=True)
_BROKEN = FinishReason(error=MalformedAnswer, words="gave no usable answer", by_chance=True, unexplained=True)
_UNKNOWN = FinishReason(error=MalformedAnswer, words="ended with an unknown finish reason", unexplained=True)

_ENDINGS: dict[str, FinishReason] = {
    "stop": _WHOLE,
    "eos": _WHOLE,
    "end_turn": _WHOLE,
    # The answer to a retry is truncated, too (measured on 40 truncated pages of a book of 742 pages).
    "max_tokens": _CUT_OFF,
    "length": _CUT_OFF,
    "max_output_tokens": _CUT_OFF,
    "continuation": _CUT_OFF,
    # Gemini refuses one page of forms in ten at random, and a retry succeeds. It always refuses famous texts.
    "recitation": _REFUSED_BY_CHANCE,
    "image_recitation": _REFUSED_BY_CHANCE,
    "other": _REFUSED_UNEXPLAINED,
    "image_other": _REFUSED_UNEXPLAINED,
    # The content of the page is the cause, so the same model refuses it again.
    "safety": _REFUSED,
    "blocklist": _REFUSED,
    "prohibited_content": _REFUSED,
    "spii": _REFUSED,
    "language": _REFUSED,
    "image_safety": _REFUSED,
    "image_prohibited_content": _REFUSED,
    "model_armor": _REFUSED,
    "jailbreak": _REFUSED,
    "escalation": _REFUSED,
    "pup_limited_disabled": _REFUSED,
    "content_filter": _REFUSED,
    "refusal": _REFUSED,
    # The model produced something that the request did not ask for (tool calls, images).
    "malformed_response": _BROKEN,
    "malformed_function_call": _BROKEN,
    "unexpected_tool_call": _BROKEN,
    "too_many_tool_calls": _BROKEN,
    "missing_thought_signature": _BROKEN,
    "no_image": _BROKEN,
    "tool_calls": _BROKEN,
    "function_call": _BROKEN,
    "abort": _BROKEN,
    "error": _BROKEN,
    "finish_reason_unspecified": _BROKEN,
    "blocked_reason_unspecified": _BROKEN,
    "no_candidate": _BROKEN,
    "not_json": _BROKEN,  # a proxy answered with status 200 and an HTML page
}


def is_known(word: str) -> bool:
    return _key(word) in _ENDINGS


def finish_reason_of(word: str) -> FinishReason:
    return _ENDINGS.get(_key(word), _UNKNOWN)


def _key(word: str) -> str:
    return word.lower().rsplit(".", 1)[-1]  # SDK enums print as FinishReason.SAFETY
