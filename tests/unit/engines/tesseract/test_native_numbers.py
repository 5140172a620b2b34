"""Numbers in Arabic, Persian and Thai digits, drawn in fonts of the development packages."""

from __future__ import annotations

import random
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from rayocr.engines.rapidocr.recognizer.decoding import LineReading
from rayocr.engines.rapidocr.unknown_scripts import UnknownScripts
from rayocr.engines.tesseract.line_sheet import LineSheet
from rayocr.engines.tesseract.lines import TsvLine, TsvWord
from rayocr.engines.tesseract.native_digits.classifier import classifier_of
from rayocr.engines.tesseract.native_digits.numbers import NativeNumbers, lone_numbers
from rayocr.engines.tesseract.native_digits.runs import numbers_of
from rayocr.engines.tesseract.other_scripts import OtherReading, OtherScripts


def find_fonts(package: str) -> Path:
    spec = find_spec(package)
    assert spec is not None and spec.origin is not None
    return Path(spec.origin).parent


AMIRI = find_fonts("fontpkg_amiri") / "files" / "Amiri-Regular.ttf"
ARABIC = find_fonts("manimgx_fonts") / "NotoSansArabic[wght].ttf"
THAI = find_fonts("manimgx_fonts") / "NotoSansThai[wght].ttf"
HELD_OUT = Path("/usr/share/fonts/truetype/dejavu/DejaVuSansMono.ttf")  # DejaVu Sans was trained on
ARABIC_CLASSIFIER, THAI_CLASSIFIER = classifier_of("ara"), classifier_of("tha")


