from __future__ import annotations

import pypdfium2
import pytest

from rayocr.pdf.geometry import Upright, upright_of
from tests.unit.pdf import pdfs


def upright(entries: str = "", *, media_box: str = pdfs.A4) -> Upright:
    with pypdfium2.PdfDocument(pdfs.pages_of((entries,), media_box=media_box)) as document:
        page = document[0]
        return upright_of(page.raw, *page.get_size())


@pytest.mark.parametrize(
    ("entries", "box"),
    [
        ("", (100, 122, 150, 142)),
        ("/Rotate 90", (700, 100, 720, 150)),
        ("/Rotate 180", (445, 700, 495, 720)),
        ("/Rotate 270", (122, 445, 142, 495)),
        ("/CropBox [50 100 400 800]", (50, 80, 100, 100)),
        ("/CropBox [50 100 400 800] /Rotate 90", (600, 50, 620, 100)),
    ],
)
def test_a_box_in_user_space_lands_where_a_reader_sees_it(entries: str, box: tuple[float, ...]) -> None:
    assert upright(entries).box(100, 700, 150, 720) == pytest.approx(box, abs=0.01)


def test_an_origin_that_is_not_zero_is_taken_off() -> None:
    assert upright(media_box="[-100 -200 495 642]").box(-100, 642, 0, 642) == pytest.approx((0, 0, 100, 0), abs=0.01)


def test_corners_may_come_in_any_order() -> None:
    mapping = upright()
    assert mapping.box(150, 720, 100, 700) == mapping.box(100, 700, 150, 720)


@pytest.mark.parametrize("box", ["[0 0 1000000000 1000000000]", "[0 0 0.001 0.001]", "[0 0 14400 0.01]"])
def test_absurd_pages_have_a_mapping_too(box: str) -> None:
    assert all(value == value for value in upright(media_box=box).box(0, 0, 1, 1))
