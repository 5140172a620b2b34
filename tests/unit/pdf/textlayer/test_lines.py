from __future__ import annotations

import pytest

from rayocr.pdf.textlayer import lines
from rayocr.pdf.textlayer.lines import Word, WordIndex
from tests.unit.pdf import pdfs
from tests.unit.pdf.textlayer.drawings import layer_of, page_with_font, texts_of

JAPANESE = {chr(ord("a") + n): char for n, char in enumerate("いつもお世話になっております新しい水道工事")}


def column(letters: str, x: int, top: int = 700) -> bytes:
    return b"".join(b"1 0 0 1 %d %d Tm (%s) Tj " % (x, top - 16 * n, char.encode()) for n, char in enumerate(letters))


def test_a_column_of_japanese_is_one_line_without_spaces() -> None:
    (line,) = layer_of(page_with_font(b"BT /F2 16 Tf " + column("abcdef", 500) + b"ET", JAPANESE)).lines
    assert line.text == "いつもお世話"
    assert line.vertical


def test_columns_beside_one_another_stay_apart() -> None:
    content = b"BT /F2 16 Tf " + column("abcdef", 500) + column("ghijkl", 476) + b"ET"
    assert texts_of(page_with_font(content, JAPANESE)) == ["いつもお世話", "になっており"]


def test_digits_below_one_another_are_cells() -> None:
    content = b"BT /F1 12 Tf " + b"".join(b"1 0 0 1 300 %d Tm (%d) Tj " % (700 - 14 * n, n) for n in range(4)) + b"ET"
    assert texts_of(pdfs.pages_of(content=content)) == ["0", "1", "2", "3"]


def test_words_turned_along_the_margin_keep_their_spaces() -> None:
    content = b"BT /F1 10 Tf 72 700 Td (An upright line of some length) Tj 0 1 -1 0 30 300 Tm (Set along the margin) Tj ET"
    assert texts_of(pdfs.pages_of(content=content)) == ["An upright line of some length", "Set along the margin"]


TALL = (
    "/FontDescriptor << /Type /FontDescriptor /FontName /Helvetica /Flags 32 "
    "/Ascent 2000 /Descent -900 /FontBBox [0 -900 1000 2000] >>"
)


def test_figures_of_a_tall_font_leave_the_height_of_their_line() -> None:
    content = (
        b"BT /F1 11 Tf 72 700 Td (The survey began in ) Tj /F2 11 Tf (1931) Tj /F1 11 Tf ( in the villages) Tj "
        b"0 -16 Td (A second line of the same size) Tj ET"
    )
    first, second = layer_of(page_with_font(content, {n: n for n in "0123456789"}, font=TALL)).lines
    assert first.text == "The survey began in 1931 in the villages"
    assert first.y1 - first.y0 == pytest.approx(second.y1 - second.y0, abs=0.5)
    assert first.font_size_pt == pytest.approx(11)


def test_a_line_of_a_tall_font_alone_is_no_higher_than_its_size() -> None:
    (line,) = layer_of(
        page_with_font(b"BT /F2 11 Tf 72 700 Td (1931 1932) Tj ET", {n: n for n in "0123456789 "}, font=TALL)
    ).lines
    assert line.y1 - line.y0 < 22
    assert line.font_size_pt == pytest.approx(11)


BLOCK = b"1 0 0 1 %s 700 Tm (Bring this voucher) Tj 1 0 0 1 %s 684 Tm (and a valid card.) Tj "


@pytest.mark.parametrize("second", [b"72", b"72.4", b"73"])
def test_a_block_that_is_drawn_twice_is_read_once(second: bytes) -> None:
    content = b"BT /F1 11 Tf " + BLOCK % (b"72", b"72") + BLOCK % (second, second) + b"ET"
    assert texts_of(pdfs.pages_of(content=content)) == ["Bring this voucher", "and a valid card."]


def test_a_second_drawing_that_breaks_lines_elsewhere_adds_nothing() -> None:
    words = b"BT /F1 11 Tf 72 700 Td (Bring ) Tj (this ) Tj 300 0 Td (far) Tj ET "
    again = b"BT /F1 11 Tf 372 700 Td (far) Tj ET BT /F1 11 Tf 72 700 Td (Bring this) Tj ET"
    assert texts_of(pdfs.pages_of(content=words + again)) == ["Bring this", "far"]


def test_words_that_come_again_elsewhere_stay() -> None:
    content = b"BT /F1 11 Tf 72 700 Td (Nil Nil Nil) Tj 0 -14 Td (Nil Nil Nil) Tj ET"
    assert texts_of(pdfs.pages_of(content=content)) == ["Nil Nil Nil", "Nil Nil Nil"]


