"""The layout of the package: small folders, and no oversized file without a reason."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

PACKAGE = Path(__file__).parents[2] / "rayocr"
MAX_FILES = 14


def test_no_folder_holds_more_than_fourteen_python_files() -> None:
    folders = Counter(path.parent for path in PACKAGE.rglob("*.py"))
    assert {str(folder): count for folder, count in folders.items() if count > MAX_FILES} == {}


def test_every_folder_with_code_is_a_package() -> None:
    folders = {path.parent for path in PACKAGE.rglob("*.py")}
    assert [folder for folder in folders if not (folder / "__init__.py").exists()] == []
