"""Text in a font that maps letters to a space is left to OCR."""

from __future__ import annotations

from tests.unit.pdf.textlayer.drawings import page_with_font, texts_of

TEXT = "The off|ice on the |rst |oor is con|ned"
ENCODING = "/Encoding << /Type /Encoding /BaseEncoding /WinAnsiEncoding /Differences [124 /fi] >>"
CONTENT = b"BT /F1 12 Tf 72 700 Td (Report of the inspector) Tj ET BT /F2 12 Tf 72 680 Td (%s) Tj ET" % TEXT.encode()


def read(meaning: str) -> list[str]:
    meanings = {char: meaning if char == "|" else char for char in TEXT}
    return texts_of(page_with_font(CONTENT, meanings, font=ENCODING, name="Times-Roman"))


def test_a_ligature_that_is_mapped_to_a_space_leaves_its_text_to_ocr() -> None:
    assert read(" ") == ["Report of the inspector"]


def test_a_ligature_that_is_mapped_to_its_letters_is_read() -> None:
    assert read("fi")[-1] == TEXT.replace("|", "fi")
