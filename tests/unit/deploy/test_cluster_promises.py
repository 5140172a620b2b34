"""What docs/deployment.md promises of the manifests: each test fails if its line is removed or changed."""

from __future__ import annotations

from typing import Any

import pytest

from rayocr.config import WorkersConfig
from tests.unit.deploy.policies import may_reach
from tests.unit.deploy.rendered import OVERLAYS, PodSpec, examples, pods, ray_clusters, render, render_with_components, size


@pytest.fixture(params=OVERLAYS)
def documents(request: pytest.FixtureRequest) -> list[dict[str, Any]]:
    return render(request.param)


def named(documents: list[dict[str, Any]], kind: str, name: str) -> dict[str, Any]:
    (found,) = [d for d in documents if d["kind"] == kind and d["metadata"]["name"] == name]
    return found


def pod(documents: list[dict[str, Any]], what: str) -> PodSpec:
    (found,) = [pod for pod in pods(documents) if what in pod.what]
    return found


def variables(found: PodSpec) -> dict[str, str]:
    return {variable["name"]: variable.get("value", "") for variable in found.spec["containers"][0].get("env", [])}


def clusters(documents: list[dict[str, Any]]) -> list[tuple[str, dict[str, Any]]]:
    return [*ray_clusters(documents), *ray_clusters(examples("rayjob"))]


# -- the cluster ----------------------------------------------------------------------------------------------------------


def test_a_lost_node_is_noticed_within_seconds(documents: list[dict[str, Any]]) -> None:
    for found in pods(documents):
        if found.role == "head":
            given = variables(found)
            each_ms = (int(given["RAY_health_check_period_ms"]) + int(given["RAY_health_check_timeout_ms"])) / 2
            assert each_ms * int(given["RAY_health_check_failure_threshold"]) <= 5_000, found.what


def test_the_dashboard_is_reached_from_other_pods(documents: list[dict[str, Any]]) -> None:
    for name, cluster in clusters(documents):
        assert cluster["headGroupSpec"]["rayStartParams"]["dashboard-host"] == "0.0.0.0", name


def test_the_autoscaler_acts_with_the_heads_account_and_workers_with_one_without_rights(documents: list[dict[str, Any]]) -> None:
    accounts = {d["metadata"]["name"]: d for d in documents if d["kind"] == "ServiceAccount"}
    for name, cluster in clusters(documents):
        head = cluster["headGroupSpec"]["template"]["spec"]
        assert accounts[head["serviceAccountName"]].get("automountServiceAccountToken", True), name
        for group in cluster["workerGroupSpecs"]:
            worker = group["template"]["spec"]
            assert accounts[worker["serviceAccountName"]]["automountServiceAccountToken"] is False, name
            assert worker["serviceAccountName"] != head["serviceAccountName"], name


def test_accounts_of_pods_that_read_buckets_are_bound_to_google(documents: list[dict[str, Any]]) -> None:
    for found in pods(documents):
        if found.role in ("head", "worker") or "watch" in found.what:
            account = named(documents, "ServiceAccount", found.spec["serviceAccountName"])
            assert "iam.gke.io/gcp-service-account" in account["metadata"]["annotations"], found.what


def test_workers_end_before_their_node_is_removed(documents: list[dict[str, Any]]) -> None:
    for name, cluster in clusters(documents):
        assert cluster["autoscalerOptions"]["idleTimeoutSeconds"] > WorkersConfig().idle_timeout_s, name


def test_the_object_store_leaves_memory_for_the_workers(documents: list[dict[str, Any]]) -> None:
    """KubeRay gives /dev/shm the size of the container's memory, which the object store takes from."""
    for name, cluster in clusters(documents):
        for group in (cluster["headGroupSpec"], *cluster["workerGroupSpecs"]):
            limit = size(group["template"]["spec"]["containers"][0]["resources"]["limits"]["memory"])
            assert float(group["rayStartParams"]["object-store-memory"]) <= limit / 3, name


