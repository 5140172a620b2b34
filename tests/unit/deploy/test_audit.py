"""make audit, with a package that the package index has or does not have."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[3]
# Like pip-audit, skips an unknown package with exit code 0, unless --strict.
AUDITOR = """#!/bin/sh
case "$*" in *--strict*) strict=1 ;; *) strict=0 ;; esac
[ "$KNOWN" = 1 ] || exit $strict
"""


@pytest.mark.parametrize(("known", "code"), [("1", 0), ("0", 2)])
def test_packages_that_could_not_be_audited_fail_it(tmp_path: Path, known: str, code: int) -> None:
    auditor = tmp_path / "pip-audit"
    auditor.write_text(AUDITOR)
    auditor.chmod(0o755)
    command = ["make", "--no-print-directory", "audit", f"BIN={tmp_path}", "-o", "setup"]
    done = subprocess.run(command, cwd=PROJECT, env={"KNOWN": known, "PATH": "/usr/bin:/bin"}, capture_output=True, text=True)
    assert done.returncode == code, done.stderr
    assert ("could not be audited" in done.stdout) == (code != 0)
