"""Checks one page: rayocr's text, pdftotext's text, and the ink. Runs in a child process; see `files`."""

from __future__ import annotations

import base64
import html
import io
import re
import time
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from rayocr.engines.base import Engine
from rayocr.engines.registry import parse_chain, stages
from rayocr.engines.stages import ComputeStage, PageProgress
from rayocr.engines.textlayer import TextLayerEngine
from rayocr.pdf.line_boxes import DETECTION_DPI, line_boxes

if TYPE_CHECKING:
    from rayocr.pdf.geometry import Box
    from rayocr.pdf.page import Page

_TEXT_CHARS = 6_000  # length of each text in the report
_PICTURE_DPI = 72
_MARK_COLORS = {"uncovered": (220, 0, 0), "inkless": (0, 90, 220)}
_MAX_MARKS = 400
_GOOD_F1 = 0.95  # the report shows no picture of a page with a higher F1 whose ink is covered
_COVERED = 0.3  # share of a line of ink that a word must cover
_STROKE = 25  # contrast between neighboring pixels at a stroke, of 255
_MAX_NUMBERS = 40  # maximum number of differences per page in the report
_WORD = re.compile(r"\w+")
_NUMBER = re.compile(r"\d+")
_MARKUP = re.compile(r"</?(?:br|sup|sub|table|thead|tbody|tr|td|th)[ /]*>|^\|[ :|-]+\|$|\[[x ]\]", re.MULTILINE)
_ESCAPED = re.compile(r"\\([!-/:-@\[-`{-~])")
_EXPONENT = re.compile("(?<=[\\d.,])(?=[⁰¹²³⁴⁵⁶⁷⁸⁹₀₁₂₃₄₅₆₇₈₉])")  # the next digits belong to another number
_DIRECTIONS = re.compile("[\u200e\u200f\u202a-\u202e\u2066-\u2069]")


@dataclass(slots=True, kw_only=True)
class PageCheck:
    """The result for one page. Shares are 0..1. `f1`: word F1 of rayocr's text against pdftotext's; None without pdftotext, or
    where neither has a word. `uncovered`: share of the page's lines of ink that no word of rayocr covers. `inkless`: share of
    rayocr's lines without ink. `lost_numbers` and `added_numbers`: runs of digits that only pdftotext or only rayocr has, with
    repetitions."""

    file: str
    page: int
    verdict: str = ""
    reason: str = ""
    outcome: str = ""
    engine: str = ""
    doubts: list[str] = field(default_factory=list)
    f1: float | None = None
    words: int = 0
    other_words: int = 0
    ink_lines: int = 0
    uncovered: float = 0.0
    inkless: float = 0.0
    lost_numbers: list[str] = field(default_factory=list)
    added_numbers: list[str] = field(default_factory=list)
    ms: float = 0.0
    error: str = ""
    ours: str = ""
    theirs: str = ""
    picture: str = ""  # JPEG, base64

    def as_row(self) -> dict[str, Any]:
        return asdict(self)


class Reader:
    """Reads pages with a local chain."""

    def __init__(self, chain: Sequence[str]) -> None:
        engines: list[Engine | None] = []
        links = parse_chain(chain)
        for link in links:
            engines.append(_engine(link.name))
        self._stage = ComputeStage(stages(links)[0], engines)

    def check(self, page: Page, name: str, other: str | None) -> PageCheck:
        check = PageCheck(file=name, page=page.page_number)
        started = time.perf_counter()
        layer = page.text_layer()
        check.verdict, check.reason = layer.verdict.kind, layer.verdict.reason
        record = self._stage.recognize(page, PageProgress(name, page.page_number, is_last_stage=True), first_engine=0)
        check.ms = (time.perf_counter() - started) * 1000
        check.outcome, check.engine, check.doubts = str(record.outcome), record.engine, list(record.doubts)
        text = record.text or layer.text  # unread pages are compared, too
        boxes = _boxes(page, record.boxes)
        marks = _compare_with_ink(check, page, boxes)
        plain = plain_text(text)
        ours = words_of(plain)
        check.words = len(ours)
        if other is not None:
            theirs = words_of(other)
            check.other_words = len(theirs)
            check.f1 = word_f1(ours, theirs)
            check.lost_numbers, check.added_numbers = number_differences(plain, other)
            check.theirs = other[:_TEXT_CHARS]
        check.ours = text[:_TEXT_CHARS]
        if (check.f1 is not None and check.f1 < _GOOD_F1) or marks or check.lost_numbers or check.added_numbers:
            check.picture = _picture(page, marks)
        return check


def plain_text(markdown: str) -> str:
    """Returns the text without tags, escapes, separators of tables, and check boxes."""
    return _EXPONENT.sub(" ", _ESCAPED.sub(r"\1", html.unescape(_MARKUP.sub(" ", markdown))))


