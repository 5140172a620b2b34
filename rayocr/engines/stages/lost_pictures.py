"""Handles pictures of a page that could not be drawn for an engine."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from rayocr.errors import (
    PictureUndecodable,
)
from rayocr.messages import PICTURE_LOST, PageText

if TYPE_CHECKING:
    from rayocr.pdf.page import Page

_MOSTLY_LOST = 0.5  # share of the page under undecodable pictures; above it, the remaining text does not represent the page


def without_lost_pictures(page: Page, answer: PageText) -> PageText:
    """Adds a doubt to the answer if a picture of the page could not be drawn for the engine. Raises PictureUndecodable if that
    picture is most of the page."""
    lost = page.undecodable_share
    if lost >= _MOSTLY_LOST and answer.engine != "textlayer":
        raise PictureUndecodable(f"Pictures that cannot be decoded cover {lost:.0%} of page {page.page_number}.")
    lost = lost or (answer.engine != "textlayer" and page.cut_off_share)
    return replace(answer, doubts=(*answer.doubts, PICTURE_LOST)) if lost else answer
