"""Makes image-only pages: draws them, degrades them slightly like a scanner, and puts them into a PDF.

Noise comes from seeded integers, not from floating-point curves, so that every machine with the same libraries makes the same
bytes.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import reportlab
from layout import Line
from pikepdf import Dictionary, Name, Pdf, Stream
from PIL import Image, ImageDraw, ImageFont

_FONTS = Path(reportlab.__file__).parent / "fonts"  # Bitstream Vera comes with reportlab: no system font is needed
_PAPER, _INK = 243, 38


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanPage:
    """`rotate`: the page's /Rotate entry. `hidden_text`: (x_pt, y_pt from the bottom, size_pt, text), drawn invisibly."""

    image: Image.Image
    dpi: int
    quality: int = 50
    rotate: int = 0
    hidden_text: Sequence[tuple[float, float, float, str]] = ()


def measure(text: str, size_pt: float, bold: bool) -> float:
    """Returns the width in points. Measures at a large size, so that a line breaks at the same word at every dpi."""
    return float(_font(size_pt * 8, bold).getlength(text)) / 8


def draw(lines: Sequence[Line], width_pt: float, height_pt: float, *, dpi: int) -> Image.Image:
    """Returns clean gray pixels."""
    scale = dpi / 72
    image = Image.new("L", (round(width_pt * scale), round(height_pt * scale)), _PAPER)
    pen = ImageDraw.Draw(image)
    for line in lines:
        at = (line.x_pt * scale, line.y_pt * scale)
        pen.text(at, line.text, fill=_INK, font=_font(line.size_pt * scale, line.bold), anchor="ls")
    return image


def wear(image: Image.Image, *, seed: int, skew_degrees: float = 0.0, noise: int = 4, specks: int = 12) -> Image.Image:
    """Degrades the page like a scanner: slightly turned, unevenly lit, noisy, with a few specks of dust."""
    random = np.random.default_rng(seed)
    turned = image.rotate(skew_degrees, resample=Image.Resampling.BICUBIC, fillcolor=_PAPER) if skew_degrees else image
    pixels = np.asarray(turned, dtype=np.int16).copy()
    height, width = pixels.shape
    pixels -= (np.arange(width, dtype=np.int32) * 9 // width).astype(np.int16)[None, :]  # the lamp is weaker at one side
    pixels += random.integers(-noise, noise + 1, pixels.shape, dtype=np.int16)
    pixels += random.integers(-noise, noise + 1, pixels.shape, dtype=np.int16)
    for _ in range(specks):
        y, x = int(random.integers(20, height - 20)), int(random.integers(20, width - 20))
        size = int(random.integers(1, 3))
        pixels[y : y + size, x : x + size] -= np.int16(random.integers(50, 110))
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))


def scan_pdf(pages: Sequence[ScanPage]) -> Pdf:
    pdf = Pdf.new()
    for page in pages:
        width_pt, height_pt = (round(side * 72 / page.dpi, 2) for side in page.image.size)
        target = pdf.add_blank_page(page_size=(width_pt, height_pt))
        target.Resources = Dictionary(XObject=Dictionary(Im0=_image(pdf, page)))
        content = f"q {width_pt:g} 0 0 {height_pt:g} 0 0 cm /Im0 Do Q\n".encode("ascii")
        if page.hidden_text:
            target.Resources.Font = Dictionary(F1=_helvetica())
            content += b"".join(_hidden(*text) for text in page.hidden_text)
        target.Contents = pdf.make_stream(content)
        if page.rotate:
            target.Rotate = page.rotate
    return pdf


def _image(pdf: Pdf, page: ScanPage) -> Stream:
    file = io.BytesIO()
    page.image.save(file, "JPEG", quality=page.quality, dpi=(page.dpi, page.dpi))
    stream = pdf.make_stream(file.getvalue())
    stream.Type, stream.Subtype, stream.Filter = Name.XObject, Name.Image, Name.DCTDecode
    stream.Width, stream.Height = page.image.size
    stream.ColorSpace, stream.BitsPerComponent = Name.DeviceGray, 8
    return stream


def _hidden(x_pt: float, y_pt: float, size_pt: float, text: str) -> bytes:
    """Writes text in render mode 3, which paints nothing: only programs can read it."""
    codes = text.encode("cp1252").hex().upper()
    return f"BT 3 Tr /F1 {size_pt:g} Tf 1 0 0 1 {x_pt:g} {y_pt:g} Tm <{codes}> Tj ET\n".encode("ascii")


def _helvetica() -> Dictionary:
    return Dictionary(Type=Name.Font, Subtype=Name.Type1, BaseFont=Name.Helvetica, Encoding=Name.WinAnsiEncoding)


@cache
def _font(size_px: float, bold: bool) -> ImageFont.FreeTypeFont:
    # The basic layout needs no libraqm, which not every Pillow has.
    file = _FONTS / ("VeraBd.ttf" if bold else "Vera.ttf")
    return ImageFont.truetype(file, size_px, layout_engine=ImageFont.Layout.BASIC)
