"""docs/deployment.md, read line by line: no command lacks something that it needs, and every value is explained."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import yaml

from rayocr.composition import compose
from tests.unit.deploy.guide import GUIDE, Reader, commands, first_path, section
from tests.unit.deploy.rendered import KUBERAY, examples, render, render_with_components

PROJECT = KUBERAY.parent
_QUANTITY = re.compile(r"-?\d[\d.]*(m|s|Ki|Mi|Gi)?")
NOT_IN_THE_CHECKOUT = {
    *("docker/data", "docker/data/in", "docker/.env", "kuberay/kuberay-operator"),
    "docs/concepts/autopilot-resource-requests",  # Google's
}
# Fields whose values are names or parts of the structure of a manifest, or are the same for everything.
_STRUCTURE = {"port", "containerPort", "targetPort", "value", "CPU", "GPU"}


@pytest.mark.parametrize(
    ("title", "namespace"), [("A trial on kind", "rayocr-dev"), ("Production on Google Kubernetes Engine", "rayocr")]
)
def test_from_an_empty_machine_each_command_finds_what_it_needs(title: str, namespace: str) -> None:
    reader = Reader()
    for line in first_path(title):
        reader.run(line)
    assert reader.applied
    reader.secrets_of(reader.applied, namespace)


@pytest.mark.parametrize("title", ["Maintenance", "Spot machines", "A model on your own GPU"])
def test_later_sections_work_on_what_production_has(title: str) -> None:
    reader = Reader()
    text = section(title)
    inline = [" ".join(found.split()) for found in re.findall(r"`((?:gcloud|kubectl) [^`]+)`", text)]
    for line in [*first_path("Production on Google Kubernetes Engine"), *commands(text), *inline]:
        if line != "kubectl drain":
            reader.run(line)


def test_commands_outside_blocks_exist() -> None:
    reader = Reader()
    for line in first_path("Production on Google Kubernetes Engine"):
        reader.run(line)
    found = re.findall(r"`((?:gcloud|kubectl) [^`]*)`", section("Production on Google Kubernetes Engine"))
    assert found
    for line in found:
        reader.run(" ".join(line.split()))


@pytest.mark.parametrize(
    "needed", ["helm repo add", "helm install", "kind create", "kubectl -n rayocr-dev create secret generic rayocr-redis"]
)
def test_a_forgotten_step_is_found(needed: str) -> None:
    reader = Reader()
    with pytest.raises(AssertionError):
        for line in first_path("A trial on kind"):
            if not line.startswith(needed):
                reader.run(line)
        reader.secrets_of(reader.applied, "rayocr-dev")


def test_options_of_commands_that_can_be_asked_exist() -> None:
    from ray.dashboard.modules.job.cli import stop, submit

    for line in commands(section("An existing Ray cluster")):
        if line.startswith("ray job"):
            words = shlex.split(line.partition(" -- ")[0])
            command = {"submit": submit, "stop": stop}[words[2]]
            known = {option for parameter in command.params for option in parameter.opts}
            assert {word for word in words if word.startswith("--")} <= known, line
        if "-m rayocr" in line:
            options = shlex.split(line)
            compose(options[options.index("rayocr") + 1 :], {"GEMINI_API_KEY": "k", "REDIS_URL": "redis://r"})


def test_the_commands_of_compose_name_what_exists() -> None:
    services = yaml.safe_load((PROJECT / "docker" / "compose.yaml").read_text())["services"]
    lines = commands(section("Compose"))
    assert sum("docker compose" in line for line in lines) >= 3
    for line in lines:
        words = shlex.split(line)
        if words[:2] == ["docker", "compose"]:
            assert (PROJECT / words[words.index("-f") + 1]).is_file()
            for service in re.findall(r"\b(?:logs -f|ps -a|--scale) (\w+)", line):
                assert service in services, line
        if words[0] == "cp":
            assert (PROJECT / words[1]).is_file()


def numbers(node: Any, key: str = "") -> set[tuple[str, str]]:
    """Every field whose value is a number, a quantity or a duration, with the value."""
    if isinstance(node, dict):
        if set(node) >= {"name", "value"} and isinstance(node.get("name"), str):
            return {(str(node["name"]), str(node["value"]))}
        return {pair for name, value in node.items() for pair in numbers(value, str(name))}
    if isinstance(node, list):
        return {pair for value in node for pair in numbers(value, key)}
    if isinstance(node, bool) or not _QUANTITY.fullmatch(str(node)):
        return set()
    return {(key, str(node))}


def explained() -> set[str]:
    return set(re.findall(r"[A-Za-z_][\w./-]*", " ".join(re.findall(r"`([^`]+)`", GUIDE.read_text()))))


def test_every_number_in_the_manifests_is_explained_in_the_guide() -> None:
    documents = [*render("dev"), *render("gpu"), *render_with_components()]
    documents = [d for d in documents if d["kind"] not in ("ConfigMap", "PriorityClass", "PrometheusRule")]
    documents.append(yaml.safe_load((KUBERAY / "run" / "nightly" / "rayjob.yaml").read_text()))
    found = {pair for document in documents for pair in numbers(document)}
    of_vllm = {name for name, _ in numbers_of_environment(documents, "rayocr-vllm")}  # its file has comments
    named = {key.rpartition("/")[2] for key, _ in found} - _STRUCTURE - of_vllm
    assert len(named) > 40
    assert named <= explained(), named - explained()


def numbers_of_environment(documents: list[dict[str, Any]], name: str) -> set[tuple[str, str]]:
    (deployment,) = [d for d in documents if d["kind"] == "Deployment" and d["metadata"]["name"] == name]
    return numbers(deployment["spec"]["template"]["spec"]["containers"][0]["env"])


def test_every_port_is_explained_in_the_guide() -> None:
    told = set(re.findall(r"\d+", " ".join(line for line in GUIDE.read_text().splitlines() if line.startswith("| ports"))))
    documents = [*render("gpu"), *render("dev"), *examples("rayjob"), *examples("rayservice-llm")]
    found = {value for document in documents for key, value in numbers(document) if key in ("port", "containerPort")}
    assert found and found <= told, found - told


def test_what_was_taken_from_the_guide_is_in_the_manifests() -> None:
    """The value that the guide states is the one that is applied."""
    text = "\n".join(path.read_text() for path in sorted(KUBERAY.rglob("*.y*ml")))
    for name, value in re.findall(r"`([A-Za-z_]\w+): (\d+)`", section("Kubernetes")):
        assert re.search(rf"\b{name}[:,] (value: )?\"?{value}\b", text), (name, value)


def test_files_that_the_guide_names_exist() -> None:
    for path in set(re.findall(r"\b((?:kuberay|docker|docs|tests|benchmarks)/[\w./-]+\w)", GUIDE.read_text())):
        if path not in NOT_IN_THE_CHECKOUT:
            assert (PROJECT / path).exists() or list(Path(PROJECT, path).parent.glob(Path(path).name + "*")), path
