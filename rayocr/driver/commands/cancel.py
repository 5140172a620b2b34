"""Implements mode=cancel: asks every run on a destination to stop processing a document."""

from __future__ import annotations

from rayocr.actors.discovery.actor import Discovery, DiscoveryRules
from rayocr.config import RayocrConfig
from rayocr.driver.cancellation import write_cancel
from rayocr.driver.monitor.terminal import ConsoleTerminal, printable
from rayocr.driver.places.source import source_of
from rayocr.driver.plan import existing_state
from rayocr.errors import ObjectNotFound, UsageError
from rayocr.ledger.manifest import manifest_name
from rayocr.messages import Document


def request_cancel(config: RayocrConfig) -> int:
    """Asks every run on the destination to drop a document, given by name or id. Raises UsageError."""
    terminal = ConsoleTerminal(config.progress)
    if not config.document:
        raise UsageError(
            "`rayocr cancel` needs the document: its name below the source, or its id.",
            hint="For example: rayocr cancel in/ out/ document=2024/a.pdf",
        )
    state = existing_state(config)
    document_id, name = _find(config, config.document)
    try:
        state.stat(manifest_name(document_id))
    except ObjectNotFound:
        pass
    else:
        raise UsageError(f"{printable(name)} is already finished and cannot be cancelled.")
    path = write_cancel(state, document_id, name)
    terminal.say(f"{printable(name)} is cancelled: running jobs stop processing it within seconds; later runs skip it.")
    terminal.say(f"To read it after all, delete {path} in the state.")
    return 0


def _find(config: RayocrConfig, wanted: str) -> tuple[str, str]:
    if len(wanted) == 32 and all(c in "0123456789abcdef" for c in wanted):
        return wanted, wanted
    document = _named(config, wanted)
    if document is None:
        raise UsageError(f"The source has no document {wanted!r}.", hint="Use its name below source=, for example 2024/a.pdf.")
    return document.document_id, document.name


def _named(config: RayocrConfig, name: str) -> Document | None:
    source, state = source_of(config), existing_state(config)
    discovery = Discovery(source, state, DiscoveryRules(overwrite=True))
    while True:
        batch = discovery.next_batch(1000)
        for document in batch.documents:
            if document.name == name:
                return document
        if batch.exhausted:
            return None
