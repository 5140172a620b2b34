from __future__ import annotations

from rayocr.engines.layout import LayoutLine, layout_markdown
from tests.unit.engines.layout.pages import line


def markdown(*lines: LayoutLine) -> str:
    return layout_markdown(lines, page_width=595, page_height=842)


def test_labels_above_their_values_are_joined_with_them() -> None:
    text = markdown(
        line("TO:", 60, 100),
        line("FROM:", 300, 100),
        line("Edith Okafor", 60, 112),
        line("Julia Hartmann", 300, 112),
        line("COMPANY:", 60, 130),
        line("DATE:", 300, 130),
        line("Harbour & Sons", 60, 142),
        line("28.04.2024", 300, 142),
    )
    assert "TO: Edith Okafor FROM: Julia Hartmann" in text
    assert "COMPANY: Harbour & Sons DATE: 28.04.2024" in text


def test_a_label_without_a_value_stays_where_it_is() -> None:
    text = markdown(line("TO:", 60, 100), line("FROM:", 300, 100), line("Julia Hartmann", 300, 112))
    assert text.index("TO:") < text.index("FROM: Julia Hartmann")


def test_labels_below_labels_are_not_values() -> None:
    text = markdown(
        line("Signature:", 60, 100), line("Place:", 300, 100), line("Name: Anna", 60, 112), line("Town: Selby", 300, 112)
    )
    assert "Signature: Name" not in text


def test_a_row_with_a_single_label_is_not_a_row_of_labels() -> None:
    text = markdown(line("Notes:", 60, 100), line("The first note", 60, 112), line("12", 300, 112))
    assert text.splitlines()[0].strip() == "Notes:"
