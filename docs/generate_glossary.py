"""Copies docs/glossary.md into the package, for `rayocr --help WORD`. Run by `make docs`; a test compares the two."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

PROJECT = Path(__file__).parents[1]


def main() -> int:
    shutil.copyfile(PROJECT / "docs" / "glossary.md", PROJECT / "rayocr" / "cli" / "glossary.md")
    return 0


if __name__ == "__main__":
    sys.exit(main())
