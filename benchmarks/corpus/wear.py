"""Degrades pages as scanners, copiers, fax machines and aging do. Takes and returns gray images; the noise depends on the
seed."""

from __future__ import annotations

import io
import random
from collections.abc import Callable

import numpy as np
from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageFont

Treatment = Callable[[Image.Image, random.Random], Image.Image]


def scanned(image: Image.Image, dice: random.Random) -> Image.Image:
    """Makes an ordinary office scan: slightly skewed, slight noise, off-white paper, JPEG."""
    image = skewed(image, dice, most=0.8)
    pixels = np.asarray(image, np.float32) * 0.86 + 22
    pixels += _random(dice).normal(0, 5, pixels.shape)
    return jpeg(_image(pixels), dice, quality=60)


def skewed(image: Image.Image, dice: random.Random, *, least: float = 0.3, most: float = 3.0) -> Image.Image:
    angle = dice.uniform(least, most) * dice.choice([-1, 1])
    return image.rotate(angle, expand=True, fillcolor=255, resample=Image.Resampling.BICUBIC)


def noisy(image: Image.Image, dice: random.Random) -> Image.Image:
    pixels = np.asarray(image, np.float32)
    return _image(pixels + _random(dice).normal(0, dice.choice([25, 40]), pixels.shape))


def peppered(image: Image.Image, dice: random.Random) -> Image.Image:
    pixels = np.array(image)
    chance = _random(dice).random(pixels.shape)
    pixels[chance < 0.008] = 0
    pixels[chance > 0.992] = 255
    return Image.fromarray(pixels)


def blurred(image: Image.Image, dice: random.Random) -> Image.Image:
    return image.filter(ImageFilter.GaussianBlur(dice.choice([1.4, 1.9])))


def jpeg(image: Image.Image, dice: random.Random, *, quality: int | None = None) -> Image.Image:
    data = io.BytesIO()
    image.save(data, "jpeg", quality=quality or dice.choice([12, 20]))
    return Image.open(data).convert("L")


def coarse(image: Image.Image, dice: random.Random) -> Image.Image:
    """Makes a scan at 100 dpi, and enlarges it again."""
    half = image.resize((image.width // 2, image.height // 2), Image.Resampling.LANCZOS)
    return jpeg(half, dice, quality=45).resize(image.size, Image.Resampling.BICUBIC)


def faded(image: Image.Image, dice: random.Random) -> Image.Image:
    """Lowers the contrast to gray on gray."""
    pixels = np.asarray(image, np.float32) * 0.25 + dice.choice([110, 150])
    return _image(pixels + _random(dice).normal(0, 4, pixels.shape))


def uneven(image: Image.Image, dice: random.Random) -> Image.Image:
    """Makes a photograph under a lamp: bright in one corner, dark in the other."""
    height, width = image.height, image.width
    across, down = np.meshgrid(np.linspace(0, 1, width), np.linspace(0, 1, height))
    light = 1.0 - 0.65 * (across if dice.random() < 0.5 else 1 - across) * (0.4 + 0.6 * down)
    pixels = np.asarray(image, np.float32) * light
    return _image(pixels + _random(dice).normal(0, 6, pixels.shape))


def bleeding(image: Image.Image, dice: random.Random) -> Image.Image:
    """Lets the back of the sheet show through."""
    back = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT).filter(ImageFilter.GaussianBlur(2.0))
    shift = dice.randint(8, 30)
    back = ImageChops.offset(back, 0, shift).point(lambda value: 255 - (255 - value) * 3 // 10)
    return ImageChops.multiply(image, back)


def stamped(image: Image.Image, dice: random.Random) -> Image.Image:
    """Draws a stamp across the text, in a gray lighter than the ink."""
    layer = Image.new("L", (700, 240), 255)
    pen = ImageDraw.Draw(layer)
    pen.rounded_rectangle((6, 6, 693, 233), radius=24, outline=120, width=8)
    pen.text((350, 120), "RECEIVED", fill=120, font=ImageFont.load_default(size=110), anchor="mm")
    layer = layer.rotate(dice.uniform(8, 20), expand=True, fillcolor=255)
    sheet = Image.new("L", image.size, 255)
    sheet.paste(layer, (dice.randint(100, max(101, image.width - 800)), dice.randint(100, max(101, image.height - 500))))
    return ImageChops.multiply(image, sheet)


def faxed(image: Image.Image, dice: random.Random) -> Image.Image:
    """Makes a coarse fax: black and white, 200 by 100 dpi."""
    low = image.resize((image.width, image.height // 2), Image.Resampling.BILINEAR)
    pixels = np.asarray(low, np.float32) + _random(dice).normal(0, 20, (low.height, low.width))
    return _image(np.where(pixels < 150, 0, 255)).resize(image.size, Image.Resampling.NEAREST)


def copied(image: Image.Image, dice: random.Random) -> Image.Image:
    """Makes a copy of a copy: eroded letters, specks, a black edge."""
    thin = image.filter(ImageFilter.GaussianBlur(1.0))
    pixels = np.asarray(thin, np.float32) + _random(dice).normal(0, 25, (thin.height, thin.width))
    hard = np.where(pixels < dice.choice([110, 175]), 20, 250).astype(np.uint8)
    hard[:, : dice.randint(10, 40)] = 25
    return jpeg(Image.fromarray(hard), dice, quality=50)


WEAR: dict[str, Treatment] = {
    "skewed": skewed,
    "noisy": noisy,
    "peppered": peppered,
    "blurred": blurred,
    "jpeg": jpeg,
    "coarse": coarse,
    "faded": faded,
    "uneven": uneven,
    "bleeding": bleeding,
    "stamped": stamped,
    "faxed": faxed,
    "copied": copied,
}


def turned(image: Image.Image, quarter_turns: int) -> Image.Image:
    return image.rotate(90 * quarter_turns, expand=True)


def _random(dice: random.Random) -> np.random.Generator:
    return np.random.default_rng(dice.randrange(1 << 30))


def _image(pixels: np.ndarray) -> Image.Image:
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))
