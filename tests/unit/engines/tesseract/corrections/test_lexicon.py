"""The word list inside a pack, and words that are joined or chosen because of it."""

from __future__ import annotations

import struct
from pathlib import Path

from rayocr.engines.tesseract.corrections.lexicon import lexicon_of
from rayocr.engines.tesseract.lines import TsvWord
from rayocr.engines.tesseract.voting import agreed, with_joined

LETTERS = ["NULL", "a", "b", "c"]
LAST, END = 1, 4


def edge(letter: str, following: int, flags: int) -> int:
    return LETTERS.index(letter) | flags << 3 | following << 6


def pack(edges: list[int]) -> bytes:
    """Returns a pack with the parts 19 (words) and 21 (letters)."""
    graph = struct.pack("<hii", 42, len(LETTERS), len(edges)) + struct.pack(f"<{len(edges)}Q", *edges)
    letters = (f"{len(LETTERS)}\n" + "".join(f"{letter} 0 Common\n" for letter in LETTERS)).encode()
    start = 4 + 24 * 8
    places = {19: start, 21: start + len(graph)}
    return struct.pack("<i24q", 24, *(places.get(part, -1) for part in range(24))) + graph + letters


def test_the_words_of_a_pack_are_known(tmp_path: Path) -> None:
    # Words: ab, abc, c. The root has two edges; "c" ends a word and has no letter after it.
    edges = [edge("a", 2, 0), edge("c", 0, LAST | END), edge("b", 3, LAST | END), edge("c", 0, LAST | END)]
    (tmp_path / "ara.traineddata").write_bytes(pack(edges))
    lexicon = lexicon_of(tmp_path, "ara")
    assert lexicon is not None
    words = ("ab", "abc", "c", "a", "b", "ac", "cc", "ca", "abcc", "x", "")
    assert [word for word in words if word in lexicon] == ["ab", "abc", "c"]


def test_a_damaged_or_missing_pack_has_no_words(tmp_path: Path) -> None:
    (tmp_path / "fas.traineddata").write_bytes(pack([edge("a", 0, LAST | END)])[:-90])
    (tmp_path / "urd.traineddata").write_bytes(b"\x18\x00")
    assert [lexicon_of(tmp_path, name) for name in ("fas", "urd", "ara")] == [None] * 3
    assert lexicon_of(None, "ara") is None


def word(text: str, confidence: float = 0.9, *, foreign: bool = False) -> TsvWord:
    return TsvWord(text, 0, 30, 40, 40, confidence, spaced=True, foreign=foreign)


def joined(words: list[str], known: set[str]) -> list[str]:
    return [found.text for found in with_joined([word(text) for text in words], known)]


def test_two_parts_of_a_known_word_are_joined_after_a_letter_that_does_not_join() -> None:
    known = {"سياسية", "على", "قدم", "بلا"}
    assert joined(["سيا", "سية،", "على"], known) == ["سياسية،", "على"]
    assert joined(["سيا", "سية"], known | {"سيا", "سية"}) == ["سيا", "سية"]  # both are words
    assert joined(["قد", "م"], known) == ["قدم"]
    assert joined(["بل", "ا"], known) == ["بل", "ا"]  # lam joins the next letter


def test_a_known_word_wins_against_a_surer_one() -> None:
    readings = [[word("نزيبة", 0.8)], [word("نزيهة", 0.7)], [word("نزيبة", 0.1)]]
    assert [found.text for found in agreed(readings)] == ["نزيبة"]
    assert [found.text for found in agreed(readings, {"نزيهة"})] == ["نزيهة"]
