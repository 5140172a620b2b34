from __future__ import annotations

import pytest

from rayocr.pdf.textlayer.right_to_left import logical_order
from tests.unit.pdf import pdfs
from tests.unit.pdf.textlayer.drawings import HEBREW, page_with_font, texts_of


def read(shown: str, *, right_to_left_page: bool = True) -> str:
    """`shown`: the characters of a line in visual order, from left to right."""
    return "".join(shown[n] for n in logical_order(shown, right_to_left_page=right_to_left_page))


@pytest.mark.parametrize(
    ("shown", "text"),
    [
        ("בא", "אב"),
        ("בא 1931 דג", "גד 1931 אב"),
        (".12.5 אב", "בא 12.5."),
        ("24/12/1931 אב", "בא 24/12/1931"),
        ("20 19 אב", "בא 19 20"),
        ("אב 50%", "50% בא"),
        ("דג Windows 10 בא", "אב Windows 10 גד"),
        ("דג Harrow Vale בא", "אב Harrow Vale גד"),
        ("الف", "فلا"),
        ("٢٠٢٤ ب", "ب ٢٠٢٤"),
        ("בא (-3%) דג", "גד )-3%( אב"),  # brackets are turned later
        ("בא −12.5 דג", "גד −12.5 אב"),
        ("3- בא", "אב -3"),
        ("בא +49 30 555-0142 דג", "גד +49 30 555-0142 אב"),
        ("%8 ب", "ب 8%"),
        ("%50 בא", "אב %50"),
        ("۱٬۲۳۴٬۵۶۷ ب", "ب ۱٬۲۳۴٬۵۶۷"),
        ("٪۱۲٫۵ ب", "ب ۱۲٫۵٪"),
        ("١٬٢٣٤٫٥ ب", "ب ١٬٢٣٤٫٥"),
        ("5550142-021 ب", "ب 021-5550142"),
        ("-4-971+ ب", "ب +971-4-"),
        ("2021-2020 ب", "ب 2020-2021"),
        ("2020-2021 ب", "ب 2020-2021"),
        (".2021-2020 ب", "ب 2020-2021."),
        ("03-555-0142 בא", "אב 03-555-0142"),
        ("ب -١", "١- ب"),
        ("بא -1", "1- אب"),
        ("°5- ب", "ب -5°"),
        (".(5-7 בא) http://example.com/a", "http://example.com/a )אב 5-7(."),
        ("בא Pro (64-bit) דג", "גד Pro (64-bit) אב"),
        ("בא (64-bit) דג", "גד )64-bit( אב"),
        ("16:00–14:30 בא", "אב 14:30–16:00"),
        ("9.5–12.5 בא", "אב 9.5–12.5"),
    ],
)
def test_a_line_is_read_from_the_right_and_numbers_and_latin_words_from_the_left(shown: str, text: str) -> None:
    assert read(shown) == text


@pytest.mark.parametrize(
    ("shown", "text"),
    [
        ("The word שלום means peace", "The word םולש means peace"),
        ("Called גד בא 7 here", "Called אב דג 7 here"),
        ("plain text 12.5", "plain text 12.5"),
    ],
)
def test_words_within_an_english_line_are_turned_and_the_line_is_not(shown: str, text: str) -> None:
    assert read(shown, right_to_left_page=False) == text


def test_brackets_around_hebrew_stay_around_it() -> None:
    assert read("a (בא) z", right_to_left_page=False) == "a (אב) z"


def hebrew(content: bytes, **more: str) -> list[str]:
    return texts_of(page_with_font(content, HEBREW | {n: n for n in " 0123456789.,-"}, **more))


def test_a_line_drawn_from_left_to_right_comes_whole() -> None:
    # On the page: "gfe 1931 dcba", as most programs draw Hebrew.
    assert hebrew(b"BT /F2 12 Tf 72 700 Td (gfe 1931 dcba) Tj ET") == ["אבגד 1931 הוז"]


def test_a_line_drawn_letter_by_letter_from_the_right_comes_whole() -> None:
    letters = b"".join(b"1 0 0 1 %d 700 Tm (%c) Tj " % (300 - 7 * n, char) for n, char in enumerate(b"abde ghno"))
    assert hebrew(b"BT /F2 12 Tf " + letters + b" ET") == ["אבדה זחםמ"]


def test_words_drawn_from_the_right_word_by_word_are_one_line() -> None:
    content = b"BT /F2 12 Tf 1 0 0 1 300 700 Tm (dcba) Tj 1 0 0 1 270 700 Tm (hgfe) Tj 1 0 0 1 240 700 Tm (1931) Tj ET"
    assert hebrew(content) == ["אבגד הוזח 1931"]


def test_cells_of_a_row_stay_apart() -> None:
    content = b"BT /F2 12 Tf 1 0 0 1 400 700 Tm (cba) Tj 1 0 0 1 250 700 Tm (fed) Tj 1 0 0 1 100 700 Tm (75) Tj ET"
    assert hebrew(content) == ["אבג", "דהו", "75"]


def test_lines_of_a_turned_page_are_read_too() -> None:
    assert hebrew(b"BT /F2 12 Tf 0 1 -1 0 300 72 Tm (gfe 12 dcba) Tj ET", entries="/Rotate 90") == ["אבגד 12 הוז"]


