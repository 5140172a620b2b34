"""Buckets end to end: folder to bucket, bucket to bucket, kill and resume, and two concurrent runs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.valkey import Valkey
from rayocr.config import AccessConfig
from rayocr.ledger.manifest import DOCUMENTS_PREFIX, Manifest
from rayocr.storage.gcs.storage import GcsStorage
from tests.e2e.support import PATIENCE_S, Cli, CliHere, SimulatedGemini, end_tree, make_pdf, wait_until
from tests.servers.gcs import GcsServer

DOCUMENTS, PAGES = 8, 10
GEMINI = ("engine=gemini", "engine.chain=[gemini]", "limits.max_in_flight=4", "outputs=[markdown,clean_pdf]")


@pytest.fixture(scope="module")
def server() -> Iterator[GcsServer]:
    server = GcsServer()
    for bucket in ("scans", "texts"):
        server.make_bucket(bucket)
    yield server
    server.close()


@pytest.fixture
def buckets(server: GcsServer) -> GcsServer:
    server.faults.clear()
    server.requests.clear()
    return server


def bucket(server: GcsServer, name: str, prefix: str = "") -> GcsStorage:
    return GcsStorage(name, prefix, access=AccessConfig(endpoint=server.url))


def filled(server: GcsServer, prefix: str, folder: Path) -> str:
    scans = bucket(server, "scans", prefix)
    for number in range(DOCUMENTS):
        pdf = make_pdf(folder / f"{number}.pdf", PAGES, prefix=f"page of {prefix} {number} with the")
        scans.write(f"2024/{number}.pdf", pdf.read_bytes())
    return f"gs://scans/{prefix}"


def all_is_there(server: GcsServer, prefix: str) -> None:
    texts = bucket(server, "texts", prefix)
    names = [entry.name for entry in texts.list(DOCUMENTS_PREFIX)]
    found = [Manifest.from_json(texts.read(name), name=name) for name in names]
    assert sorted(m.name for m in found) == [f"2024/{number}.pdf" for number in range(DOCUMENTS)]
    assert {m.outcome.value for m in found} == {"complete"}
    for number in range(DOCUMENTS):
        text = texts.read(f"2024/{number}.md").decode()
        assert [text.count(f"{number} with the number {page} ") for page in range(1, PAGES + 1)] == [1] * PAGES
        assert texts.read(f"2024/{number}.clean.pdf").startswith(b"%PDF")


def test_a_folder_into_a_bucket_and_a_bucket_into_a_folder(cli: Cli, buckets: GcsServer) -> None:
    make_pdf(cli.folder / "in" / "sub" / "a.pdf", 2)
    there = cli.run("source=in", "dest=gs://texts/from a folder", "engine=textlayer", STORAGE_EMULATOR_HOST=buckets.url)
    assert there.returncode == 0, there.stdout + there.stderr
    texts = bucket(buckets, "texts", "from a folder")
    assert b"number 2 of a document" in texts.read("sub/a.md")
    bucket(buckets, "scans", "x").write("a b/c.pdf", (cli.folder / "in" / "sub" / "a.pdf").read_bytes())
    back = cli.run("source=gs://scans/x", "dest=out", "engine=textlayer", STORAGE_EMULATOR_HOST=buckets.url)
    assert back.returncode == 0, back.stdout + back.stderr
    assert "number 2 of a document" in (cli.folder / "out" / "a b" / "c.md").read_text()
    status = cli.run("mode=status", "dest=gs://texts/from a folder", STORAGE_EMULATOR_HOST=buckets.url)
    assert (status.returncode, "1" in status.stdout) == (0, True), status.stdout + status.stderr


def test_a_run_on_buckets_that_is_killed_resumes_where_it_stopped(
    cli: Cli, buckets: GcsServer, gemini: SimulatedGemini, tmp_path: Path
) -> None:
    source = filled(buckets, "killed", tmp_path / "made")
    options = (f"source={source}", "dest=gs://texts/killed", *GEMINI)
    variables = {**gemini.variables, "STORAGE_EMULATOR_HOST": buckets.url}
    run = cli.start(*options, **variables)
    wait_until(lambda: gemini.answered >= 25 or run.poll() is not None, "pages are read")
    end_tree(run.pid)
    run.communicate()
    for match in ("alt=media", "POST /upload", "/o?"):  # faults of the storage, too
        buckets.script(match=match, times=2, status=503)
    again = cli.run(*options, **variables)
    assert again.returncode == 0, again.stdout + again.stderr
    all_is_there(buckets, "killed")
    assert gemini.answered <= DOCUMENTS * PAGES + 4 + 4 * 16  # in flight, and answered within a flush interval or two
    once_more = cli.run(*options, **variables)
    assert (once_more.returncode, "Nothing to do" in once_more.stdout) == (0, True)


def test_two_runs_on_one_bucket_with_redis_pay_for_no_page_twice(
    cli: Cli, buckets: GcsServer, gemini: SimulatedGemini, tmp_path: Path
) -> None:
    source = filled(buckets, "two", tmp_path / "made")
    redis = Valkey()
    variables = {**gemini.variables, "STORAGE_EMULATOR_HOST": buckets.url, "REDIS_URL": redis.url}
    options = (f"source={source}", "dest=gs://texts/two", "locks=redis", "window.documents=3", *GEMINI)
    try:
        runs = [cli.start(*options, f"logs.dir=logs{number}", **variables) for number in range(2)]
        outputs = [run.communicate(timeout=PATIENCE_S)[0] for run in runs]
    finally:
        redis.close()
    assert [run.returncode for run in runs] == [0, 0], outputs
    all_is_there(buckets, "two")
    assert Counter(gemini.counts()["answered"].values()) == {1: DOCUMENTS * PAGES}


@pytest.mark.parametrize(
    ("options", "fault", "words"),
    [
        (("source=gs://no-such-bucket/a", "dest=out"), None, "no-such-bucket"),
        (("source=in", "dest=gs://no-such-bucket/a"), None, "no-such-bucket"),
        (("source=in", "dest=gs://texts/a"), {"match": "POST /upload", "status": 403}, "No permission to write"),
        (("source=gs://scans/a", "dest=out"), {"match": "/b/scans/o?", "status": 403}, "No permission to list"),
        (("source=gs://scans/a", "dest=out"), {"match": "/b/scans/o?", "status": 401}, "not accepted"),
        (("source=in", "dest=gs://texts/a", "storage.dest.credentials=missing.json"), None, "missing.json cannot be read"),
    ],
)
def test_what_cannot_work_is_reported_in_a_line_before_a_page_is_paid_for(
    cli_without_ray: CliHere, buckets: GcsServer, options: tuple[str, ...], fault: dict[str, object] | None, words: str
) -> None:
    make_pdf(cli_without_ray.folder / "in" / "a.pdf", 1)
    if fault:
        buckets.script(times=9, **fault)
    done = cli_without_ray.run(*options, "engine=textlayer", STORAGE_EMULATOR_HOST=buckets.url)
    assert done.returncode == 3, done.stdout + done.stderr
    assert words in done.stderr
    assert len(done.stderr.strip().splitlines()) <= 2
    assert "Traceback" not in done.stdout + done.stderr


def test_without_credentials_there_is_a_line_that_says_how_to_get_some(cli_without_ray: CliHere) -> None:
    # Nothing listens at this address; otherwise google-auth would search the network for three seconds.
    variables = {"GCE_METADATA_HOST": "127.0.0.1:1", "NO_GCE_CHECK": "true", "CLOUDSDK_CONFIG": str(cli_without_ray.folder)}
    done = cli_without_ray.run("source=gs://scans/a", "dest=out", **variables)
    assert done.returncode == 3, done.stdout + done.stderr
    assert "no usable credentials" in done.stderr
    assert "gcloud auth application-default login" in done.stderr
