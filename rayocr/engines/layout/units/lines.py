"""Detects rows that stay separate lines: table of contents, fields such as "Date: …", rows of a ticket, addresses, verse."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

from rayocr.engines.layout.joining import ends_in_broken_number, ends_in_broken_word
from rayocr.engines.layout.rows import Row

_LEADER = re.compile(r"(?:\.\s?){4}|…\s?…|(?:[·․‥…]\s?){3}|_{4}|-{6}")
_LABEL = re.compile(r"[^\W\d_](?:[^:.;!?\n\]]|\.(?=[:/-])){0,28}:(?:\s+\S|$)")  # Date:, Cust.-No.:
_AMOUNT = re.compile(r"(?:^|[\s$€£¥₹])-?\d[\d.,'\u2019 ]{0,12}[.,]\d{2}\s?(?:[$€£¥₹%*]|[A-Z]{1,3})?$")
_SHORT_EM = 12.0  # columns of running text are wider than this
_NUMBER_AT_END = re.compile(r"[\s.…]\d{1,4}$")  # a page number in a table of contents whose dots the engine did not read
_PAGES_OF_ENTRY = re.compile(r",\s?\d{1,3}(?:\s?[-\u2013]\s?\d{1,3})?[,.]?$")
_LEAST_ENTRIES, _ENTRIES = 6, 0.6  # least number, and least share of lines
_RUNNING_CHARS = 45  # least mean length of lines of running text; verse and addresses are shorter
_SENTENCE_INSIDE = re.compile(r"[^\W\dA-Z_]{2}[)\"”’]?[.!?] +[^\W\d_]")
_SHORT_WORD_AT_END = re.compile(r" [^\W\dA-Z_]{1,3}$")
_RUNS_ON = 0.25  # least share of lines that begin in lower case, for running text
_VERSE_ROWS = 4  # least number of rows that all begin with a capital, which is rare in running text
_SENTENCE_CHARS = 25  # shorter lines may be a list of words, one per line
_SENTENCE_END = tuple(".!?:;。！？।॥")


def runs_on(texts: Sequence[str]) -> bool:
    """Returns whether the lines are ragged running text although each begins with a capital, for example with a name: the lines
    are long, sentences begin inside them, and they end in the middle of a phrase."""
    if sum(map(len, texts)) < _RUNNING_CHARS * len(texts):
        return False
    signs = sum(_SENTENCE_INSIDE.search(text) is not None or _SHORT_WORD_AT_END.search(text) is not None for text in texts[:-1])
    return signs >= max(2, len(texts) / 3)


def sentences_run_on(texts: Sequence[str]) -> bool:
    """Returns whether sentences continue from line to line, as far as a script with capitals shows it. Fields begin with
    capitals."""
    begins = [text.lstrip("\"'([“‘„«")[:1] for text in texts]
    cased = [begin for begin in begins if begin.islower() or begin.isupper()]
    lower = sum(begin.islower() for begin in cased)
    return lower >= _RUNS_ON * len(texts) if 2 * len(cased) >= len(texts) else not any(begin.isdigit() for begin in begins)


def has_leader(text: str) -> bool:
    """Returns whether the row has a leader: dots or dashes before a page number, an amount or a place to write."""
    return _LEADER.search(text) is not None


def are_index_entries(texts: Sequence[str]) -> bool:
    """Returns whether most lines are entries of an index with their page numbers: "Lamps, 12, 40-43"."""
    found = [(text, _PAGES_OF_ENTRY.search(text)) for text in map(str.strip, texts)]
    count = sum(match is not None and any(map(str.isalpha, text[: match.start()])) for text, match in found)
    return count >= max(_LEAST_ENTRIES, _ENTRIES * len(texts))


def are_units(group: Sequence[Row], *, ended_on_purpose: bool, em: float, has_items: bool = False) -> list[bool]:
    """Returns for each row of a group whether it keeps its line. The group has no white space between its rows.
    `ended_on_purpose`: most rows end before the edge of their column. `has_items`: list items begin in some of them."""
    texts = [row.text for row in group]
    if len(group) >= 3 and (ended_on_purpose or _is_verse(group, em, has_items=has_items)) and not _sentences_go_on(texts):
        return [True] * len(group)
    labels = [_LABEL.match(text) is not None and not text[:1].islower() for text in texts]
    amounts = [_AMOUNT.search(text[-30:]) is not None for text in texts]
    entries = [_NUMBER_AT_END.search(text[-10:]) is not None and not text[:1].islower() for text in texts]
    return [
        has_leader(text) or any(_with_neighbor(signs, place) for signs in (labels, amounts, entries))
        for place, text in enumerate(texts)
    ]


def _with_neighbor(signs: Sequence[bool], place: int) -> bool:
    return signs[place] and (signs[place - 1 : place] == [True] or signs[place + 1 : place + 2] == [True])


def _is_verse(group: Sequence[Row], em: float, *, has_items: bool) -> bool:
    """Returns whether all lines begin with a capital or a number and end at different places, or are as short as those of an
    address."""
    begins = [row.text.lstrip("\"'«»„“‘([–—- ")[:1] for row in group]
    if not all(begin.isupper() or begin.isdigit() for begin in begins):
        return False
    ends = sorted(row.x1 for row in group)
    if ends[-1] - min(row.x0 for row in group) < _SHORT_EM * em:
        return True
    return not has_items and len(group) >= _VERSE_ROWS and ends[-1] - ends[len(ends) // 3] > em


def _sentences_go_on(texts: Sequence[str]) -> bool:
    """Returns whether the rows are ragged lines of a narrow paragraph: a line in lower case follows a long line."""
    return runs_on(texts) or any(
        ends_in_broken_word(above)
        or (ends_in_broken_number(above) and below[:1].isdigit())
        or (below[:1].islower() and len(above) > _SENTENCE_CHARS and not above.endswith(_SENTENCE_END))
        for above, below in pairwise(texts)
    )
