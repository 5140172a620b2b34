from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import numpy
import pypdfium2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageColor, ImageDraw

from rayocr.errors import PageUnrenderable, PictureUndecodable
from rayocr.pdf.document import PdfFile
from rayocr.pdf.drawing import rendering
from rayocr.pdf.drawing.page_drawing import Rendering
from rayocr.pdf.drawing.rendering import render_scale
from rayocr.pdf.ink import BLANK_COVERAGE
from rayocr.pdf.page import Page
from tests.unit.pdf import pdfs

MAX_PIXELS = 2_000_000
CORNER = b"0 g 0 742 100 100 re f"  # a black square at the top left of an upright A4 page


@contextmanager
def first_page(data: bytes, *, max_pixels: int = MAX_PIXELS) -> Iterator[Page]:
    with PdfFile(data, max_pixels=max_pixels) as file, file.page(1) as page:
        yield page


def gray_image(pixels: numpy.ndarray, *, quality: int = 85) -> bytes:
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, format="JPEG", quality=quality)
    return out.getvalue()


def jpeg_page(pixels: numpy.ndarray, *, page_entries: str = "", over: bytes = b"") -> bytes:
    height, width = pixels.shape
    entries = f"/Width {width} /Height {height} /BitsPerComponent 8 /ColorSpace /DeviceGray /Filter /DCTDecode"
    return pdfs.image_page(entries, gray_image(pixels), page_entries=page_entries, over=over)


def printed(height: int = 1754, width: int = 1240) -> numpy.ndarray:
    """A scan with rows of marks that are as large as letters."""
    pixels = numpy.full((height, width), 245, dtype=numpy.uint8)
    for top in range(150, height - 150, 40):
        for left in range(120, width - 120, 16):
            pixels[top : top + 18, left : left + 5] = 30
    return pixels


def dark_quadrant(rendering: Rendering) -> tuple[str, str]:
    pixels = numpy.asarray(rendering.image.convert("L"))
    ys, xs = numpy.nonzero(pixels < 128)
    return (
        "top" if ys.mean() < pixels.shape[0] / 2 else "bottom",
        "left" if xs.mean() < pixels.shape[1] / 2 else "right",
    )


# -- how large a rendering gets ---------------------------------------------------------------------------------------------


@given(
    st.floats(1e-4, 1e12),
    st.floats(1e-4, 1e12),
    st.integers(10, 2400),
    st.integers(10_000, 100_000_000),
    st.floats(0, 1e6),
)
def test_no_page_is_rendered_with_more_pixels_than_allowed(
    width: float, height: float, dpi: int, max_pixels: int, native: float
) -> None:
    scale = render_scale(width, height, dpi=dpi, max_pixels=max_pixels, native_dpi=native)
    assert scale > 0
    assert width * scale * height * scale <= max_pixels * 1.000001
    assert max(width, height) * scale <= 20_000 * 1.000001


def test_an_a4_page_gets_the_dpi_that_was_asked_for() -> None:
    assert render_scale(595, 842, dpi=200, max_pixels=20_000_000) * 72 == pytest.approx(200)


def test_a_page_of_two_by_three_inches_gets_more_than_that() -> None:
    assert render_scale(144, 216, dpi=200, max_pixels=20_000_000) * 216 == pytest.approx(1500)


def test_a_stamp_gets_600_dpi_and_not_a_rendering_of_its_grain() -> None:
    assert render_scale(20, 20, dpi=200, max_pixels=20_000_000) * 72 == pytest.approx(600)


def test_a_scan_placed_on_a_tiny_page_keeps_its_own_resolution() -> None:
    assert render_scale(72, 72, dpi=200, max_pixels=20_000_000, native_dpi=1100) * 72 == pytest.approx(1100)


