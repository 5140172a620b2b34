from __future__ import annotations

import io

import pikepdf
from hypothesis import HealthCheck, given, settings

from tests.unit.outputs.clean_pages import clean_pdf
from tests.unit.outputs.random_pages import DOCUMENTS


@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(DOCUMENTS)
def test_whatever_a_page_holds_the_file_is_valid_and_has_its_pages(texts: list[str]) -> None:
    data, notes = clean_pdf(texts)
    check(data, notes, pages=len(texts))
    assert data.startswith(b"%PDF")


def check(data: bytes, notes: tuple[str, ...], *, pages: int) -> None:
    """Also used by the benchmark: `python -m benchmarks.outputs --random 500`."""
    with pikepdf.open(io.BytesIO(data)) as pdf:
        assert len(pdf.pages) == pages
        assert pdf.check_pdf_syntax() == []
    assert not any("could not be typeset" in note for note in notes)
