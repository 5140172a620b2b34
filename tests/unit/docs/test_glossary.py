"""`rayocr --help WORD` reads a copy of the glossary that is inside the package."""

from __future__ import annotations

from pathlib import Path

PROJECT = Path(__file__).parents[3]


def test_the_copy_in_the_package_is_up_to_date() -> None:
    document, copy = (PROJECT / path for path in ("docs/glossary.md", "rayocr/cli/glossary.md"))
    assert copy.read_bytes() == document.read_bytes(), "run python docs/generate_glossary.py (or `make docs`)"
