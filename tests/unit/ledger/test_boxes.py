from __future__ import annotations

import pytest

from rayocr.ledger.boxes import pack_boxes, unpack_boxes
from rayocr.messages import TextBox

BOX = TextBox(text="a line", x0=1.0, y0=2.5, x1=100.0, y1=12.0, angle_deg=-90.0)


def test_boxes_come_back() -> None:
    assert unpack_boxes(pack_boxes([BOX, BOX])) == (BOX, BOX)


@pytest.mark.parametrize(
    "line", ["", "1 2 3", "a b c d e f", f"{'9' * 400} 0 1 1 0 x", f"{'9' * 5000} 0 1 1 0 x", "0 0 1 1 1e9 x"]
)
def test_malformed_lines_are_skipped(line: str) -> None:
    assert unpack_boxes(f"{line}\n{pack_boxes([BOX])}\n{line}") == (BOX,)
