"""Implements `rayocr.read`: reads one document in a child process without Ray."""

from __future__ import annotations

import inspect
import io
import os
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO, Protocol

from rayocr import errors
from rayocr.api.document import ReadDocument, ReadPage
from rayocr.api.process import ChildRun, error_of, overrides_of, place_of
from rayocr.api.read_folder import read_folder
from rayocr.errors import RayocrError, RecordCorrupt, UsageError
from rayocr.failure_reasons import step_for_one_document
from rayocr.in_thread import in_thread
from rayocr.ledger.manifest import DOCUMENTS_PREFIX, Manifest
from rayocr.messages import DocumentOutcome, PageOutcome
from rayocr.observe.dead_letters import DeadLetter, dead_letter_name
from rayocr.outputs.page_texts import engines_of, outcomes_of, split_jsonl
from rayocr.storage.uri import local_path, parse_uri
from rayocr.untrusted_json import parse_as

_NAME_OF_BYTES = "document.pdf"
# Options that concern a whole source.
_FIXED = frozenset(("source", "dest", "state", "outputs", "mode", "include", "exclude", "document", "limit", "order"))
_MOST_NAME_BYTES = 150  # maximum length of a file name, since outputs add a suffix


class ReadingAccount(Protocol):
    """Counts the cost of a reading. `out`: the state of the reading, in a temporary folder."""

    def begin(self, out: Path) -> None: ...

    def end(self, out: Path, record: Mapping[str, Any]) -> None:
        """Adds the cost. `record`: the record of the run; empty if the run was killed."""


def read(source: str | Path | bytes | BinaryIO, **options: Any) -> ReadDocument:
    """Reads one PDF: a path, `gs://BUCKET/NAME.pdf`, its bytes, or a file opened in binary mode. Blocks. You can call it from
    threads and inside a running event loop.

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
    account: ReadingAccount | None = None,
    **options: Any,
) -> ReadDocument:
    """Does the same as `read`, with options as on the command line; `options` take precedence. `on_child` gets the child process.
    `account` gets the cost of the reading, also after an error."""
    fixed = _FIXED & options.keys()
    if fixed:
        raise UsageError(f"rayocr.read does not accept {min(fixed)}=.", hint="Use rayocr.run for folders and output files.")
    given = overrides_of(options)
    data = _data(source)
    with read_folder() as folder:
        if isinstance(source, str | os.PathLike):
            place = _place(source)
        else:
            file = folder / _name_of(source)
            file.write_bytes(data)
            place = str(file)
        defaults = {"cluster": "inprocess", "gateway.enabled": False, "report.at_end": 0, "logs.dir": str(folder / "logs")}
        fixed_options = {"source": place, "dest": str(folder / "out"), "outputs": ["jsonl"]}
        if account is not None:
            account.begin(folder / "out")
        child = ChildRun([*overrides, *overrides_of(defaults), *given, *overrides_of(fixed_options)], folder=folder)
        events: list[dict[str, Any]] = []
        try:
            on_child(child)
            events += child.events()
            failure = error_of(events[-1])
            if failure is not None:
                raise failure
            said = [event["text"] for event in events if event["event"] in ("message", "warning")]
            return _document(folder / "out", said, source)
        finally:
            if account is not None:
                records = [event["record"] for event in events if event["event"] == "record"]
                account.end(folder / "out", records[-1] if records else {})
            child.close()


def _place(source: str | os.PathLike[str]) -> str:
    """Returns the value of `source=`. Raises UsageError."""
    if isinstance(source, str) and "://" in source:  # pathlib replaces the two slashes of a URI by one
        if source.lower().startswith(("http://", "https://")):
            _refuse_web(source)
        if source.startswith(("gs://", "gdrive://", "file://")) and not source.lower().endswith(".pdf"):
            raise UsageError(f"{source} is not a single PDF.", hint="Use rayocr.run for buckets and folders.")
        return source
    text = place_of("source", source)
    if local_path(source).is_dir():
        raise UsageError(f"{source} is a folder.", hint="Use rayocr.run for folders.")
    return text


def _refuse_web(source: str) -> None:
    """Raises UsageError for a web address. Links to a bucket or to Drive have their own hints."""
    try:
        parse_uri(source)
    except UsageError as error:
        if not str(error).endswith("is not supported."):
            raise
        raise UsageError(str(error), hint="Download the PDF, and pass its bytes: rayocr.read(data)") from error


def _data(source: Any) -> bytes:
    """Returns the PDF's bytes; None for a path. Raises UsageError."""
    if isinstance(source, str | os.PathLike):
        return b""
    if isinstance(source, bytes | bytearray | memoryview):
        return bytes(source)
    if not hasattr(source, "read"):
        raise UsageError(f"rayocr.read takes a path, bytes or a file opened in binary mode, not {type(source).__name__}.")
    binary = UsageError("The file was opened as text.", hint='Open it in binary mode: open(name, "rb")')
    if isinstance(source, io.TextIOBase):
        raise binary
    if getattr(source, "closed", False) is True:
        raise UsageError("The file is closed.", hint="Call rayocr.read before its `with` block ends.")
    data = source.read()
    if isinstance(data, str):
        raise binary
    if inspect.isawaitable(data):
        if inspect.iscoroutine(data):
            data.close()
        raise UsageError("The file's read() is asynchronous.", hint="Pass its bytes: rayocr.aread(await file.read())")
    if not isinstance(data, bytes | bytearray | memoryview):
        raise UsageError(f"The file's read() returned {type(data).__name__}, not bytes.")
    if not data and _position(source):
        raise UsageError("The file was read to its end before.", hint="Go back to its start: file.seek(0)")
    return bytes(data)