def test_metrics_are_read_where_ray_exports_them(documents: list[dict[str, Any]]) -> None:
    for name, cluster in clusters(documents):
        for group in (cluster["headGroupSpec"], *cluster["workerGroupSpecs"]):
            ports = {port["name"]: port["containerPort"] for port in group["template"]["spec"]["containers"][0]["ports"]}
            assert str(ports["metrics"]) == group["rayStartParams"]["metrics-export-port"], name
    everything = render_with_components()
    for kind, field in (("PodMonitor", "podMetricsEndpoints"), ("PodMonitoring", "endpoints")):
        endpoints = [endpoint for d in everything if d["kind"] == kind for endpoint in d["spec"][field]]
        assert {endpoint["port"] for endpoint in endpoints} == {"run", "metrics"}
        (run,) = [endpoint for endpoint in endpoints if endpoint["port"] == "run"]
        credentials = run["authorization"]["credentials"]  # a run asks for its token
        assert credentials.get("secret", credentials) == {"name": "rayocr-keys", "key": "RAYOCR_API_TOKEN"}


def test_workers_are_spread_over_machines(documents: list[dict[str, Any]]) -> None:
    for found in pods(documents):
        if found.role == "worker":
            (spread,) = found.spec["topologySpreadConstraints"]
            assert spread["whenUnsatisfiable"] == "ScheduleAnyway", "a single machine is enough"
            wanted = spread["labelSelector"]["matchLabels"]
            assert wanted.items() <= found.labels.items() and wanted["rayocr.io/node"] in found.what


# -- the network ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("address", "port"),
    [
        ("169.254.169.252", 988),  # GKE's metadata server
        ("169.254.169.254", 80),  # with Dataplane V2
        ("10.0.0.1", 443),  # the Kubernetes API
        ("10.0.0.1", 6443),  # on kind and others
    ],
)
def test_ray_pods_reach_credentials_and_the_kubernetes_api(documents: list[dict[str, Any]], address: str, port: int) -> None:
    for found in pods(documents):
        if found.role in ("head", "worker") or "watch" in found.what:
            assert may_reach(documents, found.labels, port, address=address), found.what


@pytest.mark.parametrize(
    ("policy", "namespaces"), [("ray", {"monitoring"}), ("google-monitoring", {"gmp-system", "gke-gmp-system"})]
)
def test_those_who_read_metrics_may_come_in(policy: str, namespaces: set[str]) -> None:
    spec = named(render_with_components(), "NetworkPolicy", policy)["spec"]
    found: dict[str, set[int]] = {}
    for rule in spec["ingress"]:
        for peer in rule["from"]:
            selector = peer.get("namespaceSelector", {})
            by_label = selector.get("matchLabels", {}).get("kubernetes.io/metadata.name")
            names = [by_label] if by_label else [v for e in selector.get("matchExpressions", []) for v in e["values"]]
            for name in names:
                found[name] = {port["port"] for port in rule["ports"]}
    assert found == {key: {8080, 8090} for key in namespaces}


def test_what_is_not_named_stays_out(documents: list[dict[str, Any]]) -> None:
    everyone = named(documents, "NetworkPolicy", "deny-incoming")["spec"]
    assert everyone == {"podSelector": {}, "policyTypes": ["Ingress"]}
    redis = named(documents, "NetworkPolicy", "redis")["spec"]
    assert set(redis["policyTypes"]) == {"Ingress", "Egress"} and redis["egress"] == []


# -- Redis -------------------------------------------------------------------------------------------------------------


