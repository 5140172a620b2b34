"""Reads the page texts of a finished document from its Markdown, or from JSON Lines if there is no Markdown."""

from __future__ import annotations

import hashlib
import re
from collections import Counter

from rayocr.errors import RayocrError
from rayocr.ledger.manifest import Manifest
from rayocr.ledger.runs import parse_runs, runs_of
from rayocr.messages import PageOutcome
from rayocr.storage.base import MAX_OUTPUT_BYTES, Storage
from rayocr.untrusted_json import parse_value

_PAGE_MARK = re.compile(r"(?<!\\)<!-- page (\d{1,9}) -->")
_FRONT_MATTER = re.compile(r"\A---\n.*?^---$", re.DOTALL | re.MULTILINE)
_DOUBT_MARK = re.compile(r"\A\s*<!-- doubtful: [^\n]*? -->\s*")


def read_texts(manifest: Manifest, dest: Storage) -> dict[int, str]:
    """Returns Markdown by page number; empty if no output contains the texts or the output is missing."""
    names = {output.name.rpartition(".")[2]: output.name for output in manifest.outputs}
    try:
        if "md" in names:
            return split_markdown(dest.read(names["md"], max_bytes=MAX_OUTPUT_BYTES).decode("utf-8", "replace"))
        if "jsonl" in names:
            return split_jsonl(dest.read(names["jsonl"], max_bytes=MAX_OUTPUT_BYTES))
    except RayocrError:
        pass
    return {}


def outputs_are_of(manifest: Manifest, dest: Storage) -> bool:
    """Returns whether the output that holds the page texts is still the file that the manifest describes, neither edited nor
    replaced."""
    note = next((output for suffix in (".md", ".jsonl") for output in manifest.outputs if output.name.endswith(suffix)), None)
    try:
        return note is None or hashlib.sha256(dest.read(note.name, max_bytes=MAX_OUTPUT_BYTES)).hexdigest() == note.sha256
    except RayocrError:
        return False


def split_markdown(text: str) -> dict[int, str]:
    parts = _PAGE_MARK.split(text)
    return {int(number): _DOUBT_MARK.sub("", part).strip() for number, part in zip(parts[1::2], parts[2::2], strict=True)}


def before_pages(text: str) -> str:
    """Returns the text before the first page, without front matter. Outputs have none."""
    return _FRONT_MATTER.sub("", _PAGE_MARK.split(text, maxsplit=1)[0])


def split_jsonl(data: bytes) -> dict[int, str]:
    """Splits the text at the spans of `attributes.pdf_page_numbers`: [start, end, page number] each."""
    try:
        line = parse_value(data)
        text, spans = line["text"], line["attributes"]["pdf_page_numbers"]
        return {int(number): str(text[start:end]).strip() for start, end, number in spans}
    except (ValueError, KeyError, TypeError):
        return {}


def page_outcome(manifest: Manifest, page_number: int) -> str:
    """Returns the outcome of a page; "" for a page that the document does not have."""
    outcomes = manifest.pages.items()
    return next((outcome.value for outcome, runs in outcomes if any(page_number in run for run in runs_of(runs))), "")


def outcomes_of(manifest: Manifest) -> dict[int, PageOutcome]:
    return {number: outcome for outcome, runs in manifest.pages.items() for number in parse_runs(runs)}


def engine_of(manifest: Manifest, page_number: int) -> str:
    """Returns the engine that read the page; "" if no engine did, or if the manifest is of an earlier version without this
    field."""
    return engines_of(manifest).get(page_number, "")


def engines_of(manifest: Manifest) -> dict[int, str]:
    """Returns the engine of each page that was read; a person counts as an engine."""
    if manifest.engine_pages:
        return {number: engine for engine, runs in manifest.engine_pages.items() for number in parse_runs(runs)}
    noted = {note.page_number: note.engine for note in manifest.notes}
    left = Counter(manifest.engines)
    left.subtract(engine for engine in noted.values() if engine)
    others = [engine for engine, count in left.items() if count > 0]
    engine = others[0] if len(others) == 1 else ""
    read = (parse_runs(manifest.pages.get(outcome, "")) for outcome in (PageOutcome.DONE, PageOutcome.FALLBACK))
    return {number: found for numbers in read for number in numbers if (found := noted.get(number, engine))}
