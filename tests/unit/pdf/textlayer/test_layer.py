from __future__ import annotations

import pytest

from rayocr.pdf.document import PdfFile
from rayocr.pdf.geometry import Box
from rayocr.pdf.textlayer.layer import TextLayer
from rayocr.pdf.textlayer.lines import TextLine
from tests.unit.pdf import pdfs
from tests.unit.pdf.textlayer.drawings import layer_of, page_with_font


def layer(content: bytes, *, entries: str = "", media_box: str = pdfs.A4, **more: object) -> TextLayer:
    data = pdfs.pages_of((entries,), content=content, media_box=media_box, **more)  # type: ignore[arg-type]
    with PdfFile(data, max_pixels=1_000_000) as file, file.page(1) as page:
        return page.text_layer()


def mapped(hexadecimal: str, *, shown: bytes = b"<41>") -> str:
    """The text of the letter A in a font with this ToUnicode map."""
    cmap = (
        "/CIDInit /ProcSet findresource begin 12 dict begin begincmap /CMapName /X def /CMapType 2 def "
        "1 begincodespacerange <00> <FF> endcodespacerange "
        f"1 beginbfchar <41> <{hexadecimal}> endbfchar endcmap end end"
    )
    data = pdfs.pages_of(content=b"BT /F2 12 Tf 72 700 Td " + shown + b" Tj ET", extra={6: pdfs.stream(cmap.encode())})
    font = b"<< /F2 << /Type /Font /Subtype /Type1 /BaseFont /Helvetica /ToUnicode 6 0 R >> /F1"
    with PdfFile(pdfs.reindexed(data.replace(b"<< /F1", font)), max_pixels=1_000_000) as file, file.page(1) as page:
        return page.text_layer().text


def test_a_line_has_its_place_size_and_weight() -> None:
    (line,) = layer(pdfs.HELLO).lines
    assert line.text == "Hello, this is a page of text"
    assert line.x0 == pytest.approx(72, abs=2)
    assert line.y0 < 842 - 700 < line.y1
    assert line.font_size_pt == pytest.approx(24)
    assert not line.bold


@pytest.mark.parametrize("rotate", [90, 180, 270])
def test_lines_of_a_turned_page_are_placed_upright(rotate: int) -> None:
    turned = {
        90: b"0 1 -1 0 142 72 Tm",
        180: b"-1 0 0 -1 523 142 Tm",
        270: b"0 -1 1 0 453 770 Tm",
    }[rotate]
    (line,) = layer(b"BT /F1 24 Tf " + turned + b" (Hello there) Tj ET", entries=f"/Rotate {rotate}").lines
    assert line.text == "Hello there"
    assert line.x0 == pytest.approx(72, abs=2)
    assert line.y0 < 142 < line.y1


def test_columns_and_cells_are_lines_of_their_own() -> None:
    found = layer(b"BT /F1 10 Tf 72 700 Td (left) Tj 200 0 Td (right) Tj -200 -14 Td (below) Tj ET").lines
    assert [line.text for line in found] == ["left", "right", "below"]


def test_words_set_one_by_one_join_into_a_line() -> None:
    found = layer(b"BT /F1 10 Tf 72 700 Td [(Some) -300 (words) -300 (in) -250 (a) -250 (row)] TJ ET").lines
    assert [line.text for line in found] == ["Some words in a row"]


def test_what_lies_outside_of_the_page_is_not_on_it() -> None:
    content = (
        b"BT /F1 10 Tf 72 700 Td (inside) Tj 2000 0 Td (right of it) Tj -4000 0 Td (left of it) Tj 2000 1000 Td (above) Tj ET"
    )
    assert layer(content).text == "inside"


def test_what_reaches_over_the_edge_is_kept() -> None:
    assert layer(b"BT /F1 24 Tf -5 700 Td (Edge) Tj ET").text == "Edge"


def test_tiny_text_is_not_for_readers() -> None:
    found = layer(b"BT /F1 0.5 Tf 72 700 Td (hardly to be seen) Tj ET")
    assert found.lines == ()
    assert [line.text for line in found.hidden] == ["hardly to be seen"]


def test_a_font_of_one_point_under_a_large_matrix_has_the_size_that_is_seen() -> None:
    (line,) = layer(b"BT /F1 1 Tf 18 0 0 18 72 700 Tm (Large letters) Tj ET").lines
    assert 12 < line.font_size_pt < 24


@pytest.mark.parametrize(
    ("mapping", "text"),
    [
        ("0042", "B"),
        ("FB03", "ffi"),
        ("0905", "अ"),
        ("D83DDE00", "😀"),
        ("FFFD", "\ufffd"),
        ("E001", "\ue001"),
    ],
)
def test_characters_are_what_the_font_says(mapping: str, text: str) -> None:
    assert mapped(mapping) == text


@pytest.mark.parametrize("mapping", ["D800", "DC00", "DC00D800", "D800D800", "FFFFFFFF"])
def test_half_characters_never_reach_a_file(mapping: str) -> None:
    text = mapped(mapping, shown=b"<41414141>")
    assert text.encode().decode() == text


def test_a_page_without_text_has_an_empty_layer() -> None:
    found = layer(b"0 0 m 100 100 l S")
    assert found.lines == ()
    assert found.verdict.kind == "none"


