"""The Python API as a program uses it: in threads, inside a running event loop, with hostile PDFs, interrupted and resumed."""

from __future__ import annotations

import asyncio
import doctest
import gc
import importlib
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import IO

import psutil
import pytest

import rayocr
from rayocr.api.process import ChildRun
from rayocr.api.results import results_of
from rayocr.composition import compose
from rayocr.config import Secrets
from rayocr.driver.commands.destination_status import read_status
from rayocr.errors import CredentialsError, EncryptedPdf, NotAPdf, ObjectNotFound, UsageError
from tests.e2e.prefork import Forked, Prefork
from tests.e2e.support import PROJECT, make_pdf, wait_until

LETTER = PROJECT / "samples" / "letter.pdf"


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A separate working folder, and no keys."""
    monkeypatch.chdir(tmp_path)
    for name in ("GEMINI_API_KEY", "GOOGLE_API_KEY", "STORAGE_BACKEND", "REDIS_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("PYTHONPATH", str(PROJECT))


@pytest.fixture(autouse=True)
def children(place: None, prefork: Prefork, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Forked]]:
    """Forks the child processes, and checks that all of them end."""
    started: list[Forked] = []

    def fork(
        command: list[str], *, env: dict[str, str], stdin: int, stdout: int, stderr: IO[bytes], text: bool, encoding: str
    ) -> Forked:
        assert text and encoding == "utf-8"
        started.append(prefork.start(command, env=env, cwd=Path.cwd(), stdin=stdin, stdout=stdout, stderr=stderr))
        return started[-1]

    monkeypatch.setattr("rayocr.api.process.subprocess", SimpleNamespace(Popen=fork, PIPE=subprocess.PIPE))
    yield started
    gc.collect()
    assert [child.pid for child in started if child.poll() is None] == []


def test_a_child_process_starts_from_nothing_and_none_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It does not import modules from the working folder either."""
    monkeypatch.setattr("rayocr.api.process.subprocess", subprocess)
    for name in ("json", "queue", "secrets", "tempfile"):
        (tmp_path / f"{name}.py").write_text("raise ImportError('of the working folder')\n")
    assert rayocr.read(LETTER, engine="textlayer").outcome == "complete"
    left = [child for child in psutil.Process().children() if "rayocr.api.child" in " ".join(child.cmdline())]
    assert left == []


def test_a_document_is_read_page_by_page() -> None:
    document = rayocr.read(LETTER, engine="textlayer")
    assert document.outcome == "complete"
    assert [page.number for page in document.pages] == [1, 2]
    assert document.pages[0].text.startswith("# A Reading Garden for Willow Lane")
    assert document.markdown.startswith("<!-- page 1 -->\n\n# A Reading Garden")
    assert {page.engine for page in document.pages} == {"textlayer"}
    assert "<h1>A Reading Garden" in document._repr_html_()


def test_bytes_are_read_as_a_file_is(tmp_path: Path) -> None:
    assert rayocr.read(LETTER.read_bytes(), engine="textlayer").text == rayocr.read(str(LETTER), engine="textlayer").text
    with LETTER.open("rb") as file:
        assert rayocr.read(file, engine="textlayer").name == "letter.pdf"
    assert not [path for path in tmp_path.iterdir() if path.suffix == ".pdf"]


@pytest.mark.parametrize("ended_by", [signal.SIGTERM, signal.SIGKILL])
def test_a_caller_that_is_ended_while_it_reads_leaves_no_temporary_folder_and_no_process(
    tmp_path: Path, ended_by: signal.Signals
) -> None:
    (tmp_path / "tmp").mkdir()
    code = f"import rayocr; rayocr.read({str(PROJECT / 'samples' / 'scan.pdf')!r}, engine='local')"
    caller = subprocess.Popen([sys.executable, "-c", code], env=os.environ | {"TMPDIR": str(tmp_path / "tmp")})
    try:
        while not list((tmp_path / "tmp").glob("rayocr-read-*/out/.rayocr")):
            assert caller.poll() is None
            time.sleep(0.05)
        (child,) = psutil.Process(caller.pid).children()
        caller.send_signal(ended_by)
        assert caller.wait() == -ended_by
        child.wait()
    finally:
        caller.kill()
        caller.wait()
    wait_until(lambda: not list((tmp_path / "tmp").iterdir()), "the folder is removed")


