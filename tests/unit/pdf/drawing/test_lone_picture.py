"""A page of one picture is drawn without PDFium's resizing. The result must be what PDFium draws."""

from __future__ import annotations

import io
import zlib
from collections.abc import Callable
from typing import Any

import numpy as np
import pikepdf
import pytest
from PIL import Image, ImageDraw

from rayocr.pdf.document import PdfFile
from rayocr.pdf.drawing import lone_picture as lone_picture_module
from rayocr.pdf.drawing.rendering import draw
from rayocr.pdf.ink import SURELY_INKED
from rayocr.pdf.page import Page
from rayocr.pdf.scan import lone_picture

_SIZE = (1000, 1400)
_WHOLE = "q 480 0 0 672 0 0 cm /Im Do Q"


def _picture(mode: str = "L") -> Image.Image:
    image = Image.new("RGB", _SIZE, (246, 240, 228))
    pen = ImageDraw.Draw(image)
    for row in range(40):
        pen.text((60 + 4 * row, 60 + 30 * row), f"Line {row} of the scan, 1,234.50", fill=(20, 20 + 4 * row, 90), font_size=26)
    pen.rectangle((500, 900, 900, 1300), fill=(200, 40, 40))
    return image.convert(mode)


def _stored(image: Image.Image, *, jpeg: bool = True, **entries: Any) -> tuple[bytes, dict[str, Any]]:
    space = {"L": "/DeviceGray", "RGB": "/DeviceRGB", "CMYK": "/DeviceCMYK", "1": "/DeviceGray"}[image.mode]
    facts: dict[str, Any] = {"Type": pikepdf.Name.XObject, "Subtype": pikepdf.Name.Image, "ColorSpace": pikepdf.Name(space)}
    facts |= {"Width": image.width, "Height": image.height, "BitsPerComponent": 1 if image.mode == "1" else 8}
    if jpeg:
        data = io.BytesIO()
        image.save(data, "JPEG", quality=85)
        return data.getvalue(), facts | {"Filter": pikepdf.Name.DCTDecode} | entries
    return zlib.compress(image.tobytes()), facts | {"Filter": pikepdf.Name.FlateDecode} | entries


def _page_of(
    stored: tuple[bytes, dict[str, Any]],
    *,
    content: str = _WHOLE,
    change: Callable[[pikepdf.Pdf, pikepdf.Page], None] = lambda pdf, page: None,
    **entries: Any,
) -> Page:
    pdf = pikepdf.new()
    data, facts = stored
    page = pdf.add_blank_page(page_size=(480, 672))
    picture = pikepdf.Stream(pdf, data, **facts)
    page.Resources = pikepdf.Dictionary(XObject=pikepdf.Dictionary(Im=pdf.make_indirect(picture)))
    page.Contents = pdf.make_stream(content.encode())
    for key, value in entries.items():
        page[f"/{key}"] = value
    change(pdf, page)
    out = io.BytesIO()
    pdf.save(out)
    return PdfFile(out.getvalue(), max_pixels=20_000_000).page(1)


def _as_pdfium_draws(page: Page, size: tuple[int, int]) -> Any:
    return np.asarray(draw(page._page.raw, *size, grayscale=True)).astype(int)


_GRAY, _COLOR, _BITS = _stored(_picture()), _stored(_picture("RGB")), _stored(_picture("1"), jpeg=False)
_ALIKE = {
    "gray": {"stored": _GRAY},
    "color": {"stored": _COLOR},
    "one bit": {"stored": _BITS},
    "not compressed with losses": {"stored": _stored(_picture("RGB"), jpeg=False)},
    "fine, one bit": {"stored": _stored(_picture("L").resize((2000, 2800)).convert("1"), jpeg=False)},
    "half as large": {"stored": _stored(_picture("L").resize((2666, 3732)))},
    "four inks": {"stored": _stored(_picture("CMYK"), jpeg=False)},
    "inverted by the file": {"stored": _stored(_picture(), Decode=[1, 0])},
    "turned page": {"stored": _COLOR, "Rotate": 90},
    "page upside down": {"stored": _GRAY, "Rotate": 180},
    "turned picture": {"stored": _GRAY, "content": "q 0 672 -480 0 480 0 cm /Im Do Q"},
    "picture turned back by the page": {"stored": _GRAY, "content": "q 0 672 -480 0 480 0 cm /Im Do Q", "Rotate": 90},
    "mirrored": {"stored": _GRAY, "content": "q -480 0 0 672 480 0 cm /Im Do Q"},
    "wide margins": {"stored": _GRAY, "content": "q 400 0 0 560 31.3 70.9 cm /Im Do Q"},
    "beyond the page": {"stored": _GRAY, "content": "q 500 0 0 700 -8.3 -12.7 cm /Im Do Q"},
    "cropped page": {"stored": _GRAY, "CropBox": [40, 50, 440, 610]},
    "page that begins elsewhere": {
        "stored": _GRAY,
        "MediaBox": [-100, -50, 380, 622],
        "content": "q 480 0 0 672 -100 -50 cm /Im Do Q",
    },
    "reduced": {"stored": _stored(_picture().resize((2000, 2800)))},
}


