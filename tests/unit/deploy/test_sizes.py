"""Sizes of pods, against the bounds of the places they run in."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.deploy.rendered import PodSpec, examples, pods, ray_clusters, render, render_with_components, size

AUTOPILOT_EPHEMERAL = size("10Gi")  # over all containers of a pod
# Requests of kind's own pods (etcd, API server, controllers, scheduler, two of CoreDNS, kindnet) and of KubeRay's operator.
KINDS_OWN_CPUS = 0.95 + 0.1
# KubeRay's init container, which waits for the head. A pod's request is the larger of this and that of its containers.
INIT_CPUS = 0.2


def requests(pod: PodSpec, documents: list[dict[str, Any]], what: str) -> float:
    """Of all containers, with the autoscaler's in a head's pod."""
    total = sum(size(container["resources"]["requests"][what]) for container in pod.containers)
    if pod.role == "head":
        (cluster,) = [cluster for name, cluster in ray_clusters(documents) if pod.what == f"{name}, head"]
        total += size(cluster["autoscalerOptions"]["resources"]["requests"][what])
    return max(total, INIT_CPUS) if what == "cpu" and pod.role == "worker" else total


def test_autopilot_accepts_every_pod_and_evicts_none_whose_volumes_fill_up() -> None:
    documents = render_with_components()
    found = list(pods(documents))
    assert {"head", "worker", "submitter", "Deployment", "StatefulSet", "CronJob"} == {pod.role for pod in found}
    for pod in found:
        for container in pod.containers:
            resources = container["resources"]
            assert resources["limits"]["ephemeral-storage"] == resources["requests"]["ephemeral-storage"], (
                f"{pod.what}: Autopilot lowers the limit to the request"
            )
        storage = requests(pod, documents, "ephemeral-storage")
        assert storage <= AUTOPILOT_EPHEMERAL, pod.what
        volumes = [volume["emptyDir"] for volume in pod.spec.get("volumes", []) if "emptyDir" in volume]
        assert sum(size(volume["sizeLimit"]) for volume in volumes if volume.get("medium") != "Memory") < storage, pod.what
        ratio = requests(pod, documents, "memory") / 2**30 / requests(pod, documents, "cpu")
        assert 1 <= ratio <= 6.5, f"{pod.what}: Autopilot would raise the smaller one"


def test_the_autoscaler_may_keep_the_log_that_a_kubelet_keeps() -> None:
    for overlay in ("dev", "production"):
        for name, cluster in ray_clusters(render(overlay)):
            resources = cluster["autoscalerOptions"]["resources"]
            kept = size("50Mi")  # five files of 10 MiB, the kubelet's defaults
            assert size(resources["requests"]["ephemeral-storage"]) > kept, name


def test_the_trial_fits_into_two_cpus_and_eight_gibibytes() -> None:
    documents = render("dev")
    found = list(pods(documents))
    assert len(found) == 5
    assert sum(requests(pod, documents, "cpu") for pod in found) + KINDS_OWN_CPUS <= 2
    assert sum(requests(pod, documents, "memory") for pod in found) <= size("8Gi")


@pytest.mark.parametrize("example", ["rayjob", "rayservice-llm"])
def test_groups_that_may_grow_belong_to_a_cluster_that_scales(example: str) -> None:
    for name, cluster in [*ray_clusters(examples(example)), *ray_clusters(render("production"))]:
        if any(group["maxReplicas"] > group["replicas"] for group in cluster["workerGroupSpecs"]):
            assert cluster["enableInTreeAutoscaling"] is True, name
            head = cluster["headGroupSpec"]["template"]["spec"]
            assert head.get("automountServiceAccountToken", True), f"{name}: the autoscaler talks to the Kubernetes API"


def test_a_head_is_not_moved_to_empty_a_machine() -> None:
    for overlay in ("dev", "production"):
        for name, cluster in ray_clusters(render(overlay)):
            annotations = cluster["headGroupSpec"]["template"]["metadata"]["annotations"]
            assert annotations["cluster-autoscaler.kubernetes.io/safe-to-evict"] == "false", name
