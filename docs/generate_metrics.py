"""Writes the table of metrics into docs/observability.md, from rayocr/observe/figures.py. Run by `make docs`."""

from __future__ import annotations

from pathlib import Path

from rayocr.observe.figures import table

TARGET = Path(__file__).parent / "observability.md"
_BEGIN, _END = "<!-- metrics: made by `make docs` from rayocr/observe/figures.py -->\n", "<!-- end of metrics -->"


def text() -> str:
    """Returns the page with the regenerated table."""
    before, begin, rest = TARGET.read_text().partition(_BEGIN)
    _, end, after = rest.partition(_END)
    return f"{before}{begin}{table()}\n{end}{after}"


if __name__ == "__main__":
    TARGET.write_text(text())
