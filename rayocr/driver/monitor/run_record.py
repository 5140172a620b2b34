"""Writes the record of a run to the state, `.rayocr/runs/<run_id>.json`: the closing table as data."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, fields, is_dataclass
from datetime import UTC, datetime
from enum import Enum
from types import SimpleNamespace
from typing import Any

from rayocr import __version__
from rayocr.composition import MAPPING_KEYS, PATH_KEYS, compose, conf_dir
from rayocr.config import RayocrConfig
from rayocr.driver.scheduling.progress import Progress
from rayocr.errors import ObjectNotFound, RayocrError, RecordCorrupt, StorageError
from rayocr.masking import masked
from rayocr.observe.figures import FIGURES
from rayocr.overrides import literal, quoted
from rayocr.storage.base import Storage
from rayocr.untrusted_json import parse_object

RUNS_PREFIX = ".rayocr/runs/"
# Contains one object per run until it or a later run has ended; `rayocr status` names those that remain.
STARTED_PREFIX = ".rayocr/started/"
_MOST_READ = 10  # number of records that are read to find the options of the newest run
_ARGUMENTS = ("mode", "source", "dest", "state")  # commands show them in another form


def run_record(progress: Progress, *, run_id: str, fingerprint: str, options: Sequence[str] = ()) -> dict[str, Any]:
    run = SimpleNamespace(progress=progress)  # the record takes its figures only from the progress
    return {
        "schema_version": 1,
        "run_id": run_id,
        "rayocr_version": __version__,
        "finished_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "elapsed_s": round(progress.elapsed_s, 3),
        "documents": progress.documents_by_outcome,
        "finished_before": progress.totals.finished,
        "pages": progress.pages_by_outcome,
        "engines": dict(progress.engines),
        "reasons": dict(progress.reasons),
        "input_tokens": progress.input_tokens,
        "output_tokens": progress.output_tokens,
        "cached_tokens": progress.cached_tokens,
        **{figure.record: figure.read(run) for figure in FIGURES if figure.record},
        "settings_fingerprint": fingerprint,
        "options": list(options),
    }


def options_of(config: RayocrConfig) -> list[str]:
    """Returns the options, as key=value, with which a later command reads like this run: those that differ from the defaults, and
    always the engine, whose default depends on the keys in the environment. Leaves out the mode and the locations. Masks
    secrets. Never raises."""
    with contextlib.suppress(RayocrError):
        return [masked(option) for option in _options(config)]
    return []


def _options(config: RayocrConfig) -> Iterator[str]:
    groups = [f"engine={config.engine.name}"] * bool(config.engine.name)
    places = [f"{name}={place}" for name in _ARGUMENTS[1:] if (place := getattr(config, name))]
    default = compose([*groups, *places])
    if config.limits != default.limits:
        names = sorted(path.stem for path in (conf_dir() / "limits").glob("*.yaml"))
        best = min(names, key=lambda name: sum(1 for _ in _changed(config.limits, compose([f"limits={name}"]).limits)))
        if best != "default":
            groups.append(f"limits={best}")
            default = compose([*groups, *places])
    yield from groups
    for name, value in _changed(config, default):
        same_place = name.startswith("storage.state.") and config.storage.state == config.storage.dest
        if name not in _ARGUMENTS and not same_place and not (groups and name == "engine.name"):
            write = quoted if name in MAPPING_KEYS else literal
            yield f"{name}={value if name in PATH_KEYS and value is not None else write(value)}"


def _changed(config: Any, default: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Returns the names and values of the options that differ from the defaults."""
    for field in fields(config):
        value, usual = getattr(config, field.name), getattr(default, field.name)
        if is_dataclass(value):
            yield from _changed(value, usual, f"{prefix}{field.name}.")
        elif value != usual:
            yield f"{prefix}{field.name}", _plain(value)


def _plain(value: Any) -> Any:
    """Returns a value that can be written as an option."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if is_dataclass(value) and not isinstance(value, type):
        return {name: item for name, item in asdict(value).items() if item is not None}
    return value.value if isinstance(value, Enum) else value


def last_options(state: Storage) -> list[str]:
    """Returns the options of the newest run on record; an empty list if none is known. Raises StorageError."""
    names = [entry.name for prefix in (RUNS_PREFIX, STARTED_PREFIX) for entry in state.list(prefix)]
    for name in sorted(names, key=lambda name: name.rpartition("/")[2], reverse=True)[:_MOST_READ]:
        with contextlib.suppress(ObjectNotFound, RecordCorrupt):
            if isinstance(options := parse_object(state.read(name), name=name).get("options"), list):
                return list(map(str, options))
    return []


def note_started(
    state: Storage,
    run_id: str,
    *,
    source: str,
    mode: str = "run",
    include: Sequence[str] = (),
    exclude: Sequence[str] = (),
    options: Sequence[str] = (),
) -> None:
    """Notes that the run has started. `source`: as the user writes it. `include`, `exclude`: the user's patterns. `options`: all
    options of the run. Never raises, since the run itself reports storage failures."""
    facts = {
        "schema_version": 1,
        "run_id": run_id,
        "mode": mode,
        "source": source,
        "include": list(include),
        "exclude": list(exclude),
        "options": list(options),
        "started_at": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    with contextlib.suppress(StorageError):
        state.write(f"{STARTED_PREFIX}{run_id}.json", json.dumps(facts).encode())


def forget_started(state: Storage, run_id: str) -> None:
    """Removes the notes of this run and of earlier ones, whose work it has finished. Never raises."""
    with contextlib.suppress(StorageError):
        for name in [entry.name for entry in state.list(STARTED_PREFIX)]:
            if name <= f"{STARTED_PREFIX}{run_id}.json":
                state.delete(name)


def write_record(state: Storage, record: dict[str, Any]) -> str | None:
    """Writes the record and returns its name; None if storage fails, which the run already reports."""
    name = f"{RUNS_PREFIX}{record['run_id']}.json"
    try:
        state.write(name, json.dumps(record, indent=1).encode())
    except StorageError:
        return None
    return name
