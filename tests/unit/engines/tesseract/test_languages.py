"""The languages of one script: a stand-in for Tesseract answers with one word for each line, as sure as the pack is given."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from rayocr.engines.tesseract.languages import packs_of_language
from rayocr.engines.tesseract.line_sheet import HEIGHT
from rayocr.engines.tesseract.program import Orientation

LINE = np.full((40, 400), 255, np.uint8)


class Packs:
    version = "5"

    def __init__(self, confidences: dict[str, tuple[int, ...]]) -> None:
        self.confidences = confidences

    def languages(self) -> tuple[str, ...]:
        return (*self.confidences, "eng", "osd")

    def read_tsv(self, image: Image.Image, *, languages: str, dpi: int, as_block: bool = False) -> str:
        pitch = HEIGHT + HEIGHT // 2
        return "\n".join(
            f"5\t1\t1\t1\t{row}\t1\t40\t{HEIGHT // 2 + pitch * row + 10}\t90\t36\t{confidence}\tword"
            for row, confidence in enumerate(self.confidences[languages])
        )

    def detect_orientation(self, image: Image.Image, *, dpi: int, least_letters: int = 50) -> Orientation | None:
        return None


@pytest.mark.parametrize(
    ("packs", "confidences", "chosen"),
    [
        (("ara", "fas", "urd", "eng"), {"ara": (86, 90), "fas": (74, 80), "urd": (72, 79)}, ("ara", "eng")),
        (("ara", "fas", "urd", "eng"), {"ara": (75, 74), "fas": (90, 91), "urd": (80, 79)}, ("fas", "eng")),
        (("ara", "fas", "urd", "eng"), {"ara": (75, 74), "fas": (90, 91), "urd": (89, 90)}, ("fas", "eng")),
        # No more than three packs of the script are on the first list; the fourth may be the right one.
        (("rus", "ukr", "bul"), {"rus": (70, 70), "ukr": (71, 70), "bul": (72, 70), "srp": (93, 92)}, ("srp",)),
        (("hin", "mar", "eng"), {"hin": (91, 90), "mar": (90, 92)}, ("mar", "hin", "eng")),
        (("hin", "mar", "nep"), {"hin": (82, 80), "mar": (90, 92), "nep": (79, 79), "san": (60, 60)}, ("mar", "hin", "nep")),
        (("rus", "ukr"), {"rus": (94, 95, 92, 70, 71), "ukr": (75, 74, 71, 95, 93)}, ("rus", "ukr")),
        (("kor",), {"kor": (90, 90)}, ("kor",)),
        (("Arabic", "eng"), {"Arabic": (90, 90), "ara": (95, 95)}, ("Arabic", "eng")),
    ],
    ids=[
        "Arabic",
        "Persian",
        "Persian, not Urdu",
        "Serbian",
        "too close to tell",
        "Devanagari",
        "two languages on a page",
        "one pack",
        "pack of a script",
    ],
)
def test_a_page_is_read_with_the_packs_of_its_own_languages(
    packs: tuple[str, ...], confidences: dict[str, tuple[int, ...]], chosen: tuple[str, ...]
) -> None:
    lines = [LINE] * len(next(iter(confidences.values())))
    assert packs_of_language(packs, lines, Packs(confidences)) == chosen


def test_letters_that_arabic_lacks_show_persian_even_if_the_arabic_pack_is_surer() -> None:
    class Persian(Packs):
        def read_tsv(self, image: Image.Image, *, languages: str, dpi: int, as_block: bool = False) -> str:
            text = "نمایشگر" if languages == "fas" else "نمايشكر"
            return super().read_tsv(image, languages=languages, dpi=dpi).replace("word", text)

    confidences = {"ara": (80, 80, 80), "fas": (77, 77, 77), "urd": (70, 70, 70)}
    assert packs_of_language(("ara", "fas", "urd"), [LINE] * 3, Persian(confidences)) == ("fas",)


def test_the_pack_of_the_page_reads_its_lines() -> None:
    from rayocr.engines.tesseract.other_scripts import OtherScripts

    class Arabic(Packs):
        def __init__(self) -> None:
            sure = {"ara": (90, 90), "fas": (70, 70)}
            super().__init__(sure | dict.fromkeys(("ara+fas", "ara+fas+eng", "ara+eng"), (80, 80)))

        def languages(self) -> tuple[str, ...]:
            return ("ara", "fas", "eng", "osd")

        def read_tsv(self, image: Image.Image, *, languages: str, dpi: int, as_block: bool = False) -> str:
            return super().read_tsv(image, languages=languages, dpi=dpi).replace("word", languages.replace("+", "_"))

        def detect_orientation(self, image: Image.Image, *, dpi: int, least_letters: int = 50) -> Orientation | None:
            return Orientation(quarter_turns=0, turn_confidence=9, script="Arabic", script_confidence=9)

    found = OtherScripts(tesseract=Arabic()).read([LINE, LINE])
    assert {reading.text for reading in found} == {"ara_eng"}
