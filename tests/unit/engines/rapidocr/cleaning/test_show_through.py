from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from rayocr.engines.rapidocr.cleaning.show_through import without_show_through
from rayocr.engines.rapidocr.recognizer.decoding import LineReading

PAPER, INK = 240, 20


def page(*inks: int) -> tuple[np.ndarray, np.ndarray]:
    """A page with one line of stripes for each gray value, and the corners of the lines."""
    image = np.full((100 + 60 * len(inks), 600), PAPER, np.uint8)
    quads = []
    for number, ink in enumerate(inks):
        top = 50 + 60 * number
        image[top + 5 : top + 25, 60:540:8] = ink
        quads.append([(50, top), (550, top), (550, top + 30), (50, top + 30)])
    return image, np.array(quads, np.float32)


def reads_mirrored_lines(score: float) -> Any:
    def recognize(lines: Sequence[Any]) -> list[LineReading]:
        return [LineReading("text", score, score) for _ in lines]

    return recognize


def fail(lines: Sequence[Any]) -> list[LineReading]:
    raise AssertionError("nothing should be read again")


def test_faint_lines_that_read_better_in_a_mirror_become_paper() -> None:
    image, quads = page(INK, INK, 200)
    read = [LineReading("good", 0.99, 0.9), LineReading("good", 0.98, 0.9), LineReading("b6d", 0.6, 0.2)]
    cleaned = without_show_through(image, quads, read, reads_mirrored_lines(0.99))
    assert cleaned is not None
    assert (cleaned[160:] == PAPER).all() and (cleaned[:150] == image[:150]).all()


def test_faint_lines_that_do_not_read_better_in_a_mirror_stay() -> None:
    image, quads = page(INK, 200)
    read = [LineReading("good", 0.99, 0.9), LineReading("b6d", 0.6, 0.2)]
    assert without_show_through(image, quads, read, reads_mirrored_lines(0.5)) is None


def test_light_parts_of_print_stay() -> None:
    image, quads = page(220, 40, 40)
    image[133:135, 60:540:8] = PAPER
    image[130:133, 60:540:8] = 215  # the tails of commas
    read = [LineReading("b6d", 0.6, 0.2), LineReading("good", 0.99, 0.9), LineReading("good", 0.98, 0.9)]
    cleaned = without_show_through(image, quads, read, reads_mirrored_lines(0.95))
    assert cleaned is not None
    tops = quads[:, 0, 1].astype(int)
    assert (cleaned[tops[0] : tops[0] + 30] == PAPER).all()
    assert (cleaned[130:133, 60:540:8] == image[130:133, 60:540:8]).all()


def test_numbers_of_an_axis_do_not_show_through() -> None:
    image, quads = page(40, 120)
    read = [LineReading("good", 0.99, 0.9), LineReading("10", 0.7, 0.5)]
    assert without_show_through(image, quads, read, lambda lines: [LineReading("44", 0.95, 0.9) for _ in lines]) is None


def test_dark_lines_are_not_read_again() -> None:
    image, quads = page(INK, INK)
    read = [LineReading("good", 0.99, 0.9), LineReading("- 17 -", 0.6, 0.2)]
    assert without_show_through(image, quads, read, fail) is None


def test_a_page_that_is_read_well_costs_nothing() -> None:
    image, quads = page(INK, 200)
    read = [LineReading("good", 0.99, 0.9), LineReading("gray but good", 0.97, 0.9)]
    assert without_show_through(image, quads, read, fail) is None


def page_with_faint_halves(faint: int) -> tuple[np.ndarray, np.ndarray]:
    """A page whose first two lines end with print of another gray value."""
    image, quads = page(INK, INK, INK, INK)
    image[50:140, 300:] = np.where(image[50:140, 300:] == INK, faint, image[50:140, 300:])
    return image, quads


def reads_parts_in_a_mirror(image: np.ndarray, *, text: str = "mirror") -> Any:
    """A recognizer that is called for plain parts, then for mirrored ones."""
    scores = iter((0.5, 0.95))

    def recognize(lines: Sequence[Any]) -> list[LineReading]:
        score = next(scores)
        assert all(line.min() > INK + 20 and line.shape[1] < image.shape[1] / 2 for line in lines)
        return [LineReading(text, score, score) for _ in lines]

    return recognize


def read_of_halves() -> list[LineReading]:
    joined = LineReading("good b6d", 0.8, 0.2)
    return [joined, joined, LineReading("good", 0.99, 0.9), LineReading("good", 0.99, 0.9)]


def test_faint_parts_of_lines_that_read_better_in_a_mirror_become_paper() -> None:
    image, quads = page_with_faint_halves(160)
    cleaned = without_show_through(image, quads, read_of_halves(), reads_parts_in_a_mirror(image))
    assert cleaned is not None
    assert (cleaned[50:140, 310:] == PAPER).all()
    assert (cleaned[:, :290] == image[:, :290]).all() and (cleaned[150:] == image[150:]).all()


def test_parts_that_are_almost_as_dark_as_the_print_are_not_removed_but_make_the_page_doubtful() -> None:
    image, quads = page_with_faint_halves(100)
    assert without_show_through(image, quads, read_of_halves(), reads_parts_in_a_mirror(image)) is image


def test_faint_parts_without_letters_in_a_mirror_stay() -> None:
    image, quads = page_with_faint_halves(160)
    assert without_show_through(image, quads, read_of_halves(), reads_parts_in_a_mirror(image, text="1801")) is None
