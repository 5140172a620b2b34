from __future__ import annotations

from dataclasses import fields
from pathlib import Path

from rayocr.api.document import ReadDocument, ReadPage
from rayocr.messages import pages

PAGE = (Path(__file__).parents[3] / "docs" / "python.md").read_text()
OTHER_NAMES = ("OUTAGE_REASONS", "UNPRICED")


def test_the_page_about_python_names_every_field_and_every_doubt() -> None:
    properties = ("markdown", "text", "failed")
    names = {*(field.name for field in fields(ReadPage)), *(field.name for field in fields(ReadDocument)), *properties}
    doubts = {value for name, value in vars(pages).items() if name.isupper() and name not in OTHER_NAMES}
    assert [name for name in sorted(names | doubts) if f"`{name}" not in PAGE] == []
