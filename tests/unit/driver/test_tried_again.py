"""A document that could not be read for a reason outside the file is tried again by the next plain run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from rayocr.errors import StorageDenied
from rayocr.storage.local.storage import LocalStorage
from tests.unit.driver.earlier.test_missing_outputs import manifests, started
from tests.unit.pdf import pdfs


def test_a_file_is_read_after_its_permission_is_corrected(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "in").mkdir()
    for name in ("a.pdf", "b.pdf"):
        (tmp_path / "in" / name).write_bytes(pdfs.pages_of())
    read = LocalStorage.read

    def denied(self: LocalStorage, name: str, **options: Any) -> bytes:
        if name == "b.pdf":
            raise StorageDenied("Permission denied: b.pdf")
        return read(self, name, **options)

    with monkeypatch.context() as patched:
        patched.setattr(LocalStorage, "read", denied)
        assert started(tmp_path, "outputs=[markdown]")[0] == 1
        assert manifests(tmp_path)["b.pdf"].reason == "UnreadableSource"
        assert started(tmp_path, "outputs=[markdown]")[0] == 1
    code, run = started(tmp_path, "outputs=[markdown]")
    assert (code, run.progress.pages_done) == (0, 1)
    assert (tmp_path / "out" / "b.md").exists()
    assert not list((tmp_path / "out" / ".rayocr" / "dead_letters").rglob("*.json"))
    assert started(tmp_path, "outputs=[markdown]")[1].progress.pages_done == 0
    assert "Nothing to do: all 2 documents are finished" in capsys.readouterr().out


def test_a_file_that_is_no_pdf_is_not_tried_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.pdf").write_bytes(b"This is a text.")
    assert started(tmp_path)[0] == 1
    capsys.readouterr()
    started(tmp_path)
    assert "Nothing to do" in capsys.readouterr().out
