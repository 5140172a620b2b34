from __future__ import annotations

import pytest
from PIL import Image

from rayocr.engines.layout.form_marks import box_fields, mark_boxes, mark_lines, without_boxes
from rayocr.engines.rapidocr.engine import RapidOcrEngine
from rayocr.pdf.document import PdfFile
from tests.unit.pdf.form_pages import drawn_text, form_page, rect

TICKED = "/FT /Btn /T ({name}) /V /Yes /AS /Yes {where} /AP << /N << /Yes 40 0 R /Off 41 0 R >> >>"
UNTICKED = "/FT /Btn /T ({name}) /V /Off /AS /Off {where} /AP << /N << /Yes 40 0 R /Off 41 0 R >> >>"
FRAME = b"q 2 w 1 1 98 18 re S Q "
LABELS = ["Water stands in the street", "Water stands in the cellar", "The pressure has fallen"]


def form(tick: bytes) -> bytes:
    boxes = [TICKED, UNTICKED, TICKED]
    fields = [box.format(name=f"b{n}", where=rect(n, width=20)) for n, box in enumerate(boxes)]
    content = "".join(f"BT /F1 12 Tf 130 {645 - 40 * n} Td ({label}) Tj ET " for n, label in enumerate(LABELS))
    return form_page(fields, appearances={40: FRAME + tick, 41: FRAME}, content=content.encode())


@pytest.mark.parametrize("tick", [b"5 w 20 10 m 40 3 l 90 18 l S", drawn_text("4", "ZaDb"), drawn_text("X")])
def test_an_engine_that_reads_pixels_reports_which_boxes_are_ticked(tick: bytes) -> None:
    with PdfFile(form(tick), max_pixels=20_000_000) as file, file.page(1) as page:
        read = RapidOcrEngine().recognize(page)
    assert [line.strip() for line in read.text.split("\n") if line] == [
        f"{mark} {label}" for mark, label in zip(("[x]", "[ ]", "[x]"), LABELS, strict=True)
    ]
    assert [box.text for box in read.boxes or () if box.text.startswith("[")] == ["[x]", "[ ]", "[x]"]


def test_marks_turn_with_the_page() -> None:
    with PdfFile(form(b""), max_pixels=20_000_000) as file, file.page(1) as page:
        fields, size_pt = box_fields(page.fields), (page.width_pt, page.height_pt)
    [mark, *_] = mark_lines(fields, 1, size_pt)
    assert (mark.x0, mark.y0) == pytest.approx((182, 480), abs=1)  # counter-clockwise: the left edge is at the bottom
    assert (mark_boxes(fields)[0].x0, mark_boxes(fields)[0].y0) == pytest.approx((100, 182), abs=1)


def test_boxes_are_painted_over_in_a_copy() -> None:
    with PdfFile(form(b""), max_pixels=20_000_000) as file, file.page(1) as page:
        fields = box_fields(page.fields)
    image = Image.new("L", (595, 842), 0)
    assert without_boxes(image, fields, 1.0).getpixel((110, 190)) == 255
    assert image.getpixel((110, 190)) == 0
    assert without_boxes(image, [], 1.0) is image
