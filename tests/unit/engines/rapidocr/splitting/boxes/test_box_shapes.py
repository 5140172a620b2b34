"""Lines without shapes like boxes are not cut out."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pytest

from rayocr.engines.rapidocr.recognizer.decoding import LineReading
from rayocr.engines.rapidocr.splitting.boxes import box_search
from rayocr.engines.rapidocr.splitting.boxes.box_shapes import Shapes, shapes_in

QUAD = np.array([(40, 30), (560, 30), (560, 80), (40, 80)], np.float32)


def page() -> Any:
    gray = np.full((120, 600), 255, np.uint8)
    cv2.putText(gray, "Minimum Ham tax", (120, 68), cv2.FONT_HERSHEY_SIMPLEX, 1.0, 0, 2, cv2.LINE_AA)
    return gray


def box(gray: Any) -> None:
    cv2.rectangle(gray, (60, 42), (88, 70), 0, 2)


def ticked_box(gray: Any) -> None:
    box(gray)
    cv2.line(gray, (66, 50), (74, 64), 0, 2)
    cv2.line(gray, (74, 64), (98, 34), 0, 2)


def ring(gray: Any) -> None:
    cv2.circle(gray, (74, 56), 13, 0, 2)


def chosen_button(gray: Any) -> None:
    ring(gray)
    cv2.circle(gray, (74, 56), 6, 0, -1)


def disc(gray: Any) -> None:
    cv2.circle(gray, (74, 56), 13, 0, -1)


@pytest.mark.parametrize(
    ("draw", "shapes"),
    [
        (lambda gray: None, Shapes.NONE),
        (ring, Shapes.EMPTY_RINGS),
        (box, Shapes.OTHERS),
        (ticked_box, Shapes.OTHERS),
        (chosen_button, Shapes.OTHERS),
        (disc, Shapes.OTHERS),
    ],
)
def test_only_boxes_and_buttons_look_like_boxes(draw: Any, shapes: Shapes) -> None:
    gray = page()
    draw(gray)
    assert shapes_in(gray, QUAD, 50, 50) is shapes


def test_lines_that_are_far_from_level_are_always_cut_out() -> None:
    tilted = QUAD + np.array([(0, -15), (0, 15), (0, 15), (0, -15)], np.float32)
    assert shapes_in(page(), tilted, 50, 50) is Shapes.OTHERS


@pytest.mark.parametrize(("draws", "cut"), [((ring,), 0), ((ring, chosen_button), 2), ((chosen_button,), 1)])
def test_rings_are_examined_only_on_pages_with_other_buttons(
    draws: tuple[Any, ...], cut: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines, taken = [], []
    for draw in draws:
        lines.append(page())
        draw(lines[-1])
    quads = np.array([QUAD + np.array((0, 120 * n)) for n in range(len(lines))], np.float32)
    cut_out = box_search.cut_out
    monkeypatch.setattr(box_search, "cut_out", lambda *given: taken.append(1) or cut_out(*given))  # type: ignore[func-returns-value]
    read = [LineReading("Minimum Ham tax", 0.98, 0.9)] * len(lines)
    box_search.boxes_of_page(np.concatenate(lines), quads, read)
    assert len(taken) == cut
