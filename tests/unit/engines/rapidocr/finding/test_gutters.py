from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from rayocr.engines.rapidocr.finding.gutters import parted_at_gutters

LEFT, RIGHT = "words that fill the column to its edge", "other words in the second column here"


def page(gap_px: int, joined: int | None) -> tuple[np.ndarray, np.ndarray]:
    """Two columns of ten lines with this gutter, and their boxes; the line `joined` is one box over both columns."""
    font = ImageFont.load_default(size=24)
    image = Image.new("L", (1400, 600), 255)
    draw = ImageDraw.Draw(image)
    width = round(draw.textlength(LEFT, font=font))
    quads: list[list[tuple[int, int]]] = []
    for number in range(10):
        y = 40 + 40 * number
        start = 50 + width + gap_px
        draw.text((50, y), LEFT, fill=0, font=font)
        draw.text((start, y), RIGHT, fill=0, font=font)
        end = start + round(draw.textlength(RIGHT, font=font))
        for x0, x1 in [(50, end)] if number == joined else [(50, 50 + width), (start, end)]:
            quads.append([(x0 - 3, y - 4), (x1 + 3, y - 4), (x1 + 3, y + 34), (x0 - 3, y + 34)])
    return np.asarray(image), np.asarray(quads, np.float32)


def test_a_line_over_both_columns_is_divided_at_the_gutter() -> None:
    image, quads = page(28, joined=5)
    parted = parted_at_gutters(image, quads)
    assert len(parted) == len(quads) + 1 == 20
    ends = sorted(parted[np.abs(parted[:, :, 1].mean(axis=1) - 255) < 5][:, 1, 0].tolist())
    starts = sorted(quads[:, 0, 0].tolist())
    assert ends[0] < starts[-1] < ends[1]


def test_a_line_across_columns_with_ordinary_blanks_is_not_divided() -> None:
    image, quads = page(28, joined=None)
    wide = np.asarray([[(47, 460), (1000, 460), (1000, 498), (47, 498)]], np.float32)
    drawn = Image.fromarray(image)
    ImageDraw.Draw(drawn).text((50, 464), f"{LEFT} {RIGHT} and so on", fill=0, font=ImageFont.load_default(size=24))
    every = np.concatenate([quads, wide])
    assert len(parted_at_gutters(np.asarray(drawn), every)) == len(every)


def test_pages_without_columns_stay_as_they_are() -> None:
    image, quads = page(28, joined=None)
    single = quads[::2]
    assert parted_at_gutters(image, single) is single


def test_a_centered_line_above_the_columns_is_not_divided_at_a_wide_blank() -> None:
    image, quads = page(28, joined=None)
    drawn, font = Image.fromarray(image), ImageFont.load_default(size=24)
    gutter = float(quads[0, 1, 0]) + 14
    ImageDraw.Draw(drawn).text((gutter - 14, 2), "Tobias Lindqvist,", fill=0, font=font, anchor="ra")
    ImageDraw.Draw(drawn).text((gutter + 14, 2), "Ines Carvalho", fill=0, font=font)
    centered = np.asarray([[(gutter - 220, 0), (gutter + 190, 0), (gutter + 190, 34), (gutter - 220, 34)]], np.float32)
    every = np.concatenate([quads, centered])
    assert len(parted_at_gutters(np.asarray(drawn), every)) == len(every)


def test_where_most_lines_of_both_columns_were_joined_their_pixels_show_the_gutter() -> None:
    image, quads = page(28, joined=None)
    left, right = quads[::2], quads[1::2]
    joined = np.stack([left[:, 0], right[:, 1], right[:, 2], left[:, 3]], axis=1)
    every = np.concatenate([joined[:7], left[7:], right[7:]])  # three lines end and begin at the gutter, seven reach over it
    assert len(parted_at_gutters(image, every)) == len(quads)


def test_joined_lines_with_ordinary_blanks_are_not_divided() -> None:
    image, quads = page(8, joined=None)
    left, right = quads[::2], quads[1::2]
    joined = np.stack([left[:, 0], right[:, 1], right[:, 2], left[:, 3]], axis=1)
    every = np.concatenate([joined[:7], left[7:], right[7:]])
    assert len(parted_at_gutters(image, every)) == len(every)
