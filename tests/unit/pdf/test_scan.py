from __future__ import annotations

import io

import numpy
import pypdfium2
import pypdfium2.raw as pdfium
import pytest
from PIL import Image

from rayocr.pdf.scan import reduced_jpeg
from tests.unit.pdf import pdfs


def jpeg(width: int = 1240, height: int = 1754, mode: str = "L") -> bytes:
    out = io.BytesIO()
    Image.fromarray(numpy.full((height, width), 200, dtype=numpy.uint8)).convert(mode).save(out, format="JPEG")
    return out.getvalue()


def reduced(data: bytes, entries: str = "/Filter /DCTDecode", *, long_side_px: float = 877) -> Image.Image | None:
    head = f"/Width 1240 /Height 1754 /BitsPerComponent 8 /ColorSpace /DeviceGray {entries}"
    with pypdfium2.PdfDocument(pdfs.image_page(head, data)) as document:
        page = document[0]
        return reduced_jpeg(pdfium.FPDFPage_GetObject(page.raw, 0), long_side_px)


@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK"])
def test_a_jpeg_comes_back_gray_at_one_to_two_times_the_size_asked_for(mode: str) -> None:
    image = reduced(jpeg(mode=mode))
    assert image is not None
    assert (image.mode, image.size) == ("L", (620, 877))


def test_a_small_jpeg_is_not_blown_up() -> None:
    image = reduced(jpeg(100, 150))
    assert image is not None
    assert image.size == (100, 150)


@pytest.mark.parametrize(
    ("data", "entries"),
    [
        pytest.param(b"", "/Filter /DCTDecode", id="empty"),
        pytest.param(b"\xff\xd8 no jpeg", "/Filter /DCTDecode", id="not a JPEG"),
        pytest.param(jpeg()[:900], "/Filter /DCTDecode", id="cut off"),
        pytest.param(b"\0" * 100, "", id="no filter"),
        pytest.param(b"\0" * 100, "/Filter /FlateDecode", id="another filter"),
        pytest.param(jpeg().hex().encode(), "/Filter [/ASCIIHexDecode /DCTDecode]", id="two filters"),
        pytest.param(b"\0" * 100, "/Filter /DCTDecodeAndMore", id="a longer name"),
        pytest.param(b"\0" * 100, "/Filter /DCT", id="a shorter name"),
    ],
)
def test_what_is_not_a_plain_and_whole_jpeg_is_left_to_rendering(data: bytes, entries: str) -> None:
    assert reduced(data, entries) is None


def test_a_jpeg_that_claims_billions_of_pixels_is_left_to_rendering() -> None:
    data = bytearray(jpeg())
    frame = data.index(b"\xff\xc0")
    data[frame + 5 : frame + 9] = b"\xff\xf0\xff\xf0"
    assert reduced(bytes(data)) is None
    with pypdfium2.PdfDocument(pdfs.image_page("/Width 60000 /Height 60000 /Filter /DCTDecode", jpeg())) as document:
        assert reduced_jpeg(pdfium.FPDFPage_GetObject(document[0].raw, 0), 877) is None
