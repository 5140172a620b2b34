"""mode=status reads the state and changes nothing; `--json` prints the same as data."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest

from rayocr.actors.document_identity import document_at
from rayocr.cli import main
from rayocr.cli.arguments import parse
from rayocr.composition import compose
from rayocr.config import Mode
from rayocr.driver.commands.destination_status import ActiveRun, Status
from rayocr.driver.commands.status import _show
from rayocr.driver.monitor.run_record import forget_started, note_started, options_of, write_record
from rayocr.driver.monitor.terminal import ConsoleTerminal
from rayocr.driver.retry_selection import documents_to_retry
from rayocr.errors import EncryptedPdf, NotAPdf
from rayocr.ledger.manifest import manifest_name
from rayocr.messages import Document, DocumentOutcome
from rayocr.observe.dead_letters import new_dead_letter, write_dead_letter
from rayocr.storage.factory import open_storage
from tests.unit.ledger.test_manifest import build


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
    assert main(["status", str(out)]) == 2
    said = f"rayocr: {out} holds no results of rayocr.\n  Name the folder that a run wrote to: rayocr status OUT\n"
    assert capsys.readouterr().err == said
    assert list(out.iterdir()) == []
    (out / "results" / ".rayocr").mkdir(parents=True)
    assert main(["status", str(out)]) == 2
    assert f"holds no results of rayocr.\n  Did you mean {out / 'results'}?" in capsys.readouterr().err


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
        fail(out, f"{outcome.value}.pdf", "Quarantined", outcome)
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


def test_a_retry_is_advised_only_where_it_can_help(out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fail(out, "a.pdf", "NotAPdf", hint=NotAPdf.default_hint)
    fail(out, "b.pdf", "EncryptedPdf", hint=EncryptedPdf.default_hint)
    fail(out, "c.pdf", "EmptyPdf")
    main(["status", str(out)])
    said = capsys.readouterr().out
    assert "retry.rejected" not in said
    assert "NotAPdf: Check where the file comes from" in said
    assert "EncryptedPdf: Save a copy without the password" in said
    assert "EmptyPdf: Replace the file" in said
    fail(out, "d.pdf", "UnreadableSource")
    main(["status", str(out)])
    said = capsys.readouterr().out
    assert f"To retry rejected documents: rayocr retry {out} retry.rejected=true retry.reason=UnreadableSource\n" in said
    config = compose(parse(["retry", str(out), "retry.rejected=true", "retry.reason=UnreadableSource"]).overrides, {})
    assert len(documents_to_retry(open_storage(str(out)), config)) == 1


def test_the_step_for_a_page_names_the_command_of_this_destination(out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fail(out, "a.pdf", "NoTextLayer", DocumentOutcome.PARTIAL)
    main(["status", str(out)])
    assert f"NoTextLayer: Let another engine read these pages: rayocr retry {out} engine=local" in capsys.readouterr().out


def test_a_run_that_did_not_end_by_itself_is_named_with_the_next_step(out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    state = open_storage(str(out))
    note_started(state, "20261127T080000Z-aaaaaa", source="my scans")
    assert main(["status", str(out)]) == 0
    said = capsys.readouterr().out
    assert "No document is finished yet." in said
    assert "UTC did not finish. To resume, start the same command again:" in said
    assert f'  rayocr "my scans" {out}\n' in said
    assert "rayocr report" not in said
    fail(out, "a.pdf", "NotAPdf")
    state.write(manifest_name("a" * 32), build().model_copy(update={"document_id": "a" * 32}).to_json())
    main(["status", str(out)])
    assert f"To write a report of the finished documents: rayocr report {out}\n" in capsys.readouterr().out
    main(["status", str(out), "--json"])
    (run,) = json.loads(capsys.readouterr().out)["interrupted_runs"]
    assert (run["run_id"], run["source"]) == ("20261127T080000Z-aaaaaa", "my scans")
    note_started(state, "20261127T081000Z-cccccc", source="in", mode="retry")
    main(["status", str(out)])
    assert f"  rayocr retry in {out}\n" in capsys.readouterr().out
    forget_started(state, "20261127T090000Z-bbbbbb")
    main(["status", str(out)])
    assert "did not finish" not in capsys.readouterr().out


@pytest.mark.parametrize(
    "options",
    [
        ["engine=local", "engine.tesseract.dpi=200", "outputs=[markdown,jsonl]", "output.markdown.headers=remove"],
        ["engine=rapidocr", "exclude=['a, b.pdf',\"it's [x].pdf\"]", "limits=tier1", "limits.max_in_flight=7"],
        ["engine=gemini", "locks=redis", "budget.usd=2.5", "objective=deadline", "deadline=6h", "cluster=inprocess"],
        ["limits.models={gemini-x:{rpm:5}}", "engine.chain=[textlayer,tesseract?]", "limit=3", "overwrite=true"],
    ],
)
def test_the_printed_command_resumes_with_every_option_of_the_run(
    out: Path, capsys: pytest.CaptureFixture[str], options: list[str]
) -> None:
    config = compose([*options, "source=in", f"dest={out}"], {})
    note_started(open_storage(str(out)), "20261127T080000Z-aaaaaa", source="in", options=options_of(config))
    main(["status", str(out)])
    command = next(line for line in capsys.readouterr().out.splitlines() if line.startswith("  rayocr "))
    assert "engine=" in command, "without it, a key in the environment would decide where pages are sent"
    pasted = compose(parse(shlex.split(command)[1:]).overrides, {})
    assert pasted == config
    shown = "limits=tier1" in options
    assert ("limits=tier1" in command) is shown
    assert "limits.usd_per_month" not in command


def test_retries_keep_the_options_of_the_newest_run(out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    state = open_storage(str(out))
    note_started(state, "20261126T080000Z-aaaaaa", source="in", options=["engine=gemini"])
    options = ["engine=rapidocr", "engine.rapidocr.dpi=200", "outputs=[markdown,jsonl]", "exclude=[b.pdf]", "limit=3"]
    write_record(state, {"run_id": "20261127T080000Z-aaaaaa", "options": options})
    fail(out, "a b.pdf", "EmptyAnswer", DocumentOutcome.PARTIAL)
    main(["status", str(out)])
    said = capsys.readouterr().out
    kept = 'engine=rapidocr engine.rapidocr.dpi=200 "outputs=[markdown,jsonl]"'
    assert f"To retry failed pages: rayocr retry {out} {kept}\n" in said
    assert f'rayocr retry {out} engine=local "outputs=[markdown,jsonl]" ' in said, "the hint names another engine"
    assert f'rayocr correct {out} "a b.pdf" PAGE --file page.md' in said
    assert f'rayocr dismiss {out} "document=a b.pdf"' in said


def test_secrets_in_options_are_masked() -> None:
    config = compose(["engine=openai", "engine.openai.base_url=https://user:secret-1234@host/v1"], {})
    assert "secret-1234" not in " ".join(options_of(config))


def test_a_folder_that_does_not_exist_is_answered_with_the_one_beside_it(
    out: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(out.parent)
    (out / ".rayocr").mkdir()
    assert main(["status"]) == 2
    assert "Check the path of the results (dest=). Did you mean out?" in capsys.readouterr().err


def test_documents_that_an_interrupted_run_leaves_out_are_not_missing(out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = out.parent / "scans"
    source.mkdir()
    for name in ("a.pdf", "b.pdf", "c [x].pdf"):
        (source / name).write_bytes(b"%PDF")
    patterns = {"include": ["a*", "c [x].pdf"], "exclude": ["a.pdf"]}
    note_started(open_storage(str(out)), "20261127T080000Z-aaaaaa", source=str(source), **patterns)
    main(["status", str(out)])
    said = capsys.readouterr().out
    assert "1 document of" in said
    assert "has not been started: c [x].pdf" in said
    command = next(line for line in said.splitlines() if line.startswith("  rayocr "))
    pasted = compose(parse(shlex.split(command)[1:]).overrides, {})
    assert {"include": pasted.include, "exclude": pasted.exclude} == patterns


def test_documents_that_an_interrupted_run_has_not_started_are_named(out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = out.parent / "in"
    source.mkdir()
    for name in ("a.pdf", "b.pdf", "note.txt"):
        (source / name).write_bytes(b"%PDF-1.4")
    state = open_storage(str(out))
    note_started(state, "20261127T080000Z-aaaaaa", source=str(source))
    storage = open_storage(str(source))
    first = next(entry for entry in storage.list() if entry.name == "a.pdf")
    state.write(manifest_name(document_at(storage, first).document_id), b"{}")
    main(["status", str(out)])
    assert f"1 document of {source} has not been started: b.pdf" in capsys.readouterr().out


def test_a_document_that_could_not_be_opened_is_not_finished(out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    state = open_storage(str(out))
    fail(out, "a.pdf", "UnreadableSource")
    for document_id in ("a" * 32, "b" * 32):
        own = {"document_id": document_id, "source_uri": f"file:///in/{document_id}.pdf"}
        state.write(manifest_name(document_id), build().model_copy(update=own).to_json())
    assert main(["status", str(out)]) == 1
    said = " ".join(capsys.readouterr().out.split())
    assert "1 document is finished: 1 complete, 0 with failures." in said
    assert "1 document could not be read at the source. The next run tries it again." in said


def test_a_truncated_manifest_is_damaged(out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    state = open_storage(str(out))
    for digit in "ab":
        manifest = build(source_uri=f"file:///in/{digit}.pdf").model_copy(update={"document_id": digit * 32})
        data = manifest.to_json()
        state.write(manifest_name(digit * 32), data if digit == "a" else data[: len(data) // 2])
    assert main(["status", str(out), "--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert (found["finished"], found["complete"], found["damaged"]) == (1, 1, [manifest_name("b" * 32)])
