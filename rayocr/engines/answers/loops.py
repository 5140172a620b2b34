"""Finds the loops of a model that repeats itself.

Loops are found by their period. The limits depend on what repeats: on real pages, a phrase of many words never repeats as often
as in a looping model's answer, but cells such as `0.00` or `Nil` and dotted lines do.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

_SHINGLE = 20  # in characters; shorter repetitions are ignored
_HASH_FACTOR = 0x9E3779B97F4A7C15  # odd and large, so that different shingles have different hashes in practice
_POSITION_BITS = np.uint64(20)  # an answer has at most MAX_ANSWER_CHARS
_MANY_WORDS = 6  # a repeated unit with this many distinct words is a phrase
_PHRASE_LIMITS = ((300, 6), (100, 12), (0, 30))  # (minimum characters of the unit, number of repeats that no real page has)
_LEAST_REPEATS = _PHRASE_LIMITS[0][1]
_MIN_PHRASE_CHARS = 25
_LEAST_SHINGLES_OF_SENTENCES = (_PHRASE_LIMITS[-1][1] - 1) * (_MIN_PHRASE_CHARS - _SHINGLE + 1)  # number of repeated shingles
_SHORT_UNIT_CHARS = 6000  # least length in characters of a loop of one cell or sign; a page full of `Nil` has about 3000
_SHORT_UNIT_REPEATS = 60
_ONE_SIGN_CHARS = 1500  # least length of a loop of one sign; a line of a table of contents has fewer than 200 dots
_COUNT = re.compile(r"\d+")
_ASCII_COUNT = dict.fromkeys(map(ord, "123456789"), "0")
_ASCII_ZEROS = re.compile("00+")  # this pattern takes a third of the time of `_COUNT`
_WORD = re.compile(r"[^\W\d_]{2,}")
_SENTENCE_SIGNS = ".!?;:|।。"
_SENTENCE_END = re.compile(rf"(?<=[{_SENTENCE_SIGNS}])\s*")
_SAMPLED_CHARS = 750  # a loop is at least this long: 30 phrases of 25 characters
_MOST_SAMPLED_CHARS = 20_000

_Codes = np.ndarray[tuple[int], np.dtype[np.uint64]]
_Positions = np.ndarray[tuple[int], np.dtype[np.int64]]


@dataclass(frozen=True, slots=True)
class Loop:
    unit: str
    repeats: int


def find_loop(text: str) -> Loop | None:
    """Returns the first repetition that no real page has; None for a normal text. Takes 0.2 ms for 3,000 characters."""
    flat = " ".join(text.split())
    return None if len(flat) < _MIN_PHRASE_CHARS * _LEAST_REPEATS else _loop_in(flat)


@lru_cache(maxsize=4)  # an answer that seems to repeat itself is examined again, and then the text of its page
def _loop_in(flat: str) -> Loop | None:
    # A looping model may keep counting: "12. the same words 13. the same words".
    uncounted = _ASCII_ZEROS.sub("0", flat.translate(_ASCII_COUNT)) if flat.isascii() else _COUNT.sub("0", flat)
    long_numbers = len(flat) - len(uncounted) >= _ONE_SIGN_CHARS
    if not (long_numbers or _may_repeat(uncounted) or _may_repeat_a_sentence(uncounted)):
        return None
    return _search(flat, uncounted, long_numbers=long_numbers)


def _may_repeat(text: str) -> bool:
    """Returns whether one of a few samples of the text repeats; False only if no stretch of `_SAMPLED_CHARS` or more is a loop.
    Much longer texts than a page's are not sampled."""
    if len(text) > _MOST_SAMPLED_CHARS:
        return True
    samples = (text[start : start + _SHINGLE] for start in range(0, len(text), _SAMPLED_CHARS - _SHINGLE))
    return any(text.count(sample) >= _LEAST_REPEATS - 1 for sample in samples)


