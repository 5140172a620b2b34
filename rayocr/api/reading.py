"""`rayocr.read`: one document, in a child process and without Ray."""

from __future__ import annotations

import asyncio
import os
import tempfile
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, BinaryIO

from rayocr import errors
from rayocr.api.document import ReadDocument, ReadPage
from rayocr.api.process import ChildRun, error_of, overrides_of
from rayocr.errors import InternalError, RayocrError, UsageError
from rayocr.ledger.manifest import DOCUMENTS_PREFIX, Manifest
from rayocr.messages import DocumentOutcome, PageOutcome
from rayocr.outputs.page_texts import engines_of, outcomes_of, split_jsonl

_NAME_OF_BYTES = "document.pdf"


def read(source: str | Path | bytes | BinaryIO, **options: Any) -> ReadDocument:
    """Reads one PDF: a path, `gs://BUCKET/NAME.pdf`, its bytes, or a file opened in binary mode. Blocks; safe from threads and
    inside a running event loop.

    `options` are those of the command line: `engine="gemini"`, `engine__gemini__prompt="translate"`, `budget__usd=1`. Raises
    the DocumentError of a document that cannot be read (`EncryptedPdf`, `CorruptPdf`, …), UsageError for wrong options, and
    OutsideError for a missing key or an exhausted quota. A page that cannot be read has the outcome `failed`; the document is
    then `partial`.

    >>> document = read("samples/letter.pdf", engine="textlayer")
    >>> document.pages[0].text.splitlines()[0]
    '# A Reading Garden for Willow Lane'
    """
    return read_with((), source, **options)


def read_with(
    overrides: Sequence[str],
    source: str | Path | bytes | BinaryIO,
    *,
    on_child: Callable[[ChildRun], None] = lambda child: None,
    **options: Any,
) -> ReadDocument:
    """As `read`, with options as on the command line; `options` win over them. `on_child` gets the child process."""
    fixed = {"source", "dest", "state", "outputs", "mode"} & options.keys()
    if fixed:
        raise UsageError(f"rayocr.read does not accept {min(fixed)}=.", hint="Use rayocr.run for folders and output files.")
    with tempfile.TemporaryDirectory(prefix="rayocr-read-") as temporary:
        folder = Path(temporary)
        place = _placed(source, folder)
        settings: dict[str, object] = {
            "cluster": "inprocess",
            "gateway.enabled": False,
            "report.at_end": 0,
            **options,
            "source": place,
            "dest": str(folder / "out"),
            "logs.dir": str(folder / "logs"),
            "outputs": ["jsonl"],
        }
        child = ChildRun([*overrides, *overrides_of(settings)])
        try:
            on_child(child)
            end = list(child.events())[-1]
        finally:
            child.close()
        failure = error_of(end)
        if failure is not None:
            raise failure
        return _document(folder / "out")


def _placed(source: str | Path | bytes | BinaryIO, folder: Path) -> str:
    """The value of `source=`; bytes are written to the folder first. Raises UsageError."""
    if isinstance(source, str) and "://" in source:  # a Path would lose a slash
        if source.startswith(("gs://", "gdrive://", "file://")) and not source.lower().endswith(".pdf"):
            raise UsageError(f"{source} is not a single PDF.", hint="Use rayocr.run for buckets and folders.")
        return source
    if isinstance(source, str | os.PathLike):
        if not os.fspath(source):
            raise UsageError("The path is empty.")
        if Path(source).expanduser().is_dir():
            raise UsageError(f"{source} is a folder.", hint="Use rayocr.run for folders.")
        return os.fspath(source)
    if not isinstance(source, bytes | bytearray | memoryview) and not hasattr(source, "read"):
        raise UsageError(f"rayocr.read takes a path, bytes or a file opened in binary mode, not {type(source).__name__}.")
    data: Any = source if isinstance(source, bytes | bytearray | memoryview) else source.read()
    if isinstance(data, str):
        raise UsageError("The file was opened as text.", hint='Open it in binary mode: open(name, "rb")')
    (folder / _NAME_OF_BYTES).write_bytes(data)
    return str(folder / _NAME_OF_BYTES)


async def aread(source: str | Path | bytes | BinaryIO, **options: Any) -> ReadDocument:
    """As `read`, without blocking the event loop. Cancelling it ends the child process at once."""
    children: list[ChildRun] = []
    cancelled = threading.Event()

    def on_child(child: ChildRun) -> None:
        children.append(child)
        if cancelled.is_set():
            child.kill()

    try:
        return await asyncio.to_thread(lambda: read_with((), source, on_child=on_child, **options))
    except asyncio.CancelledError:
        cancelled.set()
        for child in children:
            child.kill()
        raise


def _document(out: Path) -> ReadDocument:
    manifests = list((out / DOCUMENTS_PREFIX).rglob("*.json"))
    if len(manifests) > 1:
        raise UsageError(f"The source holds {len(manifests)} documents, not one.", hint="Use rayocr.run for buckets and folders.")
    if not manifests:
        raise InternalError("The run ended without a result for the document.")
    manifest = Manifest.from_json(manifests[0].read_bytes(), name=manifests[0].name)
    if manifest.outcome is DocumentOutcome.REJECTED:
        kind: type[RayocrError] = getattr(errors, manifest.reason or "", errors.DocumentError)
        raise kind(manifest.message or "The document cannot be read.")
    texts = split_jsonl((out / manifest.outputs[0].name).read_bytes())
    outcomes = outcomes_of(manifest)
    notes = {note.page_number: note for note in manifest.notes}
    engines = engines_of(manifest)
    pages = []
    for number in range(1, manifest.page_count + 1):
        note, outcome = notes.get(number), outcomes.get(number, PageOutcome.FAILED)
        failed = outcome is PageOutcome.FAILED
        pages.append(
            ReadPage(
                number=number,
                text="" if failed else texts.get(number, ""),
                outcome=outcome.value,
                engine=engines.get(number, ""),
                reason=note.reason if note and failed else "",
                message=note.message if note and failed else "",
                doubts=note.doubts if note else (),
            )
        )
    return ReadDocument(
        name=manifest.name,
        outcome=manifest.outcome.value,
        pages=tuple(pages),
        title=manifest.title,
        cost_usd=manifest.cost_usd,
        models=manifest.models,
    )
