"""Generated scanned pages at 200 dpi: paper with scanner artifacts, and intended marks."""

from __future__ import annotations

import functools
import io
from collections.abc import Callable

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageOps

DPI = 200
SIZE = (1654, 2339)
Layer = Callable[[Image.Image, np.random.Generator], Image.Image]


def mm(length: float) -> int:
    return round(length * DPI / 25.4)


@functools.lru_cache(maxsize=8)
def _paper(seed: int) -> Image.Image:
    pixels = np.random.default_rng(seed).normal(240, 5, (SIZE[1], SIZE[0]))
    return Image.fromarray(pixels.clip(0, 255).astype(np.uint8))


def dust(count: int, largest_mm: float) -> Layer:
    def add(image: Image.Image, random: np.random.Generator) -> Image.Image:
        draw = ImageDraw.Draw(image)
        for _ in range(count):
            x, y = random.integers(0, SIZE[0]), random.integers(0, SIZE[1])
            size = random.uniform(0.1, largest_mm)
            draw.ellipse((x, y, x + mm(size), y + mm(size * random.uniform(0.5, 1))), fill=int(random.integers(20, 120)))
        return image

    return add


def punch_holes(count: int, fill: int = 40, ring: bool = False) -> Layer:
    def add(image: Image.Image, random: np.random.Generator) -> Image.Image:
        draw = ImageDraw.Draw(image)
        for n in range(count):
            x, y, radius = mm(12), mm(297 / 2) + mm(80) * (n - (count - 1) / 2), mm(3)
            box = (x - radius, y - radius, x + radius, y + radius)
            draw.ellipse(box, outline=fill, width=mm(0.5)) if ring else draw.ellipse(box, fill=fill)
        return image

    return add


def shadows(width_mm: float, level: int = 30) -> Layer:
    def add(image: Image.Image, random: np.random.Generator) -> Image.Image:
        draw = ImageDraw.Draw(image)
        draw.polygon([(0, 0), (mm(width_mm), 0), (mm(width_mm / 2), SIZE[1]), (0, SIZE[1])], fill=level)
        draw.rectangle((0, SIZE[1] - mm(width_mm), SIZE[0], SIZE[1]), fill=level)
        return image

    return add


def soft_shadow(width_mm: float = 12, depth: int = 110) -> Layer:
    def add(image: Image.Image, random: np.random.Generator) -> Image.Image:
        pixels = np.asarray(image, dtype=np.float32).copy()
        fall = np.linspace(depth, 0, mm(width_mm))
        pixels[:, : mm(width_mm)] -= fall
        return Image.fromarray(pixels.clip(0, 255).astype(np.uint8))

    return add


def streaks(count: int) -> Layer:
    def add(image: Image.Image, random: np.random.Generator) -> Image.Image:
        draw = ImageDraw.Draw(image)
        for _ in range(count):
            x = int(random.integers(mm(15), SIZE[0] - mm(15)))
            draw.line((x, 0, x, SIZE[1]), fill=90, width=2)
        return image

    return add


def staple(image: Image.Image, random: np.random.Generator) -> Image.Image:
    ImageDraw.Draw(image).line((mm(12), mm(10), mm(24), mm(11)), fill=60, width=mm(0.6))
    return image


def fold(image: Image.Image, random: np.random.Generator) -> Image.Image:
    ImageDraw.Draw(image).line((0, mm(148), SIZE[0], mm(149)), fill=150, width=3)
    return image


def crossing_folds(image: Image.Image, random: np.random.Generator) -> Image.Image:
    draw = ImageDraw.Draw(image)
    draw.line((0, mm(148), SIZE[0], mm(149)), fill=140, width=4)
    draw.line((mm(105), 0, mm(104), SIZE[1]), fill=140, width=4)
    return image


def crooked(image: Image.Image, random: np.random.Generator) -> Image.Image:
    """Black wedges along two edges of a sheet that was scanned crookedly on an open lid."""
    draw = ImageDraw.Draw(image)
    draw.polygon([(0, 0), (SIZE[0], 0), (SIZE[0], mm(2)), (0, mm(8))], fill=10)
    draw.polygon([(0, 0), (mm(8), 0), (mm(2), SIZE[1]), (0, SIZE[1])], fill=10)
    return image


def bleed_through(share: float) -> Layer:
    """The other side of the sheet, mirrored, at this share of its contrast."""

    def add(image: Image.Image, random: np.random.Generator) -> Image.Image:
        back = Image.new("L", SIZE, 255)
        draw = ImageDraw.Draw(back)
        for n in range(40):
            draw.text((mm(25), mm(30) + n * mm(6)), "Lorem ipsum dolor sit amet, consectetur adipiscing", fill=0, font_size=34)
        back = ImageOps.mirror(back).filter(ImageFilter.GaussianBlur(2))
        pixels = np.asarray(image, dtype=np.float32) - (255 - np.asarray(back, dtype=np.float32)) * share
        return Image.fromarray(pixels.clip(0, 255).astype(np.uint8))

    return add


def word(text: str, size_pt: float, at_mm: tuple[float, float] = (95, 130), ink: int = 30, turned: float = 0.0) -> Layer:
    def add(image: Image.Image, random: np.random.Generator) -> Image.Image:
        layer = Image.new("L", SIZE, 255)
        ImageDraw.Draw(layer).text((mm(at_mm[0]), mm(at_mm[1])), text, fill=ink, font_size=size_pt * DPI / 72)
        layer = layer.rotate(turned, fillcolor=255, resample=Image.Resampling.BICUBIC)
        return Image.fromarray(np.minimum(np.asarray(image), np.asarray(layer)))

    return add


def tick(image: Image.Image, random: np.random.Generator) -> Image.Image:
    points = [(mm(100), mm(100)), (mm(102), mm(104)), (mm(108), mm(95))]
    ImageDraw.Draw(image).line(points, fill=70, width=mm(0.6))
    return image


def scan(*layers: Layer, seed: int = 1) -> Image.Image:
    random = np.random.default_rng(seed)
    image = _paper(seed).copy()  # layers draw on it
    for layer in layers:
        image = layer(image, random)
    return image


def jpeg(image: Image.Image, quality: int = 60) -> bytes:
    data = io.BytesIO()
    image.save(data, "jpeg", quality=quality)
    return data.getvalue()
