"""Parses the HTML that models write into Markdown: tables with spans, and a few inline tags. Anything else is text."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from html.parser import HTMLParser

_TABLE = re.compile(r"<(/?)table\b(?:(?!\n[ \t]*+\n)[^<>]){0,2000}>", re.IGNORECASE)  # a tag does not continue after a blank line
_FENCE = re.compile(r"^ {0,3}(`{3,}|~{3,})(.*)$", re.MULTILINE)
_BREAKING = frozenset({"p", "div", "li", "ul", "ol", "h1", "h2", "h3", "h4", "h5", "h6", "tr"})
_ALIGN = re.compile(r"\b(left|center|right)\b")
_MAX_SPAN = 1000


@dataclass(slots=True)
class HtmlCell:
    """A table cell. `source`: Markdown that keeps its inline tags."""

    source: str
    header: bool
    columns: int
    rows: int
    align: str


@dataclass(slots=True)
class HtmlTable:
    rows: list[list[HtmlCell]] = field(default_factory=list)
    header_rows: int = 0
    caption: str = ""


def split_tables(text: str) -> Iterator[str | HtmlTable]:
    """Splits the page into Markdown and HTML tables, in order. A table that is never closed extends to the end of the page."""
    position = 0
    for start, end in table_spans(text):
        if before := text[position:start]:
            yield before
        yield parse_table(text[start:end])
        position = end
    if rest := text[position:]:
        yield rest


def table_spans(text: str) -> Iterator[tuple[int, int]]:
    """Yields the spans of the outermost tables that are not in code fences."""
    depth, start = 0, 0
    for match in _table_tags(text):
        if not match.group(1):
            start = start if depth else match.start()
            depth += 1
        elif depth:
            depth -= 1
            if not depth:
                yield start, match.end()
    if depth:
        yield start, len(text)


def tables_left_open(text: str) -> int:
    """Returns how many of the text's tables are not closed."""
    ends = [bool(match.group(1)) for match in _table_tags(text)]
    return max(ends.count(False) - ends.count(True), 0)


def _table_tags(text: str) -> Iterator[re.Match[str]]:
    """Yields the table tags that are not in a code fence."""
    fenced = fenced_spans(text)
    return (match for match in _TABLE.finditer(text) if not is_within(fenced, match.start()))


def fence_left_open(text: str) -> str:
    """Returns the marks of a code fence that is not closed; empty if all are closed."""
    return _fences(text)[1]


def fenced_spans(text: str) -> list[tuple[int, int]]:
    return _fences(text)[0]


def is_within(spans: Sequence[tuple[int, int]], place: int) -> bool:
    """Returns whether the place is within one of the spans, which are in order and do not overlap."""
    index = bisect_right(spans, place, key=lambda span: span[0]) - 1
    return index >= 0 and place < spans[index][1]


def _fences(text: str) -> tuple[list[tuple[int, int]], str]:
    spans: list[tuple[int, int]] = []
    opened: re.Match[str] | None = None
    for match in _FENCE.finditer(text):
        if opened is None:
            opened = match
        elif match.group(1).startswith(opened.group(1)) and not match.group(2).strip():
            spans.append((opened.start(), match.end()))
            opened = None
    if opened is None:
        return spans, ""
    return [*spans, (opened.start(), len(text))], opened.group(1)


def parse_table(source: str) -> HtmlTable:
    parser = _TableParser()
    parser.feed(source)
    parser.close()
    table = parser.table
    table.rows = [row for row in table.rows if row]
    if not table.header_rows and table.rows and all(cell.header for cell in table.rows[0]):
        table.header_rows = 1
    table.header_rows = min(table.header_rows, len(table.rows))
    return table


class _TableParser(HTMLParser):
    """Parses one table. Cells keep their inner source unchanged. A table in a cell is flattened into the cell."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=False)
        self.table = HtmlTable()
        self._depth = 0
        self._in_head = False
        self._cell: HtmlCell | None = None
        self._caption: HtmlCell | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "table":
            self._depth += 1
        elif self._depth > 1:
            self._append(" " if tag in ("tr", "td", "th") else self.get_starttag_text() or "")
        elif tag == "thead":
            self._in_head = True
        elif tag in ("tbody", "tfoot"):
            self._in_head = False
        elif tag == "caption":
            self._end_cell()
            self._caption = self._cell = HtmlCell("", False, 1, 1, "")
        elif tag == "tr":
            self._end_cell()
            self._new_row()
        elif tag in ("td", "th"):
            self._end_cell()
            if not self.table.rows:
                self._new_row()
            values = dict(attrs)
            style = f"{values.get('align') or ''} {values.get('style') or ''}"
            align = _ALIGN.search(style.lower())
            self._cell = HtmlCell(
                "", tag == "th", _span(values.get("colspan")), _span(values.get("rowspan")), align.group(1) if align else ""
            )
        elif tag in _BREAKING:
            self._append("<br>" if self._cell is not None and self._cell.source.strip() else "")
        else:
            self._append(self.get_starttag_text() or "")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._append(self.get_starttag_text() or "")

    def handle_endtag(self, tag: str) -> None:
        if tag == "table":
            self._depth -= 1
            if self._depth <= 0:
                self._end_cell()
        elif self._depth > 1:
            return
        elif tag == "thead":
            self._in_head = False
        elif tag in ("td", "th", "tr", "caption"):
            self._end_cell()
        elif tag not in _BREAKING and tag not in ("tbody", "tfoot"):
            self._append(f"</{tag}>")

    def handle_data(self, data: str) -> None:
        self._append(data)

    def handle_entityref(self, name: str) -> None:
        self._append(f"&{name};")

    def handle_charref(self, name: str) -> None:
        self._append(f"&#{name};")

    def close(self) -> None:
        """Also ends the cell of a table that is cut off."""
        super().close()
        self._end_cell()

    def _new_row(self) -> None:
        self.table.rows.append([])
        if self._in_head:
            self.table.header_rows = len(self.table.rows)

    def _append(self, source: str) -> None:
        if self._cell is not None:
            self._cell.source += source
        elif source.strip() and self._depth == 1:  # text between cells is kept, too
            self._new_row()
            self.table.rows[-1].append(HtmlCell(source, False, 1, 1, ""))

    def _end_cell(self) -> None:
        if self._cell is not None and self._cell is self._caption:
            self.table.caption = " ".join(f"{self.table.caption} {self._cell.source}".split())
        elif self._cell is not None:
            self.table.rows[-1].append(self._cell)
        self._cell = None


def _span(value: str | None) -> int:
    digits = (value or "").strip()
    return max(1, min(int(digits), _MAX_SPAN)) if digits.isascii() and digits.isdigit() and len(digits) < 9 else 1
