"""Accents and raised digits that the page draws as separate characters."""

from __future__ import annotations

import pytest

from tests.unit.pdf import pdfs
from tests.unit.pdf.textlayer.test_layer import layer

_ENCODED = "/Encoding << /Type /Encoding /Differences [ 1 /dieresis /acute /ogonek /cedilla /dotlessi /circumflex ] >>"


def accented(content: bytes) -> str:
    font = f"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica {_ENCODED} >>"
    return layer(b"BT /F2 10 Tf 72 700 Td " + content + b" TJ ET", resources=f"/Font << /F2 {font} >>").text


@pytest.mark.parametrize(
    ("drawn", "read"),
    [
        (b"[(k) (\\001) 389 -55 (onnen)]", "können"),  # the accent first, then back
        (b"[(auszuf) -112 (\\001) 445 (ullen ist)]", "auszufüllen ist"),
        (b"[(jes) 417 (\\002) 84 (li nie)]", "jeśli nie"),  # the accent after its letter
        (b"[(Imie) 450 (\\003) 117 (, nazwisko)]", "Imię, nazwisko"),
        (b"[(gar) 0 (c) 417 (\\004) 84 (on)]", "garçon"),
        (b"[(na) (\\005) 306 (\\001) -5 (ve)]", "naïve"),
    ],
)
def test_an_accent_drawn_on_a_letter_belongs_to_it(drawn: bytes, read: str) -> None:
    assert accented(drawn) == read


def test_an_accent_beside_a_letter_stays_as_it_is() -> None:
    assert accented(b"[(e) (\\002) (x)]") == "e´x"


def test_an_accent_that_no_letter_takes_stays() -> None:
    assert "ˆ" in accented(b"[(x) 417 (\\006) 84 (y)]")


@pytest.mark.parametrize(
    ("content", "read"),
    [
        (b"(in 2002) Tj /F1 6 Tf 4 Ts (37) Tj /F1 10 Tf 0 Ts ( the)", "in 2002³⁷ the"),
        (b"(10) Tj /F1 7 Tf 3.5 Ts (6) Tj /F1 10 Tf 0 Ts ( m) Tj /F1 7 Tf 3.5 Ts (2)", "10⁶ m²"),
        (b"(x) Tj /F1 7 Tf -2 Ts (12) Tj 4 Ts (2) Tj /F1 10 Tf 0 Ts ( is 4)", "x12² is 4"),
        (b"(is 10) Tj 4 Ts (6) Tj 0 Ts ( m and 10) Tj 4 Ts (-12)", "is 10⁶ m and 10⁻¹²"),  # as large as the number
        (b"(5) Tj /F1 7 Tf 4 Ts (1/2) Tj /F1 10 Tf 0 Ts ( and 5 1/2)", "5¹/² and 5 1/2"),
        (b"(T) Tj /F1 7 Tf 4 Ts (2.7) Tj /F1 10 Tf 0 Ts ( e) Tj /F1 7 Tf 4 Ts (-0.5)", "T².⁷ e⁻⁰.⁵"),
        (b"(see 4) Tj /F1 7 Tf 4 Ts (2.) Tj /F1 10 Tf 0 Ts ( Then)", "see 4². Then"),
        (b"(2) Tj /F1 7 Tf 4 Ts (1) Tj /F1 10 Tf 0 Ts (/) Tj /F1 7 Tf -2 Ts (2) Tj /F1 10 Tf 0 Ts ( in)", "2¹/₂ in"),
        (b"(5,000.) Tj /F1 6 Tf 4 Ts (3) Tj /F1 10 Tf 0 Ts ( Then)", "5,000.³ Then"),
        (b"(1010) Tj /F1 7 Tf -2 Ts (2) Tj /F1 10 Tf 0 Ts ( is ten)", "1010₂ is ten"),
        (b"(H) Tj /F1 7 Tf -2 Ts (2) Tj /F1 10 Tf 0 Ts (O)", "H2O"),
        (b"(Total) Tj /F1 7 Tf ( 12)", "Total 12"),
        (b"(EUR ) Tj /F1 7 Tf (12)", "EUR 12"),
        (b"/F1 6 Tf 4 Ts (12) Tj /F1 10 Tf 0 Ts (Deaton)", "¹²Deaton"),  # the footnote itself
        (b"/F1 6 Tf 4 Ts (2) Tj /F1 10 Tf 0 Ts (1,2-Dichloroethane)", "²1,2-Dichloroethane"),
        (b"/F1 6 Tf 4 Ts (12) Tj /F1 10 Tf 0 Ts (12 March 1998) Tj /F1 6 Tf 4 Ts (2)", "¹²12 March 1998²"),
        (b"(in ) Tj /F1 6 Tf 4 Ts (3) Tj /F1 10 Tf 0 Ts (1998)", "in ³1998"),
        (b"/F1 10 Tf (1) Tj /F1 14 Tf -1 Ts (Title)", "1Title"),
        (b"/F1 6 Tf 1 Ts (12) Tj /F1 10 Tf 0 Ts (34)", "1234"),  # hardly raised
        (b"(1.5) Tj ( x 10) Tj /F1 7 Tf 4 Ts (-27) Tj /F1 10 Tf 0 Ts ( kg)", "1.5 x 10⁻²⁷ kg"),
        (b"(10) Tj /F1 7 Tf 4 Ts (+3) Tj /F1 10 Tf 0 Ts ( m)", "10⁺³ m"),
        (b"(Amaral) Tj /F1 6 Tf 4 Ts (1,3,14) Tj /F1 10 Tf 0 Ts ( and)", "Amaral¹,³,¹⁴ and"),
        (b"(Amaral) Tj /F1 6 Tf 4 Ts (1) Tj /F1 10 Tf 0 Ts (,3 of them)", "Amaral¹,3 of them"),
        (b"(10-3 m, 10) Tj /F1 10 Tf (-3)", "10-3 m, 10-3"),
        (b"(12) Tj /F1 7 Tf (34)", "1234"),  # smaller, on the same baseline
    ],
)
def test_raised_digits_do_not_become_part_of_a_number(content: bytes, read: str) -> None:
    assert layer(b"BT /F1 10 Tf 72 700 Td " + content + b" Tj ET").text == read