def line(y0: float, y1: float) -> TextLine:
    return TextLine(text="word " * 20, x0=0, y0=y0, x1=500, y1=y1, font_size_pt=10, bold=False)


def test_a_header_over_a_scan_is_not_the_page_s_text() -> None:
    strip = TextLayer(lines=(line(10, 20), line(20, 30)), image_share=1.0, height_pt=842)
    assert strip.verdict.kind == "none"
    full = TextLayer(lines=tuple(line(y, y + 10) for y in range(40, 800, 20)), image_share=1.0, height_pt=842)
    assert full.verdict.trusted


def test_lines_that_overlap_count_once() -> None:
    stacked = TextLayer(lines=(line(10, 20),) * 100, image_share=1.0, height_pt=842)
    assert stacked.verdict.kind == "none"


def test_a_space_under_the_end_of_a_ligature_is_not_a_space() -> None:
    content = b"BT /F2 12 Tf 72 700 Td [(the #) 278 ( ling) 0 ( of tax)] TJ ET"
    mapping = {"#": "fi"} | {char: char for char in "the lingofax"}
    (line,) = layer_of(page_with_font(content, mapping)).lines
    assert line.text == "the filing of tax"


BOLD = (
    "/FontDescriptor << /Type /FontDescriptor /FontName /Helvetica-Bold /Flags 32 /StemV 140 /Ascent 718 /Descent -207 "
    "/CapHeight 718 /ItalicAngle 0 /FontBBox [-170 -228 1003 962] >>"
)


@pytest.mark.parametrize(("rest", "is_bold"), [("F2", True), ("F1", False)])
def test_a_line_that_begins_with_bold_words_is_not_bold(rest: str, is_bold: bool) -> None:
    content = f"BT /F2 12 Tf 72 700 Td (Lines two to six.) Tj /{rest} 12 Tf ( See) Tj ET".encode()
    mapping = {char: char for char in "Lines two to six. See"}
    (line,) = layer_of(page_with_font(content, mapping, name="Helvetica-Bold", font=BOLD)).lines
    assert (line.text, line.bold) == ("Lines two to six. See", is_bold)


def test_a_letter_that_the_map_of_a_composite_font_lacks_is_not_guessed() -> None:
    """The map declares a wrong number of entries, so PDFium ignores it and takes the number of the glyph for the letter."""
    rows = " ".join(f"<{0x3C6 + n:04x}> <{ord(letter):04x}>" for n, letter in enumerate("правоўчлек"))
    cmap = (
        "/CIDInit /ProcSet findresource begin 12 dict begin begincmap /CMapName /X def /CMapType 2 def "
        "1 begincodespacerange <0000> <FFFF> endcodespacerange 1 beginbfchar <0041> <0041> endbfchar "
        f"9 beginbfchar {rows} endbfchar endcmap end end"
    )
    font = (
        b"<< /Type /Font /Subtype /Type0 /BaseFont /ABCDEF+Some /Encoding /Identity-H /ToUnicode 6 0 R /DescendantFonts [ "
        b"<< /Type /Font /Subtype /CIDFontType2 /BaseFont /ABCDEF+Some /CIDSystemInfo << /Registry (Adobe) /Ordering (Identity) "
        b"/Supplement 0 >> /FontDescriptor << /Type /FontDescriptor /FontName /ABCDEF+Some /Flags 4 /StemV 80 /Ascent 800 "
        b"/Descent -200 /CapHeight 700 /ItalicAngle 0 /FontBBox [0 -200 1000 800] >> /DW 600 >> ] >>"
    )
    data = pdfs.pages_of(
        content=b"BT /F2 12 Tf 72 700 Td <03c603c703c803c9> Tj ET", extra={5: font, 6: pdfs.stream(cmap.encode())}
    )
    layer = layer_of(pdfs.reindexed(data.replace(b"<< /F1", b"<< /F2 5 0 R /F1")))
    assert [line.text for line in (*layer.lines, *layer.hidden)] == ["\ufffd" * 4]


@pytest.mark.parametrize(("steep", "kind"), [(3, "bad"), (1, "trusted")])
def test_a_page_with_much_text_at_a_steep_angle_is_not_trusted(steep: int, kind: str) -> None:
    level = b"".join(
        b"1 0 0 1 72 %d Tm (An upright line of the report with its own words) Tj " % (700 - 20 * n) for n in range(6 - steep)
    )
    lines = b"".join(
        b".42 .91 -.91 .42 %d 200 Tm (Lorem ipsum dolor sit amet and the mill) Tj " % (200 + 40 * n) for n in range(steep)
    )
    assert layer(b"BT /F1 12 Tf " + level + lines + b" ET").verdict.kind == kind


@pytest.mark.parametrize("unread", [(), ((10.0, 10.0, 90.0, 20.0),)])
def test_a_reading_of_outlines_without_some_of_its_text_is_not_trusted(unread: tuple[Box, ...]) -> None:
    reading = TextLayer(
        lines=tuple(line(y, y + 10) for y in range(40, 800, 20)),
        image_share=0.0,
        height_pt=842,
        is_reading=True,
        unread=unread,
        ink_lines=100,
        unreadable=frozenset({1}),
    )
    assert reading.verdict.kind == "bad"