@pytest.mark.parametrize(
    "box",
    [
        "[0 0 1000000000 1000000000]",
        "[0 0 " + "3" + "0" * 37 + " 3" + "0" * 37 + "]",
        "[-3" + "0" * 38 + " 0 3" + "0" * 38 + " 10]",
        "[0 0 14400 0.01]",
        "[0 0 0.0001 0.0001]",
        "[0 0 0 0]",
        "[0 0 nan inf]",
        "[/a /b (x) null]",
        "[0 0]",
        "",
    ],
)
def test_whatever_the_media_box_claims_every_question_has_an_answer_within_the_limit(box: str) -> None:
    with first_page(pdfs.pages_of(media_box=box)) as page:
        for render in (lambda: page.render(dpi=200).image, lambda: page.render(dpi=1200, grayscale=True).image):
            try:
                image = render()
            except PageUnrenderable:
                assert not (page.width_pt > 0 and page.height_pt > 0)
            else:
                assert image.width * image.height <= MAX_PIXELS
        assert 0 <= page.ink_coverage() <= 1
        assert page.cut_out().startswith(b"%PDF-")
        assert page.text_layer().verdict.kind in ("none", "trusted")


@pytest.mark.parametrize("box", ["[0 0 0 0]", "[0 0 nan inf]", "[/a /b (x) null]", ""])
def test_a_page_without_a_usable_media_box_is_a_letter(box: str) -> None:
    with first_page(pdfs.pages_of(media_box=box)) as page:
        assert (page.width_pt, page.height_pt) == (612, 792)


def test_an_inverted_media_box_is_turned_right() -> None:
    with first_page(pdfs.pages_of(media_box="[595 842 0 0]")) as page:
        assert (page.width_pt, page.height_pt) == (595, 842)


@pytest.mark.parametrize("unit", ["10", "0", "-1", "/x", "1000000000"])
def test_a_user_unit_changes_nothing_of_what_is_seen(unit: str) -> None:
    with first_page(pdfs.pages_of((f"/UserUnit {unit}",))) as page:
        assert (page.width_pt, page.height_pt) == (595, 842)
        with first_page(pdfs.pages_of()) as plain:
            assert page.render(dpi=100).image.size == plain.render(dpi=100).image.size


def test_the_scale_takes_pixels_back_to_points() -> None:
    with first_page(pdfs.pages_of()) as page:
        rendering = page.render(dpi=150)
        assert rendering.image.width / rendering.scale == pytest.approx(page.width_pt)
        assert rendering.image.height / rendering.scale == pytest.approx(page.height_pt, abs=1)


@pytest.mark.parametrize("box", ["[0 0 0.0001 842]", "[0 0 0.01 14400]", "[0 0 842 0.0001]"])
def test_a_page_as_thin_as_a_hair_has_a_small_picture(box: str) -> None:
    with first_page(pdfs.pages_of(media_box=box)) as page:
        for image in (page.render(dpi=200).image, page.thumbnail(75), page.render(dpi=200, grayscale=True).image):
            assert min(image.size) == 1
            assert max(image.size) <= 20_000


@given(st.floats(100, 2000), st.integers(50, 300))
@settings(max_examples=30, deadline=None, derandomize=True)
def test_the_exact_scale_of_a_picture_gives_the_same_picture(width: float, dpi: int) -> None:
    with first_page(pdfs.pages_of(media_box=f"[0 0 {width:.3f} 100]")) as page:
        once = page._drawing._pixels(dpi / 72)
        assert page._drawing._pixels(once[2])[0] == once[0]


# -- which way up -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rotate", "quadrant", "size"),
    [
        ("0", ("top", "left"), (595, 842)),
        ("90", ("top", "right"), (842, 595)),
        ("180", ("bottom", "right"), (595, 842)),
        ("270", ("bottom", "left"), (842, 595)),
        ("-90", ("bottom", "left"), (842, 595)),
        ("450", ("top", "right"), (842, 595)),
        ("45", ("top", "left"), (595, 842)),
        ("99999999999999999999", ("top", "left"), (595, 842)),
        ("/x", ("top", "left"), (595, 842)),
    ],
)
def test_a_page_is_rendered_as_its_rotation_says(rotate: str, quadrant: tuple[str, str], size: tuple[float, float]) -> None:
    with first_page(pdfs.pages_of((f"/Rotate {rotate}",), content=CORNER)) as page:
        assert (page.width_pt, page.height_pt) == size
        assert dark_quadrant(page.render(dpi=100)) == quadrant


def test_a_rotation_inherited_from_the_tree_counts() -> None:
    with first_page(pdfs.pages_of(content=CORNER, pages_entries="/Rotate 90")) as page:
        assert dark_quadrant(page.render(dpi=100)) == ("top", "right")


