"""A source without PDFs: what it has instead is named, and the destination stays without traces."""

from __future__ import annotations

from pathlib import Path

import pytest

from rayocr.errors import UsageError
from tests.unit.driver.earlier.test_missing_outputs import started
from tests.unit.pdf import pdfs


def test_a_folder_of_pictures_is_named_and_leaves_no_state(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "foto.jpg").write_bytes(b"\xff\xd8\xff")
    (tmp_path / "in" / ".hidden").write_bytes(b"")
    with pytest.raises(UsageError, match=r"1 file was skipped; 1 is not named \.pdf \(foto\.jpg\)"):
        started(tmp_path)
    assert not (tmp_path / "out").exists()


def test_an_empty_source_leaves_no_output_folder(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    for option in (f"dest={tmp_path}/a/b/c", f"state={tmp_path}/state/deep"):
        with pytest.raises(UsageError, match="it is empty"):
            started(tmp_path, option, "exit.empty=2")
        assert started(tmp_path, option)[0] == 0
    assert {path.name for path in tmp_path.iterdir()} == {"in", "logs"}


def test_an_empty_output_folder_of_the_user_is_kept(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "out").mkdir()
    with pytest.raises(UsageError, match="it is empty"):
        started(tmp_path, "exit.empty=2")
    assert (tmp_path / "out").is_dir()


def test_a_folder_of_results_is_named_as_such(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.pdf").write_bytes(pdfs.pages_of())
    started(tmp_path, "outputs=[markdown,clean_pdf]")
    (tmp_path / "in").rename(tmp_path / "kept")
    (tmp_path / "out").rename(tmp_path / "in")
    with pytest.raises(UsageError, match=r"2 files were skipped; 2 are outputs of rayocr") as raised:
        started(tmp_path)
    assert "swapped" in str(raised.value.hint)
    assert not (tmp_path / "out" / ".rayocr").exists()
