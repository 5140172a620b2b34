"""Text whose font has no usable map to Unicode is left to OCR, and the readable text of its page is kept."""

from __future__ import annotations

import io
from pathlib import Path

import manimgx_fonts
import pytest
from fontTools import subset
from fontTools.ttLib import TTFont
from fontTools.varLib import instancer

from rayocr.pdf.cut.page_document import media_type, page_document
from rayocr.pdf.document import PdfFile
from tests.unit.pdf.pdfs import deflated, pages_of, reindexed, stream
from tests.unit.pdf.textlayer.drawings import layer_of, outlined, page_with_font, texts_of

BODY = b"BT /F1 12 Tf 72 780 Td 15 TL " + b" ".join(b"(The keeper of the light wrote into his ledger.) Tj T*" for _ in range(30))
BODY += b" ET "
TOTAL = "Total due 4,250 crowns"
LINE = f"BT /F2 12 Tf 72 200 Td ({TOTAL}) Tj ET".encode()
DIFFERENT = {char: chr(0xE000 + n) for n, char in enumerate(sorted(set(TOTAL)))}


def page_with_glyph_numbers(before: bytes = b"") -> bytes:
    """A page whose last line uses the numbers of the glyphs as codes, without a map to Unicode."""
    font = TTFont(Path(manimgx_fonts.__file__).parent / "NotoSans[wght].ttf")
    numbers = {char: font.getGlyphID(font.getBestCmap()[ord(char)]) for char in TOTAL}
    options = subset.Options(retain_gids=True, layout_features=[])
    subsetter = subset.Subsetter(options)
    subsetter.populate(text=TOTAL)
    subsetter.subset(font)
    font = instancer.instantiateVariableFont(font, {"wght": 400})
    data = io.BytesIO()
    font.save(data)
    widths = " ".join(f"{n} [{font['hmtx'][font.getGlyphName(n)][0]}]" for n in sorted(numbers.values()))
    extra = {
        5: deflated(data.getvalue(), f"/Length1 {len(data.getvalue())}"),
        6: b"<< /Type /FontDescriptor /FontName /X /Flags 4 /FontBBox [0 0 999 999] /ItalicAngle 0 /Ascent 900 /Descent -200 "
        b"/CapHeight 700 /StemV 80 /FontFile2 5 0 R >>",
        7: b"<< /Type /Font /Subtype /CIDFontType2 /BaseFont /X /CIDToGIDMap /Identity /FontDescriptor 6 0 R "
        + f"/CIDSystemInfo << /Registry (Adobe) /Ordering (Identity) /Supplement 0 >> /W [{widths}] >>".encode(),
        8: b"<< /Type /Font /Subtype /Type0 /BaseFont /X /Encoding /Identity-H /DescendantFonts [7 0 R] >>",
    }
    codes = "".join(f"{numbers[char]:04x}" for char in TOTAL)
    content = before + BODY + f"BT /F2 12 Tf 72 200 Td <{codes}> Tj ET".encode()
    return reindexed(pages_of(content=content, extra=extra).replace(b"<< /F1", b"<< /F2 8 0 R /F1"))


TABS = b"/Span << /ActualText <FEFF000900090009> >> BDC BT /F1 12 Tf 72 200 Td (" + TOTAL.encode() + b") Tj ET EMC"
UNREADABLE = {
    "a replacement without letters": pages_of(content=BODY + TABS),
    "glyph numbers": page_with_glyph_numbers(),
    "replacement characters": page_with_font(BODY + LINE, dict.fromkeys(TOTAL, "\ufffd")),
    "control characters": page_with_font(BODY + LINE, dict.fromkeys(TOTAL, "\x03")),
    "private characters": page_with_font(BODY + LINE, DIFFERENT),
    "digits only": page_with_font(BODY + LINE, {char: DIFFERENT[char] if char in "4250," else char for char in TOTAL}),
    "spaces": page_with_font(BODY + LINE, dict.fromkeys(TOTAL, " ")),
    "spaces without a width": page_with_font(BODY + LINE, dict.fromkeys(TOTAL, "\u200b")),
    "nothing": page_with_font(BODY + LINE, dict.fromkeys(TOTAL, "\0")),
}


@pytest.mark.parametrize("name", UNREADABLE)
def test_a_line_without_known_characters_makes_the_layer_partial(name: str) -> None:
    layer = layer_of(UNREADABLE[name])
    assert {line.text for line in layer.lines} == {"The keeper of the light wrote into his ledger."}
    assert layer.verdict.kind == "partial"
    assert any(620 < y0 < 645 for _, y0, _, _ in layer.unread)


