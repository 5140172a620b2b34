"""Bullets that are drawn as shapes or pictures, as browsers print them, and shapes that are not bullets."""

from __future__ import annotations

import pytest

from tests.unit.pdf import pdfs
from tests.unit.pdf.forms.test_drawn_boxes import read
from tests.unit.pdf.textlayer.drawings import HEBREW, page_with_font

ITEMS = ("Water from the well, which is drawn at noon", "Fire", "Earth and stones", "Air")


def circle(x: float, y: float, r: float, end: str) -> str:
    k = 0.55 * r
    return (
        f"{x + r} {y} m {x + r} {y + k} {x + k} {y + r} {x} {y + r} c {x - k} {y + r} {x - r} {y + k} {x - r} {y} c "
        f"{x - r} {y - k} {x - k} {y - r} {x} {y - r} c {x + k} {y - r} {x + r} {y - k} {x + r} {y} c h {end} "
    )


BULLETS = {
    "discs": lambda x, y: circle(x, y, 2, "f"),
    "circles": lambda x, y: "0.5 w " + circle(x, y, 2, "S"),
    "squares": lambda x, y: f"{x - 2} {y - 2} 4 4 re f ",
    "triangles": lambda x, y: f"{x - 2} {y - 3} m {x + 2} {y} l {x - 2} {y + 3} l h f ",
    "diamonds with a border": lambda x, y: f"1 0 0 rg {x - 3} {y} m {x} {y + 3} l {x + 3} {y} l {x} {y - 3} l h B 0 g ",
}


def page(mark: str, *, items: tuple[str, ...] = ITEMS, x: float = 60) -> bytes:
    content = "BT /F1 11 Tf 50 760 Td (Four things were known to everybody who lived at that time in the valley:) Tj ET "
    for n, item in enumerate(items):
        y = 730 - 14 * n
        content += f"BT /F1 11 Tf 72 {y} Td ({item}) Tj ET " + BULLETS[mark](x, y + 4)
    return pdfs.pages_of(content=content.encode())


@pytest.mark.parametrize("mark", BULLETS)
def test_each_item_after_a_drawn_bullet_is_an_item(mark: str) -> None:
    assert read(page(mark)).endswith("\n".join(f"- {item}" for item in ITEMS))


def test_an_item_may_have_several_lines() -> None:
    content = "BT /F1 11 Tf 50 760 Td (What was known to everybody who lived at that time in the valley of the mill:) Tj ET "
    for y, text in ((730, "Water from the well, which is drawn at noon and carried up the long stairs"), (702, "Fire")):
        content += f"BT /F1 11 Tf 72 {y} Td ({text}) Tj ET {y and BULLETS['discs'](60, y + 4)}"
    content += "BT /F1 11 Tf 72 716 Td (by whoever is young) Tj ET"
    text = read(pdfs.pages_of(content=content.encode()))
    assert text.endswith(
        "- Water from the well, which is drawn at noon and carried up the long stairs by whoever is young\n- Fire"
    )


def test_small_pictures_are_bullets_too() -> None:
    drawn = b"".join(
        b"BT /F1 11 Tf 72 %d Td (%b) Tj ET q 4 0 0 4 60 %d cm BI /W 8 /H 8 /BPC 8 /CS /G ID %b EI Q "
        % (730 - 14 * n, item.encode(), 732 - 14 * n, bytes(64))
        for n, item in enumerate(ITEMS)
    )
    assert read(pdfs.pages_of(content=drawn)).count("- ") == len(ITEMS)


def test_bullets_of_a_right_to_left_page_are_on_the_right() -> None:
    drawn = b"".join(
        b"BT /F2 12 Tf %d %d Td (edcba edcba) Tj ET %b" % (400, 700 - 20 * n, circle(478, 704 - 20 * n, 2, "f").encode())
        for n in range(3)
    )
    assert read(page_with_font(drawn, HEBREW | {" ": " "})).count("- אבגדה") == 3


def test_dots_of_a_leader_and_of_a_rating_are_not_bullets() -> None:
    leader = "".join(circle(160 + 5 * n, 732, 0.7, "f") for n in range(40))
    stars = "".join(BULLETS["squares"](72 + 9 * n, 700) for n in range(5))
    texts = "BT /F1 11 Tf 72 730 Td (The borehole) Tj 300 0 Td (17 Sinking it) Tj -250 -34 Td (Rated by the readers) Tj ET"
    content = f"{texts} {leader}{stars}"
    assert "- " not in read(pdfs.pages_of(content=content.encode()))


def test_a_dot_beside_a_short_label_of_a_drawing_is_not_a_bullet() -> None:
    content = "BT /F1 11 Tf 72 730 Td (Oldbridge) Tj ET " + circle(62, 734, 2, "f")
    assert read(pdfs.pages_of(content=content.encode())) == "Oldbridge"