def test_a_run_is_cancelled_although_a_fork_of_the_caller_keeps_its_pipe_open(tmp_path: Path) -> None:
    for number in range(40):
        make_pdf(tmp_path / "in" / f"{number}.pdf", 5)
    with rayocr.start("in", "out", engine="textlayer", window__documents=2) as handle:
        next(iter(handle))
        stdin = handle._child._process.stdin
        assert stdin is not None
        of_a_fork = os.dup(stdin.fileno())
        try:
            handle.cancel()
            assert handle.result().exit_code == 130
        finally:
            os.close(of_a_fork)


def test_a_pdf_has_the_title_of_its_source_or_the_first_heading() -> None:
    import pypdfium2

    for pages, title, expected in (
        ("# A *reading* garden #", None, "A reading garden"),
        ("text", None, "a.pdf"),
        ("# B", "C", "C"),
    ):
        page = rayocr.ReadPage(number=1, text=pages, outcome="done")
        pdf = pypdfium2.PdfDocument(rayocr.ReadDocument(name="a.pdf", outcome="complete", pages=(page,), title=title).to_pdf())
        assert pdf.get_metadata_dict()["Title"] == expected
        pdf.close()


def test_a_pdf_is_typeset_with_a_page_for_each_page(tmp_path: Path) -> None:
    import pypdfium2

    data = rayocr.read(LETTER, engine="textlayer").to_pdf(tmp_path / "letter.pdf")
    assert repr(data) == f"<PDF, {len(data):,} bytes>", "a notebook shows the last line of a cell"
    assert (tmp_path / "letter.pdf").read_bytes() == data
    pdf = pypdfium2.PdfDocument(data)
    assert len(pdf) == 2
    pdf.close()


def test_a_page_that_cannot_be_read_is_failed_and_the_document_partial() -> None:
    document = rayocr.read(PROJECT / "samples" / "scan.pdf", engine="textlayer")
    assert document.outcome == "partial"
    assert [(page.number, page.outcome, page.text) for page in document.failed] == [(1, "failed", ""), (2, "failed", "")]


@pytest.mark.parametrize(("name", "error"), [("encrypted.pdf", EncryptedPdf), ("not-a-pdf.pdf", NotAPdf)])
def test_a_document_that_cannot_be_opened_raises_its_own_error(name: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        rayocr.read(PROJECT / "samples" / "broken" / name, engine="textlayer")


def test_wrong_options_raise_the_message_of_the_command_line() -> None:
    with pytest.raises(UsageError, match="Did you mean engine"):
        rayocr.read(LETTER, enigne="textlayer")
    with pytest.raises(UsageError, match="does not accept dest="):
        rayocr.read(LETTER, dest="out")
    with pytest.raises(UsageError, match=r"samples is a folder\.\nUse rayocr\.run"):
        rayocr.read(LETTER.parent)
    with pytest.raises((UsageError, ObjectNotFound), match="does not exist"):
        rayocr.run("missing", "out")
    with pytest.raises(UsageError, match="Keys come from the environment"):
        rayocr.read(LETTER, api_key="k")
    with pytest.raises(UsageError, match=r"rayocr\.run accepts no mode=status"):
        rayocr.run(LETTER.parent, "out", mode="status")
    with pytest.raises(UsageError, match="Open it in binary mode"), LETTER.open(encoding="latin-1") as file:
        rayocr.read(file, engine="textlayer")  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="https:// is not supported"):
        rayocr.read("https://example.com/a.pdf")


def test_a_place_with_several_documents_is_not_read_as_one(tmp_path: Path) -> None:
    for name in ("a", "b"):
        make_pdf(tmp_path / "in.pdf" / f"{name}.pdf", 1)
    with pytest.raises(UsageError, match=r"holds 2 documents, not one\.\nUse rayocr\.run"):
        rayocr.read(f"file://{tmp_path}/in.pdf", engine="textlayer")
    with pytest.raises(UsageError, match="is not a single PDF"):
        rayocr.read("gs://bucket/in", engine="textlayer")


