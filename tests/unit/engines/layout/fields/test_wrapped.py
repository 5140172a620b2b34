"""A label of several lines beside fields is read as one."""

from __future__ import annotations

from rayocr.engines.layout import LayoutLine
from rayocr.engines.layout.fields.wrapped import join_wrapped_labels
from tests.unit.engines.layout.pages import column, line

EM = 11.0


def texts(lines: list[LayoutLine]) -> list[str]:
    down = sorted(join_wrapped_labels(lines, EM), key=lambda it: (it.center_y, it.x0))
    return [it.text for it in down]


def test_a_label_in_three_lines_is_read_before_its_fields() -> None:
    label = [line("7. Location of the", 64, 100), *column(["court that ordered", "support payments for:"], 80, 114)]
    assert texts([*label, line("#1", 200, 106), line("#3", 400, 106), line("#2", 200, 130)]) == [
        "7. Location of the court that ordered support payments for:",
        "#1",
        "#3",
        "#2",
    ]


def test_a_label_continues_with_a_note_in_brackets() -> None:
    assert texts([*column(["Date acquired", "(month, day, year)"], 64, 100), line("2011", 300, 107)]) == [
        "Date acquired (month, day, year)",
        "2011",
    ]


def test_running_text_and_lists_of_names_stay() -> None:
    beside_text = column(["Results of the survey", "show that most people", "agree with it"], 64, 100)
    other = column(["Another column of a page", "with lines that go on", "in the same way"], 300, 100)
    assert len(texts([*beside_text, *other])) == 6
    names = [*column(["Adams", "Brown", "Clark"], 64, 100), line("12", 200, 100), line("14", 200, 114)]
    assert len(texts(names)) == 5
    code = [*column(['width="250pt"', 'height="150pt"'], 64, 100), line('top="30pt"', 300, 100)]
    assert len(texts(code)) == 3
    alone = column(["A label that nothing", "stands beside"], 64, 100)
    assert len(texts(alone)) == 2


def test_a_long_question_is_no_label() -> None:
    question = column(["The words of a long question that fills its column", *["go on over many lines"] * 4], 64, 100)
    assert len(texts([*question, line("4a", 400, 128)])) == 6
