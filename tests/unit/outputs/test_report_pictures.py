"""Pictures for the report: a page that crashes or cannot be drawn costs its own picture, and nothing reaches the terminal."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psutil
import pytest

from rayocr.config import LimitsConfig
from rayocr.errors import CorruptPdf
from rayocr.outputs.report.pages import Drawing, PageDrawer, kept_process
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


def test_a_child_process_stays_for_the_next_page_unless_it_died() -> None:
    with kept_process() as pool:
        first = pool.submit(os.getpid).result()
    with pytest.raises(CorruptPdf), kept_process() as pool:
        assert pool.submit(os.getpid).result() == first
        raise CorruptPdf("of one document")
    with pytest.raises(BrokenProcessPool), kept_process() as pool:
        assert pool.submit(os.getpid).result() == first
        pool.submit(os._exit, 1).result()
    with kept_process() as pool, kept_process() as another:
        second = pool.submit(os.getpid).result()
        assert another.submit(os.getpid).result() not in (first, second)
    for process in (second, first):
        with suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)  # while nobody uses it
    with kept_process() as pool:
        assert pool.submit(os.getpid).result() != second


def test_a_child_process_ends_with_its_parent() -> None:
    """Also when it is idle, and its parent is killed."""
    starts = "with kept_process() as pool: print(pool.submit(os.getpid).result(), flush=True)"
    code = f"import os\nfrom rayocr.outputs.report.pages import kept_process\n{starts}\ninput()"
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        child = psutil.Process(int(parent.stdout.readline()))
        parent.kill()
        parent.wait()
        child.wait(60)
