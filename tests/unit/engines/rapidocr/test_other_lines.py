"""Lines that are read again by Tesseract, and which of both readings is kept."""

from __future__ import annotations

import pytest

from rayocr.engines.rapidocr.other_lines import is_better, lines_to_compare, misread_lines, with_our_numbers
from rayocr.engines.rapidocr.recognizer.decoding import LineReading

# What the models return for pages in Russian, Hindi and Arabic, with the ratio of width to height of each line.
RUSSIAN_INVOICE = [
    ("-", 0.89, 8.7),
    (" ", 0.93, 6.8),
    ("  ", 0.78, 7.1),
    (" ", 0.96, 6.3),
    ("    1174  5  2025 .", 0.99, 15.9),
    ("Toro", 0.59, 2.2),
    ("-", 0.98, 2.8),
    ("HAC 20%", 0.98, 3.1),
    ("LeHa", 0.98, 2.2),
    ("2 040,00", 0.97, 3.2),
    ("40", 1.0, 1.2),
]
RUSSIAN_UNREAD = [0, 1, 2, 3]
HINDI_FORM = [
    ("TRT:  1,25,000.50", 0.92, 6.3),
    ("T: 12, πi , T 302001", 0.81, 9.0),
    (": 98765 43210", 0.94, 7.0),
    (": ", 0.43, 3.8),
]
ARABIC_CELLS = [("lls", 0.77, 1.9), ("äcb 9", 0.67, 2.9), ("gwi ", 0.47, 2.3), ("896.00", 1.0, 2.5), ("12", 1.0, 1.3)]
ENGLISH_FORM = [("Smoker:  yes O no", 0.95, 9.0), ("Marital status:", 0.99, 6.0), ("1,204.88", 1.0, 3.0), ("l1i", 0.6, 1.5)]


def readings(lines: list[tuple[str, float, float]]) -> tuple[list[LineReading], list[float]]:
    return [LineReading(text, score, score) for text, score, _ in lines], [aspect for _, _, aspect in lines]


@pytest.mark.parametrize(
    ("lines", "unread", "found"),
    [(RUSSIAN_INVOICE, RUSSIAN_UNREAD, {4, 5, 6}), (HINDI_FORM, [], {0, 1, 2, 3}), (ARABIC_CELLS, [], {0, 1, 2})],
)
def test_short_lines_look_misread_where_most_words_of_the_page_do(
    lines: list[tuple[str, float, float]], unread: list[int], found: set[int]
) -> None:
    assert misread_lines(*readings(lines), unread) == found


def test_a_lost_space_on_an_english_page_does_not_count() -> None:
    assert misread_lines(*readings(ENGLISH_FORM), []) == set()


def test_words_that_look_latin_are_compared_and_numbers_are_not() -> None:
    read, aspects = readings(RUSSIAN_INVOICE)
    misread = misread_lines(read, aspects, RUSSIAN_UNREAD)
    assert lines_to_compare(read, aspects, RUSSIAN_UNREAD, misread, "") == {4, 5, 6, 7, 8}


def test_a_short_word_is_compared_if_most_of_the_page_is_in_another_script() -> None:
    read, aspects = readings([("  3 ", 0.6, 28.0), (" R", 0.5, 24.0), ("N9T", 0.59, 1.1), ("f", 0.5, 1.1), ("12", 1.0, 1.2)])
    assert lines_to_compare(read, aspects, [0, 1], set(), "") == {2}


@pytest.mark.parametrize(
    ("text", "score", "weakest", "aspect", "is_compared"),
    [
        (" A RR www.maharashtra.gov.in ", 0.92, 0.54, 18.2, True),  # a Marathi line with a Latin address
        (" Annual report of the Housing Department ", 0.97, 0.55, 18.2, False),  # as many letters as its length shows
        (" A RR www.maharashtra.gov.in ", 0.98, 0.9, 18.2, False),
    ],
)
def test_a_line_with_an_unread_part_is_compared_even_on_a_page_that_is_mostly_latin(
    text: str, score: float, weakest: float, aspect: float, is_compared: bool
) -> None:
    read = [LineReading(text, score, weakest), LineReading("   ", 0.6, 0.5)]
    read += [LineReading("A line of English print, read without any doubt", 0.99, 0.97)] * 8
    assert lines_to_compare(read, [aspect, 20.0, *[22.0] * 8], [1], set(), "") == ({0} if is_compared else set())


@pytest.mark.parametrize(
    ("ours", "text", "confidence", "better"),
    [
        ("HAC 20%", "НДС 20%", 0.93, True),
        ("HAC 20%", "НДС 20%", 0.8, False),
        ("Total", "Total", 0.96, False),
        (": 14.02.1961", "Дата рождения: 14.02.1961", 0.9, True),
        ("00", "00", 0.9, False),
        ("3/dev/by-label fAfh", "उपयोगी /dev/by-label निर्देशिका में", 0.97, True),
        ("3/dev/by-label fAfh", "उपयोगी /dev/by-label निर्देशिका में", 0.85, False),
        ("STATE BANK", "ST2TE BAN के", 0.95, False),
    ],
)
def test_a_sure_latin_word_is_replaced_only_by_a_sure_one_in_another_script(
    ours: str, text: str, confidence: float, better: bool
) -> None:
    assert is_better(text, confidence, LineReading(ours, 0.98, 0.9), 3.0, compared=True) is better


@pytest.mark.parametrize(
    ("ours", "text", "kept", "lost"),
    [
        ("TRT:  1,25,000.50", "राशि: ₹ ,25,000.50", "राशि: ₹ 1,25,000.50", False),
        ("可A: 14/02/1961", "जन्म तिथि: 4/02/1961", "जन्म तिथि: 14/02/1961", False),
        ("Φ∏A 6%", "ΦΠΑ 6060", "ΦΠΑ 6%", False),
        (": 98765 43210", "मोबाइल: 98765 43210", "मोबाइल: 98765 43210", False),
        (" 4471 ", "счёт № 88", "счёт № 88", True),
        ("T 12", "д. 13", "д. 13", False),
        (", 05.07.2021,  No. 6788", "राजनैतिक .07.2021, खाता", "राजनैतिक 05.07.2021, खाता", True),
        ("V (12,0%).", "πλευρικής (42.050).", "πλευρικής (42.050).", True),
        ("1. HH R", "3. सभी सूचनाएँ", "1. सभी सूचनाएँ", False),
        ("4HI 82384", "मागणी १२३४५", "मागणी १२३४५", False),
    ],
)
def test_numbers_that_tesseract_misreads_come_from_the_models(ours: str, text: str, kept: str, lost: bool) -> None:
    assert with_our_numbers(text, LineReading(ours, 0.92, 0.6)) == (kept, lost)
