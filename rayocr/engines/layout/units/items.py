"""Recognizes markers of list items, in the styles and scripts that documents use.

Some markers are certain: "•", "(a)", "①". Others may also begin a line of running text: "A. Smith", "1.1 million". An uncertain
marker counts if another line of the column has the previous or the next one, as in "A." and "B.", or also begins with an arrow.
Where numbers are missing, the places of the markers decide: see series.py.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from typing import NamedTuple

_CERTAIN = re.compile(
    r"[•●▪■◦○‣∙⁃➢➤❖✓✔✗✘☐☑☒❏❐❑❒□▢\uf0b7\uf0a7]\s*(?=\S)|[\u2013\u2212*+-]\s+(?=\S)|\[[ xX]\]\s+(?=\S)"
    r"|[·・･]\s*(?=[^\W\d_])(?![^·]*\s·\s)"
    r"|[\u2460-\u24ff\u2776-\u2793\u3220-\u3229\u3280-\u3289]\s*(?=\S)"  # ① ⑴ ⒜ Ⓐ ❶ ㈠ ㊀
    r"|\(?\d{1,2}[.)．）]\s+(?=\S)|[(（]\d{1,3}[)）]\s*(?=\S)"
    r"|\(?[a-z][.)]\s+(?=\S)|[(（][^\W\d_][)）]\s*(?=\S)|[^\W\d_]\)\s+(?=\S)"
    r"|\(?[ivx]{1,5}[.)]\s+(?=\S)|[(（][ivxlcIVXLC]{1,6}[)）]\s*(?=\S)"
    r"|[(（][一二三四五六七八九十]{1,3}[)）]\s*(?=\S)|[一二三四五六七八九十]{1,3}、\s*(?=\S)"
)
_NO_MONTH = (
    r"(?!(?:Jan|Feb|Mar|Mär|Apr|May|Mai|Jun|Jul|Aug|Sep|Oct|Okt|Nov|Dec|Dez)(?:[a-zäöüéû]{0,6}\b|[./-]))"  # 3.Jan, 3.Januar
)
_POSSIBLE = re.compile(
    r"(?P<number>\d{1,3}(?:\.\d{1,3}){0,4})(?P<behind>\.[-\u2013\u2014]|[ºª°]\)?|[.)]?)\s+(?=\S)"
    rf"|(?P<close>\d{{1,2}}(?:\.\d{{1,2}}){{0,3}})(?P<after>[.)]){_NO_MONTH}(?=[^\W\d_a-zß-öø-ÿ][^\W\d_])"  # 2.Minutes
    r"|(?P<roman>[IVXLC]{1,6}|[ivx]{2,5})(?P<dot>[.)])(?:\s+(?=\S)|(?=[A-Z][a-z]))"
    r"|(?P<letter>[^\W\d_]|[A-Z]{2})(?P<point>[.．])\s+(?=\S)"
    r"|(?P<near>[A-Za-z])(?P<next>[.)])(?=[^\W\d_]{3})"  # a)boxes
    r"|(?P<bare>[a-z])\s+(?=[^\W\d_]{2}|[^\W\d_]\s)"
    r"|\[(?P<reference>\d{1,3})\]\s+(?=\S)"
    r"|(?P<double>[a-z])(?P=double)[.)]\s+(?=\S)"
    r"|(?P<raised>[¹²³⁴-⁹])\s*(?=\S)"
    r"|(?P<bullet>[→⇒►▶▸▹▷◆◇◈◊★☆»›>~=※†‡])\s+(?=\S)"
    r"|(?P<sign>§§?|Art\.|Article|Artikel|Clause|Section)\s?(?P<of>\d{1,4})(?P<rest>[a-z]?)\b"
    r"|(?P<word>[A-ZÀ-ÖØ-Þ][^\W\d_]{0,11}\.?\s|[A-Z]{1,3}-)(?P<count>\d{1,3})[.:)]?\s+(?=\S)"  # Step 1, No. 1, A-1
)
_LABEL = re.compile(r"\[[^\W\d_][\w+.*-]{0,15}\]\s")  # [Lam], [BCD+04]: references in alphabetical order
_LEAST_LABELS = 3
_ROMAN = {"I": 1, "V": 5, "X": 10, "L": 50, "C": 100}


class Marker(NamedTuple):
    style: str
    value: tuple[int, ...]

    def is_before(self, other: Marker) -> bool:
        """Returns whether the other marker is the next one of the same list."""
        return self.style == other.style and other.value == (*self.value[:-1], self.value[-1] + 1)


def begin_items(texts: Sequence[str]) -> list[bool]:
    """Returns for each line of a column whether a list item begins in it."""
    possible = [possible_markers(text) for text in texts]
    places: dict[Marker, list[int]] = {}
    for place, markers in enumerate(possible):
        for marker in markers:
            places.setdefault(marker, []).append(place)
    letters = {marker.style for marker in places if marker.style.startswith("script")}
    labels = [match.group().casefold() for text in texts if (match := _LABEL.match(text))]
    are_references = len(labels) >= _LEAST_LABELS and labels == sorted(labels)
    several = {style for style in letters if sum(marker.style == style for marker in places) > 1}
    if sum(len(found) for marker, found in places.items() if marker.style == "bullet") > 1:
        several.add("bullet")
    return [
        is_certain_item(text)
        or (are_references and _LABEL.match(text) is not None)
        or any(marker.style in several or _has_neighbor(marker, place, places) for marker in markers)
        for place, (text, markers) in enumerate(zip(texts, possible, strict=True))
    ]


def is_certain_item(text: str) -> bool:
    return _CERTAIN.match(text) is not None


def possible_markers(text: str) -> list[Marker]:
    """Returns all readings of the marker: "I." is a letter and a Roman number."""
    match = _POSSIBLE.match(text)
    if match is None:
        return []
    if number := match["number"]:
        parts = tuple(map(int, number.split(".")))
        if len(parts) == 1 and not match["behind"]:
            return []
        return [Marker("number", parts)] if len(parts) > 1 else [Marker(f"number{match['behind']}", parts)]
    if match["close"]:
        parts = tuple(map(int, match["close"].split(".")))
        return [Marker("number" if len(parts) > 1 else f"number{match['after']}", parts)]
    if match["bare"]:
        return [Marker("bare", (ord(match["bare"]),))]
    if match["reference"]:
        return [Marker("reference", (int(match["reference"]),))]
    if match["double"]:
        return [Marker("double", (ord(match["double"]),))]
    if match["raised"]:
        return [Marker("raised", (unicodedata.digit(match["raised"]),))]
    if match["bullet"]:
        return [Marker("bullet", (ord(match["bullet"]),))]
    if match["word"]:
        return [Marker(match["word"], (int(match["count"]),))]
    if match["sign"]:
        return [Marker(match["sign"], (int(match["of"]), *map(ord, match["rest"])))]
    letter = match["letter"] or match["near"] or (match["roman"] if len(match["roman"]) < 3 and match["roman"].isupper() else "")
    behind = match["point"] or match["next"] or match["dot"]
    markers = [Marker(f"roman{behind}", (_roman(match["roman"].upper()),))] if match["roman"] else []
    if letter and letter.isascii() and letter.isupper():  # AA. and AB. follow Z.
        markers.append(Marker(f"letter{behind}", (sum((ord(char) - 64) * 26**n for n, char in enumerate(reversed(letter))),)))
    elif letter and letter.isascii():
        markers.append(Marker(f"small{behind}", (ord(letter),)))
    elif letter:  # the order of the alphabet is unknown, so two different letters of one script are enough
        markers.append(Marker(f"script {ord(letter) >> 8:x}{behind}", (ord(letter),)))
    return markers


def _has_neighbor(marker: Marker, place: int, places: Mapping[Marker, Sequence[int]]) -> bool:
    """Returns whether one of the others is the previous or the next marker: for 1.2 these are 1.1, 1.3, 1.2.1, 1 and 2.1. A
    letter's neighbor must come before or after it as in the alphabet, since the initials of names are in any order."""
    *above, last = marker.value
    if marker.style.startswith("number"):
        beside = [(*above, last - 1), (*above, last + 1), (*marker.value, 1), (*marker.value, 0)]
        if above:
            beside += [
                tuple(above),
                (*above[:-1], above[-1] + 1),
                (*above[:-1], above[-1] + 1, 1),
                (*above[:-1], above[-1] - 1, 1),
            ]
        return any(other.style.startswith("number") and other.value in beside for other in places)
    before, after = (places.get(Marker(marker.style, (*above, last + step)), ()) for step in (-1, 1))
    return any(other < place for other in before) or any(other > place for other in after)


def _roman(text: str) -> int:
    values = [_ROMAN[letter] for letter in text]
    return sum(-value if value < max(values[place:]) else value for place, value in enumerate(values))
