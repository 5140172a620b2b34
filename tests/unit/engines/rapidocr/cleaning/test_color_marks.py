"""Colored stamps and signatures over print."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageChops, ImageDraw, ImageFont

from rayocr.engines.rapidocr.cleaning.color_marks import find_color_marks, with_mark_text
from rayocr.messages import PageText, TextBox

SIZE = (800, 600)  # at 100 dpi
RED, BLUE = (200, 20, 20), (30, 40, 170)


def print_of(rows: int) -> Image.Image:
    image = Image.new("RGB", SIZE, "white")
    for row in range(rows):
        ImageDraw.Draw(image).text(
            (60, 40 + 30 * row), "Account 2085899209, reference 3545-794 of 14.08.2017", "black", ImageFont.load_default(size=16)
        )
    return image


def stamped(image: Image.Image, color: tuple[int, int, int]) -> Image.Image:
    stamp = Image.new("RGB", SIZE, "white")
    pen = ImageDraw.Draw(stamp)
    pen.rectangle((150, 90, 420, 180), outline=color, width=6)
    pen.text((170, 100), "PAID", color, ImageFont.load_default(size=60))
    return ImageChops.multiply(image, stamp)


def page_of(image: Image.Image, **other: Any) -> Any:
    small = image.resize((600, 450), Image.Resampling.BOX)
    kept = {
        "may_have_color": True,
        "thumbnail": lambda dpi, grayscale: small,
        "render": lambda dpi, grayscale: SimpleNamespace(image=image),
    }
    return SimpleNamespace(**(kept | other))


def gray(image: Image.Image) -> Any:
    return np.asarray(image.convert("L"))


@pytest.mark.parametrize("color", [RED, BLUE])
def test_print_under_a_stamp_stays_and_the_stamp_becomes_paper(color: tuple[int, int, int]) -> None:
    clear, image = print_of(12), stamped(print_of(12), color)
    marks = find_color_marks(page_of(image), gray(image), dpi=100)
    assert marks is not None
    assert np.abs(marks.cleaned.astype(int) - gray(clear)).mean() < 1.5
    assert np.abs(marks.alone.astype(int) - gray(stamped(Image.new("RGB", SIZE, "white"), (0, 0, 0)))).mean() < 4


def test_mark_that_crosses_no_print_stays() -> None:
    image = stamped(print_of(0), RED)
    assert find_color_marks(page_of(image), gray(image), dpi=100) is None


def test_logo_beside_a_heading_stays() -> None:
    image = Image.new("RGB", SIZE, "white")
    pen = ImageDraw.Draw(image)
    pen.ellipse((60, 40, 160, 140), outline=RED, width=14)
    for x in range(64, 156, 12):
        for y in range(60, 120, 12):
            pen.rectangle((x, y, x + 8, y + 8), fill="black")
    pen.text((190, 70), "REAL ESTATE AUTHORITY", "black", ImageFont.load_default(size=30))
    assert find_color_marks(page_of(image), gray(image), dpi=100) is None


def test_entries_of_a_form_on_its_rulings_stay() -> None:
    image = Image.new("RGB", SIZE, "white")
    for y in range(80, 560, 40):
        ImageDraw.Draw(image).line((60, y, 700, y), "black", 2)
        ImageDraw.Draw(image).text((80, y - 18), "Maria Huber 17.04.2023", BLUE, ImageFont.load_default(size=18))
    assert find_color_marks(page_of(image), gray(image), dpi=100) is None


def test_picture_in_color_stays() -> None:
    image = print_of(12)
    pixels = np.random.default_rng(3).integers(0, 255, (12, 16, 3), dtype=np.uint8)
    image.paste(Image.fromarray(pixels).resize((400, 300), Image.Resampling.BICUBIC), (200, 200))
    assert find_color_marks(page_of(image), gray(image), dpi=100) is None


def test_gray_page_is_not_drawn_again() -> None:
    assert find_color_marks(page_of(print_of(3), may_have_color=False, thumbnail=None), gray(print_of(3)), dpi=100) is None


def test_text_of_a_stamp_follows_the_page_and_a_signature_does_not() -> None:
    def line(text: str, confidence: float) -> TextBox:
        return TextBox(text=text, x0=0, y0=0, x1=9, y1=9, confidence=confidence, angle_deg=0)

    page = PageText(text="Account 2085", engine="", model="", boxes=(line("Account 2085", 0.9),))
    marks = PageText(text="", engine="", model="", boxes=(line("PAID 2024", 0.98), line("Mlau", 0.6)))
    found = with_mark_text(page, marks)
    assert found.text == "Account 2085\n\nPAID 2024"
    assert [box.text for box in found.boxes or ()] == ["Account 2085", "PAID 2024"]