def test_redis_reads_its_settings_asks_for_a_password_and_writes_to_its_disk(documents: list[dict[str, Any]]) -> None:
    spec = named(documents, "StatefulSet", "rayocr-redis")["spec"]
    template = spec["template"]["spec"]
    (container,) = template["containers"]
    mounts = {mount["mountPath"]: mount["name"] for mount in container["volumeMounts"]}
    command = container["command"][-1]
    assert command == 'exec redis-server /etc/redis/redis.conf --requirepass "$REDIS_PASSWORD"'
    (volume,) = [volume for volume in template["volumes"] if volume["name"] == mounts["/etc/redis"]]
    (conf,) = [d["data"] for d in documents if d["kind"] == "ConfigMap" and d["metadata"]["name"] == volume["configMap"]["name"]]
    options = dict(line.split(" ", 1) for line in conf["redis.conf"].splitlines() if line and not line.startswith("#"))
    assert (options["appendonly"], options["appendfsync"]) == ("yes", "everysec"), "leases survive a crash"
    assert mounts[options["dir"]] in [claim["metadata"]["name"] for claim in spec["volumeClaimTemplates"]]


# -- the watching driver ----------------------------------------------------------------------------------------------


def watch(kind: str, documents: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    return dict(named(documents or render("production"), kind, "rayocr-watch")["spec"])


def test_the_driver_joins_the_long_lived_cluster_with_its_token() -> None:
    documents = render("production")
    (cluster,) = [d for d in documents if d["kind"] == "RayCluster"]
    container = watch("Deployment", documents)["template"]["spec"]["containers"][0]
    assert container["command"] == ["rayocr-driver"]
    given = {variable["name"]: variable for variable in container["env"]}
    head = cluster["spec"]["headGroupSpec"]["template"]["spec"]["containers"][0]
    port = next(port["containerPort"] for port in head["ports"] if port["name"] == "gcs")
    assert given["RAYOCR_HEAD"]["value"] == f"{cluster['metadata']['name']}-head-svc:{port}", "KubeRay's name for the Service"
    assert given["RAY_AUTH_MODE"]["value"] == cluster["spec"]["authOptions"]["mode"] == "token"
    secret = {"name": cluster["metadata"]["name"], "key": "auth_token"}  # KubeRay makes it
    assert given["RAY_AUTH_TOKEN"]["valueFrom"]["secretKeyRef"] == secret


def test_there_is_one_driver_at_a_time_and_its_page_says_why_it_is_not_ready() -> None:
    deployment = watch("Deployment")
    assert (deployment["replicas"], deployment["strategy"]) == (1, {"type": "Recreate"})
    assert watch("Service")["publishNotReadyAddresses"] is True
    assert watch("PodDisruptionBudget")["maxUnavailable"] == 0, "an eviction would interrupt pages in flight"


def test_the_driver_has_time_for_its_cluster_to_start_and_its_object_store_fits() -> None:
    spec = watch("Deployment")["template"]["spec"]
    probe = spec["containers"][0]["startupProbe"]
    assert probe["periodSeconds"] * probe["failureThreshold"] >= 180
    mounts = {mount["mountPath"]: mount["name"] for mount in spec["containers"][0]["volumeMounts"]}
    (shm,) = [volume["emptyDir"] for volume in spec["volumes"] if volume["name"] == mounts["/dev/shm"]]
    assert shm["medium"] == "Memory" and size(shm["sizeLimit"]) > 200_000_000, "the store of docker/bin/rayocr-driver"


def test_runs_of_one_destination_share_their_quota() -> None:
    documents = render("production")
    options = watch("Deployment", documents)["template"]["spec"]["containers"][0]["args"]
    (template,) = [d["data"]["rayjob.yaml"] for d in documents if d["kind"] == "ConfigMap" and "rayjob.yaml" in d["data"]]
    assert "limits.shared=redis" in options and "limits.shared=redis" in template
    (settings,) = [
        d["data"] for d in documents if d["kind"] == "ConfigMap" and d["metadata"]["name"].startswith("rayocr-settings")
    ]
    assert {"GCS_BUCKET_NAME", "GCS_SOURCE_PREFIX", "GCS_DEST_PREFIX"} <= set(settings), "both read and write the same folders"
