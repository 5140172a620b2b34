"""Google Drive end to end: folder to folder, kill and resume, exclusive destination, wrong configurations, sign-in."""

from __future__ import annotations

import json
import re
import subprocess
import urllib.parse
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from rayocr.config import AccessConfig
from rayocr.ledger.manifest import DOCUMENTS_PREFIX, Manifest
from rayocr.locks.destination import DESTINATION_LOCKS_PREFIX
from rayocr.storage.drive.storage import DriveStorage
from tests.e2e.support import PATIENCE_S, Cli, CliHere, SimulatedGemini, end_tree, make_pdf, wait_until
from tests.servers.drive import DriveServer
from tests.servers.gcs import GcsServer, service_account
from tests.servers.oauth import TokenServer

DOCUMENTS, PAGES = 6, 10
GEMINI = ("engine=gemini", "engine.chain=[gemini]", "limits.max_in_flight=4")


@pytest.fixture
def server() -> Iterator[DriveServer]:
    server = DriveServer()
    yield server
    server.close()


@pytest.fixture
def at(server: DriveServer) -> tuple[str, str]:
    """The options that lead to the server."""
    return (f"storage.source.endpoint={server.url}", f"storage.dest.endpoint={server.url}")


def there(server: DriveServer, folder: str, path: str = "") -> DriveStorage:
    return DriveStorage(folder, path, access=AccessConfig(endpoint=server.url))


def test_a_run_on_drive_is_alone_there_and_killed_it_resumes_where_it_stopped(
    cli: Cli, server: DriveServer, at: tuple[str, str], gemini: SimulatedGemini, tmp_path: Path
) -> None:
    source, dest = server.folder("scans"), server.folder("texts")
    year = server.drive.add("2024", [source])
    for number in range(DOCUMENTS):
        pdf = make_pdf(tmp_path / "made" / f"{number}.pdf", PAGES, prefix=f"page of {number} with the")
        server.drive.add(f"{number}.pdf", [year], data=pdf.read_bytes())
    options = (f"source=gdrive://{source}", f"dest=gdrive://{dest}", *at, *GEMINI)
    run = cli.start(*options, **gemini.variables)
    try:
        wait_until(lambda: gemini.answered >= 15 or run.poll() is not None, "pages are read")
        gemini.set(latency_s=30.0)  # the first run is still at work when the second one begins, on any machine
        second = cli.run(*options, "logs.dir=logs2", **gemini.variables)
    finally:
        end_tree(run.pid)
    run.communicate()
    gemini.set(latency_s=0.1)
    assert second.returncode == 3, second.stdout + second.stderr
    assert "Another run is at work" in second.stderr
    assert "locks=redis" in second.stderr
    assert len(second.stderr.strip().splitlines()) == 2
    for match in ("alt=media", "POST /upload", "GET /drive/v3/files?"):  # faults of the storage, too
        server.script(match=match, times=2, status=403, reason="userRateLimitExceeded")
    # All six can hit one document, which a run leaves after two times three attempts.
    again = cli.run(*options, "retry.max_attempts=7", **gemini.variables)
    assert again.returncode == 0, again.stdout + again.stderr
    texts = there(server, dest)
    found = [Manifest.from_json(texts.read(entry.name), name=entry.name) for entry in texts.list(DOCUMENTS_PREFIX)]
    assert sorted(m.name for m in found) == [f"2024/{number}.pdf" for number in range(DOCUMENTS)]
    assert {m.outcome.value for m in found} == {"complete"}
    for number in range(DOCUMENTS):
        text = texts.read(f"2024/{number}.md").decode()
        assert [text.count(f"{number} with the number {page} ") for page in range(1, PAGES + 1)] == [1] * PAGES
        assert [o.name for m in found for o in m.outputs if o.name == f"2024/{number}.md"]
    folders = Counter((f["name"], *f["parents"]) for f in server.drive.files.values() if "size" not in f and not f["trashed"])
    assert set(folders.values()) == {1}, "processes that create a folder at the same time use the same one"
    assert gemini.answered <= DOCUMENTS * PAGES + 4 + 4 * 16  # in flight, and answered within a flush interval or two
    once_more = cli.run(*options, **gemini.variables)
    assert (once_more.returncode, "Nothing to do" in once_more.stdout) == (0, True)
    assert list(texts.list(DESTINATION_LOCKS_PREFIX)) == []


