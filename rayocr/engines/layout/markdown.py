"""Writes blocks as Markdown. Characters that Markdown would read as markup are escaped, and no others, so the text stays
readable.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import cache
from html import unescape

from markdown_it import MarkdownIt

from rayocr.engines.layout.joining import join_lines
from rayocr.engines.layout.paragraphs import Block, BlockKind
from rayocr.engines.layout.scripts.korean import divides_no_words

# A dash or a plus before a number may be its sign.
_BULLET = re.compile(r"^(?:[•●▪■◦○‣∙⁃➢➤❖·・･\uf0b7\uf0a7]\s*|[\u2013*+-]\s+(?![\d$€£¥₹.,]))(?=\S)")
_MARKS_OF_NOTES = frozenset("*+")
_ONLY_RULE = re.compile(r"^[-=_*~`][-=_*~`\s]+$")
_SYNTAX = re.compile(r"^(?:#{1,6}(?=\s|$)|>|[-+*](?=\s|$)|\||`{3}|~{3})")
_ITEM_OF_MARKDOWN = re.compile(r"(?P<indent> *)(?:-|(?P<number>[0-9]{1,9})[.)]) ")
_DEFINITION = re.compile(r"\[[^\[\]]{1,999}\]:")  # a link definition, which renderers do not show
_TAG = re.compile(r"<(?=[a-zA-Z/!?])(?!(?:https?://|mailto:)[^\s<>]{1,2000}>|[\w.+-]{1,100}@[\w.-]{1,200}>)")
_ENTITY = re.compile(r"&(?=#?\w{1,32};)")
_INLINE_MARKS = re.compile(r"[*`\[\]~]|_|\\(?=[!-/:-@\[-`{-~])")
_ESCAPED_MARKS = re.compile(_INLINE_MARKS.pattern.replace("\\]", "", 1))  # `\[…\]` would be a formula, and `\[…]` is not a link
_FORMULA = re.compile(r"\$\$|\$(?=\S)[^$\n\^_\\{}]*[\^_\\{}][^$\n]*+(?<=\S)\$(?!\d)")
_MAX_PARSED_CHARS = 5000
_BACKTICKS = re.compile(r"`+")
_BIG_NUMBER = re.compile(r"^(\d{3,9})([.)])(?=\s|$)")


def to_markdown(blocks: Iterable[Block], *, known_words: frozenset[str] = frozenset()) -> str:
    parts: list[str] = []
    around: list[tuple[int, int]] = []  # depth of the items around a nested one, and the column at which their texts begin
    previous: BlockKind | None = None
    blocks = list(blocks)
    whole_korean = divides_no_words(block.lines for block in blocks)
    stars = Counter(block.lines[0].lstrip()[:1] for block in blocks if block.kind is BlockKind.ITEM)
    notes = frozenset(mark for mark in _MARKS_OF_NOTES if stars[mark] == 1)
    for block in blocks:
        text = _render(block, known_words, whole_korean=whole_korean, notes=notes)
        if not text:
            continue
        around = [item for item in around if item[0] < block.depth] if block.kind is previous is BlockKind.ITEM else []
        if block.kind is BlockKind.ITEM:
            indent = around[-1][1] if around else 0
            around.append((block.depth, indent + _width_of_marker(text)))
            text = " " * indent + text
        if parts:
            parts.append(_between_items(parts[-1], text) if block.kind is previous is BlockKind.ITEM else "\n\n")
        parts.append(text)
        previous = block.kind
    return "".join(parts)


def _between_items(above: str, below: str) -> str:
    """Returns what separates list items. Markdown has the markers `-`, `1.` and `1)`. It reads items with other markers ("(a)",
    "A.", "①") as lines of a paragraph, so they need a hard line break, and a blank line if they would continue an item above."""
    first, second = _ITEM_OF_MARKDOWN.match(above), _ITEM_OF_MARKDOWN.match(below)
    indents = [
        match["indent"] if match else line[: len(line) - len(line.lstrip())] for match, line in ((first, above), (second, below))
    ]
    if first and second:  # within an item, a number other than 1 does not begin a list below text
        return "\n\n" if len(indents[0]) < len(indents[1]) and second["number"] not in (None, "1") else "\n"
    return "\n\n" if first or second or indents[0] != indents[1] else "  \n"


def _width_of_marker(text: str) -> int:
    match = _ITEM_OF_MARKDOWN.match(text)
    return match.end() if match else 0


def escaped(line: str) -> str:
    """Escapes one line of plain text, so Markdown reads it as plain text."""
    line = _inline_escaped(line)
    if _ONLY_RULE.match(line) or _SYNTAX.match(line) or _DEFINITION.match(line):
        return "\\" + line
    return _BIG_NUMBER.sub(r"\1\\\2", line)


def _inline_escaped(text: str) -> str:
    text = _marks_escaped(text)
    # Renderers read $x^2$ as a formula.
    return text.replace("$", r"\$") if "$" in text and _FORMULA.search(text) else text


def _marks_escaped(text: str) -> str:
    """Escapes Markdown. Always escapes HTML and entities. Other marks (`*`, backticks, brackets, backslashes) stay if they have
    no effect, as in `level_of` and `5 * 3`. Only texts that contain one are parsed."""
    text = _ENTITY.sub("&amp;", text)
    text = _TAG.sub("&lt;", text)
    if not _INLINE_MARKS.search(text) or (len(text) <= _MAX_PARSED_CHARS and _reads_as_written(text)):
        return text
    return _ESCAPED_MARKS.sub(lambda match: "\\" + match.group(), text)


def _reads_as_written(text: str) -> bool:
    shown = "".join(token.content for token in _inline_parser().parseInline(text)[0].children or () if token.type == "text")
    return shown == unescape(text)


@cache
def _inline_parser() -> MarkdownIt:
    return MarkdownIt("commonmark", {"html": True, "maxNesting": 50}).enable("strikethrough")


def pipe_table(rows: Sequence[Sequence[str]]) -> str:
    """Returns a Markdown table. The first row is its head; short rows are padded."""
    width = max(len(row) for row in rows)
    lines = ["| " + " | ".join([*map(_cell, row), *[""] * (width - len(row))]) + " |" for row in rows]
    lines.insert(1, "|" + " --- |" * width)
    return "\n".join(lines)


def _render(block: Block, known_words: frozenset[str], *, whole_korean: bool, notes: frozenset[str]) -> str:
    """Writes one block. `notes`: bullets that stay unchanged, since a single one is the mark of a footnote."""
    if block.kind is BlockKind.TABLE:
        return pipe_table(block.cells)
    if block.kind is BlockKind.CODE:
        return _fenced("\n".join(block.lines))
    if block.kind is BlockKind.STANZA:
        return "  \n".join(escaped(line.strip()) for line in block.lines if line.strip())  # two spaces are a hard line break
    text = join_lines(block.lines, known_words=known_words, whole_korean=whole_korean)
    if block.kind is BlockKind.HEADING:
        return f"{'#' * block.level} {_inline_escaped(text)}"
    if block.kind is BlockKind.ITEM:
        bullet = _BULLET.match(text) if text[:1] not in notes else None
        return f"- {escaped(text[bullet.end() :])}" if bullet is not None else escaped(text)
    return escaped(text)


def _fenced(code: str) -> str:
    marks = "`" * max(3, 1 + max(map(len, _BACKTICKS.findall(code)), default=0))
    return f"{marks}\n{code}\n{marks}"


def _cell(text: str) -> str:
    return _inline_escaped(" ".join(text.split())).replace("|", "\\|")
