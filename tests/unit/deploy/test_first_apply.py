"""Rules that a real Kubernetes enforces but schemas do not contain. Each of these rules was violated once."""

from __future__ import annotations

import copy
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from rayocr.composition import compose
from tests.unit.deploy import derive_manifests
from tests.unit.deploy.policies import chooses, may_be_reached, may_reach, named_config_maps
from tests.unit.deploy.rendered import (
    COMPONENTS,
    OVERLAYS,
    PodSpec,
    examples,
    pods,
    ray_clusters,
    ray_jobs,
    render,
    render_with_components,
    size,
)

DEPLOYMENT = Path(__file__).parents[3] / "docs" / "deployment.md"


@pytest.fixture(params=OVERLAYS)
def documents(request: pytest.FixtureRequest) -> list[dict[str, Any]]:
    return render(request.param)


def of_kind(documents: list[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    return [document for document in documents if document["kind"] == kind]


def variables(pod: PodSpec) -> dict[str, str]:
    return {variable["name"]: variable.get("value", "") for variable in pod.spec["containers"][0].get("env", [])}


def ray_pods(documents: list[dict[str, Any]]) -> list[PodSpec]:
    return [pod for pod in pods(documents) if pod.role in ("head", "worker") or "watch" in pod.what]


# -- the network ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("protocol", ["UDP", "TCP"])
@pytest.mark.parametrize(
    "server",
    [
        {"pod": {"k8s-app": "kube-dns"}},
        {"pod": {"k8s-app": "node-local-dns"}},
        {"address": "169.254.20.10"},  # NodeLocal DNSCache, the default on GKE
        {"address": "169.254.169.254"},  # Cloud DNS for GKE
        {"address": "34.118.224.10"},  # NodeLocal DNSCache without Dataplane V2: the address of the Service kube-dns
    ],
    ids=str,
)
def test_every_pod_that_resolves_names_reaches_every_kind_of_dns(
    documents: list[dict[str, Any]], server: dict[str, Any], protocol: str
) -> None:
    for pod in pods(documents):
        if pod.what != "StatefulSet rayocr-redis":  # it opens no connection
            assert may_reach(documents, pod.labels, 53, protocol=protocol, **server), pod.what


def test_ray_pods_reach_what_they_need_and_nothing_else_on_other_ports() -> None:
    documents = render("production")
    for pod in ray_pods(documents):
        assert may_reach(documents, pod.labels, 6379, pod={"app.kubernetes.io/name": "rayocr-redis"})
        assert may_reach(documents, pod.labels, 443, address="142.250.1.1")
        assert may_reach(documents, pod.labels, 988, address="169.254.169.252")
        assert not may_reach(documents, pod.labels, 25, address="142.250.1.1")


def test_ray_pods_reach_the_model_server_of_the_gpu_overlay() -> None:
    documents = render("gpu")
    (server,) = [pod for pod in pods(documents) if "vllm" in pod.what]
    services = {service["metadata"]["name"]: service["spec"] for service in of_kind(documents, "Service")}
    for pod in [pod for pod in ray_pods(documents) if pod.role != "worker"]:
        host, port = re.fullmatch(r"http://([\w-]+):(\d+)/v1", variables(pod)["OPENAI_BASE_URL"]).groups()  # type: ignore[union-attr]
        assert chooses({"matchLabels": services[host]["selector"]}, server.labels)
        assert int(port) in [entry["port"] for entry in services[host]["ports"]]
        assert all(may_reach(documents, each.labels, int(port), pod=server.labels) for each in ray_pods(documents))
    assert not may_reach(render("production"), {"rayocr.io/ray": "true"}, 8000, pod=server.labels)
    assert may_reach(documents, server.labels, 443, address="18.1.1.1"), "the weights come over HTTPS"
    (watch,) = [pod for pod in pods(documents) if "watch" in pod.what]
    config = compose(watch.spec["containers"][0]["args"], {"OPENAI_BASE_URL": "http://rayocr-vllm:8000/v1"})
    assert f"--served-model-name={config.engine.openai.model}" in server.spec["containers"][0]["args"]


def test_the_nodes_of_the_model_server_with_ray_serve_reach_each_other_and_are_reached() -> None:
    documents = [*render("production"), *examples("rayservice-llm")]
    operator = {"app.kubernetes.io/name": "kuberay-operator"}
    servers = [pod for pod in pods(documents) if pod.labels.get("rayocr.io/node") == "llm"]
    assert len(servers) == 2
    for server in servers:
        assert may_be_reached(documents, server.labels, 6379, pod=servers[0].labels), "workers find their head"
        assert may_be_reached(documents, server.labels, 8265, pod=operator)
        assert may_be_reached(documents, server.labels, 8000, pod=operator), "the operator asks the proxy of the head"
        for pod in ray_pods(documents):
            if pod not in servers:
                assert may_be_reached(documents, server.labels, 8000, pod=pod.labels)
                assert may_reach(documents, pod.labels, 8000, pod=server.labels)
                assert not may_be_reached(documents, server.labels, 8265, pod=pod.labels)


def test_only_the_operator_reaches_the_dashboard_of_a_head_from_outside() -> None:
    documents = render("production")
    for pod in [pod for pod in ray_pods(documents) if pod.role == "head"]:
        assert may_be_reached(documents, pod.labels, 8265, pod={"app.kubernetes.io/name": "kuberay-operator"})
        assert not may_be_reached(documents, pod.labels, 8265, pod={"app": "anything"})


# -- budgets, rollouts, names -------------------------------------------------------------------------------------------------


def test_no_budget_counts_pods_without_a_scale_subresource(documents: list[dict[str, Any]]) -> None:
    """For KubeRay's pods Kubernetes cannot evaluate maxUnavailable (nor a percentage), and refuses every eviction."""
    for budget in of_kind(documents, "PodDisruptionBudget"):
        for pod in pods(documents):
            if chooses(budget["spec"]["selector"], pod.labels):
                assert pod.role in ("Deployment", "StatefulSet"), (budget["metadata"]["name"], pod.what)


def test_a_changed_setting_changes_a_name_and_every_name_exists(documents: list[dict[str, Any]]) -> None:
    there = {document["metadata"]["name"] for document in of_kind(documents, "ConfigMap")}
    named = set(named_config_maps(documents))
    assert named == there
    assert all(re.fullmatch(r"[a-z-]+-[a-z0-9]{10}", name) for name in named), named


def test_a_new_version_replaces_the_long_lived_cluster() -> None:
    (cluster,) = of_kind(render("production"), "RayCluster")
    assert cluster["spec"]["upgradeStrategy"] == {"type": "Recreate"}


def test_applying_again_changes_no_run() -> None:
    """A RayJob with suspend: true in an applied overlay suspends the run that a user started from it."""
    for overlay in OVERLAYS:
        for job in of_kind(render(overlay), "RayJob"):
            assert overlay == "dev" and not job["spec"].get("suspend")
    (example,) = examples("rayjob")
    assert "name" not in example["metadata"] and example["metadata"]["generateName"]
    assert not example["spec"].get("suspend")


@pytest.mark.parametrize("status", ["SUCCEEDED", "FAILED"])
def test_finished_jobs_are_deleted(documents: list[dict[str, Any]], status: str) -> None:
    for name, job in [*ray_jobs(documents), *ray_jobs(examples("rayjob"))]:
        rules = job["deletionStrategy"]["deletionRules"]
        after = {
            rule["policy"]: rule["condition"]["ttlSeconds"] for rule in rules if rule["condition"].get("jobStatus") == status
        }
        assert set(after) == {"DeleteCluster", "DeleteSelf"}, name
        assert after["DeleteCluster"] <= after["DeleteSelf"], f"{name}: KubeRay asks for this order"
        assert all(len(set(rule["condition"]) & {"jobStatus", "jobDeploymentStatus"}) == 1 for rule in rules)


def test_the_nightly_run_needs_no_feature_gate_and_never_runs_twice_at_once() -> None:
    documents = render("production")
    assert not of_kind(documents, "RayCronJob"), "alpha, and off in KubeRay 1.6 and 1.7"
    (cron,) = of_kind(documents, "CronJob")
    assert cron["spec"]["concurrencyPolicy"] == "Forbid"
    account = cron["spec"]["jobTemplate"]["spec"]["template"]["spec"]["serviceAccountName"]
    (binding,) = [b for b in of_kind(documents, "RoleBinding") if {"kind": "ServiceAccount", "name": account} == subject_of(b)]
    (role,) = [role for role in of_kind(documents, "Role") if role["metadata"]["name"] == binding["roleRef"]["name"]]
    may = {(resource, verb) for rule in role["rules"] for resource in rule["resources"] for verb in rule["verbs"]}
    assert may == {("rayclusters", "get"), ("rayjobs", "list"), ("rayjobs", "create")}
    assert (Path(__file__).parents[3] / "docker" / "bin" / command_of(cron)[0]).is_file()


def subject_of(binding: dict[str, Any]) -> dict[str, str]:
    return {key: value for key, value in binding["subjects"][0].items() if key != "namespace"}


def command_of(cron: dict[str, Any]) -> list[str]:
    return list(cron["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"][0]["command"])


# -- images -----------------------------------------------------------------------------------------------------------------


def test_images_have_versions_and_are_pulled_only_when_missing(documents: list[dict[str, Any]]) -> None:
    for pod in [*pods(documents), *pods(examples("rayjob")), *pods(examples("rayservice-llm"))]:
        for container in pod.containers:
            tag = container["image"].rpartition(":")[2]
            unset = (
                container["image"] == "rayocr" and pod.role == "submitter"
            )  # a template: rayocr-create-run inserts the cluster's values
            assert unset or (":" in container["image"] and tag != "latest"), pod.what
            assert container["imagePullPolicy"] == "IfNotPresent", pod.what


def test_the_trial_of_the_docs_builds_and_loads_the_image_that_it_runs() -> None:
    images = {container["image"] for pod in pods(render("dev")) for container in pod.containers if "rayocr" in container["image"]}
    (image,) = images
    text = DEPLOYMENT.read_text()
    assert f"docker build -f docker/Dockerfile -t {image} ." in text
    assert f"kind load docker-image {image}" in text


# -- heads, Redis, disks --------------------------------------------------------------------------------------------------------


def test_a_head_and_its_redis_may_be_unavailable_for_a_while(documents: list[dict[str, Any]]) -> None:
    for pod in ray_pods(documents):
        assert float(variables(pod)["RAY_gcs_rpc_server_reconnect_timeout_s"]) >= 600, pod.what
        if pod.role == "head":
            tries = int(variables(pod)["RAY_num_redis_request_retries"])
            assert tries * int(variables(pod)["RAY_redis_retry_max_ms"]) >= 60_000, (
                f"{pod.what}: Redis may be unavailable for a minute"
            )
            assert int(variables(pod)["RAY_task_events_max_num_task_in_gcs"]) <= 10_000, pod.what


def test_only_the_long_lived_head_keeps_its_state_in_redis(documents: list[dict[str, Any]]) -> None:
    for name, cluster in [*ray_clusters(documents), *ray_clusters(examples("rayjob"))]:
        assert ("gcsFaultToleranceOptions" in cluster) == name.startswith("RayCluster"), f"{name}: driver and head share the pod"


def test_keys_are_where_drivers_run_and_nowhere_else(documents: list[dict[str, Any]]) -> None:
    """Workers get them from the driver, in calls that Ray does not store."""
    for pod in ray_pods(documents):
        container = pod.spec["containers"][0]
        secrets = [source["secretRef"]["name"] for source in container.get("envFrom", []) if "secretRef" in source]
        assert ("rayocr-keys" in secrets) == (pod.role != "worker"), pod.what
        assert ("REDIS_URL" in variables(pod)) == (pod.role != "worker"), pod.what


def test_objects_are_spilled_to_a_disk_that_is_bounded_and_asked_for(documents: list[dict[str, Any]]) -> None:
    folders = []
    for name, cluster in [*ray_clusters(documents), *ray_clusters(examples("rayjob"))]:
        for group in (cluster["headGroupSpec"], *cluster["workerGroupSpecs"]):
            folders.append((name, group["rayStartParams"]["object-spilling-directory"], group["template"]["spec"]))
    for pod in pods(documents):
        if "watch" in pod.what:  # docker/bin/rayocr-driver passes these options to `ray start`
            options = variables(pod)["RAYOCR_NODE_OPTIONS"]
            folders.append((pod.what, options.partition("--object-spilling-directory=")[2], pod.spec))
    for name, folder, spec in folders:
        (mount,) = [mount for mount in spec["containers"][0]["volumeMounts"] if mount["mountPath"] == folder]
        (volume,) = [volume for volume in spec["volumes"] if volume["name"] == mount["name"]]
        assert "medium" not in volume["emptyDir"] and "sizeLimit" in volume["emptyDir"], name


def test_pods_ask_for_the_disk_that_they_may_use(documents: list[dict[str, Any]]) -> None:
    trial = any(document["metadata"].get("namespace") == "rayocr-dev" for document in documents)
    for pod in pods(documents):
        on_disk = [volume["emptyDir"] for volume in pod.spec.get("volumes", []) if "emptyDir" in volume]
        needed = sum(size(volume["sizeLimit"]) for volume in on_disk if volume.get("medium") != "Memory")
        for container in pod.containers:
            if trial and pod.role in ("head", "worker"):
                continue  # small on purpose
            resources = container["resources"]
            assert "ephemeral-storage" in resources["requests"], pod.what
            assert size(resources["limits"]["ephemeral-storage"]) >= needed, f"{pod.what}: evicted before its volumes are full"


def test_redis_is_bounded_and_drops_nothing(documents: list[dict[str, Any]]) -> None:
    (conf,) = [c["data"]["redis.conf"] for c in of_kind(documents, "ConfigMap") if "redis.conf" in c.get("data", {})]
    options = dict(line.split(" ", 1) for line in conf.splitlines() if line and not line.startswith("#"))
    (redis,) = of_kind(documents, "StatefulSet")
    limit = redis["spec"]["template"]["spec"]["containers"][0]["resources"]["limits"]["memory"]
    assert options["maxmemory-policy"] == "noeviction"
    assert size(options["maxmemory"]) * 2 <= size(limit), "rewriting the append-only file can need as much again"


# -- components and examples --------------------------------------------------------------------------------------------------


def test_what_needs_an_operator_of_yours_is_a_component() -> None:
    for overlay in OVERLAYS:
        for document in render(overlay):
            assert "monitoring" not in document["apiVersion"] and document["kind"] not in ("LocalQueue", "PriorityClass")


def test_monitors_skip_a_head_without_a_run() -> None:
    for kind in ("PodMonitor", "PodMonitoring"):
        (monitor,) = [d for d in of_kind(render_with_components(), kind) if d["metadata"]["name"] == "rayocr-run"]
        selector = monitor["spec"]["selector"]
        assert not chooses(selector, {"rayocr.io/node": "head", "ray.io/cluster": "rayocr"})
        assert chooses(selector, {"rayocr.io/node": "head", "ray.io/cluster": "rayocr-run-x7k2p-4lmnq"})
        assert chooses(selector, {"rayocr.io/node": "driver"})


def test_the_charts_of_prometheus_and_grafana_find_what_is_theirs() -> None:
    documents = render_with_components()
    for kind in ("PodMonitor", "PrometheusRule"):
        assert all(document["metadata"]["labels"]["release"] for document in of_kind(documents, kind))
    (dashboard,) = [d for d in of_kind(documents, "ConfigMap") if d["metadata"].get("labels", {}).get("grafana_dashboard") == "1"]
    assert "rayocr.json" in dashboard["data"]


def test_what_a_run_hangs_on_goes_before_workers() -> None:
    documents = render_with_components()
    value = {document["metadata"]["name"]: document["value"] for document in of_kind(documents, "PriorityClass")}
    classes = {pod.what: pod.spec["priorityClassName"] for pod in pods(documents) if pod.role not in ("CronJob", "submitter")}
    workers = [value[name] for what, name in classes.items() if what.endswith((", waiting", ", computing"))]
    others = [value[name] for what, name in classes.items() if not what.endswith((", waiting", ", computing"))]
    assert max(workers) < min(others)


def test_the_queue_that_nightly_runs_wait_in_exists() -> None:
    (queue,) = of_kind(render_with_components(), "LocalQueue")
    (cron,) = of_kind(render_with_components(), "CronJob")
    assert f"--queue={queue['metadata']['name']}" in command_of(cron)


def test_derived_manifests_are_those_of_today() -> None:
    assert derive_manifests.RULE.read_text() == derive_manifests.rule(), "run tests/unit/deploy/derive_manifests.py"
    assert derive_manifests.EXAMPLE.read_text() == derive_manifests.example(), "run tests/unit/deploy/derive_manifests.py"


def test_the_example_brings_up_the_cluster_that_production_has() -> None:
    (example,) = examples("rayjob")
    (cluster,) = of_kind(render("production"), "RayCluster")
    expected = {
        key: copy.deepcopy(value)
        for key, value in cluster["spec"].items()
        if key not in ("upgradeStrategy", "gcsFaultToleranceOptions")
    }
    environment = expected["headGroupSpec"]["template"]["spec"]["containers"][0]["envFrom"]
    environment[:] = [source for source in environment if "configMapRef" not in source]
    assert example["spec"]["rayClusterSpec"] == expected


def test_every_folder_that_the_docs_name_can_be_applied() -> None:
    for path in re.findall(r"kubectl (?:apply|create) -[kf] (\S+)", DEPLOYMENT.read_text()):
        place = DEPLOYMENT.parents[1] / path
        assert place.is_file() or (place / "kustomization.yaml").is_file(), path


def test_optional_components_are_named_in_production() -> None:
    text = (DEPLOYMENT.parents[1] / "kuberay" / "overlays" / "production" / "kustomization.yaml").read_text()
    uncommented = yaml.safe_load(re.sub(r"(?m)^  # (- \.\./)", r"  \1", text))
    named = {Path(path).name for path in uncommented["components"]}
    assert set(COMPONENTS) <= named
