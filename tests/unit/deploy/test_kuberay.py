"""Every overlay, as kubectl would apply it: schemas, the operator's rules, security, and valid rayocr commands."""

from __future__ import annotations

import copy
import re
import shlex
from typing import Any

import jsonschema
import kubernetes_validate
import pytest

from rayocr.actors.placement import GROUPS
from rayocr.composition import compose
from tests.unit.deploy.policies import chooses
from tests.unit.deploy.rendered import (
    OVERLAYS,
    PodSpec,
    check,
    examples,
    name_of,
    pods,
    ray_clusters,
    ray_jobs,
    render,
    render_with_components,
)

# Variables that the scripts in docker/bin/ and rayocr read; all others must be Ray's.
READ = {
    *("GEMINI_API_KEY", "OPENAI_API_KEY", "REDIS_URL", "RAYOCR_API_TOKEN", "SUPABASE_URL", "SUPABASE_API_KEY"),
    *("STORAGE_BACKEND", "GCS_BUCKET_NAME", "GCS_SOURCE_PREFIX", "GCS_DEST_PREFIX"),
    *("RAYOCR_HEAD", "RAYOCR_DRAIN_S", "RAYOCR_PORT", "RAYOCR_REDIS_PASSWORD", "OPENAI_BASE_URL"),
    "RAYOCR_NODE_OPTIONS",
}
RAYS = {
    *("RAY_AUTH_MODE", "RAY_AUTH_TOKEN", "RAY_JOB_STOP_WAIT_TIME_S", "RAY_health_check_period_ms"),
    *(
        "RAY_health_check_timeout_ms",
        "RAY_health_check_failure_threshold",
        "RAY_num_redis_request_retries",
        "RAY_redis_retry_max_ms",
    ),
    *("RAY_gcs_rpc_server_reconnect_timeout_s", "RAY_task_events_max_num_task_in_gcs"),
}
NOT_OURS = {"StatefulSet rayocr-redis", "Deployment rayocr-vllm"}
_NAME = re.compile(r"[a-z]([-a-z0-9]*[a-z0-9])?")


@pytest.fixture(params=OVERLAYS)
def documents(request: pytest.FixtureRequest) -> list[dict[str, Any]]:
    return render(request.param)


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_every_manifest_passes_its_schema(overlay: str) -> None:
    for document in render(overlay):
        check(document)
    kinds = {document["kind"] for document in render(overlay)}
    ours = {"RayJob"} if overlay == "dev" else {"RayCluster", "CronJob", "Deployment"}
    assert {"StatefulSet", "NetworkPolicy", "Role", "ServiceAccount"} | ours <= kinds


def test_every_component_and_example_passes_its_schema() -> None:
    documents = [*render_with_components(), *examples("rayjob"), *examples("rayservice-llm"), *examples("secrets")]
    assert {"RayJob", "RayService", "Secret"} <= {document["kind"] for document in documents}
    for document in documents:
        check(document)


def test_the_example_secrets_are_those_that_are_asked_for() -> None:
    offered = {secret["metadata"]["name"]: set(secret["stringData"]) for secret in examples("secrets")}
    for pod in pods(render("production")):
        for container in pod.containers:
            for variable in container.get("env", []):
                asked = variable.get("valueFrom", {}).get("secretKeyRef")
                if asked and asked["name"] != "rayocr":  # the cluster's token, which KubeRay makes
                    assert asked["key"] in offered[asked["name"]], (pod.what, asked)


