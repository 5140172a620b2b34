"""Shared test settings: no test reads the user's environment, home or keys."""

from __future__ import annotations

import gc
import os
import sys
import tempfile
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from _pytest.assertion import rewrite
from _pytest.nodeid import coerce_node_id

from tests.e2e.prefork import Prefork
from tests.open_sockets import remember_who_opens

PROJECT = Path(__file__).parent.parent
_SHARED: pytest.StashKey[str] = pytest.StashKey()

# By default, an example that takes more than 200 ms fails, which a busy machine can cause.
hypothesis.settings.register_profile("any machine", deadline=None)
hypothesis.settings.load_profile("any machine")

remember_who_opens()


@pytest.fixture(autouse=True)
def no_keys_of_the_user(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("GEMINI_API_KEY", "GOOGLE_API_KEY", "GOOGLE_GEMINI_BASE_URL", "RAY_ADDRESS", "REDIS_URL"):
        monkeypatch.delenv(name, raising=False)
    for name in ("MAX_CONCURRENT_FILES", "MAX_CONCURRENT_WORKERS", "GEMINI_GLOBAL_CONCURRENCY", "MAX_RETRIES"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="session")
def prefork_folder(request: pytest.FixtureRequest) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="rp", dir="/tmp") as own:
        yield Path(getattr(request.config, "workerinput", {}).get("prefork", own))


@pytest.fixture(scope="session")
def prefork(prefork_folder: Path) -> Iterator[Prefork]:
    """Forks commands from a process that has imported rayocr: one for all test processes."""
    started = Prefork(prefork_folder, dict(os.environ), PROJECT)
    yield started
    started.close()


@pytest.fixture(scope="session")
def ray_commands(prefork_folder: Path) -> Iterator[Prefork]:
    """Forks Ray's own commands, such as `ray start`, from a process that has imported Ray."""
    started = Prefork(prefork_folder, dict(os.environ), PROJECT, imports="ray")
    yield started
    started.close()


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Gives all test processes the same folder for the processes that fork."""
    if _SHARED not in node.config.stash:
        folder = tempfile.TemporaryDirectory(prefix="rp", dir="/tmp")
        node.config.stash[_SHARED] = folder.name
        node.config.add_cleanup(folder.cleanup)
    node.workerinput["prefork"] = node.config.stash[_SHARED]


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_setupnodes(config: pytest.Config) -> None:
    """Compiles the tests once; otherwise each test process would do it, for five seconds of CPU each."""
    if sys.dont_write_bytecode:
        return
    state = config.stash[rewrite.assertstate_key]
    for path in {path for given in config.args for path in Path(given.partition("::")[0]).rglob("test_*.py")}:
        cache = rewrite.get_cache_dir(path)
        compiled = cache / f"{path.stem}{rewrite.PYC_TAIL}"
        if rewrite._read_pyc(path, compiled) is None and rewrite.try_makedirs(cache):
            source_hash, code = rewrite._rewrite_test(path, config)
            rewrite._write_pyc(state, code, source_hash, compiled)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Everything that is imported and collected stays until the end, so garbage collection need not look at it."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


@pytest.hookimpl(trylast=True)  # after the groups are given
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Starts tests that take minutes, and groups, first, so that the other tests run in parallel. Keeps groups in one test
    process: xdist 3.8 appends a group to `_nodeid`, which pytest 9.2 does not read."""
    items.sort(key=lambda item: not any(item.get_closest_marker(name) for name in ("slow", "xdist_group")))
    if not getattr(config.option, "loadgroup", False):
        return
    for item in items:
        group = item.get_closest_marker("xdist_group")
        if group is not None and "@" not in item.nodeid.rpartition("]")[2]:
            item._id = coerce_node_id(f"{item.nodeid}@{group.args[0]}")
