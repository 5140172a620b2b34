"""Receipts, panoramas and columns, drawn and read with the real models."""

from __future__ import annotations

import re
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from rayocr.engines.rapidocr.engine import RapidOcrEngine
from rayocr.engines.rapidocr.finding.missed_lines import missed_lines
from rayocr.pdf.document import PdfFile
from tests.unit.engines.local_pages import SENTENCES, DrawnPage
from tests.unit.engines.rapidocr.test_rapidocr import find_fonts
from tests.unit.pdf import pdfs

_SCALE = 200 / 72
_COLUMNS = ("春の朝に川を渡る人がいた", "古い橋の上で少し休んだ", "水の音だけが聞こえていた")


@pytest.fixture(scope="module")
def engine() -> Iterator[RapidOcrEngine]:
    opened = RapidOcrEngine()
    opened.open()
    yield opened
    opened.close()


def page_of(image: Image.Image, scale: float = _SCALE) -> Any:
    rendering = SimpleNamespace(image=image.convert("L"), scale=scale)
    return SimpleNamespace(
        render=lambda **_: rendering, page_number=1, fields=(), drawn_marks=(), detail_dpi=0.0, may_have_color=False
    )


@pytest.mark.parametrize("length_mm", [1600, 3000])
def test_every_item_of_a_long_receipt_is_read_once(engine: RapidOcrEngine, length_mm: int) -> None:
    height = min(round(length_mm / 25.4 * 200), 20_000)
    scale = height / (length_mm / 25.4 * 72)
    sheet = Image.new("L", (round(80 / 25.4 * 72 * scale), height), "white")
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(size=9 * scale)
    count = 90
    for number in range(count):
        top = 40 + number * (height - 120) // count
        draw.text((30, top), f"{number + 101} Green soap", fill="black", font=font)
        draw.text((sheet.width - 130, top), f"{number}.95", fill="black", font=font)
    text = engine.recognize(page_of(sheet, scale)).text
    assert re.findall(r"\b\d{3}\b(?= Green)", text) == [str(number + 101) for number in range(count)]
    assert re.findall(r"\b\d+\.95\b", text) == [f"{number}.95" for number in range(count)]


@pytest.mark.parametrize("lines", [90, 150])
def test_a_screenshot_of_many_screens_on_a_sheet_of_a4_is_read_at_its_own_resolution(engine: RapidOcrEngine, lines: int) -> None:
    """At 200 dpi its letters have 4 to 8 pixels. A heading alone, or half of the words, was the whole confident answer."""
    pixels = Image.new("L", (800, 28 * lines + 200), "white")
    draw = ImageDraw.Draw(pixels)
    draw.text((30, 20), "Release notes", fill="black", font=ImageFont.load_default(size=44))
    for number in range(lines):
        draw.text((30, 120 + 28 * number), f"Entry {number + 101} repairs the garden gate", fill=20, font_size=17)
    width_pt = 842 * pixels.width // pixels.height
    entries = f"/Width {pixels.width} /Height {pixels.height} /ColorSpace /DeviceGray /BitsPerComponent 8"
    box, placed = f"[0 0 {width_pt} 842]", f"{width_pt} 0 0 842 0 0"
    data = pdfs.image_page(entries, pixels.convert("L").tobytes(), placed=placed, media_box=box)
    with PdfFile(data, max_pixels=20_000_000) as file, file.page(1) as page:
        text = engine.recognize(page).text
    found = re.findall(r"Entry (\d+) repairs the garden gate", text)
    assert text.startswith("# Release notes")
    assert len(found) > 0.9 * lines and found == sorted(found)


def test_a_line_as_wide_as_a_panorama_is_read_whole_and_once(engine: RapidOcrEngine) -> None:
    words = [f"station {number}" for number in range(1, 61)]
    font = ImageFont.load_default(size=11 * _SCALE)
    line = ", ".join(words)
    sheet = Image.new("L", (round(font.getlength(line)) + 200, 500), "white")
    ImageDraw.Draw(sheet).text((100, 200), line, fill="black", font=font)
    answer = engine.recognize(page_of(sheet))
    assert re.findall(r"\d+", answer.text) == [str(number) for number in range(1, 61)]


