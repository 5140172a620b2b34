r"""Finds mathematics in Markdown with rules for markdown-it, so that no part of a formula is read as emphasis or an escape.

`$…$` follows pandoc: no space just inside the dollars, and no digit after them, which would be money.
"""

from __future__ import annotations

from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock
from markdown_it.rules_inline import StateInline

from rayocr.outputs.typeset.maths.conversion import looks_like_maths

_MAX_LINES = 60  # maximum number of lines per block formula
_BLOCKS = {"$$": "$$", "\\[": "\\]"}
CLOSING = {**_BLOCKS, "$": "$", "\\(": "\\)"}


def read_maths(markdown: MarkdownIt) -> MarkdownIt:
    """Adds the tokens `math_inline` and `math_block`; within a line, `$$…$$` is an inline token `math_block`."""
    markdown.inline.ruler.before("escape", "math", _inline)
    markdown.block.ruler.before("fence", "math", _block, {"alt": ["paragraph", "reference", "blockquote", "list"]})
    return markdown


def _inline(state: StateInline, silent: bool) -> bool:
    for opening, closing, kind in (("$$", "$$", "math_block"), ("\\[", "\\]", "math_block"), ("\\(", "\\)", "math_inline")):
        if state.src.startswith(opening, state.pos):
            return _take(state, silent, opening, closing, kind)
    if state.src.startswith("$", state.pos):
        return _take(state, silent, "$", "$", "math_inline")
    return False


def _take(state: StateInline, silent: bool, opening: str, closing: str, kind: str) -> bool:
    start = state.pos + len(opening)
    end = state.src.find(closing, start, state.posMax)
    while end > 0 and state.src[end - 1] == "\\":
        end = state.src.find(closing, end + 1, state.posMax)
    if end <= start:
        return False
    content = state.src[start:end]
    if closing == "$":
        behind = state.src[end + 1 : end + 2]
        if content[0].isspace() or content[-1].isspace() or behind.isdigit() or "\n\n" in content:
            return False
        if not looks_like_maths(content):
            return False
    if not silent:
        token = state.push(kind, "", 0)
        token.content = content
        token.markup = opening
    state.pos = end + len(closing)
    return True


def _block(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    if state.is_code_block(start):
        return False
    first = _line(state, start)
    opening = first[:2]
    if opening not in _BLOCKS:
        return False
    closing = _BLOCKS[opening]
    content = [first[2:]]
    line = start
    while not content[-1].rstrip().endswith(closing) or content[-1].rstrip().endswith(f"\\{closing}"):
        line += 1
        if line >= min(end, start + _MAX_LINES) or not (text := _line(state, line)).strip():
            return False
        content.append(text)
    formula = "\n".join(content).rstrip().removesuffix(closing)
    if closing in formula or not formula.strip():
        return False  # two formulas with words between them are a paragraph
    if not silent:
        token = state.push("math_block", "", 0)
        token.block = True
        token.content = formula
        token.markup = opening
        token.map = [start, line + 1]
    state.line = line + 1
    return True


def _line(state: StateBlock, line: int) -> str:
    return state.src[state.bMarks[line] + state.tShift[line] : state.eMarks[line]]