@pytest.mark.parametrize("rotate", [0, 90, 180, 270])
def test_a_cut_out_page_is_turned_like_the_original(rotate: int) -> None:
    with first_page(pdfs.pages_of((f"/Rotate {rotate}",), content=CORNER)) as page:
        expected = dark_quadrant(page.render(dpi=72))
        with first_page(page.cut_out()) as single:
            assert dark_quadrant(single.render(dpi=72)) == expected


def test_a_page_cut_out_is_that_page_alone() -> None:
    data = pdfs.pages_of(("", "/MediaBox [0 0 300 300]", ""))
    with PdfFile(data, max_pixels=MAX_PIXELS) as file, file.page(2) as page, pypdfium2.PdfDocument(page.cut_out()) as single:
        assert len(single) == 1
        assert single[0].get_size() == (300, 300)


# -- crop boxes -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("crop", ["[1000 1000 2000 2000]", "[595 0 700 842]", "[-10 -10 0 842]"])
def test_a_crop_box_beside_the_page_leaves_the_whole_page(crop: str) -> None:
    with first_page(pdfs.pages_of((f"/CropBox {crop}",))) as page:
        assert (page.width_pt, page.height_pt) == (595, 842)
        assert page.ink_coverage() >= BLANK_COVERAGE
        assert page.text_layer().lines[0].x0 == pytest.approx(72, abs=1)
        with first_page(page.cut_out()) as single:
            assert (single.width_pt, single.height_pt) == (595, 842)


def test_a_crop_box_around_the_page_is_cut_to_it() -> None:
    with first_page(pdfs.pages_of(("/CropBox [-9000 -9000 9000 9000]",))) as page:
        assert (page.width_pt, page.height_pt) == (595, 842)


def test_two_pages_cropped_from_one_sheet_have_their_own_text_each() -> None:
    sheet = b"BT /F1 20 Tf 50 700 Td (left page) Tj 300 0 Td (right page) Tj ET"
    data = pdfs.pages_of(("/CropBox [0 0 297 842]", "/CropBox [297 0 595 842]"), content=sheet)
    with PdfFile(data, max_pixels=MAX_PIXELS) as file, file.page(1) as left, file.page(2) as right:
        assert left.text_layer().text == "left page"
        assert right.text_layer().text == "right page"
        assert right.text_layer().lines[0].x0 == pytest.approx(53, abs=1)


# -- is there anything on it ------------------------------------------------------------------------------------------------


def test_a_page_without_content_has_no_ink_and_is_not_rendered(monkeypatch: pytest.MonkeyPatch) -> None:
    with first_page(pdfs.pages_of(content=b"")) as page:
        monkeypatch.setattr(rendering, "draw_into", None)
        assert page.ink_coverage() == 0.0


def test_a_page_with_nothing_but_an_annotation_has_ink() -> None:
    look = pdfs.stream(b"0 g 0 0 300 200 re f", "/Type /XObject /Subtype /Form /BBox [0 0 300 200]")
    data = pdfs.pages_of(
        ("/Annots [5 0 R]",),
        content=b"",
        extra={5: b"<< /Type /Annot /Subtype /Stamp /Rect [100 400 400 600] /F 4 /AP << /N 6 0 R >> >>", 6: look},
    )
    with first_page(data) as page:
        assert page.ink_coverage() > 0.05


LOST = {
    "no stream": (b"<< /Lost true >>", ""),
    "rubbish": (pdfs.stream(b"rubbish" * 50, "/Filter /FlateDecode"), ""),
    "no such picture": (pdfs.stream(b"q 595 0 0 842 0 0 cm /Im Do Q"), "/XObject << /Other 3 0 R >>"),
}


@pytest.mark.parametrize("name", LOST)
def test_a_page_that_has_lost_its_content_is_not_blank(name: str) -> None:
    content, resources = LOST[name]
    data = pdfs.pages_of(content=b"<< /Lost true >>", resources=resources).replace(b"<< /Lost true >>", content)
    with first_page(pdfs.reindexed(data)) as page, pytest.raises(PageUnrenderable, match="Page 1: "):
        page.ink_coverage()


@pytest.mark.parametrize("content", [b"", b"q Q", b"0 0 9 9 re W n", b"% /Im Do"])
def test_a_page_that_draws_nothing_is_blank(content: bytes) -> None:
    with first_page(pdfs.pages_of(content=content)) as page:
        assert page.ink_coverage() == 0