def test_a_soft_hyphen_that_is_drawn_is_a_hyphen() -> None:
    content = b"BT /F2 11 Tf 72 700 Td (01~2301~X4) Tj ET"
    mapping = {char: char for char in "01234X"} | {"~": "\u00ad"}
    assert texts_of(page_with_font(content, mapping)) == ["01-2301-X4"]


def test_a_soft_hyphen_without_a_width_is_not_on_the_page() -> None:
    content = b"BT /F2 11 Tf 72 700 Td (refit~ted) Tj ET"
    mapping = {char: char for char in "refitd"} | {"~": "\u00ad"}
    widths = f"/FirstChar 32 /LastChar 126 /Widths [{'556 ' * 94} 0]"
    assert texts_of(page_with_font(content, mapping, font=widths, name="Unknown")) == ["refitted"]


def test_tracking_between_japanese_characters_is_not_a_space() -> None:
    content = b"BT /F2 12 Tf 4 Tc 72 700 Td (abc def) Tj 60 0 Td (gh) Tj ET"
    (line,) = layer_of(page_with_font(content, JAPANESE | {" ": " "})).lines
    assert line.text == "いつも お世話にな"  # the real space is as wide as a character


@pytest.mark.parametrize("matrix", [b"0.7 0.7 -0.7 0.7", b"0.87 0.5 -0.5 0.87", b"0.7 -0.7 0.7 0.7"])
def test_a_watermark_at_an_angle_is_a_line_and_leaves_the_others_alone(matrix: bytes) -> None:
    body = b"BT /F1 11 Tf 72 700 Td " + b"".join(b"(A line of body text, number %d) Tj 0 -14 Td " % n for n in range(20)) + b"ET "
    mark = b"BT /F1 60 Tf 0.9 g " + matrix + b" 120 420 Tm (DRAFT COPY 2025) Tj ET"
    texts = texts_of(pdfs.pages_of(content=body + mark))
    assert "DRAFT COPY 2025" in texts
    assert len(texts) == 21


def test_lines_of_a_slanted_page_stay_whole() -> None:
    content = b"BT /F1 11 Tf 0.94 0.34 -0.34 0.94 100 300 Tm (Lorem ipsum dolor sit amet) Tj 0 -14 Td (consectetur elit) Tj ET"
    assert texts_of(pdfs.pages_of(content=content)) == ["Lorem ipsum dolor sit amet", "consectetur elit"]


def test_spaces_without_room_in_letterspaced_words_are_dropped() -> None:
    content = b"BT /F1 10 Tf 1.2 Tc 72 700 Td [(Singapor) ( ) 398 (e) -300 (13858) ( ) 398 (8)] TJ ET"
    assert texts_of(pdfs.pages_of(content=content)) == ["Singapore 138588"]
    assert texts_of(pdfs.pages_of(content=b"BT /F1 10 Tf 72 700 Td [(Tight) ( ) 200 (words)] TJ ET")) == ["Tight words"]
    assert texts_of(pdfs.pages_of(content=b"BT /F1 10 Tf 1.2 Tc 72 700 Td (Spaced out words) Tj ET")) == ["Spaced out words"]


def test_words_set_close_together_stay_apart() -> None:
    # PDFium reports no space before a letter that is kerned back, like this f.
    content = b"BT /F1 10 Tf 72 700 Td [(solutions) -140 (f) 40 (or round) -185 (robin)] TJ ET"
    assert texts_of(pdfs.pages_of(content=content)) == ["solutions for round robin"]


def test_a_level_line_that_is_drawn_from_the_right_letter_by_letter_is_read_from_the_left() -> None:
    lines = ("Share of profit 12,345.67", "of the year 1893")
    content = b""
    for n, line in enumerate(lines):
        pieces = b" ".join(b"(%c) 1200" % char for char in reversed(line.encode()))
        content += b"BT /F1 12 Tf 1 0 0 1 %.1f %d Tm [%b] TJ ET " % (72 + 7.2 * (len(line) - 1), 700 - 16 * n, pieces)
    data = pdfs.pages_of(content=content).replace(b"/Helvetica", b"/Courier  ")
    assert texts_of(data) == list(lines)


def test_cells_of_single_letters_that_are_drawn_from_the_right_stay_apart() -> None:
    content = b"".join(b"BT /F1 12 Tf 1 0 0 1 %d 700 Tm (%c) Tj ET " % (400 - 40 * n, char) for n, char in enumerate(b"EDCBA"))
    assert sorted(texts_of(pdfs.pages_of(content=content))) == ["A", "B", "C", "D", "E"]


