"""Groups the rows of one column into paragraphs, list items, headings and stanzas (rows that stay separate lines)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import groupby, pairwise
from operator import or_

from rayocr.engines.layout.fields.beside import is_postal_address
from rayocr.engines.layout.heading_rows import OPEN_END, changes_size, continues_heading, heading_levels
from rayocr.engines.layout.headings import LEVEL_OF_BOLD, HeadingScale, with_bold_lines
from rayocr.engines.layout.joining import ends_in_broken_number, ends_in_broken_word, join_lines
from rayocr.engines.layout.rows import MARKER, Row, has_label
from rayocr.engines.layout.units.breaks import SENTENCE_CHARS, SENTENCE_END, has_room_for, is_mid_sentence
from rayocr.engines.layout.units.items import begin_items
from rayocr.engines.layout.units.line_numbers import with_line_numbers
from rayocr.engines.layout.units.lines import are_units, has_leader, runs_on
from rayocr.engines.layout.units.nesting import Item, nested, with_round_bullets
from rayocr.engines.layout.units.plain_headings import with_plain_headings
from rayocr.engines.layout.units.series import choices_of, with_series

_GAP = 0.45  # share of the line's height; a distance of lines larger by this is intended white space
# Distances that differ by a tenth count as equal; with this share of equal distances, the distance is usual.
_SAME_PITCH, _PITCH_SHARE = 1.1, 0.2
_LEAST_PITCH_EM = 0.7  # rows that are closer overlap
_FULL_EM = 2.5  # rows that end this close to the right edge fill the column
_INDENT_EM, _HANGING_EM = 0.8, 4.0
_EARLY = 0.3  # least distance of all row ends from the edge of the column, as a share of its width
_NARROW_EM = 10.0
_LETTERHEAD_LINES = 3
_SALUTATION = 40  # maximum number of characters of a salutation
_SHORT_CHARS = 38  # largest mean number of characters of a line in an address or a poem
_NUMBER = re.compile(r"\(?(\d{1,2})[.)]\s")
_NUMBERED_LINE = re.compile(r"\d{1,3}[a-z]?\s+[A-Z(]")  # a numbered line of a form
_NETWORK = re.compile(r"www\.|https?:|[\w.+-]{1,100}@")
_NO_WORD = re.compile(r"\w\s+[A-Z\d]|www\.|https?:|[\w.+-]{1,100}@")


class BlockKind(StrEnum):
    PARAGRAPH = "paragraph"
    HEADING = "heading"
    ITEM = "item"
    STANZA = "stanza"
    TABLE = "table"
    CODE = "code"


@dataclass(slots=True)
class Block:
    """A paragraph, heading, list item, stanza or table. `lines`: texts to be joined, or that stay lines (a stanza, code);
    `cells`: for a table, its rows of cells."""

    kind: BlockKind
    lines: list[str] = field(default_factory=list)
    level: int = 0
    cells: list[list[str]] = field(default_factory=list)
    bottom: float = 0.0  # y of the lower edge of the last line
    pitch: float = 0.0  # distance between the middles of the last two rows
    x0: float = 0.0  # left edge of the first line
    top: float = 0.0  # y of the upper edge of the first line
    right: float = 0.0  # right edge of the column
    depth: int = 0  # level of a nested list item
    ends_open: bool = False  # the last line fills the column without ending a sentence: the next column may continue it


def blocks_of(rows: Sequence[Row], scale: HeadingScale, em: float) -> list[Block]:
    """Returns the rows of one column, given from top to bottom, as blocks."""
    if not rows:
        return []
    rows = with_round_bullets(rows, em)
    shape = _Shape.of(rows, em)
    levels = with_bold_lines(rows, heading_levels(rows, scale, em), scale, shape.pitch, em)
    levels = with_plain_headings(rows, levels, scale.is_body_size, shape.pitch, em)
    blocks: list[Block] = []
    previous: Row | None = None
    apart = [True, *(shape.apart(above, row) for above, row in pairwise(rows))]
    items = with_series(rows, begin_items([row.text for row in rows]), apart, em)
    edges, units = _right_edges(rows, items, shape)
    units = list(map(or_, units, with_line_numbers([row.text for row in rows])))
    hanging = _hanging(rows, shape)
    for row, level, right, unit, item, hangs in zip(rows, levels, edges, units, items, hanging, strict=True):
        kind = _kind(row, level, em, is_unit=unit, is_item=item)
        if previous is not None and blocks and _continues(blocks[-1], previous, row, kind, level, shape, right, hangs=hangs):
            blocks[-1].lines.append(row.text)
            blocks[-1].pitch = row.center_y - previous.center_y
        elif previous is not None and blocks and _ends_unit(blocks[-1], previous, row, kind, shape):
            blocks[-1].lines[-1] = join_lines([blocks[-1].lines[-1], row.text])
        else:
            texts = (choices_of(row) if kind is BlockKind.ITEM else []) or [row.text]
            blocks += [Block(kind, [text], level=level, x0=row.x0, top=row.y0, right=shape.right) for text in texts]
        blocks[-1].bottom = row.y1
        previous = row
    if previous is not None and blocks[-1].kind in (BlockKind.PARAGRAPH, BlockKind.ITEM):
        text = previous.text
        blocks[-1].ends_open = (
            ends_in_broken_word(text)
            or (is_mid_sentence(previous) and OPEN_END.search(text) is not None)
            or (previous.x1 > shape.right - 3 * em and len(text) > 20 and not text.endswith(SENTENCE_END))
        )
    _nest(blocks, em)
    return blocks


def _nest(blocks: Sequence[Block], em: float) -> None:
    """Sets the depth of the items of each list."""
    for kind, group in groupby(blocks, key=lambda block: block.kind):
        if kind is BlockKind.ITEM:
            items = list(group)
            for block, depth in zip(items, nested([Item(block.lines[0], block.x0) for block in items], em), strict=True):
                block.depth = depth


def merge_across_columns(columns: Sequence[list[Block]]) -> list[Block]:
    """Joins a paragraph that breaks off at the end of a column with the next column if that begins in lower case, or if the
    paragraph ends with a word such as "and". A running header is not the beginning of the text below it."""
    merged: list[Block] = []
    may_be_header = False
    for blocks in columns:
        todo = list(blocks)
        if may_be_header and todo and not _is_line_of(merged[-1], todo[0]):
            merged[-1].ends_open = False
        may_be_header = not merged and len(blocks) == 1 and len(blocks[0].lines) == 1
        if merged and todo and todo[0].kind is BlockKind.PARAGRAPH and _is_continued_by(merged[-1], todo[0]):
            merged[-1].lines += todo[0].lines
            merged[-1].ends_open = todo[0].ends_open
            todo.pop(0)
        merged += todo
    return merged


def without_parts_of_letters(blocks: Sequence[Block]) -> list[Block]:
    """Returns the blocks with paragraphs in place of bold lines that are not headings: the subject above the salutation of a
    letter, and the name below its end. Three lines are a letterhead and stay lines."""
    for above, block, below in zip([None, *blocks], blocks, [*blocks[1:], None], strict=False):
        if block.kind is BlockKind.HEADING and block.level == LEVEL_OF_BOLD:
            last = above.lines[-1] if above is not None and above.lines else ""
            first = below.lines[0] if below is not None and below.lines else ""
            if last.endswith(",") or (first.endswith(",") and len(first) < _SALUTATION):
                is_letterhead = len(block.lines) >= _LETTERHEAD_LINES
                block.kind, block.level = BlockKind.STANZA if is_letterhead else BlockKind.PARAGRAPH, 0
    return list(blocks)


def _is_line_of(line: Block, text: Block) -> bool:
    """Returns whether the first line of a page has the edges and the distance of lines of the text below it."""
    em = line.bottom - line.top
    is_near = 0 < text.top - line.top < _SAME_PITCH * (text.pitch or _FULL_EM * em) + _GAP * em
    is_as_wide = abs(line.right - text.right) < _FULL_EM * em and -em < line.x0 - text.x0 < _HANGING_EM * em
    return (is_near and is_as_wide) or ends_in_broken_word(line.lines[0])


def _is_continued_by(block: Block, following: Block) -> bool:
    return block.ends_open and (following.lines[0][:1].islower() or OPEN_END.search(block.lines[-1]) is not None)


@dataclass(frozen=True, slots=True)
class _Shape:
    """Typical measures of a column. `pitch`: distance between the middles of lines, since heights jitter but middles do not."""

    right: float
    pitch: float
    em: float

    @classmethod
    def of(cls, rows: Sequence[Row], em: float) -> _Shape:
        pitches = sorted(pitch for above, below in pairwise(rows) if (pitch := below.center_y - above.center_y) < 2.6 * em)
        return cls(right=max(row.x1 for row in rows), pitch=_usual(pitches, em) if pitches else 1.2 * em, em=em)

    def apart(self, above: Row, row: Row) -> bool:
        return row.center_y - above.center_y > self.pitch + _GAP * self.em


def _usual(pitches: Sequence[float], em: float) -> float:
    """Returns the distance of lines within paragraphs, from all distances in ascending order. Does not use the median, since
    columns of short paragraphs have more wide gaps than narrow ones."""
    for start, pitch in enumerate(pitches[: len(pitches) * 35 // 100]):
        alike = sum(other <= _SAME_PITCH * pitch for other in pitches[start:])
        if pitch > _LEAST_PITCH_EM * em and alike >= max(2, _PITCH_SHARE * len(pitches)):
            return pitch
    return pitches[len(pitches) * 35 // 100]


def _right_edges(rows: Sequence[Row], items: Sequence[bool], shape: _Shape) -> tuple[list[float], list[bool]]:
    """Returns for each row the right edge of its text (the column's, or that of a narrower paragraph such as a quotation), and
    whether the row is a unit that keeps its line."""
    edges: list[float] = []
    units: list[bool] = []
    group: list[Row] = []
    has_items = False
    for row, item, following in zip(rows, items, [*rows[1:], None], strict=True):
        group.append(row)
        has_items |= item
        if following is not None and not shape.apart(row, following):
            continue
        right = max(member.x1 for member in group)
        full = sum(member.x1 > right - _FULL_EM * shape.em for member in group)
        edge = shape.right
        if len(group) >= 3 and full >= 0.6 * len(group):
            edge = right
        elif len(group) >= 3 and runs_on([member.text for member in group]):
            edge = float("-inf")  # here no line break is intended
        elif len(group) >= 3 and full < 0.5 * len(group):
            edge = float("inf")  # in an address or a poem no line is full, so every line break is intended
        if _ends_early(group, shape) or _is_address(group):
            edge = float("inf")
            units += [True] * len(group)
        else:
            units += are_units(group, ended_on_purpose=edge == float("inf") and not has_items, em=shape.em, has_items=has_items)
        # An item may have several lines, even where most items are short.
        edges += [shape.right if has_items and edge == float("inf") else edge] * len(group)
        group, has_items = [], False
    return edges, units


def _is_address(group: Sequence[Row]) -> bool:
    """Returns whether the rows are a postal address, with or without e-mail and web addresses."""
    return is_postal_address([row.text for row in group if _NETWORK.match(row.text) is None])


def _ends_early(group: Sequence[Row], shape: _Shape) -> bool:
    """Returns whether all rows are short and end far from the column's edge although the next word would fit: verse, an address.
    Rows that end at the same place are a narrow paragraph, unless they are very short."""
    right, left = max(row.x1 for row in group), min(row.x0 for row in group)
    if len(group) < 2 or right > shape.right - _EARLY * (shape.right - left):
        return False
    at_edge = 0 if right - left < _NARROW_EM * shape.em else sum(row.x1 > right - shape.em for row in group)
    if sum(len(row.text) for row in group) > _SHORT_CHARS * len(group) or (len(group) > 2 and 3 * at_edge > len(group) + 2):
        return False
    if any(ends_in_broken_word(row.text) or ends_in_broken_number(row.text) for row in group[:-1]):
        return False
    own_edge = right if len(group) == 2 else shape.right
    return len(group) > 2 or has_room_for(group[1], group[0], own_edge) or len(group[0].text) <= SENTENCE_CHARS


def _kind(row: Row, level: int, em: float, *, is_unit: bool, is_item: bool) -> BlockKind:
    if level:
        return BlockKind.HEADING
    if has_leader(row.text):
        return BlockKind.STANZA
    if _begins_item(row, is_item=is_item):
        return BlockKind.ITEM
    return BlockKind.STANZA if is_unit or row.is_tabular(em) else BlockKind.PARAGRAPH


def _begins_item(row: Row, *, is_item: bool) -> bool:
    if len(row.segments) > 1 and MARKER.match(row.segments[0].text.strip()):
        return not row.segments[0].text.strip()[0].isdigit() or len(row.segments) == 2
    return is_item


def _continues(
    block: Block, above: Row, row: Row, kind: BlockKind, level: int, shape: _Shape, right: float, *, hangs: bool
) -> bool:
    if block.kind is BlockKind.HEADING or kind is BlockKind.HEADING:
        return block.kind is kind and block.level == level and len(block.lines) < 3 and continues_heading(above, row)
    if kind is BlockKind.STANZA or block.kind is BlockKind.STANZA:
        is_new_stanza = block.pitch and row.center_y - above.center_y > block.pitch + _GAP * shape.em
        return kind is block.kind and row.y0 - above.y1 < 1.5 * shape.em and not is_new_stanza
    if kind is BlockKind.ITEM or (_changes_style(above, row) and not _style_may_change(above, row)):
        return False
    if shape.apart(above, row) and not _sentence_is_near(above, row, shape):
        return False
    if ends_in_broken_word(above.text) and row.text[:1].islower():
        return True
    if ends_in_broken_number(above.text) and row.text[:1].isdigit():
        return True
    has_room = has_room_for(row, above, right)
    if block.kind is BlockKind.ITEM:
        is_indented = row.x0 > above.x0 - _INDENT_EM * shape.em
        return _sentence_continues(above, row) or (
            not has_room and (is_indented or (len(block.lines) == 1 and _may_continue(above, row)))
        )
    if row.x0 > above.x0 + _INDENT_EM * shape.em and row.x0 < above.x0 + 6 * shape.em and not row.text[:1].islower():
        return hangs and not has_room and is_mid_sentence(above)  # otherwise the row is the indented first line of a paragraph
    if _sentence_continues(above, row):
        return True  # in ragged lines of a narrow paragraph, the sentence continues
    return not has_room


def _may_continue(above: Row, row: Row) -> bool:
    """Returns whether the row, which begins left of an item's first line, may be the item's second line."""
    return is_mid_sentence(above) and _NUMBERED_LINE.match(row.text) is None


def _sentence_continues(above: Row, row: Row) -> bool:
    """Returns whether the sentence of the row above continues: with a word in lower case, after a word such as "or" or "the", or
    with a number that is not the marker of an item."""
    if not is_mid_sentence(above):
        return False
    return _begins_inside(row.text) or OPEN_END.search(above.text) is not None or _NUMBER.match(row.text) is not None


def _begins_inside(text: str) -> bool:
    """Returns whether the text begins with a word in lower case, and not with an address or a letter that stands for a symbol."""
    return text[:1].islower() and _NO_WORD.match(text) is None


def _sentence_is_near(above: Row, row: Row, shape: _Shape) -> bool:
    """Returns whether a sentence continues in a line that is a little further away, as lines with an exponent or an index are."""
    is_near = row.center_y - above.center_y < shape.pitch + 2 * _GAP * shape.em
    is_full = above.x1 > shape.right - _FULL_EM * shape.em and not above.text.endswith(SENTENCE_END)
    return is_near and is_full and row.text[:1].islower() and len(above.text) > SENTENCE_CHARS


def _ends_unit(block: Block, above: Row, row: Row, kind: BlockKind, shape: _Shape) -> bool:
    """Returns whether the row is the second line of a field or another unit."""
    if block.kind is not BlockKind.STANZA or kind is not BlockKind.PARAGRAPH or shape.apart(above, row) or has_leader(above.text):
        return False
    is_below = not above.is_tabular(shape.em) or abs(row.x0 - above.segments[-1].x0) < shape.em
    return is_below and _begins_inside(row.text) and is_mid_sentence(above) and not _changes_style(above, row)


def _hanging(rows: Sequence[Row], shape: _Shape) -> list[bool]:
    """Returns for each row whether it may be the second line of a reference whose first line is set out: the next row begins at
    the same place, or the row is short."""
    hanging = [False]
    for (above, row), following in zip(pairwise(rows), [*rows[2:], None], strict=False):
        indent = row.x0 - above.x0
        is_centered = abs(row.x0 + row.x1 - above.x0 - above.x1) < 2 * shape.em
        is_followed = following is not None and abs(following.x0 - row.x0) < 0.3 * shape.em and not shape.apart(row, following)
        is_short = row.x1 < shape.right - _FULL_EM * shape.em
        is_indented = _INDENT_EM * shape.em < indent < _HANGING_EM * shape.em and not is_centered
        hanging.append(is_indented and not has_label(row.text) and (is_followed or is_short))
    return hanging


def _style_may_change(above: Row, row: Row) -> bool:
    """Returns whether bold text ends or begins within a sentence, or the line break divides a word in small capitals."""
    if ends_in_broken_word(above.text):
        return True
    return not changes_size(above, row) and (_sentence_continues(above, row) or above.text.endswith(","))


def _changes_style(above: Row, row: Row) -> bool:
    return changes_size(above, row) or (above.bold != row.bold and len(row.text) > 3 and len(above.text) > 3)
