"""`-` as source and destination: one document through standard input and output."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryFile

import pypdfium2
import pytest

from tests.e2e.prefork import Prefork
from tests.e2e.support import PATIENCE_S, PROJECT, end_tree
from tests.unit.pdf import pdfs

LETTER = PROJECT / "samples" / "letter.pdf"


Piped = Callable[..., "subprocess.CompletedProcess[bytes]"]


@pytest.fixture
def piped(prefork: Prefork, environment: dict[str, str], tmp_path: Path) -> Piped:
    """Runs rayocr with these bytes as its standard input. Its temporary files are in the test's folder."""

    def run(data: bytes, *arguments: str) -> subprocess.CompletedProcess[bytes]:
        command = [sys.executable, "-m", "rayocr", *arguments, "engine=textlayer"]
        with TemporaryFile() as given, TemporaryFile() as out, TemporaryFile() as err:
            given.write(data)
            given.seek(0)
            variables = environment | {"TMPDIR": str(tmp_path)}
            process = prefork.start(command, env=variables, cwd=tmp_path, stdin=given, stdout=out, stderr=err)
            try:
                code = process.wait(PATIENCE_S)
            finally:
                if process.poll() is None:
                    end_tree(process.pid)
            out.seek(0)
            err.seek(0)
            return subprocess.CompletedProcess(command, code, out.read(), err.read())

    return run


def test_a_pdf_on_standard_input_becomes_markdown_on_standard_output(environment: dict[str, str], tmp_path: Path) -> None:
    """With pipes and a new interpreter, as in a shell."""
    command = [sys.executable, "-m", "rayocr", "-", "-", "engine=textlayer"]
    data = LETTER.read_bytes()
    done = subprocess.run(
        command, input=data, env=environment, cwd=tmp_path, capture_output=True, timeout=PATIENCE_S, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.decode().startswith("<!-- page 1 -->\n\n# A Reading Garden for Willow Lane")
    assert "Found 1 document." in done.stderr.decode()
    assert "rayocr-stream" not in done.stderr.decode()
    assert list(tmp_path.iterdir()) == []


def test_a_file_is_written_to_standard_output_in_the_chosen_kind(piped: Piped) -> None:
    done = piped(b"", str(LETTER), "-", "outputs=[clean_pdf]", "-q")
    assert (done.returncode, done.stderr) == (0, b"")
    pdf = pypdfium2.PdfDocument(done.stdout)
    assert len(pdf) == 2
    pdf.close()
    done = piped(b"", str(LETTER), "-", "outputs=[jsonl]")
    assert json.loads(done.stdout)["text"].startswith("# A Reading Garden")


def test_the_same_pdf_piped_twice_into_a_folder_is_read_once(piped: Piped, tmp_path: Path) -> None:
    done = piped(LETTER.read_bytes(), "-", "out", "outputs=[markdown]")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "out" / "stdin.md").read_text().startswith("<!-- page 1 -->")
    done = piped(LETTER.read_bytes(), "-", "out", "outputs=[markdown]")
    assert "Nothing to do: the document is finished" in done.stderr.decode()
    other = (PROJECT / "samples" / "table.pdf").read_bytes()
    assert piped(other, "-", "out", "outputs=[markdown]", "--json").returncode == 0
    assert len(list((tmp_path / "out").glob("stdin*.md"))) == 2


def test_a_document_that_cannot_be_read_gives_its_reason_and_exit_1(piped: Piped) -> None:
    done = piped(b"no PDF", "-", "-")
    assert (done.returncode, done.stdout) == (1, b"")
    assert "stdin.pdf: NotAPdf: The file is not a PDF" in done.stderr.decode()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["-", "-"], "Standard input is empty."),
        (["in", "-"], "takes one document"),
        (["in/sacn.pfd", "-"], "does not exist"),
        (["in/notes.txt", "-"], "does not end in .pdf"),
        (["a.pdf", "-", "--json"], "both write to standard output"),
        (["a.pdf", "-", "outputs=[markdown,jsonl]"], "takes one kind of output"),
        (["status", "-"], "mode=status cannot use `-`"),
    ],
)
def test_wrong_use_of_a_stream_is_one_line_and_exit_2(piped: Piped, tmp_path: Path, arguments: list[str], words: str) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "notes.txt").touch()
    done = piped(b"", *arguments)
    assert done.returncode == 2, done.stderr
    assert words in done.stderr.decode()
    assert len(done.stderr.splitlines()) <= 2


def test_a_document_that_ends_its_process_is_one_line_and_exit_1(piped: Piped, tmp_path: Path) -> None:
    done = piped(pdfs.in_object_stream(padding_bytes=1000 << 20), "-", "-", f"limits.page_memory={256 << 20}")
    assert (done.returncode, done.stdout) == (1, b"")
    assert done.stderr.decode().splitlines()[-1] == "The document ended the process that was reading it."
    assert not list(tmp_path.glob("rayocr-stream-*"))
