"""Pages whose soft masks, Type 3 glyphs or tiling patterns contain each other so often that PDFium would draw them for hours."""

from __future__ import annotations

import pytest

from rayocr.errors import PageUnrenderable
from rayocr.pdf.document import PdfFile
from rayocr.pdf.forms import nested_paints
from tests.unit.pdf import pdfs

GROUP = "/Type /XObject /Subtype /Form /BBox [0 0 600 800] /Group << /S /Transparency /CS /DeviceGray >>"
GLYPHS = "/Type /Font /Subtype /Type3 /FontBBox [0 0 1 1] /FontMatrix [1 0 0 1 0 0] /FirstChar 97 /LastChar 97 /Widths [1]"


def mask(number: int) -> str:
    return f"/ExtGState << /G << /SMask << /S /Luminosity /G {number} 0 R >> >> /Q << /SMask /None >> >>"


def masks(depth: int, often: int, after: bytes = b"") -> bytes:
    """Masks that each draw this many rectangles under the next mask."""
    drawn = b"/G gs " + b"0 0 500 700 re f " * often + after
    forms = {100 + n: pdfs.deflated(drawn, f"{GROUP} /Resources << {mask(101 + n)} >>") for n in range(depth - 1)}
    forms[99 + depth] = pdfs.stream(b"0 0 9 9 re f", GROUP)
    return pdfs.pages_of(content=pdfs.HELLO + b" " + drawn, resources=mask(100), extra=forms)


def glyphs(depth: int, often: int, *, last: bytes = b"0 0 1 1 re f", ring: bool = False) -> bytes:
    """Glyphs that each draw the next one this often."""
    objects = {}
    text = b"1 0 d0 BT /T 1 Tf (" + b"a" * often + b") Tj ET"
    for n in range(depth):
        inner = 100 + 2 * ((n + 1) % depth)
        resources = f"/Resources << /Font << /T {inner} 0 R >> >>" if ring or n < depth - 1 else "/Resources << >>"
        font = f"<< {GLYPHS} /Encoding << /Differences [97 /a] >> /CharProcs << /a {101 + 2 * n} 0 R >> {resources} >>"
        objects |= {100 + 2 * n: font.encode(), 101 + 2 * n: pdfs.stream(text if ring or n < depth - 1 else b"1 0 d0 " + last)}
    fonts = "/Font << /F1 3 0 R /T 100 0 R >>"
    page = f"/Resources << {fonts} >>"
    return pdfs.pages_of((page,), content=pdfs.HELLO + b" BT /T 9 Tf (" + b"a" * often + b") Tj ET", extra=objects).replace(
        b"/Resources << /Font << /F1 3 0 R >>  >> /Resources", b"/Resources"
    )


def patterns(depth: int, often: int, step: int = 600) -> bytes:
    """Patterns that each fill this many rectangles with the next one."""
    entries = f"/PatternType 1 /PaintType 1 /TilingType 1 /BBox [0 0 600 600] /XStep {step} /YStep {step}"
    drawn = b"/Pattern cs /P scn " + b"0 0 600 600 re f " * often
    objects = {
        100 + n: pdfs.stream(drawn, f"{entries} /Resources << /Pattern << /P {101 + n} 0 R >> >>") for n in range(depth - 1)
    }
    objects[99 + depth] = pdfs.stream(b"0 0 5 5 re f", f"{entries} /Resources << >>")
    return pdfs.pages_of(content=pdfs.HELLO + b" " + drawn, resources="/Pattern << /P 100 0 R >>", extra=objects)


