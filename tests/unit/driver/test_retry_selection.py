"""`rayocr retry OUT` finds the source of the failed documents by itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from rayocr.cli import main
from rayocr.composition import compose
from rayocr.driver.retry_selection import documents_to_retry, recorded_source, retry_commands
from rayocr.errors import UsageError
from rayocr.messages import Document, DocumentOutcome
from rayocr.observe.dead_letters import new_dead_letter, write_dead_letter
from rayocr.storage.base import Storage
from rayocr.storage.factory import open_storage
from rayocr.storage.memory import MemoryStorage


def letter(state: Storage, source: str, name: str) -> None:
    document = Document(
        document_id=f"{len(name):032x}", source_uri=f"{source}/{name}", name=name, output_name=name, version="1", size_bytes=1
    )
    made = new_dead_letter(document, outcome=DocumentOutcome.PARTIAL, reason="Refused", message="m", hint=None, run_id="r")
    write_dead_letter(state, made)


def test_the_source_is_that_of_the_dead_letters() -> None:
    state = MemoryStorage("recorded-source")
    state.clear()
    assert recorded_source(state) is None
    letter(state, "gs://bucket/in", "2024/a.pdf")
    letter(state, "gs://bucket/in", "b.pdf")
    state.write(".rayocr/dead_letters/ff/" + "f" * 32 + ".json", b"damaged")
    assert recorded_source(state) == "gs://bucket/in"
    letter(state, "file:///other", "longer-name.pdf")
    with pytest.raises(UsageError, match=r"several sources: file:///other, gs://bucket/in"):
        recorded_source(state)
    state.clear()


def test_a_misspelled_reason_is_answered_with_the_nearest(tmp_path: Path) -> None:
    config = compose([f"dest={tmp_path}", "mode=retry", "retry.reason=EncriptedPdf"], {})
    with pytest.raises(UsageError, match="No failure has the reason EncriptedPdf") as raised:
        documents_to_retry(MemoryStorage("empty"), config)
    assert raised.value.hint == "Did you mean retry.reason=EncryptedPdf?"


def test_an_unknown_reason_is_reported_before_the_run_begins(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "out" / ".rayocr").mkdir(parents=True)
    (tmp_path / "in" / "a.pdf").write_bytes(b"%PDF-1.4")
    assert main(["retry", f"{tmp_path}/in", f"{tmp_path}/out", "retry.reason=NotThere"]) == 2
    said = capsys.readouterr()
    assert (said.out, said.err.splitlines()[1]) == ("", f"  `rayocr status {tmp_path}/out` lists the reasons.")


def test_a_retry_of_a_moved_source_says_what_to_do(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    letter(open_storage(str(tmp_path)), "file:///gone/away", "a.pdf")
    assert main(["retry", str(tmp_path)]) == 2
    said = capsys.readouterr().err
    assert "The source /gone/away does not exist." in said
    assert f"rayocr NEW_IN {tmp_path} include=[NAME]" in said
    assert f"rayocr dismiss {tmp_path} document='*'" in said


def test_pages_that_failed_with_the_text_layer_alone_are_retried_with_ocr() -> None:
    config = compose(["dest=out"], {})
    options = ["engine=textlayer", "limit=2", "workers.max=2"]
    commands = retry_commands(config, partial=True, rejected=["Quarantined"], options=options)
    assert commands == [
        "rayocr retry out engine=local workers.max=2",
        "rayocr retry out retry.rejected=true engine=textlayer workers.max=2",
    ]
