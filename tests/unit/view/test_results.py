"""The results view over a real destination: list, search, pages, corrections and downloads, through its HTTP API."""

from __future__ import annotations

import io
import json
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from rayocr import open_results
from rayocr.actors.document_worker.corrections import corrections_of
from rayocr.api.review.reread import NewReading, compared
from rayocr.cli import main
from rayocr.composition import compose
from rayocr.config import Secrets
from rayocr.engines.tesseract.engine import TesseractEngine
from rayocr.errors import StorageUnavailable
from rayocr.ledger.manifest import Manifest, manifest_name
from rayocr.observe.dead_letters import dead_letter_name, dismiss_dead_letter, read_dead_letter
from rayocr.storage.factory import open_storage
from rayocr.storage.local.storage import LocalStorage
from rayocr.view.app import create_view
from rayocr.view.command import open_results_view
from rayocr.view.index import ResultsIndex
from rayocr.view.reread import missing_engines
from rayocr.view.results import Results
from rayocr.view.search import Filters
from tests.e2e.support import make_pdf
from tests.unit.view.written_documents import TOKEN, let_a_run_read, write_document


@pytest.fixture
def results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Results]:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    write_document(tmp_path, "letter.pdf", ["# Water board\n\nThe pump house", "1. one\n3. three\n7. seven"])
    write_document(tmp_path, "form.pdf", ["Signal Street", "lost", "Übersicht der Straße"], failed=2)
    config = compose([f"dest={tmp_path / 'out'}"], environment={})
    storage = open_storage(str(tmp_path / "out"))
    results = open_results_view(config, Secrets(), dest=storage, state=storage)
    results.index.update()
    yield results
    results.reviewer.rewriter.locks.close()
    results.index.close()


@pytest.fixture
def client(results: Results) -> TestClient:
    return TestClient(create_view(results, token=TOKEN, title="out"), headers={"Authorization": f"Bearer {TOKEN}"})


def names(client: TestClient, **query: Any) -> list[str]:
    return [d["name"] for d in client.get("/api/documents", params=query).json()["documents"]]


def test_documents_are_found_by_text_name_outcome_reason_and_engine(client: TestClient) -> None:
    assert names(client) == ["form.pdf", "letter.pdf"]
    assert names(client, q="pump") == ["letter.pdf"]
    assert names(client, q="ubersicht stras") == ["form.pdf"] or names(client, q="ubersicht") == ["form.pdf"]
    assert names(client, q='"pump house"') == ["letter.pdf"]
    assert names(client, q="house pump nowhere") == []
    assert names(client, q="form") == ["form.pdf"]
    assert names(client, outcome="partial") == names(client, reason="Refused") == ["form.pdf"]
    assert names(client, engine="gemini") == ["form.pdf", "letter.pdf"]
    found = client.get("/api/documents", params={"q": "pump"}).json()["documents"][0]["found"]
    assert found == [{"page": 1, "excerpt": found[0]["excerpt"]}]
    assert "\x02pump\x03" in found[0]["excerpt"]


@pytest.mark.parametrize(
    "words", ['"', "*", "a OR b", "NEAR(a b)", "x:y", "-", "\ud800", "%", "'; DROP TABLE documents; --", "(" * 50]
)
def test_any_words_are_a_search_and_never_an_error(client: TestClient, words: str) -> None:
    assert client.get("/api/documents", params={"q": words.encode("utf-8", "replace").decode()}).status_code == 200


def test_a_cursor_continues_the_list(client: TestClient) -> None:
    first = client.get("/api/documents", params={"limit": 1}).json()
    second = client.get("/api/documents", params={"limit": 1, "cursor": first["cursor"]}).json()
    assert [d["name"] for d in first["documents"] + second["documents"]] == ["form.pdf", "letter.pdf"]
    assert second["cursor"] == ""
    assert client.get("/api/documents", params={"cursor": "x\0y"}).status_code == 422


