"""A run's final messages and their exit codes."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from rayocr.composition import compose
from rayocr.config import RayocrConfig
from rayocr.driver.corrected_documents import CorrectedPages
from rayocr.driver.monitor import announcements
from rayocr.driver.monitor.announcements import Announcements
from rayocr.driver.monitor.closing import run_summary
from rayocr.driver.monitor.closing.closing_table import failed_lines
from rayocr.driver.monitor.terminal import ConsoleTerminal
from rayocr.driver.plan import plan
from rayocr.driver.scheduling.progress import Progress
from rayocr.errors import NotAPdf, StorageFull, UsageError
from rayocr.messages import DiscoveryBatch, DiscoveryTotals, Document, DocumentOutcome
from rayocr.observe.dead_letters import new_dead_letter, write_dead_letter


def words_of(folder: Path, *overrides: str, letters: int = 0) -> Announcements:
    (folder / "in").mkdir()
    config = compose([f"source={folder / 'in'}", f"dest={folder / 'out'}", "engine=textlayer", *overrides], {})
    terminal = ConsoleTerminal("plain")
    return Announcements(
        config=config, plan=plan(config), terminal=terminal, progress=Progress(), run_id="r", dead_letters=letters
    )


def nothing(**totals: Any) -> DiscoveryBatch:
    return DiscoveryBatch(documents=(), totals=DiscoveryTotals(**totals), exhausted=True, limit_reached=False)


@pytest.mark.parametrize(
    ("letters", "begin"),
    [(1, "The failed document does not match a"), (1200, "None of the 1,200 failed documents matches a")],
)
@pytest.mark.parametrize("found", [0, 3])
def test_dead_letters_whose_documents_are_not_there_any_more_are_reported_and_end_with_1(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], found: int, letters: int, begin: str
) -> None:
    words = words_of(tmp_path, "mode=retry", letters=letters)
    words.say_nothing_to_do(nothing(found=found, finished=found))
    said = capsys.readouterr().out
    assert begin in said
    assert "finished" not in said
    assert words.exit_code() == 1


def test_a_listing_that_took_its_time_reports_such_letters_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = words_of(tmp_path, "mode=retry", letters=2)
    words.say_found(nothing(found=2, finished=2))
    said = capsys.readouterr().out
    assert "Found 2 documents; 2 not retried." in said
    assert "None of the 2 failed documents" in said
    assert words.exit_code() == 1


def test_where_all_is_finished_and_complete_there_is_nothing_to_do(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = words_of(tmp_path)
    words.say_nothing_to_do(nothing(found=2, finished=2))
    assert "Nothing to do: all 2 documents are finished" in capsys.readouterr().out
    assert words.exit_code() == 0


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


def test_after_the_first_signal_the_progress_says_when_the_run_ends_at_the_latest(tmp_path: Path) -> None:
    words = words_of(tmp_path, "shutdown.grace_s=7")
    words.progress.clock = lambda: 100.0
    words.announce_drain("SIGINT")
    assert words.progress.stops_at == 107.0


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


@pytest.mark.parametrize(("option", "code"), [("exit.partial=1", 1), ("exit.partial=0", 0)])
def test_partial_documents_count_as_failure_unless_configured_otherwise(tmp_path: Path, option: str, code: int) -> None:
    words = words_of(tmp_path, option)
    words.progress.documents[DocumentOutcome.PARTIAL] = 3
    assert words.exit_code() == code
    words.progress.documents[DocumentOutcome.REJECTED] = 1
    assert words.exit_code() == 1, "a rejected document fails a run regardless of the option"


@pytest.mark.parametrize(("option", "code"), [("exit.partial=1", 1), ("exit.partial=0", 0)])
def test_dead_letters_of_earlier_runs_count_like_partial_documents(tmp_path: Path, option: str, code: int) -> None:
    words = words_of(tmp_path, option)
    words.progress.totals = DiscoveryTotals(found=2, finished=2, dead_letters=1)
    assert words.exit_code() == code


def test_messages_leave_standard_output_to_the_log(capsys: pytest.CaptureFixture[str]) -> None:
    ConsoleTerminal("plain", stderr=True).say("Found 2 documents.")
    out, err = capsys.readouterr()
    assert (out, "Found 2 documents." in err) == ("", True)


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


@pytest.mark.parametrize(("engine", "differs"), [("textlayer", False), ("rapidocr", True)])
def test_finished_documents_that_another_engine_read_are_pointed_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, engine: str, differs: bool
) -> None:
    words = words_of(tmp_path)
    facts = {"outcome": DocumentOutcome.COMPLETE, "page_count": 1, "outputs": ()}
    manifest = SimpleNamespace(settings_fingerprint=words.config.fingerprint(words.plan.prompts), **facts)
    monkeypatch.setattr(announcements, "Manifest", SimpleNamespace(from_json=lambda data, name: manifest))
    words.plan.state.write(f".rayocr/documents/ab/{'ab' * 16}.json", b"{}")
    words.config = compose([f"source={tmp_path / 'in'}", f"dest={tmp_path / 'out'}", f"engine={engine}"], {})
    words.find_other_settings()
    words.say_nothing_to_do(nothing(found=1, finished=1))
    assert ("Set overwrite=true to read them again." in capsys.readouterr().out) is differs


def test_a_watch_names_each_document_that_it_finishes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = words_of(tmp_path, "mode=watch")
    document = Document(document_id="d", source_uri="u", name="2024/a.pdf", output_name="2024/a", version="1", size_bytes=1)
    words.say_document(document, DocumentOutcome.COMPLETE)
    words.say_document(document, DocumentOutcome.REJECTED)
    said = capsys.readouterr().out
    assert "2024/a.pdf: complete" in said
    assert "2024/a.pdf: rejected; `rayocr status` on the destination shows the reason" in said


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


def test_commands_that_look_at_failures_and_retry_them_are_written_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = words_of(tmp_path)
    words.say_nothing_to_do(nothing(found=3, finished=3, dead_letters=2))
    said = capsys.readouterr().out
    assert (
        f"2 documents were rejected or partly failed; `rayocr status {tmp_path}/out` lists the reasons and the next steps."
        in said
    )


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


def test_a_run_that_only_adds_outputs_does_not_invite_to_read_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = words_of(tmp_path)
    words.other_settings = True
    words.say_nothing_to_do(nothing(found=1, finished=1), lacking=True)
    said = " ".join(capsys.readouterr().out.split())
    assert said == ("Nothing to read: the document is finished. Outputs that are missing are written from the recorded pages.")


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


def test_filters_that_leave_out_every_document_are_wrong_usage(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = words_of(tmp_path, "include=reports")
    words.say_nothing_to_do(nothing(filtered=12, filtered_name="2024/a.pdf"))
    assert capsys.readouterr().out == ""
    with pytest.raises(UsageError) as caught:
        words.exit_code()
    assert str(caught.value) == "Nothing to read: include=[reports] leaves out all 12 PDFs of the source, for example 2024/a.pdf."
    assert caught.value.hint == 'Patterns match whole names below the source: write "include=2024/*" for a folder.'
    words.progress.totals = DiscoveryTotals(found=1, filtered=11, filtered_name="2024/a.pdf")
    assert words.exit_code() == 0


@pytest.mark.parametrize(
    ("option", "empty"), [("exit.empty=2", True), ("exit.empty=0", False), ("exit.empty=null", False), ("mode=watch", False)]
)
def test_an_empty_folder_is_no_error_unless_it_must_not_be_empty(tmp_path: Path, option: str, empty: bool) -> None:
    words = words_of(tmp_path, option)
    words.say_nothing_to_do(nothing())
    if not empty:
        assert words.exit_code() == 0
        return
    with pytest.raises(UsageError, match=r"There are no PDFs in .*/in: it is empty\.") as caught:
        words.exit_code()
    assert "exit.empty=0" in str(caught.value.hint)
    words.progress.totals = DiscoveryTotals(unreadable=1)
    assert words.exit_code() == 1, "a folder that is denied is not empty"


@pytest.mark.parametrize(
    ("totals", "said"),
    [
        ({"others": 1, "other_name": "foto.jpg"}, "1 file was skipped; 1 is not named .pdf (foto.jpg)."),
        (
            {"own_outputs": 10, "others": 2, "other_name": "a.txt"},
            "12 files were skipped; 10 are outputs of rayocr and 2",
        ),
    ],
)
def test_a_source_with_other_files_only_is_wrong_usage(tmp_path: Path, totals: dict[str, Any], said: str) -> None:
    words = words_of(tmp_path)
    words.say_nothing_to_do(nothing(**totals))
    with pytest.raises(UsageError) as caught:
        words.exit_code()
    assert f"There are no PDFs in {tmp_path / 'in'}: {said}" in str(caught.value)
    assert ("swapped" in str(caught.value.hint)) == ("own_outputs" in totals)
    assert ("img2pdf" in str(caught.value.hint)) == (totals["other_name"] == "foto.jpg")


def test_a_slow_listing_that_finds_nothing_is_reported_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = words_of(tmp_path)
    words.say_found(nothing())
    words.summarize(ended=True)
    assert f"There are no PDFs in {tmp_path / 'in'}." in capsys.readouterr().out


@pytest.mark.parametrize(
    ("reasons", "said"),
    [
        (["NotAPdf", "EncryptedPdf"], "a retry of the unchanged files cannot help the 2 rejected documents"),
        (["NotAPdf", "Quarantined"], "1 rejected document needs retry.rejected=true."),
    ],
)
def test_a_retry_without_failed_pages_says_whether_rejected_documents_can_be_retried(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], reasons: list[str], said: str
) -> None:
    words = words_of(tmp_path, "mode=retry")
    for number, reason in enumerate(reasons):
        document = Document(
            document_id=f"{number:032x}", source_uri="file:///in/a.pdf", name="a.pdf", output_name="a", version="1", size_bytes=1
        )
        letter = new_dead_letter(document, outcome=DocumentOutcome.REJECTED, reason=reason, message="why", hint=None, run_id="r")
        write_dead_letter(words.plan.state, letter)
    assert words.say_nothing_to_retry() == 1
    assert said in capsys.readouterr().out


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


@pytest.mark.parametrize(
    ("others", "said"),
    [
        ({}, "Found 2 documents."),
        ({"others": 1, "other_name": "a.png"}, "Found 2 documents. Not read: 1 file that is not named .pdf (a.png)."),
        ({"others": 3, "other_name": "a.png"}, "Found 2 documents. Not read: 3 files that are not named .pdf (such as a.png)."),
    ],
)
def test_files_beside_the_pdfs_that_are_not_read_are_counted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], others: dict[str, Any], said: str
) -> None:
    words_of(tmp_path).say_found(nothing(found=2, **others))
    assert capsys.readouterr().out.splitlines()[0] == said


def test_the_next_step_for_a_document_from_a_stream_does_not_mention_runs_or_folders() -> None:
    document = Document(
        document_id="a" * 32, source_uri="file:///stdin.pdf", name="stdin.pdf", output_name="stdin", version="1", size_bytes=1
    )
    hint = NotAPdf.default_hint
    letter = new_dead_letter(document, outcome=DocumentOutcome.REJECTED, reason="NotAPdf", message="No.", hint=hint, run_id="r")
    lines = list(failed_lines([letter], steps=True))
    assert lines[1].strip() == "Check where the file comes from, and replace it with a PDF."
