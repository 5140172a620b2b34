"""Benchmarks import inside functions what only some of their processes need. A renamed class must not break them unnoticed."""

from __future__ import annotations

import ast
import importlib
import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

_ROOT = Path(__file__).parents[3]
_FILES = sorted(path.relative_to(_ROOT) for folder in ("benchmarks", "docs") for path in (_ROOT / folder).rglob("*.py"))


@pytest.mark.parametrize("file", _FILES, ids=str)
def test_every_imported_name_exists(file: Path) -> None:
    for node in ast.walk(ast.parse((_ROOT / file).read_text())):
        if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] in ("rayocr", "benchmarks"):
            module = importlib.import_module(node.module or "")
            missing = [name.name for name in node.names if not hasattr(module, name.name) and not _is_module(module, name.name)]
            assert not missing, f"{node.module} has no {missing} (line {node.lineno})"


def _is_module(package: ModuleType, name: str) -> bool:
    return hasattr(package, "__path__") and importlib.util.find_spec(f"{package.__name__}.{name}") is not None
