"""Contains the common code of `rayocr correct` and `rayocr reread`, which finds the document and reports the written outputs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from rayocr.api.review.finding import find_document
from rayocr.api.review.reviewer import PresentPage, Reviewer, Saved, check_page, open_reviewer, user_name
from rayocr.api.review.rewrite import outdated_outputs
from rayocr.config import RayocrConfig, Secrets
from rayocr.driver.monitor.terminal import ConsoleTerminal, printable
from rayocr.driver.plan import check_results, existing_state
from rayocr.driver.retry_selection import command_on, document_argument
from rayocr.errors import ObjectNotFound, UsageError
from rayocr.ledger.manifest import Manifest
from rayocr.storage.factory import open_storage
from rayocr.storage.uri import local_path, parse_uri


@dataclass(frozen=True, slots=True, kw_only=True)
class ChosenDocument:
    reviewer: Reviewer
    manifest: Manifest
    config: RayocrConfig

    @property
    def name(self) -> str:
        return printable(self.manifest.name)

    def check_page(self, number: int) -> None:
        """Raises UsageError for a page that the document does not have."""
        try:
            check_page(self.manifest, number)
        except ObjectNotFound as error:
            raise UsageError(str(error)) from error

    def page(self, number: int) -> PresentPage:
        """Raises UsageError for a page that the document does not have, and StorageError."""
        self.check_page(number)
        return self.reviewer.page(self.manifest, number)

    def command(self, command: str, *words: str) -> str:
        """Returns a command about this document, as the user types it."""
        return " ".join([command_on(command, self.config), document_argument(self.manifest.name), *words])


@contextmanager
def chosen_document(config: RayocrConfig, keys: Secrets, *, example: str) -> Iterator[ChosenDocument]:
    """Returns the document that the options name. Raises UsageError and StorageError."""
    if config.document is None:
        raise UsageError(
            f"`rayocr {config.mode.value}` needs OUT and the document: its name below the source.", hint=f"For example: {example}"
        )
    if config.dest.lower().endswith(".pdf"):
        raise UsageError(
            f"`rayocr {config.mode.value}` needs OUT, the folder with the results, before the document.",
            hint=f"For example: {example}",
        )
    state = existing_state(config)
    check_results(config, state)
    dest = open_storage(str(parse_uri(config.dest)), config.storage.dest)
    manifest = find_document(state, _name_in(config.dest, config.document))
    with open_reviewer(config, keys, dest=dest, state=state) as reviewer:
        yield ChosenDocument(reviewer=reviewer, manifest=manifest, config=config)


def _name_in(dest: str, wanted: str) -> str:
    """Returns the name of an output whose path was given, and other words unchanged."""
    if "://" in dest:
        return wanted
    path, folder = Path(wanted).absolute(), local_path(dest).absolute()
    return path.relative_to(folder).as_posix() if path.is_relative_to(folder) else wanted


def author_of(given: str | None) -> str:
    """Returns the author. Raises UsageError if neither the user nor the system provides a name."""
    if author := (given or user_name()).strip():
        return author
    raise UsageError("The system has no name of your user.", hint="Give the name of the author: --author NAME")


def say_written(terminal: ConsoleTerminal, saved: Saved) -> None:
    """Reports which outputs contain the correction now."""
    if saved.manifest is None:
        return
    outdated = outdated_outputs(saved.manifest)
    written = [printable(output.name) for output in saved.manifest.outputs if output.name not in outdated]
    if written:
        terminal.say(f"  Written: {', '.join(written)}")
    if outdated:
        names = ", ".join(map(printable, outdated))
        terminal.say(f"  Not updated: {names}; reading the document again with overwrite=true updates it.")


def written_facts(saved: Saved) -> dict[str, object]:
    """Returns the same facts for --json."""
    outdated = outdated_outputs(saved.manifest) if saved.manifest else []
    names = [output.name for output in saved.manifest.outputs] if saved.manifest else []
    return {"written": [name for name in names if name not in outdated], "not_updated": outdated}
