"""The names of the package, for type checkers and at run time."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import rayocr

PACKAGE = Path(rayocr.__file__).parent
PROGRAM = """\
import rayocr
from rayocr import ReadDocument

document: ReadDocument = rayocr.read(b"")
failures: tuple[type[rayocr.errors.UsageError], ...] = (rayocr.errors.UsageError,)
rayocr.raed(b"")
"""


def test_a_type_checker_finds_the_names_and_reports_misspelled_ones(tmp_path: Path) -> None:
    """Modules other than the package's own two are skipped, which takes seconds less."""
    (tmp_path / "program.py").write_text(PROGRAM)
    files = [
        str(tmp_path / "program.py"),
        *(str(PACKAGE / name) for name in ("__init__.py", "api/__init__.py", "errors/__init__.py")),
    ]
    options = ["--follow-imports=skip", f"--cache-dir={tmp_path}", "--config-file=", "--no-error-summary"]
    done = subprocess.run(
        [sys.executable, "-m", "mypy", *options, *files], cwd=PACKAGE.parent, capture_output=True, text=True, check=False
    )
    assert [line.partition("error: ")[2] for line in done.stdout.splitlines()] == [
        'Module has no attribute "raed"  [attr-defined]'
    ], done.stdout + done.stderr


def test_every_name_exists_and_others_do_not() -> None:
    assert [name for name in rayocr.__all__ if not hasattr(rayocr, name)] == []
    assert set(rayocr.__all__) <= set(dir(rayocr))
    with pytest.raises(AttributeError, match="has no attribute 'raed'"):
        rayocr.raed  # type: ignore[attr-defined]  # noqa: B018


def test_the_errors_are_a_name_before_the_first_call() -> None:
    code = "import rayocr; print(rayocr.errors.UsageError.__name__)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "UsageError\n"
