"""mode=status: what is finished and what failed and why, read from the state without starting Ray."""

from __future__ import annotations

import json
from collections import Counter

from rayocr.config import RayocrConfig
from rayocr.driver.preflight import existing_state
from rayocr.driver.terminal import ConsoleTerminal, printable
from rayocr.errors import StorageError
from rayocr.ledger.manifest import DEAD_LETTERS_PREFIX, DOCUMENTS_PREFIX, document_id_of
from rayocr.ledger.segment import LEDGER_PREFIX

_LETTERS_SHOWN = 20


def show_status(config: RayocrConfig) -> int:
    """0 when everything finished is complete, 1 when there are dead letters."""
    terminal = ConsoleTerminal(config.progress)
    state = existing_state(config)
    finished = sum(1 for entry in state.list(DOCUMENTS_PREFIX) if document_id_of(entry.name))
    segments = [entry for entry in state.list(LEDGER_PREFIX) if entry.name.endswith(".zst")]
    letters = [entry.name for entry in state.list(DEAD_LETTERS_PREFIX) if document_id_of(entry.name)]
    terminal.say(f"{finished:,} documents are finished, {len(letters):,} of them with failures.")
    if segments:
        size = sum(entry.size_bytes for entry in segments)
        terminal.say(f"Pages of unfinished documents wait in {len(segments):,} ledger segments ({size / 1e6:.1f} MB).")
    reasons: Counter[str] = Counter()
    for position, name in enumerate(letters):
        try:
            letter = json.loads(state.read(name))
        except (StorageError, ValueError):
            terminal.warn(f"The dead letter {name} cannot be read.")
            continue
        reasons[letter["reason"]] += 1
        if position < _LETTERS_SHOWN:
            terminal.warn(f"  {letter['outcome']}: {printable(letter['name'])}: {letter['reason']}: {letter['message']}")
    if len(letters) > _LETTERS_SHOWN:
        terminal.warn(f"  … and more; by reason: {', '.join(f'{count} {reason}' for reason, count in reasons.most_common())}")
    return 1 if letters else 0
