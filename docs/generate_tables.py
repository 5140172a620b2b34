"""Writes the tables that are made from the code into pages of docs/: those of metrics and of `--json`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from rayocr.observe import figures, json_fields

DOCS = Path(__file__).parent
# Page -> the name of its part, the file that it is made from, and what makes it.
PARTS: dict[str, tuple[str, str, Callable[[], str]]] = {
    "observability.md": ("metrics", "rayocr/observe/figures.py", figures.table),
    "outputs.md": ("json", "rayocr/observe/json_fields.py", json_fields.tables),
}


def text(page: str) -> str:
    """The page with the regenerated tables."""
    name, file, make = PARTS[page]
    before, begin, rest = (DOCS / page).read_text().partition(f"<!-- {name}: made by `make docs` from {file} -->\n")
    _, end, after = rest.partition(f"<!-- end of {name} -->")
    assert begin and end, f"docs/{page} has no marks for {name}"
    return f"{before}{begin}{make()}\n{end}{after}"


if __name__ == "__main__":
    for page in PARTS:
        (DOCS / page).write_text(text(page))
