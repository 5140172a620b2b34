"""`rayocr correct`: a person replaces the text of a page from the command line."""

from __future__ import annotations

import io
import json
import stat
import sys
import tempfile
from pathlib import Path
from types import SimpleNamespace

import pytest

from rayocr.api.review import reviewer
from rayocr.cli import correct, main
from rayocr.ledger.manifest import Manifest
from tests.unit.view.written_documents import let_a_run_read, write_document


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder, with results in out/."""
    write_document(tmp_path, "form.pdf", ["Signal Street", "lost", "Last page"], failed=2)
    write_document(tmp_path, "2024/Plan, neu [2].pdf", ["only"], outputs=("clean_pdf",))
    monkeypatch.chdir(tmp_path)
    Path("page.md").write_text("found **again**\n")
    return tmp_path


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    """The exit code, and what was printed."""
    code = main(list(arguments))
    found = capsys.readouterr()
    return code, found.out + found.err


def test_a_text_from_a_file_is_in_every_output_and_can_be_undone(capsys: pytest.CaptureFixture[str]) -> None:
    code, words = said(capsys, "correct", "out", "form.pdf", "2", "--file", "page.md", "--author", "Müller, Eva")
    assert code == 0
    assert words.splitlines() == [
        "Page 2 of form.pdf is corrected (author: Müller, Eva).",
        "  Written: form.md, form.clean.pdf, form.jsonl",
        "  To undo it: rayocr correct out form.pdf 2 --undo",
    ]
    assert "found **again**" in Path("out/form.md").read_text()
    assert main(["status", "out"]) == 0
    capsys.readouterr()
    assert said(capsys, "correct", "out", "form.pdf", "2", "--file=page.md") == (
        0,
        "Nothing to do: page 2 of form.pdf has this text already.\n",
    )
    code, words = said(capsys, "correct", "out/", "out/form.md", "2", "--undo")
    assert (code, words.splitlines()[0].startswith("Page 2 of form.pdf has its earlier text again")) == (0, True)
    assert "could not be read" in Path("out/form.md").read_text()
    assert main(["status", "out"]) == 1


def test_standard_input_and_a_whole_markdown_output_are_texts_too(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    typed = "\ufeffTyped\r\nin".encode()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(typed)))
    assert said(capsys, "correct", "out", "form.pdf", "1", "--file", "-")[0] == 0
    assert "Typed\nin\n" in Path("out/form.md").read_text()
    edited = Path("out/form.md").read_text().replace("Last page", "The last page")
    Path("out/form.md").write_text(edited)
    assert said(capsys, "correct", "out", "form.pdf", "3", "--file", "out/form.md")[0] == 0
    assert "The last page" in Path("out/form.jsonl").read_text(), "an edited output is no reason to do nothing"
    Path("matter.md").write_text("---\ntitle: Form\n---\n\n<!-- page 1 -->\n\none\n")
    assert said(capsys, "correct", "out", "form.pdf", "1", "--file", "matter.md")[0] == 0
    Path("other.md").write_text("<!-- page 1 -->\n\none\n")
    code, words = said(capsys, "correct", "out", "form.pdf", "3", "--file", "other.md")
    assert (code, "has page marks, but none of page 3" in words) == (2, True)


def test_the_facts_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    for changed, author in ((True, "Ada"), (False, None)):
        code, words = said(capsys, "correct", "out", "form.pdf", "1", "--file", "page.md", "--author", "Ada", "--json")
        facts = json.loads(words)
        assert (code, facts["changed"], facts["author"], facts["page"]) == (0, changed, author, 1)
    assert facts["schema_version"] == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["out"], "`rayocr correct` needs OUT and the document"),
        (["out", "form.pdf"], "Name the page of form.pdf."),
        (["out", "from.pdf", "1", "--file", "page.md"], "Did you mean form.pdf?"),
        (["out", "form.pdf", "4", "--file", "page.md"], "form.pdf has no page 4; it has pages 1 to 3."),
        (["out", "form.pdf", "0", "--file", "page.md"], "correct.page is 0; it must be at least 1."),
        (["out", "form.pdf", "one", "--file", "page.md"], "correct.page=one is not a whole number."),
        (["out", "form.pdf", "1", "--file", "none.md"], "Cannot read none.md: No such file or directory."),
        (["out", "form.pdf", "1", "--file", "out"], "Cannot read out: Is a directory."),
        (["out", "form.pdf", "1", "--file", "latin.md"], "latin.md is not UTF-8 text."),
        (["out", "form.pdf", "1", "--file", "out/form.clean.pdf"], "out/form.clean.pdf is not UTF-8 text."),
        (["out", "form.pdf", "1", "--file", "long.md"], "the limit is 200,000"),
        (["out", "form.pdf", "1", "--file", "words.md"], "The text has words before its first page mark."),
        (["out", "form.pdf", "1", "--undo"], "Page 1 of form.pdf has no correction."),
        (["out", "form.pdf", "1", "2", "--undo"], "Cannot use '2': `rayocr correct` takes [OUT] [NAME] [PAGE]"),
        (["nowhere", "form.pdf", "1", "--undo"], "does not exist, so it holds no results."),
        (["out", "form.pdf", "1"], "There is no terminal to edit the page in."),
        (["out", "form.pdf", "1", "page.md"], "For the text: --file page.md"),
        (["form.pdf", "1", "--undo"], "`rayocr correct` needs OUT, the folder with the results, before the document."),
        (["out", "form.pdf", "1", "--fiel", "page.md"], "Did you mean --file?"),
    ],
)
def test_a_mistake_is_wrong_usage_and_changes_nothing(
    capsys: pytest.CaptureFixture[str], arguments: list[str], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO()))
    Path("latin.md").write_bytes("Stra\xdfe".encode("latin-1"))
    Path("long.md").write_text("x" * 200_001)
    Path("words.md").write_text("words\n\n<!-- page 1 -->\n\none\n")
    before = Path("out/form.md").read_bytes()
    code, words = said(capsys, "correct", *arguments)
    assert (code, message in words) == (2, True), words
    assert Path("out/form.md").read_bytes() == before
    assert not list(Path("out/.rayocr").glob("corrections/*/*"))


def test_flags_of_a_command_are_named_with_it(capsys: pytest.CaptureFixture[str]) -> None:
    code, words = said(capsys, "out", "--pages", "3")
    assert (code, "--pages is a flag of `rayocr reread`." in words) == (2, True)


def test_a_document_without_page_texts_keeps_the_correction_for_the_next_reading(capsys: pytest.CaptureFixture[str]) -> None:
    code, words = said(capsys, "correct", "out", "2024/Plan, neu [2].pdf", "1", "--file", "page.md")
    assert code == 2
    assert "The correction is saved. No output of 2024/Plan, neu [2].pdf holds its page texts." in words


def test_a_run_that_reads_the_document_is_an_external_cause(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    let_a_run_read(monkeypatch)
    code, words = said(capsys, "correct", "out", "form.pdf", "1", "--file", "page.md")
    assert (code, "The correction is saved, and the run applies it." in words) == (3, True), words


def test_a_user_without_a_name_is_asked_for_one(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody() -> str:
        raise KeyError("getpwuid(): uid not found")

    monkeypatch.setattr(reviewer.getpass, "getuser", nobody)
    code, words = said(capsys, "correct", "out", "form.pdf", "1", "--file", "page.md")
    assert (code, "Give the name of the author: --author NAME" in words) == (2, True)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("script", "code", "message"),
    [
        ('sed -i s/Street/Lane/ "$1"', 0, "Page 1 of form.pdf is corrected"),
        ("true", 0, "Nothing to do: page 1 of form.pdf has this text already."),
        (': > "$1"', 2, "The text is empty; nothing is saved."),
        ("exit 1", 2, "The editor ended with code 1; nothing is saved."),
        ('sed -i s/Street/Lane/ "$1"; exit 1', 2, "Your text is in "),
        ('head -c 200001 /dev/zero | tr "\\\\0" x > "$1"', 2, "Your text is in "),
        ("kill -INT $PPID", 0, "Nothing to do"),
    ],
)
def test_without_a_file_the_editor_opens_on_the_present_text(
    place: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, script: str, code: int, message: str
) -> None:
    temporary = place / "tmp"
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    editor = place / "my editor"
    editor.write_text(f"#!/bin/sh\n{script}\n")
    editor.chmod(editor.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("VISUAL", f"'{editor}'")
    monkeypatch.setattr(sys, "stdin", Terminal())
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    found, words = said(capsys, "correct", "out", "form.pdf", "1")
    assert (found, message in words) == (code, True), words
    assert ("Signal Lane" in Path("out/form.md").read_text()) == ("corrected" in message)
    kept = [path.read_text() for path in temporary.rglob("*.md")]
    assert len(kept) == ("Your text is in" in message), "an edited text is never lost, and no other file is left"


def test_a_page_that_another_person_corrects_in_the_meantime_is_not_overwritten(
    place: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def edit(command: list[str], *, check: bool) -> SimpleNamespace:
        Path("theirs.md").write_text("their text")
        assert main(["correct", "out", "form.pdf", "1", "--file", "theirs.md", "--author", "Bob"]) == 0
        Path(command[-1]).write_text("my text")
        return SimpleNamespace(returncode=0)

    monkeypatch.setattr(tempfile, "tempdir", str(place))
    monkeypatch.setattr(correct.subprocess, "run", edit)
    monkeypatch.setattr(sys, "stdin", Terminal())
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    code, words = said(capsys, "correct", "out", "form.pdf", "1")
    assert (code, "Bob changed page 1 of form.pdf while you edited it; nothing is saved." in words) == (2, True), words
    (mine,) = place.glob("rayocr-page-*/page-1.md")
    assert (mine.read_text(), str(mine) in words) == ("my text", True)
    assert "their text" in Path("out/form.md").read_text()
    code, words = said(capsys, "correct", "out", "form.pdf", "1", "--file", "page.md", "--author", "Ada")
    assert (code, "This replaces the correction by Bob (" in words) == (0, True), words


def test_the_manifest_of_a_corrected_document_names_the_author(place: Path) -> None:
    assert (
        main(["mode=correct", "dest=out", "document=form.pdf", "correct.page=2", "correct.file=page.md", "correct.author=Ada"])
        == 0
    )
    (path,) = (p for p in (place / "out/.rayocr/documents").glob("*/*.json") if b'"form.pdf"' in p.read_bytes())
    manifest = Manifest.from_json(path.read_bytes(), name="manifest")
    assert [(note.page_number, note.corrected_by) for note in manifest.notes] == [(2, "Ada")]


@pytest.mark.parametrize("name", ["-dash.pdf", "a=b.pdf"])
def test_a_name_that_looks_like_a_flag_or_an_option_is_a_document(
    place: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    write_document(place, name, ["only"])
    code, words = said(capsys, "correct", "out", f"./{name}", "1", "--file", "page.md", "--author", "Ada")
    assert code == 0
    undo = words.splitlines()[-1].removeprefix("  To undo it: ")
    assert undo == f"rayocr correct out ./{name} 1 --undo"
    assert said(capsys, *undo.split()[1:])[0] == 0
    assert said(capsys, "correct", "out", "--", name, "1", "--file", "page.md")[0] == 0
    assert said(capsys, "correct", "out", "--undo", "--", name, "1")[0] == 0


def test_an_empty_text_is_named(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """A failed program at the other end of a pipe looks like a page without text."""
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(), isatty=lambda: False))
    code, words = said(capsys, "correct", "out", "form.pdf", "1", "--file", "-", "--author", "Eva")
    assert (code, "Page 1 of form.pdf is corrected (author: Eva). It has no text now." in words) == (0, True)
