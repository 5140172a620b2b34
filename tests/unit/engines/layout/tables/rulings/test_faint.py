from __future__ import annotations

import numpy as np
import pytest

from rayocr.engines.layout.lines import Ruling
from rayocr.engines.layout.tables.rulings.faint import in_grids
from rayocr.engines.layout.tables.scan_rulings import outside_letters, scan_rulings
from tests.unit.engines.layout.pages import line

DPI = 200
XS, YS = (200, 500, 800, 1100), (200, 260, 320, 380)


def page(*, paper: int = 200) -> np.ndarray:
    """Gray paper with the noise of a scanner."""
    noise = np.random.default_rng(1).normal(0, 3, (600, 1300))
    return np.clip(paper + noise, 0, 255).astype(np.uint8)


def with_grid(image: np.ndarray, *, ink: int = 150, dash: tuple[int, int] = (1, 0), thick: int = 1) -> np.ndarray:
    """Draws the grid with strokes of dash[0] pixels and gaps of dash[1] pixels."""
    period = sum(dash)
    for y in YS:
        along = np.arange(XS[0], XS[-1])
        image[y : y + thick, along[(along - XS[0]) % period < dash[0]]] = ink
    for x in XS:
        along = np.arange(YS[0], YS[-1])
        image[along[(along - YS[0]) % period < dash[0]], x : x + thick] = ink
    return image


def places(rulings: list[Ruling]) -> tuple[set[int], set[int]]:
    """The places of upright and of level rulings, in steps of 10 pixels."""
    to_px = DPI / 72
    return (
        {round(ruling.x0 * to_px / 10) for ruling in rulings if not ruling.is_horizontal},
        {round(ruling.y0 * to_px / 10) for ruling in rulings if ruling.is_horizontal},
    )


@pytest.mark.parametrize(
    ("ink", "dash", "thick"),
    [(176, (1, 0), 1), (40, (8, 6), 1), (40, (3, 5), 2)],
    ids=["gray hairlines on gray paper", "dashes", "dots"],
)
def test_a_grid_that_is_hard_to_see_is_found(ink: int, dash: tuple[int, int], thick: int) -> None:
    found = scan_rulings(with_grid(page(), ink=ink, dash=dash, thick=thick), dpi=DPI)
    assert places(found) == ({20, 50, 80, 110}, {20, 26, 32, 38})


def test_the_noise_of_a_page_is_no_ruling() -> None:
    assert scan_rulings(page(), dpi=DPI) == []


def test_faint_lines_without_uprights_are_no_rulings() -> None:
    image = page()
    for y in YS:
        image[y, XS[0] : XS[-1]] = 176  # text that shows through looks like this
    assert scan_rulings(image, dpi=DPI) == []


def test_the_colons_of_a_column_of_times_are_no_dotted_ruling() -> None:
    image = page()
    for y in YS:
        image[y : y + 2, XS[0] : XS[-1]] = 20
    for y in range(YS[0] + 12, YS[-1] - 20, 30):
        for x in (600, 660):
            image[y : y + 22, x : x + 14] = 20  # a digit
        image[y + 4 : y + 7, 632:635] = image[y + 15 : y + 18, 632:635] = 20
        image[y : y + 22, 616:630] = image[y : y + 22, 637:651] = 20
    assert places(scan_rulings(image, dpi=DPI))[0] == set()


def upright(x: float, *, is_faint: bool = True) -> Ruling:
    return Ruling(x0=x, y0=100, x1=x, y1=160, is_faint=is_faint)


LEVEL = [Ruling(x0=60, y0=y, x1=400, y1=y) for y in (100.0, 120.0, 140.0, 160.0)]


def test_a_faint_upright_through_words_is_no_ruling() -> None:
    lines = [line(text, 65, y + 4) for text, y in (("Worldwide", 100), ("Terminators", 120), ("The Boeing", 140))]
    found = outside_letters([*LEVEL, upright(88), upright(200)], lines)
    assert found == [*LEVEL, upright(200)]


def test_a_faint_upright_beside_well_visible_ones_is_no_ruling() -> None:
    clear = [upright(x, is_faint=False) for x in (60, 230, 400)]
    assert in_grids([upright(150)], [*LEVEL, *clear]) == []
    assert in_grids([upright(150)], [*LEVEL, *clear[:2]]) == [upright(150)]


def test_two_faint_level_rulings_alone_are_edges_of_shaded_rows() -> None:
    clear = [upright(x, is_faint=False) for x in (60, 400)]
    faint = [Ruling(x0=60, y0=y, x1=400, y1=y, is_faint=True) for y in (110.0, 130.0, 150.0)]
    assert in_grids(faint[:2], clear) == []
    assert in_grids(faint, clear) == faint


def test_an_upright_alone_at_the_ends_of_level_rulings_is_the_side_of_boxes() -> None:
    assert in_grids([upright(399)], LEVEL) == []
    assert in_grids([upright(230)], LEVEL) == [upright(230)]
    assert in_grids([upright(61), upright(399)], LEVEL) == [upright(61), upright(399)]
