"""Pictures for the report: a page that crashes or cannot be drawn costs its own picture, and nothing reaches the terminal."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from rayocr.config import LimitsConfig
from rayocr.outputs.report.pages import Drawing, PageDrawer
from rayocr.storage.local.storage import LocalStorage
from tests.unit.pdf import pdfs

NOTE = b"<< /Type /Annot /Subtype /FreeText /Rect [10 10 90 20] /DA (/F1 10 Tf) /Contents (hi) >>"


@pytest.mark.parametrize(
    ("second", "why"),
    [
        (f"/Annots [{'50 0 R ' * 60_000}]", "The page crashed the process that drew it."),
        ("/MediaBox [0 0 0 0] /CropBox [0 0 1e38 1e38]", ""),
    ],
    ids=["crashes", "has no area"],
)
def test_a_page_costs_its_own_picture_and_no_other(
    second: str, why: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.pdf").write_bytes(pdfs.pages_of(("", second, ""), extra={50: NOTE}))
    version = LocalStorage(tmp_path).stat("a.pdf").version
    manifest: Any = SimpleNamespace(source_uri=(tmp_path / "a.pdf").as_uri(), name="a.pdf", version=version)
    with PageDrawer() as drawer:
        drawn, missing = drawer.pictures(manifest, [1, 2, 3], Drawing(dpi=20, limits=LimitsConfig(page_memory=64 << 20)))
    assert drawn.keys() - {2} == {1, 3}
    assert why in missing
    assert capfd.readouterr().err == ""
