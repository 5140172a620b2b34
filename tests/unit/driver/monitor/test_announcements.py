"""A run's final messages and their exit codes."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from rayocr.composition import compose
from rayocr.driver.monitor import announcements
from rayocr.driver.monitor.terminal import ConsoleTerminal
from rayocr.errors import UsageError
from rayocr.messages import DiscoveryTotals, Document, DocumentOutcome
from rayocr.observe.dead_letters import new_dead_letter, write_dead_letter
from tests.unit.driver.monitor.announced import nothing, words_of


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


def test_after_the_first_signal_the_progress_says_when_the_run_ends_at_the_latest(tmp_path: Path) -> None:
    words = words_of(tmp_path, "shutdown.grace_s=7")
    words.progress.clock = lambda: 100.0
    words.announce_drain("SIGINT")
    assert words.progress.stops_at == 107.0


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


def test_a_run_that_only_adds_outputs_does_not_invite_to_read_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = words_of(tmp_path)
    words.other_settings = True
    words.say_nothing_to_do(nothing(found=1, finished=1), lacking=True)
    said = " ".join(capsys.readouterr().out.split())
    assert said == ("Nothing to read: the document is finished. Outputs that are missing are written from the recorded pages.")


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
