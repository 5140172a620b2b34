from __future__ import annotations

import runpy
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[3] / "docs"


@pytest.mark.parametrize("page", ["observability.md", "outputs.md"])
def test_the_tables_of_a_page_are_made_from_the_code(page: str) -> None:
    text = runpy.run_path(str(DOCS / "generate_tables.py"))["text"]
    assert (DOCS / page).read_text() == text(page), "run make docs"
