"""Which jobs run without Ray, and what becomes of the child process that reads them."""

from __future__ import annotations

import os
import signal
import threading
from pathlib import Path

import pytest

from rayocr.cli import small_run
from rayocr.cli.small_run import is_small, run_in_child
from rayocr.composition import compose
from rayocr.driver.plan import plan
from tests.unit.driver.earlier.test_missing_outputs import started
from tests.unit.pdf import pdfs


@pytest.fixture(autouse=True)
def one_thread_and_no_cluster(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(small_run, "find_address", lambda cluster: None)
    monkeypatch.setattr(threading, "active_count", lambda: 1)


def small(folder: Path, *overrides: str, documents: int = 3, size: int = 1000) -> bool:
    (folder / "in").mkdir(exist_ok=True)
    for number in range(documents):
        (folder / "in" / f"{number}.PDF").write_bytes(b"x" * size)
    config = compose([f"source={folder}/in", f"dest={folder}/out", "engine=textlayer", *overrides], {})
    return is_small(config, plan(config))


def test_a_few_local_documents_are_a_small_job(tmp_path: Path) -> None:
    assert small(tmp_path)
    assert small(tmp_path, documents=20)
    assert not small(tmp_path, documents=21)
    assert small(tmp_path, f"source={tmp_path}/in/0.PDF")


def test_only_documents_that_will_be_read_are_counted(tmp_path: Path) -> None:
    for number in range(30):
        (tmp_path / "in").mkdir(exist_ok=True)
        (tmp_path / "in" / f"{number}.pdf").write_bytes(pdfs.pages_of())
    assert not small(tmp_path, documents=0)
    assert small(tmp_path, "include=1?.pdf", documents=0)
    assert small(tmp_path, "exclude=[1*,2*]", documents=0)
    assert small(tmp_path, "limit=5", documents=0)
    started(tmp_path, "exclude=[3.pdf,4.pdf]")
    assert small(tmp_path, documents=0), "all but two are finished"
    assert not small(tmp_path, "overwrite=true", documents=0)


def test_a_retry_counts_the_documents_that_it_retries(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    for number in range(30):
        (tmp_path / "in" / f"{number}.pdf").write_bytes(pdfs.pages_of() if number else b"%PDF-1.7 and nothing else")
    started(tmp_path)
    assert small(tmp_path, "mode=retry", "retry.rejected=true", documents=0)


def test_many_bytes_are_not_a_small_job(tmp_path: Path) -> None:
    assert small(tmp_path, size=2 << 20, documents=2)
    assert not small(tmp_path, size=2 << 20)
    (tmp_path / "in" / "big.pdf").write_bytes(b"x" * (5 << 20))
    assert not small(tmp_path, f"source={tmp_path}/in/big.pdf")


def test_a_folder_of_many_other_files_is_not_listed_to_its_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(small_run, "_MOST_LISTED", 5)
    assert small(tmp_path)
    for number in range(3):
        (tmp_path / "in" / f"{number}.txt").touch()
    assert not small(tmp_path)


@pytest.mark.parametrize("override", ["engine=gemini", "mode=watch", "engine=openai"])
def test_servers_and_watches_are_not_small_jobs(tmp_path: Path, override: str) -> None:
    assert not small(tmp_path, override)


def test_a_cluster_that_runs_already_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(small_run, "find_address", lambda cluster: "127.0.0.1:6379")
    assert not small(tmp_path)


def test_a_process_with_threads_does_not_fork(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threading, "active_count", lambda: 2)
    assert not small(tmp_path)


@pytest.mark.parametrize("code", [0, 1, 3, 130])
def test_the_exit_code_of_the_child_is_that_of_the_run(code: int) -> None:
    assert run_in_child(lambda: code) == code


def crash() -> int:
    os.kill(os.getpid(), signal.SIGKILL)
    return 0


def exceed_a_limit() -> int:
    os._exit(1)  # as rayocr.pdf.guard does


def raise_an_error() -> int:
    raise ValueError


@pytest.mark.parametrize("end", [crash, exceed_a_limit, raise_an_error])
def test_a_child_that_a_document_ends_has_no_exit_code(end: object, capfd: pytest.CaptureFixture[str]) -> None:
    assert run_in_child(end) is None  # type: ignore[arg-type]


def test_a_second_signal_ends_the_child_at_once_and_starts_no_other_run() -> None:
    assert run_in_child(lambda: os._exit(130)) == 130


def test_a_signal_reaches_the_child_once_and_a_child_that_dies_of_it_is_not_a_crash() -> None:
    def signal_parent() -> int:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        os.kill(os.getppid(), signal.SIGTERM)
        signal.pause()
        return 0

    assert run_in_child(signal_parent) == 130
