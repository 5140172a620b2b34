"""Finds blocks of contacts side by side, such as the authors of a paper or the addresses of an invoice. The blocks are read one
by one, not row by row."""

from __future__ import annotations

import re
from collections.abc import Sequence

from rayocr.engines.layout.lines import LayoutLine
from rayocr.engines.layout.rows import Row, rows_of
from rayocr.engines.layout.tables.alignment import AlignedTable

_PARTY = re.compile(
    r"(?:bill(?:ed)?|ship(?:ped)?|sold|deliver(?:ed)?|remit|invoiced?|send) (?:to|from)\b.{0,20}"
    r"|(?:billing|shipping|delivery|mailing|invoice) address:?",
    re.IGNORECASE,
)
_NEXT_EM, _LEAST_LINES = 1.0, 2  # largest white space between the lines of an address; maximum number of lines
_MOST_ROWS = 8
_LONGEST = 48  # maximum number of characters of an e-mail address with its label
_GAP_EM = 1.8  # largest white space between two rows of a block


def take_contacts(lines: Sequence[LayoutLine], em: float) -> tuple[list[AlignedTable], list[LayoutLine]]:
    """Returns the blocks (all blocks of a row of e-mail addresses or of heads as one box) and the other lines."""
    if not any("@" in line.text or _PARTY.fullmatch(line.text.strip()) for line in lines):
        return [], list(lines)
    rows = rows_of(lines)
    found: list[AlignedTable] = []
    taken: set[int] = set()
    for start, row in enumerate(rows):
        if (end := _end_of_parties(rows, start, em)) > start:
            members = [segment for member in rows[start:end] for segment in member.segments]
            found.append(AlignedTable([_columns_below(members, row)], by_columns=True))
            taken |= set(map(id, members))
    for end, row in enumerate(rows):
        if not _is_of_addresses(row) or (end + 1 < len(rows) and _is_of_addresses(rows[end + 1])):
            continue
        start = end
        while start and _belongs(rows[start - 1], rows[start], row, em) and end - start < _MOST_ROWS:
            start -= 1
        members = [segment for member in rows[start : end + 1] for segment in member.segments]
        if start < end and taken.isdisjoint(map(id, members)):
            found.append(AlignedTable([_columns(members, row)], by_columns=True))
            taken |= set(map(id, members))
    return found, [line for line in lines if id(line) not in taken]


def _end_of_parties(rows: Sequence[Row], start: int, em: float) -> int:
    """Returns the row after blocks such as "Bill to" and "Ship to"; `start` if no such blocks begin with this row."""
    heads = rows[start].segments
    if len(heads) < 2 or not all(_PARTY.fullmatch(head.text.strip()) for head in heads):
        return start
    end = start + 1
    while end < len(rows) and end - start <= _MOST_ROWS and rows[end].y0 - rows[end - 1].y1 < _NEXT_EM * em:
        places = [_below(segment, heads) for segment in rows[end].segments]
        if len(set(places)) < len(places) or any(segment.x0 < heads[0].x0 - em for segment in rows[end].segments):
            break
        end += 1
    return end if end - start > _LEAST_LINES else start


def _below(line: LayoutLine, heads: Sequence[LayoutLine]) -> int:
    return max((n for n, head in enumerate(heads) if head.x0 < line.x0 + line.height), default=0)


def _columns_below(lines: Sequence[LayoutLine], row: Row) -> list[list[LayoutLine]]:
    columns: list[list[LayoutLine]] = [[] for _ in row.segments]
    for line in sorted(lines, key=lambda line: line.center_y):
        columns[_below(line, row.segments)].append(line)
    return columns


def _is_of_addresses(row: Row) -> bool:
    return len(row.segments) > 1 and all("@" in it.text and len(it.text) <= _LONGEST for it in row.segments)


def _belongs(above: Row, row: Row, addresses: Row, em: float) -> bool:
    """Returns whether the row above the block consists of lines over different addresses."""
    if row.y0 - above.y1 > _GAP_EM * em or not 1 < len(above.segments) <= len(addresses.segments) or _is_of_addresses(above):
        return False
    places = [_place(segment, addresses) for segment in above.segments]
    return len(set(places)) == len(places) and all(
        segment.x0 < addresses.segments[place].x1 and segment.x1 > addresses.segments[place].x0
        for segment, place in zip(above.segments, places, strict=True)
    )


def _place(line: LayoutLine, addresses: Row) -> int:
    """Returns the number of the address whose middle is nearest."""
    return min(
        range(len(addresses.segments)), key=lambda n: abs(addresses.segments[n].x0 + addresses.segments[n].x1 - line.x0 - line.x1)
    )


def _columns(lines: Sequence[LayoutLine], addresses: Row) -> list[list[LayoutLine]]:
    columns: list[list[LayoutLine]] = [[] for _ in addresses.segments]
    for line in sorted(lines, key=lambda line: line.center_y):
        columns[_place(line, addresses)].append(line)
    return columns
