"""Radio buttons of scanned forms, on pictures that are drawn here."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from rayocr.engines.rapidocr.splitting.boxes.radio_buttons import Button, button_in, confirmed


def drawn(*, dot: float = 0.0, width: int = 2, size: int = 23) -> Any:
    """A ring of this size with a dot of `dot` times its size."""
    image = Image.new("L", (4 * size, 4 * size), 0)
    ImageDraw.Draw(image).ellipse((2, 2, 4 * size - 3, 4 * size - 3), outline=255, width=4 * width)
    half = 2 * size * dot
    if dot:
        ImageDraw.Draw(image).ellipse((2 * size - half, 2 * size - half, 2 * size + half, 2 * size + half), fill=255)
    small = np.asarray(image.resize((size, size), Image.Resampling.BOX))
    return np.where(small > 127, 255, 0).astype(np.uint8)


@pytest.mark.parametrize("size", [17, 23, 40])
def test_ring_disc_and_ring_with_a_dot_are_told_apart(size: int) -> None:
    assert button_in(drawn(size=size)) is Button.EMPTY
    assert button_in(drawn(size=size, dot=0.5)) is Button.CHOSEN
    assert button_in(drawn(size=size, dot=0.95)) is Button.DISC


@pytest.mark.parametrize("sign", list("CGQ0eaDB8@&%9"))
def test_letters_and_digits_are_not_chosen_buttons(sign: str) -> None:
    image = Image.new("L", (80, 80), 0)
    ImageDraw.Draw(image).text((20, 10), sign, fill=255, font=ImageFont.load_default(size=40))
    ink = np.asarray(image.crop(image.getbbox()))
    assert button_in(np.where(ink > 127, 255, 0)) in (None, Button.EMPTY)


def test_the_letter_e_whose_opening_is_narrow_is_not_a_chosen_button() -> None:
    image = Image.fromarray(drawn(size=38, width=5))
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 15, 37, 22), fill=255)
    draw.rectangle((33, 23, 37, 24), fill=0)
    assert button_in(np.asarray(image)) is None


def test_rings_count_on_a_page_with_a_chosen_button_of_their_size() -> None:
    ring, chosen, disc = (Button.EMPTY, 23), (Button.CHOSEN, 22), (Button.DISC, 24)
    assert confirmed([ring, ring]) == [False, False]
    assert confirmed([disc, disc]) == [False, False]
    assert confirmed([ring, chosen, (Button.EMPTY, 40)]) == [True, True, False]
    assert confirmed([ring, disc]) == [True, True]