def test_results_are_reached_as_a_run_reaches_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The variables of .env are used, but do not enter the caller's environment."""
    monkeypatch.delenv("GOOGLE_APPLICATION_CREDENTIALS", raising=False)
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", "http://127.0.0.1:1")
    (tmp_path / ".env").write_text("GOOGLE_APPLICATION_CREDENTIALS=key.json\nGOOGLE_DRIVE_CREDENTIALS=drive.json\n")
    dest, state = rayocr.api.results._accesses("gs://bucket/out", "gdrive://abc")
    assert (dest.endpoint, dest.credentials) == ("http://127.0.0.1:1", "key.json")
    assert state.credentials == str(tmp_path / "drive.json")
    assert "GOOGLE_APPLICATION_CREDENTIALS" not in os.environ


def test_a_process_that_is_killed_is_an_error_and_never_takes_the_caller_along(tmp_path: Path) -> None:
    make_pdf(tmp_path / "in" / "a.pdf", 1)
    handle = rayocr.start("in", "out", engine="textlayer")
    handle._child._process.kill()
    with pytest.raises(rayocr.errors.InternalError, match="ended with code -9"):
        handle.result()
    handle._child.close()


def test_ten_reads_at_once_in_threads() -> None:
    with ThreadPoolExecutor(10) as pool:
        documents = list(pool.map(lambda _: rayocr.read(LETTER, engine="textlayer"), range(10)))
    assert {document.text for document in documents} == {documents[0].text}


async def test_inside_a_running_event_loop_both_forms_work(tmp_path: Path) -> None:
    make_pdf(tmp_path / "in" / "a.pdf", 1)
    blocking = rayocr.read(LETTER, engine="textlayer")
    awaited, result = await asyncio.gather(rayocr.aread(LETTER, engine="textlayer"), rayocr.arun("in", "out", engine="textlayer"))
    assert awaited == blocking
    assert result.exit_code == 0


def test_documents_come_as_they_finish_with_progress_and_a_result(tmp_path: Path) -> None:
    for name in ("a", "b", "sub/c"):
        make_pdf(tmp_path / "in" / f"{name}.pdf", 2)
    (tmp_path / "in" / "broken.pdf").write_bytes(b"%PDF-1.7 nothing")
    seen: list[rayocr.RunProgress] = []
    with rayocr.start("in", "out", engine="textlayer", on_progress=seen.append) as handle:
        found = {document.name: document.outcome for document in handle}
        result = handle.result()
    assert found == {"a.pdf": "complete", "b.pdf": "complete", "sub/c.pdf": "complete", "broken.pdf": "rejected"}
    assert (result.exit_code, result.documents) == (1, {"complete": 3, "partial": 0, "rejected": 1})
    assert result.failures == {"CorruptPdf": 1}
    assert seen[-1].documents_done == 4
    assert "3 complete" in result._repr_html_()


async def test_documents_come_in_an_async_for(tmp_path: Path) -> None:
    make_pdf(tmp_path / "in" / "a.pdf", 1)
    async with rayocr.start("in", "out", engine="textlayer") as run:
        assert [document.name async for document in run] == ["a.pdf"]
        assert (await run.aresult()).exit_code == 0


def test_a_watch_delivers_its_documents(tmp_path: Path) -> None:
    make_pdf(tmp_path / "in" / "a.pdf", 1)
    with rayocr.start("in", "out", engine="textlayer", mode="watch", watch__settle_s=0) as handle:
        assert next(iter(handle)).name == "a.pdf"
    assert handle.result().exit_code == 130


async def test_a_run_refuses_to_watch_since_it_would_never_return(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"accepts no mode=\"watch\"") as raised:
        rayocr.run("in", "out", mode="watch")
    assert 'rayocr.start(…, mode="watch")' in str(raised.value.hint)
    with pytest.raises(UsageError, match=r"accepts no mode=\"watch\""):
        await rayocr.arun("in", "out", mode="watch")