@pytest.mark.parametrize("name", UNREADABLE)
def test_such_a_line_remains_in_the_picture_for_ocr(name: str) -> None:
    with PdfFile(UNREADABLE[name], max_pixels=1_000_000) as file, file.page(1) as page:
        with page.without_own_text():
            image = page.thumbnail(72)
        assert image.crop((0, 0, 595, 610)).getextrema() == (255, 255)
        assert image.crop((60, 620, 400, 650)).getextrema()[0] < 128
        assert page.thumbnail(72).crop((0, 0, 595, 610)).getextrema()[0] < 128


def test_a_page_that_is_compared_with_its_ink_is_sent_as_a_picture_because_of_such_a_line() -> None:
    with (
        PdfFile(
            page_with_glyph_numbers(before=b"BT /F1 12 Tf 1 Tr 72 810 Td (Outlined words) Tj ET "), max_pixels=1_000_000
        ) as file,
        file.page(1) as page,
    ):
        assert media_type(page_document(page)) == "image/jpeg"


def test_a_glyph_that_draws_a_whole_phrase_is_no_letter() -> None:
    glyph = b"300 0 0 0 300 30 d1 " + outlined(TOTAL, 0, 5, 20)
    font = b"<< /Type /Font /Subtype /Type3 /FontBBox [0 0 300 30] /FontMatrix [1 0 0 1 0 0] /CharProcs << /a 6 0 R >> "
    font += b"/Encoding << /Differences [97 /a] >> /FirstChar 97 /LastChar 97 /Widths [300] >>"
    data = pages_of(content=BODY + b"BT /F2 1 Tf 72 200 Td (a) Tj ET", extra={5: font, 6: stream(glyph)})
    layer = layer_of(reindexed(data.replace(b"<< /F1", b"<< /F2 5 0 R /F1")))
    assert "a" not in [line.text for line in layer.lines]
    assert layer.verdict.kind == "partial"


@pytest.mark.parametrize("code", ["\ufffd", "\x18", "\0", "\ue005"])
@pytest.mark.parametrize("hole", ["5", "0", ",", "w"])
def test_a_line_with_a_hole_in_a_word_or_a_number_is_left_to_ocr(code: str, hole: str) -> None:
    layer = layer_of(page_with_font(BODY + LINE, {char: code if char == hole else char for char in TOTAL}))
    assert {line.text for line in layer.lines} == {"The keeper of the light wrote into his ledger."}
    assert layer.verdict.kind == "partial"


@pytest.mark.parametrize("letter", "Tscd")
def test_a_first_or_last_letter_without_a_character_is_left_to_ocr_if_it_is_drawn(letter: str) -> None:
    layer = layer_of(page_with_font(BODY + LINE, {char: "\0" if char == letter else char for char in TOTAL}))
    assert {line.text for line in layer.lines} == {"The keeper of the light wrote into his ledger."}
    assert layer.verdict.kind == "partial"


def test_spaces_without_a_character_beside_brackets_are_no_letters() -> None:
    text = "Total-due (net) crowns"
    line = b"BT /F2 12 Tf 72 200 Td (" + text.replace("(", "\\(").replace(")", "\\)").encode() + b") Tj ET"
    layer = layer_of(page_with_font(BODY + line, {char: "\0" if char == " " else char for char in text}))
    assert layer.verdict.trusted
    assert layer.lines[-1].text == text


@pytest.mark.parametrize("code", ["\ufffd", "\x18", "\u200b"])
def test_a_word_with_a_hole_is_left_to_ocr_where_every_letter_is_an_object(code: str) -> None:
    letters = b"".join(b"(%c) Tj " % char for char in TOTAL.encode())
    line = b"BT /F2 12 Tf 72 200 Td " + letters + b"ET"
    layer = layer_of(page_with_font(BODY + line, {char: code if char == "," else char for char in TOTAL}))
    assert {line.text for line in layer.lines} == {"The keeper of the light wrote into his ledger.", "Total due", "crowns"}
    assert layer.verdict.kind == "partial"


