from __future__ import annotations

import pytest

from rayocr.pdf.document import PdfFile
from rayocr.pdf.objects import PageObjects, inspect_objects
from tests.unit.pdf import pdfs

IMAGE = "/Width 300 /Height 400 /BitsPerComponent 8 /ColorSpace /DeviceGray"


def objects_of(data: bytes) -> PageObjects:
    with PdfFile(data, max_pixels=1_000_000) as file, file.page(1) as page:
        return inspect_objects(page._page.raw, page.upright, page.width_pt, page.height_pt)


def with_image(placed: str, *, page_entries: str = "") -> PageObjects:
    return objects_of(pdfs.image_page(IMAGE, bytes(300 * 400), placed=placed, page_entries=page_entries))


def drawn(content: bytes, *, page_entries: str = "") -> PageObjects:
    return objects_of(pdfs.pages_of((page_entries,), content=content))


@pytest.mark.parametrize(
    ("placed", "share"),
    [
        ("595 0 0 842 0 0", 1.0),
        ("297.5 0 0 842 0 0", 0.5),
        ("5950 0 0 8420 -2000 -2000", 1.0),  # larger than the page: the part outside does not count
        ("595 0 0 842 1000 0", 0.0),  # outside the page
        ("0 842 -595 0 595 0", 1.0),  # lying on its side
        ("-595 0 0 -842 595 842", 1.0),  # upside down
        ("0 0 0 0 0 0", 0.0),
    ],
)
def test_the_share_of_images_is_what_can_be_seen_of_them(placed: str, share: float) -> None:
    assert with_image(placed).image_share == pytest.approx(share, abs=0.01)


@pytest.mark.parametrize("rotate", [0, 90, 180, 270])
def test_rotation_does_not_change_the_share(rotate: int) -> None:
    assert with_image("595 0 0 421 0 0", page_entries=f"/Rotate {rotate}").image_share == pytest.approx(0.5, abs=0.01)


def test_a_scan_reports_its_resolution() -> None:
    assert with_image("144 0 0 192 0 0").native_dpi == 0.0  # a picture on a page, not the page
    assert with_image("595 0 0 842 0 0").native_dpi == pytest.approx(400 / 842 * 72, rel=0.01)


def test_the_resolution_of_a_picture_counts_if_it_spans_half_of_the_page() -> None:
    assert with_image("144 0 0 192 0 0").detail_dpi == 0.0
    assert with_image("60 0 0 600 0 0").detail_dpi == pytest.approx(400 / 600 * 72, rel=0.01)


def test_stroked_lines_and_thin_filled_boxes_are_rulings_in_upright_points() -> None:
    found = drawn(b"50 742 m 350 742 l S 50 642 300 1 re f 100 100 m 100 300 l S")
    lines = [(round(r.x0), round(r.y0), round(r.x1), round(r.y1)) for r in found.rulings]
    assert lines[0] == (50, 100, 350, 100)
    assert lines[1] in {(50, 199, 350, 199), (50, 200, 350, 200)}
    assert lines[2] == (100, 542, 100, 742)


def test_a_stroked_rectangle_has_four_rulings() -> None:
    assert len(drawn(b"50 50 200 100 re S").rulings) == 4


def test_the_area_between_two_rectangles_is_the_border_of_a_box() -> None:
    sides = drawn(b"50 50 200 100 re 51 51 198 98 re f*").rulings
    assert len(sides) == 4
    assert all(abs(side.thickness - 1) < 0.01 for side in sides)
    (right,) = drawn(b"50 50 200 100 re 50 50 199 100 re f*").rulings
    assert (round(right.x0, 1), round(right.y1 - right.y0)) == (249.5, 100)


def test_other_areas_between_two_shapes_are_no_borders() -> None:
    assert drawn(b"50 50 200 100 re 60 60 180 80 re f*").rulings == ()
    assert drawn(b"50 50 200 100 re 51 51 198 98 re f").rulings == ()
    assert drawn(b"50 50 200 100 re 300 50 20 100 re f*").rulings == ()


def test_rulings_turn_with_the_page() -> None:
    (ruling,) = drawn(b"50 742 m 350 742 l S", page_entries="/Rotate 90").rulings
    assert ruling.x0 == ruling.x1
    assert ruling.y1 - ruling.y0 == pytest.approx(300, abs=1)


@pytest.mark.parametrize(
    "content",
    [
        b"50 50 m 200 300 l S",
        b"50 50 m 53 50 l S",
        b"50 50 200 100 re f",
        b"50 50 m 100 300 200 300 250 50 c S",
        b"50 50 m 300 50 l n",
    ],
)
def test_oblique_short_filled_curved_and_undrawn_paths_are_none(content: bytes) -> None:
    assert drawn(content).rulings == ()


def test_lines_within_forms_are_found_where_they_are_drawn() -> None:
    form = pdfs.stream(b"0 0 m 100 0 l S", "/Type /XObject /Subtype /Form /BBox [-10 -10 200 200] /Matrix [1 0 0 1 10 0]")
    data = pdfs.pages_of(content=b"q 2 0 0 2 0 400 cm /F Do Q", resources="/XObject << /F 5 0 R >>", extra={5: form})
    (ruling,) = objects_of(data).rulings
    assert (ruling.x0, ruling.y0, ruling.x1, ruling.y1) == pytest.approx((20, 442, 220, 442), abs=0.5)


def test_invisible_text_is_counted_apart() -> None:
    assert drawn(b"BT /F1 12 Tf 72 700 Td (seen) Tj ET").text.visible == 1
    assert drawn(b"BT 3 Tr /F1 12 Tf 72 700 Td (unseen) Tj ET").text.visible == 0


def test_what_can_hide_an_image_is_counted() -> None:
    assert drawn(b"1 g 0 0 595 842 re f").cover_count == 1
    assert drawn(pdfs.HELLO).cover_count == 0


def test_a_map_of_a_million_paths_is_examined_in_part() -> None:
    found = objects_of(pdfs.pages_of(content=pdfs.deflated(b"0 0 m 100 0 l S\n" * 60_000)))
    assert found.count == 20_000
    assert len(found.rulings) == 5_000


def test_forms_that_multiply_are_examined_in_part() -> None:
    head = "/Type /XObject /Subtype /Form /BBox [0 0 100 100]"
    forms = {1000 + n: pdfs.stream(b"/F Do " * 12, f"{head} /Resources << /XObject << /F {1001 + n} 0 R >> >>") for n in range(4)}
    data = pdfs.pages_of(
        content=b"/F Do",
        resources="/XObject << /F 1000 0 R >>",
        extra=forms | {1004: pdfs.stream(b"0 0 m 50 0 l S", head)},
    )
    assert objects_of(data).count <= 20_000


@pytest.mark.parametrize(("bars", "count"), [(3, 3), (200, 0)])
def test_short_level_lines_are_bars_of_fractions_unless_there_are_many(bars: int, count: int) -> None:
    content = b" ".join(b"%d %d 4.5 0.6 re f" % (50 + 20 * (n % 20), 50 + 20 * (n // 20)) for n in range(bars))
    assert len(drawn(content).rulings) == count
