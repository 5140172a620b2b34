"""Lines in scripts that rapidocr does not know, read by a stand-in for Tesseract: it answers with one word for each line of the
block."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from PIL import Image

from rayocr.engines.rapidocr.engine import RapidOcrEngine
from rayocr.engines.rapidocr.image import TurnedPage
from rayocr.engines.rapidocr.orientation import OrientedReader
from rayocr.engines.rapidocr.recognizer.decoding import NOTHING_READ, LineReading
from rayocr.engines.rapidocr.unknown_scripts import UnknownScripts
from rayocr.engines.tesseract.line_sheet import HEIGHT
from rayocr.engines.tesseract.lines import lines_of_tsv
from rayocr.engines.tesseract.other_scripts import OtherScripts
from rayocr.engines.tesseract.program import Orientation
from rayocr.errors import LanguagePackMissing

GAP = HEIGHT // 2
LINE = np.full((40, 400), 255, np.uint8)


def tsv(*words: tuple[int, int, int, int, str]) -> str:
    """Takes (line, left, width, confidence, text); the line spacing is that of a LineSheet."""
    return "\n".join(
        f"5\t1\t1\t1\t{line}\t{left}\t{left}\t{GAP + (HEIGHT + GAP) * line + 10}\t{width}\t36\t{confidence}\t{text}"
        for line, left, width, confidence, text in words
    )


class FakeTesseract:
    version = "5"

    def __init__(self, answers: dict[str, str], *, script: str | None = None, installed: tuple[str, ...] = ()) -> None:
        self.answers = answers
        self.script = script
        self.installed = installed or tuple({pack for packs in answers for pack in packs.split("+")} | {"osd", "eng"})
        self.asked: list[str] = []

    def languages(self) -> tuple[str, ...]:
        return self.installed

    def data_folder(self) -> None:
        return None

    def read_tsv(self, image: Image.Image, *, languages: str, dpi: int, as_block: bool = False) -> str:
        assert as_block
        self.asked.append(languages)
        return self.answers.get(languages, "")

    def detect_orientation(self, image: Image.Image, *, dpi: int, least_letters: int = 50) -> Orientation | None:
        return Orientation(quarter_turns=0, turn_confidence=9, script=self.script, script_confidence=9) if self.script else None


def read(tesseract: FakeTesseract, count: int = 2) -> list[tuple[str, float]]:
    found = OtherScripts(tesseract=tesseract).read([LINE] * count)
    return [(reading.text, round(reading.confidence, 3)) for reading in found]


def test_the_words_of_each_line_come_back_to_it() -> None:
    block = tsv((0, 30, 90, 90, "नगर"), (0, 130, 90, 90, "परिषद"), (1, 30, 90, 80, "शासन"))
    assert read(FakeTesseract({"hin+eng": block}, script="Devanagari")) == [("नगर परिषद", 0.9), ("शासन", 0.8)]


def test_marks_that_tesseract_reads_as_a_line_of_their_own_are_left_out() -> None:
    rows = [(GAP + 30, 36, 0, 30, 300, "กฎหมาย"), (GAP + 2, 10, 1, 60, 40, "a"), (GAP + 30, 36, 2, 350, 90, "ใหม่")]
    block = "\n".join(
        f"5\t1\t1\t1\t{line}\t{line}\t{left}\t{top}\t{width}\t{height}\t90\t{text}"
        for top, height, line, left, width, text in rows
    )
    assert read(FakeTesseract({"tha": block, "tha+eng": block}, script="Thai"), 1) == [("กฎหมาย ใหม่", 0.9)]


def test_where_the_script_is_not_seen_the_packs_that_read_best_are_taken() -> None:
    fake = FakeTesseract(
        {"hin": tsv((0, 30, 90, 20, "x"), (1, 30, 90, 20, "x")), "rus": tsv((0, 30, 90, 95, "да"), (1, 30, 90, 95, "нет"))}
    )
    assert read(fake) == [("да", 0.95), ("нет", 0.95)]


def test_a_second_script_is_searched_for_in_what_the_first_left() -> None:
    class FirstLineRussian(FakeTesseract):
        def read_tsv(self, image: Image.Image, *, languages: str, dpi: int, as_block: bool = False) -> str:
            answers = {(2, "rus"): tsv((0, 30, 90, 95, "да")), (1, "ell"): tsv((0, 30, 90, 70, "ναι"))}
            return answers.get((image.height // (HEIGHT + GAP), languages), "")

    fake = FirstLineRussian({"rus": "", "ell": ""})
    assert read(fake) == [("да", 0.95), ("ναι", 0.7)]


@pytest.mark.parametrize("script", ["Greek", "Arabic"])
def test_doubtful_lines_are_read_at_several_sizes(script: str) -> None:
    pack = {"Greek": "ell", "Arabic": "ara"}[script]
    asked: list[tuple[int, int]] = []

    class Doubtful(FakeTesseract):
        def read_tsv(self, image: Image.Image, *, languages: str, dpi: int, as_block: bool = False) -> str:
            asked.append(image.size)
            return tsv((0, 30, 90, 70, "ναι"), (1, 30, 90, 95, "όχι"))

    fake = Doubtful({pack: ""}, script=script)
    OtherScripts(tesseract=fake).read([LINE, LINE], read_latin=lambda crops: [NOTHING_READ] * len(crops))
    assert len(asked) > 2


def test_a_second_script_needs_more_confidence() -> None:
    class FirstLineGreek(FakeTesseract):
        def read_tsv(self, image: Image.Image, *, languages: str, dpi: int, as_block: bool = False) -> str:
            answers = {(2, "ell"): tsv((0, 30, 90, 95, "ναι")), (1, "rus"): tsv((0, 30, 90, 64, "тоот"))}
            return answers.get((image.height // (HEIGHT + GAP), languages), "")

    assert read(FirstLineGreek({"ell": "", "rus": ""})) == [("ναι", 0.95), ("", 0.0)]


def test_digits_alone_are_no_second_script() -> None:
    class FirstLineHebrew(FakeTesseract):
        def read_tsv(self, image: Image.Image, *, languages: str, dpi: int, as_block: bool = False) -> str:
            answers = {(2, "heb"): tsv((0, 30, 90, 95, "כן")), (1, "hin"): tsv((0, 30, 90, 60, "४२८५"))}
            return answers.get((image.height // (HEIGHT + GAP), languages), "")

    assert read(FirstLineHebrew({"heb": "", "hin": ""})) == [("כן", 0.95), ("", 0.0)]


@pytest.mark.parametrize(
    ("confidence", "text", "doubts"),
    [(90, "כן", ()), (67, "35", ("low_confidence",)), (0, "", ("low_confidence",))],
)
def test_a_line_that_tesseract_reads_badly_or_not_at_all_is_a_doubt(confidence: int, text: str, doubts: tuple[str, ...]) -> None:
    class NineLines(FakeTesseract):
        def read_tsv(self, image: Image.Image, *, languages: str, dpi: int, as_block: bool = False) -> str:
            rows = [(row, 30, 90, 95, "כן") for row in range(8)]
            return tsv(*rows, (8, 30, 90, confidence, text)) if image.height > 8 * (HEIGHT + GAP) else ""

    fake = NineLines({"heb": ""}, script="Hebrew")
    mixed = Mixed(RapidOcrEngine(other_scripts=OtherScripts(tesseract=fake)), unread=0)
    mixed.readings = [LineReading(". ,", 0.9, 0.9)] * 8 + [LineReading("siJ", 0.33, 0.17)]
    mixed.aspects = [22.0] * 8 + [2.0]
    assert mixed.doubts() == doubts


def test_a_pack_that_the_text_itself_points_to_is_taken_first() -> None:
    fake = FakeTesseract({"ell": tsv((0, 30, 90, 95, "ναι"), (1, 30, 90, 95, "όχι"))}, script="Cyrillic")
    found = OtherScripts(tesseract=fake).read([LINE, LINE], likely="ell")
    assert [reading.text for reading in found] == ["ναι", "όχι"]
    assert fake.asked == ["ell"]


def test_a_script_without_a_pack_names_the_package() -> None:
    with pytest.raises(LanguagePackMissing, match="tesseract-ocr-hin"):
        read(FakeTesseract({}, script="Devanagari", installed=("eng", "osd")))


def test_what_no_pack_reads_stays_empty() -> None:
    assert read(FakeTesseract({"rus": tsv((0, 30, 90, 30, "x"))})) == [("", 0.0), ("", 0.0)]


def test_korean_syllables_are_words_only_where_there_is_a_gap() -> None:
    (line,) = lines_of_tsv(tsv((0, 30, 36, 90, "도"), (0, 68, 36, 90, "서"), (0, 106, 36, 90, "관은"), (0, 160, 36, 90, "매일")))
    assert line.text == "도서관은 매일"


class Mixed:
    """English lines with text, and lines with almost no text."""

    def __init__(self, engine: RapidOcrEngine, unread: int) -> None:
        english = [LineReading("a line of English text that was read", 0.98, 0.9)] * 4
        self.readings = english + [LineReading(". ,", 0.9, 0.9)] * unread
        self.engine = engine
        self.aspects: list[float] = []
        self.recognize: Any = None

    def result(self) -> list[str]:
        return [line.text for line in self.answer()[0]]

    def doubts(self) -> tuple[str, ...]:
        return self.answer()[1]

    def answer(self) -> tuple[list[Any], tuple[str, ...]]:
        count = len(self.readings)
        quads = np.array([[(0, 50 * n), (900, 50 * n), (900, 50 * n + 40), (0, 50 * n + 40)] for n in range(count)], np.float32)
        image: Any = np.full((50 * count + 50, 1000), 255, np.uint8)
        unknown = UnknownScripts(self.engine._other_scripts, self.recognize)
        return unknown.read(image, quads, list(self.readings), self.aspects or [22.0] * count)


def test_on_a_mixed_page_each_line_goes_to_the_engine_that_knows_its_script() -> None:
    fake = FakeTesseract({"hin+eng": tsv((0, 30, 90, 90, "नगर"), (1, 30, 90, 90, "शासन"))}, script="Devanagari")
    lines = Mixed(RapidOcrEngine(other_scripts=OtherScripts(tesseract=fake)), unread=2).result()
    assert lines[3:] == ["a line of English text that was read", "नगर", "शासन"]


def test_misread_words_that_no_engine_reads_are_a_doubt() -> None:
    for other_scripts in (None, OtherScripts(tesseract=FakeTesseract({"rus": ""}))):
        mixed = Mixed(RapidOcrEngine(other_scripts=other_scripts), unread=0)
        mixed.readings = [LineReading("Egaall", 0.6, 0.3)] * 4 + [LineReading("1,204.88", 0.99, 0.9)] * 9
        mixed.aspects = [2.0] * 13
        assert mixed.doubts() == ("low_confidence",)


def test_packs_that_read_only_digits_are_not_chosen() -> None:
    fake = FakeTesseract({"hin": tsv((0, 30, 90, 95, "००"), (1, 30, 90, 95, "००")), "rus": tsv((0, 30, 90, 80, "да"))})
    assert read(fake, count=1) == [("да", 0.8)]


def test_a_page_in_one_unknown_script_is_left_to_tesseract() -> None:
    fake = FakeTesseract({}, script="Devanagari", installed=("eng", "osd"))
    engine = RapidOcrEngine(other_scripts=OtherScripts(tesseract=fake))
    assert Mixed(engine, unread=20).result()[4:] == [". ,"] * 20
    assert fake.asked == []


@pytest.mark.parametrize(("script", "doubt"), [("Cyrillic", "pack_missing:rus"), (None, "pack_missing:unknown")])
def test_a_single_line_that_was_not_read_is_a_doubt(script: str | None, doubt: str) -> None:
    fake = FakeTesseract({}, script=script, installed=("eng", "osd"))
    mixed = Mixed(RapidOcrEngine(other_scripts=OtherScripts(tesseract=fake)), unread=1)
    mixed.readings = mixed.readings[:1] * 20 + mixed.readings[-1:]
    assert mixed.doubts() == (doubt,)


def test_a_page_in_vietnamese_without_its_pack_names_the_package() -> None:
    engine = RapidOcrEngine(other_scripts=OtherScripts(tesseract=FakeTesseract({}, script="Latin", installed=("eng", "osd"))))
    mixed = Mixed(engine, unread=0)
    mixed.recognize = lambda lines: [LineReading("", 0.0, 0.0)] * len(lines)
    mixed.readings = [LineReading("Hội đng thành ph đã quyt định sa cha cây cầu", 0.95, 0.9)] * 5
    with pytest.raises(LanguagePackMissing, match="tesseract-ocr-vie"):
        mixed.result()


def test_more_than_a_few_lines_in_a_script_without_a_pack_fail_the_page_and_a_few_are_a_doubt_that_names_the_pack() -> None:
    fake = FakeTesseract({}, script="Devanagari", installed=("eng", "osd"))
    mixed = Mixed(RapidOcrEngine(other_scripts=OtherScripts(tesseract=fake)), unread=2)
    mixed.readings = mixed.readings[:1] * 10 + mixed.readings[-2:]
    with pytest.raises(LanguagePackMissing, match="tesseract-ocr-hin"):
        mixed.result()
    mixed.readings = mixed.readings[:1] * 30 + mixed.readings[-2:]
    assert mixed.doubts() == ("pack_missing:hin",)


def test_a_single_greek_line_without_its_pack_is_a_doubt_that_names_the_pack() -> None:
    fake = FakeTesseract({}, script="Latin", installed=("eng", "osd"))
    mixed = Mixed(RapidOcrEngine(other_scripts=OtherScripts(tesseract=fake)), unread=0)
    mixed.readings = mixed.readings[:1] * 30 + [LineReading("Το δημοτικ συμβολιο αποφσισε να επισκευσει", 0.95, 0.9)]
    assert mixed.doubts() == ("pack_missing:ell",)


def test_a_script_that_is_uncertain_and_that_no_installed_pack_reads_names_the_package() -> None:
    class HalfSure(FakeTesseract):
        def detect_orientation(self, image: Image.Image, *, dpi: int, least_letters: int = 50) -> Orientation | None:
            return Orientation(quarter_turns=0, turn_confidence=9, script="Cyrillic", script_confidence=0.7)

    with pytest.raises(LanguagePackMissing, match="tesseract-ocr-rus"):
        read(HalfSure({"hin": tsv((0, 30, 90, 20, "x"))}))


def test_print_that_shows_through_the_paper_is_not_taken_for_another_script() -> None:
    from rayocr.engines.rapidocr.cleaning.show_through import without_faint

    quads = np.array([[(0, 50 * n), (900, 50 * n), (900, 50 * n + 40), (0, 50 * n + 40)] for n in range(3)], np.float32)
    image = np.full((200, 1000), 255, np.uint8)
    for line, gray in enumerate((0, 0, 200)):
        image[50 * line + 10 : 50 * line + 30, 50:800:8] = gray
    assert without_faint(image, quads, [1, 2], [22.0] * 3) == [1]


def test_if_the_detected_script_reads_nothing_the_other_packs_are_tried() -> None:
    korean = tsv((0, 30, 90, 90, "다리"), (1, 30, 90, 90, "겨울"))
    fake = FakeTesseract({"ara+eng": tsv((0, 30, 90, 20, "x"), (1, 30, 90, 20, "x")), "ara": "", "kor": korean}, script="Arabic")
    assert read(fake) == [("다리", 0.9), ("겨울", 0.9)]


def test_the_packs_of_an_uncertain_script_are_tried_first_and_alone_if_they_read_well() -> None:
    class HalfSure(FakeTesseract):
        def detect_orientation(self, image: Image.Image, *, dpi: int, least_letters: int = 50) -> Orientation | None:
            return Orientation(quarter_turns=0, turn_confidence=9, script="Korean", script_confidence=0.3)

    fake = HalfSure({"ara": "", "kor": tsv((0, 30, 90, 90, "다리"), (1, 30, 90, 90, "겨울")), "rus": ""})
    assert read(fake) == [("다리", 0.9), ("겨울", 0.9)]
    assert fake.asked == ["kor", "kor"]


def test_a_page_in_one_other_script_is_read_line_by_line_with_its_short_lines() -> None:
    rows = [(row, 30, 90, 90, "мост") for row in range(22)]
    engine = RapidOcrEngine(other_scripts=OtherScripts(tesseract=FakeTesseract({"rus": tsv(*rows)}, script=None)))
    mixed = Mixed(engine, unread=0)
    mixed.readings = [LineReading(". ,", 0.9, 0.9)] * 20 + [LineReading("合", 0.92, 0.9), LineReading("17", 0.99, 0.9)]
    mixed.aspects = [22.0] * 20 + [2.0, 1.5]
    assert mixed.result() == ["мост"] * 21 + ["17"]


def test_a_page_in_another_script_is_turned_as_tesseract_sees_it() -> None:
    class UpsideDown(FakeTesseract):
        def detect_orientation(self, image: Image.Image, *, dpi: int, least_letters: int = 50) -> Orientation | None:
            return Orientation(quarter_turns=2, turn_confidence=19, script="Arabic", script_confidence=90)

    scripts = OtherScripts(tesseract=UpsideDown({"ara": ""}))
    reader = OrientedReader(lambda lines: [LineReading(". ,", 0.6, 0.6)] * len(lines), scripts)
    quads = np.array([[(0, 50 * n), (900, 50 * n), (900, 50 * n + 40), (0, 50 * n + 40)] for n in range(9)], np.float32)
    assert reader.read(TurnedPage(np.full((500, 1000), 255, np.uint8)), quads)[0] == 2


def test_lines_that_tesseract_lost_are_read_again_at_another_size() -> None:
    class Loses(FakeTesseract):
        def read_tsv(self, image: Image.Image, *, languages: str, dpi: int, as_block: bool = False) -> str:
            self.asked.append(languages)
            first = tsv((0, 30, 90, 90, "Цена"))
            return first if len(self.asked) == 1 else tsv((0, 30, 90, 80, "билета"))

    fake = Loses({"rus": ""}, script="Cyrillic", installed=("rus", "osd"))
    found = OtherScripts(tesseract=fake).read([LINE, LINE], read_latin=lambda lines: [])
    assert [reading.text for reading in found] == ["Цена", "билета"]
    assert fake.asked == ["rus", "rus"]


@pytest.mark.parametrize(("script", "pack"), [("Hebrew", "heb"), ("Devanagari", "hin"), ("Greek", "ell"), ("Arabic", "ara")])
def test_the_english_pack_does_not_read_words_of_these_scripts(script: str, pack: str) -> None:
    fake = FakeTesseract({pack: tsv((0, 30, 90, 95, "אביה"), (1, 30, 90, 95, "קטר"))}, script=script)
    OtherScripts(tesseract=fake).read([LINE, LINE], read_latin=lambda lines: [])
    assert set(fake.asked) == {pack}


def test_a_russian_line_of_which_only_a_number_was_read_is_read_by_tesseract() -> None:
    rows = [(row, 30, 90, 90, "билета") for row in range(3)]
    engine = RapidOcrEngine(other_scripts=OtherScripts(tesseract=FakeTesseract({"rus": tsv(*rows)}, script="Cyrillic")))
    mixed = Mixed(engine, unread=2)
    mixed.readings.append(LineReading("    145 ,     .  ", 0.93, 0.9))
    assert mixed.result()[4:] == ["билета"] * 3


def test_on_a_page_in_vietnamese_lines_that_lost_fewer_letters_are_read_again_too() -> None:
    rows = [(row, 30, 90, 90, "cầu") for row in range(3)]
    engine = RapidOcrEngine(other_scripts=OtherScripts(tesseract=FakeTesseract({"vie": tsv(*rows)}, script="Latin")))
    mixed = Mixed(engine, unread=0)
    mixed.readings = [LineReading("Hội đng thành ph đã quyt định sa cha cây cầu", 0.3, 0.9)] * 2
    mixed.readings += [LineReading("chi xut hin trên báo sau mt tuàn.", 0.99, 0.9), LineReading("The ferry leaves", 0.99, 0.9)]
    assert mixed.result() == ["cầu"] * 3 + ["The ferry leaves"]
