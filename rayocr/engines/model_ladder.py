"""Chooses the model to which an engine sends a page next, from all earlier attempts. The function is pure, so a restart decides
the same.

The same model is retried only after a random failure (a random recitation, an empty or garbled answer). Otherwise the page goes
to the next model of the ladder. After `MAX_PAID_TRIES` paid answers that failed, the page goes to the next engine of the chain.
"""

from __future__ import annotations

from collections.abc import Sequence

from rayocr.engines.answers.finish_reasons import finish_reason_of
from rayocr.errors import BadAnswer, BatchIncomplete, EmptyAnswer, EngineShed, EngineTimeout, MalformedAnswer, Refused
from rayocr.messages import Attempt

MAX_BATCH_JOBS = 2  # number of jobs that ended without the page, per page and model
MAX_PAID_TRIES = 3  # per page, over all models and all runs
_TRIES_BY_CHANCE = 2  # maximum number of tries per model after random failures


POSSIBLY_BILLED = "POSSIBLY_BILLED"  # finish of a request whose connection broke while it was in flight
DURING_OUTAGE = "DURING_OUTAGE"  # finish of an unusable answer while the server had no usable one for any page


def next_model(models: Sequence[str], attempts: Sequence[Attempt], *, engine: str) -> str | None:
    """Returns the next model; None if the engine gets no further request. `attempts`: the attempts of all engines, in order."""
    if sum(is_paid(attempt) for attempt in attempts) >= MAX_PAID_TRIES:
        return None
    for model in models:
        asked = [attempt for attempt in attempts if (attempt.engine, attempt.model) == (engine, model) and not is_lost(attempt)]
        if not asked or (len(asked) < _TRIES_BY_CHANCE and is_by_chance(asked[-1])):
            return model
    return None


def is_paid(attempt: Attempt) -> bool:
    """Returns whether the server answered, but the answer failed the checks."""
    return not is_lost(attempt) and bool(attempt.model) and attempt.reason in _PAID


def is_lost(attempt: Attempt) -> bool:
    """Returns whether the request timed out, was lost or shed, or was sent during an outage. It may be billed and is recorded
    only for its cost."""
    if attempt.finish in (POSSIBLY_BILLED, DURING_OUTAGE):
        return True
    return attempt.reason in _LOST and attempt.input_tokens > 0


def lost_in_batches(attempts: Sequence[Attempt], model: str) -> bool:
    """Returns whether `MAX_BATCH_JOBS` paid jobs returned no answer for the page, so no further job is sent."""
    lost = [attempt for attempt in attempts if attempt.model == model and attempt.reason == BatchIncomplete.__name__]
    return len(lost) >= MAX_BATCH_JOBS


def is_by_chance(attempt: Attempt) -> bool:
    """Returns whether a retry with the same model can help. Loops and truncated answers repeat; so do refusals of the page's
    content."""
    if attempt.reason == EmptyAnswer.__name__:
        return True
    return attempt.reason in (Refused.__name__, MalformedAnswer.__name__) and finish_reason_of(attempt.finish).by_chance


def _names(root: type[BadAnswer]) -> set[str]:
    return {root.__name__}.union(*(_names(child) for child in root.__subclasses__()))


_LOST = frozenset(error.__name__ for error in (EngineTimeout, BatchIncomplete, EngineShed))
_PAID = frozenset(_names(BadAnswer))
