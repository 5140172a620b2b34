"""A page that is illegible when a model sees it as a whole is sent with its parts, which show the whole page once, in order."""

from __future__ import annotations

import numpy as np
import pypdfium2
import pytest
from PIL import Image, ImageDraw

from rayocr.engines.gemini.request import PARTS_NOTE, prompt_for
from rayocr.pdf.cut.content_hash import content_hash
from rayocr.pdf.cut.long_pages import is_in_parts, pages_of, parts_of
from rayocr.pdf.cut.page_document import page_document
from rayocr.pdf.document import PdfFile
from rayocr.pdf.geometry import Box
from tests.unit.pdf import pdfs


def receipt(items: int, *, width_pt: int = 226, size_pt: float = 8) -> bytes:
    """Items below each other, 12 pt apart."""
    height = 12 * items + 60
    content = "".join(
        f"BT /F1 {size_pt} Tf 10 {height - 40 - 12 * number} Td (Green soap {number + 101}) Tj 150 0 Td ({number}.95) Tj ET\n"
        for number in range(items)
    )
    return pdfs.pages_of(("",), content=content.encode(), media_box=f"[0 0 {width_pt} {height}]")


def banner(panels: int) -> bytes:
    content = "".join(
        f"BT /F1 9 Tf {40 + 300 * panel} {250 - 14 * row} Td (Panel {panel + 1} has the row {row + 1}) Tj ET\n"
        for panel in range(panels)
        for row in range(12)
    )
    return pdfs.pages_of(("",), content=content.encode(), media_box=f"[0 0 {300 * panels} 300]")


def screenshot(lines: int) -> bytes:
    """Of many screens, on the height of A4."""
    pixels = Image.new("L", (800, 28 * lines), "white")
    for number in range(lines):
        ImageDraw.Draw(pixels).text((30, 6 + 28 * number), f"Entry {number} repairs the gate", fill=20, font_size=14)
    width = 842 * pixels.width // pixels.height
    entries = f"/Width {pixels.width} /Height {pixels.height} /ColorSpace /DeviceGray /BitsPerComponent 8"
    placed, box = f"{width} 0 0 842 0 0", f"[0 0 {width} 842]"
    return pdfs.image_page(entries, pixels.tobytes(), placed=placed, media_box=box)


def parts(data: bytes) -> tuple[list[Box], bytes]:
    with PdfFile(data, max_pixels=20_000_000) as file, file.page(1) as page:
        return parts_of(page), page_document(page)


LARGE = {"receipt": receipt(460), "banner": banner(20), "screenshot": screenshot(230)}


@pytest.mark.parametrize("name", LARGE)
def test_the_parts_of_a_page_are_legible_and_cut_no_text(name: str) -> None:
    boxes, sent = parts(LARGE[name])
    assert len(boxes) > 2
    assert is_in_parts(sent)
    with pypdfium2.PdfDocument(sent) as document:
        assert pages_of(sent) == len(document) > 1
    with PdfFile(LARGE[name], max_pixels=20_000_000) as file, file.page(1) as page:
        longer = max(page.width_pt, page.height_pt)
        down = page.height_pt == longer
        scale = min(4.0, 15_000 / longer)
        gray = np.asarray(page.render(dpi=round(72 * scale), grayscale=True).image).astype(int)
    lengths = [(y1 - y0) if down else (x1 - x0) for x0, y0, x1, y1 in boxes]
    assert max(lengths) < 0.6 * longer
    ends = [(box[3] if down else box[2]) for box in boxes]
    starts = [(box[1] if down else box[0]) for box in boxes]
    assert starts == sorted(starts)
    assert [0.0, *ends[:-1]] == pytest.approx(starts)
    assert ends[-1] == pytest.approx(longer, abs=2)
    for end in ends[:-1]:
        at = round(end / longer * gray.shape[0 if down else 1])
        cut = gray[at] if down else gray[:, at]
        assert cut.max() - cut.min() < 60, "a cut runs through white space"


def test_the_parts_show_the_page() -> None:
    boxes, sent = parts(LARGE["receipt"])
    with PdfFile(LARGE["receipt"], max_pixels=20_000_000) as file, file.page(1) as page, pypdfium2.PdfDocument(sent) as shown:
        assert len(shown) == 1 + len(boxes)
        for part, box in zip(shown, [(0.0, 0.0, page.width_pt, page.height_pt), *boxes], strict=True):
            assert part.get_size() == pytest.approx((box[2] - box[0], box[3] - box[1]), abs=0.1)
            wanted = np.asarray(page.render_part(box, 2.0).convert("L").resize((100, 300)), int)
            found = np.asarray(part.render(scale=2.0).to_pil().convert("L").resize((100, 300)), int)
            assert np.abs(wanted - found).mean() < 6


@pytest.mark.parametrize(
    "data",
    [
        receipt(60),
        receipt(300, width_pt=2400, size_pt=30),
        pdfs.pages_of(("",), content=b"", media_box="[0 0 226 5600]"),
        screenshot(40),
    ],
    ids=["short", "large letters", "blank", "a short screenshot"],
)
def test_a_page_that_is_legible_as_a_whole_is_sent_as_a_whole(data: bytes) -> None:
    boxes, sent = parts(data)
    assert boxes == []
    assert not is_in_parts(sent)
    assert pages_of(sent) == 1


def test_parts_that_are_too_large_together_are_reduced_or_not_sent() -> None:
    with PdfFile(LARGE["receipt"], max_pixels=20_000_000) as file, file.page(1) as page:
        whole = page_document(page)
        smaller = page_document(page, max_bytes=len(whole) * 2 // 3)
        assert is_in_parts(smaller)
        assert len(smaller) <= len(whole) * 2 // 3
        assert not is_in_parts(page_document(page, max_bytes=20_000))


def test_the_same_page_has_the_same_hash() -> None:
    assert content_hash(parts(LARGE["receipt"])[1]) == content_hash(parts(LARGE["receipt"])[1])


def test_the_prompt_explains_parts_only_where_there_are_some() -> None:
    assert prompt_for(parts(LARGE["receipt"])[1], "Read.").startswith("Read.\n\n" + PARTS_NOTE)
    assert prompt_for(parts(receipt(60))[1], "Read.") == "Read."
