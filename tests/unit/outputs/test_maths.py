"""Formulas in the clean PDF: typeset if every command is known, otherwise shown as written. They never break a page."""

from __future__ import annotations

import random

import pytest

from rayocr.config import CleanPdfConfig
from rayocr.outputs.typeset.maths.conversion import looks_like_maths, typeset_maths
from rayocr.outputs.typeset.maths.latex_words import (
    ACCENTS,
    ALPHABETS,
    DELIMITERS,
    ENVIRONMENTS,
    FUNCTIONS,
    IGNORED,
    SPACES,
    SYMBOLS,
)
from tests.unit.outputs.clean_pages import clean_pdf, pages_of


def every_word() -> list[str]:
    formulas = [f"\\{name}" for name in (*SYMBOLS, *sorted(FUNCTIONS))]
    formulas += [f"a\\{name} b" for name in (*SPACES, *sorted(IGNORED))]
    formulas += [f"\\{name}{{x}}" for name in (*ACCENTS, *ALPHABETS)]
    formulas += [rf"\left{name} \frac{{x}}{{y}} \right{name}" for name in DELIMITERS]
    for name in ENVIRONMENTS:
        columns = "{cc}" if name == "array" else ""
        formulas.append(rf"\begin{{{name}}}{columns} a & b \\ c & d \end{{{name}}}")
    return formulas


@pytest.mark.parametrize("pdf_a", [False, True])
def test_every_known_word_can_be_set(pdf_a: bool) -> None:
    formulas = every_word()
    assert [formula for formula in formulas if typeset_maths(formula, display=True) is None] == []
    pages = ["\n\n".join(f"$${formula}$$" for formula in formulas[start : start + 60]) for start in range(0, len(formulas), 60)]
    data, notes = clean_pdf(pages, config=CleanPdfConfig(pdf_a=pdf_a, timeout_s=600))
    assert notes == ()
    assert not any("\\" in page for page in pages_of(data))


@pytest.mark.parametrize(
    ("markdown", "read"),
    [
        ("Area $a^2$ and H$_2$O", "Area 𝑎2 and H2O"),
        ("$x_1 * y_2 * z$", "𝑥1 ∗ 𝑦2 ∗ 𝑧"),
        (r"\(\alpha\) is first", "𝛼 is first"),
        ("It costs $5 and $10 or US$5-$10.", "It costs $5 and $10 or US$5-$10."),
        ("From $100 to $200, that is $100 more", "From $100 to $200, that is $100 more"),
        (r"Left as it is: $\unknown{x_1 * y * z}$.", r"Left as it is: $\unknown{x_1 * y * z}$."),
        (r"$\def\x{\x}\x$", r"$\def\x{\x}\x$"),
        ("`$x^2$` is code", "$x^2$ is code"),
        ("$$ not closed", "$$ not closed"),
        ("| $x^2$ | b |\n|---|---|\n| 1 | 2 |", "𝑥2 b 1 2"),
    ],
)
def test_formulas_are_set_and_money_is_not(markdown: str, read: str) -> None:
    data, notes = clean_pdf([markdown])
    assert notes == ()
    assert pages_of(data)[0].replace(" ", "") == read.replace(" ", "")


@pytest.mark.parametrize("block", ["$$\n- a\n= b^2\n$$", "\\[\na_1\n+ b\n\\]", "$$x^2$$"])
def test_a_displayed_formula_is_neither_a_list_nor_a_heading(block: str) -> None:
    data, notes = clean_pdf([f"Before\n\n{block}\n\nAfter"])
    assert notes == ()
    text = pages_of(data)[0]
    assert text.startswith("Before")
    assert text.endswith("After")
    assert len(text) > len("Before After")
    assert not any(mark in text for mark in ("$$", "\\[", "•"))


def test_a_wide_formula_is_made_to_fit() -> None:
    formula = " + ".join(f"x_{{{n}}}^2" for n in range(60))
    data, notes = clean_pdf([f"$${formula}$$"])
    assert notes == ()
    assert "59" in pages_of(data)[0].replace(" ", "")


@pytest.mark.parametrize("text", ["5 and", "100 to", "the price", "1,000, that is", "a `code`", ""])
def test_words_and_prices_look_like_no_maths(text: str) -> None:
    assert not looks_like_maths(text)


@pytest.mark.parametrize("text", ["x", "n - 1", "(x, y)", "10", r"\alpha", "x^2", "a = b", r"v = 5 \text{ metres a second}"])
def test_formulas_look_like_maths(text: str) -> None:
    assert looks_like_maths(text)


_WORDS = ("frac", "sqrt", "text", "left(", "right)", "begin{cases}", "end{cases}", "hat", "sum", "lim", "\\", "unknown")
_PIECES = [
    *(f"\\{name} " for name in _WORDS),
    *"{}[]()^_&'\"#$`@~!?,;:/*+-=<>|.xyzAB019 \n",
    *("\\{", "\\}", "\\#", "\\$", "#let", "#{", "//", "/*", "*/", "α", "√", "漢", "\u0301", "mat(", "eval("),
    *("$", "\\text{a}", "{x}", "^{2}", "_{i}"),
]


def test_whatever_stands_between_dollars_the_page_is_set() -> None:
    chosen = random.Random(11)
    pages = []
    for _ in range(24):
        formulas = ("".join(chosen.choices(_PIECES, k=chosen.randint(1, 14))) for _ in range(40))
        pages.append("\n\n".join(chosen.choice((f"${f}$", f"$${f}$$", f"\\[{f}\\]", f"\\({f}\\)")) for f in formulas))
    _, notes = clean_pdf(pages)
    assert [note for note in notes if "laid out" in note or "typeset" in note] == []


def test_most_of_the_pieces_are_formulas_at_times() -> None:
    chosen = random.Random(5)
    made = [typeset_maths("".join(chosen.choices(_PIECES, k=4)), display=True) for _ in range(3000)]
    assert sum(formula is not None for formula in made) > 150, "otherwise the test above tests nothing"
