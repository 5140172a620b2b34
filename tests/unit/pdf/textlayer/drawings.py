"""Pages whose letters have any meaning that a test needs: fonts with custom ToUnicode maps and hand-written content."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from fontTools.pens.basePen import BasePen
from fontTools.ttLib import TTFont

from rayocr.pdf.document import PdfFile
from rayocr.pdf.textlayer.layer import TextLayer
from tests.unit.pdf import pdfs

HEBREW = {chr(ord("a") + n): chr(0x5D0 + n) for n in range(27)}  # a is alef, b is bet …


def to_unicode(mapping: Mapping[str, str]) -> bytes:
    rows = " ".join(f"<{ord(code):02x}> <{text.encode('utf-16-be').hex()}>" for code, text in mapping.items())
    cmap = (
        "/CIDInit /ProcSet findresource begin 12 dict begin begincmap /CMapName /X def /CMapType 2 def "
        f"1 begincodespacerange <00> <FF> endcodespacerange {len(mapping)} beginbfchar {rows} endbfchar endcmap end end"
    )
    return pdfs.stream(cmap.encode())


def page_with_font(
    content: bytes, mapping: Mapping[str, str], *, entries: str = "", font: str = "", name: str = "Helvetica"
) -> bytes:
    """A page on which F2 is a font whose codes have the meanings in `mapping`. `font` has further entries of its dictionary."""
    data = pdfs.pages_of((entries,), content=content, extra={6: to_unicode(mapping)})
    named = f"<< /F2 << /Type /Font /Subtype /Type1 /BaseFont /{name} /ToUnicode 6 0 R {font} >> /F1".encode()
    return pdfs.reindexed(data.replace(b"<< /F1", named))


def layer_of(data: bytes, page_number: int = 1) -> TextLayer:
    with PdfFile(data, max_pixels=4_000_000) as file, file.page(page_number) as page:
        return page.text_layer()


def texts_of(data: bytes) -> list[str]:
    return [line.text for line in layer_of(data).lines]


def outlined(text: str, x: float, y: float, size: float, *, font: str = "NotoSans[wght].ttf") -> bytes:
    """The text as filled paths, as programs export it that turn fonts into outlines."""
    glyphs = _font(font).getGlyphSet()
    cmap, scale = _font(font).getBestCmap(), size / _font(font)["head"].unitsPerEm
    content = bytearray(b"q 0 g ")
    for char in text:
        name = cmap[ord(char)]
        pen = _PathPen(glyphs, x, y, scale)
        glyphs[name].draw(pen)
        content += pen.content
        x += glyphs[name].width * scale
    return bytes(content) + b"Q "


@cache
def _font(name: str) -> TTFont:
    import manimgx_fonts

    return TTFont(Path(manimgx_fonts.__file__).parent / name)


class _PathPen(BasePen):
    def __init__(self, glyphs: object, x: float, y: float, scale: float) -> None:
        super().__init__(glyphs)
        self._x, self._y, self._scale = x, y, scale
        self.content = b""

    def _add(self, operator: str, *points: tuple[float, float]) -> None:
        placed = " ".join(f"{self._x + px * self._scale:.2f} {self._y + py * self._scale:.2f}" for px, py in points)
        self.content += f"{placed} {operator} ".encode()

    def _moveTo(self, pt: tuple[float, float]) -> None:
        self._add("m", pt)

    def _lineTo(self, pt: tuple[float, float]) -> None:
        self._add("l", pt)

    def _curveToOne(self, *points: tuple[float, float]) -> None:
        self._add("c", *points)

    def _closePath(self) -> None:
        self.content += b"f "


def scanned(lines: Mapping[int, str], *, dpi: int = 100) -> tuple[str, bytes]:
    """An A4 scan with lines of text 12 pt high at these distances from its top, as entries and data for `pdfs.image_page`."""
    from PIL import Image, ImageDraw, ImageFont

    sheet = Image.new("L", (round(595 / 72 * dpi), round(842 / 72 * dpi)), 245)
    draw = ImageDraw.Draw(sheet)
    for y, text in lines.items():
        draw.text((72 / 72 * dpi, y / 72 * dpi), text, fill=20, font=ImageFont.load_default(size=12 / 72 * dpi))
    width, height = sheet.size
    entries = f"/Width {width} /Height {height} /BitsPerComponent 8 /ColorSpace /DeviceGray /Filter /FlateDecode"
    return entries, zlib.compress(sheet.tobytes())
