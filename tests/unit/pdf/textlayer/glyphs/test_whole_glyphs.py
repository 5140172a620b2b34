"""Letters that a file replaces with /ActualText, some of which consist of several glyphs."""

from __future__ import annotations

from tests.unit.pdf import pdfs
from tests.unit.pdf.textlayer.drawings import HEBREW, page_with_font, texts_of


def replaced(text: str, *glyphs: tuple[str, float]) -> bytes:
    """`glyphs`: each with its x. They are drawn one by one and replaced with `text`, as Chromium prints Devanagari."""
    drawn = b"".join(b"1 0 0 1 %.2f 700 Tm (%b) Tj " % (x, glyph.encode()) for glyph, x in glyphs)
    return b"/Span <</ActualText <FEFF%b> >> BDC BT /F1 12 Tf %b ET EMC " % (text.encode("utf-16-be").hex().encode(), drawn)


def test_glyphs_that_one_text_replaces_leave_no_gap() -> None:
    # The second glyph of each pair fills what would be a space otherwise.
    page = (
        replaced("पा", ("n", 72), ("l", 78.7))
        + replaced("नी", ("n", 81.4), ("l", 88.1))
        + replaced("का", ("n", 96), ("l", 102.7))
    )
    assert texts_of(pdfs.pages_of(content=page)) == ["पानी का"]


def test_a_replaced_word_on_two_lines_stays_on_the_first() -> None:
    code = "sunflower".encode("utf-16-be").hex().encode()
    page = b"/Span <</ActualText <FEFF%b> >> BDC BT /F1 12 Tf 400 700 Td (sun-) Tj -328 -14 Td (flower) Tj ET EMC " % code
    assert texts_of(pdfs.pages_of(content=page)) == ["sunflower"]


def test_low_letters_have_the_height_of_their_font() -> None:
    mapping = HEBREW | {" ": " ", ".": "."}
    letters = b"".join(
        b"/Span <</ActualText <FEFF%04X> >> BDC BT /F2 12 Tf %.1f 700 Td (.) Tj ET EMC " % (0x5D0 + n, 100 - n * 3.3)
        for n in range(3)
    )
    assert texts_of(page_with_font(letters, mapping)) == ["אבג"]


def test_a_vowel_sign_that_is_drawn_before_its_letter_belongs_to_it() -> None:
    # Chromium draws the sign first, below the letter, and replaces both with one text.
    drawn = b""
    for n in range(3):
        x = 300 - 6.7 * n
        text = ("רשת"[n] + "\u05b5").encode("utf-16-be").hex().encode()
        drawn += b"/Span <</ActualText <FEFF%b> >> BDC BT /F1 4 Tf 1 0 0 1 %.1f 697 Tm (.) Tj " % (text, x + 3)
        drawn += b"/F1 12 Tf 1 0 0 1 %.1f 700 Tm (n) Tj ET EMC " % x
    (line,) = texts_of(pdfs.pages_of(content=drawn))
    assert line == "ר\u05b5ש\u05b5ת\u05b5"


def test_signs_of_a_conjunct_stay_in_their_order() -> None:
    # Malayalam: two letters with a virama between them are drawn as one glyph.
    page = replaced("\u0d15\u0d47", ("n", 72), ("l", 78.7)) + replaced("\u0d24\u0d4d\u0d24\u0d3f", ("m", 81.4), ("l", 91.4))
    assert texts_of(pdfs.pages_of(content=page)) == ["\u0d15\u0d47\u0d24\u0d4d\u0d24\u0d3f"]


def test_a_space_after_a_virama_that_reaches_into_it_is_kept() -> None:
    text = "\u0928\u094d".encode("utf-16-be").hex().encode()
    drawn = b"1 0 0 1 72 700 Tm (n) Tj 1 0 0 1 76.5 698.5 Tm (_) Tj "
    page = b"/Span <</ActualText <FEFF%b> >> BDC BT /F1 12 Tf %b ET EMC " % (text, drawn)
    page += replaced("\u0925\u0947", ("n", 82.2), ("l", 88.9)) + replaced("\u0915\u093e", ("n", 91.6), ("l", 98.3))
    assert texts_of(pdfs.pages_of(content=page)) == ["\u0928\u094d \u0925\u0947\u0915\u093e"]
