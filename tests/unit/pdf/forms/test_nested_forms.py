"""Pages whose form XObjects draw each other so often that PDFium would take hours to load them."""

from __future__ import annotations

import pytest

from rayocr.errors import CorruptPdf, PageUnrenderable
from rayocr.pdf.document import PdfFile, validate
from tests.unit.pdf import pdfs

FORM = "/Type /XObject /Subtype /Form /BBox [0 0 600 800]"


def form(content: bytes, entries: str = "", draws: int | None = None) -> bytes:
    resources = f"/XObject << /X {draws} 0 R >>" if draws is not None else ""
    return pdfs.deflated(content, f"{FORM} {entries} /Resources << {resources} /Font << /F1 3 0 R >> >>")


def levels(depth: int, often: int, first: int = 100) -> dict[int, bytes]:
    """Forms that each draw the next one this often."""
    chain = {first + n: form(b"/X Do " * often, draws=first + n + 1) for n in range(depth)}
    return chain | {first + depth: form(b"0 0 9 9 re f")}


def ring(length: int, often: int) -> dict[int, bytes]:
    return {100 + n: form(b"/X Do " * often, draws=100 + (n + 1) % length) for n in range(length)}


def page(forms: dict[int, bytes], *, draws: bytes = b" /X Do", resources: str = "/XObject << /X 100 0 R >>") -> bytes:
    return pdfs.pages_of(content=pdfs.HELLO + draws, resources=resources, extra=forms)


def stamp(forms: dict[int, bytes]) -> bytes:
    annotation = b"<< /Type /Annot /Subtype /Stamp /Rect [10 10 90 90] /AP << /N 100 0 R >> >>"
    return pdfs.pages_of(("/Annots [5 0 R]",), extra=forms | {5: annotation})


HOSTILE = {
    "ten levels of ten": page(levels(10, 10)),
    "thirty levels of two": page(levels(30, 2)),
    "two levels of a thousand": page(levels(2, 1000)),
    "a form that draws itself twice": page({100: form(b"/X Do /X Do", draws=100)}),
    "a ring": page(ring(30, 2)),
    "a stamp that draws itself twice": stamp({100: form(b"/X Do /X Do", draws=100)}),
    "a stamp with ten levels of ten": stamp(levels(10, 10)),
    "resources of the page": page({100: pdfs.deflated(b"/X Do " * 3, FORM)}),
    "a long form, drawn often": page({100: form(b"0 g " * 50_000)}, draws=b" /X Do" * 20_000),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_page_with_too_many_forms_is_not_loaded(name: str) -> None:
    with pytest.raises(CorruptPdf, match=r"No page of the document can be read. Page 1 cannot be loaded: it draws "):
        validate(HOSTILE[name], max_pages=10, max_bytes=10**9)
    with PdfFile(HOSTILE[name], max_pixels=10**6) as file, pytest.raises(PageUnrenderable, match="it draws "):
        file.page(1)


ORDINARY = {
    "a form that draws itself once": page({100: form(b"/X Do", draws=100)}),
    "two levels of a hundred": page(levels(2, 100)),
    "a form drawn ten thousand times": page({100: form(b"0 0 1 1 re f")}, draws=b" /X Do" * 10_000),
    "a form of a megabyte": page({100: form(b"0 g " * 250_000)}),
    "a name in a comment": page(levels(3, 100), draws=b"\n%" + b"/X Do " * 100),
    "a form that is not there": page({100: b"null"}),
    "resources that are not a dictionary": page({}, resources="/XObject 4"),
}


@pytest.mark.parametrize("name", ORDINARY)
def test_other_pages_are_loaded(name: str) -> None:
    with PdfFile(ORDINARY[name], max_pixels=10**6) as file, file.page(1) as loaded:
        assert "Hello, this is a page" in loaded.raw_text


def test_only_the_hostile_page_of_a_document_fails() -> None:
    hostile = "/Resources << /Font << /F1 3 0 R >> /XObject << /X 100 0 R >> >> /Contents 5 0 R"
    data = pdfs.pages_of(("", hostile, ""), extra=levels(10, 10) | {5: pdfs.stream(b"/X Do")})
    assert validate(data, max_pages=10, max_bytes=10**9).page_count == 3
    with PdfFile(data, max_pixels=10**6) as file:
        file.page(1).close()
        file.page(3).close()
        with pytest.raises(PageUnrenderable, match="Page 2 cannot be loaded: it draws more than 300,000 forms"):
            file.page(2)


def test_inherited_resources_are_examined() -> None:
    data = pdfs.file_of(
        {
            1: b"<< /Type /Catalog /Pages 2 0 R >>",
            2: b"<< /Type /Pages /Kids [3 0 R] /Count 1 /Resources << /XObject << /X 100 0 R >> >> /MediaBox [0 0 9 9] >>",
            3: b"<< /Type /Page /Parent 2 0 R /Contents 4 0 R >>",
            4: pdfs.stream(b"/X Do"),
        }
        | levels(10, 10)
    )
    with PdfFile(data, max_pixels=10**6) as file, pytest.raises(PageUnrenderable, match="forms"):
        file.page(1)


@pytest.mark.parametrize("kind", ["/Widget /FT /Tx /T (a)", "/Stamp /AP << /N 100 0 R >>"])
def test_a_page_with_too_many_annotations_is_not_loaded(kind: str) -> None:
    annotation = f"<< /Type /Annot /Subtype {kind} /Rect [0 0 9 9] >>"
    forms = {100: form(b"0 0 9 9 re f"), 101: annotation.encode(), 102: b"[" + b"101 0 R " * 20_001 + b"]"}
    catalog = b"<< /Type /Catalog /Pages 2 0 R /AcroForm << /Fields [101 0 R] >> >>"
    data = pdfs.pages_of(("/Annots 102 0 R", ""), extra=forms | {1: catalog, 103: b"(" + b" " * 200_000 + b")"})
    with PdfFile(data, max_pixels=1_000_000) as file, file.page(2) as good:
        assert "Hello" in good.text_layer().text
        with pytest.raises(PageUnrenderable, match="it has 20,001 annotations"):
            file.page(1)
