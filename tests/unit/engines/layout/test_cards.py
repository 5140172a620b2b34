from __future__ import annotations

from collections.abc import Sequence

from rayocr.engines.layout import LayoutLine, layout_markdown
from rayocr.engines.layout.order.cards import take_cards
from tests.unit.engines.layout.pages import column, line

LEFT, RIGHT = 60.0, 320.0
TEXTS = (
    ("Repairs", "We mend the harbour wall and", "the lamps of the pier."),
    ("Storage", "Boats are kept in a dry hall from", "October to April, and they are", "washed in spring."),
    ("Transport", "Two lorries carry boats of up to", "nine metres to the lakes, and back", "in autumn."),
    ("Training", "Courses begin in May, and end", "with an examination."),
)


def markdown(lines: Sequence[LayoutLine]) -> str:
    return layout_markdown(lines, page_width=595, page_height=842)


def is_in_order(text: str, words: Sequence[str]) -> bool:
    return sorted(words, key=text.index) == list(words)


def cards(texts: Sequence[Sequence[str]], *, pitch: float) -> list[LayoutLine]:
    return [it for n, card in enumerate(texts) for it in column(card, (LEFT, RIGHT)[n % 2], 100 + pitch * (n // 2))]


def test_cards_are_read_row_after_row() -> None:
    assert is_in_order(markdown(cards(TEXTS, pitch=80)), ["Repairs", "Storage", "Transport", "Training"])


def test_columns_with_heads_at_one_height_are_no_cards() -> None:
    even = [(card[0], *card[-2:]) for card in TEXTS]
    numbered = [(f"{number} {card[0]}", *card[1:]) for number, card in zip((1, 3, 2, 4), TEXTS, strict=True)]
    assert take_cards(cards(TEXTS, pitch=80), 11.0)[0] != []
    assert take_cards(cards(even, pitch=62), 11.0)[0] == []
    assert take_cards(cards(numbered, pitch=80), 11.0)[0] == []


def test_items_of_a_catalog_are_read_one_by_one() -> None:
    goods = ["Tea, loose", "Glass jar", "Copper wire", "Lamp oil", "Rye bread", "Printing paper"]
    lines = [
        line(text, 60 + 170 * (n % 3), 150 + 130 * (n // 3) + 14 * row)
        for n, good in enumerate(goods)
        for row, text in enumerate((good, f"No. {2485 + n}", f"£{50 + n}.26"))
    ]
    assert is_in_order(
        markdown(lines), ["Tea, loose", "No. 2485", "£50.26", "Glass jar", "£51.26", "Copper wire", "Lamp oil", "No. 2488"]
    )


def test_rows_of_a_table_are_no_cards() -> None:
    rows = [("Town", "Cars", "Buses"), ("Whitby", "12", "40"), ("Ripon", "19", "31"), ("Selby", "14", "22"), ("York", "90", "85")]
    lines = [line(text, 60 + 170 * n, 100 + 16 * row) for row, texts in enumerate(rows) for n, text in enumerate(texts)]
    assert "| Whitby | 12 | 40 |" in markdown(lines)
