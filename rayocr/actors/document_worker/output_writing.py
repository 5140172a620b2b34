"""Writes the outputs of a document: into temporary files, which are uploaded to the destination when all are complete."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any, BinaryIO, cast

from rayocr.actors.document_worker.assemble_settings import AssembleSettings
from rayocr.actors.document_worker.commit import upload
from rayocr.actors.document_worker.output_names import reserve_output_name
from rayocr.actors.document_worker.output_plan import OutputPlan, plan_outputs, without_source
from rayocr.errors import DocumentError, StorageDenied, StorageFull, UnsafeName, UnusableName
from rayocr.messages import DocumentContext, OutputFile, PageRecord
from rayocr.observe.logs import log_event
from rayocr.outputs.page_pipeline import PagePipeline
from rayocr.retry import RetryPolicy
from rayocr.storage.base import Storage
from rayocr.storage.os_errors import storage_error

if TYPE_CHECKING:
    from rayocr.actors.document_worker.source import GuardedSource

log = logging.getLogger(__name__)

_IN_MEMORY_BYTES = 4 << 20  # size of an output above which it moves to a temporary file


def write_outputs(
    context: DocumentContext,
    settings: AssembleSettings,
    pages: Iterator[PageRecord],
    content: Any,
    *,
    crashes: int,
    policy: RetryPolicy,
    check: Callable[[], None],
) -> tuple[str, list[OutputFile]]:
    """Writes the outputs at the destination. Returns their name without the suffix, and the files. `content`: the source's bytes,
    for outputs that need them. `crashes`: see `plan_outputs`. `check` is called before an existing output is replaced. Raises
    StorageError, UnusableName, and the errors of `check`."""
    dest, state = settings.dest(), settings.state()
    with _local_disk(), ExitStack() as stack:
        plan, source = _opened(plan_outputs(settings.outputs, crashes), content, settings)
        if source is not None:
            stack.enter_context(source)
        files = [cast(BinaryIO, stack.enter_context(_temporary_file())) for _ in plan.outputs]
        writers = [
            output(file, context, config=settings.output, source=source) for output, file in zip(plan.outputs, files, strict=True)
        ]
        for writer in writers:
            stack.callback(writer.close)
            writer.begin()
        style = settings.output.markdown if plan.normalizes else replace(settings.output.markdown, normalize=False)
        pipeline = PagePipeline(style, writers, limits=settings.limits, page_count=context.page_count)
        for record in pages:
            pipeline.add(record)
        pipeline.finish()
        name = reserve_output_name(state, context.document, policy=policy)
        outputs: list[OutputFile] = []
        for writer, file in zip(writers, files, strict=True):
            made = _uploaded(dest, name + writer.suffix, file, policy=policy, check=check)
            outputs.append(replace(made, notes=writer.notes if outputs else (*plan.notes, *writer.notes)))
            _log_notes(context, outputs[-1])
    return name, outputs


def _opened(plan: OutputPlan, content: Any, settings: AssembleSettings) -> tuple[OutputPlan, GuardedSource | None]:
    """Returns the source for the outputs of the plan, or a plan without the source if it cannot be opened."""
    if content is None or not plan.opens_source:
        return plan, None
    from rayocr.actors.document_worker.source import GuardedSource

    try:
        return plan, GuardedSource(content, settings.limits)
    except DocumentError:
        return without_source(settings.outputs), None


def _log_notes(context: DocumentContext, output: OutputFile) -> None:
    for note in output.notes:
        log_event(
            log,
            "output_noted",
            "An output is incomplete or differs from the source.",
            level=logging.WARNING,
            document_id=context.document.document_id,
            output=output.name,
            note=note,
        )


def _uploaded(dest: Storage, name: str, file: BinaryIO, *, policy: RetryPolicy, check: Callable[[], None]) -> OutputFile:
    try:
        return upload(dest, name, file, policy=policy, check=check)
    except UnsafeName as error:
        raise UnusableName(f"The destination does not accept the output name: {error}", hint=error.hint) from error


@contextmanager
def _local_disk() -> Iterator[None]:
    """Converts a full local disk to an error that ends the run, since the document is not the cause. The next run assembles the
    document."""
    try:
        yield
    except OSError as error:
        failure = storage_error(error, tempfile.gettempdir(), writing=True)
        if not isinstance(failure, StorageFull | StorageDenied):
            raise
        failure.hint = f"Outputs are first written to {tempfile.gettempdir()}: free some space there, or set TMPDIR."
        raise failure from error


def _temporary_file() -> tempfile.SpooledTemporaryFile[bytes]:
    return tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY_BYTES)
