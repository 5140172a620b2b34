"""The places of the letters of a word, for lines that pass between them: a line that strikes a part of a word, or the border of a
cell."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rayocr.pdf.textlayer.glyphs.characters import Characters
from rayocr.pdf.textlayer.lines import Word

Span = tuple[float, float]
LettersOf = Callable[[Word], Sequence[Span]]


def letters_of(characters: Characters | None) -> LettersOf:
    """Returns a function that returns the left and the right end of each character of a word's text; nothing if they are unknown,
    as in words that are read from right to left."""
    if characters is None:
        return lambda word: ()
    places: dict[int, int] = {}

    def of_word(word: Word) -> list[Span]:
        if not places:
            places.update((index, place) for place, index in enumerate(characters.indexes))
        place, text = places.get(word.first, len(characters)), ""
        spans: list[Span] = []
        while place < len(characters) and len(text) < len(word.text):
            text += characters.texts[place]
            spans += [(float(characters.x0[place]), float(characters.x1[place]))] * len(characters.texts[place])
            place += 1
        return spans if text == word.text else []

    return of_word
