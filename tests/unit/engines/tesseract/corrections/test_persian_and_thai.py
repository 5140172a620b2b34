"""Letters of Persian and Thai that their packs confuse with others or divide."""

from __future__ import annotations

from rayocr.engines.tesseract.corrections.by_script import corrected


def test_persian_words_have_persian_letters() -> None:
    read = ["صفحة که عقیدہ رايانه كلید است", "در اندازۂ ذخیرۂ باشیدء این"]
    assert corrected(read, "fas") == ["صفحهٔ که عقیده رایانه کلید است", "در اندازهٔ ذخیرهٔ باشید، این"]


def test_an_arabic_page_that_the_persian_pack_has_read_keeps_its_letters() -> None:
    assert corrected(["مدرسة في بيتي"], "fas") == ["مدرسة في بيتي"]


def test_persian_words_that_end_in_a_hamza_keep_it() -> None:
    assert corrected(["جزء سوء اشیاء شیء"], "fas") == ["جزء سوء اشیاء شیء"]


def test_the_thai_vowel_am_is_one_character() -> None:
    assert corrected(["ต\u0e4d\u0e32แหน่ง น\u0e4d\u0e49\u0e32"], "tha") == ["ต\u0e33แหน่ง น\u0e49\u0e33"]
