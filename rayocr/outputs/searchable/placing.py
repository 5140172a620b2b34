"""Writes lines of text as a content stream that draws them invisibly at their position on the page."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from rayocr.messages import TextBox
from rayocr.outputs.searchable.glyphless import ADVANCE_EM, DESCENT_EM, FONT_NAME
from rayocr.pdf.geometry import Upright

_TALL = 1.5  # ratio of height to width above which a box has text that runs upwards
_MIN_SIZE_PT = 0.5
_VIRAMA = 9  # combining class of a virama in all scripts
_MIN_STRETCH = 5.0  # in percent; a word of combining marks only has no width and needs a minimum
# Widths of letters in most typefaces, in em: they decide where in a line a word begins.
_NARROW, _WIDE = frozenset("iljI.,;:'|!()[]{}ftr\"`-· "), frozenset("mwMW@%—…")


@dataclass(frozen=True, slots=True)
class _Frame:
    """The rectangle of a line: the start of its baseline, in points of the upright page, and its direction."""

    x: float
    y: float
    angle: float  # radians, clockwise
    width: float
    size: float


def text_content(boxes: Iterable[TextBox], upright: Upright, *, tagged: bool) -> bytes:
    """Returns the content stream. `tagged`: the file has a structure tree, so the text is marked as an artifact, which screen
    readers skip."""
    to_page = _inverse(upright)
    runs = b"".join(_line(box, to_page) for box in boxes if box.text.strip())
    if not runs:
        return b""
    content = b"q\nBT\n3 Tr\n%bET\nQ\n" % runs
    return b"/Artifact BMC\n%bEMC\n" % content if tagged else content


def frame_of(box: TextBox) -> _Frame:
    """Returns the line's own rectangle from the upright box around it: W = w cos a + h sin a, H = w sin a + h cos a."""
    quarters = round(box.angle_deg / 90)
    skew = math.radians(box.angle_deg - 90 * quarters)
    width, height = box.x1 - box.x0, box.y1 - box.y0
    if not quarters % 2 and len(box.text.strip()) > 2 and height > _TALL * width:
        quarters += 1
    if quarters % 2:
        width, height = height, width
    cosine, sine = math.cos(skew), abs(math.sin(skew))
    divisor = cosine * cosine - sine * sine
    along, across = (width * cosine - height * sine) / divisor, (height * cosine - width * sine) / divisor
    if across < 0.2 * height or along < 0.2 * width:  # the box is not a rectangle at that angle: rounded, or cut by the page
        along, across = width, height
    size = max(across, _MIN_SIZE_PT)
    angle = math.radians(90 * quarters) + skew
    down_x, down_y = -math.sin(angle), math.cos(angle)
    middle_x, middle_y = (box.x0 + box.x1) / 2, (box.y0 + box.y1) / 2
    to_baseline = size / 2 + DESCENT_EM * size
    return _Frame(
        x=middle_x - math.cos(angle) * along / 2 + down_x * to_baseline,
        y=middle_y - math.sin(angle) * along / 2 + down_y * to_baseline,
        angle=angle,
        width=max(along, _MIN_SIZE_PT),
        size=size,
    )


def _line(box: TextBox, to_page: Upright) -> bytes:
    """Writes one text object per line, since viewers reorder the text objects of a row. Words are stretched to their probable
    width."""
    frame = frame_of(box)
    text = _visual_order(" ".join(box.text.split()))
    count = len(text.encode("utf-16-be", "replace")) // 2
    stretch = frame.width / (ADVANCE_EM * frame.size * count)
    cosine, sine = math.cos(frame.angle), math.sin(frame.angle)
    ax, ay = to_page.a * cosine + to_page.c * sine, to_page.b * cosine + to_page.d * sine
    ux, uy = to_page.a * sine - to_page.c * cosine, to_page.b * sine - to_page.d * cosine
    px, py = to_page.a * frame.x + to_page.c * frame.y + to_page.e, to_page.b * frame.x + to_page.d * frame.y + to_page.f
    matrix = " ".join(f"{number:.4f}" for number in (ax * stretch, ay * stretch, ux, uy, px, py))
    return f"{FONT_NAME} {frame.size:.2f} Tf\n{matrix} Tm\n{''.join(_words(text, count))}".encode()


def _words(text: str, count: int) -> Iterator[str]:
    """Yields each word with the space after it, at its probable width in print. Words are stretched, not letters, because viewers
    take a gap between letters for a space."""
    em = count * ADVANCE_EM / max(sum(map(wideness, text)), 0.1)  # in ems of the stretched font
    words = text.split(" ")
    for index, word in enumerate(words):
        shown = word if index == len(words) - 1 else f"{word} "
        units = shown.encode("utf-16-be", "replace")
        wanted, natural = em * sum(map(wideness, shown)), ADVANCE_EM * len(units) / 2
        yield f"{max(100 * wanted / natural, _MIN_STRETCH):.1f} Tz <{units.hex()}> Tj\n"


def wideness(character: str) -> float:
    if character in _NARROW:
        return 0.3
    if character in _WIDE:
        return 0.85
    if unicodedata.east_asian_width(character) in "WF":
        return 1.0
    if unicodedata.combining(character) == _VIRAMA:
        return -0.25  # a virama gives the previous letter its narrower half form
    if unicodedata.category(character) == "Mc":
        return 0.3
    if unicodedata.combining(character) or unicodedata.category(character) in ("Mn", "Cf"):
        return 0.02
    return 0.64 if character.isupper() else 0.54


def _visual_order(text: str) -> str:
    """Returns the text in visual order, as PDF viewers expect: right-to-left text is reversed, except left-to-right words in
    it."""
    kinds = [unicodedata.bidirectional(character) for character in text]
    right = sum(kind in ("R", "AL") for kind in kinds)
    if 2 * right <= sum(kind in ("R", "AL", "L") for kind in kinds):
        return text
    return " ".join(word if _runs_right(word) else _reversed(word) for word in reversed(text.split(" ")))


def _runs_right(word: str) -> bool:
    return not any(unicodedata.bidirectional(character) in ("R", "AL") for character in word)


def _reversed(word: str) -> str:
    """Reverses a word. Combining marks stay after their letters."""
    clusters: list[str] = []
    for character in word:
        if clusters and unicodedata.combining(character):
            clusters[-1] += character
        else:
            clusters.append(character)
    return "".join(reversed(clusters))


def _inverse(upright: Upright) -> Upright:
    """Returns the matrix from the upright page to user space."""
    determinant = upright.a * upright.d - upright.b * upright.c
    a, b = upright.d / determinant, -upright.b / determinant
    c, d = -upright.c / determinant, upright.a / determinant
    return Upright(a, b, c, d, -(a * upright.e + c * upright.f), -(b * upright.e + d * upright.f))