def test_documents_say_why_they_failed(tmp_path: Path) -> None:
    make_pdf(tmp_path / "in" / "a.pdf", 1)
    (tmp_path / "in" / "b.pdf").write_bytes(b"no PDF")
    found = {document.name: document for document in rayocr.start("in", "out", engine="textlayer")}
    assert (found["a.pdf"].reason, found["a.pdf"].message) == ("", "")
    assert found["b.pdf"].reason == "NotAPdf"
    assert "not a PDF" in found["b.pdf"].message


def test_a_run_that_is_left_early_is_cancelled_and_the_next_one_resumes(tmp_path: Path) -> None:
    for number in range(40):
        make_pdf(tmp_path / "in" / f"{number}.pdf", 5)
    with rayocr.start("in", "out", engine="textlayer", window__documents=2) as handle:
        first = next(iter(handle))
    assert handle.result().exit_code == 130
    result = rayocr.run("in", "out", engine="textlayer")
    assert result.exit_code == 0
    assert first.name not in {d.name for d in rayocr.start("in", "out", engine="textlayer")}
    assert len(list(rayocr.open_results("out"))) == 40


def test_results_open_as_rows_and_as_tables(tmp_path: Path) -> None:
    make_pdf(tmp_path / "in" / "a.pdf", 2)
    result = rayocr.run("in", "out", engine="textlayer", outputs="markdown")
    assert result.dest == str(tmp_path / "out")
    results = result.results()
    (document,) = results.documents()
    assert (document["name"], document["outcome"], document["page_count"]) == ("a.pdf", "complete", 2)
    pages = results.to_arrow(pages=True)
    assert pages.column("page_number").to_pylist() == [1, 2]
    assert all(pages.column("text").to_pylist())
    with pytest.raises(UsageError, match="does not exist"):
        rayocr.open_results("nowhere")


def test_a_run_that_finds_all_documents_finished_counts_those_of_the_destination(tmp_path: Path) -> None:
    make_pdf(tmp_path / "in" / "a.pdf", 1)
    (tmp_path / "in" / "broken.pdf").write_bytes(b"%PDF-1.7 nothing")
    first = rayocr.run("in", "out", engine="textlayer", state="state")
    again = rayocr.run("in", "out", engine="textlayer", state="state")
    assert first.run_documents == first.documents == again.documents == {"complete": 1, "partial": 0, "rejected": 1}
    assert first.failures == again.failures == {"CorruptPdf": 1}
    assert again.run_documents == {"complete": 0, "partial": 0, "rejected": 0}
    assert (first.exit_code, again.exit_code) == (1, 1)
    assert sorted(row["name"] for row in again.results().documents()) == ["a.pdf", "broken.pdf"]
    status = read_status(compose(["dest=out", "state=state"]), Secrets())
    assert (status.cost_usd, status.interrupted_runs) == (0.0, []), "the run is on record, and it has ended"


def test_an_external_cause_is_returned_with_the_next_step(tmp_path: Path) -> None:
    make_pdf(tmp_path / "in" / "a.pdf", 1)
    result = rayocr.run("in", "out", engine="gemini")
    assert result.exit_code == 3
    with pytest.raises(CredentialsError) as raised:
        result.raise_for_error()
    assert "GEMINI_API_KEY" in str(raised.value.hint)
    assert "GEMINI_API_KEY" in result._repr_html_()


