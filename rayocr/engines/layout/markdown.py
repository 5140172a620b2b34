"""Blocks to Markdown. Escapes only what would change meaning at the start of a line: text stays readable."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from rayocr.engines.layout.joining import join_lines
from rayocr.engines.layout.paragraphs import Block, BlockKind

_BULLET = re.compile(r"^(?:[•●▪■◦○‣∙⁃➢➤❖\uf0b7\uf0a7]\s*|\u2013\s+)(?=\S)")
_ONLY_RULE = re.compile(r"^(?:[-=_*~`]\s?){2,}$")
_SYNTAX = re.compile(r"^(?:#{1,6}(?=\s|$)|>|[-+*](?=\s|$)|\||`{3}|~{3})")
_BIG_NUMBER = re.compile(r"^(\d{3,9})([.)])(?=\s|$)")


def to_markdown(blocks: Iterable[Block], *, known_words: frozenset[str] = frozenset()) -> str:
    parts: list[str] = []
    previous: BlockKind | None = None
    for block in blocks:
        text = _render(block, known_words)
        if not text:
            continue
        if parts:
            parts.append("\n" if block.kind is previous is BlockKind.ITEM else "\n\n")
        parts.append(text)
        previous = block.kind
    return "".join(parts)


def escaped(line: str) -> str:
    """One line of plain text, so that Markdown takes it for nothing else."""
    if _ONLY_RULE.match(line) or _SYNTAX.match(line):
        return "\\" + line
    return _BIG_NUMBER.sub(r"\1\\\2", line)


def pipe_table(rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table; the first row is its head. Ragged rows are filled up."""
    width = max(len(row) for row in rows)
    lines = ["| " + " | ".join([*map(_cell, row), *[""] * (width - len(row))]) + " |" for row in rows]
    lines.insert(1, "|" + " --- |" * width)
    return "\n".join(lines)


def _render(block: Block, known_words: frozenset[str]) -> str:
    if block.kind is BlockKind.TABLE:
        return pipe_table(block.cells)
    if block.kind is BlockKind.STANZA:
        return "  \n".join(escaped(line.strip()) for line in block.lines if line.strip())  # two blanks: a hard line break
    text = join_lines(block.lines, known_words=known_words)
    if block.kind is BlockKind.HEADING:
        return f"{'#' * block.level} {text}"
    if block.kind is BlockKind.ITEM:
        bulleted = _BULLET.sub("- ", text)
        return bulleted if bulleted.startswith(("- ", "* ", "+ ")) else escaped(text)
    return escaped(text)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