def test_different_glyphs_that_are_mapped_to_one_letter_are_left_to_ocr() -> None:
    layer = layer_of(page_with_font(BODY + LINE.replace(b"250 ", b"250"), dict.fromkeys(TOTAL, "X")))
    assert {line.text for line in layer.lines} == {"The keeper of the light wrote into his ledger."}
    assert layer.verdict.kind == "partial"
    same = layer_of(page_with_font(BODY + b"BT /F2 12 Tf 72 200 Td (XXXXXXXX aaaaaaa) Tj ET", {char: char for char in "Xa "}))
    assert same.verdict.trusted and same.lines[-1].text == "XXXXXXXX aaaaaaa"


def test_letters_beyond_the_first_plane_are_no_holes() -> None:
    mapping = {char: chr(0x1D7CE + int(char)) if char.isdigit() else char for char in TOTAL}
    layer = layer_of(page_with_font(BODY + LINE, mapping))
    assert layer.verdict.trusted
    assert len({line.text for line in layer.lines}) == 2


def page_in_order_of_use(first: int, name: str) -> bytes:
    """A page whose last line is in a Type 3 font with codes from `first` on, in the order of use, and names that mean nothing."""
    used = list(dict.fromkeys(TOTAL))
    font = b"<< /Type /Font /Subtype /Type3 /FontBBox [0 0 1000 1000] /FontMatrix [.001 0 0 .001 0 0] /CharProcs << "
    font += b" ".join(f"/{name}{n} {n + 20} 0 R".encode() for n in range(len(used)))
    font += f">> /FirstChar {first} /LastChar {first + len(used) - 1} /Widths [{'600 ' * len(used)}] ".encode()
    names = " ".join(f"/{name}{n}" for n in range(len(used)))
    font += f"/Encoding << /Differences [{first} {names}] >> >>".encode()
    glyphs = {
        n + 20: stream(b"600 0 0 -300 600 1000 d1 " + (outlined(char, 0, 0, 1000) if char != " " else b""))
        for n, char in enumerate(used)
    }
    codes = "".join(f"{first + used.index(char):02x}" for char in TOTAL)
    content = BODY + f"BT /F2 12 Tf 72 200 Td <{codes}> Tj ET".encode()
    return reindexed(pages_of(content=content, extra={5: font} | glyphs).replace(b"<< /F1", b"<< /F2 5 0 R /F1"))


@pytest.mark.parametrize("first", [1, 33, 150])
@pytest.mark.parametrize("name", ["gid000", "g", "cid_"])
def test_a_font_whose_glyphs_are_numbered_in_the_order_of_use_is_left_to_ocr(first: int, name: str) -> None:
    layer = layer_of(page_in_order_of_use(first, name))
    assert {line.text for line in layer.lines} == {"The keeper of the light wrote into his ledger."}
    assert layer.verdict.kind == "partial"


@pytest.mark.parametrize(
    "text",
    [rb"[1],[2],[3]", rb"\(a\),\(b\),\(c\)", rb"{x=f(y);}", rb"$4,250.00*", rb"!=&&||<<>>", rb"-----=====-----"],
)
def test_signs_beside_words_of_one_font_are_text(text: bytes) -> None:
    layer = layer_of(pages_of(content=BODY + b"BT /F1 12 Tf 72 200 Td (" + text + b") Tj ET"))
    assert layer.verdict.trusted
    assert len({line.text for line in layer.lines}) == 2


@pytest.mark.parametrize("mapping", [{"(": "\uf0b7"}, {"(": "\uf0b7", ")": "\uf0a7"}, {"(": "\ufffd"}])
def test_single_signs_without_a_meaning_leave_the_layer_trusted(mapping: dict[str, str]) -> None:
    signs = b"BT /F2 12 Tf 50 780 Td 15 TL " + b" ".join(rb"(\() Tj T*" for _ in range(30)) + rb" (\)) Tj (\() Tj ET"
    assert layer_of(page_with_font(BODY + signs, mapping)).verdict.trusted


def test_a_row_of_dots_without_a_meaning_leaves_the_layer_trusted() -> None:
    assert layer_of(
        page_with_font(BODY + b"BT /F2 12 Tf 72 200 Td (....................) Tj ET", {".": "\ufffd"})
    ).verdict.trusted


def test_small_capitals_and_old_style_digits_are_letters_and_digits() -> None:
    mapping = {"a": "\uf761", "b": "\uf762", "e": "\uf7e9", "1": "\uf731", "9": "\uf739", "&": "\uf726"}
    assert texts_of(page_with_font(b"BT /F2 12 Tf 72 200 Td (Fab&e 1919) Tj ET", mapping)) == ["FAB&É 1919"]


