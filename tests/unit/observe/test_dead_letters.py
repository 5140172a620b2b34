from __future__ import annotations

import json
from pathlib import Path

from rayocr.messages import Document, DocumentOutcome
from rayocr.observe.dead_letters import append_dead_letter, copy_dead_letter, dead_letter_name, new_dead_letter, write_dead_letter
from rayocr.storage.memory import MemoryStorage

DOCUMENT = Document(
    document_id="ab" * 16, source_uri="memory://in/a.pdf", name="a.pdf", output_name="a", version="1", size_bytes=1
)
LETTER = new_dead_letter(
    DOCUMENT, outcome=DocumentOutcome.REJECTED, reason="CorruptPdf", message="It is damaged.", hint=None, run_id="r"
)


def copies(logs: Path) -> list[str]:
    return [json.loads(line)["name"] for path in (logs / "dead_letter").glob("*.jsonl") for line in path.read_text().splitlines()]


def test_a_dead_letter_is_copied_into_the_logs(tmp_path: Path) -> None:
    state = MemoryStorage("memory://out")
    write_dead_letter(state, LETTER)
    copy_dead_letter(state, tmp_path, DOCUMENT.document_id)
    append_dead_letter(tmp_path, LETTER)
    assert copies(tmp_path) == ["a.pdf", "a.pdf"]


def test_logs_that_cannot_be_written_fail_nothing(tmp_path: Path) -> None:
    (tmp_path / "logs").write_text("a file")
    append_dead_letter(tmp_path / "logs", LETTER)
    assert (tmp_path / "logs").read_text() == "a file"


def test_a_dead_letter_that_is_gone_or_damaged_fails_nothing(tmp_path: Path) -> None:
    state = MemoryStorage("memory://damaged")
    copy_dead_letter(state, tmp_path, DOCUMENT.document_id)
    state.write(dead_letter_name(DOCUMENT.document_id), b'{"of": "another version"}')
    copy_dead_letter(state, tmp_path, DOCUMENT.document_id)
    assert copies(tmp_path) == []
