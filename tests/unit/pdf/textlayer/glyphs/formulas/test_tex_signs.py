"""Signs of TeX's fonts for formulas are read as signs, not as the letters and digits with the same codes."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from tests.unit.pdf import pdfs
from tests.unit.pdf.textlayer.drawings import texts_of, to_unicode

NAMES = {
    0x01: "parenrightbig",
    0x0C: "vextendsingle",
    0x30: "prime",
    0x36: "bracketleftex",
    0x65: "e",
    0x75: "dotplus",
    0x58: "summationdisplay",
}
NAMES |= {0x68: "angbracketleft", 0x70: "radicalbig"}
BOX = b"600 0 0 0 600 700 d1 0 0 500 700 re f"


def line_with(code: str, name: str, mapping: Mapping[str, str] | None = None) -> str:
    """The text of a page on which a glyph of this font is among words; the font's map lacks the glyph."""
    content = f"BT /F1 12 Tf 72 700 Td (a = ) Tj /F2 11 Tf <{ord(code):02x}> Tj /F1 12 Tf (b and more words) Tj ET".encode()
    return "".join(texts_of(page_of(content, name, mapping)))


def page_of(content: bytes, name: str, mapping: Mapping[str, str] | None = None) -> bytes:
    glyphs = " ".join(f"/{glyph} 7 0 R" for glyph in NAMES.values())
    differences = " ".join(f"{number} /{glyph}" for number, glyph in NAMES.items())
    font = (
        f"<< /Type /Font /Subtype /Type3 /BaseFont /{name} /ToUnicode 6 0 R /FontBBox [0 0 600 700] "
        f"/FontMatrix [.001 0 0 .001 0 0] /CharProcs << {glyphs} >> /Encoding << /Differences [{differences}] >> "
        f"/FirstChar 0 /LastChar 127 /Widths [{'600 ' * 128}] >>"
    ).encode()
    data = pdfs.pages_of(content=content, extra={6: to_unicode(mapping or {"$": "$"}), 7: pdfs.stream(BOX), 8: font})
    return pdfs.reindexed(data.replace(b"<< /F1", b"<< /F2 8 0 R /F1"))


@pytest.mark.parametrize(
    ("font", "code", "seen"),
    [
        ("ABCDEF+CMEX10", "p", "√"),
        ("CMEX10", "X", "∑"),
        ("CMEX10", "\x01", ")"),
        ("LMEX10", "p", "√"),
        ("CMSY7", "0", "′"),
        ("ABCDEF+CMBSY10", "h", "⟨"),
        ("txsys", "0", "′"),
        ("ABCDEF+pxbsy", "0", "′"),
        ("MTSYN", "0", "′"),
        ("txexs", "p", "√"),
        ("LMMathExtension10-Regular", "p", "√"),
        ("MSAM10", "6", "⩽"),
        ("MSAM7", "u", "∔"),
        ("TeX-feymr10", "e", "€"),
        ("CMEX10", "\x0c", "|"),
    ],
)
def test_a_glyph_that_the_map_of_a_tex_font_lacks_is_the_sign_that_it_draws(font: str, code: str, seen: str) -> None:
    assert line_with(code, font) == f"a = {seen}b and more words"


def test_a_glyph_that_the_map_has_stays_as_the_map_says() -> None:
    assert line_with("p", "CMEX10", {"p": "q"}) == "a = qb and more words"


def test_a_glyph_without_a_character_in_the_map_is_no_minus() -> None:
    """Mac programs number the glyphs anew and give the circle of a copyright sign the character 0; a minus has the code 0."""
    assert "−" not in line_with("p", "CMSY10", {"p": "\0"})


def test_a_letter_of_another_font_stays_a_letter() -> None:
    assert line_with("p", "CMMI10") == "a = pb and more words"


def test_the_pieces_of_a_tall_bracket_are_one_sign() -> None:
    pieces = b"".join(b"1 0 0 1 100 %d Tm <36> Tj " % y for y in (708, 700, 692))
    content = b"BT /F1 12 Tf 72 700 Td (a = ) Tj /F2 11 Tf " + pieces + b"/F1 12 Tf 1 0 0 1 110 700 Tm (more) Tj ET"
    assert "".join(texts_of(page_of(content, "CMEX10"))).count("⎢") == 1


def test_a_slash_that_the_map_lacks_negates_the_sign_under_it() -> None:
    content = b"BT /F1 12 Tf 72 700 Td (a ) Tj /F2 11 Tf [<36> 600] TJ /F1 12 Tf (= b and more words) Tj ET"
    assert "".join(texts_of(page_of(content, "CMSY10"))) == "a ≠ b and more words"
