"""Judges line breaks: whether a sentence continues behind one, and whether the next word would have fitted before it."""

from __future__ import annotations

from rayocr.engines.layout.rows import Row

SENTENCE_CHARS = 25  # shorter lines may be a list of words, one per line
SENTENCE_END = tuple(".!?:;。！？।॥")
_CLOSING = "\"'”’»)]*"
_LONGEST_WORD, _LONGEST_ADDRESS = 30, 100  # limits for Chinese, which is written without spaces


def is_mid_sentence(above: Row) -> bool:
    """Returns whether the row is long and ends without a punctuation mark."""
    return len(above.text) > SENTENCE_CHARS and not above.text.rstrip(_CLOSING).endswith(SENTENCE_END)


def has_room_for(row: Row, above: Row, right: float) -> bool:
    """Returns whether the row's first word would have fitted at the end of the row above: then the line break is intended."""
    text = row.text
    char_width = (row.x1 - row.x0) / max(len(text), 1)
    first_word = text.split(" ", 1)[0][: _LONGEST_ADDRESS if text[:1].isascii() else _LONGEST_WORD]
    return above.x1 + (len(first_word) + 2.5) * char_width < right
