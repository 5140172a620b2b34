"""Points and minus signs that are drawn as paths belong to their numbers; other small shapes do not."""

from __future__ import annotations

import pytest

from tests.unit.pdf.pdfs import pages_of
from tests.unit.pdf.textlayer.drawings import layer_of

BODY = b"BT /F1 12 Tf 72 780 Td 15 TL " + b"(The keeper of the light wrote into his ledger.) Tj T* " * 10 + b"ET "


def read(drawing: str, *texts: tuple[float, str]) -> str:
    """The text of a line at y 500, in 12 pt. `texts`: the left side and the text of each piece."""
    pieces = "".join(f"BT /F1 12 Tf {x} 500 Td ({text}) Tj ET " for x, text in texts)
    layer = layer_of(pages_of(content=BODY + f"{drawing} {pieces}".encode()))
    return " | ".join(line.text for line in layer.lines if line.y0 > 300)


@pytest.mark.parametrize(
    ("drawing", "text"),
    [
        ("115.7 500 1.3 1.3 re f", "Total 12.50"),
        ("115.9 497.8 1 3 re f", "Total 12,50"),
        ("115.7 504 1.3 1.3 re f", "Total 12\u00b750"),
        ("115.7 500.7 m 115.7 501 116 501.3 116.4 501.3 c 116.8 501.3 117 501 117 500.6 c 116.4 500 l h f", "Total 12.50"),
    ],
)
def test_a_point_between_two_digits_is_part_of_the_number(drawing: str, text: str) -> None:
    assert read(drawing, (72, "Total 12"), (117.9, "50")) == text


@pytest.mark.parametrize(
    "drawing",
    [
        "".join(f"{115.7 + 4 * n} 500 1.3 1.3 re f " for n in range(8)),  # a leader
        "115.7 494 1.3 1.3 re f",  # below the line
        "106 500 1.3 1.3 re f",  # under a digit
        "115.7 500 1.3 8 re f",  # a vertical line
    ],
)
def test_other_dots_are_no_points(drawing: str) -> None:
    assert read(drawing, (72, "Total 12"), (117.9, "50")).replace(" ", "") == "Total1250"


@pytest.mark.parametrize("drawing", ["110 504 m 115 504 l S", "110 503.7 5 .7 re f", "110.5 504 m 116.5 504 l S"])
def test_a_bar_before_a_number_is_its_minus(drawing: str) -> None:
    assert read(drawing, (72, "Loss"), (117, "250")) == "Loss \u2212250"


@pytest.mark.parametrize(
    "drawing",
    [
        "110 504 m 115 504 l S 112.5 501.5 m 112.5 506.5 l S",  # a plus
        "110 504 m 115 504 l S 110 480 m 110 540 l S",  # the tick of an axis
        "110 504 m 115 504 l S 110 502 m 115 502 l S",  # an equals sign
        "80 504 m 115 504 l S",  # the line of a legend
        "110 500 m 115 500 l S",  # an underline
        "100 504 m 104 504 l S 106 504 m 110 504 l S 112 504 m 116 504 l S",  # a dashed line
        "102 504 m 107 504 l S",  # far from the number
    ],
)
def test_other_bars_are_no_minus(drawing: str) -> None:
    assert read(drawing, (72, "Loss"), (117, "250")) == "Loss 250"


def test_the_bar_of_a_fraction_before_a_full_stop_is_no_minus() -> None:
    assert read("110 504 m 115 504 l S", (72, "Loss"), (117, ". 250")) == "Loss . 250"
    assert read("110 504 m 115 504 l S", (72, "Loss"), (117, ".250")) == "Loss \u2212.250"


def test_a_dash_between_two_words_that_touch_it_is_left() -> None:
    assert read("93.5 504 m 98.5 504 l S", (72, "type"), (99, "250")).replace(" ", "") == "type250"
