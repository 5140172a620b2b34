"""Joins consecutive lines to running text: with spaces, without (Chinese, Japanese), and with divided words completed."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cached_property

from rayocr.engines.layout.scripts.korean import divides_word

_SOFT_HYPHEN = "\u00ad"
_HYPHENS = "-\u2010"
_BROKEN_WORD = re.compile(rf"(?<![^\W\d_])([^\W\d_]++)[{_HYPHENS}]$")
_WORD = re.compile(rf"[^\W\d_]++(?:[{_HYPHENS}][^\W\d_]++)*+")
_BEFORE_SYMBOL = frozenset(" -([{/,")  # characters before a letter that is a word: n-octane, 2-n-butyl
_ENDS_OF_OPEN_ADDRESS = tuple("./-_=&?")
_FIRST_WORD = re.compile(r"[^\W\d_]+")
_COMPOUND = re.compile(rf"[^\W\d_]+[{_HYPHENS}][^\W\d_]")
_NO_SPACE = re.compile(r"[\u3000-\u303f\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff00-\uffef]")
# First parts of compounds that keep their hyphen. The list is short, since most also begin ordinary words (soft-ware, ten-sion).
_COMPOUND_HEADS = frozenset(
    {"well", "self", "non", "half", "quasi", "cross", "vice", "two", "three", "twenty", "thirty", "forty", "fifty", "sixty"}
)
_COMPOUND_TAILS = frozenset(
    ["based", "called", "known", "level", "quality", "cost", "scale", "sized", "driven", "oriented", "term"]
)
# The same, with any first part but those of words like independent and unrelated.
_DESCRIBING = re.compile(
    "specific|dependent|related|dimensional|averaged|focused|centric|optimi[sz]ed|preserving|aware|friendly|independent|dominated"
    "|induced|mediated|guided|defined"
)
_LEAST_PART, _LEAST_PARTICIPLE = 4, 7  # letters
# First parts of words without a hyphen: over-all, con-forming, high-lighted, eigen-vectors.
_FIRST_PARTS = re.compile(
    "re|un|i[nmlr]|com?|con|de|dis|e[nmx]|a[dbny]|per|pr[eo]|sub|sup|super|inter|intra|over|under|out|up|down|mis|anti|auto|bi|tri|semi"
    "|multi|micro|macro|mini|mega|mono|poly|hyper|hypo|meta|para|peri|post|trans|tele|thermo|photo|electro|geo|bio|eigen|iso|ultra"
    "|infra|contra|counter|fore|with|be|some|every|what|where|how|who|when|t?here|other|else|no|by|to|of|for|and|the|more|m[ae]n|sea"
    "|land|sun|day|bed|head|hand|foot|back|side|off|birth|house|book|work|water|wood|fire|air|mother|grand|child|black|blue|white"
    "|green|type|web|key|news|class|high|short|broad|through|master|trouble|bench"
)
_FOREIGN = frozenset(("und", "oder", "nicht", "het", "een", "och", "que", "dans", "della", "jest"))
# Last parts of words without a hyphen, whose first parts are many: plat-forms, frame-work, stake-holders.
_LAST_PARTS = re.compile(
    "(?:form|work|holder|line|point|board|book|place|space|stamp|style|length|mark|sheet|word|base|name|time|side|port|print|graph)s?"
    "|ware|wise|ship|hood|ness|less|able|ment|scape|forward|ground|mental"
)
# Conjunctions after a suspended hyphen: Vor- und Nachteile. Those of the group may also end a divided word: frau-en.
_CONJUNCTION = re.compile(r"(?:and|und|oder|sowie|bzw|y)\b(?!-)|(or|en|of|to|bis)\b(?!-)")
_DUTCH = frozenset(("de", "het", "een", "van"))
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
    if broken and _is_suspended(broken.group(1), after, known_words):
        return f"{before} {after}"
    if broken:
        rest = _FIRST_WORD.match(after)
        if rest is None or not rest.group()[0].islower():
            return before + after if after[:1].isalnum() else f"{before} {after}"
        is_symbol = len(broken.group(1)) == 1 and (broken.start() == 0 or before[broken.start() - 1] in _BEFORE_SYMBOL)
        if is_symbol or _keeps_hyphen(broken.group(1), rest.group(), after, known_words):
            return before + after  # n-octane, x-ray
        return before[:-1] + after
    if ends_in_broken_number(before) and after[:1].isalnum() and not _CONJUNCTION.match(after):
        return before + after  # 2019-20, 33\u201340, 5-hexene
    if _NO_SPACE.match(before[-1]) and _NO_SPACE.match(after[0]):
        return before + after
    if not whole_korean and divides_word(before, after):
        return before + after
    return f"{before} {after}"


def _is_suspended(head: str, after: str, known_words: frozenset[str]) -> bool:
    """Returns whether the hyphen stands for the second half of a compound and is followed by a conjunction."""
    match = _CONJUNCTION.match(after)
    if match is None or head.lower() + match.group() in known_words:
        return False
    if match.group(1) in ("en", "of"):
        return len(_DUTCH & known_words) > 1
    return match.group(1) is None or head.lower() in known_words or head.lower() in _COMPOUND_HEADS


def ends_in_broken_word(text: str) -> bool:
    return text.endswith(_SOFT_HYPHEN) or _BROKEN_WORD.search(text) is not None


def ends_in_broken_number(text: str) -> bool:
    return _BROKEN_NUMBER.search(text) is not None


class PageWords(frozenset[str]):
    """All words of a page in lower case; compounds keep their hyphens."""

    texts: tuple[str, ...] = ()

    @cached_property
    def whole(self) -> frozenset[str]:
        """The words that are not first in a line, nor before a hyphen at its end. Others may be parts of divided words."""
        return frozenset(
            found.group().lower()
            for text in self.texts
            for found in _WORD.finditer(text)
            if text[: found.start()].strip() and text[found.end() :].rstrip() not in tuple(_HYPHENS)
        )


def page_words(texts: Iterable[str]) -> PageWords:
    """Returns the words of these lines."""
    texts = tuple(texts)
    words = PageWords(word.lower() for text in texts for word in _WORD.findall(text))
    words.texts = texts
    return words


def _keeps_hyphen(head: str, rest: str, after: str, known_words: frozenset[str]) -> bool:
    head, rest = head.lower(), rest.lower()
    if head + rest in known_words:
        return False
    if f"{head}-{rest}" in known_words:
        return True
    if head in _COMPOUND_HEADS or rest in _COMPOUND_TAILS or _COMPOUND.match(after) is not None:  # nine-year-old
        return True
    is_english = "the" in known_words and known_words.isdisjoint(_FOREIGN)  # a German page may cite an English title
    return is_english and not _FIRST_PARTS.fullmatch(head) and _are_words(head, rest, known_words)


def _are_words(head: str, rest: str, known_words: frozenset[str]) -> bool:
    """Returns whether the parts are likely two words of an English compound. Of 829 divided words whose page has no witness, on
    5,400 pages, this was wrong for one; 37 compounds keep their hyphen because of it."""
    if len(head) >= _LEAST_PART - 1 and _DESCRIBING.fullmatch(rest):
        return True
    if not isinstance(known_words, PageWords):
        return False
    is_long = len(head) >= _LEAST_PART and len(rest) >= _LEAST_PART
    if is_long and rest in known_words.whole and not _LAST_PARTS.fullmatch(rest):
        return True
    is_participle = len(rest) >= _LEAST_PARTICIPLE and rest.endswith(("ing", "ed"))
    return is_participle and len(head) >= _LEAST_PART - 1 and head in known_words.whole
