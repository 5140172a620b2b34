"""Chooses the model of an engine that is asked next for a page, from all earlier attempts. Pure, so a restart decides the same.

A model is asked once more only where chance decides (a random recitation, an empty or garbled answer); then the next model of
the ladder; after `MAX_PAID_TRIES` answers that were paid for in vain the page goes to the next engine of the chain.
"""

from __future__ import annotations

from collections.abc import Sequence

from rayocr.engines.answers.finish_reasons import finish_reason_of
from rayocr.errors import BadAnswer, BatchIncomplete, EmptyAnswer, EngineTimeout, MalformedAnswer, Refused
from rayocr.messages import Attempt

MAX_BATCH_JOBS = 2  # that end without the page, of one page and model
MAX_PAID_TRIES = 3  # of one page, over all models and all runs
_TRIES_BY_CHANCE = 2  # of one model


def next_model(models: Sequence[str], attempts: Sequence[Attempt], *, engine: str) -> str | None:
    """None: do not ask this engine again. `attempts`: of all engines, in order."""
    if sum(is_paid(attempt) for attempt in attempts) >= MAX_PAID_TRIES:
        return None
    for model in models:
        asked = [attempt for attempt in attempts if (attempt.engine, attempt.model) == (engine, model) and not is_lost(attempt)]
        if not asked or (len(asked) < _TRIES_BY_CHANCE and is_by_chance(asked[-1])):
            return model
    return None


def is_paid(attempt: Attempt) -> bool:
    """The server answered, but the answer failed the checks."""
    return bool(attempt.model) and attempt.reason in _PAID


def is_lost(attempt: Attempt) -> bool:
    """Nobody received the answer, and it is probably billed: recorded only for its cost."""
    return attempt.reason in (EngineTimeout.__name__, BatchIncomplete.__name__) and attempt.input_tokens > 0


def lost_in_batches(attempts: Sequence[Attempt], model: str) -> bool:
    """Enough jobs were paid for without an answer for the page."""
    lost = [attempt for attempt in attempts if attempt.model == model and attempt.reason == BatchIncomplete.__name__]
    return len(lost) >= MAX_BATCH_JOBS


def is_by_chance(attempt: Attempt) -> bool:
    """Asking the same model again can help. Loops, truncated answers and refusals of the content repeat."""
    if attempt.reason == EmptyAnswer.__name__:
        return True
    return attempt.reason in (Refused.__name__, MalformedAnswer.__name__) and finish_reason_of(attempt.finish).by_chance


def _names(root: type[BadAnswer]) -> set[str]:
    return {root.__name__}.union(*(_names(child) for child in root.__subclasses__()))


_PAID = frozenset(_names(BadAnswer))
