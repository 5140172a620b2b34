"""Puts exponents, indexes, marks of footnotes and of names, and endings of ordinal numbers that are drawn after their line to
their places: the 2 and the 4 of H2SO4, the "th" of 11th."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from rayocr.pdf.textlayer.glyphs.superscripts import LOWERED, RAISED
from rayocr.pdf.textlayer.lines import TextLine, Word

_SMALLER = 0.85  # largest size of such a digit, as a share of the line's size
_RAISED_EM, _LOWERED_EM, _FARTHEST_EM = 0.15, 0.06, 0.6  # distances of the baselines
_BESIDE_EM, _OVERLAP_EM = 0.12, 0.1  # largest gap and overlap between the digit and the text beside it
_MOST_DIGITS = 3
_ROW_PT = 8.0
_CHARACTERS = frozenset("0123456789+-\u2212\u2013")
_ORDINALS = frozenset(("st", "nd", "rd", "th"))
_MARKS = frozenset(("*", "**", "***", "\u2020", "\u2021", "\u2122", "\u2120", "\u00ae"))  # of footnotes and of names
_ENDS = frozenset(".,;:!?\u201d\u2019")  # marks between a word and the number of its footnote

Baseline = Callable[[int], float | None]


def with_late_digits(lines: list[TextLine], baseline_of: Baseline) -> list[TextLine]:
    """Returns the lines; lines that consist of such digits only are parts of the lines beside them."""
    late = [n for n, line in enumerate(lines) if _is_short(line)]
    largest = max((line.font_size_pt for line in lines), default=0.0)
    late = [n for n in late if lines[n].font_size_pt <= _SMALLER * largest]
    if not late:
        return lines
    rows: dict[int, list[int]] = {}
    for n, line in enumerate(lines):
        if not line.vertical and not line.slanted:
            for row in range(int(line.y0 // _ROW_PT), int(line.y1 // _ROW_PT) + 1):
                rows.setdefault(row, []).append(n)
    digits: dict[int, list[Word]] = {}
    for word in (word for n in late for word in lines[n].words):
        digits.setdefault(_row_of(word), []).append(word)
    joined = list[TextLine | None](lines)
    for n in late:
        if any(_is_in_fraction(word, digits) for word in lines[n].words):
            continue
        changed: dict[int, TextLine] = {}
        for word in lines[n].words:
            near = rows.get(_row_of(word), ())
            hosts = ((m, changed.get(m, joined[m])) for m in near if m != n)
            made = ((m, _with_digit(host, word, lines[n].font_size_pt, baseline_of)) for m, host in hosts if host is not None)
            m, host = next(((m, host) for m, host in made if host is not None), (-1, None))
            if host is None:
                break
            changed[m] = host
        else:
            for m, host in changed.items():
                joined[m] = host
            joined[n] = None
    return [line for line in joined if line is not None]


def _row_of(word: Word) -> int:
    return int((word.y0 + word.y1) / 2 // _ROW_PT)


def _is_in_fraction(word: Word, digits: Mapping[int, Sequence[Word]]) -> bool:
    """Returns whether another number is above or below the number."""
    row = _row_of(word)
    near = (other for m in range(row - 2, row + 3) for other in digits.get(m, ()))
    return any(other is not word and other.x0 < word.x1 and word.x0 < other.x1 and other.y0 != word.y0 for other in near)


def _is_short(line: TextLine) -> bool:
    return not line.vertical and not line.slanted and all(_is_number(word.text) for word in line.words)


def _is_number(text: str) -> bool:
    return (
        text in _ORDINALS or text in _MARKS or (len(text) <= _MOST_DIGITS and _CHARACTERS.issuperset(text) and text[-1].isdigit())
    )


def _with_digit(host: TextLine, digit: Word, size: float, baseline_of: Baseline) -> TextLine | None:
    """Returns the line with the digit behind one of its words; None if the digit is not at the end of a word."""
    em = host.font_size_pt
    if size > _SMALLER * em or not host.x0 < digit.x0 < host.x1 + _BESIDE_EM * em:
        return None
    place = next((n for n, word in enumerate(host.words) if -_OVERLAP_EM * em < digit.x0 - word.x1 < _BESIDE_EM * em), -1)
    following = host.words[place + 1] if place + 1 < len(host.words) else None
    if place < 0 or (following is not None and following.x0 < digit.x1 - _OVERLAP_EM * em):
        return None
    word = host.words[place]
    base, own = baseline_of(word.first), baseline_of(digit.first)
    if not _may_hold(word.text, digit.text) or base is None or own is None or abs(base - own) > _FARTHEST_EM * em:
        return None
    if base - own >= _RAISED_EM * em:
        text = digit.text.translate(RAISED)
    elif own - base >= _LOWERED_EM * em and word.text[-1] not in _ENDS and digit.text not in _ORDINALS | _MARKS:
        text = digit.text.translate(LOWERED) if word.text[-1].isdigit() else digit.text
    else:
        return None
    parts = [word._replace(text=word.text + text, x1=max(word.x1, digit.x1))]
    if following is not None:
        parts.append(following)
        if following.x0 - digit.x1 < _BESIDE_EM * em:
            parts = [parts[0]._replace(text=parts[0].text + following.text, x1=following.x1)]
    return _of_words(host, [*host.words[:place], *parts, *host.words[place + 2 :]])


def _may_hold(word: str, text: str) -> bool:
    """Returns whether such a text may be part of the word: the ending of a number, a number after a word and its mark."""
    if text in _ORDINALS:
        return word[-1].isdigit()
    if text in _MARKS and word[-1] in _ENDS and word[-2:-1].isdigit():
        return True
    return word[-1].isalnum() or word[-1] in ")]" or (word[-1] in _ENDS and word[-2:-1].isalpha())


def _of_words(line: TextLine, words: Sequence[Word]) -> TextLine:
    return replace(line, text=" ".join(word.text for word in words), x1=max(word.x1 for word in words), words=tuple(words))
