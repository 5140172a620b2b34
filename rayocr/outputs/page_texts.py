"""Reads the page texts of a finished document from its Markdown, or from JSON Lines if there is no Markdown."""

from __future__ import annotations

import re
from collections.abc import Mapping

from rayocr.errors import RayocrError
from rayocr.ledger.manifest import Manifest
from rayocr.storage.base import MAX_OUTPUT_BYTES, Storage
from rayocr.untrusted_json import parse_value

_PAGE_MARK = re.compile(r"(?<!\\)<!-- page (\d{1,9}) -->")
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


def split_markdown(text: str) -> dict[int, str]:
    parts = _PAGE_MARK.split(text)
    return {int(number): _DOUBT_MARK.sub("", part).strip() for number, part in zip(parts[1::2], parts[2::2], strict=True)}


def split_jsonl(data: bytes) -> dict[int, str]:
    """Splits the text at the spans of `attributes.pdf_page_numbers`: [start, end, page number] each."""
    try:
        line = parse_value(data)
        text, spans = line["text"], line["attributes"]["pdf_page_numbers"]
        return {int(number): str(text[start:end]).strip() for start, end, number in spans}
    except (ValueError, KeyError, TypeError):
        return {}


def page_outcome(manifest: Manifest, page_number: int) -> str:
    from rayocr.ledger.runs import runs_of

    for outcome, runs in manifest.pages.items():
        if any(page_number in run for run in runs_of(runs)):
            return outcome.value
    return ""


def engine_of(manifest: Manifest, page_number: int) -> str:
    """Returns the engine that read the page if the manifest tells: a note on the page, or only one engine in the document."""
    for note in manifest.notes:
        if note.page_number == page_number:
            return note.engine
    engines: Mapping[str, int] = manifest.engines
    return next(iter(engines)) if len(engines) == 1 else ""
