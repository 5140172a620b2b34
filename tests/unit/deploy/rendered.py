"""The manifests as they reach a cluster, the schemas that they have to pass, and what pods are inside of them."""

from __future__ import annotations

import functools
import gzip
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jsonschema
import kubernetes_validate
import pytest
import yaml

from tests.unit.deploy.derive_schemas import SCHEMAS

KUBERAY = Path(__file__).parents[3] / "kuberay"
OVERLAYS = ("dev", "production", "spot")
_KUBERNETES = ("1.29", "1.34")  # the oldest and the newest that KubeRay 1.7 and its users are on

# Of the Prometheus operator, which is in no package here: the fields that are used, and no others.
_STRING = {"type": "string"}
_ENDPOINT = {
    "port": _STRING,
    "path": _STRING,
    "interval": {"type": "string", "pattern": "^[0-9]+(ms|s|m)$"},
    "authorization": {
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "type": _STRING,
            "credentials": {
                "type": "object",
                "additionalProperties": False,
                "required": ["name", "key"],
                "properties": {"name": _STRING, "key": _STRING},
            },
        },
    },
    "relabelings": {
        "type": "array",
        "items": {
            "type": "object",
            "additionalProperties": False,
            "properties": {"sourceLabels": {"type": "array", "items": _STRING}, "targetLabel": _STRING},
        },
    },
}
_POD_MONITOR = {
    "type": "object",
    "additionalProperties": False,
    "required": ["selector", "podMetricsEndpoints"],
    "properties": {
        "selector": {
            "type": "object",
            "additionalProperties": False,
            "properties": {"matchLabels": {"type": "object"}, "matchExpressions": {"type": "array"}},
        },
        "podMetricsEndpoints": {
            "type": "array",
            "minItems": 1,
            "items": {"type": "object", "additionalProperties": False, "required": ["port"], "properties": _ENDPOINT},
        },
    },
}


@functools.cache
def render(overlay: str) -> list[dict[str, Any]]:
    kubectl = shutil.which("kubectl")
    if kubectl is None:
        if os.environ.get("CI"):
            pytest.fail("kubectl is not installed, and the manifests are not checked")
        pytest.skip("kubectl is not installed: THE MANIFESTS ARE NOT CHECKED")
    command = [kubectl, "kustomize", str(KUBERAY / "overlays" / overlay)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return [document for document in yaml.safe_load_all(done.stdout) if document]


def example_secrets() -> list[dict[str, Any]]:
    return list(yaml.safe_load_all((KUBERAY / "examples" / "secrets.yaml").read_text()))


@functools.cache
def _ray_schema(kind: str) -> Any:
    schema = json.loads(gzip.decompress((SCHEMAS / f"{kind}.json.gz").read_bytes()))
    return jsonschema.Draft202012Validator(schema)


def check(document: dict[str, Any]) -> None:
    """Raises the validators' own errors."""
    if document["apiVersion"] == "ray.io/v1":
        _ray_schema(document["kind"]).validate(document)
    elif document["apiVersion"] == "monitoring.coreos.com/v1":
        assert document["kind"] == "PodMonitor"
        jsonschema.Draft202012Validator(_POD_MONITOR).validate(document["spec"])
    else:
        for version in _KUBERNETES:
            kubernetes_validate.validate(document, version, strict=True)


@dataclass(frozen=True)
class PodSpec:
    """`what`: where it was found. `role`: head, worker, submitter, or the kind of a core resource."""

    what: str
    role: str
    labels: dict[str, str]
    spec: dict[str, Any]

    @property
    def containers(self) -> list[dict[str, Any]]:
        return [*self.spec["containers"], *self.spec.get("initContainers", [])]


def ray_clusters(documents: list[dict[str, Any]]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Names and specs, also of those inside of jobs."""
    for document in documents:
        name = f"{document['kind']} {document['metadata']['name']}"
        if document["kind"] == "RayCluster":
            yield name, document["spec"]
        elif document["kind"] == "RayJob":
            yield name, document["spec"]["rayClusterSpec"]
        elif document["kind"] == "RayCronJob":
            yield name, document["spec"]["jobTemplate"]["rayClusterSpec"]


def ray_jobs(documents: list[dict[str, Any]]) -> Iterator[tuple[str, dict[str, Any]]]:
    for document in documents:
        if document["kind"] == "RayJob":
            yield document["metadata"]["name"], document["spec"]
        elif document["kind"] == "RayCronJob":
            yield document["metadata"]["name"], document["spec"]["jobTemplate"]


def pods(documents: list[dict[str, Any]]) -> Iterator[PodSpec]:
    for name, cluster in ray_clusters(documents):
        yield _pod(f"{name}, head", "head", cluster["headGroupSpec"]["template"])
        for group in cluster["workerGroupSpecs"]:
            yield _pod(f"{name}, {group['groupName']}", "worker", group["template"])
    for name, job in ray_jobs(documents):
        yield _pod(f"{name}, submitter", "submitter", job["submitterPodTemplate"])
    for document in documents:
        if document["kind"] in ("Deployment", "StatefulSet"):
            yield _pod(f"{document['kind']} {document['metadata']['name']}", document["kind"], document["spec"]["template"])


def _pod(what: str, role: str, template: dict[str, Any]) -> PodSpec:
    return PodSpec(what, role, template.get("metadata", {}).get("labels", {}), template["spec"])
