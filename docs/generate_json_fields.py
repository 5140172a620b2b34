"""Writes the tables of `--json` into docs/outputs.md, from rayocr/observe/json_fields.py. Run by `make docs`."""

from __future__ import annotations

from pathlib import Path

from rayocr.observe.json_fields import tables

TARGET = Path(__file__).parent / "outputs.md"
_BEGIN, _END = "<!-- json: made by `make docs` from rayocr/observe/json_fields.py -->\n", "<!-- end of json -->"


def text() -> str:
    """Returns the page with the regenerated tables."""
    before, begin, rest = TARGET.read_text().partition(_BEGIN)
    _, end, after = rest.partition(_END)
    return f"{before}{begin}{tables()}\n{end}{after}"


if __name__ == "__main__":
    TARGET.write_text(text())