@pytest.mark.parametrize(
    ("kind", "path"),
    [
        ("RayCluster", ("spec", "headGroupSpec")),
        ("RayCluster", ("spec", "workerGroupSpecs", 0, "template", "spec", "containers", 0)),
        ("RayCluster", ("spec", "autoscalerOptions")),
        ("RayJob", ("spec",)),
        ("RayJob", ("spec", "rayClusterSpec", "headGroupSpec", "template", "spec")),
        ("RayService", ("spec", "rayClusterConfig", "headGroupSpec")),
        ("CronJob", ("spec", "jobTemplate", "spec")),
        ("Deployment", ("spec", "template", "spec", "containers", 0)),
        ("NetworkPolicy", ("spec",)),
        ("PodMonitor", ("spec", "podMetricsEndpoints", 0)),
        ("PodMonitoring", ("spec", "endpoints", 0)),
        ("PrometheusRule", ("spec", "groups", 0, "rules", 0)),
    ],
)
def test_a_misspelt_field_is_found(kind: str, path: tuple[str | int, ...]) -> None:
    everything = [*render_with_components(), *examples("rayjob"), *examples("rayservice-llm")]
    document = copy.deepcopy(next(document for document in everything if document["kind"] == kind))
    place: Any = document
    for step in path:
        place = place[step]
    place["misspelt"] = 1
    with pytest.raises((jsonschema.ValidationError, kubernetes_validate.ValidationError)):
        check(document)


# -- the operator's own rules, which its schemas do not know ----------------------------------------------------------------


def test_names_are_short_enough_for_what_the_operator_appends(documents: list[dict[str, Any]]) -> None:
    for document in documents:
        if document["apiVersion"] == "ray.io/v1":
            name = name_of(document)
            assert len(name) <= 47 and _NAME.fullmatch(name), name


def test_clusters_keep_the_operators_rules(documents: list[dict[str, Any]]) -> None:
    for name, cluster in ray_clusters(documents):
        head = cluster["headGroupSpec"]
        groups = cluster["workerGroupSpecs"]
        head_variables = {variable["name"] for variable in head["template"]["spec"]["containers"][0].get("env", [])}
        if "gcsFaultToleranceOptions" in cluster:
            assert not head_variables & {"RAY_REDIS_ADDRESS", "REDIS_PASSWORD", "REDIS_USERNAME"}, name
            assert not {"redis-password", "redis-username"} & set(head["rayStartParams"]), name
        if cluster.get("authOptions", {}).get("mode") == "token":
            assert tuple(map(int, cluster["rayVersion"].split("."))) >= (2, 52, 0), name
        if cluster.get("enableInTreeAutoscaling"):
            assert "RAY_enable_autoscaler_v2" not in head_variables, f"{name}: autoscalerOptions.version says it"
            for group in (head, *groups):
                assert group["template"]["spec"].get("restartPolicy", "Never") == "Never", name
        for group in groups:
            assert group["minReplicas"] <= group["replicas"] <= group["maxReplicas"], (name, group["groupName"])
            assert not group.get("suspend"), name
        for group in (head, *groups):
            given = {"num-cpus", "num-gpus", "memory", "resources"} & set(group["rayStartParams"])
            assert not (given and group.get("resources")), f"{name}: the one or the other"
            assert "labels" not in group["rayStartParams"]
            assert all(isinstance(value, str) for value in group["rayStartParams"].values())


def test_jobs_keep_the_operators_rules(documents: list[dict[str, Any]]) -> None:
    found = 0
    for name, job in [*ray_jobs(documents), *ray_jobs(examples("rayjob"))]:
        found += 1
        if job.get("ttlSecondsAfterFinished") or job.get("suspend"):
            assert job["shutdownAfterJobFinishes"], name
        if "deletionStrategy" in job:
            assert not job.get("shutdownAfterJobFinishes"), name
        if job.get("submissionMode") in ("SidecarMode", "InteractiveMode"):
            assert "submitterPodTemplate" not in job and not job.get("backoffLimit"), name
        assert "clusterSelector" not in job, name
        assert "upgradeStrategy" not in job.get("rayClusterSpec", {}), f"{name}: KubeRay refuses it in jobs"
        assert job["backoffLimit"] >= 0
        if job["backoffLimit"]:  # each attempt is a new cluster, so persistent data must be outside
            given = options_of(shlex.split(job["entrypoint"]))
            assert "locks=redis" in given, name
            environment = settings(documents) | {"GEMINI_API_KEY": "k"}
            assert not compose(given, environment).dest.startswith(("output", "/work", "/tmp")), name
    assert found >= 2


