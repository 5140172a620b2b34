"""Turns a page's lines and rulings into Markdown: tables, then columns, then paragraphs. Every line is used exactly once."""

from __future__ import annotations

from collections.abc import Sequence

from rayocr.engines.layout.fields.boxes import join_labels
from rayocr.engines.layout.fields.combs import join_combs
from rayocr.engines.layout.fields.stacked import join_stacked_fields
from rayocr.engines.layout.fields.underlined import take_underlined_fields
from rayocr.engines.layout.fields.wrapped import join_wrapped_labels
from rayocr.engines.layout.fractions import join_fractions
from rayocr.engines.layout.headings import HeadingScale, join_headlines
from rayocr.engines.layout.joining import page_words
from rayocr.engines.layout.lines import (
    Boxed,
    LayoutLine,
    Ruling,
    em_of,
    mirrored,
    mirrored_ruling,
    reads_right_to_left,
    with_height,
)
from rayocr.engines.layout.markdown import to_markdown
from rayocr.engines.layout.order.cards import CardRow, take_cards
from rayocr.engines.layout.order.columns import prose_columns, reading_order
from rayocr.engines.layout.order.marginalia import take_margin_notes
from rayocr.engines.layout.paragraphs import Block, BlockKind, blocks_of, merge_across_columns, without_parts_of_letters
from rayocr.engines.layout.rows import Row, rows_of
from rayocr.engines.layout.scripts.vertical import bands, is_set_vertically, paragraphs_of
from rayocr.engines.layout.tables.alignment import AlignedTable, take_aligned_tables
from rayocr.engines.layout.tables.centered import join_centered_cells
from rayocr.engines.layout.tables.currency import join_currency_signs
from rayocr.engines.layout.tables.grid import grids_of
from rayocr.engines.layout.tables.pairs import lists_of
from rayocr.engines.layout.tables.recognition import RuledTable, take_ruled_tables, unruled_tables
from rayocr.engines.layout.tables.unruled.contacts import take_contacts
from rayocr.engines.layout.tables.unruled.heads import with_heads
from rayocr.engines.layout.tables.unruled.uneven_rows import take_uneven_tables
from rayocr.engines.layout.units.initials import join_initials
from rayocr.engines.layout.units.leaders import join_leaders
from rayocr.engines.layout.units.line_numbers import join_line_numbers
from rayocr.engines.layout.units.listings import listings
from rayocr.engines.layout.units.stacked import join_stacked_letters

_WIDE_SHARE = 0.6  # share of the width of the text; a narrower table is in one column
_TABLE_SHARE = 0.7  # share of the lines of two columns; a table that takes fewer is within running text
_NEAR_PT = 30.0  # distance from a horizontal line on a page of columns to its rulings


def layout_markdown(lines: Sequence[LayoutLine], *, page_width: float, page_height: float, rulings: Sequence[Ruling] = ()) -> str:
    """Returns the page as Markdown in reading order. Lines must be level (deskewed). Takes about 5 to 20 ms per page."""
    lines = [with_height(line) for line in lines if line.text.strip()]
    if not lines:
        return ""
    if reads_right_to_left(lines):
        lines = [mirrored(line, page_width) for line in lines]
        rulings = [mirrored_ruling(ruling, page_width) for ruling in rulings]
    arrange = _blocks_of_columns if is_set_vertically(lines) else _blocks
    blocks = arrange(lines, rulings, page_height)
    return to_markdown(blocks, known_words=page_words(line.text for line in lines))


def _blocks_of_columns(lines: Sequence[LayoutLine], rulings: Sequence[Ruling], page_height: float) -> list[Block]:
    blocks: list[Block] = []
    for in_columns, band in bands(lines):
        if in_columns:
            blocks += [Block(BlockKind.PARAGRAPH, [text]) for text in paragraphs_of(band)]
        else:
            top, bottom = min(line.y0 for line in band), max(line.y1 for line in band)
            near = [ruling for ruling in rulings if ruling.y1 > top - _NEAR_PT and ruling.y0 < bottom + _NEAR_PT]
            blocks += _blocks(band, near, page_height)
    return blocks


def _blocks(lines: Sequence[LayoutLine], rulings: Sequence[Ruling], page_height: float) -> list[Block]:
    em = em_of(lines)
    lines = join_combs(join_fractions(join_stacked_letters(lines), rulings, em), rulings, em)
    words = page_words(line.text for line in lines)
    lines = join_line_numbers(join_initials(lines))
    tables, rest = take_ruled_tables(lines, grids_of(rulings, lines))
    level = join_headlines([line for line in rest if not line.is_vertical], em)
    marginal = [line for line in rest if line.is_vertical]
    in_tables = [line for table in tables for cell in table.contents.values() for line in cell]
    fields, level = take_underlined_fields(join_labels(level, rulings, em), rulings, em, beside=in_tables)
    level = join_stacked_fields(level, em)
    uneven, level = take_uneven_tables(level, rulings, em)
    level = join_centered_cells(join_currency_signs(join_leaders(level, rulings, em), em), em)
    contacts, level = take_contacts(level, em)
    cards, level = take_cards(level, em)
    aligned, level = with_heads(*_take_aligned_tables(level, rulings, em), em)
    notes, level = take_margin_notes(join_wrapped_labels(level, em), em)
    scale = HeadingScale.of(lines)
    columns: list[list[Block]] = []
    everything: list[Boxed] = [*level, *fields, *tables, *uneven, *aligned, *contacts, *cards]
    for boxes in reading_order(everything, page_height=page_height, em=em, rulings=rulings):
        columns.append(_column(boxes, scale, em, words))
    for note in notes:
        _insert(note, columns)
    columns += [[Block(BlockKind.PARAGRAPH, [line.text])] for line in marginal]
    blocks = merge_across_columns(columns)
    return without_parts_of_letters(blocks) if scale.body_styles else blocks


