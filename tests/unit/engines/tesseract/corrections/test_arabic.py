"""`rayocr.engines.tesseract.corrections.arabic`"""

from __future__ import annotations

import pytest

from rayocr.engines.tesseract.corrections.arabic import with_arabic_letters, with_commas


@pytest.mark.parametrize(
    ("read", "meant"),
    [
        ("ذاب الثلج بسرعة» وفتحت الطريق", "ذاب الثلج بسرعة، وفتحت الطريق"),
        ("في أول كل شهر, ولا يجوز", "في أول كل شهر، ولا يجوز"),
        ("بمبلغ 4,500 درهم; متى؟ أين?", "بمبلغ 4,500 درهم؛ متى؟ أين؟"),
        ("وفقا للمادة 17 من العقدء يجب", "وفقا للمادة 17 من العقد، يجب"),
        ("في خمس آبارء والنتائج", "في خمس آبار، والنتائج"),
        ("الماء والشتاء وضوء وشيء وبدء والجزء", "الماء والشتاء وضوء وشيء وبدء والجزء"),
        ("إلى 45 ديناراء لكن عدد 42 متراء وهي", "إلى 45 دينارا، لكن عدد 42 مترا، وهي"),
        ("في الساعة 11 مساء اتخذ 12 إجراء وزراء", "في الساعة 11 مساء اتخذ 12 إجراء وزراء"),
        ("قال: «نعم» ثم خرج", "قال: «نعم» ثم خرج"),
    ],
)
def test_commas_at_the_end_of_words_come_back(read: str, meant: str) -> None:
    assert with_commas([read]) == [meant]


def test_a_quotation_may_end_in_another_line() -> None:
    lines = ["قال: «نعم", "وخرج» ثم عاد"]
    assert with_commas(lines) == lines


@pytest.mark.parametrize(
    ("read", "meant"),
    [
        ("أن الدروس ستبداً يوم", "أن الدروس ستبدأ يوم"),
        ("والضوء مطفاً.", "والضوء مطفأ."),
        ("أبداً جداً خطاً عبداً مساءً بعيداً", "أبداً جداً خطاً عبداً مساءً بعيداً"),
    ],
)
def test_hamza_over_a_final_alef_comes_back(read: str, meant: str) -> None:
    assert with_commas([read]) == [meant]


@pytest.mark.parametrize(
    ("read", "meant"),
    [
        ("قبل نهاية شبر", "قبل نهاية شهر"),
        ("في شير سبتمير.", "في شهر سبتمبر."),
        ("لشبر أكتوير ونوفمير", "لشهر أكتوبر ونوفمبر"),
        ("في كل شبر من البيت وشبرا شبرا، والخمير والأمير", "في كل شبر من البيت وشبرا شبرا، والخمير والأمير"),
    ],
)
def test_the_names_of_months_come_back(read: str, meant: str) -> None:
    assert with_commas([read]) == [meant]


def test_a_few_persian_letters_on_an_arabic_page_are_arabic_ones() -> None:
    page = ["يولد جميع الناس أحرارا متساوين في الكرامة والحقوق وقد وهبوا عقلا وضميرا وعليهم أن يعامل بعضهم بعضا بروح الإخاء"] * 6
    assert with_arabic_letters([*page, "بشکل صحیح إلی العالی"])[-1] == "بشكل صحيح إلى العالي"


@pytest.mark.parametrize(
    "page",
    [
        ["تمام افراد بشر آزاد به دنیا می‌آیند و از لحاظ حیثیت و حقوق با هم برابرند"],
        ["تمام انسان آزاد اور حقوق و عزت کے اعتبار سے برابر پیدا ہوئے ہیں"],
        ["يولد جميع الناس أحرارا متساوين في الكرامة", "گفت: چرا به پاریس رفتی؟"],
    ],
)
def test_persian_and_urdu_letters_stay_on_their_pages(page: list[str]) -> None:
    assert with_arabic_letters(page) == page
