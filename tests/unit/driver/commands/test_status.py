"""mode=status reads the state and changes nothing; `--json` prints the same as data."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest

from rayocr.cli import main
from rayocr.cli.arguments import parse
from rayocr.composition import compose
from rayocr.config import Mode
from rayocr.driver.commands.status import ActiveRun, Status, _show
from rayocr.driver.monitor.terminal import ConsoleTerminal
from rayocr.driver.retry_selection import documents_to_retry
from rayocr.messages import Document, DocumentOutcome
from rayocr.observe.dead_letters import new_dead_letter, write_dead_letter
from rayocr.storage.factory import open_storage


@pytest.fixture
def out(tmp_path: Path) -> Path:
    folder = tmp_path / "out"
    folder.mkdir()
    return folder


def fail(out: Path, name: str, reason: str, outcome: DocumentOutcome = DocumentOutcome.REJECTED, hint: str | None = None) -> None:
    document = Document(
        document_id=name.encode().hex().ljust(32, "0")[:32],
        source_uri=f"file:///in/{name}",
        name=name,
        output_name=name,
        version="1",
        size_bytes=1,
    )
    letter = new_dead_letter(document, outcome=outcome, reason=reason, message="why", hint=hint, run_id="r")
    write_dead_letter(open_storage(str(out)), letter)


def test_a_status_makes_nothing_in_the_folder(out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["status", str(out)]) == 0
    assert capsys.readouterr().out == f"{out} holds no results of rayocr.\n"
    assert list(out.iterdir()) == []


def test_failures_are_listed_with_their_reasons(out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for number in range(25):
        fail(out, f"{number:02}.pdf", "EncryptedPdf" if number % 2 else "CorruptPdf")
    assert main(["mode=status", f"dest={out}"]) == 1
    said = capsys.readouterr().out
    assert "rejected: 00.pdf: CorruptPdf: why" in said
    assert "and 5 more. By reason: 13 CorruptPdf, 12 EncryptedPdf." in said


def test_what_to_do_is_said_once_for_a_reason(out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("a.pdf", "b.pdf"):
        fail(out, name, "EncryptedPdf", hint="Save a copy without the password beside it.")
    fail(out, "c.pdf", "TooSlow")
    main(["status", str(out)])
    said = capsys.readouterr().out
    assert said.count("EncryptedPdf: Save a copy without the password beside it.") == 1
    assert "TooSlow: Remove" not in said


def test_json_is_the_only_thing_on_standard_output(out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fail(out, "a.pdf", "EncryptedPdf")
    (out / ".rayocr" / "documents" / "zz").mkdir(parents=True)
    (out / ".rayocr" / "documents" / "zz" / "odd").write_text("")
    assert main(["status", str(out), "--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert (found["finished"], found["failed"]) == (0, 1)
    assert found["failures"][0]["name"] == "a.pdf"
    assert found["failures_by_reason"] == {"EncryptedPdf": 1}
    assert found["damaged"] == [".rayocr/documents/zz/odd"]
    assert found["active_runs"] == []


@pytest.mark.parametrize(
    ("outcomes", "expected"),
    [
        ({DocumentOutcome.PARTIAL}, [False]),
        ({DocumentOutcome.REJECTED}, [True]),
        ({DocumentOutcome.PARTIAL, DocumentOutcome.REJECTED}, [False, True]),
    ],
)
def test_the_commands_that_are_named_retry_what_is_left(
    out: Path, capsys: pytest.CaptureFixture[str], outcomes: set[DocumentOutcome], expected: list[bool]
) -> None:
    """Each printed command, parsed as typed, selects the dead letters of its row."""
    for outcome in outcomes:
        fail(out, f"{outcome.value}.pdf", "CorruptPdf", outcome)
    main(["status", str(out), "--json"])
    commands = json.loads(capsys.readouterr().out)["retry"]
    main(["status", str(out)])
    assert all(command in capsys.readouterr().out.replace("\n", " ") for command in commands[:1])
    found = []
    for command in commands:
        name, *arguments = shlex.split(command)
        assert name == "rayocr"
        config = compose(parse(arguments).overrides, {})
        assert config.mode is Mode.retry
        selected = documents_to_retry(open_storage(str(out)), config)
        assert len(selected) == (len(outcomes) if config.retry.rejected else len(outcomes - {DocumentOutcome.REJECTED}))
        found.append(config.retry.rejected)
    assert found == expected


def test_a_run_that_has_finished_nothing_yet_is_described(out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = ActiveRun(run_id="r", host="h", pid=7, documents=1, since_s=200)
    _show(ConsoleTerminal("plain"), Status(active_runs=[run]))
    said = capsys.readouterr().out.splitlines()
    assert said == ["No document is finished yet.", "Active: run r on h, process 7, for 3 min, is reading 1 document."]
