"""Credential errors are reported in one line within seconds, after at most two calls, and the run can be restarted."""

from __future__ import annotations

import json
import socket
import subprocess
from collections.abc import Iterator

import pytest

from tests.e2e.support import Cli, SimulatedGemini, make_pdf


@pytest.fixture
def nobody() -> Iterator[str]:
    """An address without a server."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{unused.getsockname()[1]}"


def stopped(done: subprocess.CompletedProcess[str]) -> str:
    assert done.returncode == 3, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    lines = done.stderr.strip().splitlines()
    assert len(lines) == 2, lines  # what happened, and what to do
    return lines[0]


@pytest.mark.parametrize(
    ("key", "model", "says"),
    [
        ("wrong-key", "gemini-3.1-flash-lite", "does not accept the key"),
        ("forbidden-key", "gemini-3.1-flash-lite", "may not use Gemini"),
        ("simulated-key", "nonesuch-1", "does not have the model"),
    ],
)
def test_a_wrong_key_a_forbidden_one_and_an_unknown_model_stop_the_run_for_one_call(
    cli: Cli, gemini: SimulatedGemini, key: str, model: str, says: str
) -> None:
    make_pdf(cli.folder / "in" / "a.pdf", 200)
    options = ("source=in", "dest=out", "engine=gemini", f"engine.gemini.model={model}")
    done = cli.run(*options, **(gemini.variables | {"GEMINI_API_KEY": key}))
    assert says in stopped(done)
    assert sum(gemini.counts()["calls"].values()) <= 2
    assert key not in done.stdout + done.stderr
    again = cli.run(*options[:3], "engine.chain=[gemini]", **gemini.variables)
    assert again.returncode == 0, "with the right ones it resumes: " + again.stdout + again.stderr


def test_no_network_stops_the_run(cli: Cli, nobody: str) -> None:
    make_pdf(cli.folder / "in" / "a.pdf", 200)
    done = cli.run("source=in", "dest=out", "engine=gemini", GEMINI_API_KEY="k", GOOGLE_GEMINI_BASE_URL=nobody)
    assert "No answer from 127.0.0.1" in stopped(done)


def test_no_openai_server_stops_the_run(cli: Cli, nobody: str) -> None:
    make_pdf(cli.folder / "in" / "a.pdf", 3)
    done = cli.run("source=in", "dest=out", "engine=openai", f"engine.openai.base_url={nobody}/v1")
    assert "No answer from 127.0.0.1" in stopped(done)


def test_a_key_that_is_revoked_in_the_middle_stops_the_run_and_keeps_what_was_paid_for(cli: Cli, gemini: SimulatedGemini) -> None:
    make_pdf(cli.folder / "in" / "a.pdf", 400)
    options = ("source=in", "dest=out", "engine=gemini", "engine.chain=[gemini]", "limits.max_in_flight=16")
    run = cli.start(*options, **gemini.variables)
    from tests.e2e.support import PATIENCE_S, wait_until

    wait_until(lambda: gemini.answered >= 100 or run.poll() is not None, "a hundred pages are answered")
    gemini.set(key="another-key")
    out, _ = run.communicate(timeout=PATIENCE_S)
    assert run.returncode == 3, out
    assert gemini.counts()["statuses"]["400"] <= 64, "only the requests in flight are sent"
    gemini.set(key=gemini.key)
    done = cli.run(*options, **gemini.variables)
    assert done.returncode == 0, done.stdout + done.stderr
    assert sorted(gemini.counts()["answered"].values()) == [1] * 400
    records = [json.loads(path.read_text()) for path in (cli.folder / "out" / ".rayocr" / "documents").glob("*/*.json")]
    assert [record["outcome"] for record in records] == ["complete"]