@pytest.mark.parametrize("name", _ALIKE)
def test_one_picture_is_drawn_as_pdfium_draws_it(name: str) -> None:
    page = _page_of(**_ALIKE[name])
    drawn = page.render(dpi=200, grayscale=True)
    assert (lone_picture(page._page.raw, page._objects, (page.width_pt, page.height_pt)) is None) == (name == "mirrored")
    assert drawn.image.mode == "L"
    assert abs(drawn.image.width / drawn.scale - page.width_pt) < 0.5
    expected = _as_pdfium_draws(page, drawn.image.size)
    seen = np.asarray(drawn.image).astype(int)
    assert np.abs(seen - expected).mean() < 1.0


def _masked(pdf: pikepdf.Pdf, page: pikepdf.Page) -> None:
    data, facts = _stored(Image.new("L", (10, 14), 0), jpeg=False)
    page.Resources.XObject.Im.SMask = pdf.make_indirect(pikepdf.Stream(pdf, data, **facts))


def _in_hidden_layer(pdf: pikepdf.Pdf, page: pikepdf.Page) -> None:
    layer = pdf.make_indirect(pikepdf.Dictionary(Type=pikepdf.Name.OCG, Name="Draft"))
    pdf.Root.OCProperties = pikepdf.Dictionary(OCGs=[layer], D=pikepdf.Dictionary(OFF=[layer]))
    page.Resources.XObject.Im.OC = layer


def _content_in_hidden_layer(pdf: pikepdf.Pdf, page: pikepdf.Page) -> None:
    _in_hidden_layer(pdf, page)
    page.Resources.Properties = pikepdf.Dictionary(Draft=page.Resources.XObject.Im.OC)
    del page.Resources.XObject.Im["/OC"]


def _pale(pdf: pikepdf.Pdf, page: pikepdf.Page) -> None:
    page.Resources.ExtGState = pikepdf.Dictionary(Pale=pikepdf.Dictionary(ca=0.1))


def _annotated(pdf: pikepdf.Pdf, page: pikepdf.Page) -> None:
    note = pikepdf.Dictionary(
        Type=pikepdf.Name.Annot, Subtype=pikepdf.Name.Square, Rect=[50, 50, 200, 200], C=[0, 0, 0], IC=[0, 0, 0]
    )
    page.Annots = pikepdf.Array([pdf.make_indirect(note)])


_OTHERWISE = {
    "mask": {"change": _masked},
    "hidden layer": {"change": _in_hidden_layer},
    "content of a hidden layer": {"change": _content_in_hidden_layer, "content": f"/OC /Draft BDC {_WHOLE} EMC"},
    "transparent": {"change": _pale, "content": f"/Pale gs {_WHOLE}"},
    "annotation": {"change": _annotated},
    "clipped": {"content": f"q 0 0 240 672 re W n {_WHOLE} Q"},
    "enlarged": {"content": "q 4800 0 0 6720 0 0 cm /Im Do Q", "MediaBox": [0, 0, 4800, 6720]},
    "skewed": {"content": "q 440 60 -60 600 60 6 cm /Im Do Q"},
    "covered": {"content": f"{_WHOLE} 1 g 100 100 200 200 re f"},
    "twice": {"content": f"{_WHOLE} q 100 0 0 100 300 300 cm /Im Do Q"},
    "in a form": {"content": "q 240 0 0 672 0 0 cm /Im Do Q 0 0 m 10 10 l S"},
}


@pytest.mark.parametrize("name", _OTHERWISE)
def test_a_page_that_shows_more_or_less_than_its_picture_is_left_to_pdfium(name: str) -> None:
    page = _page_of(_GRAY, **_OTHERWISE[name])
    drawn = page.render(dpi=200, grayscale=True)
    expected = _as_pdfium_draws(page, drawn.image.size)
    if name == "annotation":
        assert np.asarray(drawn.image)[1500:1800, 200:500].mean() < 100
    else:
        assert (np.asarray(drawn.image) == expected).all()


def test_a_stencil_is_painted_in_its_color() -> None:
    stencil = _stored(_picture("1"), jpeg=False, ImageMask=True)
    del stencil[1]["ColorSpace"]
    page = _page_of(stencil, content=f"0.5 g {_WHOLE}")
    drawn = page.render(dpi=200, grayscale=True)
    assert (np.asarray(drawn.image) == _as_pdfium_draws(page, drawn.image.size)).all()


def test_a_damaged_picture_is_left_to_pdfium() -> None:
    data, facts = _GRAY
    page = _page_of((b"\0" * len(data), facts))
    drawn = page.render(dpi=200, grayscale=True)
    assert (np.asarray(drawn.image) == _as_pdfium_draws(page, drawn.image.size)).all()


def test_the_ink_of_a_scan_is_measured_in_the_drawing_that_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    decoded: list[Any] = []
    real = lone_picture_module._decoded
    monkeypatch.setattr(lone_picture_module, "_decoded", lambda item: decoded.append(item) or real(item))
    page = _page_of(_GRAY)
    share = page.ink_coverage(next_dpi=200)
    page.render(dpi=200, grayscale=True)
    assert len(decoded) == 1
    assert share > SURELY_INKED
    white = _page_of(_stored(Image.new("L", _SIZE, 250)))
    assert white.ink_coverage(next_dpi=200) == white.ink_coverage() == 0
