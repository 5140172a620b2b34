"""What docs/deployment.md promises of the image and of Compose: each test fails if its line is removed or changed."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from rayocr.config import ShutdownConfig

PROJECT = Path(__file__).parents[3]
DOCKER = PROJECT / "docker"
NODES = ("head", "worker", "driver")
_UNITS = {"mb": 10**6, "m": 10**6, "g": 10**9}


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    return dict(yaml.safe_load((DOCKER / "compose.yaml").read_text())["services"])


def words(service: dict[str, Any]) -> str:
    return " ".join(service["command"])


def size(text: str) -> float:
    number, unit = re.fullmatch(r"(\d+)([a-z]+)", text).groups()  # type: ignore[union-attr]
    return float(number) * _UNITS[unit]


# -- Compose ------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NODES)
def test_nodes_and_clients_of_ray_authenticate(services: dict[str, Any], name: str) -> None:
    environment = services[name]["environment"]
    assert environment["RAY_AUTH_MODE"] == "token"
    assert environment["RAY_AUTH_TOKEN"].startswith("${RAY_AUTH_TOKEN:?"), "Compose refuses to start without it"


@pytest.mark.parametrize("name", NODES)
def test_a_lost_container_is_noticed_within_seconds(services: dict[str, Any], name: str) -> None:
    environment = services[name]["environment"]
    period_ms, timeout_ms = int(environment["RAY_health_check_period_ms"]), int(environment["RAY_health_check_timeout_ms"])
    assert (period_ms + timeout_ms) / 2 * int(environment["RAY_health_check_failure_threshold"]) <= 5_000


def test_the_memory_of_the_head_is_bounded(services: dict[str, Any]) -> None:
    assert int(services["head"]["environment"]["RAY_task_events_max_num_task_in_gcs"]) <= 10_000
    assert "--num-cpus=0" in services["head"]["command"], "no work runs there"


def test_a_stopped_job_may_drain(services: dict[str, Any]) -> None:
    assert float(services["head"]["environment"]["RAY_JOB_STOP_WAIT_TIME_S"]) > ShutdownConfig().grace_s


@pytest.mark.parametrize("name", NODES)
def test_signals_reach_the_processes_and_orphans_are_reaped(services: dict[str, Any], name: str) -> None:
    assert services[name]["init"] is True


@pytest.mark.parametrize("name", [*NODES, "redis", "prometheus"])
def test_nothing_can_be_written_into_a_container(services: dict[str, Any], name: str) -> None:
    assert services[name]["read_only"] is True


def test_an_image_is_built_by_one_service_and_used_by_all(services: dict[str, Any]) -> None:
    """Compose builds services at the same time, and the second export of a tag fails if none existed."""
    built = {name: service["build"] for name, service in services.items() if "build" in service}
    assert list(built) == ["head"]
    assert (DOCKER / built["head"]["context"] / built["head"]["dockerfile"]).is_file()
    assert len({services[name]["image"] for name in NODES}) == 1


@pytest.mark.parametrize("name", NODES)
def test_shared_memory_holds_the_object_store(services: dict[str, Any], name: str) -> None:
    stated = re.search(r"--object-store-memory=(\d+)", words(services[name]))
    script = re.search(r"RAYOCR_DRIVER_OBJECT_STORE:-(\d+)", (DOCKER / "bin" / "rayocr-driver").read_text())
    store = stated or script
    assert store is not None
    assert int(store[1]) < size(services[name]["shm_size"]) < size(services[name]["mem_limit"])


def test_a_finished_run_is_not_started_again_and_the_rest_is(services: dict[str, Any]) -> None:
    policies = {name: service["restart"] for name, service in services.items()}
    assert policies.pop("driver") == "no"
    assert set(policies.values()) == {"unless-stopped"}


def test_a_worker_that_is_stopped_has_time_for_its_pages(services: dict[str, Any]) -> None:
    assert float(services["worker"]["stop_grace_period"].removesuffix("s")) >= 30  # Compose gives 10 s


@pytest.mark.parametrize("name", ["head", "worker"])
def test_prometheus_finds_the_metrics_of_rays_nodes(services: dict[str, Any], name: str) -> None:
    port = re.search(r"--metrics-export-port=(\d+)", words(services[name]))
    assert port is not None
    scrape = yaml.safe_load((DOCKER / "prometheus" / "prometheus.yml").read_text())["scrape_configs"][1]
    static = [target for config in scrape["static_configs"] for target in config["targets"]]
    found = {(each["names"][0], str(each["port"])) for each in scrape["dns_sd_configs"]}
    assert f"{name}:{port[1]}" in static or (name, port[1]) in found


def test_leases_survive_a_crash_of_redis(services: dict[str, Any]) -> None:
    assert "--appendonly yes --appendfsync everysec" in words(services["redis"])
    assert "redis:/data" in services["redis"]["volumes"]
    assert '--requirepass "$$REDIS_PASSWORD"' in words(services["redis"])


# -- the image ----------------------------------------------------------------------------------------------------------------


def dockerfile() -> str:
    return (DOCKER / "Dockerfile").read_text()


def stage(name: str) -> str:
    return re.split(r"^FROM ", dockerfile().partition(f" AS {name}\n")[2], flags=re.MULTILINE)[0]


def environment() -> dict[str, str]:
    text = re.search(r"^ENV (PATH=(?:.*\\\n)*.*)$", stage("rayocr"), re.MULTILINE)
    assert text is not None
    return dict(re.findall(r"(\w+)=(\S+)", text[1]))


def test_logs_outlive_the_container() -> None:
    assert environment()["RAYOCR_LOGS_STDOUT"] == "json"


def test_the_version_of_driver_and_workers_can_be_compared() -> None:
    assert environment()["RAYOCR_REVISION"] == "${REVISION}"


def test_ray_reports_nothing_to_its_makers() -> None:
    assert environment()["RAY_USAGE_STATS_ENABLED"] == "0"


def test_programs_that_the_scripts_call_are_installed() -> None:
    scripts = "".join(path.read_text() for path in (DOCKER / "bin").iterdir())
    installed = re.search(r"apt-get install -y --no-install-recommends (.+?) \\", stage("rayocr"))
    assert installed is not None
    called = {name for name in ("wget", "curl", "jq", "nc") if re.search(rf"^[^#\n]*\b{name} -", scripts, re.MULTILINE)}
    assert called == set(installed[1].split())


def test_every_package_is_installed_with_its_hash() -> None:
    lines = re.findall(r"pip (?:install|wheel) (.+?)(?: \\)?$", dockerfile(), re.MULTILINE)
    assert len(lines) == 5
    for line in lines:
        assert "--require-hashes" in line or "--no-index" in line, line


def test_unused_files_are_deleted_in_the_layer_that_brought_them_and_the_rest_is_compiled() -> None:
    build, package = stage("build"), stage("package")
    order = [
        build.index(part)
        for part in ("-r requirements.lock \\", "pip uninstall", "prune.sh /opt/rayocr", "compileall -q -j 0 /opt/rayocr/lib")
    ]
    assert order == sorted(order)
    assert "COPY --from=build /opt/rayocr /opt/rayocr" in stage("rayocr"), "one layer, without the files that were deleted"
    assert "compileall -q -j 0 /opt/app" in package
    assert environment()["PYTHONDONTWRITEBYTECODE"] == "1"


@pytest.mark.parametrize("path", ["ray/jars", "ray/rllib", "cv2/data"])
def test_what_takes_space_and_is_never_loaded_is_deleted(tmp_path: Path, path: str) -> None:
    import subprocess

    for folder in (path, "googleapiclient/discovery_cache/documents"):
        (tmp_path / folder).mkdir(parents=True)
    subprocess.run(["sh", DOCKER / "prune.sh", tmp_path], check=True, timeout=600)
    assert not (tmp_path / path).exists()


def test_folders_that_are_written_to_belong_to_the_user_of_the_image() -> None:
    text = stage("rayocr")
    assert "useradd --uid 10001 --gid 10001 --create-home" in text
    folders = re.search(r"install -d -o 10001 -g 10001 (.+)$", text, re.MULTILINE)
    assert folders is not None and set(folders[1].split()) == {"/work", "/spill"}
