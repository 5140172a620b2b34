from __future__ import annotations

import pytest

from tests.unit.pdf import pdfs
from tests.unit.pdf.textlayer.drawings import layer_of

LINES = b"(PARTNER NUMBER 5) Tj 0 -20 Td (OF THE MILL COMPANY) Tj"


def drawn(setup: bytes, entries: str = "") -> tuple[int, list[str]]:
    layer = layer_of(pdfs.pages_of((entries,), content=b"BT " + setup + b" ET"))
    return layer.turns, [line.text for line in layer.lines]


@pytest.mark.parametrize(
    "setup",
    [
        b"/F1 12 Tf 1 0 0 1 72 700 Tm (PARTNER NUMBER 5) Tj 1 0 0 1 72 680 Tm (OF THE MILL COMPANY) Tj",
        b"/F1 -12 Tf -1 0 0 -1 72 700 Tm (PARTNER NUMBER 5) Tj -1 0 0 -1 72 680 Tm (OF THE MILL COMPANY) Tj",
        b"-100 Tz /F1 -12 Tf 1 0 0 -1 72 700 Tm (PARTNER NUMBER 5) Tj 1 0 0 -1 72 680 Tm (OF THE MILL COMPANY) Tj",
        b"/F1 -1 Tf -12 0 0 -12 72 700 Tm (PARTNER NUMBER 5) Tj -12 0 0 -12 72 680 Tm (OF THE MILL COMPANY) Tj",
    ],
)
def test_upright_text_is_upright_whatever_its_signs(setup: bytes) -> None:
    assert drawn(setup) == (0, ["PARTNER NUMBER 5", "OF THE MILL COMPANY"])


@pytest.mark.parametrize("rotate", [0, 90, 180, 270])
def test_negative_sizes_on_turned_pages(rotate: int) -> None:
    turns, _ = drawn(b"/F1 -12 Tf -1 0 0 -1 200 400 Tm (PARTNER NUMBER 5 OF THE MILL) Tj", f"/Rotate {rotate}")
    assert turns == {0: 0, 90: 3, 180: 2, 270: 1}[rotate]


def test_text_on_its_head_is_turned() -> None:
    turns, texts = drawn(b"/F1 12 Tf -1 0 0 -1 500 100 Tm (PARTNER NUMBER 5) Tj -1 0 0 -1 500 120 Tm (OF THE MILL) Tj")
    assert (turns, texts) == (2, ["PARTNER NUMBER 5", "OF THE MILL"])


def test_sizes_are_those_that_are_seen() -> None:
    data = pdfs.pages_of(content=b"BT /F1 -1 Tf -12 0 0 -12 72 700 Tm (PARTNER NUMBER 5) Tj ET")
    (line,) = layer_of(data).lines
    assert line.font_size_pt == pytest.approx(12)
