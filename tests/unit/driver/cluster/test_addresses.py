"""The cluster that `cluster=auto` attaches to, and the message if a cluster does not respond."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from rayocr.driver.cluster import addresses
from rayocr.driver.cluster.addresses import explained, find_address, knock


@pytest.fixture(autouse=True)
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    monkeypatch.setattr(addresses, "_ray_folders", lambda: [tmp_path])
    (tmp_path / "ray").mkdir()
    return tmp_path / "ray" / "ray_current_cluster"


@pytest.fixture
def server() -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield f"127.0.0.1:{listening.getsockname()[1]}"


def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


def test_the_cluster_that_this_user_started_is_taken(places: Path, server: str) -> None:
    places.write_text(server)
    found = find_address("auto")
    assert found is not None
    assert (found.address, "ray start" in found.why) == (server, True)


def test_what_the_environment_names_comes_first(places: Path, server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    places.write_text(server)
    monkeypatch.setenv("RAY_ADDRESS", "10.0.0.1:6379")
    found = find_address("auto")
    assert found is not None
    assert (found.address, found.why) == ("10.0.0.1:6379", "RAY_ADDRESS")
    assert find_address("local") is None


def test_no_process_is_searched_for(server: str) -> None:
    """Another run's private Ray, which wrote no address, listens here."""
    assert find_address("auto") is None


@pytest.mark.parametrize("content", ["", "nonsense", "127.0.0.1:notaport", "127.0.0.1:99999", "\xff", "x" * 5000])
def test_a_file_that_names_nothing_is_ignored(places: Path, content: str) -> None:
    places.write_text(content, encoding="latin-1")
    assert find_address("auto") is None


def test_a_cluster_that_is_gone_is_ignored(places: Path) -> None:
    places.write_text(f"127.0.0.1:{closed_port()}")
    assert find_address("auto") is None


def test_what_another_user_wrote_or_runs_is_not_trusted(places: Path, server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    places.write_text(server)
    with monkeypatch.context() as m:
        m.setattr(os, "geteuid", lambda: 4711)  # the file belongs to another user
        assert find_address("auto") is None
    with monkeypatch.context() as m:
        m.setattr(addresses, "_owners_of_port", lambda port: {4711})  # the file is ours, but the process belongs to another user
        assert find_address("auto") is None
    other = places.with_name("other")
    places.rename(other)
    places.symlink_to(other)
    assert find_address("auto") is None


def test_owners_of_ports_are_known(server: str) -> None:
    assert addresses._owners_of_port(int(server.rpartition(":")[2])) in ({os.geteuid()}, set())


def test_a_dead_address_is_named_with_its_cause() -> None:
    address = f"127.0.0.1:{closed_port()}"
    with pytest.raises(ConnectionRefusedError) as refused:
        knock(address)
    error = explained(refused.value, address)
    assert str(error) == f"Cannot connect to the Ray cluster at {address}: nothing listens there."
    assert "cluster=local" in str(error.hint)
