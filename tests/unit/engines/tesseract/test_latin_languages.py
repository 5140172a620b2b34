"""`rayocr.engines.tesseract.latin_languages`: names the pack for a page that only the English pack has read."""

from __future__ import annotations

import unicodedata

import pytest

from benchmarks.corpus.sentences import SENTENCES
from rayocr.engines.tesseract.latin_languages import pack_of_language


@pytest.mark.parametrize(
    ("language", "pack"),
    [("de", "deu"), ("fr", "fra"), ("es", "spa"), ("pt", "por"), ("it", "ita"), ("pl", "pol"), ("cs", "ces")],
)
def test_a_page_in_another_language_names_its_pack_even_without_accents(language: str, pack: str) -> None:
    text = unicodedata.normalize("NFD", " ".join(SENTENCES[language]))
    assert pack_of_language("".join(char for char in text if not unicodedata.combining(char))) == pack


def test_an_english_page_names_none_even_with_foreign_names_and_quotations() -> None:
    text = " ".join(SENTENCES["en"])
    assert pack_of_language(text) == ""
    names = "Rue de la Paix, Calle del Sol, Ursula von der Leyen, Der Spiegel, und so weiter, que sera sera."
    assert pack_of_language(f"{text} {names}") == ""


def test_a_few_words_are_not_enough() -> None:
    assert pack_of_language("Der Antrag ist nicht mit dem Plan vereinbar.") == ""


def test_a_short_page_is_enough_and_the_letters_of_formulas_are_not() -> None:
    letter = (
        "Sehr geehrte Frau Keller, die Mappe mit den Planen liegt im Archiv. Wir haben sie nach der Ausstellung gezahlt "
        "und auf drei Kisten verteilt; eine davon ist noch leer. Bitte senden Sie uns das Verzeichnis zu."
    )
    assert pack_of_language(letter) == "deu"
    assert pack_of_language("w z i z w i na z w do i z w na z do w i z") == ""


def test_vietnamese_is_known_by_its_syllables_whatever_its_accents_became() -> None:
    read = (
        "Moi ngu‘i dan can nép don tru’dc ngay 15 thang 9 tai van phong phu’Ong. Sau con mua IGn, nuGc song dang cao va nhiéu "
        "con duGng bi ngap. Ba ngoai ké cho chting tdi nghe nhifng cau chuyén vé lang qué ngay xUa."
    )
    assert pack_of_language(read) == "vie"
    assert pack_of_language("The king of Nguni spoke; Nhu, Nha Trang, Ngo, Nguyen and Ngai are names of people and places.") == ""
