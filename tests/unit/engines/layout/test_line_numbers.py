"""Tax forms repeat the number of each question where its answer is written, in a grid beside the questions."""

from __future__ import annotations

from rayocr.engines.layout import LayoutLine
from rayocr.engines.layout.lines import Ruling
from tests.unit.engines.layout.pages import HEIGHT_PT, line
from tests.unit.engines.layout.test_forms_order import in_order, markdown, ruling


def grid(xs: list[float], ys: list[float]) -> list[Ruling]:
    return [*(ruling(xs[0], y, xs[-1], y) for y in ys), *(ruling(x, ys[0], x, ys[-1]) for x in xs)]


def questions(count: int, y: float, *, values: list[str] | None = None) -> list[LayoutLine]:
    lines: list[LayoutLine] = []
    for n in range(count):
        lines += [
            line(f"{n + 20} Enter the amount of the line above . . . .", 50, y + 20 * n),
            line(f"{n + 20}", 404, y + 20 * n),
        ]
        lines += [line(values[n], 430, y + 20 * n)] if values else []
    return lines


def test_the_grid_of_answers_is_read_with_the_questions() -> None:
    rulings = grid([400, 425, 500], [95 + 20 * n for n in range(6)])
    text = markdown(questions(5, 97), rulings)
    assert "20 Enter the amount of the line above . . . . 20" in text
    assert "|" not in text
    text = markdown(questions(5, 97, values=["1,200", "340", "7", "86", "5.00"]), rulings)
    assert in_order(text, "20 Enter", "1,200", "21 Enter", "340", "22 Enter", "24 Enter", "5.00")


def test_a_table_whose_rows_are_numbered_stays_a_table() -> None:
    rulings = grid([50, 80, 200, 300], [95 + 20 * n for n in range(5)])
    lines = [line(text, x, 97 + 20 * n) for n in range(4) for text, x in ((f"{n + 1}", 60), ("Some name", 90), ("12", 210))]
    assert markdown(lines, rulings).count("|") > 16


def test_numbers_of_questions_are_neither_a_column_nor_notes_in_the_margin() -> None:
    lines: list[LayoutLine] = []
    for n, letter in enumerate("abcdefghijkl"):
        y = 80 + 13 * n + 30 * (n // 4)
        lines += [line(f"{letter} Subtract the line above from line 24 of the form", 50, y), line(f"26{letter}", 390, y)]
    text = markdown(lines)
    assert in_order(text, "a Subtract", "26a", "b Subtract", "26b", "l Subtract", "26l")


def test_heads_of_empty_columns_are_read_where_they_stand() -> None:
    lines = [
        line("19 (a) Description of the property", 50, 68),
        *(line(letter, 50, 90 + 12 * n) for n, letter in enumerate("AB")),
    ]
    for x, name in ((450, "Date bought"), (530, "Date sold at")):
        lines += [line(name, x, 61), line("(day, year)", x, 73)]
    lines += [line(f"Property {letter}", 300 + 75 * n, 118) for n, letter in enumerate("ABCD")]
    for n in range(14):
        lines.append(line(f"{n + 20} Add the lines of all the years above it.", 50, 140 + 15 * n))
    upright = [ruling(x, 60, x, 140 + 15 * 14) for x in (290, 365, 440, 520)]
    text = markdown(lines, upright)
    assert in_order(text, "Date sold", "Property A", "Property B", "Property C", "Property D", "20 Add", "33 Add")


def test_commas_and_cents_between_boxes_are_no_column() -> None:
    lines: list[LayoutLine] = []
    for n in range(5):
        y = 100 + 48 * n
        lines += [line("Amount in this column", 331, y), line(f"A{n}.", 302, y + 24), line(f"C{n}.", 202, y + 24)]
        lines += [line(sign, 366 + 58 * m, y + 14, height=20) for m, sign in enumerate((",", ",", ",", "0 0"))]
    text = markdown(lines)
    assert in_order(text, "A0.", "0 0", "A1.", "A4.")


def test_lines_of_a_form_beside_the_heads_of_its_parts_are_no_table() -> None:
    lines = [line("Renters", 40, 100, bold=True), line("Owners", 40, 100 + 6 * 15, bold=True)]
    for n in range(10):
        lines += [
            line(f"{n + 19} Enter the amount of it .............. {n + 19}", 110, 100 + 15 * n),
            line(".00", 450, 100 + 15 * n),
        ]
    text = markdown(lines)
    assert "|" not in text
    assert in_order(text, "Renters", "19 Enter", "24 Enter", "Owners", "25 Enter")


def test_numbered_lines_of_a_pleading_beside_a_ruling_are_not_divided() -> None:
    texts = ["The party shall serve the notice", "before the hearing of the matter", "in the manner that the court says"]
    lines = [line(text, 90, 100 + 28 * n) for n, text in enumerate(texts)]
    lines += [line(f"{n + 1}", 60, 107 + 28 * n) for n in range(3)]
    text = markdown(lines, [ruling(80, 90, 80, 100 + 28 * 3 + HEIGHT_PT)])
    assert text.index("1") < text.index("before the hearing")


def test_a_word_among_the_line_numbers_of_a_pleading_does_not_divide_them_from_their_lines() -> None:
    texts = [
        "The party shall serve the notice",
        "before the hearing of the matter",
        "in the manner that the court says",
        "and in May",
    ]
    lines = [line(text, 90, 100 + 28 * n) for n, text in enumerate(texts)]
    lines += [line(number, 30, 107 + 28 * n) for n, number in enumerate(("1", "2", "Note", "4"))]
    text = markdown(lines, [ruling(80, 90, 80, 100 + 28 * len(texts) + HEIGHT_PT)])
    assert in_order(text, "The party", "2", "in the manner", "4")
