"""Finds numbers in a line: runs of shapes that look like digits, apart from the words beside them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import median
from typing import Any

from rayocr.engines.tesseract.native_digits.classifier import DOT, ONE, SIGNS, Classifier
from rayocr.engines.tesseract.native_digits.shapes import THICK, Shape, shapes_of

_SIGNS = SIGNS + "."
SURE = 0.9  # probability of every digit in a number that proves that a page has such numbers
_SURE_PART = 0.7  # probability of both digits of a shape that is divided
_LEAST = 0.5  # minimum probability of a digit
_LEAST_INSIDE = 0.03  # the same for a shape between two digits and as close as one, which would otherwise divide the number
_LEAST_ALONE = 0.93  # the same for a number of one digit
_NARROW = 0.5  # width of the place of a digit, relative to the height of the tallest; a dot or stroke is in its middle
_LIKE_LETTERS = frozenset("\u0661\u0665\u06f5\u0669-,")  # digits and signs that look like isolated letters
_NEARBY = 3  # number of shapes whose height counts for the first distances, since zeros and signs are small
_GAP = 0.6  # largest distance of the places of two digits, relative to the height of the tallest
_SPACE, _WIDER = 0.3, 0.25  # a distance above the first that exceeds the median by the second is a space between two numbers
_LEAST_OF_ONE = 0.1  # minimum probability of a one beside other digits
_SAME_HEIGHT = (0.7, 1.25)  # height of a one, relative to the other digits
_FLAT = 0.45  # largest height of a dot or sign, relative to the tallest digit
_HIGH, _LOW = 0.15, 0.8  # place of the center of a dot between the top (0) and the bottom (1) of the digits; a full stop is lower
# The same for a dot to the left of all digits: a full stop after a number at the end of an Arabic sentence. Zeros there are at
# .47 to .68 in 11 fonts, and full stops at .68 and below; in between, the number is doubtful.
_LOW_FIRST, _UNCLEAR = 0.66, (0.61, 0.72)
_UNSURE = 0.65  # probability of a digit or number that is doubtful for another reason than its shape
_INSIDE = 0.4  # shapes that are closer belong to one number, which is doubtful if it was read without them; spaces are wider
_DOTS_OF_COLON, _WIDEST_COLON = 2, 1.5  # width of a colon with its white space, relative to the height of the digits
_CLEAR_SPACE = 0.5  # a narrower space may be inside one number
_CLOSER = 1.0  # an outer shape that is closer than the next digit by this factor belongs to the word beside it
_APART = 0.2  # minimum distance from letters, relative to the height of the tallest digit
_APART_ALONE = 0.3
_SMALLEST, _TALLEST = 0.6, 1.1  # height of letters beside a number, relative to its tallest digit; brackets are taller


@dataclass(frozen=True, slots=True)
class Number:
    """A number, in pixels of its line, as its shapes follow from left to right; without text if only a part of it was found.
    `probability`: of its least certain digit. `before`, `after`: distances from the shapes to the left and right, relative to the
    height of the digits."""

    text: str
    x0: float
    x1: float
    height: float
    probability: float
    before: float
    after: float

    @property
    def is_proof(self) -> bool:
        return self.probability >= SURE and sum(map(str.isdigit, self.text)) > 1


def numbers_of(line: Any, classifier: Classifier, *, is_whole: bool = False) -> list[Number]:
    """Returns the numbers in a gray picture (rows, columns) from left to right; with `is_whole`, only a number that is all of the
    picture."""
    shapes, characters, probabilities = _classified(line, classifier)
    numbers: list[Number] = []
    start, is_divided = 0, False
    while start < len(shapes):
        was_divided = is_divided
        end, is_divided = _before_space(shapes, start, _end_of_run(shapes, characters, probabilities, start))
        _judge_by_place(shapes, characters, probabilities, start, end)
        if is_whole and end - start < len(shapes):
            return []
        if end > start:
            number = _number(shapes, characters, probabilities, start, end)
            if number and (was_divided or is_divided):
                number = replace(number, probability=min(number.probability, _UNSURE))
            numbers += [number] if number else []
        start = max(end, start + 1)
    return _with_times(numbers, shapes)


def _with_times(numbers: Sequence[Number], shapes: Sequence[Shape]) -> list[Number]:
    """Joins two numbers with a colon between them."""
    joined = list(numbers[:1])
    for number in numbers[1:]:
        last = joined[-1]
        between = [shape for shape in shapes if last.x1 < (shape.x0 + shape.x1) / 2 < number.x0]
        is_colon = len(between) == _DOTS_OF_COLON and not any(
            shape.is_alone or shape.height > _FLAT * last.height or shape.x1 - shape.x0 > _FLAT * last.height for shape in between
        )
        if is_colon and number.x0 - last.x1 < _WIDEST_COLON * last.height and last.text and number.text:
            probability = min(last.probability, number.probability)
            text, height = f"{last.text}:{number.text}", max(last.height, number.height)
            joined[-1] = Number(text, last.x0, number.x1, height, probability, last.before, number.after)
        else:
            joined.append(number)
    return joined


def _classified(line: Any, classifier: Classifier) -> tuple[list[Shape], list[str], list[float]]:
    """Returns the shapes of a line with their characters. Shapes that are no digits are divided if they are two that touch."""
    shapes, features = shapes_of(line)
    if not shapes:
        return [], [], []
    found = list(zip(shapes, *classifier.classify(features), strict=True))
    if not any(probability >= SURE for _, _, probability in found):
        return [shape for shape, _, _ in found], [character for _, character, _ in found], [one for _, _, one in found]
    thick, features = shapes_of(line, THICK)
    parts = list(zip(thick, *classifier.classify(features), strict=True))
    divided: list[tuple[Shape, str, float]] = []
    for shape, character, probability in found:
        inside = [part for part in parts if shape.x0 - 1 <= part[0].x0 and part[0].x1 <= shape.x1 + 1]
        is_digits = (
            probability < _LEAST and len(inside) > 1 and all(part[2] >= _SURE_PART and part[0].is_alone for part in inside)
        )
        divided += inside if is_digits else [(shape, character, probability)]
    shapes, characters, probabilities = (list(column) for column in zip(*divided, strict=True))
    return shapes, characters, probabilities


def _judge_by_place(shapes: Sequence[Shape], characters: list[str], probabilities: list[float], start: int, end: int) -> None:
    """Decides whether the dots of a run are zeros, which are halfway up, full stops, which are below, or parts of letters, and
    accepts strokes as ones that are as high as the other digits. The classifier is unsure of dots and of ones, which look like
    an alef."""
    tall = [shapes[n] for n in range(start, end) if characters[n] not in SIGNS + DOT + ONE and probabilities[n] >= _LEAST]
    if not tall:
        return
    top, bottom = min(shape.y0 for shape in tall), max(shape.y1 for shape in tall)
    for n in range(start, end):
        if characters[n] == DOT and shapes[n].height < _FLAT * (bottom - top):
            place = ((shapes[n].y0 + shapes[n].y1) / 2 - top) / (bottom - top)
            characters[n] = "." if place > (_LOW_FIRST if n == start else _LOW) else DOT
            probabilities[n] = max(probabilities[n], SURE) if place > _HIGH else 0.0
            if n == start and _UNCLEAR[0] < place < _UNCLEAR[1]:
                probabilities[n] = _UNSURE
        elif characters[n] == ONE and _SAME_HEIGHT[0] < shapes[n].height / (bottom - top) < _SAME_HEIGHT[1]:
            probabilities[n] = max(probabilities[n], SURE)


def _end_of_run(shapes: Sequence[Shape], characters: Sequence[str], probabilities: Sequence[float], start: int) -> int:
    """Returns the index after the run of possible digits that starts here; `start` if there is none."""
    least = _LEAST_INSIDE if characters[start] == DOT else _LEAST_OF_ONE if characters[start] == ONE else _LEAST
    if not shapes[start].is_alone or probabilities[start] < least:
        return start
    nearby = range(start, min(start + _NEARBY, len(shapes)))
    height = max([shapes[start].height, *(shapes[n].height for n in nearby if probabilities[n] >= _SURE_PART)])
    end = start + 1
    while end < len(shapes) and shapes[end].is_alone and probabilities[end] >= _LEAST_INSIDE:
        tallest = max(height, shapes[end].height)
        if _distance(shapes[end - 1], shapes[end], tallest) > _GAP * tallest:
            break
        end, height = end + 1, tallest
    return end


def _before_space(shapes: Sequence[Shape], start: int, end: int) -> tuple[int, bool]:
    """Returns the end of the first number, if the run has a space that is wider than the other distances, and whether the space
    is so narrow that it may be inside one number."""
    if end - start < 3:
        return end, False
    height = max(shape.height for shape in shapes[start:end])
    gaps = [_distance(shapes[n], shapes[n + 1], height) for n in range(start, end - 1)]
    least = max(_SPACE * height, median(gaps) + _WIDER * height)
    return next(((start + n + 1, gap < _CLEAR_SPACE * height) for n, gap in enumerate(gaps) if gap > least), (end, False))


def _distance(left: Shape, right: Shape, height: float) -> float:
    """Returns the distance between the places of two digits."""
    return right.x0 - left.x1 - _beside(left, height) - _beside(right, height)


def _beside(shape: Shape, height: float) -> float:
    """Returns the white space on each side of a dot or stroke in the place of a digit."""
    return max(_NARROW * height - (shape.x1 - shape.x0), 0.0) / 2


def _number(
    shapes: Sequence[Shape], characters: Sequence[str], probabilities: Sequence[float], start: int, end: int
) -> Number | None:
    first, last = start, end
    start, end = _without_neighbors(shapes, characters, probabilities, start, end)
    others = (*range(first, start), *range(end, last))
    is_part = any(probabilities[n] >= _SURE_PART and characters[n] not in _LIKE_LETTERS for n in others)
    run = shapes[start:end]
    digits = [n for n in range(start, end) if characters[n] not in _SIGNS]
    if not digits:
        return None
    height = max(shape.height for shape in run)
    tall = [shapes[n] for n in digits if shapes[n].height > _FLAT * height and characters[n] != DOT]
    if not tall:
        return None
    before, after = (gap / height for gap in _outer_gaps(shapes, start, end))
    probability = min(probabilities[n] for n in digits)
    outer = [n for n in (start - 1, end) if 0 <= n < len(shapes)]
    if any(_is_cut(shapes, characters, probabilities, n, 1 if n == end else -1, height) for n in outer):
        probability = min(probability, _UNSURE)
    is_single = len(digits) == 1
    if is_single and min(probabilities[n] for n in digits) < _LEAST_ALONE:
        return None
    if _touches_letters(shapes, start, end, height, _APART_ALONE if is_single else _APART):
        if is_single:
            return None
        is_part = True
    text = "" if is_part else "".join(characters[start:end])
    return Number(text, run[0].x0, run[-1].x1, height, probability, before, after)


def _is_cut(
    shapes: Sequence[Shape], characters: Sequence[str], probabilities: Sequence[float], n: int, step: int, height: float
) -> bool:
    """Returns whether the shape `n` beside a number may belong to it. A letter of the word there, which looks like a digit, has a
    wider distance. `step`: 1 to the right of the number, -1 to the left."""
    if probabilities[n] < _LEAST:
        return False
    if characters[n] == ".":
        return probabilities[n] == _UNSURE
    beyond = n + step
    is_sign = characters[n] in _SIGNS
    if is_sign and not (0 <= beyond < len(shapes) and characters[beyond] not in _SIGNS and probabilities[beyond] >= _LEAST):
        return False
    left, right = sorted((n, beyond if is_sign else n - step))
    return _distance(shapes[left], shapes[right], height) < (_GAP if is_sign else _INSIDE) * height


def _without_neighbors(
    shapes: Sequence[Shape], characters: Sequence[str], probabilities: Sequence[float], start: int, end: int
) -> tuple[int, int]:
    """Returns the run without signs at its ends and without letters that look like digits: they are closer to their word."""

    height = max(shape.height for shape in shapes[start:end])

    def is_outside(edge: int, inner: int, gap: float) -> bool:
        if characters[edge] in _SIGNS or probabilities[edge] < _LEAST:
            return True
        left, right = sorted((edge, inner))
        return gap - _beside(shapes[edge], height) < _CLOSER * _distance(shapes[left], shapes[right], height)

    while end - start > 1:
        before, after = _outer_gaps(shapes, start, end, _FLAT * height)
        if is_outside(start, start + 1, before):
            start += 1
        elif is_outside(end - 1, end - 2, after):
            end -= 1
        else:
            break
    return start, end


def _outer_gaps(shapes: Sequence[Shape], start: int, end: int, least: float = 0.0) -> tuple[float, float]:
    """Returns the distances from the shapes to the left and to the right of a run; infinity at an end of the line. Shapes that
    are not as high as `least` do not count."""
    left = max((shape.x1 for shape in shapes[:start] if shape.height > least), default=float("-inf"))
    right = min((shape.x0 for shape in shapes[end:] if shape.height > least), default=float("inf"))
    return max(shapes[start].x0 - left, 0.0), max(right - max(shape.x1 for shape in shapes[start:end]), 0.0)


def _touches_letters(shapes: Sequence[Shape], start: int, end: int, height: float, apart: float) -> bool:
    """Returns whether a letter is as close as the next digit would be. Brackets and punctuation are."""
    first, last = shapes[start], shapes[end - 1]
    near = [shape for shape in shapes[:start] if first.x0 - shape.x1 - _beside(first, height) < apart * height]
    near += [shape for shape in shapes[end:] if shape.x0 - last.x1 - _beside(last, height) < apart * height]
    return any(
        shape.height > _SMALLEST * height
        and not (shape.height > _TALLEST * height and shape.x1 - shape.x0 < _NARROW * shape.height)
        for shape in near
    )
