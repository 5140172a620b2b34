"""Verifies a server's answer against the page's own text layer, or against a few lines that a local engine reads.

Models sometimes invent text, and an answer alone does not reveal the invented text. rayocr compares every page that has a text
layer with that layer. For the other pages it compares only a verification sample, which depends on the page's content, so that
every run chooses the same pages. If the two readings agree too little, the page is `suspect`: its text is kept, and outputs and
report mark it. Never raises, since a failed verification is not evidence against the page.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

from rayocr.config import DoubtConfig
from rayocr.engines.answers.agreement import Agreement, Reading, compare, measure, script_of_most, share_found
from rayocr.messages import PageText

if TYPE_CHECKING:
    from rayocr.pdf.page import Page
    from rayocr.pdf.textlayer.layer import TextLayer

log = logging.getLogger(__name__)

_PICTURES = 0.1  # share of the page under images: beyond it, a layer with fewer words may lack the words in the images
_WHOLE = 0.7
_BEYOND_DOUBT = 0.9  # least share of the words that must agree; for numbers about half of it is enough, as in `Agreement.low`
_OLD_OCR = 0.4  # factor on the threshold, since most words of an untrusted old OCR layer are nearly correct
_TRANSLATING = ("translat", "übersetz", "tradu", "перевод", "перевед", "अनुवाद", "भाषांतर", "翻译", "翻訳", "번역", "ترجم")
_NOT = ("not", "don't", "without", "no", "never")
_LOT_DIGITS = 8  # this many hexadecimal digits of the content hash decide whether a page is in the sample


@dataclass(frozen=True, slots=True, kw_only=True)
class VerificationResult:
    """The result of a verification. `agreement`: 0..1."""

    agreement: float
    suspect: bool
    against: str  # `textlayer`, or the engine that read the lines


class LineReader(Protocol):
    """Reads a few lines of a page at low cost."""

    name: str

    def read(self, page: Page) -> list[str]:
        """Returns the lines that the reader read with high confidence. May raise any exception."""

    def knows(self, script: str) -> bool:
        """Returns whether the reader supports this script. `script`: a name that `script_of_most` returns."""


class Verifier:
    def __init__(self, settings: DoubtConfig, reader: LineReader | None, *, prompts: Mapping[str, str] | None = None) -> None:
        """`prompts`: the prompts by engine. If a prompt asks for a translation, only the numbers are compared."""
        self._settings = settings
        self._reader = reader
        self._translating = {engine for engine, prompt in (prompts or {}).items() if translates(prompt)}

    @property
    def samples(self) -> bool:
        return self._settings.sample > 0 and self._reader is not None

    def chosen(self, content_hash: str) -> bool:
        """Returns whether the page is in the sample."""
        lot = int(content_hash[:_LOT_DIGITS] or "0", 16) / 16**_LOT_DIGITS
        return lot < self._settings.sample

    def verify(self, page: Page, answer: PageText, *, sampled: bool) -> VerificationResult | None:
        """Verifies an answer, on the PDFium thread. Returns None if nothing can be compared. A text layer takes 1 to 3 ms, lines
        take 0.16 s."""
        try:
            found = None
            if self._settings.text_layer:
                found = self._against_text(page, answer)
            if found is None and sampled:
                found = self._at_lines(page, answer)
        except Exception as error:  # the paid answer is kept after any failure (a model, memory, an image)
            log.debug("Verification of page %d failed: %s", page.page_number, error)
            return None
        return found

    def _against_text(self, page: Page, answer: PageText) -> VerificationResult | None:
        """Compares the answer with the page's raw text if that is sufficient, otherwise with its text layer, which takes 5 to 40
        times as long."""
        if not page.has_filled_annotations:
            text = page.raw_text
            shown = Reading(text)
            if not shown.may_suffice():
                return None
            if answer.engine not in self._translating and script_of_most(text) == script_of_most(answer.text):
                agreement = compare(Reading(answer.text), shown)
                if agreement.extent < _WHOLE and page.has_text_over_scan():
                    return None  # a stamp is not evidence about the rest of the page
                if (found := self._at_a_glance(page, agreement)) is not None:
                    return found
        return self._at_layer(page.text_layer(), answer)

    def _at_a_glance(self, page: Page, agreement: Agreement) -> VerificationResult | None:
        """Accepts an answer that agrees with the page's raw text. Invisible text counts only if the agreement is nearly complete.
        Never returns suspect."""
        if page.image_share > _PICTURES and agreement.extent < _WHOLE:
            agreement = agreement.of_a_part()  # the images contain words, too
        value = agreement.value()
        if value is None or agreement.low(self._settings.floor):
            return None
        if agreement.low(_BEYOND_DOUBT) and not page.shows_raw_text():
            return None
        return VerificationResult(agreement=round(value, 3), suspect=False, against="textlayer")

    def _at_layer(self, layer: TextLayer, answer: PageText) -> VerificationResult | None:
        verdict, over_scan = layer.verdict, layer.is_over_scan
        if verdict.kind in ("none", "partial") or (verdict.kind == "bad" and not over_scan):
            return None  # the glyphs of the font differ from its text, so no reading agrees with the text
        text = layer.text
        same_script = script_of_most(text) == script_of_most(answer.text)
        translated = answer.engine in self._translating or not same_script
        if over_scan and translated:
            return None  # OCR layers have too many wrong numbers
        agreement = measure(answer.text, text)
        if layer.image_share > _PICTURES and agreement.extent < _WHOLE:
            agreement = agreement.of_a_part()  # the images contain words, too
        if over_scan:
            agreement = replace(agreement, numbers=None)
        value = agreement.value(translated=translated)
        if value is None:
            return None
        floor = self._settings.floor * (1.0 if verdict.trusted else _OLD_OCR)
        return VerificationResult(
            agreement=round(value, 3), suspect=agreement.low(floor, translated=translated), against="textlayer"
        )

    def _at_lines(self, page: Page, answer: PageText) -> VerificationResult | None:
        if self._reader is None or answer.engine in self._translating or not self._reader.knows(script_of_most(answer.text)):
            return None
        value = share_found(self._reader.read(page), answer.text)
        if value is None:
            return None
        return VerificationResult(agreement=round(value, 3), suspect=value < self._settings.floor, against=self._reader.name)


def translates(prompt: str) -> bool:
    """Returns whether a prompt asks for a translation. A prompt that forbids translation contains the word, too."""
    text = prompt.lower()
    for word in _NOT:
        text = text.replace(f"{word} translat", "")
    return any(word in text for word in _TRANSLATING)