@pytest.fixture(scope="module")
def pale_paper() -> Image.Image:
    noise = numpy.random.default_rng(2).normal(0, 5, (1754, 1240, 1))
    return Image.fromarray((noise + numpy.array([247, 245, 240])).clip(0, 255).astype(numpy.uint8))


def color_coverage(image: Image.Image) -> float:
    out = io.BytesIO()
    image.save(out, format="JPEG", quality=75)
    entries = f"/Width {image.width} /Height {image.height} /BitsPerComponent 8 /ColorSpace /DeviceRGB /Filter /DCTDecode"
    with first_page(pdfs.image_page(entries, out.getvalue())) as page:
        return page.ink_coverage()


def test_pale_paper_is_blank(pale_paper: Image.Image) -> None:
    assert color_coverage(pale_paper) == 0


@pytest.mark.parametrize("color", ["#faeb3c", "#b9d7f5", "#fabecd", "#beebbe", "#ffc878"])
def test_a_stamp_in_a_pale_color_is_ink(pale_paper: Image.Image, color: str) -> None:
    image = pale_paper.copy()
    ImageDraw.Draw(image).text((340, 700), "RECEIVED 14 MAR 1987", fill=color, font_size=36)
    assert color_coverage(image) >= BLANK_COVERAGE


@pytest.mark.parametrize("paper, color", [("#0000ff", "#ff0000"), ("#c00000", "#0000b0"), ("#008000", "#b000b0")])
def test_print_is_ink_on_paper_of_a_strong_color_that_is_as_dark(paper: str, color: str) -> None:
    noise = numpy.random.default_rng(2).normal(0, 4, (1754, 1240, 3))
    image = Image.fromarray((noise + numpy.array(ImageColor.getrgb(paper))).clip(0, 255).astype(numpy.uint8))
    assert color_coverage(image) == 0
    ImageDraw.Draw(image).text((340, 700), "Invoice 54582284 of 04.12.2015", fill=color, font_size=22)
    assert color_coverage(image) >= BLANK_COVERAGE


def test_brown_stains_of_the_paper_are_not_ink() -> None:
    random = numpy.random.default_rng(5)
    pixels = random.normal(0, 5, (1754, 1240, 1)) + numpy.array([235, 215, 175])
    y, x = numpy.arange(1754), numpy.arange(1240)
    for _ in range(20):
        at_x, at_y, size, depth = random.uniform(0, 1240), random.uniform(0, 1754), random.uniform(8, 70), random.uniform(10, 45)
        stain = numpy.outer(*(numpy.exp(-((along - at) ** 2) / (2 * size**2)) for along, at in ((y, at_y), (x, at_x))))
        pixels -= stain[..., None] * (0.35 * depth, 0.6 * depth, depth)
    assert color_coverage(Image.fromarray(pixels.clip(0, 255).astype(numpy.uint8))) == 0


def test_a_scan_full_of_ink_is_seen_without_rendering(monkeypatch: pytest.MonkeyPatch) -> None:
    with first_page(jpeg_page(printed())) as page:
        rendered = Page.ink_coverage.__get__(page)
        monkeypatch.setattr(rendering, "draw_into", None)
        assert rendered() > 0.1


def test_a_blank_noisy_scan_is_rendered_to_be_certain_and_is_blank() -> None:
    noise = numpy.random.default_rng(3).normal(225, 6, (1754, 1240)).clip(0, 255).astype(numpy.uint8)
    with first_page(jpeg_page(noise)) as page:
        assert page.ink_coverage() < BLANK_COVERAGE


def test_a_scan_under_a_white_sheet_is_blank() -> None:
    with first_page(jpeg_page(printed(), over=b"1 g 0 0 595 842 re f")) as page:
        assert page.ink_coverage() < BLANK_COVERAGE


def test_a_scan_under_a_white_image_is_blank() -> None:
    white = numpy.full((100, 100), 255, dtype=numpy.uint8)
    head = "/Type /XObject /Subtype /Image /Width 100 /Height 100 /BitsPerComponent 8 /ColorSpace /DeviceGray"
    data = pdfs.reindexed(
        jpeg_page(printed(), over=b"q 595 0 0 842 0 0 cm /Im2 Do Q")
        .replace(b"/Im 5 0 R", b"/Im 5 0 R /Im2 6 0 R")
        .replace(b"10 0 obj", b"6 0 obj\n" + pdfs.stream(white.tobytes(), head) + b"\nendobj\n10 0 obj")
    )
    with first_page(data) as page:
        assert page.image_share == 1.0
        assert page.ink_coverage() < BLANK_COVERAGE