def words_of(text: str) -> list[str]:
    """Returns words as a bag of letters and digits: ligatures, shaped letters and hyphens at line ends make no difference."""
    plain = unicodedata.normalize("NFKC", _DIRECTIONS.sub(" ", text.replace("\u00ad", "-")))
    plain = re.sub(r"(?<=\w)[-\u2010]\s*\n\s*(?=\w)", "", plain)
    plain = "".join(char for char in plain if unicodedata.category(char) not in ("Cf", "Mn"))
    words: list[str] = []
    for word in _WORD.findall(plain.casefold()):
        # Chinese and Japanese have no spaces: every character counts.
        words += list(word) if any("\u3040" <= char <= "\u9fff" for char in word) else [word]
    return words


def word_f1(ours: Sequence[str], theirs: Sequence[str]) -> float | None:
    if not ours and not theirs:
        return None
    common = sum((Counter(ours) & Counter(theirs)).values())
    return 2 * common / (len(ours) + len(theirs))


def number_differences(ours: str, theirs: str) -> tuple[list[str], list[str]]:
    """Returns runs of digits that only `theirs` has, and those that only `ours` has. Digits of all scripts become ASCII."""
    one, other = (
        Counter(
            str(int(digits)) if len(digits) < 19 else digits for digits in _NUMBER.findall(unicodedata.normalize("NFKC", text))
        )
        for text in (ours, theirs)
    )
    return sorted((other - one).elements())[:_MAX_NUMBERS], sorted((one - other).elements())[:_MAX_NUMBERS]


def _engine(name: str) -> Engine | None:
    if name == "textlayer":
        return TextLayerEngine()
    if name == "rapidocr":
        from rayocr.engines.rapidocr.engine import RapidOcrEngine

        return RapidOcrEngine()
    from rayocr.engines.tesseract.engine import TesseractEngine

    return TesseractEngine()


def _boxes(page: Page, packed: str) -> list[Box]:
    """Returns the boxes of all of rayocr's lines, in points of the displayed page."""
    from rayocr.ledger.boxes import unpack_boxes
    from rayocr.pdf.geometry import turn_box

    layer = page.text_layer()
    found = [(box.x0, box.y0, box.x1, box.y1) for box in unpack_boxes(packed)] if packed else []
    if layer.verdict.kind in ("trusted", "partial") or not packed:
        size = (layer.width_pt, layer.height_pt)
        found += [turn_box((line.x0, line.y0, line.x1, line.y1), -layer.turns, size) for line in layer.lines]
    return found


def _compare_with_ink(check: PageCheck, page: Page, boxes: Sequence[Box]) -> list[tuple[str, Box]]:
    """Returns boxes on the displayed page, in points, each with its problem: `uncovered` ink, or an `inkless` line."""
    if not (page.width_pt > 0 and page.height_pt > 0):
        return []
    image = page.thumbnail(DETECTION_DPI)
    pixels = np.asarray(image.convert("L"))
    height, width = pixels.shape
    scale = width / page.width_pt
    covered = np.zeros(pixels.shape, bool)
    marks: list[tuple[str, Box]] = []
    for x0, y0, x1, y1 in boxes:
        left, top = max(0, int(x0 * scale) - 1), max(0, int(y0 * scale) - 1)
        right, bottom = min(width, int(x1 * scale) + 2), min(height, int(y1 * scale) + 2)
        inside = pixels[top:bottom, left:right]
        if inside.size == 0 or int(inside.max()) - int(inside.min()) < _STROKE:
            marks.append(("inkless", (x0, y0, x1, y1)))
        covered[top:bottom, left:right] = True
    lines = [box for box in line_boxes(image, scale * 72) if box[2] > 2 * box[3]]
    inkless = len(marks)
    for x, y, w, h in lines:
        if covered[y : y + h, x : x + w].mean() < _COVERED:
            marks.append(("uncovered", (x / scale, y / scale, (x + w) / scale, (y + h) / scale)))
    check.ink_lines = len(lines)
    check.uncovered = (len(marks) - inkless) / len(lines) if lines else 0.0
    check.inkless = inkless / len(boxes) if boxes else 0.0
    return marks


def _picture(page: Page, marks: Sequence[tuple[str, Box]]) -> str:
    """Returns the page with a frame around each mark, as a JPEG in base64."""
    from PIL import ImageDraw

    image = page.thumbnail(_PICTURE_DPI).convert("RGB")
    scale = image.width / page.width_pt
    draw = ImageDraw.Draw(image)
    for what, (x0, y0, x1, y1) in marks[:_MAX_MARKS]:
        low, high = (min(x0, x1) * scale - 2, min(y0, y1) * scale - 2), (max(x0, x1) * scale + 2, max(y0, y1) * scale + 2)
        draw.rectangle((low, high), outline=_MARK_COLORS[what])
    data = io.BytesIO()
    image.save(data, format="jpeg", quality=60)
    return base64.b64encode(data.getvalue()).decode()