def test_shaped_arabic_letters_become_plain_ones() -> None:
    # Final, medial and initial forms, and the ligature of lam and alef; drawn from left to right.
    mapping = {"a": "\ufe91", "b": "\ufe92", "c": "\ufe90", "d": "\ufefb"}
    assert texts_of(page_with_font(b"BT /F2 12 Tf 72 700 Td (dcba) Tj ET", mapping)) == ["بببلا"]


def test_a_vowel_sign_stays_with_its_letter() -> None:
    mapping = HEBREW | {"x": "\u05b8"}
    content = b"BT /F2 12 Tf 1 0 0 1 80 700 Tm (a) Tj 1 0 0 1 72 700 Tm (b) Tj 0.1 Tc 1 0 0 1 82 700 Tm (x) Tj ET"
    assert texts_of(page_with_font(content, mapping)) == ["א\u05b8ב"]


def test_brackets_that_were_mirrored_wrongly_are_turned_back() -> None:
    # PDFium mirrors text that it considers right-to-left; the formula is not.
    mapping = HEBREW | {n: n for n in "()0=1+"} | {"X": "x"}
    for content in (b"BT /F2 12 Tf 72 700 Td (\\(X+1\\) cba) Tj ET", b"BT /F2 12 Tf 72 700 Td (fed \\(X+1\\) cba) Tj ET"):
        (text,) = texts_of(page_with_font(content, mapping))
        assert "(x+1)" in text


def test_the_bracket_of_a_list_s_marker_stays_a_closing_one() -> None:
    (text,) = texts_of(page_with_font(b"BT /F2 12 Tf 72 700 Td (fed cba \\(1) Tj ET", HEBREW | {"1": "1", "(": "("}))
    assert text == "1) אבג דהו"


def replaced(letters: str, x: int, y: int = 700, size: int = 12) -> bytes:
    """Letters drawn one by one from the left, each with its /ActualText, as Chromium prints Arabic. `_` lies below them."""
    drawn = b""
    for n, char in enumerate(letters):
        code = ARABIC[char].encode("utf-16-be").hex().encode()
        place = b"1 0 0 1 %.1f %d Tm" % (x + 6.6 * n, y)
        drawn += b"/Span <</ActualText <FEFF%b> >> BDC BT /F1 %d Tf %b (%b) Tj ET EMC " % (code, size, place, char.encode())
    return drawn


ARABIC = dict(zip("abdeg_", "ابدهمي", strict=True))


def test_low_letters_that_a_file_replaces_stay_in_their_line() -> None:
    page = replaced("_ba", 100) + replaced("_ed", 126)
    assert texts_of(pdfs.pages_of(content=page)) == ["دهي ابي"]


def test_lengthening_strokes_are_not_letters() -> None:
    mapping = {"a": "م", "-": "\u0640", "b": "ح", "h": "ه", " ": " "}
    assert texts_of(page_with_font(b"BT /F2 12 Tf 72 700 Td (b---a) Tj ET", mapping)) == ["مح"]
    assert texts_of(page_with_font(b"BT /F2 12 Tf 72 700 Td (-h) Tj ET", mapping)) == ["هـ"]


def test_the_letters_of_a_ligature_are_in_the_order_of_its_map() -> None:
    mapping = {"b": "ب", "l": "لا", "d": "د"}
    assert texts_of(page_with_font(b"BT /F2 12 Tf 72 700 Td (dlb) Tj ET", mapping)) == ["بلاد"]


def test_two_letters_side_by_side_are_two_even_if_they_are_much_narrower_than_their_boxes_are_high() -> None:
    mapping = {"i": "ل", "h": "ه"}
    assert texts_of(page_with_font(b"BT /F2 24 Tf 40 Tz 72 700 Td (hiih) Tj ET", mapping)) == ["هلله"]


def test_a_stop_after_latin_words_is_their_end() -> None:
    page = b"BT /F2 12 Tf 72 700 Td (edcba fedcb gfedc) Tj 0 -20 Td (.Report 12) Tj ET"
    latin = {char: char for char in " .Reort12p"}
    mapping = latin | {char: HEBREW[char] for char in "abcdfg"}
    assert texts_of(page_with_font(page, mapping))[1].startswith("Report 12")


def test_a_range_is_read_from_the_right() -> None:
    assert read("15–12 בא") == "אב 12–15"
    assert read("12–15 בא") == "אב 12–15"
    assert read("03-555 בא") == "אב 03-555"


def test_a_bracket_whose_other_half_is_on_another_line_opens_or_closes_by_the_spaces_around_it() -> None:
    mapping = HEBREW | {n: n for n in "()USD1,58. "}
    (line,) = texts_of(page_with_font(b"BT /F2 12 Tf 72 700 Td (USD\\) edcba) Tj ET", mapping))
    assert line == "אבגדה (USD"
    (line,) = texts_of(page_with_font(b"BT /F2 12 Tf 72 700 Td (cba .\\(1,158) Tj ET", mapping))
    assert line.startswith("1,158).")


def test_a_negative_amount_in_a_cell_of_its_own_keeps_its_brackets() -> None:
    """Browsers map mirrored brackets to their opposites."""
    meanings = HEBREW | {char: char for char in "0123456789,"} | {"(": ")", ")": "("}
    words = b"".join(b"1 0 0 1 300 %d Tm (abcd dcba abdc) Tj " % (700 - 20 * n) for n in range(3))
    content = b"BT /F2 12 Tf " + words + b"1 0 0 1 72 700 Tm ((1,883)) Tj ET"
    assert "(1,883)" in texts_of(page_with_font(content, meanings))
