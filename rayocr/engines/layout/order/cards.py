"""Finds cards: short texts in rows and columns, each below its own head, as on a page of services or in a catalog. They are read
card by card, row after row. Columns of running text have no heads at the same heights, and tables have no heads in their cells.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from rayocr.engines.layout.lines import LayoutLine
from rayocr.engines.layout.rows import Row, rows_of

_COLUMNS = (2, 5)
_APART_EM = 6.0  # least distance of the beginnings of two columns
_GUTTER_EM, _BEGINS_EM = 0.2, 0.6  # least white space between columns; largest distance of a head from its column
_BAND_EM, _BAND = 0.5, 1.6  # least white space above a row of cards, also as a multiple of the usual white space between lines
_LONGEST_HEAD, _SHORT_HEAD, _LARGER, _MOST = 45, 0.85, 1.15, 0.6
_SENTENCE_END = re.compile(r"[.!?:。！？][\"'”’)\]]*$")
_DIGITS = re.compile(r"\d[\d.,]*")
_NUMBER = re.compile(r"(\d{1,2})(?:\.\d{1,2}){0,3}[.)]?\s")
_ENDS_APART, _FAR = 0.8, 2.2  # least distance of the ends of cards, and of cards below each other, in line heights
_MOST_ROWS = 6  # most lines of a card without sentences

Card = list[LayoutLine]


@dataclass(frozen=True, slots=True)
class CardRow:
    """Cards side by side, from left to right. The reading order treats them as one box."""

    cards: list[Card]

    @property
    def x0(self) -> float:
        return min(line.x0 for card in self.cards for line in card)

    @property
    def x1(self) -> float:
        return max(line.x1 for card in self.cards for line in card)

    @property
    def y0(self) -> float:
        return min(line.y0 for card in self.cards for line in card)

    @property
    def y1(self) -> float:
        return max(line.y1 for card in self.cards for line in card)


def take_cards(lines: Sequence[LayoutLine], em: float) -> tuple[list[CardRow], list[LayoutLine]]:
    """Returns the rows of cards and the lines outside them. A single row of cards is left to the search for columns."""
    rows = rows_of(lines)
    if sum(_may_be_heads(row, em) for row in rows) < 2:
        return [], list(lines)
    found: list[CardRow] = []
    start = 0
    while start < len(rows):
        end = start + 1
        if _may_be_heads(rows[start], em):
            columns = [segment.x0 for segment in rows[start].segments]
            end = _end(rows, start, columns, em)
            cards = [list(_cards(part, columns, em)) for part in _card_rows(rows[start:end], columns, em)]
            if len(cards) > 1 and (_are_texts(cards) or _are_alike(cards)):
                found += [CardRow([card for card in row if card]) for row in cards]
            else:
                end = start + 1
        start = end
    taken = {id(line) for row in found for card in row.cards for line in card}
    return found, [line for line in lines if id(line) not in taken]


def _may_be_heads(row: Row, em: float) -> bool:
    texts = [segment.text.strip() for segment in row.segments]
    return (
        _COLUMNS[0] <= len(texts) <= _COLUMNS[1]
        and all(right.x0 - left.x0 > _APART_EM * em for left, right in pairwise(row.segments))
        and all(len(text) <= _LONGEST_HEAD and not text[:1].islower() and any(map(str.isalpha, text)) for text in texts)
    )


def _end(rows: Sequence[Row], start: int, columns: Sequence[float], em: float) -> int:
    """Returns the row after those whose lines are all in these columns."""
    end = start + 1
    while end < len(rows) and all(_column(segment, columns, em) is not None for segment in rows[end].segments):
        end += 1
    return end


def _column(line: LayoutLine, columns: Sequence[float], em: float) -> int | None:
    number = max((n for n, x in enumerate(columns) if x - _BEGINS_EM * em <= line.x0), default=None)
    if number is None or (number + 1 < len(columns) and line.x1 > columns[number + 1] - _GUTTER_EM * em):
        return None
    return number


def _card_rows(rows: Sequence[Row], columns: Sequence[float], em: float) -> Iterator[Sequence[Row]]:
    """Yields the rows of each row of cards: heads in all columns follow white space across all columns."""
    gaps = [below.y0 - max(row.y1 for row in rows[: place + 1]) for place, below in enumerate(rows[1:])]
    usual = sorted(gaps)[len(gaps) // 3] if gaps else 0.0
    start = 0
    for place, gap in enumerate(gaps, start=1):
        heads = rows[place].segments
        are_heads = len(heads) == len(columns) and all(
            abs(head.x0 - x) < _BEGINS_EM * em for head, x in zip(heads, columns, strict=True)
        )
        is_below_head = place - start < 2
        if gap > max(_BAND_EM * em, _BAND * usual) and are_heads and not is_below_head and _may_be_heads(rows[place], em):
            yield rows[start:place]
            start = place
    yield rows[start:]


def _cards(rows: Sequence[Row], columns: Sequence[float], em: float) -> Iterator[Card]:
    for number in range(len(columns)):
        inside = [line for row in rows for line in row.segments if _column(line, columns, em) == number]
        yield sorted(inside, key=lambda line: line.center_y)


def _are_texts(rows: Sequence[Sequence[Card]]) -> bool:
    """Returns whether each card is a short head above sentences."""
    cards = [card for row in rows for card in row]
    if not all(len(card) > 1 and _SENTENCE_END.search(card[-1].text.strip()) for card in cards):
        return False
    if any(card[0].text.strip().endswith((".", ",", ";")) for card in cards):
        return False
    short = sum(_is_head(card) for card in cards)
    anew = sum(not card[1].text[:1].islower() for card in cards)
    return min(short, anew) >= _MOST * len(cards) and _are_apart(rows) and not _are_numbered_down(rows)


def _is_head(card: Card) -> bool:
    first, second = card[:2]
    if first.bold > second.bold or first.height > _LARGER * second.height:
        return True
    return first.width < _SHORT_HEAD * max(line.width for line in card)


def _are_numbered_down(rows: Sequence[Sequence[Card]]) -> bool:
    """Returns whether the numbers of the heads continue down the columns."""
    numbers = [_NUMBER.match(row[0][0].text.strip()) for row in rows]
    return any(one and two and int(two[1]) == int(one[1]) + 1 for one, two in pairwise(numbers))


def _are_apart(rows: Sequence[Sequence[Card]]) -> bool:
    """Returns whether cards end at different heights above a row of heads, or much white space is above it. Columns that have
    heads at one height by chance have the same white space above them, as between sections."""
    for row, below in pairwise(rows):
        ends, height = [card[-1].y1 for card in row], row[0][-1].height
        if max(ends) - min(ends) > _ENDS_APART * height or below[0][0].y0 - max(ends) > _FAR * height:
            return True
    return False


def _are_alike(rows: Sequence[Sequence[Card]]) -> bool:
    """Returns whether all cards have the same lines, each of another shape: a name, a number, a price."""
    cards = [card for row in rows for card in row]
    counts = {len(card) for card in cards}
    if len(counts) > 1 or not 1 < len(cards[0]) <= _MOST_ROWS:
        return False
    shapes = [{_shape(card[place].text) for card in cards} for place in range(1, len(cards[0]))]
    return all(len(shape) == 1 for shape in shapes) and len(set.union(*shapes)) == len(shapes) and _have_names(cards, shapes)


def _have_names(cards: Sequence[Card], shapes: Sequence[set[str]]) -> bool:
    return all("0" in next(iter(shape)) for shape in shapes) and not any(
        _shape(card[0].text) in set.union(*shapes) for card in cards
    )


def _shape(text: str) -> str:
    """Returns the text without blanks, with 0 in place of numbers. Words remain, since labels such as "No." are the same on all
    cards."""
    return _DIGITS.sub("0", "".join(text.split()))
