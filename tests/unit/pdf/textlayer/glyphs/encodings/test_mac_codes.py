"""TrueType fonts with a map for the Macintosh whose codes are those of Windows."""

from __future__ import annotations

import io
from functools import cache
from pathlib import Path

import manimgx_fonts
import pytest
from fontTools import subset
from fontTools.ttLib import TTFont
from fontTools.ttLib.tables._c_m_a_p import CmapSubtable
from fontTools.varLib import instancer

from tests.unit.pdf.pdfs import deflated, pages_of, reindexed
from tests.unit.pdf.textlayer.drawings import texts_of

LETTERS = "Durée Käfer à 5 € übÈÁŽŠ"


@cache
def font_with(encoding: str) -> bytes:
    """A font whose map for the Macintosh has the codes of this encoding."""
    font = TTFont(Path(manimgx_fonts.__file__).parent / "NotoSans[wght].ttf")
    subsetter = subset.Subsetter(subset.Options(layout_features=[]))
    subsetter.populate(text=LETTERS)
    subsetter.subset(font)
    font = instancer.instantiateVariableFont(font, {"wght": 400})
    names = font.getBestCmap()
    table = CmapSubtable.newSubtable(0)
    table.platformID, table.platEncID, table.language = 1, 0, 0
    codes = {ord(char.encode(encoding)): names[ord(char)] for char in LETTERS if char.encode(encoding, "ignore")}
    table.cmap = {code: codes.get(code, ".notdef") for code in range(256)}
    font["cmap"].tables = [table]
    font["post"].formatType = 3.0
    data = io.BytesIO()
    font.save(data)
    return data.getvalue()


def text_of(text: str, encoding: str) -> str:
    data = font_with(encoding)
    extra = {
        6: deflated(data, f"/Length1 {len(data)}"),
        7: b"<< /Type /FontDescriptor /FontName /X /Flags 4 /FontBBox [0 0 999 999] /ItalicAngle 0 /Ascent 900 /Descent -200 "
        b"/CapHeight 700 /StemV 80 /FontFile2 6 0 R >>",
        8: b"<< /Type /Font /Subtype /TrueType /BaseFont /X /FontDescriptor 7 0 R /FirstChar 0 /LastChar 255 "
        + f"/Widths [{'600 ' * 256}] >>".encode(),
    }
    content = f"BT /F2 12 Tf 72 700 Td <{text.encode(encoding).hex()}> Tj ET".encode()
    return texts_of(reindexed(pages_of(content=content, extra=extra).replace(b"<< /F1", b"<< /F2 8 0 R /F1")))[0]


@pytest.mark.parametrize("text", ["Durée 5 €", "Käfer über", "Durée à 5"])
def test_accented_letters_with_codes_of_windows_are_read(text: str) -> None:
    assert text_of(text, "cp1252") == text


@pytest.mark.parametrize("text", ["Durée à 5", "Käfer über", "È Á"])
def test_accented_letters_with_codes_of_the_macintosh_stay(text: str) -> None:
    assert text_of(text, "mac_roman") == text