def test_drive_into_a_bucket_by_a_service_account_with_names_that_are_not_unique(
    cli: Cli, server: DriveServer, tmp_path: Path
) -> None:
    buckets, tokens = GcsServer(), TokenServer()
    try:
        buckets.make_bucket("texts")
        server.tokens = {"token-1", "token-2", "token-3", "token-4", "token-5", "token-6", "token-7", "token-8"}
        drive = server.shared_drive()
        for number in (1, 2):
            pdf = make_pdf(tmp_path / f"{number}.pdf", 1, prefix=f"duplicate {number}, page")
            duplicate = server.drive.add("the same/name.pdf", [drive], data=pdf.read_bytes())
        done = cli.run(
            f"source=gdrive://{drive}",
            "dest=gs://texts/of drive",
            f"storage.source.endpoint={server.url}",
            "engine=textlayer",
            "outputs=[markdown]",
            GOOGLE_DRIVE_CREDENTIALS=str(service_account(tmp_path, tokens.url)),
            STORAGE_EMULATOR_HOST=buckets.url,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        from rayocr.storage.gcs.storage import GcsStorage

        texts = GcsStorage("texts", "of drive", access=AccessConfig(endpoint=buckets.url))
        assert b"duplicate 1, page number 1" in texts.read("the same／name.md")
        assert b"duplicate 2, page number 1" in texts.read(f"the same／name~{duplicate}.md")
    finally:
        buckets.close()
        tokens.close()


@pytest.mark.parametrize(
    ("prepare", "options", "words"),
    [
        ("", ("source=gdrive://nosuchfolder", "dest=out"), "does not exist, or the account has no access to it"),
        ("", ("source=in", "dest=gdrive://nosuchfolder"), "does not exist, or the account has no access to it"),
        ("read-only", ("source=in", "dest=gdrive://{folder}"), "No permission to write"),
        ("full", ("source=in", "dest=gdrive://{folder}"), "no space is left"),
    ],
)
def test_what_cannot_work_is_reported_in_a_line_before_a_page_is_paid_for(
    cli_without_ray: CliHere, server: DriveServer, at: tuple[str, str], prepare: str, options: tuple[str, ...], words: str
) -> None:
    make_pdf(cli_without_ray.folder / "in" / "a.pdf", 1)
    folder = server.folder()
    if prepare == "read-only":
        server.drive.read_only.add(folder)
    server.drive.full = prepare == "full"
    done = cli_without_ray.run(*(option.format(folder=folder) for option in options), *at, "engine=textlayer")
    assert done.returncode == 3, done.stdout + done.stderr
    assert words in done.stderr
    assert len(done.stderr.strip().splitlines()) == 2  # what happened, and what to do
    assert "Traceback" not in done.stdout + done.stderr


def test_without_credentials_there_is_a_line_that_says_how_to_get_some(cli_without_ray: CliHere) -> None:
    # Nothing listens at this address; otherwise google-auth would search the network for three seconds.
    variables = {"GCE_METADATA_HOST": "127.0.0.1:1", "NO_GCE_CHECK": "true", "CLOUDSDK_CONFIG": str(cli_without_ray.folder)}
    done = cli_without_ray.run("source=gdrive://abc", "dest=out", **variables)
    assert done.returncode == 3, done.stdout + done.stderr
    assert "no usable credentials" in done.stderr
    assert "rayocr login drive" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 2


def test_a_destination_inside_the_source_is_refused_though_its_id_does_not_show_it(
    cli_without_ray: CliHere, server: DriveServer, at: tuple[str, str]
) -> None:
    source = server.folder()
    dest = server.drive.add("texts", [server.drive.add("of 2024", [source])])
    done = cli_without_ray.run(f"source=gdrive://{source}", f"dest=gdrive://{dest}", *at, "engine=textlayer")
    assert done.returncode == 2, done.stdout + done.stderr
    assert "inside the source (as of 2024/texts)" in done.stderr


def test_a_person_signs_in_on_a_machine_without_a_browser_and_is_known_from_then_on(
    cli_without_ray: CliHere, server: DriveServer, tmp_path: Path
) -> None:
    tokens = TokenServer()
    client = tmp_path / "client.json"
    content = {"client_id": "id", "client_secret": "shh", "auth_uri": "https://accounts.example/auth", "token_uri": tokens.url}
    client.write_text(json.dumps({"installed": content}))
    home = {"XDG_CONFIG_HOME": str(tmp_path / "config"), "GOOGLE_DRIVE_CREDENTIALS": str(client)}
    folder = server.folder()
    options = (f"source=gdrive://{folder}", "dest=out", "engine=textlayer", f"storage.source.endpoint={server.url}")
    before = cli_without_ray.run(*options, **home)
    assert (before.returncode, "without a sign-in" in before.stderr) == (3, True), before.stderr
    process = subprocess.Popen(
        cli_without_ray.command(["mode=login", "drive", f"storage.source.endpoint={server.url}"]),
        env=cli_without_ray.environment | home | {"OAUTHLIB_INSECURE_TRANSPORT": "1"},
        cwd=cli_without_ray.folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    assert process.stdin is not None
    assert process.stdout is not None
    shown = ""
    while not (found := re.search(r"https://accounts\.example/auth\S+", shown)):
        line = process.stdout.readline()
        assert line, shown
        shown += line
    asked = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(found[0]).query))
    out, _ = process.communicate(f"{asked['redirect_uri']}/?state={asked['state']}&code=abc\n", timeout=PATIENCE_S)
    assert process.returncode == 0, shown + out
    assert "Signed in as robot@example.org" in out
    assert "shh" not in shown + out
    server.tokens = {"token-1"}
    after = cli_without_ray.run(*options, **home)
    assert (after.returncode, "no PDFs" in after.stderr + after.stdout) == (0, True), after.stdout + after.stderr
    tokens.close()


def test_a_sign_in_without_a_client_or_to_something_else_is_reported(cli_without_ray: CliHere) -> None:
    for arguments, words in [(["drive"], "login.client="), (["dropbox"], "Choose one of drive")]:
        done = cli_without_ray.run("mode=login", *arguments)
        assert done.returncode == 2, done.stdout + done.stderr
        assert words in done.stderr
