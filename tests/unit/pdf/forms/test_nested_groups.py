"""Pages whose transparency groups contain each other so often that PDFium would draw them for minutes."""

from __future__ import annotations

import pypdfium2
import pytest

from rayocr.errors import PageUnrenderable
from rayocr.pdf.document import PdfFile
from rayocr.pdf.forms import nested_groups
from tests.unit.pdf import pdfs

FORM = "/Type /XObject /Subtype /Form /BBox [0 0 600 800]"
GROUP = "/Group << /S /Transparency /I true >>"


def groups(depth: int, often: int, *, size: str = "600 800", entries: str = GROUP) -> bytes:
    """Forms that each draw the next one this often."""
    drawn = b"/X Do " * often
    objects = {
        100 + n: pdfs.stream(drawn, f"{FORM} {entries} /Resources << /XObject << /X {101 + n} 0 R >> >>")
        for n in range(depth - 1)
    }
    objects[99 + depth] = pdfs.stream(f"0 0 {size} re f".encode(), f"{FORM} {entries}")
    return pdfs.pages_of(content=pdfs.HELLO + b" /X Do", resources="/XObject << /X 100 0 R >>", extra=objects)


@pytest.mark.parametrize("data", [groups(4, 11), groups(11, 2)], ids=["eleven of eleven", "two of two"])
def test_a_page_that_nests_groups_too_often_is_not_drawn(data: bytes) -> None:
    with PdfFile(data, max_pixels=10**6) as file, pytest.raises(PageUnrenderable, match="more than 1,000 transparency groups"):
        file.page(1)


@pytest.mark.parametrize("data", [groups(4, 11, size="9 9"), groups(4, 11, entries="")], ids=["small groups", "no groups"])
def test_small_groups_and_other_forms_are_drawn(data: bytes) -> None:
    with PdfFile(data, max_pixels=10**6) as file, file.page(1) as page:
        assert "Hello, this is a page" in page.raw_text


def test_groups_count_in_the_scale_in_which_they_are_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nested_groups, "MAX_GROUPS", 3)
    small = groups(3, 2).replace(b"/X Do /X Do", b".1 0 0 .1 0 0 cm /X Do q 1 0 0 1 5 5 cm /X Do Q")
    assert "more than 3" in nested_groups.excessive_groups(pypdfium2.PdfDocument(groups(3, 2)), 0)
    assert not nested_groups.excessive_groups(pypdfium2.PdfDocument(small), 0)