def test_failures_come_with_the_command_that_retries_them(client: TestClient) -> None:
    status = client.get("/api/status").json()
    assert status["outcomes"] == {"complete": 1, "partial": 1}
    (reason,) = status["reasons"]
    assert (reason["reason"], reason["documents"], reason["pages"], reason["whole"]) == ("Refused", 1, 1, False)
    assert reason["meaning"].startswith("The model refused to answer")
    assert reason["command"].startswith("rayocr retry ")
    assert reason["command"].endswith("retry.reason=Refused")


def test_dismissed_failures_are_not_listed_by_reason(results: Results, client: TestClient) -> None:
    (row,) = client.get("/api/documents", params={"reason": "Refused"}).json()["documents"]
    letter = read_dead_letter(results.state, dead_letter_name(row["document_id"]))
    dismiss_dead_letter(results.state, letter)
    results.index.update()
    assert client.get("/api/status").json()["reasons"] == []
    (row,) = client.get("/api/documents", params={"q": "form"}).json()["documents"]
    assert row["dismissed"] == 1


@pytest.mark.parametrize("reason", ["NotAPdf", "EncryptedPdf", "CorruptPdf", "EmptyPdf", "UnusableName"])
def test_no_retry_is_advised_for_a_file_that_must_be_replaced(results: Results, reason: str) -> None:
    found = results.failure(reason)
    assert (found["whole"], found["command"]) == (True, "")
    assert found["meaning"]
    assert found["step"]


