"""Finds running headers, running footers and page numbers: lines that repeat at the top or bottom of consecutive pages.

A line is a running header if it repeats, apart from the page number in it, at the same edge of most neighboring pages (or of the
even or odd ones, as in books). A number alone counts if it increases with the pages. A page waits until the next few pages are
known, so a document of any length takes the memory of a dozen pages.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, replace

from rayocr.messages import PageRecord
from rayocr.outputs.normal.inert import TAGGED_HEADER

_AROUND = 6  # number of neighboring pages that are compared, before and after
_EDGE_LINES = 3  # number of lines that are compared at the top and at the bottom
_MAX_CHARS = 160  # maximum number of characters in a running line
_SHARE = 0.5  # share of the neighboring pages that must contain the line
_LEAST = 2  # number of other pages that must contain the line
_MAX_NUMBERS = 3  # only the first numbers of a line are tried as the page number
_MAX_OFFSET = 500  # largest difference between the printed number and the page number
_LABELLED = re.compile(
    r"^\W*(?:page|seite|p[áa]gina|p[áa]g\.?|pagina|strona|стр(?:аница|\.)?|सफ़ा|पृष्ठ(?:\s+क्रमांक)?|صفحة|第)\s*+(?:[-–—.:]\s*+)?\d{1,5}"
    r"(?:\s*(?:of|/|von|de|di|из|z|\|)\s*\d{1,5})?\s*(?:页|頁|ページ)?\W*$",
    re.IGNORECASE,
)
_OF = re.compile(r"^\W*\d{1,5}\s*(?:of|/|von|de|di|из)\s*\d{1,5}\W*$", re.IGNORECASE)
_NUMBER = re.compile(r"^[\W_]*(?P<number>\d{1,5}|[ivxlc]{1,7})[\W_]*$", re.IGNORECASE)
_DIGITS = re.compile(r"\d+")
_NO_COMMENT = re.compile(r"-(?=-)|[<>]")
_MARKS = re.compile(r"[#*_`>\s]+")
_ROMAN = {"i": 1, "v": 5, "x": 10, "l": 50, "c": 100}


@dataclass(frozen=True, slots=True)
class _Edges:
    """Keys and numbers of the lines at the edges of one page, by edge (0: top, 1: bottom)."""

    record: PageRecord
    keys: tuple[frozenset[str], frozenset[str]]
    # Printed number minus page number, which is equal on consecutively numbered pages.
    numbers: tuple[frozenset[int], frozenset[int]]


class Running:
    """Handles the running headers of a document. `headers`: keep, mark or remove. `add` yields the pages that are ready and
    `finish` the rest, both in order."""

    def __init__(self, headers: str) -> None:
        self._headers = headers
        self._before: deque[_Edges] = deque(maxlen=_AROUND)
        self._waiting: deque[_Edges] = deque()

    def add(self, record: PageRecord) -> Iterator[PageRecord]:
        if self._headers == "keep":
            yield replace(record, text=untagged(record.text)) if "</" in record.text else record
            return
        self._waiting.append(_edges(record))
        if len(self._waiting) > _AROUND:
            yield self._next()

    def finish(self) -> Iterator[PageRecord]:
        while self._waiting:
            yield self._next()

    def _next(self) -> PageRecord:
        page = self._waiting.popleft()
        around = [*self._before, *list(self._waiting)[:_AROUND]]
        self._before.append(page)
        if not page.record.text:
            return page.record
        return replace(page.record, text=self._without(page, around))

    def _without(self, page: _Edges, around: list[_Edges]) -> str:
        lines = page.record.text.split("\n")
        top = self._peel(lines, page, around, edge=0)
        bottom = self._peel(lines, page, around, edge=1)
        body = untagged("\n".join(lines).strip("\n"))
        if self._headers == "remove":
            return body
        heads = [f"<!-- header: {_commented(line)} -->" for line in top]
        feet = [f"<!-- footer: {_commented(line)} -->" for line in reversed(bottom)]
        return "\n\n".join(part for part in (" ".join(heads), body, " ".join(feet)) if part)

    def _peel(self, lines: list[str], page: _Edges, around: list[_Edges], *, edge: int) -> list[str]:
        """Removes running lines from the top (0) or bottom (1) of `lines`, from the edge inwards, and returns them."""
        peeled: list[str] = []
        position = -1 if edge else 0
        while lines and len(peeled) < _EDGE_LINES:
            line = lines[position]
            if line.strip():
                if not _is_running(line, page, around, edge):
                    break
                peeled.append(line)
            lines.pop(position)
        return peeled


def _is_running(line: str, page: _Edges, around: list[_Edges], edge: int) -> bool:
    if len(line) > _MAX_CHARS or line.lstrip().startswith(("|", "```", "~~~")):
        return False
    if TAGGED_HEADER.match(line):
        return True
    plain = line.strip(" #*_")
    if _LABELLED.match(plain) or _OF.match(plain):
        return True
    number = page_number_of(plain)
    if number is not None:
        offset = number - page.record.page_number
        near = [other for other in around if abs(other.record.page_number - page.record.page_number) <= 2]
        return any(offset in other.numbers[0] | other.numbers[1] for other in near)
    return any(_comes_again(key, page, around, edge) for key in _keys(line, page.record.page_number))


def _comes_again(key: str, page: _Edges, around: list[_Edges], edge: int) -> bool:
    number = page.record.page_number
    with_text = [other for other in around if other.record.text]
    for others in (with_text, [other for other in with_text if not (other.record.page_number - number) % 2]):
        has = sum(key in other.keys[edge] for other in others)
        if has >= _LEAST and has >= _SHARE * len(others):
            return True
    return False


def _edges(record: PageRecord) -> _Edges:
    lines = [line for line in record.text.split("\n") if line.strip()]
    top, bottom = lines[:_EDGE_LINES], lines[-_EDGE_LINES:]
    return _Edges(
        record, (_all_keys(top, record), _all_keys(bottom, record)), (_all_offsets(top, record), _all_offsets(bottom, record))
    )


def _all_keys(lines: list[str], record: PageRecord) -> frozenset[str]:
    return frozenset(key for line in lines for key in _keys(line, record.page_number))


def _all_offsets(lines: list[str], record: PageRecord) -> frozenset[int]:
    numbers = (page_number_of(line.strip(" #*_")) for line in lines)
    return frozenset(number - record.page_number for number in numbers if number is not None)


def _keys(line: str, page_number: int) -> Iterator[str]:
    """Yields the keys that identify a line on other pages: its words, and its words with one number read as the page number.
    Headings have only the first key, since Chapter 1 and Chapter 2 are not a running header."""
    text = _MARKS.sub(" ", line).strip().casefold()[:_MAX_CHARS]
    yield text
    if line.lstrip().startswith("#"):
        return
    for match in list(_DIGITS.finditer(text))[:_MAX_NUMBERS]:
        offset = int(match.group()[:6]) - page_number
        if abs(offset) <= _MAX_OFFSET:
            yield f"{text[: match.start()]}\x00{offset}\x00{text[match.end() :]}"


def page_number_of(line: str) -> int | None:
    """Returns the number of a line that is only a number, 1 to 99,999 or Roman; None for other lines."""
    match = _NUMBER.match(line)
    if match is None:
        return None
    word = match["number"].lower()
    if word.isdigit():
        return int(word)
    values = [_ROMAN[letter] for letter in word]
    return sum(-value if value < max(values[position:]) else value for position, value in enumerate(values))


def untagged(text: str) -> str:
    """Removes the tags of a running header. Keeps the indentation, since indented code, which is not made inert, would otherwise
    become text."""
    matches = ((TAGGED_HEADER.match(line), line) for line in text.split("\n"))
    return "\n".join(match["indent"] + match["text"].strip() if match else line for match, line in matches)


def _commented(line: str) -> str:
    """Escapes the line for use inside a comment, which two dashes would end."""
    if match := TAGGED_HEADER.match(line):
        line = match["text"]
    return _NO_COMMENT.sub(lambda m: "-\u200b" if m.group() == "-" else " ", " ".join(line.split())).strip("-> ")
