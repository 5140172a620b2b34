"""A file that was replaced and read again counts once, in its newest version."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from rayocr.actors.ledger.versions import replaced_versions
from rayocr.errors import StorageDenied
from rayocr.ledger.manifest import Manifest, manifest_name
from rayocr.storage.factory import open_storage
from rayocr.storage.local.storage import LocalStorage
from tests.unit.ledger.test_manifest import build


def finish(state: LocalStorage, digit: str, source_uri: str, finished_at: str) -> str:
    """Writes a manifest, and returns its document's id."""
    document_id = digit * 32
    changes = {"document_id": document_id, "finished_at": finished_at}
    manifest = build(source_uri=source_uri).model_copy(update=changes)
    state.write(manifest_name(document_id), manifest.to_json())
    return document_id


def test_only_the_newest_manifest_of_a_source_counts(tmp_path: Path) -> None:
    state = open_storage(str(tmp_path))
    first = finish(state, "a", "file:///in/a.pdf", "2026-11-01T00:00:00+00:00")
    third = finish(state, "b", "file:///in/a.pdf", "2026-11-03T00:00:00+00:00")
    second = finish(state, "c", "file:///in/a.pdf", "2026-11-02T00:00:00+00:00")
    finish(state, "d", 'file:///in/"\udce9\\ ß.pdf', "2026-11-01T00:00:00+00:00")
    same = finish(state, "e", 'file:///in/"\udce9\\ ß.pdf', "2026-11-02T00:00:00+00:00")
    state.write(manifest_name("f" * 32), b"{damaged")
    assert replaced_versions(state) == {first, second, "d" * 32}
    assert third not in replaced_versions(state)
    assert same not in replaced_versions(state)


def test_a_manifest_whose_source_is_not_at_its_beginning_is_read_whole(tmp_path: Path) -> None:
    state = open_storage(str(tmp_path))
    long = "file:///in/" + "ü" * 5000 + ".pdf"
    finish(state, "a", long, "2026-11-01T00:00:00+00:00")
    finish(state, "b", long, "2026-11-02T00:00:00+00:00")
    assert replaced_versions(state) == {"a" * 32}
    assert Manifest.from_json(state.read(manifest_name("a" * 32)), name="a").source_uri == long


def test_a_manifest_that_may_not_be_read_hides_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    state = open_storage(str(tmp_path))
    for digit, day in (("a", 1), ("b", 2), ("c", 3)):
        finish(state, digit, "file:///in/a.pdf", f"2026-11-0{day}T00:00:00+00:00")
    read = state.read

    def denied(name: str, **options: Any) -> bytes:
        if name == manifest_name("b" * 32):
            raise StorageDenied("No permission.")
        return read(name, **options)

    monkeypatch.setattr(state, "read", denied)
    assert replaced_versions(state) == {"a" * 32}


def test_truncated_manifests_are_named_on_request(tmp_path: Path) -> None:
    state = open_storage(str(tmp_path))
    for digit, source in (("a", "file:///in/a.pdf"), ("b", "file:///in/b.pdf"), ("c", f"file:///in/{'c' * 5000}.pdf")):
        finish(state, digit, source, "2026-11-01T00:00:00+00:00")
    finish(state, "d", f"file:///in/{'d' * 5000}.pdf", "2026-11-01T00:00:00+00:00")
    for digit, size in (("b", 700), ("c", 4900)):
        data = state.read(manifest_name(digit * 32))
        assert len(data) > size
        state.write(manifest_name(digit * 32), data[:size])
    damaged: list[str] = []
    assert replaced_versions(state, on_damage=damaged.append) == frozenset()
    assert damaged == [manifest_name("b" * 32), manifest_name("c" * 32)]