def mixed_ring(kind: str) -> bytes:
    """A glyph that draws two objects with a mask or pattern that draws this glyph twice."""
    entries = "/PatternType 1 /PaintType 1 /TilingType 1 /BBox [0 0 60 60] /XStep 60 /YStep 60" if kind == "pattern" else GROUP
    inner = "/Pattern << /P 102 0 R >>" if kind == "pattern" else mask(102)
    selected = b"/Pattern cs /P scn" if kind == "pattern" else b"/G gs"
    font = f"<< {GLYPHS} /Encoding << /Differences [97 /a] >> /CharProcs << /a 101 0 R >> /Resources << {inner} >> >>"
    objects = {
        100: font.encode(),
        101: pdfs.stream(b"1 0 d0 " + selected + b" 0 0 1 1 re f 0 0 1 1 re f"),
        102: pdfs.stream(b"BT /T 50 Tf (aa) Tj ET", f"{entries} /Resources << /Font << /T 100 0 R >> >>"),
    }
    drawn = pdfs.HELLO + b" BT /T 300 Tf (a) Tj ET"
    data = pdfs.pages_of(content=drawn, extra=objects)
    return data.replace(b"/Font << /F1 3 0 R >>", b"/Font << /F1 3 0 R /T 100 0 R >>")


def ring(kind: str) -> bytes:
    """A mask or pattern that draws itself twice."""
    return (masks(2, 2) if kind == "mask" else patterns(2, 2)).replace(b" 101 0 R", b" 100 0 R")


HOSTILE = {
    "ten masks of ten": masks(10, 10),
    "thirty masks of two": masks(30, 2),
    "two masks of a thousand": masks(2, 1000),
    "three masks of forty": masks(3, 40),
    "a mask that draws itself": ring("mask"),
    "a pattern that draws itself": ring("pattern"),
    "a mask that draws itself in a glyph": mixed_ring("mask"),
    "ten glyphs of ten": glyphs(10, 10),
    "thirty glyphs of two": glyphs(30, 2),
    "ten patterns of ten": patterns(10, 10),
    "patterns whose tiles lie over each other": patterns(3, 2, step=1),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_page_that_nests_them_too_often_is_not_loaded(name: str) -> None:
    wanted = "it draws soft masks(, glyphs or patterns within each other, more than 50| within .*, more than 50),000 times"
    with PdfFile(HOSTILE[name], max_pixels=10**6) as file, pytest.raises(PageUnrenderable, match=wanted):
        file.page(1)


SHARED = "/Resources 5 0 R"  # of the page and its mask
ORDINARY = {
    "three masks of ten": masks(3, 10),
    "as many masks as in a real poster": masks(3, 22),
    "masks that end before most objects": masks(2, 5, after=b"/Q gs " + b"0 0 9 9 re f " * 200),
    "glyphs of a glyph": glyphs(2, 100),
    "a pattern that draws itself in a glyph": mixed_ring("pattern"),
    "a glyph that draws itself": glyphs(1, 100, ring=True),
    "a pattern in a pattern": patterns(2, 20),
    "an odd pattern": patterns(2, 2).replace(b"/XStep 600", b"/XStep (a)"),
    "a mask with the resources of its page": pdfs.pages_of(
        (SHARED,),
        content=b"/G gs " + pdfs.HELLO,
        extra={
            5: f"<< /Font << /F1 3 0 R >> {mask(100)} >>".encode(),
            100: pdfs.stream(b"1 g 0 0 600 800 re f " * 900, f"{GROUP} {SHARED}"),
        },
    ).replace(b"/Resources << /Font << /F1 3 0 R >>  >> /Resources", b"/Resources"),
}


@pytest.mark.parametrize("name", ORDINARY)
def test_other_pages_are_loaded(name: str) -> None:
    with PdfFile(ORDINARY[name], max_pixels=10**6) as file, file.page(1) as page:
        assert "Hello, this is a page" in page.raw_text


def test_a_mask_over_many_objects_is_not_nested(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nested_paints, "_MAX_DRAWS", 100)
    for ordinary in (masks(1, 200), masks(2, 5, after=b"/Q gs " + b"0 0 9 9 re f " * 200), masks(2, 5, after=b"(/Q gs) Tj ")):
        with PdfFile(ordinary, max_pixels=10**6) as file:
            file.page(1).close()
    with (
        PdfFile(masks(2, 5, after=b"(/Q gs Q) pop " + b"0 0 9 9 re f " * 9), max_pixels=10**6) as file,
        pytest.raises(PageUnrenderable),
    ):
        file.page(1)
    with PdfFile(masks(2, 11), max_pixels=10**6) as file, pytest.raises(PageUnrenderable, match="more than 100 times"):
        file.page(1)
