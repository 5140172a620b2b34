"""A Devanagari page that looks right and reads right: `devanagari.pdf`.

A text layer names the code points of each glyph, but in Devanagari glyphs are not letters: a vowel sign is drawn before the
consonant that it follows, and whole conjuncts merge into one shape. So each syllable that HarfBuzz shapes becomes ONE glyph of a
small font made here, and the ToUnicode map gives that glyph the syllable's code points in their written order. Every extractor
then returns the source text; no ActualText is needed, which some of them ignore.
"""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from pathlib import Path

import fontpkg_noto_sans_devanagari
import uharfbuzz as hb
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.transformPen import TransformPen
from fontTools.pens.ttGlyphPen import TTGlyphPen
from layout import Line
from pikepdf import Array, Dictionary, Name, Pdf, Stream, String

_FONT_FILE = Path(fontpkg_noto_sans_devanagari.ROOT) / "files" / "NotoSansDevanagari[wdth,wght].ttf"
_MAX_BFCHARS = 100  # limit for one block of a CMap (Adobe Technical Note 5014)


@dataclass(frozen=True, slots=True)
class Syllable:
    """`glyphs`: (glyph of the source font, x, y), relative to the syllable's start; `advance` in font units."""

    text: str
    glyphs: tuple[tuple[int, int, int], ...]
    advance: int


@dataclass(slots=True)
class SyllableFont:
    """Shapes text with one weight of Noto Sans Devanagari and collects the syllables that the page uses."""

    name: str
    weight: int
    cids: dict[Syllable, int] = field(default_factory=dict)
    _font: hb.Font = field(init=False)

    def __post_init__(self) -> None:
        self._font = hb.Font(hb.Face(hb.Blob.from_file_path(str(_FONT_FILE))))
        self._font.set_variations({"wght": self.weight, "wdth": 100})

    @property
    def units_per_em(self) -> int:
        return int(self._font.face.upem)

    def syllables(self, text: str) -> list[Syllable]:
        buffer = hb.Buffer()
        buffer.add_str(text)
        buffer.guess_segment_properties()
        hb.shape(self._font, buffer)
        starts = sorted({info.cluster for info in buffer.glyph_infos})
        ends = dict(zip(starts, [*starts[1:], len(text)], strict=True))
        found: list[Syllable] = []
        for start in starts:
            pen_x = 0
            glyphs: list[tuple[int, int, int]] = []
            for info, position in zip(buffer.glyph_infos, buffer.glyph_positions, strict=True):
                if info.cluster == start:
                    if info.codepoint == 0:
                        raise ValueError(f"the font lacks a character of {text[start : ends[start]]!r}")
                    glyphs.append((info.codepoint, pen_x + position.x_offset, position.y_offset))
                    pen_x += position.x_advance
            found.append(Syllable(text[start : ends[start]], tuple(glyphs), pen_x))
        return found

    def width_pt(self, text: str, size_pt: float) -> float:
        return sum(s.advance for s in self.syllables(text)) * size_pt / self.units_per_em

    def encode(self, text: str) -> bytes:
        """Returns two bytes per syllable, for a Tj with Identity-H."""
        return b"".join(self.cids.setdefault(s, len(self.cids) + 1).to_bytes(2, "big") for s in self.syllables(text))

    def font_file(self) -> bytes:
        """Returns a TrueType font with glyph number = CID: .notdef, then one glyph per syllable."""
        order = [".notdef", *(f"syllable{cid:04d}" for cid in self.cids.values())]
        glyphs = {".notdef": TTGlyphPen(None).glyph()}
        metrics = {".notdef": (600, 0)}
        for syllable, cid in self.cids.items():
            pen = TTGlyphPen(None)
            for glyph, x, y in syllable.glyphs:
                self._font.draw_glyph_with_pen(glyph, TransformPen(pen, (1, 0, 0, 1, x, y)))
            glyphs[order[cid]] = pen.glyph()
            metrics[order[cid]] = (syllable.advance, 0)
        builder = FontBuilder(self.units_per_em, isTTF=True)
        builder.font.recalcTimestamp = False  # fixed dates, so that the bytes are the same on every day
        builder.updateHead(created=0, modified=0)
        builder.setupGlyphOrder(order)
        builder.setupCharacterMap({})
        builder.setupGlyf(glyphs)
        for name, glyph in glyphs.items():
            metrics[name] = (metrics[name][0], getattr(glyph, "xMin", 0))
        builder.setupHorizontalMetrics(metrics)
        builder.setupHorizontalHeader(ascent=1069, descent=-293)
        builder.setupPost(keepGlyphNames=False)
        file = io.BytesIO()
        builder.font.save(file)
        return file.getvalue()

    def to_unicode(self) -> bytes:
        pairs = [f"<{cid:04X}> <{s.text.encode('utf-16-be').hex().upper()}>" for s, cid in self.cids.items()]
        blocks = [pairs[i : i + _MAX_BFCHARS] for i in range(0, len(pairs), _MAX_BFCHARS)]
        maps = "\n".join(f"{len(block)} beginbfchar\n" + "\n".join(block) + "\nendbfchar" for block in blocks)
        return (
            "/CIDInit /ProcSet findresource begin\n12 dict begin\nbegincmap\n"
            "/CIDSystemInfo << /Registry (Adobe) /Ordering (UCS) /Supplement 0 >> def\n"
            "/CMapName /Adobe-Identity-UCS def\n/CMapType 2 def\n"
            f"1 begincodespacerange\n<0000> <FFFF>\nendcodespacerange\n{maps}\n"
            "endcmap\nCMapName currentdict /CMap defineresource pop\nend\nend\n"
        ).encode("ascii")

    def embed(self, pdf: Pdf) -> Dictionary:
        scale = 1000 / self.units_per_em
        descriptor = Dictionary(
            Type=Name.FontDescriptor,
            FontName=Name("/" + self.name),
            Flags=4,
            FontBBox=Array([-600, -400, 3000, 1200]),
            ItalicAngle=0,
            Ascent=1069,
            Descent=-293,
            CapHeight=714,
            StemV=90 if self.weight <= 400 else 150,
            FontFile2=pdf.make_indirect(Stream(pdf, self.font_file())),
        )
        descendant = Dictionary(
            Type=Name.Font,
            Subtype=Name.CIDFontType2,
            BaseFont=Name("/" + self.name),
            CIDSystemInfo=Dictionary(Registry=String("Adobe"), Ordering=String("Identity"), Supplement=0),
            FontDescriptor=pdf.make_indirect(descriptor),
            CIDToGIDMap=Name.Identity,
            DW=600,
            W=Array([1, Array([round(s.advance * scale) for s in self.cids])]),
        )
        return Dictionary(
            Type=Name.Font,
            Subtype=Name.Type0,
            BaseFont=Name("/" + self.name),
            Encoding=Name("/Identity-H"),
            DescendantFonts=Array([pdf.make_indirect(descendant)]),
            ToUnicode=pdf.make_indirect(Stream(pdf, self.to_unicode())),
        )


