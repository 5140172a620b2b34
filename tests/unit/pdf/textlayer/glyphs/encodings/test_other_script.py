"""Words of another script that are read as Latin letters with accents are left to OCR, and the text around them is kept."""

from __future__ import annotations

import pytest

from tests.unit.pdf.textlayer.drawings import layer_of, page_with_font

BODY = (
    b"BT /F1 12 Tf 72 780 Td 15 TL " + b" ".join(b"(The keeper wrote into his ledger in 1893.) Tj T*" for _ in range(8)) + b" ET "
)
RUSSIAN = "Ширяев Альберт Николаевич Основы стохастической математики"


def page_with(line: str) -> bytes:
    """A page with a last line in another font, whose codes have the meanings of this text."""
    codes = {char: chr(0x41 + n) for n, char in enumerate(sorted({*line} - {" "}))} | {" ": " "}
    written = "".join(codes[char] for char in line).encode().hex()
    content = BODY + f"BT /F2 12 Tf 72 500 Td <{written}> Tj ET".encode()
    return page_with_font(content, {code: char for char, code in codes.items()})


def test_cyrillic_words_in_the_encoding_of_latin_1_are_left_to_ocr_on_a_page_of_other_text() -> None:
    layer = layer_of(page_with(RUSSIAN.encode("cp1251").decode("latin-1")))
    assert layer.verdict.kind == "partial"
    assert layer.text == "\n".join(["The keeper wrote into his ledger in 1893."] * 8)


@pytest.mark.parametrize("line", [RUSSIAN, "Le hééé de Zoé où çà et là", "ÀÁÂÃÄÅÆÇÈÉ àáâãäåæçèé ÀÁÂÃÄÅÆÇÈÉ àáâãäåæçèé"])
def test_words_in_their_own_letters_and_alphabets_stay(line: str) -> None:
    layer = layer_of(page_with(line))
    assert layer.verdict.trusted
    assert line in layer.text