def _may_repeat_a_sentence(text: str) -> bool:
    for sign in _SENTENCE_SIGNS[1:]:
        text = text.replace(sign, _SENTENCE_SIGNS[0])
    sentences = Counter(part.strip() for part in text.split(_SENTENCE_SIGNS[0]) if len(part) >= _MIN_PHRASE_CHARS - 1)
    return max(sentences.values(), default=0) >= _PHRASE_LIMITS[-1][1]


def _search(flat: str, uncounted: str, *, long_numbers: bool) -> Loop | None:
    distances = _distances(uncounted)
    repetitions = list(_repetitions(distances))
    if long_numbers or any(end - start >= _ONE_SIGN_CHARS for start, end, _ in repetitions):
        for start, end, period in _repetitions(_distances(flat)):
            unit = flat[start : start + period]
            length = end - start
            if length >= _ONE_SIGN_CHARS and set(unit) == {unit[0]}:
                return Loop(unit[0], length)
            if length >= _SHORT_UNIT_CHARS and length // period >= _SHORT_UNIT_REPEATS and not _is_phrase(unit):
                return Loop(unit, length // period)
    for start, end, period in repetitions:
        unit = uncounted[start : start + period]
        repeats = (end - start) // period
        if repeats >= next(limit for least, limit in _PHRASE_LIMITS if period >= least) and _is_phrase(unit):
            return Loop(unit, repeats)
    # A looping model may also repeat the same sentence with a few other words in between.
    if np.count_nonzero(distances) < _LEAST_SHINGLES_OF_SENTENCES:
        return None
    sentence, repeats = Counter(_SENTENCE_END.split(uncounted)).most_common(1)[0]
    return Loop(sentence, repeats) if repeats >= _PHRASE_LIMITS[-1][1] and _is_phrase(sentence) else None


def _is_phrase(unit: str) -> bool:
    return len(unit) >= _MIN_PHRASE_CHARS and len({word.lower() for word in _WORD.findall(unit)}) >= _MANY_WORDS


def _repetitions(distances: _Positions) -> Iterator[tuple[int, int, int]]:
    """Yields (start, end, period) of each stretch of at least `_LEAST_REPEATS` periods in which text[i] == text[i - period]: in
    such a stretch, consecutive shingles repeat at the same distance. `distances`: those of the text."""
    bounds = [0, *(np.flatnonzero(np.diff(distances)) + 1).tolist(), len(distances)]
    firsts = np.array(bounds[:-1])
    periods = distances[firsts] if len(distances) else firsts[:0]
    ends = np.array(bounds[1:]) - 1 + _SHINGLE
    starts = firsts - periods
    for n in np.flatnonzero((periods > 0) & (ends - starts >= _LEAST_REPEATS * periods)).tolist():
        yield int(starts[n]), int(ends[n]), int(periods[n])


def _distances(text: str) -> _Positions:
    """Returns, for each shingle, the distance to its previous occurrence in characters; 0 for the first one."""
    codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32).astype(np.uint64)
    hashes = _hashes(codes)
    count = len(hashes)
    # One key of 44 bits of the hash and the position: sorting keys is several times as fast as a stable sort of the hashes.
    keys = np.sort(hashes >> _POSITION_BITS << _POSITION_BITS | np.arange(count, dtype=np.uint64))
    order = (keys & np.uint64(2 ** int(_POSITION_BITS) - 1)).astype(np.int64)
    same = keys[1:] >> _POSITION_BITS == keys[:-1] >> _POSITION_BITS
    distances = np.zeros(count, np.int64)
    distances[order[1:][same]] = (order[1:] - order[:-1])[same]
    return distances


def _hashes(codes: _Codes) -> _Codes:
    """Returns a hash of each `_SHINGLE` = 16 + 4 consecutive codes: the polynomial of 2n codes is computed from those of two
    halves of n codes."""
    by_length, factor = {1: codes}, _HASH_FACTOR
    for length in (1, 2, 4, 8):
        half = by_length[length]
        by_length[2 * length] = half[:-length] * np.uint64(factor) + half[length:]
        factor = factor * factor % 2**64
    # The hash goes into the upper bits.
    return (by_length[16][:-4] * np.uint64(factor) + by_length[4][16:]) * np.uint64(_HASH_FACTOR)