@dataclass(slots=True)
class DevanagariPdf:
    """Draws pages of lines in two weights. Add every page before `finish`, since the fonts contain only the syllables that
    were used."""

    width_pt: float
    height_pt: float
    regular: SyllableFont = field(default_factory=lambda: SyllableFont("RAYOCR+NotoSansDevanagari-Regular", 400))
    bold: SyllableFont = field(default_factory=lambda: SyllableFont("RAYOCB+NotoSansDevanagari-Bold", 700))
    _contents: list[bytes] = field(default_factory=list)

    def measure(self, text: str, size_pt: float, bold: bool) -> float:
        return (self.bold if bold else self.regular).width_pt(text, size_pt)

    def add_page(self, lines: list[Line]) -> None:
        parts = []
        for line in lines:
            font, name = (self.bold, "F2") if line.bold else (self.regular, "F1")
            at = f"1 0 0 1 {line.x_pt:.2f} {self.height_pt - line.y_pt:.2f} Tm"
            parts.append(f"BT /{name} {line.size_pt:.2f} Tf {at} <{font.encode(line.text).hex().upper()}> Tj ET\n")
        self._contents.append("".join(parts).encode("ascii"))

    def finish(self) -> Pdf:
        pdf = Pdf.new()
        fonts = Dictionary(F1=pdf.make_indirect(self.regular.embed(pdf)), F2=pdf.make_indirect(self.bold.embed(pdf)))
        for content in self._contents:
            page = pdf.add_blank_page(page_size=(self.width_pt, self.height_pt))
            page.Resources = Dictionary(Font=fonts)
            page.Contents = pdf.make_stream(content)
        return pdf
