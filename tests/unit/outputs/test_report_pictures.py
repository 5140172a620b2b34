"""Pictures for the report: a page that crashes or cannot be drawn costs its own picture, and nothing reaches the terminal."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import zlib
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psutil
import pytest

from rayocr.config import LimitsConfig
from rayocr.errors import CorruptPdf
from rayocr.outputs.report.drawer import PageDrawer
from rayocr.outputs.report.failed_pictures import FAILED_PICTURES, FailedPictures
from rayocr.outputs.report.pages import Drawing, kept_process
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
    manifest: Any = SimpleNamespace(
        source_uri=(tmp_path / "a.pdf").as_uri(), name="a.pdf", version=version, document_id="ab" * 16
    )
    with PageDrawer() as drawer:
        drawn, missing = drawer.pictures(manifest, [1, 2, 3], Drawing(dpi=20, limits=LimitsConfig(page_memory=64 << 20)))
    assert drawn.keys() - {2} == {1, 3}
    assert why in missing.get(2, "")
    assert capfd.readouterr().err == ""


def slow_pages(folder: Path, *slow: int, count: int = 3) -> Any:
    """Creates a document and returns its manifest. The pages `slow` draw a form with 10,000 squares 10,000 times, which takes
    every machine much longer than the limits of these tests."""
    squares = zlib.compress(b"0 0 1 1 re f\n" * 10_000)
    form = b"<< /Type /XObject /Subtype /Form /BBox [0 0 100 100] /Filter /FlateDecode /Length %d >>" % len(squares)
    extra = {50: pdfs.stream(b"/Squares Do\n" * 10_000), 51: b"%b\nstream\n%b\nendstream" % (form, squares)}
    draws_squares = "/Contents 50 0 R /Resources << /XObject << /Squares 51 0 R >> >>"
    pages = [draws_squares if number in slow else "" for number in range(1, count + 1)]
    (folder / "a.pdf").write_bytes(pdfs.pages_of(pages, extra=extra))
    version = LocalStorage(folder).stat("a.pdf").version
    return SimpleNamespace(source_uri=(folder / "a.pdf").as_uri(), name="a.pdf", version=version, document_id="ab" * 16)


def test_a_slow_page_is_drawn_once_and_omitted_from_later_reports(tmp_path: Path) -> None:
    manifest = slow_pages(tmp_path, 2)
    state = LocalStorage(tmp_path)
    failed, begun = FailedPictures(state, dpi=20).read(), list[int]()
    drawing = Drawing(dpi=20, limits=LimitsConfig())
    with PageDrawer(failed, cpu_s=0.5, on_page=begun.append) as drawer:
        drawn, missing = drawer.pictures(manifest, [1, 2, 3], drawing)
    failed.write()
    assert drawn.keys() == {1, 3}
    assert missing == {2: "The page takes more than 0.5 s to draw."}
    assert list(dict.fromkeys(begun))[:2] == [1, 2] and max(begun) == 3
    with PageDrawer(FailedPictures(state, dpi=20).read(), cpu_s=1e9, on_page=begun.append) as drawer:
        begun.clear()
        assert drawer.pictures(manifest, [2], drawing) == ({}, missing)
        assert drawer._child is None, "no process was started"
    assert begun == []
    assert FailedPictures(state, dpi=21).read().reason(manifest.document_id, 2) is None


def test_slow_pages_have_a_limit_per_report(tmp_path: Path) -> None:
    manifest = slow_pages(tmp_path, *range(1, 7), count=6)
    failed = FailedPictures()
    with PageDrawer(failed, cpu_s=0.05) as drawer:
        drawn, missing = drawer.pictures(manifest, [1, 2, 3, 4, 5, 6], Drawing(dpi=20, limits=LimitsConfig()))
    assert drawn == {}
    assert [missing[number].split()[0] for number in range(1, 7)] == ["The", "The", *["Left"] * 4]
    assert failed.reason(manifest.document_id, 3) is None, "a later report tries it"


def test_pictures_have_a_limit_for_all_pages_together(tmp_path: Path) -> None:
    manifest, failed = slow_pages(tmp_path), FailedPictures()
    with PageDrawer(failed, total_cpu_s=0.0) as drawer:
        drawn, missing = drawer.pictures(manifest, [1, 2, 3], Drawing(dpi=20, limits=LimitsConfig()))
    assert drawn == {}
    assert set(missing.values()) == {"Left out, because the other pictures of this report took too long."}
    assert failed.reason(manifest.document_id, 1) is None


def test_an_interrupt_ends_the_process_that_draws(tmp_path: Path) -> None:
    manifest = slow_pages(tmp_path, 1, count=1)

    def interrupt(page: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), PageDrawer(cpu_s=1e9, on_page=interrupt) as drawer:
        before = set(psutil.Process().children())
        try:
            drawer.pictures(manifest, [1], Drawing(dpi=20, limits=LimitsConfig(page_timeout_s=3600)))
        finally:
            started = [child for child in psutil.Process().children() if child not in before and _is_alive(child)]
    _, alive = psutil.wait_procs(started, timeout=60)
    assert alive == []


def _is_alive(child: psutil.Process) -> bool:
    return "spawn_main" in " ".join(child.cmdline())


@pytest.mark.parametrize("data", [b"torn", b"{}", b'{"made_with": 1, "pages": []}'])
def test_a_damaged_record_of_failed_pictures_is_ignored(tmp_path: Path, data: bytes) -> None:
    state = LocalStorage(tmp_path)
    state.write(FAILED_PICTURES, data)
    failed = FailedPictures(state).read()
    failed.add("ab" * 16, 1, "slow")
    failed.write()
    assert FailedPictures(state).read().reason("ab" * 16, 1) == "slow"


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
