from __future__ import annotations

from collections.abc import Iterator

from hypothesis import given
from hypothesis import strategies as st

from rayocr.engines.answers.loops import _LEAST_REPEATS, _SHINGLE, _distances, _repetitions

_PIECES = st.lists(
    st.tuples(st.text("abc 1é好\U0001d54f", min_size=1, max_size=40), st.integers(1, 12)).map(lambda part: part[0] * part[1]),
    max_size=6,
).map("".join)


@given(_PIECES)
def test_stretches_that_repeat_are_found_as_by_definition(text: str) -> None:
    assert list(_repetitions(_distances(text))) == list(_by_definition(text))


def _by_definition(text: str) -> Iterator[tuple[int, int, int]]:
    distances = [_distance(text, position) for position in range(len(text) - _SHINGLE + 1)]
    start = 0
    for position in range(1, len(distances) + 1):
        if position < len(distances) and distances[position] == distances[start]:
            continue
        period = distances[start]
        first, end = start - period, position - 1 + _SHINGLE
        if period and end - first >= _LEAST_REPEATS * period:
            yield first, end, period
        start = position


def _distance(text: str, position: int) -> int:
    shingle = text[position : position + _SHINGLE]
    earlier = [other for other in range(position) if text[other : other + _SHINGLE] == shingle]
    return position - earlier[-1] if earlier else 0
