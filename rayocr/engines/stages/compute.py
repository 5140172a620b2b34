"""Implements the stage for engines that run on the local CPU or GPU."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from rayocr.engines.answers.checks import check_answer
from rayocr.engines.answers.verification import LineReader
from rayocr.engines.base import ComputeEngine, Engine
from rayocr.engines.completion import complete
from rayocr.engines.registry import Stage, can_add_tesseract
from rayocr.engines.stages.layer_proof import proven
from rayocr.engines.stages.lost_pictures import without_lost_pictures
from rayocr.engines.stages.number_proof import WordReader, with_right_numbers
from rayocr.engines.stages.progress import PageProgress
from rayocr.errors import LanguagePackMissing, LowConfidence, NoTextLayer
from rayocr.messages import UNREAD_INK, PageRecord, PageText
from rayocr.pdf.ink import BLANK_COVERAGE

if TYPE_CHECKING:
    from rayocr.pdf.page import Page


class ComputeStage:
    """Runs local engines on the process's PDFium thread. An entry of `engines` is None if an optional engine is not installed."""

    def __init__(
        self, stage: Stage, engines: Sequence[Engine | None], *, reader: LineReader | None = None, words: WordReader | None = None
    ) -> None:
        """`reader` reads lines of scans whose text layer cannot be proven otherwise; `words` reads numbers of their layers."""
        self.stage = stage
        self._engines = engines
        self._reader = reader
        self._words = words
        self._can_add_tesseract = can_add_tesseract(engines)

    def recognize(
        self, page: Page, progress: PageProgress, *, first_engine: int, least_confidence: float | None = None
    ) -> PageRecord:
        """Reads the page. An answer of an OCR engine with less than `least_confidence` counts as doubtful."""
        progress.is_placeholder = page.is_placeholder
        inked = _InkedOnce(page.ink_coverage)
        partial: PageText | None = None
        declined: ComputeEngine | None = None  # the last engine, if it had no answer and no error
        for engine in self._engines[max(first_engine, self.stage.first) : self.stage.last + 1]:
            if engine is None:
                continue
            assert isinstance(engine, ComputeEngine)
            declined = None
            answer: PageText | None = None
            try:
                if partial is None and engine.name != "textlayer" and inked(engine.drawn_dpi) < BLANK_COVERAGE:
                    return progress.blank()
                answer = engine.recognize(page) if partial is None else complete(page, engine)
                if answer is None:
                    if partial is None and (partial := engine.partial(page)) is not None:
                        progress.keep_doubtful(partial)
                    declined = engine
                    continue
                answer = self._checked(answer, engine, page, progress, inked, completes=partial is not None)
                if least_confidence is not None and engine.name != "textlayer":
                    _check_least(answer, least_confidence)
            except LowConfidence as error:
                progress.note(engine, error)
                if answer is not None:
                    progress.keep_doubtful(answer)
                continue
            except LanguagePackMissing as error:
                progress.note(engine, error)
                break  # with its other packs, Tesseract would read an unsupported script as junk
            except Exception as error:  # the error is recorded as an attempt, so that one bad page never fails a document
                progress.note(engine, error)
                continue
            return progress.answered(answer)
        if declined is not None and declined.name == "textlayer" and progress.is_last_stage and partial is None:
            return self._without_text_layer(declined, progress, inked)
        return progress.exhausted(self.stage)

    def _checked(
        self,
        answer: PageText,
        engine: ComputeEngine,
        page: Page,
        progress: PageProgress,
        inked: Callable[[], float],
        *,
        completes: bool,
    ) -> PageText:
        """Returns the answer if it passes the checks; raises an EngineError otherwise. `completes`: it completes a text layer."""
        if completes:
            _check_completion(answer)
            progress.check_surer(answer)
        elif engine.name == "textlayer":
            answer = with_right_numbers(page, proven(page, answer, self._reader), self._words)
        else:
            check_answer(answer, ink_coverage=inked, can_loop=False, can_add_tesseract=self._can_add_tesseract)
            progress.check_surer(answer)
        return without_lost_pictures(page, answer)

    def _without_text_layer(self, engine: ComputeEngine, progress: PageProgress, inked: Callable[[], float]) -> PageRecord:
        """Returns the record of a page for which the last engine is the text layer, and has no answer."""
        try:
            if inked() < BLANK_COVERAGE:
                return progress.blank()
            raise NoTextLayer("The page has no text layer that can be relied on; engine=local reads such pages with OCR.")
        except Exception as error:  # the page may also be impossible to draw
            progress.note(engine, error)
        return progress.exhausted(self.stage)


def _check_completion(answer: PageText) -> None:
    """Raises LowConfidence if the page has lines that are still unread."""
    if UNREAD_INK in answer.doubts:
        raise LowConfidence("some lines that are missing from the text layer could only be read with low confidence.")


def _check_least(answer: PageText, least: float) -> None:
    """Raises LowConfidence if the mean confidence is below the minimum."""
    if answer.confidence is None or answer.confidence < least:
        confidence = "unknown" if answer.confidence is None else f"{answer.confidence:.2f}"
        raise LowConfidence(f"mean confidence {confidence} is below engine.local_confidence={least:g}.", finish=answer.finish)


class _InkedOnce:
    """The page's ink coverage, measured at most once, since it requires a rendering."""

    def __init__(self, measure: Callable[[int], float]) -> None:
        self._measure = measure
        self._coverage: float | None = None

    def __call__(self, next_dpi: int = 0) -> float:
        if self._coverage is None:
            self._coverage = self._measure(next_dpi)
        return self._coverage
