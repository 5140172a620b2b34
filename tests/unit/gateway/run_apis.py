"""A run API over in-memory storages that records its commands."""

from __future__ import annotations

import time
from pathlib import Path
from uuid import uuid4

from rayocr.errors import ObjectNotFound
from rayocr.gateway.run_api import Commands, RunApi
from rayocr.ledger.manifest import Manifest, build_manifest, manifest_name
from rayocr.messages import Attempt, Document, DocumentContext, DocumentOutcome, OutputFile, PageOutcome, PageSummary
from rayocr.storage.memory import MemoryStorage

DONE, PARTIAL = "a" * 32, "b" * 32


def manifest(document_id: str, name: str, outcome: DocumentOutcome, source_uri: str = "memory://s") -> Manifest:
    document = Document(
        document_id=document_id, source_uri=f"{source_uri}/{name}", name=name, output_name=name[:-4], version="1", size_bytes=9
    )
    failed = PageSummary(page_number=2, outcome=PageOutcome.FAILED, attempts=(Attempt(engine="gemini", reason="Refused"),))
    read = PageSummary(page_number=2, outcome=PageOutcome.DONE, engine="gemini")
    return build_manifest(
        DocumentContext(document=document, page_count=2, title=None, fencing_token=1),
        outcome=outcome,
        summaries=[
            PageSummary(page_number=1, outcome=PageOutcome.DONE, engine="gemini"),
            failed if outcome is DocumentOutcome.PARTIAL else read,
        ],
        outputs=[OutputFile(name=f"{name[:-4]}.md", size_bytes=1, sha256="0")],
        run_id="r",
        fingerprint="f",
        started_at="2026-01-01T00:00:00+00:00",
    )


def an_api(folder: Path) -> tuple[RunApi, list[tuple[str, object]]]:
    asked: list[tuple[str, object]] = []
    name = uuid4().hex
    source, state = MemoryStorage(f"s{name}"), MemoryStorage(f"t{name}")
    for document_id, file, outcome in (
        (DONE, "2024/a.pdf", DocumentOutcome.COMPLETE),
        (PARTIAL, "b.pdf", DocumentOutcome.PARTIAL),
    ):
        content = manifest(document_id, file, outcome, source.uri)
        state.write(manifest_name(document_id), content.to_json())
        state.write(content.outputs[0].name, b"<!-- page 1 -->\none\n<!-- page 2 -->\ntwo\n")

    def add(wanted: str) -> str:
        if wanted != "new.pdf":
            raise ObjectNotFound(f"There is no {wanted}.")
        asked.append(("add", wanted))
        return "c" * 32

    commands = Commands(
        pause=lambda: asked.append(("pause", None)),
        resume=lambda: asked.append(("resume", None)),
        drain=lambda: asked.append(("drain", None)),
        cancel=lambda document_id: asked.append(("cancel", document_id)),
        retry=lambda content: asked.append(("retry", content.name)),
        add=add,
        notice=add,
    )
    api = RunApi(
        source=source,
        dest=state,
        state=state,
        commands=commands,
        config={"mode": "run"},
        logs=folder,
        draw=lambda manifest, number: b"\xff\xd8",
        readiness=dict,
        pushed_at=time.monotonic() + 3600,  # counts as alive, even on a busy machine
    )
    return api, asked
