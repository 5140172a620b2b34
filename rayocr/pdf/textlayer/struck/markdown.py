"""Writes struck words of a page's Markdown as `~~struck~~`.

Layout sorts a page by its texts: a price is a number, and "(b)" begins an item. Marks within the texts would change that, so a
page is laid out twice: without marks for the result, and with marks to find its struck words.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from difflib import SequenceMatcher

from rayocr.pdf.textlayer.lines import TextLine, Word

_BEGIN, _END = "\ufdd0", "\ufdd1"  # noncharacters, which no text contains
_MARKS = str.maketrans("", "", _BEGIN + _END)
_TOKEN = re.compile(r"\S+")
_MARKUP = re.compile(r"(?:\||-{3,}|`{3,}.*)")
_MARKER = re.compile(r"(?:#{1,6}|[-*+]|\d{1,9}\\?[.)])")  # at the beginning of a line
_MAX_TOKENS = 20_000


def with_marks(lines: Iterable[TextLine], struck: Collection[Word]) -> tuple[TextLine, ...]:
    """Returns the lines, with marks around their struck words."""
    return tuple(_marked(line, struck) if any(word in struck for word in line.words) else line for line in lines)


def with_struck(text: str, marked: str) -> str:
    """Returns the Markdown of a page with `~~` around struck words. `text` is without them; `marked` is the Markdown of the lines
    with marks."""
    tokens, others = list(_TOKEN.finditer(text)), marked.split()
    if len(tokens) + len(others) > _MAX_TOKENS:
        return text
    return _written(text, tokens, _struck_tokens([token.group() for token in tokens], others))


def _marked(line: TextLine, struck: Collection[Word]) -> TextLine:
    words = [word._replace(text=_BEGIN + word.text + _END) if word in struck else word for word in line.words]
    return replace(line, text=" ".join(word.text for word in words), words=tuple(words))


def _struck_tokens(tokens: Sequence[str], marked: Sequence[str]) -> set[int]:
    """Returns the places of the struck tokens. `marked`: the same text, perhaps in another arrangement, with marks."""
    plain = [token.translate(_MARKS) for token in marked]
    if plain == tokens:
        return {place for place, token in enumerate(marked) if _BEGIN in token}
    found: set[int] = set()
    for kind, i0, i1, j0, j1 in SequenceMatcher(None, tokens, plain, autojunk=False).get_opcodes():
        if kind == "equal":
            found.update(i0 + place for place, token in enumerate(marked[j0:j1]) if _BEGIN in token)
        elif kind == "replace" and all(_BEGIN in token or _MARKUP.fullmatch(token) for token in marked[j0:j1]):
            found.update(range(i0, i1))
    return found


def _written(text: str, tokens: Sequence[re.Match[str]], struck: Collection[int]) -> str:
    parts: list[str] = []
    done, is_open = 0, False
    for place, token in enumerate(tokens):
        between = text[done : token.start()]
        begins_line = not place or "\n" in between
        is_struck = place in struck and not _MARKUP.fullmatch(token.group())
        if is_open and (begins_line or not is_struck):
            parts.append("~~")
            is_open = False
        parts.append(between)
        if is_struck and not is_open and not (begins_line and _MARKER.fullmatch(token.group())):
            parts.append("~~")
            is_open = True
        parts.append(token.group())
        done = token.end()
    return "".join(parts) + ("~~" if is_open else "") + text[done:]