def test_a_closing_bracket_that_overlaps_the_full_stop_stays_in_its_column() -> None:
    content = b"BT /F2 16 Tf " + column("abcdm", 500) + b"1 0 0 1 500 628 Tm (w) Tj ET"
    (line,) = layer_of(page_with_font(content, JAPANESE | {"m": "。", "w": "」"})).lines
    assert line.text == "いつもお。」"


@pytest.mark.parametrize(("gap", "text"), [(125, "第12号の"), (600, "第 12 号の")])
def test_the_small_gap_beside_numbers_in_japanese_is_not_a_space(gap: int, text: str) -> None:
    mapping = {"a": "第", "b": "号", "c": "の", "1": "1", "2": "2", " ": " "}
    content = f"BT /F2 16 Tf 72 700 Td [(a) -{gap} (12) -{gap} (bc)] TJ ET".encode()
    assert texts_of(page_with_font(content, mapping)) == [text]


def test_a_sign_of_another_font_is_at_its_place_within_the_formula() -> None:
    content = b"BT /F1 12 Tf 72 700 Td [(0.23) -1200 (0.03)] TJ /F2 12 Tf 29 0 Td (+) Tj ET"
    assert texts_of(page_with_font(content, {"+": "\u00b1"}, name="Symbol")) == ["0.23 \u00b1 0.03"]


def test_words_are_found_among_thousands_without_comparing_all_of_them() -> None:
    words = [Word("a", 20.0 * x, 12.0 * y, 20.0 * x + 15, 12.0 * y + 10, 0) for x in range(60) for y in range(60)]
    index = WordIndex(words)
    word = words[2_000]
    assert index.has_at_same_place(word._replace(x0=word.x0 - 1, x1=word.x1 - 1))
    assert not index.has_at_same_place(word._replace(x0=word.x0 + 10, x1=word.x1 + 10))
    assert len(list(index.near(word))) < 50


def test_a_line_that_ends_with_a_sum_is_at_the_baseline_of_its_letters() -> None:
    """The sum of TeX hangs from its baseline, and its code is the letter X: the line was lifted, and its words counted as
    hidden."""
    content = b"BT /F1 10 Tf 72 700 Td (= 2 [\\(EN + 1\\)p + m + c]) Tj /F1 10 Tf 8 Ts ( X) Tj ET"
    (line,) = layer_of(pdfs.pages_of(content=content)).lines
    assert line.text == "= 2 [(EN + 1)p + m + c] X"
    assert line.y0 < 842 - 700 < line.y1


def test_a_letter_of_an_upright_watermark_is_no_part_of_the_line_beside_it() -> None:
    line = b"BT /F1 12 Tf 72 700 Td (Hello world) Tj ET "
    watermark = b"BT /F1 90 Tf 0 -1 1 0 150 780 Tm (WATER) Tj ET"
    assert sorted(texts_of(pdfs.pages_of(content=line + watermark))) == ["Hello world", "WATER"]


def test_a_comma_follows_a_word_that_was_drawn_later() -> None:
    from rayocr.engines.textlayer import TextLayerEngine
    from rayocr.pdf.document import PdfFile

    content = b"BT /F1 12 Tf 110 700 Td (, the open air gallery) Tj ET BT /F1 12 Tf 72 700 Td (Manda) Tj ET"
    with PdfFile(pdfs.pages_of(content=content), max_pixels=1_000_000) as file, file.page(1) as page:
        answer = TextLayerEngine().recognize(page)
    assert answer is not None
    assert answer.text == "Manda, the open air gallery"


def test_thousands_of_labels_on_one_baseline_are_compared_with_their_neighbors_only(monkeypatch: pytest.MonkeyPatch) -> None:
    compared = []
    monkeypatch.setattr(lines, "_alternating", lambda *pair: compared.append(pair))
    for width in (0.5, 500.0):
        labels = [
            lines.TextLine(text="a", x0=n * 1.0, x1=n + width, y0=10, y1=20, font_size_pt=10, bold=False) for n in range(1000)
        ]
        assert lines._with_interleaved(labels) == labels
    assert len(compared) <= 20 * 1000


def test_a_point_drawn_apart_from_an_upside_down_line_does_not_turn_its_words() -> None:
    """The point, which is left of the line, was put before its words, in the order of their places on the page."""
    level = b"BT /F1 12 Tf 72 500 Td (The wardens of the district reported that three bridges need planks.) Tj ET "
    footer = b"BT /F1 12 Tf -1 0 0 -1 400 700 Tm (Footer of the second page) Tj ET "
    point = b"BT /F1 12 Tf -1 0 0 -1 260.6 700 Tm (.) Tj ET"
    assert "Footer of the second page" in texts_of(pdfs.pages_of(content=level + footer + point))
