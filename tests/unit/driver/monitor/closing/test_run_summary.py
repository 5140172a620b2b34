"""The summary at the end of a run: table, report and next steps."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import pytest

from rayocr.config import RayocrConfig
from rayocr.driver.earlier.corrected_documents import CorrectedPages
from rayocr.driver.monitor.announcements import Announcements
from rayocr.driver.monitor.closing import run_summary
from rayocr.driver.monitor.closing.closing_table import failed_lines
from rayocr.driver.monitor.terminal import ConsoleTerminal
from rayocr.errors import NotAPdf, StorageFull
from rayocr.messages import DiscoveryTotals, Document, DocumentOutcome
from rayocr.observe.dead_letters import new_dead_letter, write_dead_letter
from tests.unit.driver.monitor.announced import nothing, words_of


def test_a_report_that_cannot_be_drawn_spoils_no_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    def broken(config: object, tell: object) -> None:
        raise KeyError("a field of an older version")

    monkeypatch.setattr(run_summary, "make_report", broken)
    words = words_of(tmp_path)
    words.progress.documents_started = words.progress.documents[DocumentOutcome.COMPLETE] = 1
    with caplog.at_level(logging.ERROR):
        words.summarize(ended=True)
    assert words.exit_code() == 0
    assert ".rayocr/runs/r.json" in capsys.readouterr().out, "the record stands in for it"
    assert [record.exc_info is not None for record in caplog.records if record.name == run_summary.__name__] == [True]


def test_an_interrupt_during_the_report_keeps_the_result_of_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(config: object, tell: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(run_summary, "make_report", interrupted)
    words = words_of(tmp_path)
    words.progress.documents_started = words.progress.documents[DocumentOutcome.COMPLETE] = 1
    words.summarize(ended=True)
    said = capsys.readouterr().out
    assert "Interrupted: the report was not written. `rayocr report " in said
    assert ".rayocr/runs/r.json" in said, "the closing table follows"
    assert words.exit_code() == 0


@pytest.mark.parametrize(("option", "covered"), [("report.run=all", "all"), ("report.run=last", "r"), ("report.run=x", "x")])
def test_the_report_at_the_end_covers_the_runs_that_were_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, option: str, covered: str
) -> None:
    asked = []

    def made(config: RayocrConfig, tell: object) -> tuple[None, str]:
        asked.append(config.report.run)
        return None, "out/report.html"

    monkeypatch.setattr(run_summary, "make_report", made)
    words = words_of(tmp_path, option)
    words.progress.documents_started = words.progress.documents[DocumentOutcome.COMPLETE] = 1
    words.summarize(ended=True)
    assert asked == [covered]


def test_a_run_whose_documents_another_run_finished_meanwhile_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = words_of(tmp_path)
    words.progress.elsewhere = 3
    words.summarize(ended=True)
    assert "Another run has finished the 3 documents in the meantime. Nothing is left to do" in capsys.readouterr().out


def test_the_closing_table_names_the_command_that_retries_what_failed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = words_of(tmp_path, "report.at_end=0")
    words.progress.documents_started = 2
    words.progress.documents[DocumentOutcome.PARTIAL] = 1
    words.summarize(ended=True)
    said = capsys.readouterr().out
    assert f"rayocr retry {tmp_path / 'out'}" in said
    assert "retry.rejected=true" not in said


def test_failures_of_earlier_runs_are_named_since_they_decide_the_exit_code(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = words_of(tmp_path, "report.at_end=0")
    words.progress.documents_started = 1
    words.progress.documents[DocumentOutcome.COMPLETE] = 1
    words.progress.totals = DiscoveryTotals(found=3, finished=2, dead_letters=2)
    words.summarize(ended=True)
    assert words.exit_code() == 1
    said = "".join(capsys.readouterr().out.split())
    assert f"2documents;`rayocrstatus{tmp_path / 'out'}`liststhereasons" in said


def test_a_run_that_finds_everything_finished_after_ray_has_started_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = words_of(tmp_path)
    words.say_found(nothing(found=6, finished=2))
    words.progress.totals = DiscoveryTotals(found=6, finished=6)
    words.summarize(ended=True)
    assert "Another run has finished the 4 documents in the meantime. Nothing is left to do" in capsys.readouterr().out


def test_the_record_of_an_interrupted_run_is_not_called_a_report(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = words_of(tmp_path)
    words.progress.documents_started = 1
    words.summarize(ended=False)
    said = capsys.readouterr().out
    assert "Record " in said
    assert "Report " not in said


def with_failures(folder: Path, *overrides: str, count: int = 1) -> Announcements:
    words = words_of(folder, "report.at_end=0", *overrides)
    for number in range(count):
        document = Document(
            document_id=f"{number:032x}",
            source_uri="file:///in/a.pdf",
            name=f"a{number}.pdf",
            output_name="a",
            version="1",
            size_bytes=9,
        )
        letter = new_dead_letter(
            document, outcome=DocumentOutcome.REJECTED, reason="CorruptPdf", message="The end\nis missing.", hint=None, run_id="r"
        )
        write_dead_letter(words.plan.state, letter)
        words.progress.ended(document, DocumentOutcome.REJECTED)
    return words


@pytest.mark.parametrize("mode", ["none", "json", "plain"])
def test_a_failed_document_is_named_with_its_reason(tmp_path: Path, capsys: pytest.CaptureFixture[str], mode: str) -> None:
    words = with_failures(tmp_path)
    words.terminal = ConsoleTerminal(mode)
    words.summarize(ended=True)
    printed = capsys.readouterr()
    human = printed.err if mode == "json" else printed.out
    assert "rejected: a0.pdf: CorruptPdf: The end\\nis missing." in human
    if mode == "json":
        assert json.loads(printed.out)["failures"] == [
            {
                "document_id": "0" * 32,
                "name": "a0.pdf",
                "outcome": "rejected",
                "reason": "CorruptPdf",
                "message": "The end\nis missing.",
                "pages": "",
            }
        ]


def test_of_many_failed_documents_five_are_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = with_failures(tmp_path, count=7)
    words.summarize(ended=True)
    printed = capsys.readouterr().out
    assert printed.count("rejected: CorruptPdf: The end\\nis missing.") == 1, "one reason, its sentence, then the names"
    lines = [line.strip() for line in printed.splitlines()]
    assert all(f"a{number}.pdf" in lines for number in range(5))
    assert "a5.pdf" not in lines
    assert f"… and 2 more; `rayocr status {tmp_path / 'out'}` lists them" in printed


@pytest.mark.parametrize(("reason", "helps"), [("NotAPdf", False), ("Quarantined", True)])
def test_documents_that_a_retry_cannot_help_are_told_apart_from_the_others(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], reason: str, helps: bool
) -> None:
    words = with_failures(tmp_path, count=3)
    words.progress.reasons.update({reason: 3, "PictureUndecodable": 1})
    words.progress.documents[DocumentOutcome.PARTIAL] = 1
    words.progress.documents_started = 4
    words.summarize(ended=True)
    said = " ".join(capsys.readouterr().out.split())
    assert "Retry with rayocr retry" in said
    assert ("a retry of the unchanged files cannot help 3 rejected documents" in said) is not helps


def test_pages_that_stay_empty_and_a_stop_have_complete_commands(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = with_failures(tmp_path, count=1)
    words.progress.reasons["EmptyAnswer"] = 1
    words.progress.documents_started = 1
    words.summarize(ended=True)
    said = " ".join(capsys.readouterr().out.split())
    assert f"If a page stays empty rayocr correct {tmp_path / 'out'} NAME PAGE --file page.md" in said
    assert f"rayocr dismiss {tmp_path / 'out'} document=NAME" in said
    words.announce_stop()
    said = capsys.readouterr()
    assert f"To resume: rayocr {tmp_path / 'in'} {tmp_path / 'out'} engine=" in f"{said.out}{said.err}"


@pytest.mark.parametrize(
    ("reason", "hint", "step"),
    [
        ("EncryptedPdf", "Save a copy without the password.", "Save a copy without the password."),
        (
            "NoTextLayer",
            None,
            "Let another engine read these pages: the same command with engine=local   (or another engine.chain=)",
        ),
        ("EmptyAnswer", None, "If a model read the page, the local engines may read more: the same command with engine=local"),
        ("LanguagePackMissing", None, "Install the pack, then: the same command again"),
        ("EngineTimeout", None, ""),
    ],
)
def test_a_run_to_standard_output_says_what_helps(reason: str, hint: str | None, step: str) -> None:
    document = Document(document_id="d", source_uri="u", name="a.pdf", output_name="a", version="1", size_bytes=1)
    letter = new_dead_letter(
        document, outcome=DocumentOutcome.REJECTED, reason=reason, message="It failed.", hint=hint, run_id="r"
    )
    first = f"rejected: a.pdf: {reason}: It failed."
    assert list(failed_lines([letter])) == [first]
    assert [line.strip() for line in failed_lines([letter], steps=True)] == [first, step.replace("…", "engine.chain=")][
        : 2 if step else 1
    ]


def test_a_quiet_run_gives_every_reason_for_exit_code_1(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = words_of(tmp_path, "report.at_end=0")
    words.terminal = ConsoleTerminal("none")
    words.progress.documents_started = words.progress.documents[DocumentOutcome.COMPLETE] = 1
    words.progress.totals = DiscoveryTotals(found=2, dead_letters=1, unreadable=1, unreadable_names=("locked",))
    words.summarize(ended=True)
    assert words.exit_code() == 1
    assert capsys.readouterr().out.splitlines() == [
        "1 folder or link of the source cannot be read: locked",
        f"Failed earlier: 1 document; `rayocr status {tmp_path / 'out'}` lists the reasons.",
    ]


def test_a_quiet_run_without_failures_prints_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = words_of(tmp_path, "report.at_end=0")
    words.terminal = ConsoleTerminal("none")
    words.progress.documents_started = words.progress.documents[DocumentOutcome.COMPLETE] = 1
    words.summarize(ended=True)
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("mode", ["plain", "none", "json"])
def test_corrections_that_were_kept_or_not_applied_are_named_at_the_end(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], mode: str
) -> None:
    words = words_of(tmp_path)
    words.terminal = ConsoleTerminal(mode)
    words.progress.documents_started = words.progress.documents[DocumentOutcome.COMPLETE] = 2
    kept = CorrectedPages(name="a.pdf", pages="2", authors=("Ada",), earlier=False)
    earlier = CorrectedPages(name="b.pdf", pages="1,3", authors=("Ada", "Bob"), earlier=True)
    words.corrections = lambda: [kept, earlier]
    words.summarize(ended=True)
    said = capsys.readouterr().out
    if mode == "json":
        assert [found["earlier"] for found in json.loads(said)["corrections"]] == [False, True]
        return
    said = " ".join(said.split())  # a long path wraps the lines
    assert "a.pdf: page 2 read again; the text of Ada is kept." in said
    assert "b.pdf: the file was replaced. Ada, Bob corrected pages 1,3 of its earlier version; not applied." in said
    assert f"`rayocr view {tmp_path / 'out'}` shows corrections of earlier versions, to apply or discard them." in said


def test_a_slow_listing_that_finds_nothing_is_reported_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = words_of(tmp_path)
    words.say_found(nothing())
    words.summarize(ended=True)
    assert f"There are no PDFs in {tmp_path / 'in'}." in capsys.readouterr().out


def test_a_report_that_cannot_be_written_is_named_with_the_command_that_writes_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(config: object, tell: object) -> None:
        raise StorageFull("No space to write report.html.")

    monkeypatch.setattr(run_summary, "make_report", full)
    words = words_of(tmp_path)
    words.progress.documents_started = words.progress.documents[DocumentOutcome.COMPLETE] = 1
    words.summarize(ended=True)
    said = capsys.readouterr().out
    assert f"The report was not written: No space to write report.html. To write it: rayocr report {tmp_path / 'out'}" in said


def test_the_next_step_for_a_document_from_a_stream_does_not_mention_runs_or_folders() -> None:
    document = Document(
        document_id="a" * 32, source_uri="file:///stdin.pdf", name="stdin.pdf", output_name="stdin", version="1", size_bytes=1
    )
    hint = NotAPdf.default_hint
    letter = new_dead_letter(document, outcome=DocumentOutcome.REJECTED, reason="NotAPdf", message="No.", hint=hint, run_id="r")
    lines = list(failed_lines([letter], steps=True))
    assert lines[1].strip() == "Check where the file comes from, and replace it with a PDF."
