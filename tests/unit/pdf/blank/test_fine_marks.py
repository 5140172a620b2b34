"""Worn paper is blank; faint print, pencil and stamps are not, also on worn paper."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFilter

from rayocr.pdf.document import PdfFile
from rayocr.pdf.ink import BLANK_COVERAGE
from tests.unit.pdf.pdfs import image_page
from tests.unit.pdf.scans import DPI, SIZE, Layer, bleed_through, jpeg, mm, punch_holes, scan, soft_shadow, staple

RECEIPT = ("BRINDLE STORES", "Coffee beans 250g    7,95", "Oat milk            2,19", "TOTAL              10,14")
LINES = ("The harbor master wrote that all lanterns had been cleaned", "and filled before the evening tide came in.") * 3


def darker(image: Image.Image, amount: np.ndarray) -> Image.Image:
    return Image.fromarray((np.asarray(image, dtype=np.float32) - amount).clip(0, 255).astype(np.uint8))


def grid() -> tuple[np.ndarray, np.ndarray]:
    y, x = np.mgrid[0 : SIZE[1], 0 : SIZE[0]]
    return x.astype(np.float32), y.astype(np.float32)


def soft_fold(depth: float, width_px: float = 5, upright: bool = False) -> Layer:
    """Darker and lighter along a crooked line, and not everywhere."""

    def add(image: Image.Image, random: np.random.Generator) -> Image.Image:
        x, y = grid()
        along, off = (y, x - SIZE[0] * 0.4 - y * 0.01) if upright else (x, y - SIZE[1] * 0.4 - x * 0.01)
        profile = np.exp(-((off / width_px) ** 2)) - 0.5 * np.exp(-(((off - 2.5 * width_px) / (1.5 * width_px)) ** 2))
        return darker(image, depth * profile * (0.7 + 0.5 * np.sin(along / 90)))

    return add


def cup_ring(depth: float, at: tuple[float, float] = (0.5, 0.4)) -> Layer:
    def add(image: Image.Image, random: np.random.Generator) -> Image.Image:
        x, y = grid()
        x, y = x - SIZE[0] * at[0], y - SIZE[1] * at[1]
        off = (np.hypot(x, y) - mm(38)) / mm(1.2)
        return darker(image, depth * np.exp(-(off**2)) * (0.7 + 0.3 * np.sin(2 * np.arctan2(y, x))))

    return add


def crumpled(depth: float) -> Layer:
    """Facets of slightly different brightness, with soft ridges between."""

    def add(image: Image.Image, random: np.random.Generator) -> Image.Image:
        x, y = grid()
        x, y = x[::4, ::4], y[::4, ::4]
        corners = random.uniform(0, 1, (50, 2)) * SIZE
        away = np.stack([np.hypot(x - corner[0], y - corner[1]) for corner in corners])
        nearest, two = away.argmin(axis=0), np.sort(away, axis=0)[:2]
        relief = random.normal(0, depth / 2, 50)[nearest] - depth * np.exp(-(((two[1] - two[0]) / 14) ** 2))
        small = Image.fromarray((128 + relief).clip(0, 255).astype(np.uint8)).resize(SIZE, Image.Resampling.BICUBIC)
        return darker(image, 128 - np.asarray(small.filter(ImageFilter.GaussianBlur(2)), dtype=np.float32))

    return add


def drawn(contrast: float, draw: Layer, blur: float = 0.6) -> Layer:
    """`draw` puts white on black; the result is darker by this share of the paper."""

    def add(image: Image.Image, random: np.random.Generator) -> Image.Image:
        mask = draw(Image.new("L", SIZE), random).filter(ImageFilter.GaussianBlur(blur))
        return darker(image, np.asarray(image, dtype=np.float32) * np.asarray(mask, dtype=np.float32) / 255 * contrast)

    return add


def print_of(lines: tuple[str, ...], size_pt: float = 10) -> Layer:
    def add(image: Image.Image, random: np.random.Generator) -> Image.Image:
        for number, line in enumerate(lines):
            at = (mm(30), mm(60) + round(number * size_pt * 1.5 * DPI / 72))
            ImageDraw.Draw(image).text(at, line, fill=255, font_size=size_pt * DPI / 72)
        return image

    return add


def signature(image: Image.Image, random: np.random.Generator) -> Image.Image:
    t = np.linspace(0, 1, 200)
    x, y = 90 + 45 * t + 4 * np.sin(32 * t), 150 + 5 * np.sin(40 * t) * (1 - t / 2) + 3 * np.sin(13 * t)
    ImageDraw.Draw(image).line([(mm(a), mm(b)) for a, b in zip(x, y, strict=True)], fill=255, width=mm(0.5), joint="curve")
    return image


def circle(image: Image.Image, random: np.random.Generator) -> Image.Image:
    ImageDraw.Draw(image).ellipse((mm(80), mm(120), mm(110), mm(150)), outline=255, width=mm(0.5))
    return image


def coverage(*layers: Layer, seed: int) -> float:
    image = scan(*layers, seed=seed)
    entries = f"/Width {image.width} /Height {image.height} /ColorSpace /DeviceGray /BitsPerComponent 8 /Filter /DCTDecode"
    with PdfFile(image_page(entries, jpeg(image, 70)), max_pixels=20_000_000) as file, file.page(1) as page:
        return page.ink_coverage()


WORN: dict[str, tuple[Layer, ...]] = {
    "a broken fold": (soft_fold(45),),
    "folds across each other": (soft_fold(50), soft_fold(40, upright=True)),
    "the ring of a cup": (cup_ring(45),),
    "two rings, a fold and a staple": (cup_ring(40), cup_ring(30, (0.3, 0.7)), soft_fold(40), staple),
    "crumpled paper": (crumpled(22),),
    "crumpled and folded paper with holes": (soft_shadow(), crumpled(18), soft_fold(40), punch_holes(2)),
    "a fold and the print of the other side": (bleed_through(0.1), soft_fold(40)),
}


@pytest.mark.parametrize("layers", WORN.values(), ids=WORN.keys())
def test_worn_paper_is_blank(layers: tuple[Layer, ...]) -> None:
    assert coverage(*layers, seed=3) == 0.0


FAINT: dict[str, tuple[Layer, ...]] = {
    "a bleached receipt": (drawn(0.15, print_of(RECEIPT)),),
    "lines of 15 %": (drawn(0.15, print_of(LINES)),),
    "two words of 15 %": (drawn(0.15, print_of(("Appendix B",), 12)),),
    "lines of 15 % on a folded sheet": (soft_fold(45), drawn(0.15, print_of(LINES))),
    "lines of 18 % on crumpled paper": (crumpled(15), drawn(0.18, print_of(LINES))),
    "lines of 20 % above the print of the other side": (bleed_through(0.08), drawn(0.2, print_of(LINES))),
    "a signature in pencil": (drawn(0.22, signature),),
    "a signature on a folded sheet": (soft_fold(40), drawn(0.5, signature)),
    "a circle in pencil": (drawn(0.3, circle),),
    "a blurred signature": (drawn(0.8, signature, blur=3.5),),
    "a pale page number": (drawn(0.25, print_of(("7",), 12)),),
}


@pytest.mark.parametrize("layers", FAINT.values(), ids=FAINT.keys())
def test_faint_print_and_pencil_are_ink(layers: tuple[Layer, ...]) -> None:
    assert coverage(*layers, seed=4) >= BLANK_COVERAGE
