"""Reads docs/deployment.md as a person with an empty machine would: its commands in order, and what each needs to exist."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.unit.deploy.rendered import KUBERAY, pods, render

PROJECT = KUBERAY.parent
GUIDE = PROJECT / "docs" / "deployment.md"
# The options of the used commands of gcloud, from its reference.
GCLOUD = {
    "config set": set(),
    "services enable": set(),
    "container clusters create": {
        *("location", "enable-dataplane-v2", "workload-pool", "machine-type", "num-nodes"),
        *("enable-autoscaling", "min-nodes", "max-nodes"),
    },
    "container clusters create-auto": {"location"},
    "container clusters get-credentials": {"location"},
    "container node-pools create": {
        *("cluster", "location", "spot", "machine-type", "num-nodes", "enable-autoscaling", "min-nodes", "max-nodes"),
        *("workload-metadata", "accelerator"),
    },
    "container node-pools update": {"cluster", "location", "workload-metadata"},
    "storage buckets create": {"location", "uniform-bucket-level-access"},
    "storage buckets add-iam-policy-binding": {"member", "role"},
    "artifacts repositories create": {"repository-format", "location"},
    "artifacts repositories add-iam-policy-binding": {"location", "member", "role"},
    "auth configure-docker": set(),
    "iam service-accounts create": {"project"},
    "iam service-accounts add-iam-policy-binding": {"role", "member"},
    "projects describe": {"format"},
}


def section(title: str) -> str:
    """From a heading to the next one of its level or above."""
    text = GUIDE.read_text()
    start = re.search(rf"^(#+) {re.escape(title)}$", text, re.MULTILINE)
    assert start, title
    end = re.search(rf"^#{{1,{len(start[1])}}} ", text[start.end() :], re.MULTILINE)
    return text[start.end() : start.end() + end.start() if end else None]


def commands(text: str) -> list[str]:
    """Of indented blocks; continued lines are one command."""
    lines = re.findall(r"^ {4,}(\S.*)$", text, re.MULTILINE)
    whole = "\n".join(lines).replace("\\\n", " ")
    return [re.sub(r"\s+(#|with) .*$", "", line).strip() for line in whole.splitlines()]


def first_path(title: str) -> list[str]:
    """The commands that a reader of this section types, after those of the heading above it."""
    above = section("Kubernetes").split("\n### ")[0]
    return [*commands(above), *commands(section(title))]


@dataclass
class Reader:
    """What exists after the commands so far. `run` raises AssertionError for a command that would fail."""

    cluster: bool = False
    operator: bool = False
    repositories: set[str] = field(default_factory=set)
    images: set[str] = field(default_factory=set)
    objects: set[tuple[str, str, str]] = field(default_factory=set)  # namespace, kind, name
    keys: dict[tuple[str, str], set[str]] = field(default_factory=dict)  # of Secrets
    applied: list[dict[str, Any]] = field(default_factory=list)

    def run(self, line: str) -> None:
        for part in re.split(r" && | \| ", line):
            words = shlex.split(re.sub(r"\$\([^()]*(\([^)]*\))?[^()]*\)", "x", part))
            known = getattr(self, "_" + words[0].replace("-", "_"), None)
            if known:
                known(words[1:])

    def _docker(self, words: list[str]) -> None:
        if words[0] == "build":
            assert (PROJECT / words[words.index("-f") + 1]).is_file()
            self.images.add(words[words.index("-t") + 1])
        if words[0] == "push":
            assert words[1] in self.images, words[1]

    def _kind(self, words: list[str]) -> None:
        if words[:2] == ["create", "cluster"]:
            self.cluster = True
        else:
            assert words[:2] == ["load", "docker-image"] and self.cluster and words[2] in self.images, words

    def _gcloud(self, words: list[str]) -> None:
        names = [name for name in GCLOUD if words[: len(name.split())] == name.split()]
        assert names, words
        name = max(names, key=len)
        given = {word.removeprefix("--").partition("=")[0] for word in words if word.startswith("--")}
        assert given <= GCLOUD[name], (name, given - GCLOUD[name])
        if name.startswith("storage buckets create"):
            assert words[words.index("--location") + 1] == "REGION", "a bucket is in a region, not in a zone"
        self.cluster |= name == "container clusters get-credentials"

    def _helm(self, words: list[str]) -> None:
        if words[:2] == ["repo", "add"]:
            self.repositories.add(words[2])
        else:
            assert words[0] == "install" and self.cluster, "there is no Kubernetes to install it in"
            assert words[2].partition("/")[0] in self.repositories, words
            self.operator |= words[1] == "kuberay-operator"

    def _kubectl(self, words: list[str]) -> None:
        assert self.cluster, "there is no Kubernetes"
        namespace = ""
        if words[0] == "-n":
            namespace, words = words[1], words[2:]
            assert (namespace, "Namespace", namespace) in self.objects, f"the namespace {namespace} does not exist yet: {words}"
        getattr(self, "_" + words[0].replace("-", "_"))(namespace, words[1:])

    def _apply(self, _: str, words: list[str]) -> None:
        if words[0] == "-f":
            import yaml

            self._add(list(yaml.safe_load_all((PROJECT / words[1]).read_text())))
        else:
            assert self.operator, "the kinds of KubeRay do not exist yet"
            self._add(render(Path(words[1]).name))

    def _add(self, documents: list[dict[str, Any]]) -> None:
        for document in documents:
            metadata = document["metadata"]
            where = metadata["name"] if document["kind"] == "Namespace" else metadata["namespace"]
            self.objects.add((where, document["kind"], metadata["name"]))
        self.applied += documents

    def _create(self, namespace: str, words: list[str]) -> None:
        if words[0] == "secret":
            assert words[1] == "generic"
            literals = [word.split("=")[1] for word in words if word.startswith("--from-literal=")]
            self.keys[namespace, words[2]] = set(literals)
            self.objects.add((namespace, "Secret", words[2]))
        elif words[0] == "job":
            kind, name = words[1].removeprefix("--from=").split("/")
            assert kind == "cronjob" and (namespace, "CronJob", name) in self.objects
        else:
            assert words[0] == "-f" and (PROJECT / words[1]).is_file()
            self.secrets_of(pods_of_file(words[1]), "rayocr")

    def _get(self, namespace: str, words: list[str]) -> None:
        self._exists(namespace, words[0], words[1])

    def _delete(self, namespace: str, words: list[str]) -> None:
        if words[0] == "-k":
            assert (PROJECT / words[1] / "kustomization.yaml").is_file()
        elif words[1] != "--all":
            self._exists(namespace, words[0], words[1])

    def _logs(self, namespace: str, words: list[str]) -> None:
        key, value = words[words.index("-l") + 1].split("=")
        assert any(pod.labels.get(key) == value for pod in pods(self.applied)), (key, value)
        assert "--tail=-1" in words, "with a selector, kubectl prints the last ten lines only"

    def _port_forward(self, namespace: str, words: list[str]) -> None:
        self._exists(namespace, *words[0].split("/"))

    def _rollout(self, namespace: str, words: list[str]) -> None:
        self._exists(namespace, *words[1].split("/"))

    def _exists(self, namespace: str, kind: str, name: str) -> None:
        found = {(where, known.lower(), called) for where, known, called in self.objects}
        assert (namespace, kind.removesuffix("s"), name) in found, (namespace, kind, name)

    def secrets_of(self, documents: list[dict[str, Any]], namespace: str) -> None:
        """Every Secret that pods need exists, with the keys they read."""
        for pod in pods(documents):
            for container in pod.containers:
                for source in container.get("envFrom", []):
                    wanted = source.get("secretRef", {"optional": True})
                    assert wanted.get("optional") or (namespace, wanted["name"]) in self.keys, (pod.what, wanted)
                for variable in container.get("env", []):
                    wanted = variable.get("valueFrom", {}).get("secretKeyRef")
                    if wanted and wanted["name"] != "rayocr":  # the cluster's token, which KubeRay makes
                        assert wanted["key"] in self.keys.get((namespace, wanted["name"]), set()), (pod.what, wanted)


def pods_of_file(path: str) -> list[dict[str, Any]]:
    import yaml

    return list(yaml.safe_load_all((PROJECT / path).read_text()))
