"""Characters of a reading and the ink of its picture."""

from __future__ import annotations

from rayocr.engines.rapidocr.numerals.glyphs import Shape
from rayocr.engines.rapidocr.numerals.matching import match


def shapes(*spans: tuple[int, int]) -> list[Shape]:
    return [Shape(left, 0, right, 20) for left, right in spans]


def found(places: list[float], *spans: tuple[int, int], several: tuple[int, int] | None = None) -> list[list[int]]:
    many = {Shape(several[0], 0, several[1], 20)} if several else set()
    return [list(some) for some in match(places, shapes(*spans), step=7.0, several=many)]


def test_as_many_characters_as_shapes_belong_to_each_other() -> None:
    assert found([3, 30, 31], (0, 12), (15, 27), (30, 42)) == [[0], [1], [2]]


def test_touching_letters_share_a_shape() -> None:
    assert found([6, 20, 30, 50], (0, 12), (14, 38), (44, 56)) == [[0], [1, 2], [3]]


def test_ink_that_was_not_read_has_no_character() -> None:
    assert found([6, 40], (0, 12), (16, 28), (34, 46)) == [[0], [], [1]]


def test_a_fraction_has_all_characters_inside_it() -> None:
    assert found([6, 18, 24, 30, 44], (0, 12), (15, 36), (40, 52), several=(15, 36)) == [[0], [1, 2, 3], [4]]
