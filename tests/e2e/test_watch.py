"""mode=watch end to end: new documents are read once, replaced ones are read again, removed ones are forgotten."""

from __future__ import annotations

import json
import signal
import subprocess
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from rayocr.config import AccessConfig
from rayocr.ledger.manifest import DOCUMENTS_PREFIX, Manifest
from rayocr.storage.gcs.storage import GcsStorage
from tests.e2e.support import PATIENCE_S, Cli, CliHere, SimulatedGemini, end_tree, make_pdf, manifests, wait_until
from tests.servers.gcs import GcsServer
from tests.servers.pubsub import PubSub

WATCH = ("mode=watch", "engine=textlayer", "outputs=[markdown]", "progress=plain", "gateway.enabled=false")


class Watching:
    """A watch in a separate process, and its output."""

    def __init__(self, cli: Cli, *options: str, **variables: str) -> None:
        self.process = cli.start(*options, **variables)
        self.lines: list[str] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        self.lines.extend(iter(self.process.stdout.readline, ""))

    def until(self, condition: Callable[[], bool], what: str) -> None:
        wait_until(lambda: condition() or self.process.poll() is not None, what)
        assert self.process.poll() is None, "".join(self.lines)

    def stop(self) -> str:
        self.process.send_signal(signal.SIGTERM)
        try:
            assert self.process.wait(PATIENCE_S) == 130, "".join(self.lines)
        except subprocess.TimeoutExpired:
            end_tree(self.process.pid)
            raise
        return self._said()

    def kill(self) -> str:
        end_tree(self.process.pid)
        self.process.wait(PATIENCE_S)
        return self._said()

    def _said(self) -> str:
        self._reader.join(PATIENCE_S)
        assert self.process.stdout is not None
        self.process.stdout.close()
        return "".join(self.lines)


def read(dest: Path) -> Counter[str]:
    return Counter(str(manifest["name"]) for manifest in manifests(dest))


def texts(dest: Path, name: str) -> str:
    path = dest / name
    return path.read_text() if path.is_file() else ""