def test_engines_that_cannot_be_used_are_offered_with_what_they_need(
    results: Results, client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = results.reviewer.rewriter.config
    monkeypatch.setattr(TesseractEngine, "available", lambda: False)
    missing = missing_engines(config, Secrets(), [])
    assert set(missing) == {"gemini", "openai", "tesseract"}
    assert "engine=local" not in " ".join(missing.values())
    monkeypatch.setattr(TesseractEngine, "available", lambda: True)
    assert missing_engines(config, Secrets(gemini_api_key="k" * 30, openai_api_key="k" * 30), []) == {}
    assert set(missing_engines(config, Secrets(), ["engine.openai.base_url=http://127.0.0.1:8000/v1"])) == {"gemini"}
    results.rereader.missing = missing
    offered = {row["engine"]: row["missing"] for row in client.get("/api/status").json()["engines_to_read_with"]}
    assert offered["gemini"].startswith("It needs GEMINI_API_KEY")
    assert offered["local"] == offered["rapidocr"] == ""
    document_id = client.get("/api/documents", params={"q": "form"}).json()["documents"][0]["document_id"]
    refused = client.post(f"/api/documents/{document_id}/pages/1/read", json={"engine": "gemini"})
    assert refused.status_code == 422
    assert refused.json()["detail"].startswith("gemini cannot read pages in this view. It needs GEMINI_API_KEY")


def test_a_page_is_rendered_without_anything_live(tmp_path: Path, results: Results, client: TestClient) -> None:
    document_id = write_document(tmp_path, "evil.pdf", ["<script>alert(1)</script>\n\n![x](https://x.test/a.png)\n\n**bold**"])
    results.index.update()
    html = client.get(f"/api/documents/{document_id}/pages/1").json()["html"]
    assert "<script" not in html
    assert "<img" not in html
    assert "<strong>bold</strong>" in html


def test_a_correction_is_in_every_output_and_the_document_is_complete(tmp_path: Path, client: TestClient) -> None:
    document_id = client.get("/api/documents", params={"q": "form"}).json()["documents"][0]["document_id"]
    answer = client.put(f"/api/documents/{document_id}/pages/2", json={"text": "found **again**", "author": "Ada"})
    assert answer.json() == {"pending": ""}
    out = tmp_path / "out"
    markdown = (out / "form.md").read_text()
    assert "found **again**" in markdown
    assert "could not be read" not in markdown
    assert "Signal Street" in markdown
    assert "found **again**" in (out / "form.jsonl").read_text()
    manifest = Manifest.from_json((out / manifest_name(document_id)).read_bytes(), name="manifest")
    assert manifest.outcome == "complete"
    assert [(n.page_number, n.corrected_by) for n in manifest.notes] == [(2, "Ada")]
    assert not (out / dead_letter_name(document_id)).exists()
    assert names(client, q="again") == ["form.pdf"]
    assert names(client, outcome="partial") == []
    page = client.get(f"/api/documents/{document_id}/pages/2").json()
    assert (page["text"], page["corrected_by"], page["engine"]) == ("found **again**", "Ada", "person")


def test_correcting_one_page_changes_no_other_page(tmp_path: Path, client: TestClient) -> None:
    document_id = client.get("/api/documents", params={"q": "letter"}).json()["documents"][0]["document_id"]
    before = client.get(f"/api/documents/{document_id}/pages/2").json()["text"]
    for text in ("first", "second"):
        client.put(f"/api/documents/{document_id}/pages/1", json={"text": text, "author": "Ada"})
    assert client.get(f"/api/documents/{document_id}/pages/2").json()["text"] == before
    assert (tmp_path / "out" / "letter.md").read_text().count("<!-- page") == 2


def test_the_engine_of_each_page_is_known_before_and_after_a_correction(
    tmp_path: Path, results: Results, client: TestClient
) -> None:
    readers = ("textlayer", "rapidocr", "tesseract")
    document_id = write_document(tmp_path, "mixed.pdf", ["one", "two", "three", "four"], engines=readers)
    results.index.update()
    path = f"/api/documents/{document_id}"
    assert client.get(path).json()["engine_pages"] == {"rapidocr": "2", "tesseract": "3", "textlayer": "1,4"}
    client.put(f"{path}/pages/2", json={"text": "corrected", "author": "Ada"})
    client.put(f"{path}/pages/4", json={"text": "corrected, too", "author": "Ada"})
    engines = [client.get(f"{path}/pages/{number}").json()["engine"] for number in range(1, 5)]
    assert engines == ["textlayer", "person", "tesseract", "person"]
    assert client.get(path).json()["engine_pages"] == {"person": "2,4", "tesseract": "3", "textlayer": "1"}
    lines = json.loads((tmp_path / "out" / "mixed.jsonl").read_text())["attributes"]["page_outcomes"]
    assert [engine for _, _, engine in lines] == engines
    assert [page["engine"] for page in open_results(tmp_path / "out").pages() if page["name"] == "mixed.pdf"] == engines
    assert names(client, engine="tesseract") == ["mixed.pdf"]


@pytest.fixture
def replaced(tmp_path: Path, results: Results, client: TestClient) -> tuple[str, str]:
    """The ids of two versions of a file; two pages of the first were corrected, the second has two pages instead of three."""
    first = write_document(tmp_path, "plan.pdf", ["one", "tow", "three"])
    results.index.update()
    client.put(f"/api/documents/{first}/pages/2", json={"text": "two", "author": "Ada"})
    client.put(f"/api/documents/{first}/pages/3", json={"text": "3", "author": "Bob"})
    second = write_document(tmp_path, "plan.pdf", ["one, again", "tow, again"], revision="2")
    name = manifest_name(second)
    later = Manifest.from_json(results.state.read(name), name=name).model_copy(
        update={"finished_at": "2099-01-01T00:00:00+00:00"}
    )
    results.state.write(name, later.to_json())
    results.index.update()
    return first, second


def test_corrections_of_an_earlier_version_are_shown_and_not_applied(client: TestClient, replaced: tuple[str, str]) -> None:
    first, second = replaced
    (row,) = client.get("/api/documents", params={"earlier": True}).json()["documents"]
    assert (row["document_id"], row["earlier"]) == (second, 2)
    assert client.get("/api/status").json()["earlier"] == 1
    assert [found["page_number"] for found in client.get(f"/api/documents/{second}").json()["earlier"]] == [2, 2]
    page = client.get(f"/api/documents/{second}/pages/2").json()
    assert page["text"] == "tow, again"
    found = [(c["document_id"], c["page_number"], c["author"]) for c in page["earlier"]]
    assert found == [(first, 2, "Ada"), (first, 3, "Bob")]
    assert "".join(text for kind, text in page["earlier"][0]["compared"] if kind in "=+") == "two"


def test_no_correction_of_an_older_version_overwrites_the_outputs_of_the_newer(
    tmp_path: Path, client: TestClient, results: Results, replaced: tuple[str, str]
) -> None:
    """Also if a run has just read the newer one, which the index does not know yet."""
    first, second = replaced
    assert client.get(f"/api/documents/{first}").json()["newest"] == second
    third = write_document(tmp_path, "plan.pdf", ["newest"], revision="3")
    name = manifest_name(third)
    made = Manifest.from_json(results.state.read(name), name=name)
    results.state.write(name, made.model_copy(update={"finished_at": "2099-02-01T00:00:00+00:00"}).to_json())
    for document_id in (first, second):
        refused = client.put(f"/api/documents/{document_id}/pages/1", json={"text": "mine", "author": "Ada"})
        assert refused.status_code == 422
        assert "was replaced, and a run has read the new version" in refused.json()["detail"]
    assert "newest" in (tmp_path / "out" / "plan.md").read_text()
    assert client.put(f"/api/documents/{third}/pages/1", json={"text": "mine", "author": "Ada"}).json() == {"pending": ""}


def test_a_correction_of_an_earlier_version_is_applied_or_discarded_once(
    tmp_path: Path, client: TestClient, results: Results, replaced: tuple[str, str]
) -> None:
    first, second = replaced
    path = f"/api/documents/{second}/pages/2"
    wanted = {"document_id": first, "page_number": 2, "apply": True}
    assert client.post(f"{path}/earlier", json=wanted).json() == {"pending": ""}
    assert client.post(f"{path}/earlier", json=wanted).status_code == 404
    page = client.get(path).json()
    assert (page["text"], page["corrected_by"], len(page["earlier"])) == ("two", "Ada", 1)
    assert "two" in (tmp_path / "out" / "plan.md").read_text()
    client.post(f"{path}/earlier", json=wanted | {"page_number": 3, "apply": False})
    assert client.get(path).json()["earlier"] == []
    assert client.get("/api/status").json()["earlier"] == 0
    assert {number: c.settled for number, c in corrections_of(results.state, first, policy=results.reviewer.policy).items()} == {
        2: "applied",
        3: "discarded",
    }


def test_status_names_corrections_of_earlier_versions_and_counts_a_replaced_file_once(
    tmp_path: Path, replaced: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert main(["status", str(out)]) == 1  # form.pdf has a failed page
    said = capsys.readouterr().out
    assert "3 documents are finished: 2 complete, 1 with failures." in said
    assert "1 earlier version of replaced files is not counted." in said
    assert "plan.pdf: the file was replaced; the correction of pages 2-3 is not applied." in said
    assert f"To apply or discard corrections of earlier versions: rayocr view {out}" in said
    main(["status", str(out), "--json"])
    found = json.loads(capsys.readouterr().out)
    assert (found["finished"], found["replaced"]) == (3, 1)
    assert found["corrections"] == [{"document_id": replaced[0], "name": "plan.pdf", "pages": "2-3"}]
    assert [row["name"] for row in open_results(out).documents()].count("plan.pdf") == 1


def test_a_correction_that_another_person_saved_meanwhile_is_not_overwritten_unseen(
    results: Results, client: TestClient, tmp_path: Path
) -> None:
    document_id = client.get("/api/documents", params={"q": "letter"}).json()["documents"][0]["document_id"]
    place = f"/api/documents/{document_id}/pages/1"
    seen = client.get(place).json()["text_id"]
    results.correct(document_id, 1, text="theirs", author="Bob")
    refused = client.put(place, json={"text": "mine", "author": "Ada", "text_id": seen})
    assert refused.status_code == 422
    assert "Bob has changed page 1 of letter.pdf since you opened it. The text is not saved" in refused.text
    assert client.get(place).json()["text"] == "theirs"
    seen = client.get(place).json()["text_id"]
    assert client.put(place, json={"text": "mine", "author": "Ada", "text_id": seen}).json() == {"pending": ""}


def test_a_document_that_a_run_is_reading_keeps_the_correction_for_that_run(
    results: Results, client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    document_id = client.get("/api/documents", params={"q": "letter"}).json()["documents"][0]["document_id"]
    let_a_run_read(monkeypatch)
    pending = results.correct(document_id, 1, text="later", author="Ada")
    assert "A run is reading letter.pdf" in pending
    assert results.page(document_id, 1)["text"] == "later"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("get", "/api/documents/nothing", 404),
        ("get", f"/api/documents/{'f' * 32}", 404),
        ("get", "/api/documents/{id}/pages/99", 404),
        ("get", "/api/documents/{id}/outputs/9", 404),
        ("put", "/api/documents/{id}/pages/99", 404),
    ],
)
def test_what_is_not_there_is_a_404(client: TestClient, method: str, path: str, status: int) -> None:
    document_id = client.get("/api/documents").json()["documents"][0]["document_id"]
    body = {"json": {"text": "x", "author": "A"}} if method == "put" else {}
    assert client.request(method, path.replace("{id}", document_id), **body).status_code == status


def test_nothing_is_reported_or_changed_without_the_token(results: Results) -> None:
    stranger = TestClient(create_view(results, token=TOKEN, title="out"))
    document_id = results.index.documents(Filters())[0][0]["document_id"]
    for path in ("/api/status", "/api/documents", f"/api/documents/{document_id}", "/api/download"):
        assert stranger.get(path).status_code == 401
    assert stranger.put(f"/api/documents/{document_id}/pages/1", json={"text": "x", "author": "x"}).status_code == 401
    assert stranger.get("/").status_code == 200


def test_a_download_holds_every_output_of_the_documents_that_match(tmp_path: Path, client: TestClient) -> None:
    (tmp_path / "out" / "letter.jsonl").unlink()
    data = client.get("/api/download", params={"q": "letter"}).content
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.testzip() is None
        assert set(archive.namelist()) == {"letter.md", "letter.clean.pdf", "MISSING.txt"}
        assert "letter.jsonl" in archive.read("MISSING.txt").decode()


def test_the_index_follows_new_changed_and_removed_documents(tmp_path: Path, results: Results) -> None:
    write_document(tmp_path, "new.pdf", ["fresh words"])
    removed = results.index.documents(Filters(words="letter"))[0][0]["document_id"]
    (tmp_path / "out" / manifest_name(removed)).unlink()
    (tmp_path / "out" / manifest_name("a" * 32)).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / "out" / manifest_name("a" * 32)).write_text("[" * 9999)
    results.index.update()
    assert [d["name"] for d in results.index.documents(Filters())[0]] == ["form.pdf", "new.pdf"]
    assert results.index.documents(Filters(words="fresh"))[0][0]["name"] == "new.pdf"
    assert not results.index.documents(Filters(words="pump"))[0]
    assert len(results.index.damaged) == 1


