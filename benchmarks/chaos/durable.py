"""Determines the pages that are durable now, from the documented files of a destination, without rayocr's own reader."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import zstandard

from benchmarks.chaos.corpus import Corpus, PageName


class Durable:
    """Collects the pages in ledger segments and those of finished documents. Segments never change, so each is read once."""

    def __init__(self, dest: Path, corpus: Corpus) -> None:
        self._ledger = dest / ".rayocr" / "ledger"
        self._documents = dest / ".rayocr" / "documents"
        self._corpus = corpus
        self._of_segments: set[PageName] = set()
        self._of_documents: set[PageName] = set()
        self._seen: set[Path] = set()

    def poll(self) -> set[PageName]:
        # Reads segments first: if one is deleted meanwhile, the manifests of its documents have already been written.
        for path in self._new(self._ledger, "*/*.jsonl.zst"):
            self._of_segments |= _pages_of_segment(path)
        for path in self._new(self._documents, "*/*.json"):
            manifest = read_json(path)
            if manifest is not None and manifest["outcome"] == "complete":
                self._of_documents |= self._corpus.pages(int(Path(manifest["name"]).stem))
        return self._of_segments | self._of_documents

    def _new(self, folder: Path, pattern: str) -> list[Path]:
        found = [path for path in folder.glob(pattern) if path not in self._seen]
        self._seen.update(found)
        return found


def read_json(path: Path) -> dict[str, Any] | None:
    """Returns None if the file is missing or being written."""
    try:
        content: dict[str, Any] = json.loads(path.read_bytes())
    except (FileNotFoundError, ValueError):
        return None
    return content


def _pages_of_segment(path: Path) -> set[PageName]:
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return set()
    lines = zstandard.ZstdDecompressor().decompressobj().decompress(data).splitlines()
    names = (PageName.said_by(json.loads(line).get("text", "")) for line in lines)
    return {name for name in names if name is not None}