def test_a_run_that_cannot_start_counts_the_finished_documents_and_names_the_cause(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where no run exists yet, because the source cannot be reached."""
    for name in ("GOOGLE_APPLICATION_CREDENTIALS", "STORAGE_EMULATOR_HOST"):
        monkeypatch.delenv(name, raising=False)
    make_pdf(tmp_path / "in" / "a.pdf", 1)
    (tmp_path / "in" / "broken.pdf").write_bytes(b"%PDF-1.7 nothing")
    rayocr.run("in", "out", engine="textlayer")
    failed = rayocr.run("gs://nowhere/in", "out", engine="textlayer", storage__source__credentials="nothing.json")
    assert (failed.exit_code, type(failed.error)) == (3, CredentialsError)
    assert failed.documents == {"complete": 1, "partial": 0, "rejected": 1}
    assert failed.failures == {"CorruptPdf": 1}
    unwritable = rayocr.run("in", "/proc/rayocr", engine="textlayer")
    assert (unwritable.exit_code, unwritable.documents) == (3, {})
    with pytest.raises(UsageError, match="does not exist") as raised:
        unwritable.results()
    assert str(raised.value.hint).startswith("The run stopped before it wrote results: Cannot write to /proc/rayocr")


def test_an_option_that_leaves_the_document_out_is_wrong_usage() -> None:
    with pytest.raises(UsageError, match=r"min_bytes=1000000000 leaves out the only PDF"):
        rayocr.read(LETTER, engine="textlayer", min_bytes=10**9)


def test_the_examples_in_the_docstrings_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "samples").symlink_to(PROJECT / "samples")
    for module in ("reading", "running", "samples"):
        found = importlib.import_module(f"rayocr.api.{module}")
        done = doctest.testmod(found, extraglobs={"dest": str(tmp_path / "out")}, optionflags=doctest.NORMALIZE_WHITESPACE)
        assert done.attempted
        assert done.failed == 0


@pytest.mark.parametrize("page", ["README.md", "docs/python.md"])
def test_the_python_of_the_documentation_runs_in_an_empty_folder(page: str) -> None:
    blocks = re.findall(r"^```python\n(.*?)^```", (PROJECT / page).read_text(), re.MULTILINE | re.DOTALL)
    assert blocks
    for block in blocks:
        exec(compile(block, page, "exec"), {})


def test_samples_are_copied_and_what_is_there_stays(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "letter.pdf").write_bytes(b"mine")
    names = {path.name for path in rayocr.copy_samples("in").iterdir()}
    assert names == {path.name for path in (PROJECT / "samples").glob("*.pdf")}
    assert (tmp_path / "in" / "letter.pdf").read_bytes() == b"mine"
    with pytest.raises(UsageError, match="Cannot copy the samples to in/"):
        rayocr.copy_samples("in/letter.pdf")


def test_the_import_costs_nothing() -> None:
    code = "import sys, rayocr; print(sorted(m for m in sys.modules if m.startswith(('rayocr.', 'ray', 'pydantic', 'google'))))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() in ("[]", "['rayocr']")


async def test_an_asyncio_server_reads_several_documents_at_once() -> None:
    """The event loop is not blocked while documents are read: another request is answered first."""
    answered: list[str] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        name = (await reader.readline()).decode().strip()
        text = "pong" if name == "ping" else (await rayocr.aread(LETTER, engine="textlayer")).text
        answered.append(name)
        writer.write(text.encode())
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    async def ask(name: str) -> str:
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        writer.write(f"{name}\n".encode())
        text = (await reader.read()).decode()
        writer.close()
        await writer.wait_closed()
        return text

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        texts = await asyncio.gather(ask("read"), ask("read"), ask("read"), ask("ping"))
    assert answered[0] == "ping"
    assert len(set(texts[:3])) == 1
    assert texts[0].startswith("# A Reading Garden")


def test_documents_and_results_are_short_at_the_prompt(tmp_path: Path) -> None:
    pages = tuple(rayocr.ReadPage(number=number, text="word " * 1000, outcome="done") for number in (1, 2))
    assert repr(rayocr.ReadDocument(name="a.pdf", outcome="complete", pages=pages)) == "<ReadDocument 'a.pdf': complete, 2 pages>"
    assert repr(results_of((), str(tmp_path), str(tmp_path))) == f"<Results of {tmp_path}>"


async def test_a_cancelled_read_has_ended_its_process_and_removed_its_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server that costs money would continue to read pages."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    started = list[ChildRun]()

    class Watched(ChildRun):
        def __init__(self, overrides: list[str], *, folder: Path | None = None) -> None:
            super().__init__(overrides, folder=folder)
            started.append(self)

    monkeypatch.setattr("rayocr.api.reading.ChildRun", Watched)
    reading = asyncio.create_task(rayocr.aread(PROJECT / "samples" / "scan.pdf", engine="local"))
    while not started:
        await asyncio.sleep(0.01)
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    assert started[0]._process.poll() == -signal.SIGKILL
    assert list(tmp_path.glob("rayocr-read-*")) == []