def test_the_autoscaler_of_this_ray_reads_the_cluster(documents: list[dict[str, Any]]) -> None:
    from ray.autoscaler._private.kuberay.autoscaling_config import _derive_autoscaling_config_from_ray_cr as derive

    for _, cluster in ray_clusters(documents):
        types = derive({"metadata": {"name": "rayocr", "namespace": "rayocr"}, "spec": cluster})["available_node_types"]
        offers = {name: set(kind["resources"]) for name, kind in types.items()}
        assert types["headgroup"]["resources"]["CPU"] == 0
        assert {group.value for group in GROUPS} <= set().union(*offers.values())
        for name, kind in types.items():
            if name != "headgroup":
                assert kind["resources"]["CPU"] >= 2
                assert kind["max_workers"] >= max(1, kind["min_workers"])


def test_the_rays_of_clusters_and_of_the_lock_are_one(documents: list[dict[str, Any]]) -> None:
    import ray

    everything = [*documents, *examples("rayjob")]  # of the model server in rayservice-llm, an image has another one
    assert {cluster["rayVersion"] for _, cluster in ray_clusters(everything)} == {ray.__version__}


# -- what pods may do, and how they end ----------------------------------------------------------------------------------------


def test_every_pod_passes_the_restricted_pod_security_standard(documents: list[dict[str, Any]]) -> None:
    found = 0
    for pod in pods(documents):
        found += 1
        of_pod = pod.spec["securityContext"]
        assert of_pod["runAsNonRoot"] is True and of_pod["runAsUser"] > 0, pod.what
        assert of_pod["seccompProfile"]["type"] == "RuntimeDefault", pod.what
        assert not {"hostNetwork", "hostPID", "hostIPC"} & set(pod.spec), pod.what
        allowed = {"configMap", "emptyDir", "persistentVolumeClaim", "secret", "projected", "downwardAPI"}
        for volume in pod.spec.get("volumes", []):
            assert set(volume) - {"name"} <= allowed, (pod.what, volume)
        for container in pod.containers:
            context = container["securityContext"]
            assert context["allowPrivilegeEscalation"] is False, pod.what
            assert context["capabilities"] == {"drop": ["ALL"]}, pod.what
            assert context["readOnlyRootFilesystem"] is True, pod.what
            assert not any("hostPort" in port for port in container.get("ports", [])), pod.what
    assert found >= 5
    for _, cluster in ray_clusters(documents):
        context = cluster["autoscalerOptions"]["securityContext"]
        assert context["allowPrivilegeEscalation"] is False and context["capabilities"] == {"drop": ["ALL"]}
    (namespace,) = [document for document in documents if document["kind"] == "Namespace"]
    assert namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"


def test_every_pod_has_requests_and_no_token_that_it_does_not_need(documents: list[dict[str, Any]]) -> None:
    for pod in pods(documents):
        if pod.role not in ("head", "CronJob"):  # the autoscaler, and what creates the nightly run
            assert pod.spec["automountServiceAccountToken"] is False, pod.what
        for container in pod.containers:
            assert {"cpu", "memory"} <= set(container["resources"]["requests"]), pod.what
            assert "memory" in container["resources"]["limits"], pod.what
            paths = [mount["mountPath"] for mount in container.get("volumeMounts", [])]
            assert len(paths) == len(set(paths)), pod.what
            volumes = {volume["name"] for volume in pod.spec.get("volumes", [])} | {"data"}
            assert {mount["name"] for mount in container.get("volumeMounts", [])} <= volumes, pod.what


def test_grace_periods_outlast_what_a_shutdown_may_take(documents: list[dict[str, Any]]) -> None:
    from rayocr.config import ShutdownConfig
    from rayocr.driver.run import _LEDGER_CLOSE_S, _LIMITER_CLOSE_S

    longest = ShutdownConfig().grace_s + 2 * _LEDGER_CLOSE_S + _LIMITER_CLOSE_S
    for pod in pods(documents):
        grace = pod.spec.get("terminationGracePeriodSeconds", 30)
        if pod.role == "head" or "watch" in pod.what:
            assert grace > longest, pod.what
        if pod.role in ("head", "worker"):
            hook = pod.spec["containers"][0]["lifecycle"]["preStop"]["exec"]["command"]
            assert hook == ["rayocr-drain-run" if pod.role == "head" else "rayocr-drain-node"], pod.what
            assert float(environment_of(pod)["RAYOCR_DRAIN_S"]) < grace, pod.what
    for name, cluster in ray_clusters(documents):
        head = environment_of(PodSpec(name, "head", {}, cluster["headGroupSpec"]["template"]["spec"]))
        assert float(head["RAY_JOB_STOP_WAIT_TIME_S"]) > ShutdownConfig().grace_s, name


