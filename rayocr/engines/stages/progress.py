"""Keeps the state of one page in the chain: failed attempts and the best low-confidence answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from rayocr.engines.answers.verification import VerificationResult
from rayocr.engines.base import Engine
from rayocr.engines.registry import Stage
from rayocr.errors import (
    BadAnswer,
    LowConfidence,
    OutsideError,
    RayocrError,
    Unreadable,
)
from rayocr.ledger.boxes import pack_boxes
from rayocr.messages import (
    LOW_CONFIDENCE,
    OUTAGE,
    OUTAGE_REASONS,
    PLACEHOLDER,
    SUSPECT,
    UNREAD_INK,
    Attempt,
    PageOutcome,
    PageRecord,
    PageText,
)

_MESSAGE_CHARS = 300  # maximum length of a recorded error: enough to act on, short enough for a manifest of 10,000 pages


class PageProgress:
    """The state of one page in the chain: failed attempts and the best low-confidence answer."""

    def __init__(self, document_id: str, page_number: int, *, is_last_stage: bool, attempts: Sequence[Attempt] = ()) -> None:
        self.document_id = document_id
        self.page_number = page_number
        self.is_last_stage = is_last_stage
        self.is_placeholder = False  # the page shows only a request to open the document in another program
        self.outage: OutsideError | None = None  # error of an unavailable server, with engine.on_outage=fallback
        # True if the lane `local` could not read the page, so that the page needs another lane.
        self.left_unread = False
        self._attempts = list(attempts)
        self._doubtful: PageText | None = None

    @property
    def attempts(self) -> tuple[Attempt, ...]:
        return tuple(self._attempts)

    def note(
        self, engine: Engine, error: Exception, *, model: str = "", answer: PageText | None = None, finish: str = ""
    ) -> None:
        """Records a failed attempt. `model` is set for requests to a server, `answer` if the server answered but the answer
        failed the checks."""
        attempt = Attempt(
            engine=engine.name,
            reason=error.reason if isinstance(error, RayocrError) else type(error).__name__,
            message=str(error)[:_MESSAGE_CHARS],
            model=model,
            finish=finish or ((error.finish or "") if isinstance(error, BadAnswer) else ""),
        )
        if answer is not None and model:
            attempt = replace(
                attempt,
                input_tokens=answer.input_tokens,
                output_tokens=answer.output_tokens,
                cached_tokens=answer.cached_tokens,
                cost_usd=answer.cost_usd,
                price_class=answer.price_class,
            )
        self._attempts.append(attempt)

    def all_engines_failed(self, first_engine: int) -> PageRecord:
        """Returns the state to save before the next request. The ledger keeps it until the page has an outcome."""
        return replace(self._record(PageOutcome.HANDED_ON), next_engine=first_engine)

    def keep_doubtful(self, answer: PageText) -> None:
        if self._doubtful is None or (answer.confidence or 0) > (self._doubtful.confidence or 0):
            self._doubtful = answer

    def check_surer(self, answer: PageText) -> None:
        """Raises LowConfidence if an earlier engine had low confidence and this engine has less. The first engine reads worn
        pages better. The next one is better only for scripts that the first does not support. Raises Unreadable if this engine
        does not support them either."""
        doubtful = self._doubtful
        if doubtful is not None and doubtful.engine == "rapidocr" and answer.model.endswith("/eng"):
            raise Unreadable("Tesseract had its English pack only, and rapidocr reads Latin print better.", finish=answer.finish)
        before, now = (doubtful.confidence if doubtful else None), answer.confidence
        if before is not None and now is not None and now < before:
            raise LowConfidence(f"mean confidence {now:.2f} is below an earlier {before:.2f}.", finish=answer.finish)

    def blank(self) -> PageRecord:
        return self._record(PageOutcome.BLANK)

    def answered(
        self, answer: PageText, *, doubts: tuple[str, ...] = (), verification: VerificationResult | None = None
    ) -> PageRecord:
        # The first engine's own low-confidence answer is not a fallback, even if other engines were tried after it.
        asked_before = bool(self._attempts) and self._attempts[0].engine != answer.engine
        outcome = PageOutcome.FALLBACK if asked_before else PageOutcome.DONE
        vain = self._record(outcome)
        doubts = (*doubts, *answer.doubts, *((PLACEHOLDER,) if self.is_placeholder else ()))
        if verification is not None and verification.suspect:
            doubts = (*doubts, SUSPECT)
        if any(attempt.reason in OUTAGE_REASONS and attempt.engine != answer.engine for attempt in self._attempts):
            doubts = (*doubts, OUTAGE)
        return replace(
            vain,
            text=answer.text,
            engine=answer.engine,
            model=answer.model,
            input_tokens=vain.input_tokens + answer.input_tokens,
            output_tokens=vain.output_tokens + answer.output_tokens,
            cached_tokens=vain.cached_tokens + answer.cached_tokens,
            cost_usd=vain.cost_usd + answer.cost_usd,
            price_class=answer.price_class,
            doubts=doubts,
            agreement=verification.agreement if verification is not None else None,
            boxes="" if answer.engine == "textlayer" else pack_boxes(answer.boxes or ()),  # the page is already searchable
        )

    def copied(self, duplicate: PageRecord) -> PageRecord:
        """Returns the text of an identical page. The cost is that of this page's failed attempts."""
        vain = self._record(PageOutcome.DONE)
        return replace(
            vain,
            text=duplicate.text,
            engine=duplicate.engine,
            model=duplicate.model,
            content_hash=duplicate.content_hash,
            copied=True,
            doubts=duplicate.doubts,
            agreement=duplicate.agreement,
        )

    def exhausted(self, stage: Stage) -> PageRecord:
        """Returns the outcome if no engine of the stage had a certain answer. Passes a low-confidence text to the next stage,
        which may have a better one."""
        best = self._record(PageOutcome.FAILED)
        if self._doubtful is not None:
            best = self.answered(self._doubtful, doubts=() if UNREAD_INK in self._doubtful.doubts else (LOW_CONFIDENCE,))
        if self.is_last_stage:
            return best
        return replace(best, outcome=PageOutcome.HANDED_ON, next_engine=stage.last + 1)

    def settled_for(self, doubtful: PageRecord) -> PageRecord:
        """Returns the low-confidence text of an earlier stage, after all engines of this stage failed."""
        outcome = PageOutcome.FALLBACK if self._attempts and self._attempts[0].engine != doubtful.engine else PageOutcome.DONE
        vain = self._record(outcome)
        return replace(
            vain, text=doubtful.text, engine=doubtful.engine, model=doubtful.model, doubts=doubtful.doubts, boxes=doubtful.boxes
        )

    def unreadable(self, error: RayocrError) -> PageRecord:
        """Returns the outcome of a page that cannot be opened, so that no engine can read it."""
        self._attempts.append(Attempt(engine="pdf", reason=error.reason, message=str(error)[:_MESSAGE_CHARS]))
        return self._record(PageOutcome.FAILED)

    def _record(self, outcome: PageOutcome) -> PageRecord:
        return PageRecord(
            document_id=self.document_id,
            page_number=self.page_number,
            outcome=outcome,
            input_tokens=sum(attempt.input_tokens for attempt in self._attempts),
            output_tokens=sum(attempt.output_tokens for attempt in self._attempts),
            cached_tokens=sum(attempt.cached_tokens for attempt in self._attempts),
            cost_usd=sum(attempt.cost_usd for attempt in self._attempts),
            attempts=self.attempts,
        )
