"""Places of words on the picture of a page: from the searchable PDF, else from the source, and none for what cannot be opened."""

from __future__ import annotations

import shutil
from pathlib import Path

from fastapi.testclient import TestClient

from rayocr.composition import compose
from rayocr.config import Secrets
from rayocr.ledger.manifest import Manifest, OutputNote, manifest_name
from rayocr.storage.factory import open_storage
from rayocr.view.app import create_view
from rayocr.view.command import open_results_view
from tests.e2e.support import make_pdf
from tests.unit.view.written_documents import TOKEN, write_document


def client_of(folder: Path) -> TestClient:
    storage = open_storage(str(folder / "out"))
    results = open_results_view(compose([f"dest={folder / 'out'}"], environment={}), Secrets(), dest=storage, state=storage)
    results.index.update()
    return TestClient(create_view(results, token=TOKEN, title="out"), headers={"Authorization": f"Bearer {TOKEN}"})


def words(client: TestClient, document_id: str, page: int) -> list[list[object]]:
    answer = client.get(f"/api/documents/{document_id}/pages/{page}/words")
    assert answer.status_code == 200
    found: list[list[object]] = answer.json()["words"]
    return found


def test_words_of_a_text_layer_have_places_in_shares_of_the_page(tmp_path: Path) -> None:
    make_pdf(tmp_path / "in" / "a.pdf", 2)
    document_id = write_document(tmp_path, "a.pdf", ["one", "two"])
    found = words(client_of(tmp_path), document_id, 2)
    text, x0, y0, x1, y1 = found[4]
    assert [word[0] for word in found[:5]] == ["This", "is", "page", "number", "2"]
    assert text == "2"
    assert isinstance(x0, float)
    assert isinstance(y0, float)
    assert 72 / 595 < x0 < float(str(x1)) < 0.4
    assert (842 - 735) / 842 < y0 < float(str(y1)) < (842 - 715) / 842


def test_a_searchable_pdf_tells_more_than_its_source(tmp_path: Path) -> None:
    make_pdf(tmp_path / "in" / "a.pdf", 1)
    document_id = write_document(tmp_path, "a.pdf", ["one"])
    make_pdf(tmp_path / "other.pdf", 1, prefix="searchable")
    shutil.move(tmp_path / "other.pdf", tmp_path / "out" / "a.searchable.pdf")
    path = tmp_path / "out" / manifest_name(document_id)
    manifest = Manifest.from_json(path.read_bytes(), name="manifest")
    more = manifest.outputs + type(manifest.outputs)([OutputNote(name="a.searchable.pdf", size_bytes=1, sha256="")])
    path.write_bytes(manifest.model_copy(update={"outputs": more}).to_json())
    assert [word[0] for word in words(client_of(tmp_path), document_id, 1)[:3]] == ["This", "is", "searchable"]


def test_a_source_that_is_gone_or_damaged_has_no_places(tmp_path: Path) -> None:
    document_id = write_document(tmp_path, "gone.pdf", ["one"])
    (tmp_path / "in").mkdir(exist_ok=True)
    (tmp_path / "in" / "bad.pdf").write_bytes(b"%PDF-1.7\nnothing")
    damaged_id = write_document(tmp_path, "bad.pdf", ["one"])
    client = client_of(tmp_path)
    assert words(client, document_id, 1) == []
    assert words(client, damaged_id, 1) == []
