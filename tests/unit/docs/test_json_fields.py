from __future__ import annotations

import runpy
from pathlib import Path

DOCS = Path(__file__).parents[3] / "docs"


def test_the_tables_of_json_fields_are_made_from_the_code() -> None:
    text = runpy.run_path(str(DOCS / "generate_json_fields.py"))["text"]
    assert (DOCS / "outputs.md").read_text() == text(), "run make docs"
