"""Draws digits, signs and words, wears them, and cuts them into shapes for the training of the classifier of digits."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from rayocr.engines.tesseract.native_digits.shapes import Shape, shapes_of

_SMALLEST, _LARGEST = 17, 70  # pixels per em
_INK = (0, 0, 20, 50)  # gray values
_SIGN_SHARE = 0.12
_WORDS_OF_LINE = 5
_LATIN = "0123456789" * 3 + "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ():;%"
Spot = tuple[str, float, float]  # a character and its place, in pixels


class Font(NamedTuple):
    """A font file, with the digits and signs that it can draw."""

    family: str
    path: Path
    digits: str
    signs: str


class Drawing:
    """Draws with a seed: the same seed gives the same pictures with the same versions of Pillow and the fonts."""

    def __init__(self, seed: int) -> None:
        self._dice = random.Random(seed)
        self._noise = np.random.default_rng(seed)

    def number(self, font: Font) -> list[tuple[Any, str]]:
        """Returns the features of each shape of a drawn number with its character; "" for pieces of broken digits."""
        characters = [self._dice.choice(font.digits) for _ in range(self._dice.randint(3, 9))]
        for n in range(1, len(characters) - 1):
            if font.signs and self._dice.random() < _SIGN_SHARE:
                characters[n] = self._dice.choice(font.signs)
        size = self._size()
        picture, spots = self._characters(characters, font.path, size)
        shapes, features = shapes_of(self._worn(picture, size))
        found = [(feature, _label(shape, shapes, spots, 0.02 * size)) for shape, feature in zip(shapes, features, strict=True)]
        return [(feature, label) for feature, label in found if label is not None]

    def latin(self, path: Path) -> list[Any]:
        """Returns the features of Latin letters and digits in a random order."""
        size = self._size()
        picture, _ = self._characters([self._dice.choice(_LATIN) for _ in range(8)], path, size)
        return list(shapes_of(self._worn(picture, size))[1])

    def words(self, words: Sequence[str], path: Path) -> list[Any]:
        """Returns the features of the shapes in a line of random words."""
        size, text = self._size(), " ".join(self._dice.choice(words) for _ in range(_WORDS_OF_LINE))
        return list(shapes_of(self._line(text, path, size))[1])

    def line(self, text: str, path: Path) -> Any:
        """Returns a gray picture (rows, columns) of the text in this font."""
        return self._line(text, path, self._size())

    def _line(self, text: str, path: Path, size: int) -> Any:
        face = ImageFont.truetype(path, size, layout_engine=ImageFont.Layout.RAQM)
        picture = Image.new("L", (round(face.getlength(text)) + 2 * size, round(size * 2.6)), 255)
        ImageDraw.Draw(picture).text((size, round(0.4 * size)), text, font=face, fill=0)
        return self._worn(self._cut(picture, size, 0.2, 0.2), size)

    def _size(self) -> int:
        return round(math.exp(self._dice.uniform(math.log(_SMALLEST), math.log(_LARGEST))))

    def _characters(self, characters: Sequence[str], path: Path, size: int) -> tuple[Any, list[Spot]]:
        face = ImageFont.truetype(path, size, layout_engine=ImageFont.Layout.BASIC)
        picture = Image.new("L", (size * (len(characters) + 4), round(size * 2.6)), 255)
        drawing, x, spots = ImageDraw.Draw(picture), float(size), []
        for character in characters:
            drawing.text((x, round(size * 0.4)), character, font=face, fill=self._dice.choice(_INK))
            width = face.getlength(character)
            spots.append((character, x, x + width))
            x += max(width, 2) + self._dice.uniform(0, 0.06) * size
        return self._cut(picture.crop((0, 0, round(x + size), picture.height)), size, 0.05, 0.6), spots

    def _cut(self, picture: Any, size: int, least: float, most: float) -> Any:
        """Returns the rows with ink and a margin in em."""
        rows = np.flatnonzero((np.asarray(picture) < 128).any(axis=1))
        first, last = (rows[0], rows[-1]) if len(rows) else (0, picture.height - 1)
        top = max(first - round(self._dice.uniform(least, most) * size), 0)
        return picture.crop((0, top, picture.width, last + 1 + round(self._dice.uniform(least, most) * size)))

    def _worn(self, picture: Any, size: int) -> Any:
        dice = self._dice
        if dice.random() < 0.75:
            picture = picture.rotate(dice.uniform(-0.8, 0.8), resample=Image.Resampling.BICUBIC, fillcolor=255)
            if dice.random() < 0.7:
                picture = picture.filter(ImageFilter.GaussianBlur(dice.uniform(0.2, 0.055 * size)))
            gray, paper = np.asarray(picture, float), dice.uniform(0.5, 1)
            gray = 255 * paper + (gray - 255) * dice.uniform(0.6, 1) * paper
            gray += self._noise.normal(0, dice.uniform(0, 10), gray.shape)
            if dice.random() < 0.2:
                gray[self._noise.random(gray.shape) < 0.003] = 30
            picture = Image.fromarray(gray.clip(0, 255).astype("uint8"))
        gray = np.asarray(picture)
        if dice.random() < 0.25:
            gray = np.where(gray > dice.randint(100, 190) * int(gray.max()) / 255, 255, 0).astype("uint8")
        return gray


def _label(shape: Shape, shapes: Sequence[Shape], spots: Sequence[Spot], margin: float) -> str | None:
    """Returns the character at the place of a shape, "" for one piece of several, None if the place is not clear."""
    middle = (shape.x0 + shape.x1) / 2
    here = [spot for spot in spots if spot[1] - margin <= middle <= spot[2] + margin]
    if len(here) != 1:
        return None
    ((character, start, end),) = here
    pieces = sum(start <= (other.x0 + other.x1) / 2 <= end for other in shapes)
    return character if pieces == 1 else ""
