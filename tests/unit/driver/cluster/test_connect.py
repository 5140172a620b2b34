from __future__ import annotations

from typing import Any

import pytest

from rayocr.composition import compose
from rayocr.driver.cluster import connect as cluster
from rayocr.driver.cluster.connect import connect
from rayocr.errors import ClusterUnavailable


class _Starts:
    """ray.init, failing as told before it starts a Ray."""

    dashboard_url = "127.0.0.1:8265"

    def __init__(self) -> None:
        self.failures: list[Exception] = []
        self.count = 0
        self.address_info = {"address": "127.0.0.1:6379"}

    def __call__(self, **_: Any) -> Any:
        self.count += 1
        if self.failures:
            raise self.failures.pop(0)
        return self


@pytest.fixture
def starts(monkeypatch: pytest.MonkeyPatch) -> _Starts:
    import ray
    from ray._private import worker

    found = _Starts()
    monkeypatch.setattr(cluster, "quiet_ray", lambda: None)  # it would stay in the environment of the tests that follow
    monkeypatch.setattr(worker, "print_to_stdstream", worker.print_to_stdstream)  # put back what connect() replaces
    monkeypatch.setattr(ray, "init", found)
    monkeypatch.setattr(ray, "shutdown", lambda: None)
    monkeypatch.setattr(ray, "cluster_resources", lambda: {"CPU": 2.0})
    return found


def test_a_ray_that_does_not_come_up_in_time_is_started_once_more(starts: _Starts) -> None:
    starts.failures = [Exception("The current node timed out during startup.")]
    assert connect(compose(["cluster=local"], {})).cpus == 2
    assert starts.count == 2


@pytest.mark.parametrize(
    "failures", [[Exception("timed out"), Exception("timed out")], [OSError("no space")], [AssertionError("a port is taken")]]
)
def test_a_ray_that_cannot_be_started_is_told_in_a_sentence(starts: _Starts, failures: list[Exception]) -> None:
    starts.failures = failures
    with pytest.raises(ClusterUnavailable, match="on this machine"):
        connect(compose(["cluster=local"], {}))
