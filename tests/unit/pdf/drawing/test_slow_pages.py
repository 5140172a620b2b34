"""A page that takes too much CPU time to draw fails by itself, and its process goes on."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest

from rayocr.errors import PageTooSlow
from rayocr.pdf.cut.page_document import page_document
from rayocr.pdf.document import PdfFile
from rayocr.pdf.drawing import rendering
from rayocr.pdf.guard import bounded, cpu_limit_s
from rayocr.pdf.page import Page
from tests.unit.pdf import pdfs
from tests.unit.pdf.test_guard import MB, PATIENCE_S, run

# PDFium checks for a cancellation after 100 objects.
MANY = pdfs.stream(b"q BT /F1 20 Tf 50 700 Td (slow) Tj ET Q " + b"0 0 9 9 re f " * 300)


@pytest.fixture
def file() -> Iterator[PdfFile]:
    """Two pages, of which the first has 300 objects."""
    with PdfFile(pdfs.pages_of(("/Contents 50 0 R", ""), extra={50: MANY}), max_pixels=1_000_000) as opened:
        yield opened


def ways(page: Page) -> list[object]:
    return [
        page.render,
        page.ink_coverage,
        page.text_layer,
        lambda: page.thumbnail(50),
        lambda: page.render_part((0, 0, 9, 9), 1),
    ]


@pytest.mark.parametrize("way", range(5))
def test_a_page_over_the_cpu_limit_fails_and_its_neighbor_is_drawn(
    file: PdfFile, monkeypatch: pytest.MonkeyPatch, way: int
) -> None:
    with file.page(1) as slow, file.page(2) as neighbor:
        wanted = neighbor.render(dpi=50).image.tobytes()
        monkeypatch.setattr(rendering, "cpu_limit_s", lambda: 0.0)
        with pytest.raises(PageTooSlow, match=r"Drawing the page takes more than 0 s of CPU time\."):
            ways(slow)[way]()  # type: ignore[operator]
        monkeypatch.setattr(rendering, "cpu_limit_s", lambda: PATIENCE_S)
        with pytest.raises(PageTooSlow):  # no other engine spends the time again
            slow.render(dpi=50)
        assert neighbor.render(dpi=50).image.tobytes() == wanted
        assert "Hello" in neighbor.text_layer().text
    with file.page(1) as again:
        assert again.render(dpi=50).image.width > 100


def test_a_page_that_is_compared_with_what_is_sent_is_not_sent_when_it_is_too_slow(
    file: PdfFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rendering, "cpu_limit_s", lambda: 0.0)
    with file.page(1) as slow, pytest.raises(PageTooSlow):
        slow.hides_text()
        slow.text_layer()
        page_document(slow)


def test_the_limit_is_a_share_of_the_limit_of_the_page() -> None:
    assert cpu_limit_s() == 45
    with bounded(seconds=180, memory_bytes=1 << 40):
        assert cpu_limit_s() == pytest.approx(45)
    with bounded(seconds=900, memory_bytes=1 << 40):
        assert cpu_limit_s() == pytest.approx(225)


def test_all_drawings_of_a_page_have_a_limit_too(file: PdfFile, monkeypatch: pytest.MonkeyPatch) -> None:
    with file.page(1) as slow:
        slow.render(dpi=50)
        monkeypatch.setattr(rendering, "cpu_limit_s", lambda: PATIENCE_S)
        slow._page.raw.spent_s = 5 * PATIENCE_S
        with pytest.raises(PageTooSlow, match=r"Drawing the page several times takes more than"):
            slow.render(dpi=50)


def test_after_ten_slow_pages_the_other_pages_of_the_document_get_less_time(monkeypatch: pytest.MonkeyPatch) -> None:
    slow, clock = 12, iter(range(10**9))
    data = pdfs.pages_of(("/Contents 50 0 R",) * slow + ("",), extra={50: MANY})
    monkeypatch.setattr(rendering.time, "thread_time", lambda: 10.0 * next(clock))  # 10 s for every 100 objects
    with PdfFile(data, max_pixels=1_000_000) as file:
        for number in range(1, slow + 1):
            monkeypatch.setattr(rendering, "cpu_limit_s", lambda: 15.0)
            with file.page(number) as page, pytest.raises(PageTooSlow) as found:
                page.render(dpi=50)
            how = "15 s of CPU time." if number <= 10 else "0.75 s of CPU time, after 10 pages of the document took even longer."
            assert str(found.value) == f"Drawing the page takes more than {how}"
        monkeypatch.setattr(rendering, "cpu_limit_s", lambda: 600.0)
        with file.page(slow + 1) as ordinary:
            assert ordinary.render(dpi=50).image.width > 100
    monkeypatch.setattr(rendering, "cpu_limit_s", lambda: 15.0)
    with PdfFile(data, max_pixels=1_000_000) as again, again.page(1) as page, pytest.raises(PageTooSlow, match=r"CPU time\.\n"):
        page.render(dpi=50)


def test_copies_of_a_page_count_and_are_limited_like_the_page(monkeypatch: pytest.MonkeyPatch) -> None:
    note = "/Contents 50 0 R /Annots [<< /Type /Annot /Subtype /Highlight /Rect [0 0 9 9] /QuadPoints [0 9 9 9 0 0 9 0] >>]"
    with PdfFile(pdfs.pages_of((note,) * 11, extra={50: MANY}), max_pixels=1_000_000) as file:
        monkeypatch.setattr(rendering, "cpu_limit_s", lambda: 0.0)
        for number in range(1, 12):
            with file.page(number) as page, pytest.raises(PageTooSlow) as found:
                page.cut_out()
            assert ("after 10 pages" in str(found.value)) == (number == 11)


DRAW = """
import sys
from rayocr.pdf import guard
from rayocr.pdf.document import PdfFile
guard._CALL_SHARE = 1 / 300
with guard.bounded(seconds=300, memory_bytes=int(sys.argv[1])), PdfFile(sys.stdin.buffer.read(), max_pixels=1_000_000) as file:
    file.page(1).render()
"""


def dense_pattern() -> bytes:
    """A pattern of millions of tiles that lie over each other, which is one object."""
    entries = "/PatternType 1 /PaintType 1 /TilingType 1 /BBox [0 0 600 600] /XStep 0.1 /YStep 0.1 /Resources << >>"
    tile = pdfs.stream(b"0 0 5 5 re f 0 0 500 400 re f", entries)
    content = pdfs.stream(b"/Pattern cs /P scn 0 0 600 600 re f")
    return pdfs.pages_of(content=content, resources="/Pattern << /P 50 0 R >>", extra={50: tile})


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the CPU limit needs clocks of threads")
def test_a_drawing_that_pdfium_cannot_cancel_ends_the_process_long_before_the_limit_of_the_page() -> None:
    done = run(DRAW, 4096 * MB, data=dense_pattern())
    assert done.returncode == 1
    assert b"A PDF took more than 1 s of CPU time for one step" in done.stderr
