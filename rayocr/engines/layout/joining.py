"""Joins consecutive lines to running text: with spaces, without (Chinese, Japanese), and with divided words completed."""

from __future__ import annotations

import re
from collections.abc import Iterable

from rayocr.engines.layout.scripts.korean import divides_word

_SOFT_HYPHEN = "\u00ad"
_HYPHENS = "-\u2010"
_BROKEN_WORD = re.compile(rf"(?<![^\W\d_])([^\W\d_]++)[{_HYPHENS}]$")
_WORD = re.compile(rf"[^\W\d_]++(?:[{_HYPHENS}][^\W\d_]++)*+")
_ENDS_OF_OPEN_ADDRESS = tuple("./-_=&?")
_FIRST_WORD = re.compile(r"[^\W\d_]+")
_NO_SPACE = re.compile(r"[\u3000-\u303f\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff00-\uffef]")
# First parts of compounds that keep their hyphen. The list is short, since most also begin ordinary words (soft-ware, ten-sion).
_COMPOUND_HEADS = frozenset(
    {"well", "self", "non", "half", "quasi", "cross", "vice", "two", "three", "twenty", "thirty", "forty", "fifty", "sixty"}
)
_COMPOUND_TAILS = frozenset(
    ["based", "called", "known", "level", "quality", "cost", "scale", "sized", "driven", "oriented", "term"]
)
_BROKEN_NUMBER = re.compile(r"\d[-\u2010\u2011\u2013\u00ad]$")


def join_lines(texts: Iterable[str], *, known_words: frozenset[str] = frozenset(), whole_korean: bool = True) -> str:
    """Returns one running text. `known_words`: the page's words in lower case; they distinguish recog-nition from well-known.
    `whole_korean`: no line ends within a Korean word."""
    result = ""
    for text in texts:
        text = text.strip()
        if text:
            result = join_pair(result, text, known_words, whole_korean=whole_korean) if result else text
    return result.replace(_SOFT_HYPHEN, "")


def _ends_in_open_address(line: str) -> bool:
    if not line.endswith(_ENDS_OF_OPEN_ADDRESS):
        return False
    word = line.rsplit(maxsplit=1)[-1]
    return word.startswith("www.") or "http://" in word or "https://" in word


def join_pair(before: str, after: str, known_words: frozenset[str] = frozenset(), *, whole_korean: bool = True) -> str:
    if before.endswith(_SOFT_HYPHEN):
        return before.rstrip(_SOFT_HYPHEN) + after
    if _ends_in_open_address(before) and (after[0].islower() or after[0].isdigit()):
        return before + after
    broken = _BROKEN_WORD.search(before)
    if broken:
        rest = _FIRST_WORD.match(after)
        if rest is None or not rest.group()[0].islower():
            return before + after if after[:1].isalnum() else f"{before} {after}"
        if _keeps_hyphen(broken.group(1), rest.group(), known_words):
            return before + after
        return before[:-1] + after
    if ends_in_broken_number(before) and after[:1].isdigit():
        return before + after  # 2019-20, 33\u201340
    if _NO_SPACE.match(before[-1]) and _NO_SPACE.match(after[0]):
        return before + after
    if not whole_korean and divides_word(before, after):
        return before + after
    return f"{before} {after}"


def ends_in_broken_word(text: str) -> bool:
    return text.endswith(_SOFT_HYPHEN) or _BROKEN_WORD.search(text) is not None


def ends_in_broken_number(text: str) -> bool:
    return _BROKEN_NUMBER.search(text) is not None


def page_words(texts: Iterable[str]) -> frozenset[str]:
    """Returns all words of the page in lower case; compounds keep their hyphens."""
    return frozenset(word.lower() for text in texts for word in _WORD.findall(text))


def _keeps_hyphen(head: str, rest: str, known_words: frozenset[str]) -> bool:
    head, rest = head.lower(), rest.lower()
    if head + rest in known_words:
        return False
    if f"{head}-{rest}" in known_words:
        return True
    return head in _COMPOUND_HEADS or rest in _COMPOUND_TAILS
