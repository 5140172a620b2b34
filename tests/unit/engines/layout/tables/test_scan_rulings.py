from __future__ import annotations

import numpy as np

from rayocr.engines.layout.lines import LayoutLine, Ruling
from rayocr.engines.layout.tables.scan_rulings import has_cells, outside_letters, scan_rulings

WIDTH, HEIGHT = 1600, 800


def drawn(sag_px: float, *, thick_px: int = 3) -> np.ndarray:
    """A ruling from 100 to 1500 pixels that hangs through by `sag_px` in the middle."""
    image = np.full((HEIGHT, WIDTH), 255, np.uint8)
    for x in range(100, 1500):
        y = round(400 + sag_px * (1 - ((x - 800) / 700) ** 2))
        image[y : y + thick_px, x] = 20
    return image


def test_a_level_ruling_is_found() -> None:
    (ruling,) = scan_rulings(drawn(0), dpi=200)
    assert abs(ruling.x0 - 36) < 2 and abs(ruling.x1 - 540) < 2 and abs(ruling.y0 - 144.5) < 1.5


def test_a_ruling_on_curved_paper_is_one_ruling() -> None:
    (ruling,) = scan_rulings(drawn(14), dpi=200)
    assert ruling.x1 - ruling.x0 > 480 and abs(ruling.y0 - 147) < 3


def test_a_bar_is_not_a_ruling() -> None:
    assert not [ruling for ruling in scan_rulings(drawn(0, thick_px=24), dpi=200) if ruling.is_horizontal]


def test_a_border_within_one_row_is_found_if_it_reaches_the_rulings_above_and_below() -> None:
    image = np.full((HEIGHT, WIDTH), 255, np.uint8)
    for y in (200, 246, 292):
        image[y : y + 3, 100:1500] = 20
    image[200:246, 700:703] = 20  # a border of the first row
    image[262:284, 900:904] = 20  # a letter in the second row
    upright = [ruling for ruling in scan_rulings(image, dpi=200) if not ruling.is_horizontal]
    assert [round(ruling.x0 / 10) for ruling in upright] == [25]


def test_the_bars_of_letters_are_no_rulings() -> None:
    line = LayoutLine(text="[ ] Direct Sale", x0=100, y0=100, x1=180, y1=114)
    bars, under, table = (Ruling(x0=x0, y0=y, x1=x1, y1=y) for x0, y, x1 in ((104, 106, 178), (104, 112, 178), (60, 106, 400)))
    assert outside_letters([bars, under, table], [line]) == [under, table]


def rows(*widths: tuple[float, ...]) -> list[LayoutLine]:
    """Lines in rows, side by side with gaps of 20 points."""
    lines = []
    for number, row in enumerate(widths):
        x = 50.0
        for width in row:
            lines.append(LayoutLine(text="cell", x0=x, y0=20.0 * number, x1=x + width, y1=20.0 * number + 12))
            x += width + 20
    return lines


def test_short_lines_side_by_side_may_be_cells() -> None:
    assert has_cells(rows((100, 300), (100, 280), (90, 310)))
    assert has_cells(rows((150, 140, 130), (150, 140, 130), (150, 140, 130), *[(460,)] * 20))


def test_columns_of_text_and_a_few_short_lines_are_no_cells() -> None:
    assert not has_cells(rows(*[(230, 230)] * 20, (230, 60), (40, 230)))
    assert not has_cells(rows(*[(460,)] * 40, (80, 90), (80, 90), (80, 90)))
    assert not has_cells([])