@pytest.mark.parametrize("rotate", [0, 90])
def test_the_quick_check_of_a_scan_agrees_with_its_rendering(rotate: int, monkeypatch: pytest.MonkeyPatch) -> None:
    data = jpeg_page(printed(), page_entries=f"/Rotate {rotate}")
    with first_page(data) as page:
        quick = page.ink_coverage()
        assert quick >= BLANK_COVERAGE
        monkeypatch.setattr(page, "_scan_at", lambda dpi: None)
        assert (page.ink_coverage() >= BLANK_COVERAGE) == (quick >= BLANK_COVERAGE)


def test_visible_text_is_certain_ink_and_invisible_text_is_not() -> None:
    sentence = b"(A sentence of more than twenty letters)"
    with first_page(pdfs.pages_of(content=b"BT /F1 12 Tf 72 700 Td " + sentence + b" Tj ET")) as page:
        assert page.certainly_inked()
    with first_page(pdfs.pages_of(content=b"BT 3 Tr /F1 12 Tf 72 700 Td " + sentence + b" Tj ET")) as page:
        assert not page.certainly_inked()


def test_text_beside_the_page_is_not_ink() -> None:
    outside = b"BT /F1 12 Tf 72 2000 Td (A sentence of more than twenty letters) Tj ET"
    with first_page(pdfs.pages_of(content=outside)) as page:
        assert not page.certainly_inked()
        assert page.ink_coverage() == 0.0


# -- content that is not what it should be ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "content",
    [
        b"((((((<<<<[[[ BT BT Tj 1 2 3 cm cm q q q q" * 100,
        b"/Im Do " * 1000,
        bytes(range(256)) * 40,
        b"BT /F1 1000000000 Tf 0 0 Td (Hello) Tj ET",
        b"[0.0000001 0.0000001] 0 d 0.1 w 0 0 m 500 800 l S",
        b"0 0 0 0 0 0 cm BT /F1 12 Tf (Hello) Tj ET",
        b"<< /Length 999999999 >>\nstream\nBT ET\nendstream",
        b"<< /Length -1 >>\nstream\nBT ET\nendstream",
        b"<< /Length 4 0 R >>\nstream\nBT ET\nendstream",
        b"<< /Length 20 /Filter /FlateDecode >>\nstream\nthis is not zlib at all\nendstream",
    ],
)
def test_malformed_content_is_a_page_like_any_other(content: bytes) -> None:
    with first_page(pdfs.pages_of(content=content)) as page:
        with suppress(PageUnrenderable):  # where the content is damaged or draws objects that the file lacks
            assert 0 <= page.ink_coverage() <= 1
        assert page.render(dpi=72).image.size
        assert page.text_layer().verdict.kind in ("none", "bad", "trusted")
        assert page.cut_out().startswith(b"%PDF-")


@pytest.mark.parametrize(
    "entries",
    [
        "/ColorSpace /DeviceGray /BitsPerComponent 1 /Filter /FlateDecode",
        "/ColorSpace /DeviceRGB /BitsPerComponent 8 /Filter /FlateDecode",
        "/ColorSpace /DeviceGray /BitsPerComponent 8 /Filter /DCTDecode",
        "/ColorSpace /DeviceGray /BitsPerComponent 8 /Filter /JPXDecode",
        "/ImageMask true /BitsPerComponent 1 /Filter /JBIG2Decode",
    ],
)
def test_an_image_that_claims_billions_of_pixels_and_has_none_is_rendered_within_the_limit(entries: str) -> None:
    with first_page(pdfs.image_page(f"/Width 60000 /Height 40000 {entries}", b"\0" * 50)) as page:
        rendering = page.render(dpi=200)
        assert rendering.image.width * rendering.image.height <= MAX_PIXELS
        with pytest.raises(PictureUndecodable):
            page.ink_coverage()


def test_closing_twice_is_allowed() -> None:
    with PdfFile(pdfs.pages_of(), max_pixels=MAX_PIXELS) as file:
        page = file.page(1)
        page.close()
        page.close()
        assert file.page(1).page_number == 1, "the document is still open"