def test_a_folder_is_watched_until_it_is_stopped(cli: Cli) -> None:
    source, dest = cli.folder / "in", cli.folder / "out"
    source.mkdir()
    watch = Watching(cli, *WATCH, "source=in", "dest=out", "poll_interval_s=0.3", "watch.settle_s=0.3")
    watch.until(lambda: any("Watching" in line for line in watch.lines), "it watches an empty folder")
    make_pdf(source / "a.pdf", 2, prefix="first")
    make_pdf(source / "sub" / "b.pdf", 1, prefix="other")
    watch.until(lambda: read(dest) == {"a.pdf": 1, "sub/b.pdf": 1}, "both are read")

    whole = make_pdf(cli.folder / "slow.pdf", 3, prefix="slow").read_bytes()
    with (source / "slow.pdf").open("wb") as file:  # a slow copy: in pieces, with pauses shorter than settle_s
        for start in range(0, len(whole), len(whole) // 8):
            file.write(whole[start : start + len(whole) // 8])
            file.flush()
            threading.Event().wait(0.1)
    make_pdf(source / "a.pdf", 2, prefix="second")  # replaced
    (source / "sub" / "b.pdf").unlink()
    watch.until(lambda: "second number 2" in texts(dest, "a.md"), "the newer version is read")
    watch.until(lambda: "slow number 3" in texts(dest, "slow.md"), "the slow one is read")

    source.rename(cli.folder / "away")  # like a mount that is lost for a while
    watch.until(lambda: any("Storage is unavailable" in line for line in watch.lines), "it reports the outage")
    (cli.folder / "away").rename(source)
    watch.until(lambda: any("Storage is available again" in line for line in watch.lines), "it reports the recovery")
    make_pdf(source / "c.pdf", 1)
    watch.until(lambda: read(dest)["c.pdf"] == 1, "it continues")
    said = watch.stop()
    assert read(dest) == {"a.pdf": 2, "sub/b.pdf": 1, "slow.pdf": 1, "c.pdf": 1}
    assert {manifest["outcome"] for manifest in manifests(dest)} == {"complete"}
    assert "5 complete" in said
    assert "Traceback" not in said


@pytest.fixture
def server() -> Iterator[GcsServer]:
    server = GcsServer()
    for bucket in ("scans", "texts"):
        server.make_bucket(bucket)
    yield server
    server.close()


@pytest.fixture
def pubsub() -> Iterator[PubSub]:
    server = PubSub()
    yield server
    server.close()


def test_a_watch_of_a_bucket_uses_notifications_and_resumes_after_a_kill(
    cli: Cli, server: GcsServer, pubsub: PubSub, gemini: SimulatedGemini, tmp_path: Path
) -> None:
    scans = GcsStorage("scans", "in", access=AccessConfig(endpoint=server.url))
    dest = GcsStorage("texts", "out", access=AccessConfig(endpoint=server.url))

    def put(name: str, pages: int, prefix: str) -> None:
        scans.write(name, make_pdf(tmp_path / name, pages, prefix=prefix).read_bytes())
        pubsub.publish("scans", f"in/{name}")

    def found() -> Counter[str]:
        names = [entry.name for entry in dest.list(DOCUMENTS_PREFIX)]
        return Counter(Manifest.from_json(dest.read(name), name=name).name for name in names)

    options = (
        *("mode=watch", "source=gs://scans/in", "dest=gs://texts/out", "engine=gemini", "engine.chain=[gemini]"),
        *("outputs=[markdown]", "progress=plain", "gateway.enabled=false", "limits.max_in_flight=4", "locks.ttl_s=2"),
        *(f"watch.subscription={pubsub.name}", f"watch.endpoint={pubsub.url}", "poll_interval_s=3600", "watch.relist_s=3600"),
    )
    variables: dict[str, Any] = {**gemini.variables, "STORAGE_EMULATOR_HOST": server.url}
    put("before.pdf", 2, "page of before with the")
    watch = Watching(cli, *options, **variables)
    watch.until(lambda: found() == {"before.pdf": 1}, "existing documents are read")
    put("a.pdf", 3, "page of a with the")
    pubsub.publish("scans", "in/a.pdf")  # Pub/Sub delivers a message at least once
    watch.until(lambda: found()["a.pdf"] == 1, "the notified document is read")
    assert pubsub.waiting() == 0
    put("long.pdf", 40, "page of long with the")
    answered = gemini.answered
    watch.until(lambda: gemini.answered >= answered + 10, "pages of the long one are read")
    watch.kill()  # the message is acknowledged; the document is not finished

    again = Watching(cli, *options, **variables)
    put("a.pdf", 1, "page of the newer a with the")
    again.until(lambda: found() == {"before.pdf": 1, "a.pdf": 2, "long.pdf": 1}, "it resumes where the first one ended")
    assert "newer a with the number 1 " in dest.read("a.md").decode()
    again.stop()
    twice = [body for body, times in gemini.counts()["answered"].items() if times > 1]
    assert len(twice) <= 4 + 4 * 16  # in flight at the kill, and answered within a flush interval or two
    text = dest.read("long.md").decode()
    assert [text.count(f"long with the number {page} ") for page in range(1, 41)] == [1] * 40
    assert json.dumps(pubsub.acknowledged).count("long.pdf") == 1


def test_a_subscription_that_is_not_there_is_reported_in_a_line(cli: Cli, server: GcsServer, pubsub: PubSub) -> None:
    options = ("mode=watch", "source=gs://scans/in", "dest=out", "engine=textlayer", "gateway.enabled=false")
    wrong = cli.run(
        *options,
        "watch.subscription=projects/p/subscriptions/other",
        f"watch.endpoint={pubsub.url}",
        STORAGE_EMULATOR_HOST=server.url,
    )
    assert wrong.returncode == 2, wrong.stdout + wrong.stderr
    assert "There is no subscription projects/p/subscriptions/other" in wrong.stderr
    assert len(wrong.stderr.strip().splitlines()) <= 2


def test_notifications_need_a_bucket_and_a_name_of_their_kind(cli_without_ray: CliHere) -> None:
    make_pdf(cli_without_ray.folder / "in" / "a.pdf", 1)
    for options, words in (
        (("watch.subscription=new-scans",), "projects/PROJECT/subscriptions/NAME"),
        (("watch.subscription=projects/p/subscriptions/s",), "Set source=gs://"),
    ):
        wrong = cli_without_ray.run("mode=watch", "source=in", "dest=out", "engine=textlayer", *options)
        assert wrong.returncode == 2, wrong.stdout + wrong.stderr
        assert words in wrong.stderr
