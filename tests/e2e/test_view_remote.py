"""The results view over a bucket and over Drive: list, open, search, correct, read again, download."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from rayocr.composition import compose
from rayocr.config import Secrets
from rayocr.driver.plan import existing_state
from rayocr.storage.factory import open_storage
from rayocr.view.app import create_view
from rayocr.view.command import open_results_view
from tests.e2e.support import CliHere, make_pdf
from tests.servers.drive import DriveServer
from tests.servers.gcs import GcsServer

TOKEN = "t" * 32


@pytest.fixture(params=["bucket", "drive"])
def places(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[str, str, list[str]]]:
    """Source, destination, and the options that lead there."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    names = {"letter.pdf": "pump house, page", "2024/form ü.pdf": "signal street, page"}
    data = {name: make_pdf(tmp_path / "made" / name, 2, prefix=prefix).read_bytes() for name, prefix in names.items()}
    if request.param == "bucket":
        buckets = GcsServer()
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", buckets.url)
        buckets.make_bucket("scans")
        buckets.make_bucket("texts")
        for name, content in data.items():
            open_storage("gs://scans/in", compose(["dest=gs://scans/in"]).storage.dest, create=True).write(name, content)
        yield "gs://scans/in", "gs://texts/out", []
        buckets.close()
    else:
        server = DriveServer()
        source, dest = server.folder("scans"), server.folder("texts")
        for name, content in data.items():
            server.drive.add(name.rpartition("/")[2], [source], data=content)
        yield f"gdrive://{source}", f"gdrive://{dest}", [f"storage.{side}.endpoint={server.url}" for side in ("source", "dest")]
        server.close()


@pytest.fixture
def client(cli_without_ray: CliHere, places: tuple[str, str, list[str]]) -> Iterator[TestClient]:
    source, dest, at = places
    options = ["engine=textlayer", "cluster=inprocess", "outputs=[markdown,searchable_pdf]"]
    done = cli_without_ray.run(f"source={source}", f"dest={dest}", *at, *options)
    assert done.returncode == 0, done.stdout + done.stderr
    config = compose(["mode=view", f"dest={dest}", *at])
    results = open_results_view(config, Secrets(), dest=open_storage(dest, config.storage.dest), state=existing_state(config))
    results.index.update()
    yield TestClient(create_view(results, token=TOKEN, title="out"), headers={"Authorization": f"Bearer {TOKEN}"})
    results.reviewer.rewriter.locks.close()
    results.index.close()


def test_results_elsewhere_are_searched_compared_corrected_and_read_again(client: TestClient) -> None:
    def get(path: str, **query: Any) -> Any:
        answer = client.get(path, params=query)
        assert answer.status_code == 200, answer.text
        return answer

    (letter,) = get("/api/documents", q="pump house").json()["documents"]
    assert letter["name"] == "letter.pdf"
    assert [row["page"] for row in letter["found"]] == [1, 2]
    page = f"/api/documents/{letter['document_id']}/pages/2"
    assert "pump house" in get(page).json()["text"]
    assert get(f"{page}/image").content.startswith(b"\xff\xd8")
    assert "pump" in {word[0] for word in get(f"{page}/words").json()["words"]}
    again = client.post(f"{page}/read", json={"engine": "textlayer"})
    assert again.status_code == 200, again.text
    assert "pump house" in again.json()["text"]
    saved = client.put(page, json={"text": "Corrected by hand.", "author": "Asha"})
    assert (saved.status_code, saved.json()) == (200, {"pending": ""}), saved.text
    assert get(page).json()["text"] == "Corrected by hand."
    assert [row["name"] for row in get("/api/documents", q="corrected hand").json()["documents"]] == ["letter.pdf"]
    with zipfile.ZipFile(io.BytesIO(get("/api/download").content)) as archive:
        assert b"Corrected by hand." in archive.read("letter.md")
        assert len(archive.namelist()) == 4
