"""Ligatures whose map names a digit, a sign or a capital: "ques5on", "Educa&on", "pla[orm", "informaƟon"."""

from __future__ import annotations

import pytest

from tests.unit.pdf.textlayer.drawings import layer_of, page_with_font, texts_of

TEXT = "The questions of the nations are in section 35"
LIGATURE = "|"  # the code of the glyph that stands for ti


def page(text: str, meaning: str) -> bytes:
    shown = text.replace("ti", LIGATURE)
    mapping = {char: char for char in sorted(set(text))} | {LIGATURE: meaning}
    body = b"BT /F1 12 Tf 72 780 Td (The keeper of the light wrote into his ledger.) Tj ET "
    return page_with_font(body + f"BT /F2 12 Tf 72 700 Td ({shown}) Tj ET".encode(), mapping)


@pytest.mark.parametrize("meaning", ["5", "&"])
def test_a_font_that_names_a_digit_or_a_sign_for_a_ligature_is_left_to_ocr(meaning: str) -> None:
    layer = layer_of(page(TEXT, meaning))
    assert [line.text for line in layer.lines] == ["The keeper of the light wrote into his ledger."]
    assert layer.verdict.kind == "partial"


@pytest.mark.parametrize(
    "text", ["sections of web2py and log4j", "use utf8mb or mp3player", "dict[str, int] and list[int]", "cats&dogs"]
)
def test_names_with_digits_and_signs_are_text(text: str) -> None:
    assert texts_of(page(text, "ti")) == ["The keeper of the light wrote into his ledger.", text]


@pytest.mark.parametrize(("sign", "letters"), [("Ɵ", "ti"), ("Ʃ", "tt"), ("Ō", "ft")])
def test_the_codes_of_calibri_are_its_ligatures(sign: str, letters: str) -> None:
    assert texts_of(page(TEXT, sign))[-1] == TEXT.replace("ti", letters)


@pytest.mark.parametrize("text", ["Ōsaka and Kyōto", "Ɵ = 35"])
def test_capitals_of_other_languages_stay(text: str) -> None:
    characters = {char: char for char in text if char.isascii()} | {"|": text[0], "~": "ō"}
    content = f"BT /F2 12 Tf 72 700 Td ({text.replace(text[0], '|').replace('ō', '~')}) Tj ET".encode()
    assert texts_of(page_with_font(content, characters)) == [text]


def test_words_that_share_a_word_with_such_a_font_are_left_to_ocr_as_a_whole() -> None:
    words = b"(The ques) Tj /F2 12 Tf (|) Tj /F1 12 Tf (ons of the na) Tj /F2 12 Tf (|) Tj /F1 12 Tf (ons) Tj"
    layer = layer_of(page_with_font(b"BT /F1 12 Tf 72 700 Td " + words + b" 0 -20 Td (All is well.) Tj ET", {"|": "5"}))
    assert [line.text for line in layer.lines] == ["All is well."]


WITH_LIGATURES = "The off|ice on the |rst |oor is con|ned"


def read_with_ligatures(meaning: str) -> list[str]:
    encoding = "/Encoding << /Type /Encoding /BaseEncoding /WinAnsiEncoding /Differences [124 /fi] >>"
    content = b"BT /F1 12 Tf 72 700 Td (The report) Tj ET BT /F2 12 Tf 72 680 Td (%s) Tj ET" % WITH_LIGATURES.encode()
    meanings = {char: meaning if char == "|" else char for char in WITH_LIGATURES}
    return texts_of(page_with_font(content, meanings, font=encoding, name="Times-Roman"))


def test_a_ligature_that_is_mapped_to_a_space_leaves_its_text_to_ocr() -> None:
    assert read_with_ligatures(" ") == ["The report"]


def test_a_ligature_that_is_mapped_to_its_letters_is_read() -> None:
    assert read_with_ligatures("fi")[-1] == WITH_LIGATURES.replace("|", "fi")
