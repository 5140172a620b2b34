"""Which pages are blank: measured on pages as scanners deliver them, through a PDF, as in a run."""

from __future__ import annotations

import pytest
from PIL import Image

from rayocr.pdf.document import PdfFile
from rayocr.pdf.ink import BLANK_COVERAGE
from tests.unit.pdf.pdfs import image_page, pages_of
from tests.unit.pdf.scans import (
    Layer,
    bleed_through,
    crooked,
    crossing_folds,
    dust,
    fold,
    jpeg,
    punch_holes,
    scan,
    shadows,
    soft_shadow,
    staple,
    streaks,
    tick,
    word,
)

NOTHING: dict[str, tuple[Layer, ...]] = {
    "paper": (),
    "dust": (dust(300, 0.8),),
    "a little coarse dust": (dust(150, 0.6), dust(2, 1.6)),
    "two punch holes": (punch_holes(2),),
    "four gray punch holes": (punch_holes(4, fill=120),),
    "the rims of punch holes": (punch_holes(2, ring=True),),
    "shadows along two edges": (shadows(6),),
    "wide shadows along two edges": (shadows(12),),
    "a soft shadow": (soft_shadow(),),
    "streaks of the glass": (streaks(2),),
    "a staple": (staple,),
    "a fold": (fold,),
    "two folds that cross": (crossing_folds,),
    "the black around a crooked sheet": (crooked,),
    "folds from edge to edge of a crooked sheet": (crooked, crossing_folds, dust(60, 0.8)),
    "the other side of the sheet": (bleed_through(0.10),),
    "the other side of a thin sheet": (bleed_through(0.15),),
    "everything": (dust(100, 0.6), punch_holes(2), shadows(6), streaks(1), staple, bleed_through(0.08)),
}
SOMETHING: dict[str, tuple[Layer, ...]] = {
    "Appendix B": (word("Appendix B", 12),),
    "Appendix B, faint": (word("Appendix B", 12, ink=150),),
    "Appendix B, slanting": (word("Appendix B", 12, turned=2.5),),
    "Appendix B on a worn sheet": (dust(100, 0.6), punch_holes(2), shadows(6), streaks(1), staple, word("Appendix B", 12)),
    "Appendix B on a folded, crooked sheet": (crooked, crossing_folds, word("Appendix B", 12, at_mm=(90, 145))),
    "a page number on a folded, crooked sheet": (crooked, crossing_folds, word("12", 10, at_mm=(108, 285))),
    "a small word near the edge of a crooked sheet": (crooked, word("Annexe", 8, at_mm=(12, 12))),
    "a word of 8 pt": (word("Annexe", 8),),
    "a page number": (word("- 7 -", 10, at_mm=(102, 280)),),
    "a number of two digits": (word("12", 10, at_mm=(102, 280)),),
    "a digit": (word("7", 12, at_mm=(102, 280)),),
    "a large letter": (word("A", 60),),
    "a tick": (tick,),
    "two ideograms": (word("II", 14),),
}


def ink_coverage(image: Image.Image, quality: int = 60) -> float:
    entries = f"/Width {image.width} /Height {image.height} /ColorSpace /DeviceGray /BitsPerComponent 8 /Filter /DCTDecode"
    with PdfFile(image_page(entries, jpeg(image, quality)), max_pixels=20_000_000) as file, file.page(1) as page:
        return page.ink_coverage()


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("layers", NOTHING.values(), ids=NOTHING.keys())
def test_specks_of_a_scanner_do_not_count_as_ink(layers: tuple[Layer, ...], seed: int) -> None:
    assert ink_coverage(scan(*layers, seed=seed)) == 0.0


@pytest.mark.parametrize("layers", SOMETHING.values(), ids=SOMETHING.keys())
def test_the_smallest_mark_on_a_page_is_ink(layers: tuple[Layer, ...]) -> None:
    assert ink_coverage(scan(*layers)) >= BLANK_COVERAGE


@pytest.mark.parametrize("text", ["Appendix C", "7", "i", "...and so on", "No. 5"])
@pytest.mark.parametrize("size", [6, 12])
def test_the_least_that_a_file_itself_writes_on_a_page_is_ink(text: str, size: int) -> None:
    with PdfFile(pages_of(content=f"BT /F1 {size} Tf 290 400 Td ({text}) Tj ET".encode()), max_pixels=2_000_000) as file:
        for number in range(1, file.page_count + 1):
            with file.page(number) as page:
                assert page.ink_coverage() >= BLANK_COVERAGE


@pytest.mark.parametrize(
    "content",
    [
        b"0.9 g 0 0 595 842 re f",
        b"0.5 w 40 800 m 555 800 l S",
        b"BT /F1 12 Tf 3 Tr 72 700 Td (A reading that nobody sees) Tj ET",
        b"1 g BT /F1 12 Tf 72 700 Td (White on white) Tj ET",
    ],
    ids=["a tint", "a rule", "invisible text", "white text"],
)
def test_what_says_nothing_to_a_reader_is_not_ink(content: bytes) -> None:
    with PdfFile(pages_of(content=content), max_pixels=2_000_000) as file, file.page(1) as page:
        assert page.ink_coverage() == 0.0


def test_light_gray_words_are_ink() -> None:
    data = pages_of(content=b"0.9 g BT /F1 40 Tf 72 400 Td (DRAFT) Tj ET")
    with PdfFile(data, max_pixels=2_000_000) as file, file.page(1) as page:
        assert page.ink_coverage() >= BLANK_COVERAGE


@pytest.mark.parametrize("color", ["0 g", "1 g"])
def test_words_in_a_font_that_is_not_here_are_ink_unless_they_are_white(color: str) -> None:
    font = b"<< /Type /Font /Subtype /Type0 /BaseFont /HeiseiMin-W3 /Encoding /UniJIS-UCS2-H /DescendantFonts [6 0 R] >>"
    descendant = (
        b"<< /Type /Font /Subtype /CIDFontType0 /BaseFont /HeiseiMin-W3 /DW 1000 "
        b"/CIDSystemInfo << /Registry (Adobe) /Ordering (Japan1) /Supplement 2 >> >>"
    )
    data = pages_of(
        content=f"{color} BT /F2 24 Tf 72 400 Td <4ED89332> Tj ET".encode(),
        extra={3: font, 6: descendant},
    ).replace(b"/F1 3 0 R", b"/F2 3 0 R")
    with PdfFile(data, max_pixels=2_000_000) as file, file.page(1) as page:
        assert page.text_layer().text == ("付録" if color == "0 g" else "")
        assert (page.ink_coverage() >= BLANK_COVERAGE) == (color == "0 g")