def _take_aligned_tables(
    lines: Sequence[LayoutLine], rulings: Sequence[Ruling], em: float
) -> tuple[list[AlignedTable], list[LayoutLine]]:
    """Returns the tables without a grid and the lines outside them. Tables that are side by side in two columns of running text
    are not one table."""
    tables, rest = take_aligned_tables(lines, rulings, em)
    parts = prose_columns(lines, em, rulings) if any(_is_wide(table, lines) for table in tables) else None
    if parts is None or not any(_reaches_over(table, parts[1], parts[2]) for table in tables):
        return tables, rest
    found = [_take_aligned_tables(part, rulings, em) for part in parts]
    return [table for tables, _ in found for table in tables], [line for _, rest in found for line in rest]


def _is_wide(table: AlignedTable, lines: Sequence[LayoutLine]) -> bool:
    """Returns whether the table may reach over two columns of text: it has most of the page's width, and much of the text is
    outside it."""
    left, right = min(line.x0 for line in lines), max(line.x1 for line in lines)
    inside = sum(len(line.text) for line in table.lines)
    return table.x1 - table.x0 > _WIDE_SHARE * (right - left) and inside < _TABLE_SHARE * sum(len(line.text) for line in lines)


def _reaches_over(table: AlignedTable, left: Sequence[LayoutLine], right: Sequence[LayoutLine]) -> bool:
    """Returns whether the table takes lines of both columns, but not most of them."""
    inside = {id(line) for line in table.lines}
    shares = [sum(id(line) in inside for line in side) / len(side) for side in (left, right)]
    return min(shares) > 0 and sum(shares) < 2 * _TABLE_SHARE


def _insert(note: Sequence[LayoutLine], columns: list[list[Block]]) -> None:
    """Inserts a marginal note after the block beside its first line."""
    block = Block(BlockKind.PARAGRAPH, [row.text for row in rows_of(note)], bottom=note[0].y1)
    for blocks in columns:
        for place, other in enumerate(blocks):
            if other.bottom > note[0].center_y:
                blocks.insert(place + 1, block)
                return
    columns.append([block])


def _column(boxes: Sequence[Boxed], scale: HeadingScale, em: float, words: frozenset[str]) -> list[Block]:
    """Returns the blocks of one column: its tables and the text between them."""
    tables = sorted((box for box in boxes if isinstance(box, RuledTable | AlignedTable | CardRow)), key=lambda table: table.y0)
    lines = [box for box in boxes if isinstance(box, LayoutLine)]
    blocks: list[Block] = []
    for table in tables:
        above = [line for line in lines if line.center_y < (table.y0 + table.y1) / 2]
        taken = {id(line) for line in above}
        lines = [line for line in lines if id(line) not in taken]
        blocks += _prose(rows_of(above), scale, em)
        if isinstance(table, CardRow):
            blocks += [block for card in table.cards for block in _prose(rows_of(card), scale, em)]
        elif isinstance(table, AlignedTable) and table.by_columns:
            blocks += [Block(BlockKind.STANZA, [line.text for line in lines], bottom=table.y1) for lines in table.rows[0]]
        elif isinstance(table, AlignedTable):
            for rows in lists_of(table.rows):
                blocks += _list(rows, words, table.y1)
        else:
            blocks.append(Block(BlockKind.TABLE, cells=table.cells(words), bottom=table.y1))
    return blocks + _prose(rows_of(lines), scale, em)


def _list(rows: Sequence[Sequence[Sequence[LayoutLine]]], words: frozenset[str], bottom: float) -> list[Block]:
    """Returns the blocks of a table, or of one of two lists side by side, whose head is above its columns."""
    head = [] if any(rows[0][1:]) or len(rows[0]) > 2 else rows[0][0]
    part = AlignedTable([[list(cell) for cell in row] for row in (rows[1:] if head else rows)])
    blocks = [Block(BlockKind.PARAGRAPH, [line.text for line in head], bottom=head[-1].y1)] if head else []
    return [*blocks, Block(BlockKind.TABLE, cells=part.cells(words), bottom=bottom)]


def _prose(rows: Sequence[Row], scale: HeadingScale, em: float) -> list[Block]:
    blocks: list[Block] = []
    done = 0
    for start, end, lines in listings(rows, scale.letter_widths):
        blocks += _text(rows[done:start], scale, em)
        blocks.append(Block(BlockKind.CODE, lines, bottom=rows[end - 1].y1))
        done = end
    return blocks + _text(rows[done:], scale, em)


def _text(rows: Sequence[Row], scale: HeadingScale, em: float) -> list[Block]:
    blocks: list[Block] = []
    done = 0
    for start, end, cells in unruled_tables(rows, em):
        blocks += blocks_of(rows[done:start], scale, em)
        blocks.append(Block(BlockKind.TABLE, cells=cells, bottom=rows[end - 1].y1))
        done = end
    return blocks + blocks_of(rows[done:], scale, em)
