"""Check boxes that are drawn on the page, without a form field."""

from __future__ import annotations

import pytest

from rayocr.engines.textlayer import TextLayerEngine
from rayocr.pdf.document import PdfFile
from tests.unit.pdf import pdfs

LABELS = ("Water stands in the street", "Water stands in the cellar", "The pressure has fallen", "Somebody was hurt")
TICKED = (0, 2)
ZAPF = {5: b"<< /Type /Font /Subtype /Type1 /BaseFont /ZapfDingbats >>"}
TICKS = {
    "a cross": "1.2 w {0} {1} m {2} {3} l S {0} {3} m {2} {1} l S",
    "a check mark": "1.4 w {0} {4} m {5} {1} l {2} {3} l S",
    "a letter": "BT /F1 10 Tf 1 0 0 1 {0} {1} Tm (X) Tj ET",
    "a sign of a symbol font": "BT /ZaDb 11 Tf 1 0 0 1 {0} {1} Tm (4) Tj ET",
    "a square": "{6} {7} 5 5 re f",
}
BORDERS = {
    "a rectangle": "0.7 w {0} {1} 11 11 re S",
    "four lines": "0.7 w {0} {1} m {2} {1} l S {0} {3} m {2} {3} l S {0} {1} m {0} {3} l S {2} {1} m {2} {3} l S",
    "a closed path": "q 0.7 w {0} {1} m {2} {1} l {2} {3} l {0} {3} l h S Q",
}


def form(tick: str, border: str, *, x: int = 72, text_x: int = 95) -> bytes:
    content = "BT /F1 16 Tf 72 760 Td (Report of a leak) Tj ET "
    for n, label in enumerate(LABELS):
        y = 698 - 24 * n
        content += f"BT /F1 11 Tf {text_x} {y + 2} Td ({label}) Tj ET " + border.format(x, y, x + 11, y + 11) + " "
        if n in TICKED:
            content += tick.format(x + 2, y + 2, x + 9, y + 9, y + 5, x + 4, x + 3, y + 3) + " "
    return page(content)


def page(content: str) -> bytes:
    data = pdfs.pages_of(content=content.encode(), extra=ZAPF)
    return pdfs.reindexed(data.replace(b"<< /F1", b"<< /ZaDb 5 0 R /F1"))


def read(data: bytes) -> str:
    with PdfFile(data, max_pixels=4_000_000) as file, file.page(1) as opened:
        answer = TextLayerEngine().recognize(opened)
    assert answer is not None
    return answer.text


@pytest.mark.parametrize("border", BORDERS)
@pytest.mark.parametrize("tick", TICKS)
def test_a_drawn_box_is_read_with_its_tick(tick: str, border: str) -> None:
    lines = [line.strip() for line in read(form(TICKS[tick], BORDERS[border])).split("\n") if line.strip()]
    assert lines[1:] == [f"[{'x' if n in TICKED else ' '}] {label}" for n, label in enumerate(LABELS)]


def test_boxes_right_of_their_labels_are_read() -> None:
    text = read(form(TICKS["a cross"], BORDERS["a rectangle"], x=400, text_x=72))
    assert text.count("[x]") == 2
    assert text.count("[ ]") == 2
    assert f"{LABELS[0]} [x]" in text


NO_BOXES = {
    "filled squares are bullets": " ".join(f"72 {700 - 24 * n} 7 7 re f" for n in range(4)),
    "cells of a grid": " ".join(f"72 {700 - 12 * n} 12 12 re S" for n in range(8)),
    "large frames": "72 600 60 60 re S",
    "squares of a chart, without text": " ".join(f"{300 + 20 * n} {400 - 15 * n} 8 8 re S" for n in range(9)),
}


@pytest.mark.parametrize("what", NO_BOXES)
def test_other_squares_are_not_boxes(what: str) -> None:
    lines = " ".join(f"BT /F1 11 Tf 95 {700 - 24 * n} Td ({label}) Tj ET" for n, label in enumerate(LABELS))
    text = read(page(f"{lines} {NO_BOXES[what]}"))
    assert "[" not in text


def circle(x: float, y: float, r: float, paint: str = "S") -> str:
    k = 0.552 * r
    return (
        f"{x + r} {y} m {x + r} {y + k} {x + k} {y + r} {x} {y + r} c {x - k} {y + r} {x - r} {y + k} {x - r} {y} c "
        f"{x - r} {y - k} {x - k} {y - r} {x} {y - r} c {x + k} {y - r} {x + r} {y - k} {x + r} {y} c {paint} "
    )


MARKS_IN_CIRCLES = {
    "a face": "74.5 {1} 2 2 re f 79.5 {1} 2 2 re f 1 w 75 {0} m 81 {0} l S",
    "the letter i": "77 {1} 2 2 re f 77 {0} 2 3.5 re f",
}


@pytest.mark.parametrize(("mark", "is_button"), [("a face", False), ("the letter i", False), ("a dot", True)])
def test_a_face_in_a_circle_is_no_radio_button(mark: str, is_button: bool) -> None:
    content = ""
    for n, label in enumerate(LABELS):
        y = 704 - 24 * n
        drawn = MARKS_IN_CIRCLES[mark].format(y - 3, y + 1.5) if mark in MARKS_IN_CIRCLES else circle(78, y, 2.6, "f")
        content += f"{circle(78, y, 7)} {drawn} BT /F1 11 Tf 95 {y - 4} Td ({label}) Tj ET "
    assert read(page(content)).count("[x]") == (len(LABELS) if is_button else 0)


def test_a_number_in_a_circle_is_a_number() -> None:
    circles = ""
    for n, label in enumerate(LABELS):
        x, y = 78, 704 - 24 * n
        circles += f"{circle(x, y, 6)} BT /F1 8 Tf {x - 2} {y - 3} Td ({n + 1}) Tj ET BT /F1 11 Tf 95 {y - 4} Td ({label}) Tj ET "
    text = read(page(circles))
    assert "[" not in text
    assert all(str(n) in text for n in range(1, 5))
