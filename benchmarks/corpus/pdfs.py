"""Converts Typst programs to PDFs and PDFs to images and back, and adds good and bad OCR layers and unusual encodings."""

from __future__ import annotations

import io
import random
from collections.abc import Callable
from functools import cache

import pikepdf
import pypdfium2
from PIL import Image

from rayocr.outputs.typeset.typesetter import Typesetter

DPI = 200
_SHRINK = (1.0, 0.94, 0.88, 0.82, 0.76, 0.7)


@cache
def _typesetter() -> Typesetter:
    return Typesetter(system_fonts=False)  # no system fonts, so that pages are the same on every machine


def close() -> None:
    """Ends the typesetter's process."""
    if _typesetter.cache_info().currsize:
        _typesetter().close()
        _typesetter.cache_clear()


def typeset(program_at: Callable[[float], str]) -> bytes:
    """Returns a PDF of one page. `program_at(shrink)` gives the program. Reduces text until it fits; raises ValueError if it
    never does."""
    for shrink in _SHRINK:
        data = _typesetter().compile(program_at(shrink), tags=False)
        with pypdfium2.PdfDocument(data) as pdf:
            if len(pdf) == 1:
                return data
    raise ValueError("the text does not fit on one page")


def drawn(data: bytes) -> Image.Image:
    with pypdfium2.PdfDocument(data) as pdf:
        page: Image.Image = pdf[0].render(scale=DPI / 72).to_pil()
        return page.convert("L")


def of_image(image: Image.Image) -> bytes:
    data = io.BytesIO()
    image.save(data, "pdf", resolution=DPI, quality=85)
    return data.getvalue()


def without_unicode(data: bytes) -> bytes:
    """Removes the mapping from glyphs to letters from the fonts."""
    with pikepdf.open(io.BytesIO(data)) as pdf:
        for entry in pdf.objects:
            if isinstance(entry, pikepdf.Dictionary) and entry.get("/Type") == "/Font" and "/ToUnicode" in entry:
                del entry["/ToUnicode"]
        return _saved(pdf)


def over_image(image: Image.Image, data: bytes, dice: random.Random, *, errors: float) -> bytes:
    """Returns the image with an invisible text layer, as OCR programs write it. `errors`: share of wrong letters."""
    with pypdfium2.PdfDocument(data) as source:
        words = _words(source[0])
    with pikepdf.open(io.BytesIO(of_image(image))) as pdf:
        page = pdf.pages[0]
        page.Resources.Font = pikepdf.Dictionary(
            F1=pikepdf.Dictionary(
                Type=pikepdf.Name.Font,
                Subtype=pikepdf.Name.Type1,
                BaseFont=pikepdf.Name.Helvetica,
                Encoding=pikepdf.Name.WinAnsiEncoding,
            )
        )
        layer = b"".join(_hidden(x, y, size, _garbled(text, dice, errors)) for x, y, size, text in words)
        page.contents_add(layer)
        return _saved(pdf)


def _words(page: pypdfium2.PdfPage) -> list[tuple[float, float, float, str]]:
    """Returns left, bottom, size and text of each line that PDFium finds."""
    text_page = page.get_textpage()
    found = []
    for number in range(text_page.count_rects()):
        left, bottom, right, top = text_page.get_rect(number)
        if text := text_page.get_text_bounded(left, bottom, right, top).strip():
            found.append((left, bottom, max(top - bottom, 4.0), " ".join(text.split())))
    return found


def _hidden(x: float, y: float, size: float, text: str) -> bytes:
    codes = text.encode("cp1252", errors="replace").hex().upper()
    return f"BT 3 Tr /F1 {size:.1f} Tf 1 0 0 1 {x:.1f} {y:.1f} Tm <{codes}> Tj ET\n".encode("ascii")


def _garbled(text: str, dice: random.Random, errors: float) -> str:
    return "".join(dice.choice("il1|!;rn~^*%§¢ecoa ") if c.isalpha() and dice.random() < errors else c for c in text)


def _saved(pdf: pikepdf.Pdf) -> bytes:
    file = io.BytesIO()
    pdf.save(file, deterministic_id=True)
    return file.getvalue()


def saved(pdf: pypdfium2.PdfDocument) -> bytes:
    """Returns the document's bytes and closes it."""
    file = io.BytesIO()
    pdf.save(file)
    pdf.close()
    return file.getvalue()
