"""The spaces of Arabic and Hebrew lines, in fonts whose boxes are much higher or wider than the letters."""

from __future__ import annotations

import numpy as np
import pytest

from rayocr.pdf.textlayer.glyphs.characters import Characters
from rayocr.pdf.textlayer.right_to_left_runs import right_to_left_runs
from rayocr.pdf.textlayer.runs import runs_of

WORDS = ("שלום", "עולם", "טוב")


def read(gap: float, *, height: float, size: float, wider: float = 0.0, reported: bool) -> str:
    """The line of three words, whose letters are 5 pt wide. `wider`: how far the boxes of the letters reach over the next ones;
    `reported`: whether the file has spaces."""
    texts: list[str] = []
    spaces: list[int] = []
    x0: list[float] = []
    right = 500.0
    for word in WORDS:
        for place, letter in enumerate(word):
            right -= 5.0
            texts.append(letter)
            spaces.append(2 if place == 0 and len(texts) > 1 and reported else 0)
            x0.append(right)
        right -= gap
    left, top = np.array(x0), np.full(len(x0), 100.0)
    characters = Characters(texts, spaces, list(range(len(texts))), left, top, left + 5 + wider, top + height)
    runs = list(runs_of(characters, lambda index: True, lambda index: None))
    (run,) = right_to_left_runs(characters, runs, [True] * len(texts), lambda index: size)
    return "".join((" " if space else "") + texts[n] for n, space in zip(run.order, run.spaced, strict=True))


@pytest.mark.parametrize(
    ("height", "size", "gap", "text"),
    [(26, 18, 2.4, "שלום עולם טוב"), (18, 18, 2.4, "שלום עולם טוב"), (26, 26, 2.4, "שלוםעולםטוב"), (26, 18, 1.0, "שלוםעולםטוב")],
)
def test_the_width_of_a_space_depends_on_the_font_size_where_boxes_are_higher(
    height: float, size: float, gap: float, text: str
) -> None:
    assert read(gap, height=height, size=size, reported=False) == text


@pytest.mark.parametrize(("reported", "text"), [(True, "שלום עולם טוב"), (False, "שלוםעולםטוב")])
def test_spaces_between_slanted_letters_whose_boxes_overlap_are_kept(reported: bool, text: str) -> None:
    assert read(2.0, height=13, size=12, wider=4.4, reported=reported) == text
