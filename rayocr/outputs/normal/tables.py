"""Normalizes tables: outer pipes, one space around cells, a delimiter row, and the same number of cells in every row.

Markdown renderers drop cells beyond the header's width and show a table with a wrong delimiter row as text; models make both
mistakes. An HTML table becomes Markdown if no content is lost: no cell spans several rows or columns, and there is at most one
header row.
"""

from __future__ import annotations

import re

from rayocr.outputs.html.tables import HtmlCell, fence_left_open, parse_table, tables_left_open

_CELLS = re.compile(r"(?<!\\)((?:\\\\)*)\|")
_DASHES = re.compile(r"\s*+(?:\|\s*+)?:?-++:?\s*+(?:\|\s*+:?-++:?\s*+)*+(?:\|\s*+)?$")
_MAX_COLUMNS = 200  # more columns come from a looping model
_ALIGNMENTS = {"left": ":---", "center": ":---:", "right": "---:", "": "---"}
_MARKS = {"b": "**", "strong": "**", "i": "*", "em": "*", "s": "~~", "del": "~~"}
_STYLED = re.compile(r"<(b|strong|i|em|s|del)>([^<>*~]++)</\1>", re.IGNORECASE)
# Content that a Markdown cell cannot hold: blocks and nested tables.
_BLOCK = re.compile(r"<(?:ul|ol|li|pre|h[1-6]|blockquote|img)\b", re.IGNORECASE)
_BREAK = re.compile(r"(<br\s?/?>)", re.IGNORECASE)
_BAR = re.compile(r"(?<!\\)\|")
_ALL_BOLD = re.compile(r"\*\*([^*]+)\*\*")


def pipe_tables(lines: list[str]) -> list[str]:
    """Normalizes the tables in the lines and puts a blank line before and after each."""
    kept: list[str] = []
    position = 0
    while position < len(lines):
        end = _end_of_table(lines, position)
        if end is None:
            kept.append(lines[position])
            position += 1
            continue
        kept.extend(("", *_styled(lines[position:end]), ""))
        position = end
    return kept


def row(cells: list[str], indent: str = "") -> str:
    return f"{indent}| " + " | ".join(cells) + " |"


def cells_of(line: str) -> list[str]:
    """Returns the cells of a row. A pipe after a backslash belongs to a cell."""
    parts = _CELLS.sub(lambda match: f"{match.group(1)}\x00", line.strip()).split("\x00")
    if parts and not parts[0].strip():
        parts = parts[1:]
    if parts and not parts[-1].strip():
        parts = parts[:-1]
    return [part.strip() for part in parts]


def is_dashes(line: str) -> bool:
    return "-" in line and _DASHES.match(line) is not None


def _parts_rows(line: str) -> bool:
    """Returns whether the line is a delimiter row below the head. A single dash in each cell is page text and means an empty
    value."""
    return is_dashes(line) and all("--" in cell for cell in cells_of(line))


def is_row(line: str) -> bool:
    return line.lstrip().startswith("|") and line.rstrip().endswith("|") and len(line.strip()) > 1


def html_table(source: str) -> str:
    """Returns the table as Markdown if no content is lost; otherwise as HTML without blank lines, which would end it early."""
    table = parse_table(source)
    cells = [cell for cells in table.rows for cell in cells]
    if not cells:
        return ""
    fits = (
        table.header_rows <= 1
        and max(map(len, table.rows)) <= _MAX_COLUMNS
        and not any(cell.columns > 1 or cell.rows > 1 for cell in cells)
        and source.lower().count("<table") == 1
        and not _BLOCK.search(source)
    )
    if not fits:
        kept = "\n".join(line.rstrip() for line in source.strip().split("\n") if line.strip())
        left_open = tables_left_open(source)
        marks = fence_left_open(source) if left_open else ""  # inside a fence, `</table>` would not close the table
        end = (
            f"\n{marks}\n" if marks else "\n" if kept.endswith("\\") else ""
        )  # a backslash would turn the first `</table>` into text
        return kept + (end + "</table>" * left_open if left_open else "")
    columns = max(map(len, table.rows))
    head, *body = ([_cell(cell) for cell in cells] + [""] * (columns - len(cells)) for cells in table.rows)
    aligned = [*(cell.align for cell in table.rows[0]), *[""] * (columns - len(table.rows[0]))]
    rows = [row(head), row([_ALIGNMENTS[align] for align in aligned]), *(row(cells) for cells in body)]
    return "\n".join([table.caption, "", *rows] if table.caption else rows)


def _cell(cell: HtmlCell) -> str:
    text = " ".join(cell.source.split())
    text = _without_outer_breaks(_STYLED.sub(_with_marks, text))
    if cell.header and (bold := _ALL_BOLD.fullmatch(text)):
        text = bold.group(1)  # removes the marks, since headers are bold by default
    if is_dashes(text):
        text = f"\\{text}"  # a row of such cells would be a delimiter row
    return _BAR.sub(r"\\|", text)


def _with_marks(styled: re.Match[str]) -> str:
    mark, words = _MARKS[styled[1].lower()], styled[2].strip()
    return f"{mark}{words}{mark}" if words else styled.group()


def _without_outer_breaks(text: str) -> str:
    parts = _BREAK.split(text)  # the list alternates between words and breaks
    while len(parts) > 1 and not parts[0].strip():
        del parts[:2]
    while len(parts) > 1 and not parts[-1].strip():
        del parts[-2:]
    return "".join(parts).strip()


def _end_of_table(lines: list[str], start: int) -> int | None:
    """Returns the end of the table that begins at this line; None if no table begins here."""
    first = lines[start]
    if "|" not in first or first.startswith((">", "    ")) or is_dashes(first):
        return None
    below = lines[start + 1] if start + 1 < len(lines) else ""
    dashed = is_dashes(below) and ("|" in below or is_row(first))
    width = len(cells_of(first))
    if dashed:
        if not is_row(first) and width != len(cells_of(below)):
            return None  # a line of prose that contains a pipe, above a rule
    elif not (is_row(first) and is_row(below) and width > 1 and width == len(cells_of(below))):
        return None
    end = start + 2
    while end < len(lines) and "|" in lines[end] and lines[end].strip():
        end += 1
    return end


def _styled(lines: list[str]) -> list[str]:
    indent = lines[0][: len(lines[0]) - len(lines[0].lstrip())]
    dashed = is_dashes(lines[1])
    alignments = [_alignment(cell) for cell in cells_of(lines[1])] if dashed else []
    rows = [cells_of(line) for line in (lines[:1] + lines[2:] if dashed else lines) if not _parts_rows(line)]
    columns = min(max(max(map(len, rows)), len(alignments), 1), _MAX_COLUMNS)
    alignments = (alignments + [""] * columns)[:columns]
    shown = [_fitted(cells, columns) for cells in rows]
    return [
        row(shown[0], indent),
        row([_ALIGNMENTS[a] for a in alignments], indent),
        *(row(cells, indent) for cells in shown[1:]),
    ]


def _fitted(cells: list[str], columns: int) -> list[str]:
    """Pads the cells to the number of columns; the last cell takes all surplus cells."""
    if len(cells) > columns:
        cells = [*cells[: columns - 1], " ".join(cells[columns - 1 :])]
    return cells + [""] * (columns - len(cells))


def _alignment(dashes: str) -> str:
    left, right = dashes.startswith(":"), dashes.endswith(":") and len(dashes) > 1
    return "center" if left and right else "left" if left else "right" if right else ""
