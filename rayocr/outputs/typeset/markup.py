"""Converts Markdown to Typst: one code block per page, in which all page text is in string literals.

markdown-it's tokens open and close calls of the template (page.py). Deep nesting is flattened, since Typst allows 64 levels.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from markdown_it import MarkdownIt
from markdown_it.token import Token

from rayocr.outputs.html.lists import with_own_markers
from rayocr.outputs.html.tables import HtmlTable, split_tables
from rayocr.outputs.typeset.direction import script_of
from rayocr.outputs.typeset.inline import Inline, typeset_inline
from rayocr.outputs.typeset.literal import literal, printable, statements
from rayocr.outputs.typeset.maths.conversion import typeset_maths
from rayocr.outputs.typeset.maths.delimiters import read_maths
from rayocr.outputs.typeset.table import Cell, typeset_table

_MAX_CHARS = 200_000  # maximum number per page; a real page has fewer, and Markdown's rules take quadratic time on some texts
_MAX_DEPTH = 8  # maximum number of levels of lists and quotations that are shown as such
# Maximum number of levels that are parsed; markdown-it drops deeper text, and the page is then typeset as plain lines.
_PARSED_DEPTH = 60
_KEPT = 0.98  # share of letters that parsing must keep; otherwise the page is typeset as plain lines
_BLOCK_TAG = re.compile(
    r"</?(?:p|div|center|section|article|header|footer|h[1-6]|ul|ol|table|tbody|thead|tr|hr)\b[^>]*>", re.IGNORECASE
)
_ITEM_TAG = re.compile(r"<li\b[^>]*>", re.IGNORECASE)
_CELL_TAG = re.compile(r"</?(?:td|th|li)\b[^>]*>", re.IGNORECASE)
_PARAGRAPH_END = re.compile(r"\n(?:[ \t]*+\n)++")
_ALIGN = re.compile(r"text-align:(left|center|right)")
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_TAGS = re.compile(r"<[^<>]{0,2000}>|&#?\w{1,31};")

_markdown = read_maths(
    MarkdownIt("commonmark", {"html": True, "maxNesting": _PARSED_DEPTH})
    .enable(["table", "strikethrough"])
    .disable(["reference"])  # "[1]: Smith" is a footnote; a link definition would not be printed
)


def typeset_markdown(text: str, prepare: Callable[[str], str] = lambda text: text) -> str:
    """Returns Typst statements. `prepare` makes text displayable. Never raises because of the text."""
    text = with_own_markers(printable(text))
    if len(text) > _MAX_CHARS:
        return typeset_plain(text, prepare)
    writer = _Writer(prepare)
    try:
        for part in split_tables(text):
            if isinstance(part, HtmlTable):
                writer.html_table(part)
            else:
                writer.blocks(_markdown.parse(part))
    except RecursionError:
        return typeset_plain(text, prepare)
    if writer.letters < _KEPT * sum(map(str.isalnum, _TAGS.sub("", text))) - 200 * text.count("]("):
        return typeset_plain(text, prepare)
    return "".join(writer.parts)


def typeset_plain(text: str, prepare: Callable[[str], str] = lambda text: text) -> str:
    """Returns the text as plain lines, for pages that cannot be parsed as Markdown."""
    parts = []
    for paragraph in _PARAGRAPH_END.split(printable(text)):
        lines = "linebreak();".join(statements(prepare(line)) for line in paragraph.split("\n"))
        if lines:
            parts.append(_directed(f"par({{[];{lines}}});", paragraph))
    return "".join(parts)


@dataclass(slots=True)
class _OpenList:
    """A list that is being written. `part` and `text`: indexes of its start in the writer's lists of parts and texts. Bullets
    have empty markers."""

    part: int
    text: int
    markers: list[str] = field(default_factory=list)

    def call(self) -> str:
        if not any(self.markers):
            return "list("
        # Typst numbers items consecutively, but the page may not, so each number gets the marker to print.
        return f"enum(numbering:n=>({''.join(f'{literal(marker)},' for marker in self.markers)}).at(n - 1),"


class _Writer:
    def __init__(self, prepare: Callable[[str], str]) -> None:
        self.parts: list[str] = []
        self.letters = 0
        self._prepare = prepare
        self._depth = 0  # current level of lists and quotations
        self._lists: list[_OpenList] = []
        self._texts: list[str] = []  # texts of open paragraphs, headings and items

    def blocks(self, tokens: Sequence[Token]) -> None:
        position = 0
        while position < len(tokens):
            if tokens[position].type == "table_open":
                end = next(i for i in range(position, len(tokens)) if tokens[i].type == "table_close")
                self._table(tokens[position : end + 1])
                position = end
            else:
                self._block(tokens, position)
            position += 1

    def html_table(self, table: HtmlTable) -> None:
        if table.caption:
            self.blocks(_markdown.parse(table.caption))
        rows = []
        texts: list[str] = []
        for y, row in enumerate(table.rows):
            cells = []
            for cell in row:
                inline = self._inline(_markdown.parseInline(cell.source.strip())[0].children or [])
                header = cell.header or y < table.header_rows
                texts.append(inline.text)
                cells.append(Cell(_cell_markup(inline), inline.longest, cell.columns, cell.rows, header, cell.align))
            rows.append(cells)
        self.parts.append(_directed(typeset_table(rows, header_rows=table.header_rows), " ".join(texts)))

    def _block(self, tokens: Sequence[Token], position: int) -> None:
        token = tokens[position]
        kind = token.type
        if kind == "inline":
            self._inline_block(token, tokens[position - 1])
        elif kind in _LISTS or kind in ("list_item_open", "list_item_close"):
            self._list(token)
        elif kind in ("blockquote_open", "blockquote_close"):
            self._quotation(opens=token.nesting > 0)
        elif kind in ("fence", "code_block"):
            self.letters += sum(map(str.isalnum, token.info))  # the name of the language is not printed
            self._code(token.content)
        elif kind == "math_block":
            self._formula(token)
        elif kind == "html_block":
            self._html_block(token.content)
        elif kind == "hr":
            self.parts.append("rule;")

    def _inline_block(self, token: Token, opener: Token) -> None:
        inline = self._inline(token.children or [])
        if opener.type == "heading_open":
            markup = f"heading(level:{min(int(opener.tag[1]), 6)},{inline.markup});"
        elif opener.hidden:  # a hidden paragraph belongs to a tight list
            markup = f"{inline.markup};"
        else:
            markup = f"par({inline.markup});"
        self.parts.append(_directed(markup, inline.text))
        self._texts.append(inline.text)

    def _list(self, token: Token) -> None:
        opens = token.nesting > 0
        if token.type.startswith("list_item"):
            if opens:
                self._item(token)
            else:
                self.parts.append("}," if self._depth <= _MAX_DEPTH else "};")
        elif opens:
            self._depth += 1
            if self._depth <= _MAX_DEPTH:
                self.parts.append("")  # placeholder for the call, filled when the list's markers are known
                self._lists.append(_OpenList(len(self.parts) - 1, len(self._texts)))
        else:
            if self._depth <= _MAX_DEPTH:
                self.parts.append(");")
                closed = self._lists.pop()
                self.parts[closed.part] = closed.call()
                # The markers are placed where the list's lines begin.
                markup, text = "".join(self.parts[closed.part :]), " ".join(self._texts[closed.text :])
                self.parts[closed.part :] = [_directed(markup, text)]
            self._depth -= 1

    def _item(self, token: Token) -> None:
        """Opens an item with its own number, so that "3." on the page is never printed as "2."."""
        marker = f"{token.info}{token.markup}" if token.info else ""
        self.letters += sum(map(str.isalnum, marker))
        if self._depth <= _MAX_DEPTH:
            self._lists[-1].markers.append(marker)
            self.parts.append("{[];")
        else:  # the item is flattened to a paragraph that begins with the marker
            self.parts.append(f"{{par({literal(marker or '•')});")

    def _quotation(self, *, opens: bool) -> None:
        if opens:
            self._depth += 1
        shown = self._depth <= _MAX_DEPTH
        self.parts.append(("quotation({[];" if shown else "{[];") if opens else ("});" if shown else "};"))
        if not opens:
            self._depth -= 1

    def _code(self, content: str) -> None:
        content = self._displayable(content.rstrip("\n").expandtabs(4))
        self.parts.append(f"code({literal(content)});")

    def _html_block(self, content: str) -> None:
        """Writes the words of the HTML, one paragraph per block. Unknown tags are shown as text."""
        content = _ITEM_TAG.sub("\n• ", _COMMENT.sub("", content))
        content = _CELL_TAG.sub(" ", _BLOCK_TAG.sub("\n\n", content))
        for paragraph in _PARAGRAPH_END.split(content):
            if paragraph.strip():
                inline = self._inline(_markdown.parseInline(paragraph.strip())[0].children or [])
                self.parts.append(_directed(f"par({inline.markup});", inline.text))

    def _formula(self, token: Token) -> None:
        """Writes a formula on its own line, or as a text paragraph if it cannot be typeset."""
        formula = typeset_maths(token.content, display=True, block=True, prepare=self._prepare)
        if formula is None:
            inline = self._inline([token])
            self.parts.append(f"par({inline.markup});")
        else:
            self._displayable(token.content)
            self.parts.append(formula)
        self._texts.append(token.content)

    def _table(self, tokens: Sequence[Token]) -> None:
        rows: list[list[Cell]] = []
        texts: list[str] = []
        header_rows = 0
        for position, token in enumerate(tokens):
            if token.type == "tr_open":
                rows.append([])
            elif token.type == "thead_close":
                header_rows = len(rows)
            elif token.type in ("th_open", "td_open"):
                inline = self._inline(tokens[position + 1].children or [])
                texts.append(inline.text)
                align = _ALIGN.search(str(token.attrs.get("style", "")))
                header = token.type == "th_open" and bool(inline.text.strip())
                rows[-1].append(Cell(_cell_markup(inline), inline.longest, header=header, align=align.group(1) if align else ""))
        self.parts.append(_directed(typeset_table(rows, header_rows=header_rows), " ".join(texts)))

    def _inline(self, tokens: Sequence[Token]) -> Inline:
        return typeset_inline(tokens, self._displayable)

    def _displayable(self, text: str) -> str:
        self.letters += sum(map(str.isalnum, text))
        return self._prepare(text)


_LISTS = frozenset({"bullet_list_open", "bullet_list_close", "ordered_list_open", "ordered_list_close"})


def _cell_markup(inline: Inline) -> str:
    return f"{{{_directed(f'{inline.markup};', inline.text)}}}"


def _directed(markup: str, text: str) -> str:
    """Marks a block that runs from right to left. All other blocks run from left to right, like the page."""
    script = script_of(text)
    return f'leftwards("{script.language}",{{[];{markup}}});' if script.right_to_left else markup
