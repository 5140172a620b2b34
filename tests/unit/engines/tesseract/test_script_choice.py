"""Which packs read the lines of a page, by a stand-in for Tesseract and its detection of the script."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from PIL import Image

from rayocr.engines.tesseract.program import Orientation
from rayocr.engines.tesseract.script_choice import ScriptChoice
from rayocr.errors import LanguagePackMissing

LINES = [np.full((40, 400), 255, np.uint8)] * 12
ALL = ("amh", "ara", "fas", "chi_sim", "ell", "eng", "heb", "hin", "jpn", "kat", "kor", "mal", "osd", "rus", "ukr", "tam", "tha")


class Detects:
    version = "5"

    def __init__(self, script: str, confidence: float) -> None:
        self.script, self.confidence = script, confidence

    def languages(self) -> tuple[str, ...]:
        return ALL

    def read_tsv(self, image: Image.Image, *, languages: str, dpi: int, as_block: bool = False) -> str:
        raise AssertionError("ScriptChoice reads samples only")

    def detect_orientation(self, image: Image.Image, *, dpi: int, least_letters: int = 50) -> Orientation | None:
        return Orientation(quarter_turns=0, turn_confidence=9, script=self.script, script_confidence=self.confidence)


class Samples:
    def __init__(self, **confidences: float) -> None:
        self.confidences = confidences
        self.tried: list[tuple[str, int]] = []

    def __call__(self, packs: Sequence[str], lines: Sequence[Any]) -> float:
        self.tried.append(("+".join(packs), len(lines)))
        return self.confidences.get(packs[0], 0.0)


def test_korean_is_one_script_although_tesseract_is_not_sure_of_its_name() -> None:
    samples = Samples(tha=0.64, kor=0.55)
    assert ScriptChoice(Detects("Hangul", 0.0), samples).packs_of(LINES) == ("kor",)
    assert samples.tried == [("kor", 8)]


def test_of_other_packs_each_reads_few_lines_with_one_language() -> None:
    samples = Samples(kat=0.7)
    assert ScriptChoice(Detects("Latin", 3.0), samples).packs_of(LINES) == ("kat",)
    assert set(samples.tried) >= {("rus", 3), ("ara", 3), ("tam", 3)}
    assert not {pack for pack, _ in samples.tried} & {"rus+ukr", "ara+fas", "chi_sim", "jpn", "eng"}


def test_what_the_first_script_left_is_tried_with_frequent_scripts_only() -> None:
    samples = Samples(tam=0.7)
    choice = ScriptChoice(Detects("Latin", 3.0), samples)
    choice.accept()
    assert choice.packs_of(LINES) == ()
    assert [pack for pack, _ in samples.tried] == ["rus", "ell", "ara", "heb", "hin", "kor", "tha"]


@pytest.mark.parametrize(("confidence", "packs"), [(2.7, ("kat",)), (9.0, ("ara", "fas", "eng"))])
def test_a_script_that_is_not_certain_is_checked_with_a_sample(confidence: float, packs: tuple[str, ...]) -> None:
    assert ScriptChoice(Detects("Arabic", confidence), Samples(kat=0.7)).packs_of(LINES) == packs


def test_a_pack_that_read_nothing_is_not_chosen_again() -> None:
    samples = Samples(kat=0.7, kor=0.8)
    choice = ScriptChoice(Detects("Korean", 9.0), samples)
    choice.refuse(choice.packs_of(LINES))
    assert choice.packs_of(LINES) == ("kat",)


@pytest.mark.parametrize(("confidence", "is_doubtful"), [(2.7, True), (9.0, False)])
def test_a_missing_pack_for_a_script_that_is_not_certain_may_be_that_of_another_language(
    confidence: float, is_doubtful: bool
) -> None:
    with pytest.raises(LanguagePackMissing, match="tesseract-ocr-bod") as missing:
        ScriptChoice(Detects("Tibetan", confidence), Samples()).packs_of(LINES)
    assert ("low confidence" in str(missing.value)) == is_doubtful
