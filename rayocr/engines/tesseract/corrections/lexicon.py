"""Reads the word list inside a Tesseract pack: a graph of letters (a "squished DAWG") that its language model uses."""

from __future__ import annotations

import struct
from array import array
from functools import lru_cache
from pathlib import Path

_WORDS, _LETTERS = 19, 21  # numbers of the parts for the words and the letters in a pack
_MAGIC, _HEADER = 42, 10  # first number of the graph, and bytes before its edges
_FLAGS, _IS_LAST, _IS_END = 3, 1, 4  # bits of flags; flags of a node's last edge, and of an edge that ends a word
_MOST_BYTES = 40_000_000


class Lexicon:
    """The words of a pack. `edges` have 64 bits each: the letter, three flags, and the edge at which the next node starts."""

    def __init__(self, letters: list[str], edges: array[int]) -> None:
        self._numbers = {letter: number for number, letter in enumerate(letters)}
        self._bits = len(letters).bit_length()
        self._edges = edges

    def __contains__(self, word: object) -> bool:
        if not isinstance(word, str):
            return False
        node, is_end = 0, False
        for letter in word:
            edge = self._edge(node, self._numbers.get(letter, -1))
            if edge is None or (node, is_end) == (0, True):
                return False
            node = edge >> (self._bits + _FLAGS)
            is_end = bool(edge >> self._bits & _IS_END)
            if node == 0 and not is_end:
                return False
        return is_end

    def _edge(self, node: int, letter: int) -> int | None:
        mask = (1 << self._bits) - 1
        for place in range(node, len(self._edges)):
            edge = self._edges[place]
            if edge & mask == letter:
                return edge
            if edge >> self._bits & _IS_LAST:
                break
        return None


@lru_cache(maxsize=4)
def lexicon_of(folder: Path | None, pack: str) -> Lexicon | None:
    """Returns the words of a pack in Tesseract's data folder; None if it has none or cannot be read."""
    if folder is None:
        return None
    try:
        path = folder / f"{pack}.traineddata"
        if path.stat().st_size > _MOST_BYTES:
            return None
        return _parsed(path.read_bytes())
    except (OSError, struct.error, ValueError, IndexError):
        return None


def _parsed(data: bytes) -> Lexicon | None:
    (count,) = struct.unpack_from("<i", data)
    starts = struct.unpack_from(f"<{count}q", data, 4)
    if count <= _LETTERS or starts[_WORDS] < 0 or starts[_LETTERS] < 0:
        return None

    def part(number: int) -> bytes:
        return data[starts[number] : min((start for start in starts if start > starts[number]), default=len(data))]

    letters = [row.split(" ", 1)[0] for row in part(_LETTERS).decode().splitlines()[1:]]
    graph = part(_WORDS)
    magic, size, edges = struct.unpack_from("<hii", graph)
    if magic != _MAGIC or size != len(letters):
        return None
    return Lexicon(letters, array("Q", graph[_HEADER : _HEADER + 8 * edges]))
