"""Lists whose numbers skip: each item stays a line; a number that a sentence contains does not begin an item."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from rayocr.engines.layout import LayoutLine
from tests.unit.engines.layout.units.test_units import assert_lines, markdown, proportional, width

WORDS = [
    "ledger",
    "corn",
    "mill",
    "minutes",
    "letter",
    "abbot",
    "Marienthal",
    "map",
    "hill",
    "folded",
    "photographs",
    "seal",
    "guild",
    "deed",
    "orchard",
    "house",
    "water",
    "key",
    "iron",
    "rusted",
    "papers",
    "treasurer",
    "roof",
    "repair",
    "harbour",
    "wall",
    "survey",
]
INTRODUCTION = "The deposits that the family of the miller gave to us in that year"
STYLES: dict[str, Callable[[int], str]] = {
    "1.": lambda n: f"{n}. ",
    "1)": lambda n: f"{n}) ",
    "(1)": lambda n: f"({n}) ",
    "1.-glued": lambda n: f"{n}.",
    "1)-glued": lambda n: f"{n})",
    "1.1": lambda n: f"{n // 6 + 1}.{n % 6 + 1} ",
    "1.1.": lambda n: f"{n // 6 + 1}.{n % 6 + 1}. ",
    "1.1.1": lambda n: f"2.{n // 6 + 1}.{n % 6 + 1} ",
    "a.": lambda n: f"{chr(96 + n)}. ",
    "a)": lambda n: f"{chr(96 + n)}) ",
    "a)-glued": lambda n: f"{chr(96 + n)})",
    "(a)": lambda n: f"({chr(96 + n)}) ",
    "A.": lambda n: f"{chr(64 + n)}. ",
    "A)": lambda n: f"{chr(64 + n)}) ",
    "(iv)": lambda n: f"({_roman(n).lower()}) ",
    "iv.": lambda n: f"{_roman(n).lower()}. ",
    "IV.": lambda n: f"{_roman(n)}. ",
    "①": lambda n: f"{chr(0x245F + n)} ",
    "१.": lambda n: "".join(chr(0x966 + int(digit)) for digit in str(n)) + ". ",
    "§ 1": lambda n: f"§ {n} ",
    "Art. 1": lambda n: f"Art. {n} ",
    "No. 1": lambda n: f"No. {n} ",
    "[1]": lambda n: f"[{n}] ",
    "•": lambda n: "• ",
    "–": lambda n: "– ",
    "*": lambda n: "* ",
    "☐": lambda n: "☐ ",
}


def _roman(number: int) -> str:
    return "X" * (number // 10) + ["", "I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX"][number % 10]


def _phrase(draw: random.Random, words: int) -> str:
    return " ".join(draw.choice(WORDS) for _ in range(words)).capitalize()


def _line(text: str, x: float, y: float) -> LayoutLine:
    return LayoutLine(text=text, x0=x, y0=y, x1=x + width(text), y1=y + 11)


def _list(draw: random.Random, style: str, *, x: float, y: float) -> tuple[list[LayoutLine], list[str]]:
    """Returns the lines of a list with gaps, and its items. Left edges vary as in a scan in some lists."""
    lines, items = [], []
    several, hangs, jitter = draw.random() < 0.4, draw.random() < 0.5, draw.choice([0, 0, 1.2])
    for number in sorted(draw.sample(range(1, 21), draw.randint(3, 6))):
        marker = STYLES[style](number)
        parts = [marker + _phrase(draw, draw.randint(2, 6))]
        if several and draw.random() < 0.5:
            while width(parts[0]) < 200:
                parts[0] += f" {draw.choice(WORDS)}"
            parts.append(_phrase(draw, draw.randint(1, 4)).lower())
        for place, part in enumerate(parts):
            indent = width(marker) if place and hangs else 0
            lines.append(_line(part, x + indent + draw.uniform(-jitter, jitter), y))
            y += 14
        text = " ".join(parts)
        items.append(f"- {text[2:]}" if style in "•–*" else text)
    return lines, items


@pytest.mark.parametrize("style", STYLES)
def test_each_item_of_a_list_whose_numbers_skip_is_a_line(style: str) -> None:
    for seed in range(40):
        draw = random.Random(f"{style} {seed}")
        lines, items = _list(draw, style, x=draw.choice([60, 80]), y=128)
        if draw.random() < 0.5:
            lines.append(_line(INTRODUCTION, 60, draw.choice([114, 100])))
        assert_lines(markdown(lines), items)


def test_lists_that_begin_again_below_each_other() -> None:
    for seed in range(40):
        draw = random.Random(seed)
        style = draw.choice(["1.", "1)", "(a)", "IV.", "§ 1", "1.1"])
        first, items = _list(draw, style, x=60, y=100)
        second, more = _list(draw, style, x=60, y=100 + 14 * len(first))
        assert_lines(markdown([*first, *second]), items + more)


@pytest.mark.parametrize("style", ["1.", "1)", "(1)", "a.", "A.", "IV.", "§ 1"])
def test_a_list_in_two_columns_is_read_one_column_at_a_time(style: str) -> None:
    for seed in range(20):
        draw = random.Random(f"{style} {seed}")
        items = [STYLES[style](n) + _phrase(draw, 3) for n in sorted(draw.sample(range(1, 21), 10))]
        lines = [_line(item, 60 + 260 * (n // 5), 100 + 14 * (n % 5)) for n, item in enumerate(items)]
        assert_lines(markdown(lines), items)


PHRASES = ["passport", "birth paper", "photographs", "address", "bank card", "school report", "vaccination", "fee"]


@pytest.mark.parametrize("style", ["{}) ", "({}) "])
@pytest.mark.parametrize("letters", ["abcdefg", "abcdefgh", "bdeghkm"])
def test_a_list_in_two_columns_between_other_lines_may_have_an_odd_number_of_items(style: str, letters: str) -> None:
    items = [style.format(letter) + word for letter, word in zip(letters, PHRASES, strict=False)]
    half = (len(items) + 1) // 2
    lines = [_line(item, 60 + 160 * (n // half), 130 + 14 * (n % half)) for n, item in enumerate(items)]
    lines += [_line("Please bring the following:", 60, 100), _line("The office opens at 8.30.", 60, 144 + 14 * half)]
    assert_lines(markdown(lines), ["Please bring the following:", *items, "The office opens at 8.30."])


def test_choices_in_two_columns_are_read_across() -> None:
    choices = [["a) Iron", "b) Corn"], ["c) Wall", "d) Mill"], ["e) Seal", "f) Hill"]]
    lines = [_line(text, 60 + 260 * n, 100 + 14 * row) for row, texts in enumerate(choices) for n, text in enumerate(texts)]
    text = markdown(lines)
    assert text.index("b)") < text.index("c)") < text.index("d)") < text.index("e)"), text


def test_an_item_whose_space_behind_the_marker_is_missing_stays_a_line() -> None:
    items = ["1. Ledger of the corn mill", "2.Minutes of 1648 to 1651", "3. Letter of the abbot"]
    assert_lines(markdown(proportional(items)), items)


SENTENCES = [
    "The mill was closed on the 3. March of a year and the miller opened it again on May 7. We met him there. See section"
    " 4.2. It says that the water belongs to the valley and in section 4.5. It says the contrary, as in Art. 7 and Art. 12 of"
    " the law or in § 3 and § 9 of the other law, or No. 5 and No. 9 of the list.",
    "The book was written by J. A. Smith and C. Jones with K. Miller and R. Weaver, who lived in the year 1648. The next flood"
    " of 2.5 metres and later 3.5 metres cost 1.204,50 francs and 3 to 4.5 percent on 3.May and 9. June and on 12. July.",
    "Enter the amount from line 14. Then go to line 17. If line 21 is larger than line 30. Stop here. Otherwise see lines 3 and"
    " 9. Then multiply line 12 by line 15. The result is your loss and is carried to page 40. Form 12 and Form 30 tell you more.",
]


@pytest.mark.parametrize(
    ("sentence", "justified", "widest"),
    [*((sentence, True, 420) for sentence in SENTENCES), *((sentence, False, 300) for sentence in SENTENCES[::2])],
)
def test_a_sentence_that_contains_numbers_is_one_paragraph_at_every_width(sentence: str, justified: bool, widest: int) -> None:
    for right in range(210, widest, 3):
        texts = [""]
        for word in sentence.split():
            fits = width(f"{texts[-1]} {word}") <= right
            texts[-1:] = [f"{texts[-1]} {word}".strip()] if fits else [texts[-1], word]
        lines = [
            LayoutLine(
                text=text,
                x0=60,
                y0=100 + 14 * n,
                x1=60 + (right if justified and n + 1 < len(texts) else width(text)),
                y1=111 + 14 * n,
            )
            for n, text in enumerate(texts)
        ]
        assert markdown(lines).replace("\\", "") == sentence, right


@pytest.mark.parametrize("style", ["{})", "({})", "{}."])
def test_each_choice_of_a_row_is_an_item(style: str) -> None:
    rows = [("a Paris", "b Rome"), ("c Madrid", "d Berlin")]
    texts = [[style.format(text[0]) + text[1:] for text in row] for row in rows]
    lines = [_line(text, 60 + 200 * n, 100 + 14 * row) for row, pair in enumerate(texts) for n, text in enumerate(pair)]
    assert_lines(
        markdown([_line("1. What is the capital of France?", 60, 80), *lines]),
        ["1. What is the capital of France?", *texts[0], *texts[1]],
    )


def test_two_choices_above_each_other_continue_in_the_next_column() -> None:
    items = ["a) Paris", "b) Madrid", "c) Rome", "d) Berlin"]
    lines = [_line(item, 60 + 200 * (n // 2), 100 + 14 * (n % 2)) for n, item in enumerate(items)]
    assert_lines(markdown(lines), items)


def test_items_whose_letters_do_not_follow_each_other_stay_a_row() -> None:
    lines = [_line(text, x, 100) for text, x in (("(a) see the note", 60), ("(d) as above", 260))]
    assert "(a) see the note (d) as above" in markdown(lines)
