"""Implements `-` for standard input and output, for one document: `rayocr -`, `rayocr - -`, `rayocr in.pdf -`, `cat a.pdf |
rayocr - out/`. Messages and progress go to standard error. The document and its result pass through a private folder, which is
deleted at the end. The PDF on standard input is identified by its content, so the same PDF piped twice into one destination is
read once.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from rayocr.cli.arguments import STREAM
from rayocr.config import INPROCESS, Mode, RayocrConfig
from rayocr.errors import DocumentTooLarge, StorageFull, UsageError
from rayocr.ledger.manifest import DOCUMENTS_PREFIX, Manifest
from rayocr.private_folder import private_temp_folder
from rayocr.storage.uri import local_path

_NAME = "stdin.pdf"
_BLOCK_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Streams:
    """The sides of the run that are streams, and the folder that replaces them."""

    source: bool
    dest: bool
    place: Path
    output: int  # file descriptor of the real standard output

    def deliver(self) -> None:
        """Writes the output to standard output. Raises BrokenPipeError if the reader has closed the pipe."""
        if not self.dest:
            return
        for manifest in _manifests(self.place / "out"):
            for output in manifest.outputs:
                with (self.place / "out" / output.name).open("rb") as data, open(self.output, "wb", closefd=False) as target:
                    shutil.copyfileobj(data, target)


@contextlib.contextmanager
def streams(config: RayocrConfig, given: Sequence[str]) -> Iterator[Streams]:
    """Points the configuration to a folder that replaces the streams. `given`: the user's overrides, which take precedence over
    the defaults of a stream. Raises UsageError, DocumentTooLarge and StorageFull."""
    options = {override.partition("=")[0].lstrip("+") for override in given}
    _check(config, options)
    place = Path(tempfile.mkdtemp(prefix="rayocr-stream-"))
    received = place
    sys.stdout.flush()
    output = os.dup(1)
    found = Streams(source=config.source == STREAM, dest=config.dest == STREAM, place=place, output=output)
    try:
        if found.dest:
            os.dup2(2, 1)  # regardless of other output of the run
        if found.source:
            received = _received(place, config.limits.max_document_bytes, keep=not found.dest)
            config.source = str(received / _NAME)
        if found.dest:
            config.dest, config.state = str(place / "out"), None
            config.report.at_end = 0
            config.logs.stdout = "none"
            if "outputs" not in options:
                config.outputs = ["markdown"]
        if "cluster" not in options:
            config.cluster = INPROCESS
        if not any(option.startswith("gateway.") for option in options):
            config.gateway.enabled = False
        if "logs.dir" not in options:
            config.logs.dir = str(place / "logs")
        yield found
    finally:
        os.dup2(output, 1)
        os.close(output)
        for folder in {place, received}:
            shutil.rmtree(folder, ignore_errors=True)


def _check(config: RayocrConfig, options: set[str]) -> None:
    if config.mode is not Mode.run:
        raise UsageError(f"mode={config.mode.value} cannot use `-`.", hint="Only `rayocr IN OUT` reads or writes streams.")
    if config.source == STREAM and sys.stdin.isatty():
        raise UsageError("`-` reads a PDF from standard input, which is a terminal.", hint="For example: cat a.pdf | rayocr - -")
    if config.dest != STREAM:
        return
    source = config.source or ""
    if source != STREAM and not source.lower().endswith(".pdf"):
        if "://" not in source and not local_path(source).is_dir():
            why = "is not a PDF: its name does not end in .pdf" if local_path(source).exists() else "does not exist"
            raise UsageError(f"The source {source} {why}.", hint="For example: rayocr a.pdf -")
        raise UsageError(
            "`-` as the output takes one document.", hint="For example: rayocr a.pdf -   For a folder, name an output folder."
        )
    if "outputs" in options and len(config.outputs) != 1:
        raise UsageError("`-` as the output takes one kind of output.", hint="For example: rayocr a.pdf - outputs=[markdown]")
    if config.progress == "json":
        raise UsageError("`-` as the output and --json both write to standard output.", hint="Use one of them.")
    binary = config.outputs[0] not in ("markdown", "jsonl") and "outputs" in options
    if binary and sys.stdout.isatty():
        raise UsageError(
            f"Standard output is a terminal: {config.outputs[0]} is binary.", hint="Redirect it, for example: > a.pdf"
        )


def _received(place: Path, max_bytes: int, *, keep: bool) -> Path:
    """Stores standard input and returns its folder. `keep`: derives the folder only from the content, so that a later run
    recognizes the same PDF."""
    digest = hashlib.sha256()
    size = 0
    arriving = place / _NAME
    try:
        with arriving.open("wb") as target:
            while block := sys.stdin.buffer.read(_BLOCK_BYTES):
                size += len(block)
                if size > max_bytes:
                    raise DocumentTooLarge(f"The PDF on standard input is larger than limits.max_document_bytes={max_bytes}.")
                digest.update(block)
                target.write(block)
    except OSError as error:
        raise StorageFull(
            f"Cannot store standard input in {place}: {error.strerror}.", hint="Set TMPDIR to another folder."
        ) from error
    if not size:
        raise UsageError("Standard input is empty.", hint="For example: cat a.pdf | rayocr - -")
    if not keep:
        return place
    folder = private_temp_folder("stdin", digest.hexdigest()[:32])
    arriving.replace(folder / _NAME)
    os.utime(folder / _NAME, ns=(0, 0))  # the version of a local file is its size and time
    return folder


def _manifests(out: Path) -> list[Manifest]:
    return [Manifest.from_json(path.read_bytes(), name=path.name) for path in (out / DOCUMENTS_PREFIX).rglob("*.json")]