def test_the_driver_is_probed_where_it_answers() -> None:
    (watch,) = [pod for pod in pods(render("production")) if "watch" in pod.what]
    container = watch.spec["containers"][0]
    paths = {probe: container[probe]["httpGet"]["path"] for probe in ("startupProbe", "livenessProbe", "readinessProbe")}
    assert paths == {"startupProbe": "/health", "livenessProbe": "/health", "readinessProbe": "/ready"}
    port = next(port["containerPort"] for port in container["ports"] if port["name"] == "run")
    assert port == compose([], {}).gateway.port


def test_policies_and_monitors_choose_pods_that_exist(documents: list[dict[str, Any]]) -> None:
    labels = [pod.labels for pod in pods(documents)]
    for document in documents if "RayJob" in {d["kind"] for d in documents} else [*documents, *render_with_components()]:
        if document["kind"] in ("NetworkPolicy", "PodDisruptionBudget", "PodMonitor", "PodMonitoring", "Service"):
            spec = document["spec"]
            selector = spec.get("podSelector", spec.get("selector"))
            selector = selector if document["kind"] != "Service" else {"matchLabels": selector}
            assert any(chooses(selector, found) for found in labels), (document["kind"], document["metadata"]["name"])


# -- commands and environments ----------------------------------------------------------------------------------------------


def test_every_command_is_one_that_rayocr_takes(documents: list[dict[str, Any]]) -> None:
    environment = settings(documents) | {"GEMINI_API_KEY": "k", "RAYOCR_API_TOKEN": "t", "REDIS_URL": "redis://r"}
    commands = [shlex.split(job["entrypoint"]) for _, job in [*ray_jobs(documents), *ray_jobs(examples("rayjob"))]]
    for command in commands:
        assert command[:4] == ["exec", "python", "-m", "rayocr"], "exec: a stop is a signal to the shell that Ray starts"
    watches = [pod.spec["containers"][0]["args"] for pod in pods(documents) if "watch" in pod.what]
    for options in [*map(options_of, commands), *watches]:
        config = compose(options, environment)
        assert config.workers.groups is True
        assert config.gateway.host == "0.0.0.0"
        assert config.locks.backend == "redis"


def test_every_variable_is_read_by_a_program(documents: list[dict[str, Any]]) -> None:
    for pod in pods(documents):
        if pod.what not in NOT_OURS:
            assert set(environment_of(pod)) <= READ | RAYS, pod.what
    assert set(settings(documents)) <= READ
    for secret in examples("secrets"):
        if secret["metadata"]["name"] == "rayocr-keys":
            assert set(secret["stringData"]) <= READ


def test_submitters_create_jobs_and_change_nothing_that_stays() -> None:
    (role,) = [d for d in render("production") if d["kind"] == "Role" and d["metadata"]["name"] == "rayocr-submitter"]
    created = {resource for rule in role["rules"] if "create" in rule["verbs"] for resource in rule["resources"]}
    assert created == {"rayjobs", "jobs", "pods/portforward"}


def test_no_secret_is_written_down(documents: list[dict[str, Any]]) -> None:
    assert not [document for document in documents if document["kind"] == "Secret"]
    for pod in pods(documents):
        for name, value in environment_of(pod).items():
            if re.search("KEY|TOKEN|PASSWORD", name):
                assert value == "", (pod.what, name)


def environment_of(pod: PodSpec) -> dict[str, str]:
    return {variable["name"]: variable.get("value", "") for variable in pod.spec["containers"][0].get("env", [])}


def settings(documents: list[dict[str, Any]]) -> dict[str, str]:
    found = [d for d in documents if d["kind"] == "ConfigMap" and d["metadata"]["name"].startswith("rayocr-settings-")]
    return dict(found[0]["data"])


def options_of(command: list[str]) -> list[str]:
    return command[command.index("rayocr") + 1 :]
