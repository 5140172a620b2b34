"""Implements `rayocr.open_results`: the finished documents of a destination, for pandas and Arrow. Starts no process."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rayocr.actors.ledger.versions import replaced_versions
from rayocr.api.process import overrides_of, place_of
from rayocr.api.result_pages import ResultDocument
from rayocr.api.review.finding import find_document
from rayocr.api.review.reviewer import Reviewer, open_reviewer
from rayocr.composition import compose, environment_with_dotenv, secrets_from_environment
from rayocr.config import AccessConfig
from rayocr.errors import ObjectNotFound, RecordCorrupt, UsageError
from rayocr.ledger.manifest import DOCUMENTS_PREFIX, Manifest, document_id_of
from rayocr.messages import DocumentOutcome
from rayocr.observe.dead_letters import failure_of
from rayocr.outputs.page_texts import engines_of, outcomes_of, read_texts
from rayocr.storage.base import MAX_STATE_BYTES, STATE_PREFIX, Storage
from rayocr.storage.factory import open_storage
from rayocr.storage.uri import parse_uri, place

if TYPE_CHECKING:
    import pandas as pd  # type: ignore[import-untyped, import-not-found, unused-ignore]
    import pyarrow as pa  # type: ignore[import-untyped, unused-ignore]


_ROWS_A_BATCH = 1000
# The columns of tables of documents and of pages (True), even without rows.
_COLUMNS = {
    False: {
        **dict.fromkeys(("document_id", "name", "source_uri", "outcome", "reason", "message"), "str"),
        **dict.fromkeys(("page_count", "input_tokens", "output_tokens"), "int"),
        "cost_usd": "float",
        "finished_at": "str",
        "run_id": "str",
        "outputs": "list",
    },
    True: {
        "document_id": "str",
        "name": "str",
        "page_number": "int",
        **dict.fromkeys(("outcome", "engine", "reason", "message"), "str"),
        "doubts": "list",
        "text": "str",
    },
}


@dataclass(frozen=True, slots=True, repr=False)
class Results:
    """Iterates over the manifests of all finished documents; for a replaced file, only over the newest. Keeps about 200 bytes for
    each document in memory."""

    dest: Storage
    state: Storage
    options: tuple[str, ...] = ()  # options of the runs, as on the command line
    _accesses: tuple[AccessConfig, AccessConfig] | None = field(default=None, compare=False)  # None: not opened by address

    def __reduce__(self) -> tuple[Any, ...]:
        """Lets another process, for example a worker of a pool, open the results again. Raises TypeError for results in the
        memory of this process."""
        if self._accesses is None:
            raise TypeError(f"{self!r} cannot be pickled.")
        return _opened, (place(self.dest.uri), place(self.state.uri), self.options, *self._accesses)

    def __repr__(self) -> str:
        return f"<Results of {parse_uri(self.dest.uri).display}>"

    def __iter__(self) -> Iterator[Manifest]:
        """Yields the manifests. Skips damaged ones with a UserWarning; `rayocr status` names them, too. Raises StorageError."""
        older = replaced_versions(self.state)
        for entry in self.state.list(DOCUMENTS_PREFIX):
            if (found := document_id_of(entry.name)) and entry.size_bytes and found not in older:
                try:
                    yield Manifest.from_json(self.state.read(entry.name, max_bytes=MAX_STATE_BYTES), name=entry.name)
                except ObjectNotFound:
                    continue
                except RecordCorrupt as error:
                    warnings.warn(f"{error} {error.hint}", stacklevel=2)

    def __getitem__(self, name: str) -> ResultDocument:
        """Returns a document by its name below the source, by its id, or by the name of an output. Raises UsageError, with close
        names, if there is none, and StorageError."""
        if not isinstance(name, str | os.PathLike):
            raise UsageError(
                f"Results take the name of a document, not {type(name).__name__}.", hint='For example: results["a.pdf"]'
            )
        return ResultDocument(manifest=find_document(self.state, os.fspath(name)), _open=self._reviewer, _options=self.options)

    def __contains__(self, name: object) -> bool:
        """Returns whether there is a finished document with this name."""
        return any(name in (manifest.name, manifest.document_id) for manifest in self)

    def _reviewer(self) -> AbstractContextManager[Reviewer]:
        environment = environment_with_dotenv()
        places = overrides_of({"dest": place(self.dest.uri), "state": place(self.state.uri)})
        config = compose([*self.options, *places], environment)
        return open_reviewer(config, secrets_from_environment(environment), dest=self.dest, state=self.state)

    def documents(self) -> Iterator[dict[str, Any]]:
        """Yields one row per document. `reason` and `message` are None for complete documents."""
        for manifest in self:
            reason, message = self._failure(manifest)
            yield {
                "document_id": manifest.document_id,
                "name": manifest.name,
                "source_uri": manifest.source_uri,
                "outcome": manifest.outcome.value,
                "reason": reason,
                "message": message,
                "page_count": manifest.page_count,
                "input_tokens": manifest.input_tokens,
                "output_tokens": manifest.output_tokens,
                "cost_usd": manifest.cost_usd,
                "finished_at": manifest.finished_at,
                "run_id": manifest.run_id,
                "outputs": [output.name for output in manifest.outputs],
            }

    def pages(self) -> Iterator[dict[str, Any]]:
        """Yields one row per page, with its text (Markdown)."""
        for manifest in self:
            texts = read_texts(manifest, self.dest)
            outcomes, engines = outcomes_of(manifest), engines_of(manifest)
            notes = {note.page_number: note for note in manifest.notes}
            for number in range(1, manifest.page_count + 1):
                outcome = outcomes[number].value if number in outcomes else ""
                note, failed = notes.get(number), outcome == "failed"
                yield {
                    "document_id": manifest.document_id,
                    "name": manifest.name,
                    "page_number": number,
                    "outcome": outcome,
                    "engine": engines.get(number, ""),
                    "reason": note.reason if note and failed else "",
                    "message": note.message if note and failed else "",
                    "doubts": list(note.doubts) if note else [],
                    "text": "" if failed else texts.get(number, ""),
                }

    def _failure(self, manifest: Manifest) -> tuple[str | None, str | None]:
        """Returns reason and message, as in `rayocr status` and FinishedDocument."""
        if manifest.outcome is DocumentOutcome.COMPLETE:
            return None, None
        if letter := failure_of(self.state, manifest.document_id):
            return letter.reason, letter.message
        failed = next((note for note in manifest.notes if note.outcome == "failed" and note.reason), None)
        reason, message = (failed.reason, failed.message) if failed else (None, None)
        return manifest.reason or reason, manifest.message or message

    def to_pandas(self, *, pages: bool = False) -> pd.DataFrame:
        """Returns the documents, or with `pages=True` the pages, as a DataFrame. Raises UsageError without pandas."""
        try:
            import pandas
        except ImportError as error:
            raise UsageError("to_pandas needs pandas.", hint="pip install pandas") from error
        return pandas.DataFrame(self._rows(pages), columns=list(_COLUMNS[pages]))

    def to_arrow(self, *, pages: bool = False) -> pa.Table:
        """Returns the documents, or with `pages=True` the pages, as an Arrow table. Raises UsageError without pyarrow."""
        try:
            import pyarrow
        except ImportError as error:
            raise UsageError("to_arrow needs pyarrow.", hint="pip install 'rayocr[parquet]'") from error
        types = {
            "str": pyarrow.string(),
            "int": pyarrow.int64(),
            "float": pyarrow.float64(),
            "list": pyarrow.list_(pyarrow.string()),
        }
        schema = pyarrow.schema([(name, types[kind]) for name, kind in _COLUMNS[pages].items()])
        rows, batches = self._rows(pages), []
        while some := list(islice(rows, _ROWS_A_BATCH)):
            batches.append(pyarrow.RecordBatch.from_pylist(some, schema=schema))
        return pyarrow.Table.from_batches(batches, schema=schema)

    def _rows(self, pages: bool) -> Iterator[dict[str, Any]]:
        """Yields rows of text that can be encoded, since a file name may contain bytes that are not UTF-8."""
        for row in self.pages() if pages else self.documents():
            yield {name: _encodable(value) for name, value in row.items()}


def _encodable(value: Any) -> Any:
    if isinstance(value, list):
        return [_encodable(item) for item in value]
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else value


def open_results(dest: str | Path, *, state: str | Path | None = None, access: AccessConfig | None = None) -> Results:
    """Returns the results in a folder, bucket or Drive. Uses the credentials of the environment and of .env, like a run. `state`:
    the value of `state=`, if the runs had one. Raises UsageError, also for a place without results, and OutsideError."""
    places = (place_of("dest", dest), place_of("state", dest if state is None else state))
    results = _opened(*places, (), *((access, access) if access else _accesses(*places)))
    if next(iter(results.state.list(STATE_PREFIX)), None) is None:
        raise UsageError(
            f"{parse_uri(places[1]).display} holds no results of rayocr.",
            hint="Give the dest of a run. If the run had state=, give it, too: open_results(dest, state=…).",
        )
    return results


def results_of(options: Sequence[str], dest: str, state: str) -> Results:
    """Does the same as `open_results`, with the options of a run, which may name credentials. Raises UsageError and
    OutsideError."""
    return _opened(dest, state, options, *_accesses(dest, state, options))


def _opened(dest: str, state: str, options: Sequence[str], dest_access: AccessConfig, state_access: AccessConfig) -> Results:
    try:
        opened = open_storage(str(parse_uri(dest)), dest_access), open_storage(str(parse_uri(state)), state_access)
        return Results(*opened, options=tuple(options), _accesses=(dest_access, state_access))
    except (ObjectNotFound, UsageError) as error:  # the folder does not exist, or is a file
        raise UsageError(str(error), hint=error.hint or "Check the path of the results.") from error


def _accesses(dest: str, state: str, options: Sequence[str] = ()) -> tuple[AccessConfig, AccessConfig]:
    environment = environment_with_dotenv()
    storage = compose([*options, f"dest={dest}", f"state={state}"], environment).storage
    in_file = environment.get("GOOGLE_APPLICATION_CREDENTIALS")
    if in_file != os.environ.get("GOOGLE_APPLICATION_CREDENTIALS"):  # Google's client does not read .env
        for place, access in ((dest, storage.dest), (state, storage.state)):
            if place.startswith("gs://"):
                access.credentials = access.credentials or in_file
    return storage.dest, storage.state
