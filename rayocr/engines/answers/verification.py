"""A second look at what a server said of a page: does it agree with the page's own text, or with a few lines read here?

Models invent text, and nothing in their answer shows it. A text layer is compared on every page that has one; of other pages a
sample is looked at, chosen by the page's content so that every run chooses the same. What agrees too little is `suspect`: its
text stays, and people are told to look. Never raises: a look that fails says nothing about the page.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

from rayocr.config import DoubtConfig
from rayocr.engines.answers.agreement import measure, script_of_most, share_found
from rayocr.messages import PageText

if TYPE_CHECKING:
    from rayocr.pdf.page import Page
    from rayocr.pdf.textlayer.layer import TextLayer

log = logging.getLogger(__name__)

_PICTURES = 0.1  # of the page under images: a layer that has fewer words than the answer may have left out those in them
_WHOLE = 0.7
_BEYOND_DOUBT = 0.9  # of the words agree, and of the numbers about half, as in `Agreement.low`
_OLD_OCR = 0.4  # factor on the floor: an old OCR layer that cannot be trusted still has most words nearly right
_TRANSLATING = ("translat", "übersetz", "tradu", "перевод", "перевед", "अनुवाद", "भाषांतर", "翻译", "翻訳", "번역", "ترجم")
_NOT = ("not", "don't", "without", "no", "never")
_LOT_DIGITS = 8  # hexadecimal ones of the content hash


@dataclass(frozen=True, slots=True, kw_only=True)
class VerificationResult:
    """`agreement`: 0..1."""

    agreement: float
    suspect: bool
    against: str  # textlayer, or the engine that read some lines


class LineReader(Protocol):
    """Reads a few lines of a page, cheaply."""

    name: str

    def read(self, page: Page) -> list[str]:
        """Those that it is sure of. May raise anything."""

    def knows(self, script: str) -> bool:
        """`script`: as `script_of_most` calls it."""


class Verifier:
    def __init__(self, settings: DoubtConfig, reader: LineReader | None, *, prompts: Mapping[str, str] | None = None) -> None:
        """`prompts`: by engine; those that ask for a translation leave the numbers to compare."""
        self._settings = settings
        self._reader = reader
        self._translating = {engine for engine, prompt in (prompts or {}).items() if translates(prompt)}

    @property
    def samples(self) -> bool:
        return self._settings.sample > 0 and self._reader is not None

    def chosen(self, content_hash: str) -> bool:
        """Whether the page is of the sample."""
        lot = int(content_hash[:_LOT_DIGITS] or "0", 16) / 16**_LOT_DIGITS
        return lot < self._settings.sample

    def look(self, page: Page, answer: PageText, *, sampled: bool) -> VerificationResult | None:
        """On the PDFium thread; None where nothing can be said. A text layer costs 1 to 3 ms, lines 0.16 s."""
        try:
            found = None
            if self._settings.text_layer:
                found = self._at_a_glance(page, answer) or self._at_layer(page.text_layer(), answer)
            if found is None and sampled:
                found = self._at_lines(page, answer)
        except Exception as error:  # whatever it trips over (a model, memory, a picture): the answer is paid for, and stands
            log.debug("A second look at page %d failed: %s", page.page_number, error)
            return None
        return found

    def _at_a_glance(self, page: Page, answer: PageText) -> VerificationResult | None:
        """For an answer that agrees with the page's raw text beyond doubt; of all others `_at_layer` knows more, at ten times the
        cost. Never says that a page is suspect."""
        if answer.engine in self._translating or page.has_filled_annotations:
            return None
        text = page.raw_text
        if script_of_most(text) != script_of_most(answer.text):
            return None
        agreement = measure(answer.text, text)
        value = agreement.value()
        if value is None or value < _BEYOND_DOUBT or agreement.low(_BEYOND_DOUBT):
            return None
        return VerificationResult(agreement=round(value, 3), suspect=False, against="textlayer")

    def _at_layer(self, layer: TextLayer, answer: PageText) -> VerificationResult | None:
        verdict, over_scan = layer.verdict, layer.is_over_scan
        if verdict.kind in ("none", "partial") or (verdict.kind == "bad" and not over_scan):
            return None  # a font that draws other letters than it names agrees with nobody
        text = layer.text
        same_script = script_of_most(text) == script_of_most(answer.text)
        translated = answer.engine in self._translating or not same_script
        if over_scan and translated:
            return None  # of an OCR layer's numbers too many are wrong
        agreement = measure(answer.text, text)
        if layer.image_share > _PICTURES and agreement.extent < _WHOLE:
            agreement = agreement.of_a_part()  # there are words in the pictures, too
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
    """Whether a prompt asks for a translation. One that says not to translate names the word, too."""
    text = prompt.lower()
    for word in _NOT:
        text = text.replace(f"{word} translat", "")
    return any(word in text for word in _TRANSLATING)
