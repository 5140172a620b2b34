"""What is done with Tesseract's words of other scripts: a vote over readings, Latin words by another reader, modern Greek."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from rayocr.engines.rapidocr.recognizer.decoding import NOTHING_READ, LineReading
from rayocr.engines.tesseract.corrections.greek import modern_greek, with_lost_spaces
from rayocr.engines.tesseract.foreign_words import with_foreign_words
from rayocr.engines.tesseract.line_sheet import LineSheet, without_remnants, without_rules
from rayocr.engines.tesseract.lines import TsvLine, TsvWord
from rayocr.engines.tesseract.voting import agreed, voted, whole_words

SHEET = LineSheet([np.full((40, 800), 255, np.uint8)])


def word(text: str, confidence: float, left: int = 0, *, spaced: bool | None = True) -> TsvWord:
    return TsvWord(text, left, 30, 40, 40, confidence, spaced)


def texts(words: Sequence[TsvWord]) -> list[str]:
    return [found.text for found in words]


def test_each_word_comes_from_the_reading_that_is_surer_of_it() -> None:
    first = [word("قبل", 0.95), word("نباية", 0.6), word("شهر", 0.9)]
    second = [word("قبل", 0.94), word("نهاية", 0.9), word("شبر", 0.5)]
    assert texts(voted([first, second])) == ["قبل", "نهاية", "شهر"]


def test_a_word_that_one_reading_lacks_is_taken_if_it_is_not_junk() -> None:
    first = [word("قبل", 0.95)]
    assert texts(voted([first, [*first, word("شهر", 0.8)]])) == ["قبل", "شهر"]
    assert texts(voted([first, [*first, word("١", 0.1)]])) == ["قبل"]


def test_two_readings_that_agree_outvote_a_surer_one() -> None:
    sure, other = [word("في", 0.9), word("شير", 0.75)], [word("في", 0.9), word("شهر", 0.6)]
    assert texts(voted([sure, other, other])) == ["في", "شير"]
    assert texts(agreed([sure, other, other, other])) == ["في", "شهر"]


def test_a_space_that_the_second_reader_found_stays_in_other_readings() -> None:
    first, other = [word("απο τις", 0.6), word("εννέα", 0.9)], [word("απότις", 0.8), word("εννέα", 0.9)]
    assert texts(voted([first, other])) == ["από τις", "εννέα"]
    assert texts(voted([[word("με", 0.7), word("την", 0.7)], [word("μετην", 0.9)]])) == ["με", "την"]


def test_parts_without_a_space_between_them_are_one_word_as_sure_as_its_worst_part() -> None:
    assert whole_words([word("다", 0.9), word("리", 0.4, 50, spaced=False)]) == [TsvWord("다리", 0, 30, 90, 40, 0.4, True)]


def test_a_bar_before_an_arabic_word_is_an_alef() -> None:
    assert texts(whole_words([word("النهر", 0.9), word("|", 0.9, 50), word("نخفض", 0.8, 60)])) == ["النهر", "انخفض"]
    assert texts(whole_words([word("a", 0.9), word("|", 0.9, 50), word("b", 0.8, 60)])) == ["a", "|", "b"]


def test_an_arabic_alef_is_not_a_word() -> None:
    assert texts(whole_words([word("ا", 0.9), word("نخفض", 0.8, 50), word("و", 0.9, 100), word("شهر", 0.9, 150)])) == [
        "انخفض",
        "و",
        "شهر",
    ]


@pytest.mark.parametrize(
    ("pack", "words", "reading", "result"),
    [
        ("kor", [word("458", 0.77), word("커널", 0.9, 60, spaced=False)], LineReading("USB", 0.99, 0.9), "USB커널"),
        ("kor", [word("64-01『", 0.1)], LineReading("64-bit", 0.99, 0.9), "64-bit"),
        ("ell", [word("ήπια", 0.2)], LineReading("Linux", 0.99, 0.9), "Linux"),
        ("vie", [word("4s", 0.87)], LineReading("45", 0.99, 0.9), "45"),
        ("vie", [word("mươi", 0.87)], LineReading("muoi", 0.99, 0.9), "mươi"),
        ("ell", [word("το", 0.87)], LineReading("to", 0.99, 0.9), "το"),
        ("ell", [word("Εάν", 0.87)], LineReading("Ev", 0.98, 0.97), "Εάν"),
        ("ell", [word("γιατις", 0.37)], LineReading("ια τι", 0.8, 0.6), "για τις"),
        ("hin", [word("2026", 0.97)], LineReading("202", 0.99, 0.9), "2026"),
        ("hin", [word("2", 0.97)], LineReading("12", 0.99, 0.9), "12"),
        ("heb", [word("2026,", 0.91)], LineReading(",2026", 0.99, 0.9), "2026,"),
        ("ara", [word("9615", 0.85)], LineReading("15%", 0.99, 0.9), "15%"),
        ("ara", [word("2026%", 0.85)], LineReading("26%", 0.99, 0.9), "2026%"),
        ("heb", [word("1930", 0.91)], LineReading(".19:30", 0.99, 0.9), "19:30."),
        ("ara", [word("4.500", 0.91)], LineReading(",4,500", 0.99, 0.9), "4,500,"),
        ("ell", [word("58", 0.91)], LineReading(".58", 0.99, 0.9), ".58"),
        ("ara", [word("عن", 0.4)], LineReading("if", 0.43, 0.3), "عن"),
        ("ara", [word("6171]3لا", 0.3)], LineReading("/var/tmp/", 0.99, 0.9), "/var/tmp/"),
        ("ara", [word("(9060,5).", 0.4)], LineReading(".(%60,5)", 0.97, 0.9), "(60,5%)."),
        ("ara", [word("2))05).", 0.2)], LineReading(".(%⁶⁰,⁵)", 0.98, 0.95), "(60,5%)."),
        ("heb", [word("ק111'1", 0.03)], LineReading("HTTP", 1.0, 1.0), "HTTP"),
        ("heb", [word("ק111'1", 0.6)], LineReading("HTTP", 1.0, 1.0), "ק111'1"),
        ("heb", [word("11", 0.3)], LineReading("HTTP)", 0.99, 0.9), "(HTTP"),
        ("heb", [word("688ע0א", 0.4)], LineReading("(Express", 0.9, 0.59), "Express)"),
        ("heb", [word("688ע0א", 0.6)], LineReading("(Express", 0.9, 0.59), "688ע0א"),
    ],
)
def test_latin_words_in_other_scripts_are_those_of_the_second_reader(
    pack: str, words: list[TsvWord], reading: LineReading, result: str
) -> None:
    asked: list[Any] = []

    def read(pictures: Sequence[Any]) -> list[LineReading]:
        asked.extend(pictures)
        return [reading] * len(pictures)

    (line,) = with_foreign_words([words], SHEET, (pack,), read)
    assert TsvLine(tuple(line)).text == result
    assert len(asked) == 1


def test_neighbors_that_tesseract_misread_are_one_latin_word_if_the_second_reader_reads_all_of_them() -> None:
    junk = [word("8177", 0.0, 60, spaced=True), word("©1010", 0.2, 0, spaced=True), word("10", 0.5, 90, spaced=True)]
    line = [word("أجر", 0.95, 120), *junk, word("التأثير", 0.96, 200, spaced=True)]
    asked: list[int] = []

    def read(pictures: Sequence[Any]) -> list[LineReading]:
        asked.append(len(pictures))
        return [LineReading("info@example.com", 0.99, 0.9)] * len(pictures)

    (found,) = with_foreign_words([line], SHEET, ("ara",), read)
    assert TsvLine(tuple(found)).text == "أجر info@example.com التأثير"
    assert asked == [2, 0]  # all three words, and the two worst of them; no word alone


@pytest.mark.parametrize(("pack", "result"), [("heb", "כפתורים (Express Keys) לשימוש"), ("ell", "כפתורים (Keys Express) לשימוש")])
def test_a_latin_phrase_in_a_line_from_right_to_left_keeps_its_own_direction(pack: str, result: str) -> None:
    keys, express = word("8ע186", 0.3, 200, spaced=True), word("688ע0א", 0.7, 100, spaced=True)
    line = [word("כפתורים", 0.95, 300), keys, express, word("לשימוש", 0.95, 0, spaced=True)]
    texts = iter([["Keys)", "(Express"], ["(Keys", "Express)"]][pack == "ell"])

    def read(pictures: Sequence[Any]) -> list[LineReading]:
        return [LineReading(next(texts), 0.99, 0.9) for _ in pictures]

    (found,) = with_foreign_words([line], SHEET, (pack,), read)
    assert TsvLine(tuple(found)).text == result


def test_a_foreign_word_of_the_first_reading_stays_whatever_other_views_read() -> None:
    http = TsvWord("HTTP", 0, 0, 40, 20, 0.96, True, foreign=True)
    ours = [word("الإدخال", 0.9), http, word("تكون", 0.9)]
    other = [word("الإدخال", 0.9), word("117777", 0.99), word("تكون", 0.9)]
    more = [word("الإدخال", 0.9), word("11", 0.99), word("7777", 0.99), word("تكون", 0.9)]
    for views in ([ours, other, other], [ours, more], [ours, other, more]):
        assert [w.text for w in agreed(views)] == ["الإدخال", "HTTP", "تكون"]


def test_words_that_tesseract_is_sure_of_are_not_read_again() -> None:
    def read(pictures: Sequence[Any]) -> list[LineReading]:
        assert not pictures
        return [NOTHING_READ] * len(pictures)

    assert with_foreign_words([[word("και", 0.95)]], SHEET, ("ell",), read) == [[word("και", 0.95)]]


def test_modern_greek_has_no_ancient_marks_and_no_micro_sign() -> None:
    assert modern_greek(["ἡ γέφυρα απὀ τους µήνες, ἐάν ο καιρὸς το επιτρέπει"]) == [
        "η γέφυρα από τους μήνες, εάν ο καιρός το επιτρέπει"
    ]


def test_chi_is_kappa_in_the_word_that_no_chi_begins() -> None:
    assert modern_greek(["χαι το χαίρε, Χαι 3 χαιρετισμοί χαι"]) == ["και το χαίρε, Και 3 χαιρετισμοί και"]


def test_ancient_greek_keeps_its_marks() -> None:
    assert modern_greek(["ἐν ἀρχῇ ἦν ὁ λόγος"]) == ["ἐν ἀρχῇ ἦν ὁ λόγος"]


@pytest.mark.parametrize(
    ("text", "other", "result"),
    [
        ("µετον", "με τOV", "µε τον"),
        ("από", "απ", "από"),
        ("αυτό", "α υ τ", "αυτό"),
        ("υπογράψουμε", "υπγ", "υπογράψουμε"),
    ],
)
def test_spaces_that_only_the_second_reading_has_part_words_of_two_letters_and_more(text: str, other: str, result: str) -> None:
    assert with_lost_spaces(text, other) == result


def test_ink_of_the_neighboring_lines_is_removed_and_letters_stay() -> None:
    line = np.full((40, 200), 240, np.uint8)
    line[10:30, 20:40] = 0
    line[4:36, 60:64] = 0
    clean = line.copy()
    line[:4, 100:130] = 0
    line[37:, 150:160] = 0
    assert (without_remnants(line) == clean).all()
    line[:25, 100:105] = 0  # a tall letter that is cut off
    assert (without_remnants(line)[:25, 100:105] == 0).all()


def test_the_borders_of_a_table_cell_are_removed_and_letters_stay() -> None:
    line = np.full((60, 120), 240, np.uint8)
    line[12:50, 40:44] = 0  # a tall letter
    line[12:15, 20:100] = 0  # the top line of a Devanagari word
    clean = line.copy()
    line[:3, :] = line[57:, :] = 0
    line[:, 2:5] = line[:, 114:117] = 0
    assert (without_rules(line) == clean).all()


def test_a_picture_without_borders_stays_as_it_is() -> None:
    line = np.full((60, 120), 240, np.uint8)
    line[5:8, 10:110] = 0  # the top line of a Devanagari word that fills the picture
    line[5:50, 60:64] = 0
    assert without_rules(line) is line