def test_storage_that_is_unavailable_is_reported_and_the_list_stays(results: Results, monkeypatch: pytest.MonkeyPatch) -> None:
    stop = threading.Event()

    def unavailable(_self: LocalStorage, _prefix: str = "") -> Iterator[Any]:
        stop.set()
        raise StorageUnavailable("The bucket does not answer.")

    monkeypatch.setattr(LocalStorage, "list", unavailable)
    results.keep_updated(stop)
    assert results.problem == "The bucket does not answer."
    assert len(results.index.documents(Filters())[0]) == 2


@pytest.mark.parametrize(
    ("before", "after"), [("", ""), ("a b c", "a x c"), ("one\n\ntwo", "one two"), ("same", "same"), ("1,234", "1,243")]
)
def test_a_comparison_holds_both_texts_whole(before: str, after: str) -> None:
    parts = compared(before, after)
    assert "".join(text for kind, text in parts if kind in "=-") == before
    assert "".join(text for kind, text in parts if kind in "=+") == after


def test_a_page_is_read_again_and_nothing_is_changed(tmp_path: Path, client: TestClient) -> None:
    make_pdf(tmp_path / "in" / "form.pdf", 3)
    document_id = client.get("/api/documents", params={"q": "form"}).json()["documents"][0]["document_id"]
    path = f"/api/documents/{document_id}/pages/1/read"
    before = (tmp_path / "out" / "form.md").read_bytes()
    assert client.post(path, json={"engine": "nothing"}).status_code == 422
    assert client.post(path, json={"engine": "textlayer", "prompt": "translate"}).status_code == 422
    refused = client.post(path, json={"engine": "textlayer"})  # the file is another version than the one that was read
    assert refused.status_code == 503
    assert (tmp_path / "out" / "form.md").read_bytes() == before


