"""Text that the models omit from a line, and text that is restored."""

from __future__ import annotations

import numpy as np
import pytest

from rayocr.engines.rapidocr.recognizer.decoding import NOTHING_READ, BlankKeepingDecoder
from rayocr.engines.rapidocr.text import (
    is_half_known,
    is_unread,
    loses_words,
    pack_of_page,
    weighted_mean,
    with_marks,
    with_spaces,
)

SIGNS = ["no sign", *"abcdefghijklmnopqrstuvwxyzA01.,(第章", " "]


def steps(*likeliest: str, blanks: dict[int, float] | None = None) -> np.ndarray:
    """One step per word of `likeliest` ("" for no symbol), at .9. `blanks` gives the probability of a space at a step."""
    table = np.zeros((len(likeliest), len(SIGNS)), np.float32)
    for step, sign in enumerate(likeliest):
        table[step, SIGNS.index(sign or "no sign")] = 0.9
        table[step, -1] += (blanks or {}).get(step, 0.0)
    return table


def decoded(table: np.ndarray) -> str:
    return BlankKeepingDecoder(SIGNS).decode(table)[0]


def test_a_blank_that_nearly_won_between_two_words_comes_back() -> None:
    assert decoded(steps("t", "h", "e", "", "m", "a", "n", blanks={3: 0.4})) == "the man"


def test_a_blank_that_won_is_not_doubled() -> None:
    assert decoded(steps("a", "", " ", "", "b", blanks={1: 0.3, 3: 0.3})) == "a b"


def test_words_stay_whole_where_no_blank_was_near() -> None:
    assert decoded(steps("t", "h", "", "e", "e", "", "e", blanks={2: 0.05})) == "thee"


def test_digits_addresses_and_broken_ligatures_are_not_parted() -> None:
    assert decoded(steps("1", "", "0", blanks={1: 0.4})) == "10"
    assert decoded(steps("a", ".", "", "o", "r", "g", blanks={2: 0.4})) == "a.org"
    assert decoded(steps("f", "", "l", "o", blanks={1: 0.4})) == "flo"
    assert decoded(steps("e", "n", "d", ".", "", "A", blanks={4: 0.4})) == "end. A"


def test_a_blank_that_was_nearly_seen_is_a_doubt_even_where_none_is_put() -> None:
    assert BlankKeepingDecoder(SIGNS).decode(steps("1", "", "0", blanks={1: 0.4})).weakest == pytest.approx(0.6)
    assert BlankKeepingDecoder(SIGNS).decode(steps("1", "", "0")).weakest == pytest.approx(0.9)


def test_chinese_gets_no_blanks() -> None:
    assert decoded(steps("第", "", "章", blanks={1: 0.4})) == "第章"


def test_a_line_without_signs_is_empty_and_certain_of_nothing() -> None:
    assert BlankKeepingDecoder(SIGNS).decode(steps("", "", "")) == NOTHING_READ


def test_the_score_is_that_of_the_signs() -> None:
    assert BlankKeepingDecoder(SIGNS).decode(steps("a", "", "b"))[1] == pytest.approx(0.9)


@pytest.mark.parametrize("text", ["", "       ,  .", "     4,5 ,    .   ", "  .        "])
def test_blanks_and_stops_are_what_remains_of_an_unknown_script(text: str) -> None:
    assert is_unread(text, aspect=30)


@pytest.mark.parametrize(
    ("text", "aspect"),
    [
        ("The committee met on Tuesday", 13),
        ("N O T E S", 9),
        ("市政府昨天通过了修复老桥的计划", 15),
        (". . . . . . . . . . . . . . . . . . .", 40),
        ("________________", 30),
        ("12", 1.4),
        ("•", 1.0),
    ],
)
def test_what_was_read_is_not_called_unread(text: str, aspect: float) -> None:
    assert not is_unread(text, aspect)


def test_greek_is_half_known_and_formulas_are_not() -> None:
    assert is_half_known("ιλιη ενι νιτ κειν τ τι εν πω")
    assert is_half_known("Σúvoλo") and is_half_known("Kataváλωσn 412 kWh")
    assert not is_half_known("the angle α between σ and the axis")
    assert not is_half_known("Δσxy = 2πr, λmax and μg per αβ-phase")
    assert not is_half_known("Příliš žluťoučký kůň úpěl ďábelské ódy")


@pytest.mark.parametrize(
    ("read", "meant"),
    [
        ("1Introduction", "1 Introduction"),
        ("12Copper prices fell", "12 Copper prices fell"),
        ("3M and 5GHz", "3M and 5GHz"),
        ("2024Report", "2024Report"),
    ],
)
def test_numbers_of_notes_and_headings_stand_alone(read: str, meant: str) -> None:
    assert with_spaces(read) == meant


def test_long_lines_weigh_more() -> None:
    assert weighted_mean([(1.0, 90), (0.0, 10)]) == pytest.approx(0.9)
    assert weighted_mean([]) is None


def test_vietnamese_is_half_known_and_other_latin_languages_are_not() -> None:
    assert is_half_known("Hội đng thành ph đã quyt định sa cha cây cầu cũ trước mùa đông")
    assert not is_half_known("Gradsko vijeće odlučilo je obnoviti stari most; đak čeka")
    assert not is_half_known("Consiliul orașului a hotărât să repare podul vechi")
    assert not is_half_known("Belediye meclisi köprüyü kıştan önce onarmaya karar verdi")


