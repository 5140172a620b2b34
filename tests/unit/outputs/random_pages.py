"""Makes malformed pages as some models write them: odd characters, huge tables, deep nesting, fragments of Markdown and Typst."""

from __future__ import annotations

from hypothesis import strategies as st

_FRAGMENTS = r"""
#let #set #import $x$ *a _b `c ``` ~~~ <div> </div> <table> <tr><td/colspan=9999> </table> <br> <!-- --> [a](b) ![c](d) | || |---|
> >> - 1. 999999999999. \ \\ " ' n<12 <label> @ref #{ } ] [ // /* */ = == ~ ^ & &amp; &#0; \u{0} #""; {{ }}
"""
_SYNTAX = st.sampled_from(_FRAGMENTS.split())
_ODD = st.text(alphabet=st.characters(codec=None, categories=["L", "M", "N", "P", "S", "Z", "C"]), max_size=40)
_NASTY = ["\u200b", "\ufeff", "a\u0301", "\ud800", "\x00", "\x0c", "\t"]
_WORDS = st.sampled_from(["word", "ficus", "über", "Ωmega", "слово", "हिन्दी", "שלום", "سلام", "漢字", "ไทย", "😀", *_NASTY])
_LINE = st.lists(st.one_of(_SYNTAX, _ODD, _WORDS), max_size=12).map(" ".join)
_PROSE = st.lists(_LINE, max_size=8).map("\n".join)


@st.composite
def _tables(draw: st.DrawFn) -> str:
    columns = draw(st.integers(1, 30))
    cell = st.one_of(_WORDS, _ODD.map(lambda text: text.replace("\n", " ")))
    cells = draw(st.lists(cell, min_size=1, max_size=12))
    rows = draw(st.integers(0, 25))
    lines = ["| " + " | ".join(cells[(y + x) % len(cells)] for x in range(columns)) + " |" for y in range(rows + 1)]
    return "\n".join([lines[0], "|" + "---|" * columns, *lines[1:]])


_DEEP = st.builds(
    lambda mark, depth, text: "\n".join("  " * level + f"{mark} {text}" for level in range(depth)),
    st.sampled_from(["-", "1.", ">", "*"]),
    st.integers(1, 80),
    _LINE,
)


def pages(longest: int) -> st.SearchStrategy[str]:
    """`longest`: characters of one repetition, of which a page has up to four."""
    long = st.builds(lambda text, times: (text or "x") * (times // max(1, len(text))), _LINE, st.integers(0, longest))
    return st.lists(st.one_of(_PROSE, _PROSE, _tables(), _DEEP, long), max_size=4).map("\n\n".join)


def documents(longest: int) -> st.SearchStrategy[list[str]]:
    return st.lists(pages(longest), min_size=1, max_size=5)


PAGES = pages(10_000)  # with 75,000, the Markdown parser of the tests takes up to half a minute
DOCUMENTS = documents(10_000)