def test_raised_digits_of_a_rotated_page_are_found() -> None:
    content = b"BT /F1 10 Tf 0 1 -1 0 142 72 Tm (in 2002) Tj /F1 6 Tf 4 Ts (37) Tj ET"
    assert layer(content, entries="/Rotate 90").text == "in 2002³⁷"


def test_labels_that_nearly_touch_stay_apart() -> None:
    found = layer(b"BT /F1 10 Tf 72 700 Td (0.8) Tj 8.3 5.5 Td (1) Tj -8.3 -11 Td (0.6) Tj 8.3 5.5 Td (0) Tj ET")
    assert [line.text for line in found.lines] == ["0.8", "1", "0.6", "0"]


def test_an_index_under_an_exponent_is_not_part_of_it() -> None:
    found = layer(b"BT /F1 10 Tf 72 700 Td (x) Tj /F1 7 Tf 4 Ts (2) Tj [(1) 556 (3)] TJ -5 Ts ET")
    assert "x²¹" in found.text
    found = layer(b"BT /F1 10 Tf 72 700 Td (x) Tj /F1 7 Tf 4 Ts (2) Tj -3 Ts [556 (1)] TJ ET")
    assert [line.text for line in found.lines] == ["x²", "1"]


def test_an_exponent_after_an_index_is_raised() -> None:
    found = layer(
        b"BT /F1 10 Tf 72 700 Td (x) Tj /F1 7 Tf -3 Ts (1) Tj 4 Ts (2) Tj 0 Ts /F1 10 Tf ( + x) Tj /F1 7 Tf -3 Ts (20) Tj ET"
    )
    assert found.text == "x1² + x20"


def test_a_ligature_wider_than_high_is_one_word() -> None:
    cmap = (
        b"/CIDInit /ProcSet findresource begin 12 dict begin begincmap /CMapName /X def /CMapType 2 def "
        b"1 begincodespacerange <00> <FF> endcodespacerange 1 beginbfchar <41> <006600660069> endbfchar endcmap end end"
    )
    font = "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /FirstChar 65 /LastChar 65 /Widths [1800] /ToUnicode 6 0 R >>"
    content = b"BT /F1 10 Tf 72 700 Td (e) Tj /F2 10 Tf (A) Tj /F1 10 Tf (cient) Tj ET"
    assert layer(content, resources=f"/Font << /F1 3 0 R /F2 {font} >>", extra={6: pdfs.stream(cmap)}).text == "efficient"


def test_the_numbers_of_a_fraction_are_apart_from_the_text_around_them() -> None:
    content = b"BT /F1 10 Tf 72 700 Td (with 2) Tj /F1 7 Tf 4.5 Ts (1) Tj -3.5 Ts [556 (3)] TJ 0 Ts /F1 10 Tf ( spoons of 10) Tj"
    found = layer(content + b" /F1 7 Tf 4 Ts (6) Tj 0 Ts /F1 10 Tf ( grains) Tj ET")
    assert [line.text for line in found.lines] == ["with 2", "1", "3", "spoons of 10\u2076 grains"]
