from __future__ import annotations

from pathlib import Path

import pytest

from rayocr.cli import main


def test_looking_at_a_folder_makes_nothing_in_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "out").mkdir()
    assert main(["mode=status", f"dest={tmp_path / 'out'}"]) == 0
    assert "0 documents are finished" in capsys.readouterr().out
    assert list((tmp_path / "out").iterdir()) == []
