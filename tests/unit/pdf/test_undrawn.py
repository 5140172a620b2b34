"""A page whose pictures cannot be decoded is not blank: it fails with a reason."""

from __future__ import annotations

import io
import random
import zlib

import pytest
from PIL import Image, ImageDraw

from rayocr.errors import PictureUndecodable
from rayocr.pdf.document import PdfFile
from tests.unit.pdf.pdfs import deflated, image_page, pages_of, stream

GRAY = "/Width 800 /Height 1000 /ColorSpace /DeviceGray /BitsPerComponent 8"
BITS = "/Width 800 /Height 1000 /ColorSpace /DeviceGray /BitsPerComponent 1"
RUBBISH = random.Random(1).randbytes(20_000)


def drawn() -> Image.Image:
    image = Image.new("L", (800, 1000), 255)
    for y in range(50, 950, 40):
        ImageDraw.Draw(image).text((50, y), "The quick brown fox jumps over the lazy dog", fill=0, font_size=24)
    return image


def encoded(format: str, image: Image.Image | None = None) -> bytes:
    data = io.BytesIO()
    (image or drawn()).save(data, format)
    return data.getvalue()


JPEG, JPX, RAW = encoded("JPEG"), encoded("JPEG2000"), drawn().tobytes()

UNDECODABLE = {
    "JPEG: rubbish": (f"{GRAY} /Filter /DCTDecode", RUBBISH),
    "JPEG: its head only": (f"{GRAY} /Filter /DCTDecode", JPEG[:300]),
    "JPEG: 12 bits": (f"{GRAY} /Filter /DCTDecode", JPEG.replace(b"\xff\xc0\x00\x0b\x08", b"\xff\xc0\x00\x0b\x0c")),
    "JPX: rubbish": (f"{GRAY} /Filter /JPXDecode", RUBBISH),
    "JPX: cut off": (f"{GRAY} /Filter /JPXDecode", JPX[: len(JPX) // 2]),
    "JBIG2: rubbish": (f"{BITS} /Filter /JBIG2Decode", RUBBISH),
    "JBIG2: nothing": (f"{BITS} /Filter /JBIG2Decode", b""),
    "JBIG2 stencil: rubbish": ("/Width 800 /Height 1000 /ImageMask true /BitsPerComponent 1 /Filter /JBIG2Decode", RUBBISH),
    "zlib: rubbish": (f"{GRAY} /Filter /FlateDecode", RUBBISH),
    "zlib: cut off": (f"{GRAY} /Filter /FlateDecode", zlib.compress(RAW)[:3000]),
    "LZW: rubbish": (f"{GRAY} /Filter /LZWDecode", RUBBISH),
    "a filter that nobody knows": (f"{GRAY} /Filter /FooDecode", RUBBISH),
    "a color space that nobody knows": (
        "/Width 800 /Height 1000 /ColorSpace /Foo /BitsPerComponent 8 /Filter /FlateDecode",
        zlib.compress(RAW),
    ),
    "3 bits": ("/Width 800 /Height 1000 /ColorSpace /DeviceGray /BitsPerComponent 3 /Filter /FlateDecode", zlib.compress(RAW)),
    "huge": (
        "/Width 100000 /Height 100000 /ColorSpace /DeviceRGB /BitsPerComponent 8 /Filter /FlateDecode",
        zlib.compress(RAW),
    ),
}
BLANK = {
    "white": (f"{GRAY} /Filter /FlateDecode", zlib.compress(b"\xff" * 800_000)),
    "white JPEG": (f"{GRAY} /Filter /DCTDecode", encoded("JPEG", Image.new("L", (800, 1000), 255))),
    "without pixels": ("/Width 0 /Height 0 /ColorSpace /DeviceGray /BitsPerComponent 8", b""),
    "hidden by its own mask": (f"{GRAY} /Filter /DCTDecode /SMask 6 0 R", JPEG),
    "hidden by a color key": (f"{GRAY} /Filter /FlateDecode /Mask [0 255]", zlib.compress(RAW)),
}
MASK = deflated(bytes(100), "/Type /XObject /Subtype /Image /Width 10 /Height 10 /ColorSpace /DeviceGray /BitsPerComponent 8")


def page_of(entries: str, data: bytes) -> bytes:
    extra = {5: stream(data, f"/Type /XObject /Subtype /Image {entries}"), 6: MASK}
    return pages_of(content=b"q 595 0 0 842 0 0 cm /Im Do Q", resources="/XObject << /Im 5 0 R >>", extra=extra)


@pytest.mark.parametrize(("entries", "data"), UNDECODABLE.values(), ids=UNDECODABLE.keys())
def test_a_page_with_a_picture_that_cannot_be_decoded_is_not_blank(entries: str, data: bytes) -> None:
    with (
        PdfFile(page_of(entries, data), max_pixels=2_000_000) as file,
        file.page(1) as page,
        pytest.raises(PictureUndecodable, match="Page 1: A picture of"),
    ):
        page.ink_coverage()


@pytest.mark.parametrize(("entries", "data"), BLANK.values(), ids=BLANK.keys())
def test_a_picture_of_which_nothing_is_to_be_seen_is_not_ink(entries: str, data: bytes) -> None:
    with PdfFile(page_of(entries, data), max_pixels=2_000_000) as file, file.page(1) as page:
        assert page.ink_coverage() == 0.0
        assert page.undrawn_picture == ""


def test_a_picture_under_a_white_sheet_is_not_undecodable() -> None:
    over = b"1 g 0 0 595 842 re f"
    with PdfFile(image_page(f"{GRAY} /Filter /DCTDecode", JPEG, over=over), max_pixels=2_000_000) as file, file.page(1) as page:
        assert page.ink_coverage() == 0.0


def test_a_picture_that_cannot_be_decoded_is_known_beside_text() -> None:
    data = image_page(f"{GRAY} /Filter /JPXDecode", RUBBISH, over=b"BT /F1 24 Tf 72 700 Td (A letterhead) Tj ET")
    with PdfFile(data, max_pixels=2_000_000) as file, file.page(1) as page:
        assert page.ink_coverage() > 0
        assert "JPXDecode" in page.undrawn_picture
        assert page.undecodable_share == pytest.approx(1.0)


def test_of_pictures_that_can_be_drawn_nothing_is_lost() -> None:
    for entries, data in BLANK.values():
        with PdfFile(page_of(entries, data), max_pixels=2_000_000) as file, file.page(1) as page:
            assert page.undecodable_share == 0.0


def ends_early(data: bytes, entries: str) -> float:
    with PdfFile(image_page(entries, data), max_pixels=4_000_000) as file, file.page(1) as page:
        return page.cut_off_share


@pytest.mark.parametrize("kept", [0.3, 0.6])
def test_a_picture_whose_data_end_early_is_missing_in_part(kept: float) -> None:
    jpeg, entries = JPEG[: int(len(JPEG) * kept)], f"{GRAY} /Filter /DCTDecode"
    assert 0.2 < ends_early(jpeg, entries) < 0.9
    assert ends_early(JPEG, entries) == 0.0
    part = zlib.compress(RAW)[: int(len(zlib.compress(RAW)) * kept)]
    assert ends_early(part, f"{GRAY} /Filter /FlateDecode") > 0.1
    assert ends_early(zlib.compress(RAW), f"{GRAY} /Filter /FlateDecode") == 0.0


BLACK = "[/Separation /Black /DeviceGray << /FunctionType 2 /Domain [0 1] /C0 [1] /C1 [0] /N 1 >>]"


@pytest.mark.parametrize(
    ("entries", "bytes_per_pixel"),
    [
        ("/ColorSpace /DeviceGray /BitsPerComponent 16", 2),
        ("/ColorSpace /DeviceRGB /BitsPerComponent 16", 6),
        ("/ColorSpace /DeviceCMYK /BitsPerComponent 8", 4),
        (f"/ColorSpace {BLACK} /BitsPerComponent 16", 2),
    ],
)
@pytest.mark.parametrize("content", [RUBBISH, b""])
def test_a_picture_of_16_bits_or_of_several_inks_is_whole(entries: str, bytes_per_pixel: int, content: bytes) -> None:
    data = zlib.compress(content.ljust(800 * 1000 * bytes_per_pixel, b"\xff"))
    assert ends_early(data, f"/Width 800 /Height 1000 {entries} /Filter /FlateDecode") == 0.0


@pytest.mark.parametrize("bits", [2, 4])
@pytest.mark.parametrize("colors", ["/DeviceGray", "/DeviceRGB", "[/Indexed /DeviceRGB 1 <000040FFFFF0>]"])
def test_a_picture_with_few_bits_per_color_is_whole(colors: str, bits: int) -> None:
    """PDFium reports 8 bits for them."""
    row = 800 * bits * (3 if colors == "/DeviceRGB" else 1) // 8
    entries = f"/Width 800 /Height 1000 /ColorSpace {colors} /BitsPerComponent {bits} /Filter /FlateDecode"
    assert ends_early(zlib.compress(RAW[: row * 1000].ljust(row * 1000, b"\xff")), entries) == 0.0
    assert ends_early(zlib.compress(RAW[: row * 600].ljust(row * 600, b"\xff")), entries) > 0.1
