from __future__ import annotations

import io
import os

import pikepdf
from hypothesis import HealthCheck, given, settings

from tests.unit.outputs.clean_pages import clean_pdf
from tests.unit.outputs.random_pages import DOCUMENTS

_DOCUMENTS = int(os.environ.get("RAYOCR_RANDOM_DOCUMENTS", "25"))  # of up to five pages; benchmarks/outputs.py asks for more


@settings(max_examples=_DOCUMENTS, deadline=None, suppress_health_check=list(HealthCheck), derandomize=_DOCUMENTS == 25)
@given(DOCUMENTS)
def test_whatever_a_page_holds_the_file_is_valid_and_has_its_pages(texts: list[str]) -> None:
    data, notes = clean_pdf(texts)
    with pikepdf.open(io.BytesIO(data)) as pdf:
        assert len(pdf.pages) == len(texts)
        assert pdf.check_pdf_syntax() == []
    assert not any("could not be typeset at all" in note for note in notes)
