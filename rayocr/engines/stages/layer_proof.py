"""Checks an invisible text layer by OCR of a few lines, if it has too few gaps between words to compare it with the scan."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING

from rayocr.engines.answers.agreement import script_of_most, share_found
from rayocr.engines.answers.verification import LineReader
from rayocr.errors import NoTextLayer
from rayocr.messages import SUSPECT, PageText

if TYPE_CHECKING:
    from rayocr.pdf.page import Page

log = logging.getLogger(__name__)

_AGREES = 0.3  # share of the words or pairs of Chinese characters; text of another page has a tenth


def proven(page: Page, answer: PageText, reader: LineReader | None) -> PageText:
    """Returns the answer of the engine textlayer, with the doubt `suspect` if it cannot be confirmed. Takes 0.16 s on pages
    without enough gaps between words, and no time on others. Raises NoTextLayer if the scan differs."""
    layer = page.text_layer()
    if not layer.is_reading or layer.is_proven:
        return answer
    share = None
    if reader is not None and reader.knows(script_of_most(answer.text)):
        try:
            share = share_found(reader.read(page), answer.text)
        except Exception as error:  # any failure (a model, memory, an image) leaves the layer unproven
            log.debug("Lines of page %d cannot be read: %s", page.page_number, error)
    if share is None:
        return replace(answer, doubts=(*answer.doubts, SUSPECT))
    if share < _AGREES:
        raise NoTextLayer("The page's invisible text differs from its scan; engine=local reads such pages with OCR.")
    return answer