def _position(file: Any) -> int:
    try:
        return int(file.tell())
    except (AttributeError, OSError, TypeError, ValueError):  # a pipe or a response has no position
        return 0


def _name_of(source: Any) -> str:
    """Returns the name of an opened file, if it is usable; None for bytes."""
    name = getattr(source, "name", None)
    found = Path(name).name if isinstance(name, str) else ""
    usable = found.lower().endswith(".pdf") and found.isprintable() and len(os.fsencode(found)) <= _MOST_NAME_BYTES
    return found if usable and not found.startswith(".") else _NAME_OF_BYTES


def _hint(dead_letter: Path) -> str | None:
    """Returns the next step for this failure, if it differs from the usual one for its reason."""
    try:
        letter = parse_as(DeadLetter, dead_letter.read_bytes(), name=dead_letter.name)
    except (OSError, RecordCorrupt):
        return None
    return letter.retry if letter.has_hint else None


class Cancellable:
    """Ends the child process of a reading from another thread, even if it starts later. The reading then raises InternalError."""

    def __init__(self) -> None:
        self._children: list[ChildRun] = []
        self._cancelled = threading.Event()

    def started(self, child: ChildRun) -> None:
        self._children.append(child)
        if self._cancelled.is_set():
            child.kill()

    def cancel(self) -> None:
        self._cancelled.set()
        for child in self._children:
            child.kill()


async def aread(source: str | Path | bytes | BinaryIO, **options: Any) -> ReadDocument:
    """Does the same as `read` without blocking the event loop. Cancelling it ends the child process and removes its files."""
    reading = Cancellable()
    return await in_thread(lambda: read_with((), source, on_child=reading.started, **options), on_cancel=reading.cancel)


def _subject(source: Any) -> str:
    """Returns the name of the source in messages: its path, or a description of the data."""
    if isinstance(source, str | os.PathLike):
        return os.fsdecode(source)
    name = getattr(source, "name", None)
    return name if isinstance(name, str) and name.isprintable() else "The data"


def _about(subject: str, message: str) -> str:
    """Returns the message of a dead letter, which does not name its document, as a sentence about the subject."""
    for begin in ("The file ", "The document ", "The PDF "):
        if message.startswith(begin):
            return f"{subject} {message.removeprefix(begin)}"
    return f"{subject}: {message}"


def _document(out: Path, said: Sequence[str], source: object) -> ReadDocument:
    """Builds the document. `said`: the output of the run."""
    manifests = list((out / DOCUMENTS_PREFIX).rglob("*.json"))
    if len(manifests) > 1:
        raise UsageError(f"The source holds {len(manifests)} documents, not one.", hint="Use rayocr.run for buckets and folders.")
    if not manifests:
        raise UsageError("The options leave the document out.", hint=" ".join(["Check them. Output of the run:", *said]))
    manifest = Manifest.from_json(manifests[0].read_bytes(), name=manifests[0].name)
    if manifest.outcome is DocumentOutcome.REJECTED:
        kind: type[RayocrError] = getattr(errors, manifest.reason or "", errors.DocumentError)
        hint = _hint(out / dead_letter_name(manifest.document_id)) or kind.default_hint
        error = kind(_about(_subject(source), manifest.message or "The document cannot be read."))
        error.set_hint(step_for_one_document(hint or "") or None)
        raise error
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