def test_codes_of_a_symbol_font_that_spell_words_are_letters() -> None:
    mapping = {char: chr(0xF000 + ord(char)) for char in TOTAL if char != " "}
    layer = layer_of(page_with_font(BODY + LINE, mapping))
    assert layer.verdict.trusted
    assert TOTAL in [line.text for line in layer.lines]


def page_without_map(text: str) -> bytes:
    """A page whose font has the name of a map instead of a map: its codes are Unicode."""
    font = (
        b"<< /Type /Font /Subtype /Type0 /BaseFont /Some /Encoding /Identity-H /ToUnicode /Identity-H /DescendantFonts [ "
        b"<< /Type /Font /Subtype /CIDFontType2 /BaseFont /Some /CIDSystemInfo << /Registry (Adobe) /Ordering (Identity) "
        b"/Supplement 0 >> /FontDescriptor << /Type /FontDescriptor /FontName /Some /Flags 32 /StemV 80 /Ascent 800 "
        b"/Descent -200 /CapHeight 700 /ItalicAngle 0 /FontBBox [0 -200 1000 800] >> /DW 600 >> ] >>"
    )
    rows = " ".join(f"<{row.encode('utf-16-be').hex()}> Tj T*" for row in text.split("\n"))
    content = f"BT /F2 12 Tf 15 TL 72 700 Td {rows} ET".encode()
    return reindexed(pages_of(content=content, extra={5: font}).replace(b"<< /F1", b"<< /F2 5 0 R /F1"))


def test_letters_of_a_font_whose_codes_are_unicode_are_kept() -> None:
    """They became U+FFFD, and the page came out as done."""
    text = "Warto\u015b\u0107\nKsi\u0105\u017cki\nIlo\u015b\u0107\nrazem\nnetto"
    layer = layer_of(page_without_map(text))  # without the font's file nothing is drawn
    assert [line.text for line in (*layer.lines, *layer.hidden)] == text.split("\n")


def test_an_unknown_letter_at_the_end_of_a_word_is_left_to_ocr() -> None:
    content = BODY + b"BT /F2 12 Tf 72 200 Td (Ilos!) Tj ET"
    layer = layer_of(page_with_font(content, {char: char for char in "Ilos"} | {"!": "\ufffd"}))
    assert layer.verdict.kind == "partial"
    assert "Ilos" not in layer.text


def test_a_number_in_two_fonts_is_dropped_as_a_whole() -> None:
    """Only its digits in the font with the wrong map were dropped, so that 8.36 became 8."""
    content = BODY + b"BT 72 400 Td " + b" ".join(b"/F1 12 Tf (8) Tj /F2 12 Tf (.36 ) Tj" for _ in range(4)) + b" ET"
    layer = layer_of(page_with_font(content, {".": ".", " ": " ", "3": "6", "6": "6"}))
    assert not any(char.isdigit() for char in layer.text)
    assert layer.verdict.kind == "partial"


def test_a_letter_with_the_code_of_a_line_end_is_not_lost() -> None:
    """Functional came out as Funtional, and the page as done."""
    content = BODY + b"BT /F2 12 Tf 72 200 Td (Fun!tional programming) Tj ET"
    layer = layer_of(page_with_font(content, {char: char for char in "Functional programming"} | {"!": "\r"}))
    assert layer.verdict.kind == "partial"
    assert "tional" not in layer.text


def test_a_map_to_a_number_beyond_all_characters_leaves_the_page_readable() -> None:
    mapping = {char: char for char in TOTAL} | {"T": "XYZ"}
    data = (
        page_with_font(BODY + LINE, mapping).replace(b"<005800590", b"<7fffffff0", 1).replace(b"<00580059005a>", b"<7fffffff>", 1)
    )
    assert texts_of(reindexed(data))[0].startswith("The keeper of the light")


def test_numbers_of_letters_alone_are_left_to_ocr_beside_others_of_their_font() -> None:
    content = BODY + b"BT /F2 12 Tf 72 200 Td (Invoice 20417) Tj 0 -20 Td (10,150.05) Tj ET"
    meanings = {char: {"0": "O", "1": "l", "5": "S"}.get(char, char) for char in "Invoice 20417,.5"}
    assert not [text for text in texts_of(page_with_font(content, meanings)) if "O" in text]