def test_a_page_of_short_vietnamese_lines_is_known_by_all_of_them() -> None:
    assert pack_of_page(["Hóa đơn s 0047 ngày", "Cà phê sa đá", "Nưc sui", "Tng công"]) == "vie"
    assert pack_of_page(["Bună ziua", "Până mâine", "Să vă fie bine", "În față"]) == ""
    assert pack_of_page(["Đak čeka", "Dođi sutra", "Hvala vam"]) == ""


@pytest.mark.parametrize(
    ("read", "meant"),
    [
        ("□I agree to the terms", "[ ] I agree to the terms"),
        ("冈I agree to the terms", "[x] I agree to the terms"),
        ("□Yes 区No", "[ ] Yes [x] No"),
        ("口 Send me the report", "[ ] Send me the report"),
        ("因为 A 股", "因为 A 股"),
        ("人口Population", "人口Population"),
        ("5口Yes", "5口Yes"),
        ("plain words", "plain words"),
    ],
)
def test_boxes_beside_latin_words_are_marks_and_not_chinese(read: str, meant: str) -> None:
    assert with_marks(read) == meant


def test_a_line_of_a_few_numbers_between_blanks_has_lost_its_words() -> None:
    assert loses_words("    9:00  19:30,  . ", aspect=21.3)
    assert not loses_words("Open  from  9:00 to 19:30 every day", aspect=17)
    assert not loses_words("Total 9,300", aspect=12)


@pytest.mark.parametrize(
    ("read", "meant"),
    [
        ("Potassium 4.1 mmol/I", "Potassium 4.1 mmol/l"),
        ("120 mg/dI (high)", "120 mg/dl (high)"),
        ("ALT 25 U/I", "ALT 25 U/l"),
        ("Glucose 5,30 mmol/1 (fasting)", "Glucose 5,30 mmol/l (fasting)"),
        ("133 mg/d1", "133 mg/dl"),
        ("255 U/1", "255 U/l"),
        ("3,9 h1 and 250 m1", "3,9 hl and 250 ml"),
        ("10 mg/1 ml, 5 mg/1,5 ml and 2 g/1 h", "10 mg/1 ml, 5 mg/1,5 ml and 2 g/1 h"),
        ("key m1 of 5 m12", "key m1 of 5 m12"),
        ("the U/I and the I/O", "the U/I and the I/O"),
        ("mg/Inhalation", "mg/Inhalation"),
    ],
)
def test_liters_end_in_a_small_letter(read: str, meant: str) -> None:
    assert with_spaces(read) == meant


@pytest.mark.parametrize(
    ("read", "meant"),
    [
        ("4.523,3975,95", "4.523,39 75,95"),
        ("1,250.00EUR", "1,250.00 EUR"),
        ("Total 12,50USD.", "Total 12,50 USD."),
        ("25/12/20188:13:39 PM", "25/12/2018 8:13:39 PM"),
        ("2023-05-0614:28:01-0700", "2023-05-06 14:28:01-0700"),
        ("10/30/981:46", "10/30/98 1:46"),
        ("19/10/201820:49", "19/10/2018 20:49"),
        ("1/10/201:5, 3.10.201:45:67, 12/2018:30", "1/10/201:5, 3.10.201:45:67, 12/2018:30"),
        ("3.50EURO, X12.50, A4-1.25EURO", "3.50EURO, X12.50, A4-1.25EURO"),
        ("9.719,361.251,95", "9.719,36 1.251,95"),
        ("4,523.3975.95", "4,523.39 75.95"),
        ("12,345,67 and 1.234.567,89", "12,345,67 and 1.234.567,89"),
        ("14.02.1961, 192.168.10.25, 1,25,000.50", "14.02.1961, 192.168.10.25, 1,25,000.50"),
        ("3,2 %0", "3,2 ‰"),
        ("2,9%o", "2,9‰"),
        ("100% of 5%", "100% of 5%"),
        ("11.8 10°/L", "11.8 10⁹/L"),
        ("at 10° N, 10°/min", "at 10° N, 10°/min"),
    ],
)
def test_two_amounts_are_parted_and_lost_signs_come_back(read: str, meant: str) -> None:
    assert with_spaces(read) == meant


@pytest.mark.parametrize(
    ("read", "meant"),
    [
        ("-46.2℃ or 3 °℃", "-46.2°C or 3 °C"),
        ("71℉, 20 ㎡, 3 ㎏", "71°F, 20 m², 3 kg"),
        ("Part Ⅲ, ⅷ", "Part III, viii"),
        ("温度 46.2℃", "温度 46.2℃"),
        ("Chapter VIIl", "Chapter VIII"),
        ("Il est, Ill will, l'VIl, 5XXl", "Il est, Ill will, l'VIl, 5XXl"),
        ("1/28/1o and o,757.", "1/28/10 and 0,757."),
        ("no-go, 5o, v2o.1, o/o, 1:o", "no-go, 5o, v2o.1, o/o, 1:o"),
        ("2.o", "2.0"),
        ("about 2.o%", "about 2.0%"),
        ("1.o de mayo, art. 10.o, 1.o-2.o", "1.o de mayo, art. 10.o, 1.o-2.o"),
        ("3/o Miller, 1-o", "3/o Miller, 1-o"),
    ],
)
def test_signs_for_several_letters_and_letters_like_digits_are_written_plainly(read: str, meant: str) -> None:
    assert with_spaces(read) == meant