def test_one_document_that_cannot_be_read_does_not_hide_the_others(
    tmp_path: Path, results: Results, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = [write_document(tmp_path, f"new-{number}.pdf", ["text"]) for number in range(2)]
    read = results.index.manifest

    def manifest(document_id: str) -> Any:
        if document_id == ids[0]:
            raise StorageUnavailable("Cannot read it.")
        return read(document_id)

    with monkeypatch.context() as patched:
        patched.setattr(ResultsIndex, "manifest", lambda self, document_id: manifest(document_id))
        results.index.update()
    assert [row["name"] for row in results.index.documents(Filters(words="new"))[0]] == ["new-1.pdf"]
    assert results.index.damaged == ["Cannot read it."]
    results.index.update()
    assert len(results.index.documents(Filters(words="new"))[0]) == 2


def test_a_search_folds_accents_and_sharp_s(tmp_path: Path, results: Results, client: TestClient) -> None:
    write_document(tmp_path, "Maße_Köln.pdf", ["Die Größe der Räume", "Groesse"])
    results.index.update()
    for words in ("grosse", "GRÖSSE", "Größe", "grösse rau", "masse_koln", "MASSE_KÖLN"):
        assert names(client, q=words) == ["Maße_Köln.pdf"], words
    (found,) = client.get("/api/documents", params={"q": "grosse"}).json()["documents"][0]["found"]
    assert found["excerpt"] == "Die \x02Größe\x03 der Räume"


def test_pages_with_the_words_that_the_list_leaves_out_are_counted(tmp_path: Path, results: Results, client: TestClient) -> None:
    write_document(tmp_path, "minutes.pdf", ["The minutes of the council"] * 5)
    results.index.update()
    (found,) = client.get("/api/documents", params={"q": "council"}).json()["documents"]
    assert ([hit["page"] for hit in found["found"]], found["found_more"]) == ([1, 2, 3], 2)
    assert client.get("/api/documents", params={"q": "pump"}).json()["documents"][0]["found_more"] == 0


def test_a_reading_that_failed_is_not_compared(results: Results, client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    failed = NewReading(text="", engine="", outcome="failed", reason="NoTextLayer", message="No text.")
    monkeypatch.setattr(type(results.rereader), "read", lambda *_, **__: failed)
    document_id = client.get("/api/documents", params={"q": "letter"}).json()["documents"][0]["document_id"]
    read = client.post(f"/api/documents/{document_id}/pages/1/read", json={"engine": "textlayer"}).json()
    assert (read["compared"], read["reason"]) == ([], "NoTextLayer")
