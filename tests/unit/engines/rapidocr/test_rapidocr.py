"""Reads small pages with the real models: about a second each."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import SequenceMatcher
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from rayocr.engines.answers.checks import check_answer
from rayocr.engines.layout.quads import levelled, skew_deg, turned
from rayocr.engines.rapidocr.engine import RapidOcrEngine
from rayocr.engines.rapidocr.image import with_contrast, with_margin
from rayocr.engines.rapidocr.recognizer.decoding import LineReading
from rayocr.engines.rapidocr.text import with_spaces
from rayocr.errors import Unreadable
from tests.unit.engines.local_pages import SENTENCES, DrawnPage, letters


@pytest.fixture(scope="module")
def engine() -> Iterator[RapidOcrEngine]:
    opened = RapidOcrEngine()
    opened.open()
    yield opened
    opened.close()


def find_fonts(package: str) -> Path:
    spec = find_spec(package)
    assert spec is not None and spec.origin is not None
    return Path(spec.origin).parent


def likeness(text: str) -> float:
    return SequenceMatcher(None, letters(text), letters("".join(SENTENCES)), autojunk=False).ratio()


@pytest.mark.parametrize("turn_deg", [0, 90, 180, 270])
def test_a_page_is_read_however_it_lies(engine: RapidOcrEngine, turn_deg: int) -> None:
    answer = engine.recognize(DrawnPage(turn_deg=turn_deg))  # type: ignore[arg-type]
    assert likeness(answer.text) > 0.97
    assert answer.confidence is not None and answer.confidence > 0.9


def test_the_model_says_whether_tesseract_read_lines_of_the_page(engine: RapidOcrEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    def by_tesseract(upright: Any, quads: Any, read: list[LineReading], aspects: list[float]) -> Any:
        return [LineReading("महाराष्ट्र शासन", 0.95, 0.0), *read[1:]], ()

    page: Any = DrawnPage()
    assert engine.recognize(page).model == engine.model
    assert engine._models is not None
    monkeypatch.setattr(engine._models.unknown, "read", by_tesseract)
    answer = engine.recognize(page)
    assert (answer.engine, answer.model) == ("rapidocr", engine.model + "+tesseract")


def test_boxes_are_where_the_page_shows_its_text(engine: RapidOcrEngine) -> None:
    upright = engine.recognize(DrawnPage()).boxes  # type: ignore[arg-type]
    sideways = engine.recognize(DrawnPage(turn_deg=90)).boxes  # type: ignore[arg-type]
    assert upright is not None and sideways is not None
    first = next(box for box in upright if "fox" in box.text)
    turned_first = next(box for box in sideways if "fox" in box.text)
    assert first.x0 == pytest.approx(20, abs=4) and 10 < first.y0 < first.y1 < 40
    # On a page turned counter-clockwise, the first line runs up along the left edge: x is the former y, and y counts from the far
    # side.
    assert turned_first.x0 == pytest.approx(first.y0, abs=4)
    assert turned_first.y1 == pytest.approx(360 - first.x0, abs=4)
    assert turned_first.y1 - turned_first.y0 > 5 * (turned_first.x1 - turned_first.x0)


def test_a_page_without_text_is_an_empty_answer_and_not_a_message(engine: RapidOcrEngine) -> None:
    answer = engine.recognize(DrawnPage(sentences=()))  # type: ignore[arg-type]
    assert (answer.text, answer.confidence, answer.boxes) == ("", None, ())


def test_text_that_runs_up_along_the_margin_is_read(engine: RapidOcrEngine) -> None:
    page = DrawnPage()
    note = DrawnPage(sentences=("archive 1758 v2 16 October",), turn_deg=90)

    def render(*, dpi: int = 200, grayscale: bool = False) -> Any:
        body, side = page.render(dpi=dpi), note.render(dpi=dpi)
        strip = side.image.crop((0, 0, round(45 * side.scale), side.image.height))
        sheet = Image.new("RGB", (strip.width + body.image.width, strip.height), "white")
        sheet.paste(strip, (0, 0))
        sheet.paste(body.image, (strip.width, 0))
        return SimpleNamespace(image=sheet.convert("L"), scale=body.scale)

    answer = engine.recognize(
        SimpleNamespace(render=render, page_number=1, fields=(), drawn_marks=(), detail_dpi=0.0, may_have_color=False)
    )  # type: ignore[arg-type]
    assert "archive 1758 v2 16 October" in answer.text
    assert answer.text.index("judge my vow") < answer.text.index("archive")


def test_a_script_that_the_model_does_not_know_lowers_the_confidence(engine: RapidOcrEngine) -> None:
    """For Cyrillic, the model returns spaces and full stops with scores above .9."""
    font = ImageFont.truetype(find_fonts("manimgx_fonts") / "NotoSans[wght].ttf", 40)
    sheet = Image.new("RGB", (1000, 300), "white")
    lines = ("Городской совет принял решение.", "Библиотека открыта ежедневно,", "кроме воскресенья и праздников.")
    for number, text in enumerate(lines):
        ImageDraw.Draw(sheet).text((40, 20 + 80 * number), text, fill="black", font=font)
    drawn = SimpleNamespace(
        render=lambda **_: SimpleNamespace(image=sheet.convert("L"), scale=200 / 72),
        page_number=1,
        fields=(),
        drawn_marks=(),
        detail_dpi=0.0,
        may_have_color=False,
    )
    answer = engine.recognize(drawn)  # type: ignore[arg-type]
    assert answer.text == "" or (answer.confidence or 0) < 0.5
    with pytest.raises(Unreadable):
        check_answer(answer, ink_coverage=lambda: 1.0)


def test_a_page_of_a_twelfth_of_full_contrast_is_stretched_and_read(engine: RapidOcrEngine) -> None:
    def render(**_: object) -> Any:
        drawn = DrawnPage().render(dpi=200)
        return SimpleNamespace(image=drawn.image.convert("L").point(lambda value: 140 + value * 20 // 255), scale=drawn.scale)

    page: Any = SimpleNamespace(render=render, page_number=1, fields=(), drawn_marks=(), detail_dpi=0.0, may_have_color=False)
    assert likeness(engine.recognize(page).text) > 0.97


@pytest.mark.parametrize(("ink", "paper"), [(0, 255), (90, 200), (250, 255)])
def test_pages_of_ordinary_contrast_and_blank_ones_are_left_as_they_are(ink: int, paper: int) -> None:
    import numpy as np

    image = np.full((400, 300), paper, np.uint8)
    image[100:110, 50:250] = ink
    assert with_contrast(image) is image


def test_the_model_is_named_with_its_version() -> None:
    assert RapidOcrEngine().model.startswith("PP-OCRv")
    assert "/rapidocr-" in RapidOcrEngine().model


def test_opening_twice_and_closing_twice_is_harmless(engine: RapidOcrEngine) -> None:
    engine.open()
    another = RapidOcrEngine()
    another.close()
    another.close()
    assert likeness(engine.recognize(DrawnPage()).text) > 0.97  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("read", "meant"),
    [
        ("from project architect,project engineer", "from project architect, project engineer"),
        ("at the end.The next", "at the end. The next"),
        ("12,345.67", "12,345.67"),
        ("help@office.example,com", "help@office.example,com"),
        ("www.example.org", "www.example.org"),
        ("U.S.A and e.g.this", "U.S.A and e.g.this"),
    ],
)
def test_blanks_dropped_after_punctuation_come_back(read: str, meant: str) -> None:
    assert with_spaces(read) == meant


@pytest.mark.parametrize("quarter_turns", [0, 1, 2, 3])
def test_turning_boxes_there_and_back_changes_nothing(quarter_turns: int) -> None:
    import numpy as np

    quads = np.array([[[10, 20], [110, 25], [109, 45], [9, 40]]], np.float32)
    width, height = 300.0, 200.0
    there = turned(quads, quarter_turns, width, height)
    across = (height, width) if quarter_turns % 2 else (width, height)
    assert np.allclose(turned(there, -quarter_turns, *across), quads)


def test_a_skewed_page_is_levelled() -> None:
    import numpy as np

    quads = np.array([[[100, 100 + y], [500, 114 + y], [499, 134 + y], [99, 120 + y]] for y in (0, 50, 100)], np.float32)
    skew = skew_deg(quads)
    assert skew == pytest.approx(2.0, abs=0.1)
    level = levelled(quads, skew, 800, 600)
    assert np.allclose(level[:, 3] - level[:, 1], 20, atol=0.5)
    assert np.allclose(np.diff(level[:, 0]), level[1, 0] - level[0, 0], atol=0.1)


def test_lines_for_tesseract_are_cut_out_with_a_margin_above_and_below() -> None:
    quad = np.array([(10, 20), (110, 20), (110, 45), (10, 45)], np.float32)
    assert with_margin(quad).tolist() == [[10, 17], [110, 17], [110, 48], [10, 48]]
