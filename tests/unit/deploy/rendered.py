"""Renders the manifests as they reach a cluster, checks them against schemas, and lists the pods in them."""

from __future__ import annotations

import functools
import gzip
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jsonschema
import kubernetes_validate
import pytest
import yaml
from kubernetes_validate import utils

from tests.unit.deploy.derive_schemas import SCHEMAS

KUBERAY = Path(__file__).parents[3] / "kuberay"
OVERLAYS = ("dev", "production", "spot", "gpu")
# The optional components that production lists.
COMPONENTS = ("autopilot", "monitoring", "google-monitoring", "priority", "kueue")
_KUBERNETES = ("1.29", "1.37")  # the oldest that docs/deployment.md names, and the newest whose schemas are installed
# Otherwise each validation parses a megabyte of definitions.
utils.schema_contents = functools.cache(utils.schema_contents)

# No installed package has the schemas of the Prometheus operator, Google and Kueue. These schemas contain only the used fields.
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
_LABELS = {
    "type": "object",
    "additionalProperties": False,
    "properties": {"matchLabels": {"type": "object"}, "matchExpressions": {"type": "array"}},
}


def _object(required: list[str], **properties: Any) -> dict[str, Any]:
    return {"type": "object", "additionalProperties": False, "required": required, "properties": properties}


_GOOGLE_ENDPOINT = _object(
    ["port", "interval"],
    port=_STRING,
    path=_STRING,
    interval=_STRING,
    authorization=_object(
        ["type"], type=_STRING, credentials=_object(["secret"], secret=_object(["name", "key"], name=_STRING, key=_STRING))
    ),
)
_RULE = _object(["alert", "expr"], alert=_STRING, expr=_STRING, labels={"type": "object"}, annotations={"type": "object"}) | {}
_RULE["properties"]["for"] = _STRING
_SPECS = {
    "PodMonitor": _object(
        ["selector", "podMetricsEndpoints"],
        selector=_LABELS,
        podMetricsEndpoints={"type": "array", "minItems": 1, "items": _object(["port"], **_ENDPOINT)},
    ),
    "PodMonitoring": _object(["selector", "endpoints"], selector=_LABELS, endpoints={"type": "array", "items": _GOOGLE_ENDPOINT}),
    "PrometheusRule": _object(
        ["groups"],
        groups={"type": "array", "items": _object(["name", "rules"], name=_STRING, rules={"type": "array", "items": _RULE})},
    ),
    "LocalQueue": _object(["clusterQueue"], clusterQueue=_STRING),
}


@functools.cache
def render(overlay: str) -> list[dict[str, Any]]:
    kubectl = shutil.which("kubectl")
    if kubectl is None:
        if os.environ.get("CI"):
            pytest.fail("kubectl is not installed, and the manifests are not checked")
        pytest.skip("kubectl is not installed: THE MANIFESTS ARE NOT CHECKED")
    command = [kubectl, "kustomize", str(KUBERAY / "overlays" / overlay)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr
    return [document for document in load_all(done.stdout) if document]


@functools.cache
def render_with_components() -> list[dict[str, Any]]:
    """Production with every optional component. Kustomize requires a sibling folder."""
    with tempfile.TemporaryDirectory(dir=KUBERAY / "overlays", prefix=".test-") as folder:
        kustomization = {
            "apiVersion": "kustomize.config.k8s.io/v1beta1",
            "kind": "Kustomization",
            "namespace": "rayocr",
            "resources": ["../production"],
            "components": [f"../../components/{name}" for name in COMPONENTS],
        }
        (Path(folder) / "kustomization.yaml").write_text(yaml.safe_dump(kustomization))
        return render(Path(folder).name)


def size(quantity: str) -> float:
    """Bytes of `2Gi`, or CPUs of `100m` and `2`."""
    for unit, factor in {"Mi": 2**20, "Gi": 2**30, "mb": 2**20, "m": 0.001}.items():
        if quantity.endswith(unit):
            return float(quantity.removesuffix(unit)) * factor
    return float(quantity)


def examples(name: str) -> list[dict[str, Any]]:
    return load_all((KUBERAY / "examples" / f"{name}.yaml").read_text())


def load_all(text: str) -> list[Any]:
    """With libyaml, which parses eight times as fast as PyYAML."""
    return list(yaml.load_all(text, Loader=yaml.CSafeLoader))


@functools.cache
def _ray_schema(kind: str) -> Any:
    schema = json.loads(gzip.decompress((SCHEMAS / f"{kind}.json.gz").read_bytes()))
    return jsonschema.Draft202012Validator(schema)


def check(document: dict[str, Any]) -> None:
    """Raises the validators' own errors."""
    if document["apiVersion"] == "ray.io/v1":
        _ray_schema(document["kind"]).validate(document)
    elif document["kind"] in _SPECS:
        jsonschema.Draft202012Validator(_SPECS[document["kind"]]).validate(document["spec"])
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
    """Names and specs, including those inside jobs and services."""
    for document in documents:
        name = f"{document['kind']} {name_of(document)}"
        if document["kind"] == "RayCluster":
            yield name, document["spec"]
        elif document["kind"] == "RayJob" and "rayClusterSpec" in document["spec"]:
            yield name, document["spec"]["rayClusterSpec"]
        elif document["kind"] == "RayService":
            yield name, document["spec"]["rayClusterConfig"]


def ray_jobs(documents: list[dict[str, Any]]) -> Iterator[tuple[str, dict[str, Any]]]:
    """RayJobs, and the templates of those that a CronJob creates."""
    for document in documents:
        if document["kind"] == "RayJob":
            yield name_of(document), document["spec"]
        elif document["kind"] == "ConfigMap" and "rayjob.yaml" in document["data"]:
            yield document["metadata"]["name"], load_all(document["data"]["rayjob.yaml"])[0]["spec"]


def name_of(document: dict[str, Any]) -> str:
    metadata = document["metadata"]
    return str(metadata.get("name") or metadata["generateName"])


def pods(documents: list[dict[str, Any]]) -> Iterator[PodSpec]:
    for name, cluster in ray_clusters(documents):
        yield _pod(f"{name}, head", "head", cluster["headGroupSpec"]["template"])
        for group in cluster["workerGroupSpecs"]:
            yield _pod(f"{name}, {group['groupName']}", "worker", group["template"])
    for name, job in ray_jobs(documents):
        yield _pod(f"{name}, submitter", "submitter", job["submitterPodTemplate"])
    for document in documents:
        what = f"{document['kind']} {name_of(document)}"
        if document["kind"] in ("Deployment", "StatefulSet"):
            yield _pod(what, document["kind"], document["spec"]["template"])
        elif document["kind"] == "CronJob":
            yield _pod(what, "CronJob", document["spec"]["jobTemplate"]["spec"]["template"])


def _pod(what: str, role: str, template: dict[str, Any]) -> PodSpec:
    return PodSpec(what, role, template.get("metadata", {}).get("labels", {}), template["spec"])
