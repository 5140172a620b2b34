"""`rayocr.engines.rapidocr.accented_words`: accents of languages that the models misread, from Tesseract's pack."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from benchmarks.corpus.sentences import SENTENCES
from rayocr.engines.rapidocr.accented_languages import language_of, letters_of
from rayocr.engines.rapidocr.accented_words import merged, with_accents
from rayocr.engines.rapidocr.recognizer.decoding import LineReading
from rayocr.engines.rapidocr.text import pack_of_half_known
from rayocr.engines.rapidocr.unknown_scripts import UnknownScripts

ROMANIAN = (
    "Nimeni nu poate fi condamnat pentru fapte care nu erau interzise de lege la data când au fost comise, iar acest drept",
    "al oricărei persoane. Orice om are dreptul la viaţă şi la libertate, după cum este scris în lege, fără nicio deosebire, sau",
    "către instanţa care este competentă pentru acest lucru. Ele sunt egale în faţa legii și nu se pot prevala de alte drepturi.",
)
TEXTS = {
    "epo": "Ĉiu homo havas la rajton je libereco de opinio kaj esprimo; ĉi tiu rajto inkluzivas ankaŭ la liberecon havi "
    "opiniojn sen interveno de aliaj kaj serĉi, ricevi kaj disvastigi informojn per ĉiuj rimedoj, ne nur en sia lando "
    "sed ankaŭ en aliaj.",
    "ron": " ".join(ROMANIAN),
    "slk": "Každý má právo na slobodu presvedčenia a prejavu; toto právo nepripúšťa, aby niekto bol prenasledovaný pre svoje "
    "názory, ktoré má alebo ktoré nie sú podľa vkusu iných. Tiež nikto nemôže byť nútený k tomu, aby bol členom "
    "spolku, a jeho vôľa je základom moci, ktorá sa prejavuje pri voľbách alebo však len v tom, čo je o nich známe.",
    "isl": "Hver maður skal vera frjáls skoðana sinna og að því að láta þær í ljós. Þetta frelsi er með því að ekki skal "
    "hafa áhrif á það, hvað hann hugsar, og til þess þarf rétt til að leita fyrir sér og taka við því sem er sagt frá "
    "öðrum löndum.",
    "lit": "Kiekvienas turi teisę į įsitikinimų ir jų reiškimo laisvę; ši teisė apima taip pat laisvę be kliūčių turėti savo "
    "nuomonę ar ieškoti, gauti ir skleisti žinias bei idėjas, nes tai yra būtina, kad visi galėtų būti laisvi kaip ir "
    "kiti, arba su kitais.",
}


def _bare(text: str) -> str:
    parts = unicodedata.normalize("NFD", text.replace("þ", "b").replace("ð", "d").replace("Þ", "B"))
    return "".join(char for char in parts if not unicodedata.combining(char))


@pytest.mark.parametrize("pack", TEXTS)
def test_the_language_is_detected_with_and_without_accents(pack: str) -> None:
    assert language_of([TEXTS[pack]]) == language_of([_bare(TEXTS[pack])]) == pack


@pytest.mark.parametrize("language", [name for name in SENTENCES if name not in ("cs", "tr", "hu", "ro")])
def test_pages_in_other_languages_are_not_read_twice(language: str) -> None:
    assert language_of(SENTENCES[language]) == language_of([_bare(" ".join(SENTENCES[language]))]) == ""


def test_a_few_words_are_not_enough() -> None:
    assert language_of(["Ĉiuj homoj kaj la lingvo"]) == ""


@pytest.mark.parametrize(
    ("pack", "ours", "theirs", "expected"),
    [
        ("epo", "êiuj homoj laǔ la leîoj.", "ĉiuj homoj laŭ la leĝoj.", "ĉiuj homoj laŭ la leĝoj."),
        ("slk", "dokial' je nevol'níctve byt'", "dokiaľ je nevoľníctve byť", "dokiaľ je nevoľníctve byť"),
        ("isl", "bess að bau 2.500 kr.", "þess að þau 2.508 kr.", "þess að þau 2.500 kr."),
        ("ron", "?n fafa †mpotriva oricắărei Ñimeni", "în fața împotriva oricărei Nimeni", "în fața împotriva oricărei Nimeni"),
        ("tur", "sırada ISO9001 sinırları", "sırada IS09001 sınırları", "sırada ISO9001 sınırları"),
        ("hun", "bárki megszüntetné ezt", "bárki megszantetné ezt", "bárki megszüntetné ezt"),
        ("lit", "į namus", "[ namus", "į namus"),
    ],
)
def test_accents_come_from_tesseract_and_all_other_letters_from_the_models(
    pack: str, ours: str, theirs: str, expected: str
) -> None:
    assert merged(ours, [(word, 0.9) for word in theirs.split()], letters_of(pack)) == expected


def test_an_uncertain_word_replaces_only_accents() -> None:
    assert merged("fafa si", [("fața", 0.5), ("și", 0.5)], letters_of("ron")) == "fafa și"
    assert merged("si, fafa", [("și.", 0.9), ("fața", 0.5)], letters_of("ron")) == "și, fafa"


class Reader:
    def __init__(self, words: Sequence[str] | None) -> None:
        self.words, self.packs = words, list[str]()

    def read_words(self, lines: Sequence[Any], pack: str) -> list[list[tuple[str, float]]] | None:
        self.packs.append(pack)
        return None if self.words is None else [[(word, 0.95) for word in line.split()] for line in self.words]


def _page(lines: Sequence[str]) -> tuple[Any, Any, list[LineReading]]:
    quads = np.array([[(20, 60 * n), (900, 60 * n), (900, 60 * n + 40), (20, 60 * n + 40)] for n in range(1, len(lines) + 1)])
    return np.full((400, 1000), 255, np.uint8), quads.astype(np.float32), [LineReading(_bare(line), 0.97, 0.9) for line in lines]


def test_a_romanian_page_gets_letters_with_a_comma_and_no_vietnamese_ones() -> None:
    reader = Reader(ROMANIAN)
    unknown = UnknownScripts(reader, lambda _: [])  # type: ignore[arg-type]
    image, quads, read = _page(ROMANIAN)
    better, doubts = unknown.read(image, quads, read, [22.0] * len(read))
    assert [reading.text for reading in better] == [line.replace("ţ", "ț").replace("ş", "ș") for line in ROMANIAN]
    assert (doubts, reader.packs) == ((), ["ron"])
    assert pack_of_half_known("Orice persoană acuzată are dreptul să fie presupusă nevinovată") == ""


@pytest.mark.parametrize("reader", [None, Reader(None)])
def test_without_the_pack_the_page_has_a_doubt_that_names_it(reader: Reader | None) -> None:
    unknown = UnknownScripts(reader, lambda _: [])  # type: ignore[arg-type]
    image, quads, read = _page(ROMANIAN)
    better, doubts = unknown.read(image, quads, read, [22.0] * len(read))
    assert [reading.text for reading in better] == [_bare(line) for line in ROMANIAN]
    assert doubts == ("pack_missing:ron",)


def test_letters_that_no_pack_reads_are_a_doubt() -> None:
    image, quads, read = _page(ROMANIAN)
    assert with_accents(Reader(ROMANIAN), image, quads, read, "aze") == (read, ("low_confidence",))
    wrong = [reading._replace(text=reading.text.replace("a", "ã")) for reading in read]
    assert with_accents(Reader([""] * 3), image, quads, wrong, "ron") == (wrong, ("low_confidence",))
