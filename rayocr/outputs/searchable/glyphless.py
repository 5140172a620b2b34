"""Creates a font without glyphs for all of Unicode's first plane. Each character is half an em wide.

The text is invisible, so the font only maps codes to characters (for searching and copying) and gives widths (for selecting). It
adds 1.5 KB to a file, for any number of scripts.
"""

from __future__ import annotations

import io
from functools import cache

import pikepdf

FONT_NAME = "/RayocrGlyphless"
ADVANCE_EM = 0.5
ASCENT_EM, DESCENT_EM = 0.8, -0.2  # together one em, since a line's box is as high as its letters' size

_UNITS = 1000
_TO_UNICODE = b"""/CIDInit /ProcSet findresource begin
12 dict begin
begincmap
/CIDSystemInfo << /Registry (Adobe) /Ordering (UCS) /Supplement 0 >> def
/CMapName /Adobe-Identity-UCS def
/CMapType 2 def
1 begincodespacerange
<0000> <FFFF>
endcodespacerange
1 beginbfrange
<0000> <FFFF> <0000>
endbfrange
endcmap
CMapName currentdict /CMap defineresource pop
end
end
"""


def add_font(pdf: pikepdf.Pdf) -> pikepdf.Object:
    """Returns the font, as an object of this file; codes are UTF-16."""
    name = pikepdf.Name(FONT_NAME)
    data = _font_file()
    descriptor = pdf.make_indirect(
        pikepdf.Dictionary(
            Type=pikepdf.Name.FontDescriptor,
            FontName=name,
            Flags=4,  # marks the font as symbolic, since it has its own codes
            FontBBox=[0, int(DESCENT_EM * _UNITS), int(ADVANCE_EM * _UNITS), int(ASCENT_EM * _UNITS)],
            ItalicAngle=0,
            Ascent=int(ASCENT_EM * _UNITS),
            Descent=int(DESCENT_EM * _UNITS),
            CapHeight=int(ASCENT_EM * _UNITS),
            StemV=80,
            FontFile2=pdf.make_stream(data, Length1=len(data)),
        )
    )
    all_the_same = pdf.make_stream(b"\x00\x01" * 0x10000)
    descendant = pdf.make_indirect(
        pikepdf.Dictionary(
            Type=pikepdf.Name.Font,
            Subtype=pikepdf.Name.CIDFontType2,
            BaseFont=name,
            CIDSystemInfo=pikepdf.Dictionary(Registry=b"Adobe", Ordering=b"Identity", Supplement=0),
            FontDescriptor=descriptor,
            DW=int(ADVANCE_EM * _UNITS),
            CIDToGIDMap=all_the_same,
        )
    )
    return pdf.make_indirect(
        pikepdf.Dictionary(
            Type=pikepdf.Name.Font,
            Subtype=pikepdf.Name.Type0,
            BaseFont=name,
            Encoding=pikepdf.Name("/Identity-H"),
            DescendantFonts=[descendant],
            ToUnicode=pdf.make_stream(_TO_UNICODE),
        )
    )


@cache
def _font_file() -> bytes:
    from fontTools.fontBuilder import FontBuilder
    from fontTools.pens.ttGlyphPen import TTGlyphPen

    # Two corners without an area between them: programs that ignore the invisible mode paint nothing, and readers that draw
    # selections around outlines still get the height and width of a letter.
    pen = TTGlyphPen(None)
    for x, y in ((0, int(DESCENT_EM * _UNITS)), (int(ADVANCE_EM * _UNITS), int(ASCENT_EM * _UNITS))):
        pen.moveTo((x, y))
        pen.lineTo((x, y))
        pen.closePath()
    corners = pen.glyph()
    builder = FontBuilder(_UNITS, isTTF=True)
    advance = int(ADVANCE_EM * _UNITS)
    glyphs = [".notdef", "any"]
    builder.setupGlyphOrder(glyphs)
    builder.setupCharacterMap({0x20: "any"})
    builder.setupGlyf(dict.fromkeys(glyphs, corners))
    builder.setupHorizontalMetrics(dict.fromkeys(glyphs, (advance, 0)))
    builder.setupHorizontalHeader(ascent=int(ASCENT_EM * _UNITS), descent=int(DESCENT_EM * _UNITS))
    builder.setupNameTable({"familyName": "Rayocr Glyphless", "styleName": "Regular", "psName": FONT_NAME[1:]})
    builder.setupOS2(sTypoAscender=int(ASCENT_EM * _UNITS), sTypoDescender=int(DESCENT_EM * _UNITS))
    builder.setupPost()
    builder.font["head"].created = builder.font["head"].modified = 0  # so that equal inputs give equal bytes
    builder.font.recalcTimestamp = False
    file = io.BytesIO()
    builder.save(file)
    return file.getvalue()
