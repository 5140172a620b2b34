"""Joins paragraphs and tables that continue across a page break. The comment that marks the break is then inside the joined
paragraph or table.

Joins only clear cases: a paragraph that ends in the middle of a sentence or with a hyphen, if the next one begins with a
lower-case letter, and a table, if the next page begins with a table of the same number of columns.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from rayocr.outputs.normal.tables import cells_of, is_dashes, is_row, row

_COMMENTS = re.compile(r"(?:<!-- (?:header|footer): [^\n]*? -->\s*+)++")
_CELL_BORDER = re.compile(r"(?<!\\)\|")
_NO_PARAGRAPH = re.compile(r"^(?:\s{0,3}(?:#{1,6}\s|[-*+]\s|\d{1,9}[.)]\s|>|\||```|~~~|<|---$|\$\$)|\s{4})")
_ENDS = (".", "!", "?", ":", ";", "。", "！", "？", "।", "॥", "…", '"', "”", "»", "’", ")", "]", "|", "؟", "۔", "*", "`", "_")
_HYPHENATED = re.compile(r"(?<![^\W\d_])(?P<head>[^\W\d_]{2,}+)-$")
_WORD = re.compile(r"^[^\W\d_]{2,}")


@dataclass(frozen=True, slots=True)
class Joined:
    """Two joined pages. `above`: the end of the previous page, the break and the joined beginning of the next page; `below`: the
    rest."""

    above: str
    below: str


def join(above: str, mark: str, below: str) -> Joined | None:
    """Joins two pages. Returns None if nothing continues. `mark`: the comment that marks the break."""
    above, feet = _without_feet(above)
    below, heads = _without_heads(below)
    mark = " ".join(part for part in (feet, mark, heads) if part)
    return _join_tables(above, mark, below) or _join_paragraphs(above, mark, below)


def _without_heads(text: str) -> tuple[str, str]:
    """Returns the page without the comments about its running headers, and these comments."""
    stripped = text.lstrip()
    match = _COMMENTS.match(stripped)
    return (stripped[match.end() :].lstrip("\n"), match.group().strip()) if match else (text, "")


def _without_feet(text: str) -> tuple[str, str]:
    lines = text.rstrip().split("\n")
    end = len(lines)
    while end and (not lines[end - 1].strip() or _COMMENTS.fullmatch(lines[end - 1])):
        end -= 1
    feet = "\n".join(lines[end:]).strip()
    return ("\n".join(lines[:end]).rstrip("\n"), feet) if feet else (text, "")


def _join_paragraphs(above: str, mark: str, below: str) -> Joined | None:
    head, _, last = above.rpartition("\n\n")
    first, _, rest = below.partition("\n\n")
    if not last.strip() or not first.strip() or _is_block(last) or _is_block(first):
        return None
    last = last.rstrip()
    begin = first.lstrip()
    hyphenated, word = _HYPHENATED.search(last), _WORD.match(begin)
    if hyphenated and word and begin[0].islower():
        # The hyphenated word is completed on the page on which it begins.
        whole = f"{last[:-1]}{word.group()}"
        joined = f"{whole} {mark}{begin[word.end() :]}"
    elif begin[0].islower() and not last.endswith(_ENDS):
        joined = f"{last} {mark} {begin}"
    elif _unspaced(last[-1]) and _unspaced(begin[0]):
        joined = f"{last}{mark}{begin}"
    else:
        return None
    return Joined(f"{head}\n\n{joined}" if head else joined, rest)


def _is_block(paragraph: str) -> bool:
    return any(_NO_PARAGRAPH.match(line) for line in paragraph.strip("\n").split("\n"))


def _unspaced(character: str) -> bool:
    return "\u3040" <= character <= "\u30ff" or "\u3400" <= character <= "\u9fff"


def _join_tables(above: str, mark: str, below: str) -> Joined | None:
    above_rows = above[above.rfind("\n\n") + 2 :].split("\n") if "\n\n" in above else above.split("\n")
    first, _, rest = below.partition("\n\n")
    below_rows = first.strip("\n").split("\n")
    if not (_is_table(above_rows) and _is_table(below_rows)):
        return None
    head = cells_of(above_rows[0])
    columns = len(head)
    if any(len(_cells(line)) != columns for line in (above_rows[1], below_rows[0], below_rows[1])):
        return None
    repeated = [cell.casefold() for cell in _cells(below_rows[0])] == [cell.casefold() for cell in _cells(above_rows[0])]
    empty = not any(_cells(below_rows[0]))
    rows = below_rows[2:] if repeated or empty else [below_rows[0], *below_rows[2:]]
    if not rows:
        return None
    cells = _cells(rows[0])
    cells[0] = f"{mark} {cells[0]}".strip()
    return Joined("\n".join([above, row(cells), *rows[1:]]), rest)


def _is_table(rows: list[str]) -> bool:
    return len(rows) >= 2 and all(map(is_row, rows)) and is_dashes(rows[1]) and not is_dashes(rows[0])


def _cells(line: str) -> list[str]:
    """Returns the number of cells, including empty ones at the edges."""
    inner = line.strip()[1:-1]
    return [part.strip() for part in _CELL_BORDER.split(inner)]
