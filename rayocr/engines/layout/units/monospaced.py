"""Finds blocks in a monospaced font on pages whose other text is proportional. Such a block with indented rows is a listing, also
where its words are not typical of code: YAML, JSON, makefiles.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from statistics import median

from rayocr.engines.layout.lines import LayoutLine
from rayocr.engines.layout.rows import Row

_MIN_ROWS = 4
_MIN_LETTERS = 5  # shorter rows do not determine the letter width
_SAME_PITCH = 0.02  # difference of two rows' letter widths, as a share
_FIRST = 9  # this many letter widths determine that of a block, so that the time is linear
_OFF_GRID = 0.25  # letters; tolerance of a row's start and end
_NEXT_ROW = 2.6  # distance of two rows of a block, in heights; more than one blank line ends it
_LOOSE = 1.25  # distance of the first or last row from its neighbor, in usual distances
_ANNOUNCES = (":", "{", "[", "(", "=", "do", "then")  # ends of rows above indented ones
_MORE_LEVELS = 2  # levels of indentation; the first lines of paragraphs make two
_INDENTS = range(1, 17)  # letters by which a row is indented below the row above
_LONG, _OTHER_PITCH, _MIN_OTHER_LINES = 30, 0.04, 2  # letters, difference of width, and number of the lines in another font


def letter_widths(lines: Iterable[LayoutLine]) -> tuple[float, ...]:
    """Returns the mean letter width of each long line, in points."""
    return tuple(line.width / len(line.text) for line in lines if len(line.text) >= _LONG)


def monospaced_blocks(rows: Sequence[Row], widths: Sequence[float]) -> list[tuple[int, int]]:
    """Returns (first row, end) of each indented block, from top to bottom. `widths`: the letter widths of the
    page's long lines; if they are all those of a block, the page is a typewritten one."""
    blocks: list[tuple[int, int]] = []
    start = 0
    while start < len(rows):
        end = _end(rows, start)
        if end - start >= _MIN_ROWS:
            blocks.append((start, end))
            start = end
        else:
            start += 1
    close = [_without_loose_ends(rows, begin, end) for begin, end in blocks if _is_set_apart(rows[begin:end], widths)]
    return [(begin, end) for begin, end in close if end - begin >= _MIN_ROWS and _is_indented(rows[begin:end])]


def _without_loose_ends(rows: Sequence[Row], begin: int, end: int) -> tuple[int, int]:
    """Leaves out a first or last row that is farther away than the others: a line of prose can fit the grid by chance."""
    distances = [below.center_y - above.center_y for above, below in pairwise(rows[begin:end])]
    usual = _LOOSE * median(distances)
    return begin + (distances[0] > usual), end - (distances[-1] > usual)


def _is_set_apart(block: Sequence[Row], widths: Sequence[float]) -> bool:
    pitch = _pitch(block)
    return sum(abs(width - pitch) > _OTHER_PITCH * pitch for width in widths) >= _MIN_OTHER_LINES


def _is_indented(block: Sequence[Row]) -> bool:
    """Returns whether rows of the block are indented as in code: below a row that announces them, or at several places."""
    pitch = _pitch(block)
    steps = [round((row.x0 - above.x0) / pitch) for above, row in pairwise(block)]
    deeper = [above.text.rstrip() for step, (above, _) in zip(steps, pairwise(block), strict=True) if step in _INDENTS]
    levels = {round((row.x0 - block[0].x0) / pitch) for row in block}
    returns = any(-step in _INDENTS for step in steps)
    return any(text.endswith(_ANNOUNCES) for text in deeper) or (len(deeper) > 1 and (returns or len(levels) > _MORE_LEVELS))


def _end(rows: Sequence[Row], start: int) -> int:
    """Returns the end of the longest block of rows from `start` whose letters are equally wide and on one grid."""
    end, left = start, rows[start].x0
    widths: list[float] = []
    while end < len(rows) and (end == start or _is_next(rows[end - 1], rows[end])):
        more = _widths(rows[end])
        pitch = median([*widths, *more][:_FIRST]) if widths or more else 0.0
        if pitch and (any(abs(width - pitch) > _SAME_PITCH * pitch for width in more) or not _on_grid(rows[end], left, pitch)):
            break
        widths += more
        end += 1
    return end if len(widths) >= 2 else start + 1


def _is_next(above: Row, row: Row) -> bool:
    return row.center_y - above.center_y < _NEXT_ROW * max(above.height, row.height)


def _on_grid(row: Row, left: float, pitch: float) -> bool:
    places = ((x - left) / pitch for segment in row.segments for x in (segment.x0, segment.x1))
    return all(abs(place - round(place)) < _OFF_GRID for place in places)


def _widths(row: Row) -> list[float]:
    """Returns the letter width of each long enough segment of the row."""
    texts = ((segment, segment.columns or segment.text.strip()) for segment in row.segments)
    return [(segment.x1 - segment.x0) / len(text) for segment, text in texts if len(text) >= _MIN_LETTERS]


def _pitch(block: Sequence[Row]) -> float:
    return median(width for row in block for width in _widths(row))
