"""Writes documents as a run does, for tests that show, correct or read them again."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest

from rayocr.actors.document_worker.assemble import assemble
from rayocr.actors.document_worker.assemble_settings import AssembleSettings
from rayocr.actors.document_worker.commit import LeaseSettings
from rayocr.api.review import rewrite
from rayocr.config import LocksConfig, RetryConfig
from rayocr.locks.base import Holder
from rayocr.locks.file import FileLocks
from rayocr.messages import Attempt, Document, DocumentContext, PageOutcome, PageRecord
from rayocr.outputs.registry import parse_outputs
from rayocr.storage.factory import open_storage

TOKEN = "t" * 32


def write_document(
    folder: Path,
    name: str,
    texts: list[str],
    *,
    failed: int = 0,
    outputs: tuple[str, ...] = ("markdown", "clean_pdf", "jsonl"),
    engines: tuple[str, ...] = ("gemini",),
    revision: str = "",
) -> str:
    """As a run writes it. Returns the document id. `engines`: of each page in turn. `revision`: of the file."""
    document_id = ((revision + name).encode().hex() * 8)[:32].ljust(32, "0")
    version = open_storage(str(folder / "in")).stat(name).version if (folder / "in" / name).exists() else "1"
    document = Document(
        document_id=document_id,
        source_uri=f"{folder}/in/{name}",
        name=name,
        output_name=name.removesuffix(".pdf"),
        version=version,
        size_bytes=9,
    )
    settings = AssembleSettings(
        dest_uri=str(folder / "out"),
        state_uri=str(folder / "out"),
        outputs=parse_outputs(list(outputs)),
        run_id="run",
        fingerprint="f",
        retry=RetryConfig(max_attempts=1),
        lease=LeaseSettings(config=LocksConfig(), state_uri=str(folder / "out"), owner="o", host="elsewhere"),
    )
    records = [
        PageRecord(
            document_id=document_id,
            page_number=number,
            outcome=PageOutcome.FAILED if number == failed else PageOutcome.DONE,
            text="" if number == failed else text,
            engine="" if number == failed else engines[(number - 1) % len(engines)],
            attempts=(Attempt(engine="gemini", reason="Refused", message="RECITATION"),) if number == failed else (),
        )
        for number, text in enumerate(texts, 1)
    ]
    context = DocumentContext(document=document, page_count=len(texts), title=None, fencing_token=1)
    (folder / "out").mkdir(exist_ok=True)
    assemble(
        context,
        settings,
        lambda _, first, last: [r for r in records if first <= r.page_number <= last],
        "2026-01-01T00:00:00+00:00",
    )
    return document_id


def let_a_run_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """A run holds the lease of every document."""

    def held(self: FileLocks, keys: Iterable[str] | None = None) -> dict[str, Holder]:
        run = {"owner": "20261127T150627Z-fc2c51@host", "host": "host", "pid": 1, "age_s": 1.0, "fencing_token": 9}
        return {key: Holder(key=key, **run) for key in keys or ()}  # type: ignore[arg-type]

    monkeypatch.setattr(FileLocks, "acquire", lambda self, key: None)
    monkeypatch.setattr(FileLocks, "holders", held)
    monkeypatch.setattr(rewrite, "sleep", lambda seconds: None)
