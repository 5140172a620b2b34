"""Writes struck words of a page's Markdown as `~~struck~~`.

Layout sorts a page by its texts: a price is a number, and "(b)" begins an item. Marks within the texts would change that, so a
page is laid out twice: without marks for the result, and with marks to find its struck words.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from difflib import SequenceMatcher

from rayocr.pdf.textlayer.lines import TextLine, Word

_BEGIN, _END = "\ufdd0", "\ufdd1"  # the marks: noncharacters, which no text contains
_MARK = re.compile(f"[{_BEGIN}{_END}]")
_STRUCK = re.compile(f"{_BEGIN}([^{_END}]*){_END}?")
_TOKEN = re.compile(r"\S+")
_MARKUP = re.compile(r"(?:\||-{3,}|`{3,}.*)")
_MARKER = re.compile(r"(?:#{1,6}|[-*+]|\d{1,9}\\?[.)])")  # syntax at the beginning of a line
_MAX_TOKENS = 20_000

_Span = tuple[int, int]


def with_marks(lines: Iterable[TextLine], struck: Mapping[Word, Collection[int]]) -> tuple[TextLine, ...]:
    """Returns the lines, with marks around the struck characters of their words. `struck`: indexes in the word's text, by
    word."""
    return tuple(_marked(line, struck) if any(word in struck for word in line.words) else line for line in lines)


def with_struck(text: str, marked: str) -> str:
    """Returns the Markdown of a page with `~~` around struck words. `text` is without them; `marked` is the Markdown of the lines
    with marks."""
    tokens = [token for token in _TOKEN.finditer(text) if not _MARKUP.fullmatch(token.group())]
    others = [token for token in marked.split() if not _MARKUP.fullmatch(token)]
    spans = _struck_parts([token.group() for token in tokens], others)
    parts: list[str] = []
    done = 0
    for start, end in _joined(text, ((tokens[place], own) for place in sorted(spans) for own in spans[place])):
        parts += [text[done:start], "~~", text[start:end], "~~"]
        done = end
    return "".join(parts) + text[done:]


def _marked(line: TextLine, struck: Mapping[Word, Collection[int]]) -> TextLine:
    words = [word._replace(text=_with_ends(word.text, struck[word])) if word in struck else word for word in line.words]
    return replace(line, text=" ".join(word.text for word in words), words=tuple(words))


def _with_ends(text: str, places: Collection[int]) -> str:
    parts = []
    for n, character in enumerate(text):
        begins, ends = n in places and n - 1 not in places, n in places and n + 1 not in places
        parts.append(_BEGIN * begins + character + _END * ends)
    return "".join(parts)


def _struck_parts(tokens: Sequence[str], marked: Sequence[str]) -> dict[int, list[_Span]]:
    """Returns the struck parts of tokens, by the index of the token. `marked`: the same text with marks, perhaps in another
    arrangement."""
    plain = [_MARK.sub("", token) for token in marked]
    found: dict[int, list[_Span]] = {}
    for i0, i1, j0, j1 in _alike(tokens, plain):
        is_equal = tokens[i0:i1] == plain[j0:j1]
        if not is_equal and not all(_BEGIN in token for token in marked[j0:j1]):
            continue
        for place in range(i0, i1):
            spans = list(_spans(marked[j0 + place - i0])) if is_equal else [(0, len(tokens[place]))]
            if spans:
                found[place] = spans
    return found


def _alike(tokens: Sequence[str], others: Sequence[str]) -> Iterator[tuple[int, int, int, int]]:
    """Yields the parts of the two texts that are equal or replace each other. Compares only what is between the first and the
    last difference, since the time grows with the square of the number of equal tokens."""
    count, other_count = len(tokens), len(others)
    shorter = min(count, other_count)
    first = next((n for n in range(shorter) if tokens[n] != others[n]), shorter)
    last = next((n for n in range(shorter - first) if tokens[-1 - n] != others[-1 - n]), shorter - first)
    yield 0, first, 0, first
    yield count - last, count, other_count - last, other_count
    one, other = tokens[first : count - last], others[first : other_count - last]
    if 0 < len(one) + len(other) <= _MAX_TOKENS:
        for kind, i0, i1, j0, j1 in SequenceMatcher(None, one, other).get_opcodes():
            if kind in ("equal", "replace"):
                yield first + i0, first + i1, first + j0, first + j1


def _spans(token: str) -> Iterator[_Span]:
    """Yields the marked parts of a token, as indexes in its text without marks."""
    for match in _STRUCK.finditer(token):
        start = match.start() - len(_MARK.findall(token, 0, match.start()))
        yield start, start + len(match.group(1))


def _joined(text: str, struck: Iterable[tuple[re.Match[str], _Span]]) -> Iterator[_Span]:
    """Yields the struck parts of the text, each as long as possible on its line."""
    found: list[_Span] = []
    for token, (start, end) in struck:
        is_whole = (start, end) == (0, len(token.group()))
        begins_line = not text[text.rfind("\n", 0, token.start()) + 1 : token.start()].strip()
        if is_whole and begins_line and _MARKER.fullmatch(token.group()):
            continue
        start, end = _as_rendered(text, token.start() + start, token.start() + end)
        between = text[found[-1][1] : start] if found else ""
        if found and not between.strip() and "\n" not in between:
            found[-1] = (found[-1][0], end)
        elif start < end:
            found.append((start, end))
    yield from found


def _as_rendered(text: str, start: int, end: int) -> _Span:
    """Returns the span without the punctuation at an end that touches a letter. At such a place, Markdown does not read `~~` as a
    mark."""
    while start < end and text[start - 1 : start].isalnum() and not text[start].isalnum():
        start = next((n for n in range(start, end) if text[n].isalnum()), end)
    if text[end : end + 1].isalnum():
        end = next((n + 1 for n in range(end - 1, start - 1, -1) if text[n].isalnum()), start)
    return start, end
