from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from rayocr.pdf.ink import BLANK_COVERAGE, COARSE_DPI, RENDER_DPI, coarse_coverage, coverage

A4 = (620, 877)  # at 75 dpi


def paper(level: float, noise: float = 0.0, *, size: tuple[int, int] = A4) -> numpy.ndarray:
    width, height = size
    return numpy.random.default_rng(1).normal(level, noise, (height, width)).clip(0, 255).astype(numpy.uint8)


def with_line(pixels: numpy.ndarray, ink: int, *, words: str = "This is a line of text on the page") -> numpy.ndarray:
    image = Image.fromarray(pixels)
    ImageDraw.Draw(image).text((120, 300), words, fill=ink, font_size=12)
    return numpy.asarray(image)


def border(pixels: numpy.ndarray, width: int) -> numpy.ndarray:
    framed = pixels.copy()
    framed[:width] = framed[-width:] = 0
    framed[:, :width] = framed[:, -width:] = 0
    return framed


def specks(count: int) -> numpy.ndarray:
    pixels = paper(245)
    places = numpy.random.default_rng(5)
    for _ in range(count):
        y, x = places.integers(40, 830), places.integers(40, 570)
        pixels[y : y + 2, x : x + 2] = 20
    return pixels


def gradient() -> numpy.ndarray:
    return numpy.tile(numpy.linspace(150, 250, A4[0]), (A4[1], 1)).astype(numpy.uint8)


BLANK: dict[str, Callable[[], numpy.ndarray]] = {
    "white": lambda: paper(255),
    "black, as of a lid left open": lambda: paper(0),
    "gray noise": lambda: paper(200, 8),
    "rough paper, JPEG at low quality": lambda: paper(230, 11),
    "tinted paper": lambda: paper(180, 4),
    "the scanner's black edges": lambda: border(paper(240, 3), 8),
    "light that falls off to one side": gradient,
    "dust": lambda: specks(30),
}
INKED: dict[str, Callable[[], numpy.ndarray]] = {
    "one line": lambda: with_line(paper(255), 0),
    "one line on noise": lambda: with_line(paper(225, 6), 40),
    "faint text": lambda: with_line(paper(250), 170, words="A page with a faint line of text, and more of it"),
    "inverted": lambda: with_line(paper(10), 245),
    "tinted paper": lambda: with_line(paper(170, 4), 60),
    "text inside black edges": lambda: with_line(border(paper(240, 3), 8), 30),
    "a photograph": lambda: paper(128, 60),
    "a black block": lambda: (lambda p: p.__setitem__((slice(200, 600), slice(100, 500)), 0) or p)(paper(255)),
}


@pytest.mark.parametrize("name", BLANK)
def test_a_blank_page_is_blank(name: str) -> None:
    assert coverage(Image.fromarray(BLANK[name]())) < BLANK_COVERAGE


@pytest.mark.parametrize("name", INKED)
def test_a_page_with_ink_is_not_blank(name: str) -> None:
    assert coverage(Image.fromarray(INKED[name]())) >= BLANK_COVERAGE


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "1", "CMYK", "P"])
def test_the_mode_of_the_image_does_not_matter(mode: str) -> None:
    image = Image.fromarray(INKED["one line"]())
    assert coverage(image.convert(mode)) == pytest.approx(coverage(image), abs=0.005)


@given(st.integers(1, 200), st.integers(1, 200), st.integers(0, 255), st.floats(0, 80))
def test_every_size_has_a_coverage_between_zero_and_one(width: int, height: int, level: int, noise: float) -> None:
    assert 0 <= coverage(Image.fromarray(paper(level, noise, size=(width, height)))) <= 1


def by_the_definition(image: Image.Image) -> float:
    """The same measure written plainly, in floats and with the interpolated percentile."""
    pixels: Any = numpy.asarray(image.convert("L"), dtype=numpy.float32)
    margin_y, margin_x = (round(side * 0.02) for side in pixels.shape)
    inner = pixels[margin_y : pixels.shape[0] - margin_y, margin_x : pixels.shape[1] - margin_x]

    def blocks(array: Any, side: int) -> Any:
        height, width = array.shape
        padded = numpy.pad(array, ((0, -height % side), (0, -width % side)), mode="edge")
        return padded.reshape(padded.shape[0] // side, side, padded.shape[1] // side, side)

    large = blocks(inner, 32)
    levels = numpy.percentile(large.transpose(0, 2, 1, 3).reshape(large.shape[0], large.shape[2], -1), 80, axis=2)
    page = numpy.percentile(levels, 80)
    levels = numpy.where(levels < page - 80, page, levels)
    whole = levels.repeat(32, axis=0).repeat(32, axis=1)[: inner.shape[0], : inner.shape[1]]
    inked = blocks(numpy.abs(inner - whole) > 40, 8).sum(axis=(1, 3)) >= 3
    padded = numpy.pad(inked, 1)
    return float((inked & (padded[1:-1, :-2] | padded[1:-1, 2:])).mean())


@pytest.mark.parametrize("name", [*BLANK, *INKED])
def test_the_quick_way_gives_what_the_definition_gives(name: str) -> None:
    image = Image.fromarray((BLANK | INKED)[name]())
    assert coverage(image) == pytest.approx(by_the_definition(image), abs=0.003)


# -- at a coarse scale ------------------------------------------------------------------------------------------------------


def coarse(pixels: numpy.ndarray) -> Image.Image:
    image = Image.fromarray(pixels)
    return image.resize(
        (round(image.width * COARSE_DPI / RENDER_DPI), round(image.height * COARSE_DPI / RENDER_DPI)), Image.Resampling.BOX
    )


@pytest.mark.parametrize("name", BLANK)
def test_a_blank_page_is_never_surely_inked_at_a_coarse_scale(name: str) -> None:
    if name != "black, as of a lid left open":
        assert coarse_coverage(coarse(BLANK[name]())) == 0.0


def test_a_page_of_text_is_surely_inked_at_a_coarse_scale() -> None:
    image = Image.fromarray(paper(245, 4))
    for line in range(40):
        ImageDraw.Draw(image).text(
            (60, 60 + 18 * line), "The harbor master wrote that all lanterns had been cleaned.", fill=30, font_size=15
        )
    assert coarse_coverage(coarse(numpy.asarray(image))) >= 0.2