def drawn(text: str, font: Path = AMIRI, *, size: int = 34, blur: float = 0.6) -> Any:
    """Draws each character at its place from left to right; words of letters must be given as they are shown."""
    face = ImageFont.truetype(font, size, layout_engine=ImageFont.Layout.BASIC)
    picture = Image.new("L", (round(face.getlength(text)) + size, 2 * size), 245)
    ImageDraw.Draw(picture).text((size // 2, size // 4), text, font=face, fill=20)
    return np.asarray(picture.filter(ImageFilter.GaussianBlur(blur)))


def numbers(text: str, font: Path = AMIRI, **options: float) -> list[str]:
    classifier = THAI_CLASSIFIER if font == THAI else ARABIC_CLASSIFIER
    assert classifier is not None
    return [number.text for number in numbers_of(drawn(text, font, **options), classifier)]  # type: ignore[arg-type]


@pytest.mark.parametrize("font", [AMIRI, ARABIC])
def test_arabic_numbers_are_read_with_their_zeros_and_slashes(font: Path) -> None:
    text = "٢٠٠٥ ٩٨٧٦ ١٣٤٥ ١٩٨٠ ١٢" + ("/٣/١٩٨٠" if font == AMIRI else "")  # the other font has no slash
    assert numbers(text, font) == text.split()


def test_persian_digits_have_their_own_shapes() -> None:
    assert numbers("۴۵۶۷ ۱۹۴۶") == ["۴۵۶٧", "١٩۴۶"]  # all other digits look alike


def test_thai_numbers_are_read() -> None:
    assert numbers("๑๒๓๔๕ ๖๗๘๙๐ ๒๕๖๗", THAI) == ["๑๒๓๔๕", "๖๗๘๙๐", "๒๕๖๗"]


def test_latin_digits_and_words_are_no_native_numbers() -> None:
    assert numbers("2005 Page 1980") == []
    assert numbers("كتاب المدينة هذا") == []
    assert numbers("ราคา สินค้า", THAI) == []


def test_a_single_alef_beside_a_number_is_not_its_first_digit() -> None:
    assert numbers("باا ٢٥٨") == ["٢٥٨"]


@pytest.mark.skipif(not HELD_OUT.exists(), reason="the font is not installed")
def test_most_numbers_in_a_font_that_was_not_trained_on_are_read_and_hardly_one_is_wrong_without_a_doubt() -> None:
    assert ARABIC_CLASSIFIER is not None
    dice, right, wrong = random.Random(1), 0, 0
    for size in (22, 30, 44) * 10:
        text = "".join(dice.choice("٠١٢٣٤٥٦٧٨٩") for _ in range(dice.randint(2, 5)))
        found = numbers_of(drawn(text, HELD_OUT, size=size), ARABIC_CLASSIFIER)
        is_right = [number.text for number in found] == [text]
        right += is_right
        wrong += not is_right and bool(found) and all(number.text and number.probability >= 0.7 for number in found)
    assert right >= 24 and wrong <= 1


@pytest.mark.parametrize("text", ["١٠:٣٠", "١٩٩٠-١٩٩٥", "٣-٥", "٠,٥", "١١١"])
def test_times_ranges_and_decimals_are_one_number(text: str) -> None:
    assert numbers(text) == [text]


@pytest.mark.parametrize("text", ["٢٥٪", "(٢٥)", "٢٥؛", "٢٥:", "-٢٥"])
def test_signs_beside_a_number_are_left_to_the_pack(text: str) -> None:
    assert numbers(text) == ["٢٥"]


@pytest.mark.parametrize("text", [".٢٥", "٢٥%", "٢٥$", "١٢٫٥", "٠٥٠-١٢٣-٤٥٦٧", "+٩٦٦٥٠١"])
def test_a_number_beside_what_may_be_a_part_of_it_is_doubtful(text: str) -> None:
    assert ARABIC_CLASSIFIER is not None
    found = numbers_of(drawn(text), ARABIC_CLASSIFIER)
    assert found and any(number.probability < 0.7 or not number.text for number in found)


class NoReading:
    """Tesseract without an answer."""

    version = "5"

    def languages(self) -> tuple[str, ...]:
        return ("ara",)

    def data_folder(self) -> Path | None:
        return None

    def read_tsv(self, *_: object, **__: object) -> str:
        return ""

    def detect_orientation(self, *_: object, **__: object) -> None:
        return None


def test_a_number_takes_its_place_between_the_words_from_right_to_left() -> None:
    assert ARABIC_CLASSIFIER is not None
    line = drawn("بب ٢٠٢٤ بب")
    found = NativeNumbers([line], "ara", ARABIC_CLASSIFIER)
    (picture,) = found.pictures
    assert picture.shape[1] < line.shape[1]
    sheet = LineSheet([picture])
    width = LineSheet([picture]).position_of(0, picture.shape[1])[0]
    words = [TsvWord("سنة", width - 80, 0, 40, 40, 0.9), TsvWord("كتب", 40, 0, 40, 40, 0.9)]
    assert TsvLine(tuple(found.with_numbers(0, words, sheet))).text == "سنة ٢٠٢٤ كتب"


def test_both_sides_of_a_dash_are_written_from_right_to_left_in_arabic_only() -> None:
    (arabic,), (persian,) = lone_numbers([drawn("٢٧-٨٩")], "٢"), lone_numbers([drawn("۲۷-۸۹")], "۲")
    assert (arabic[0], persian[0]) == ("٨٩-٢٧", "۲۷-۸۹")


def test_a_page_of_arabic_numbers_is_read_although_the_pack_reads_none() -> None:
    scripts = OtherScripts(tesseract=NoReading())
    read = scripts.read([drawn("١٩٩٦"), drawn("٢٣/٤/٢٠١٧")], likely="ara", read_latin=lambda _: [])
    assert [reading.text for reading in read] == ["١٩٩٦", "٢٣/٤/٢٠١٧"]


def test_a_number_of_which_only_a_part_is_found_makes_its_line_doubtful() -> None:
    assert ARABIC_CLASSIFIER is not None
    lines = [drawn("٢٤٨٧"), drawn("٢٤نن٨٧")]
    found = NativeNumbers(lines, "ara", ARABIC_CLASSIFIER)
    assert [found.is_doubtful(n) for n in range(2)] == [False, True]


class ReadsOneLine:
    """Reads the first line only, and other numbers with the classifier."""

    def read(self, lines: Any, **_: object) -> list[OtherReading]:
        return [OtherReading("في سنة ٢٠٢٤", 0.9)] * len(lines)

    read_numbers = partial(OtherScripts.read_numbers, OtherScripts())

    def require(self, pack: str) -> None: ...

    def missing_pack(self, lines: Any) -> str:
        return ""


def test_cells_that_the_models_read_as_other_digits_are_read_again() -> None:
    cell = drawn("١٥")
    page = np.full((600, 900), 245, np.uint8)
    page[20 : 20 + cell.shape[0], 20 : 20 + cell.shape[1]] = cell
    boxes = [(20, 20, 20 + cell.shape[1], 20 + cell.shape[0]), (20, 200, 800, 240), (20, 300, 800, 340), (20, 400, 800, 440)]
    quads = np.array([[(x0, y0), (x1, y0), (x1, y1), (x0, y1)] for x0, y0, x1, y1 in boxes], np.float32)
    ours = [LineReading("10", 0.99, 0.99), *[LineReading(" ", 0.9, 0.9)] * 3]
    reader = UnknownScripts(ReadsOneLine(), lambda _: [])  # type: ignore[arg-type]
    read, _ = reader.read(page, quads, ours, [1.6, 19.5, 19.5, 19.5])
    assert read[0].text == "١٥"