def drawn_columns() -> Image.Image:
    """A heading over the whole width, and three columns from right to left."""
    sheet = Image.new("L", (900, 1100), "white")
    draw = ImageDraw.Draw(sheet)
    font = ImageFont.truetype(sorted(find_fonts("manimgx_fonts_cjk").glob("*.[ot]t[fc]"))[0], 48)
    draw.text((200, 60), "公園案内図", fill="black", font=font)
    for column, text in enumerate(_COLUMNS):
        for row, sign in enumerate(text):
            draw.text((680 - 160 * column, 220 + 62 * row), sign, fill="black", font=font)
    return sheet


def test_columns_are_read_from_the_right_after_the_heading_above_them(engine: RapidOcrEngine) -> None:
    text = engine.recognize(page_of(drawn_columns())).text
    places = [text.find(part) for part in ("公園案内図", *_COLUMNS)]
    assert -1 not in places and places == sorted(places)


def test_a_sheet_with_level_japanese_lines_that_lies_on_its_side_is_not_a_page_of_columns(engine: RapidOcrEngine) -> None:
    sheet = Image.new("L", (1100, 700), "white")
    font = ImageFont.truetype(sorted(find_fonts("manimgx_fonts_cjk").glob("*.[ot]t[fc]"))[0], 48)
    for row, text in enumerate(_COLUMNS):
        ImageDraw.Draw(sheet).text((100, 100 + 150 * row), text, fill="black", font=font)
    for turn_deg in (90, 270):
        read = engine.recognize(page_of(sheet.rotate(turn_deg, expand=True))).text
        places = [read.find(text) for text in _COLUMNS]
        assert -1 not in places and places == sorted(places)


def test_print_without_a_box_is_missed_and_print_with_one_is_not() -> None:
    rendering = DrawnPage().render(dpi=200, grayscale=True)
    gray = np.asarray(rendering.image)
    assert len(missed_lines(gray, [], dpi=200)) == len(SENTENCES)
    everything = np.array([[(0, 0), (gray.shape[1], 0), (gray.shape[1], gray.shape[0]), (0, gray.shape[0])]], np.float32)
    assert missed_lines(gray, everything, dpi=200) == []


def test_half_a_line_of_small_print_is_missed_and_half_an_ordinary_line_is_not() -> None:
    """A form field beside its label covers half a line. Boxes of small print may be fragments."""
    gray = np.asarray(DrawnPage().render(dpi=200, grayscale=True).image)
    lines = missed_lines(gray, [], dpi=200)
    halves = [[(x0, y0), (x := x0 + 0.45 * (x1 - x0), y0), (x, y1), (x0, y1)] for x0, y0, x1, y1 in lines]
    assert missed_lines(gray, np.array(halves, np.float32), dpi=200, with_fragments=True) == []
    tall = [[(0, 0), (4, 0), (4, 150), (0, 150)]] * 2 * len(lines)
    boxes = np.array(halves + tall, np.float32)
    assert len(missed_lines(gray, boxes, dpi=200, with_fragments=True)) == len(lines)
    assert missed_lines(gray, boxes, dpi=200) == [], "it does not lower the confidence"


def test_rulings_boxes_and_shades_are_not_missed_print() -> None:
    sheet = Image.new("L", (1600, 1000), "white")
    draw = ImageDraw.Draw(sheet)
    draw.rectangle((100, 100, 1400, 160), outline="black", width=3)
    draw.line((100, 300, 1500, 300), fill="black", width=4)
    draw.rectangle((100, 500, 1400, 560), fill=90)
    for dash in range(60):
        draw.line((100 + 24 * dash, 700, 112 + 24 * dash, 700), fill="black", width=3)
    assert missed_lines(np.asarray(sheet), [], dpi=200) == []


def test_a_page_half_of_whose_print_has_no_box_is_not_a_confident_answer(
    engine: RapidOcrEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = engine.recognize(DrawnPage())  # type: ignore[arg-type]
    models = engine._models
    assert models is not None and (whole.confidence or 0) > 0.9

    detect = models._detect

    def half(image: Any) -> Any:
        boxes, scores = detect(image)
        upper = boxes[:, :, 1].max(axis=1) < image.shape[0] / 2
        return boxes[upper], scores[upper]

    monkeypatch.setattr(models, "_detect", half)
    assert (engine.recognize(DrawnPage()).confidence or 0) < 0.7  # type: ignore[arg-type]
