from __future__ import annotations

import pytest

from tests.unit.pdf import pdfs
from tests.unit.pdf.textlayer.drawings import layer_of, page_with_font, texts_of

LINES = b"(PARTNER NUMBER 5) Tj 0 -20 Td (OF THE MILL COMPANY) Tj"


def drawn(setup: bytes, entries: str = "") -> tuple[int, list[str]]:
    layer = layer_of(pdfs.pages_of((entries,), content=b"BT " + setup + b" ET"))
    return layer.turns, [line.text for line in layer.lines]


@pytest.mark.parametrize(
    "setup",
    [
        b"/F1 12 Tf 1 0 0 1 72 700 Tm (PARTNER NUMBER 5) Tj 1 0 0 1 72 680 Tm (OF THE MILL COMPANY) Tj",
        b"/F1 -12 Tf -1 0 0 -1 72 700 Tm (PARTNER NUMBER 5) Tj -1 0 0 -1 72 680 Tm (OF THE MILL COMPANY) Tj",
        b"-100 Tz /F1 -12 Tf 1 0 0 -1 72 700 Tm (PARTNER NUMBER 5) Tj 1 0 0 -1 72 680 Tm (OF THE MILL COMPANY) Tj",
        b"/F1 -1 Tf -12 0 0 -12 72 700 Tm (PARTNER NUMBER 5) Tj -12 0 0 -12 72 680 Tm (OF THE MILL COMPANY) Tj",
    ],
)
def test_upright_text_is_upright_whatever_its_signs(setup: bytes) -> None:
    assert drawn(setup) == (0, ["PARTNER NUMBER 5", "OF THE MILL COMPANY"])


@pytest.mark.parametrize("rotate", [0, 90, 180, 270])
def test_negative_sizes_on_turned_pages(rotate: int) -> None:
    turns, _ = drawn(b"/F1 -12 Tf -1 0 0 -1 200 400 Tm (PARTNER NUMBER 5 OF THE MILL) Tj", f"/Rotate {rotate}")
    assert turns == {0: 0, 90: 3, 180: 2, 270: 1}[rotate]


def test_text_on_its_head_is_turned() -> None:
    turns, texts = drawn(b"/F1 12 Tf -1 0 0 -1 500 100 Tm (PARTNER NUMBER 5) Tj -1 0 0 -1 500 120 Tm (OF THE MILL) Tj")
    assert (turns, texts) == (2, ["PARTNER NUMBER 5", "OF THE MILL"])


def test_sizes_are_those_that_are_seen() -> None:
    data = pdfs.pages_of(content=b"BT /F1 -1 Tf -12 0 0 -12 72 700 Tm (PARTNER NUMBER 5) Tj ET")
    (line,) = layer_of(data).lines
    assert line.font_size_pt == pytest.approx(12)


def test_a_type_3_font_that_is_mirrored_in_itself_leaves_the_page_upright() -> None:
    glyph = pdfs.stream(b"500 0 0 0 400 700 d1 0 0 400 700 re f")
    font = (
        b"<< /Type /Font /Subtype /Type3 /FontBBox [0 -700 500 0] /FontMatrix [0.001 0 0 -0.001 0 0] /FirstChar 65 /LastChar 67 "
        b"/Widths [500 500 500] /Encoding << /Type /Encoding /Differences [65 /A /B /C] >> "
        b"/CharProcs << /A 6 0 R /B 6 0 R /C 6 0 R >> >>"
    )
    content = b"BT /F3 12 Tf 1 0 0 -1 72 700 Tm (ABCABC) Tj 0 20 Td (CBA) Tj ET"
    data = pdfs.pages_of(content=content, extra={5: font, 6: glyph}).replace(b"<< /F1", b"<< /F3 5 0 R /F1")
    layer = layer_of(pdfs.reindexed(data))
    assert layer.turns == 0


@pytest.mark.parametrize("upright", ["", "(The numbers of the pages of this sheet) Tj 0 -20 Td (are upright and upside down) Tj"])
def test_digits_that_are_upside_down_keep_their_order_when_each_is_drawn_alone(upright: str) -> None:
    digits = "".join(f"-1 0 0 -1 {400 - 12 * n} 300 Tm ({digit}) Tj " for n, digit in enumerate("15"))
    content = f"BT /F1 20 Tf 72 700 Td {upright} {digits} ET"
    assert drawn(content.encode()[2:-2])[1][-1] == "15"


def test_words_that_are_upside_down_on_an_upright_page_are_read_in_order() -> None:
    words = "".join(f"-1 0 0 -1 {x} 300 Tm ({word}) Tj " for x, word in ((400, "FOLD"), (330, "HERE"), (255, "24")))
    turns, texts = drawn(f"/F1 20 Tf 72 700 Td (The numbers of the pages of this sheet) Tj {words}".encode())
    assert (turns, texts[-1]) == (0, "FOLD HERE 24")


def test_a_turned_arrow_before_a_line_does_not_reverse_it() -> None:
    content = b"/F1 9 Tf 0 -9 9 0 72 700 Tm (F) Tj 1 0 0 1 80 692 Tm (Signature of the employer) Tj 0 -20 Td (and the date) Tj"
    _, texts = drawn(content)
    assert texts[-2].endswith("Signature of the employer")


@pytest.mark.parametrize("rotate", [0, 180])
def test_mirrored_lines_are_read_in_the_order_of_their_letters(rotate: int) -> None:
    places = ("-1 0 0 1 500 700", "-1 0 0 1 500 680") if rotate == 0 else ("1 0 0 -1 100 100", "1 0 0 -1 100 120")
    upright = {0: b"1 0 0 1 72 600", 180: b"-1 0 0 -1 500 200"}[rotate]
    one, other = (place.encode() for place in places)
    setup = b"/F1 12 Tf %s Tm (INVOICE 4711 OF 2021) Tj %s Tm (TOTAL 1,250.00) Tj %s Tm (read as usual) Tj" % (
        one,
        other,
        upright,
    )
    assert sorted(drawn(setup, f"/Rotate {rotate}")[1]) == ["INVOICE 4711 OF 2021", "TOTAL 1,250.00", "read as usual"]


INVOICE = ["Invoice 2024-0117 of May", "Customer 40021, due 16.02.2024"]


def letter_by_letter(lines: list[str]) -> bytes:
    """Each letter is a text object at its place, as browsers write them."""
    content, advance = "", 12 * 0.6
    for row, text in enumerate(lines):
        for n, char in enumerate(text):
            content += f"BT /F2 12 Tf 1 0 0 1 {72 + advance * n:.2f} {700 - 20 * row} Tm ({char}) Tj ET " if char != " " else ""
    return content.encode()


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
@pytest.mark.parametrize("matrix", ["1 0 0 1 0 0", "-1 0 0 -1 595 842"])
def test_lines_drawn_letter_by_letter_are_read_on_pages_that_are_upside_down(rotation: int, matrix: str) -> None:
    """PDFium reverses the letters of lines that are displayed upside down, and adds spaces and line ends between them."""
    content = f"q {matrix} cm ".encode() + letter_by_letter(INVOICE) + b" Q"
    characters = {char: char for line in INVOICE for char in line}
    page = page_with_font(content, characters, entries=f"/Rotate {rotation}", name="Courier")
    assert sorted(texts_of(page)) == sorted(INVOICE)
