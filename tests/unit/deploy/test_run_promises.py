"""What docs/deployment.md promises of runs, spot machines, model servers and monitoring: each test fails without its line."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from rayocr.composition import compose
from tests.unit.deploy.rendered import examples, pods, ray_jobs, render, render_with_components
from tests.unit.deploy.test_cluster_promises import named, pod, variables

WORKERS = ("waiting", "computing")


def nightly() -> dict[str, Any]:
    return dict(named(render("production"), "CronJob", "rayocr-nightly")["spec"])


def creating_pod() -> dict[str, Any]:
    return dict(nightly()["jobTemplate"]["spec"]["template"]["spec"])


# -- nightly runs ---------------------------------------------------------------------------------------------------------


def test_a_run_starts_at_the_time_that_the_guide_names_or_within_an_hour() -> None:
    spec = nightly()
    assert (spec["schedule"], spec["timeZone"], spec["startingDeadlineSeconds"]) == ("0 1 * * *", "Etc/UTC", 3600)


def test_what_creates_the_run_finds_its_template_and_the_cluster_that_it_may_read() -> None:
    spec = creating_pod()
    assert spec["restartPolicy"] == "Never", "a Job accepts no other but OnFailure, and the log of each attempt is kept"
    command = spec["containers"][0]["command"]
    folder, _, file = command[1].rpartition("/")
    (mount,) = [mount for mount in spec["containers"][0]["volumeMounts"] if mount["mountPath"] == folder]
    (volume,) = [volume for volume in spec["volumes"] if volume["name"] == mount["name"]]
    documents = render("production")
    assert file in named(documents, "ConfigMap", volume["configMap"]["name"])["data"]
    cluster = next(word for word in command if word.startswith("--cluster=")).partition("=")[2]
    assert named(documents, "RayCluster", cluster)
    rules = named(documents, "Role", "rayocr-create-run")["rules"]
    assert [rule["resourceNames"] for rule in rules if rule["resources"] == ["rayclusters"]] == [[cluster]]


@pytest.mark.parametrize("overlay", ["dev", "production"])
def test_a_lost_driver_is_started_again_and_neither_waits_nor_runs_forever(overlay: str) -> None:
    for name, job in [*ray_jobs(render(overlay)), *ray_jobs(examples("rayjob"))]:
        assert job["backoffLimit"] == 2, name
        assert job["submissionMode"] == "K8sJobMode" and job["submitterConfig"]["backoffLimit"] == 2, name
        assert 600 <= job["preRunningDeadlineSeconds"] <= 3600, f"{name}: time for nodes, without waiting for hours"
        hour = 3600
        assert job["activeDeadlineSeconds"] + hour < 24 * hour, f"{name}: ends before the next night's run"
        never_ran = {r["policy"] for r in job["deletionStrategy"]["deletionRules"] if r["condition"].get("jobDeploymentStatus")}
        assert never_ran == {"DeleteCluster", "DeleteSelf"}, f"{name}: also if no node came"


def test_documents_with_failed_pages_do_not_fail_a_run_since_a_second_try_would_not_change_them() -> None:
    for name, job in [*ray_jobs(render("production")), *ray_jobs(examples("rayjob"))]:
        options = job["entrypoint"].split()
        config = compose(options[options.index("rayocr") + 1 :], {"GEMINI_API_KEY": "k", "REDIS_URL": "redis://r"})
        assert config.exit.partial == 0, name


def test_submitters_reach_the_head_and_can_write_what_ray_writes() -> None:
    for found in [*pods(render("production")), *pods(render("dev")), *pods(examples("rayjob"))]:
        if found.role == "submitter":
            assert found.labels["rayocr.io/ray"] == "true", "its network policy"
            paths = {mount["mountPath"] for mount in found.spec["containers"][0]["volumeMounts"]}
            assert paths == {"/tmp", "/home/rayocr"}, found.what


def test_the_trial_has_one_cluster_only() -> None:
    assert not [document for document in render("dev") if document["kind"] == "RayCluster"]


# -- spot machines, priorities ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("group", WORKERS)
def test_workers_run_on_spot_machines_and_end_in_the_time_that_they_get(group: str) -> None:
    found = pod(render("spot"), f", {group}")
    assert found.spec["nodeSelector"] == {"cloud.google.com/gke-spot": "true"}
    assert [(each["key"], each["effect"]) for each in found.spec["tolerations"]] == [("cloud.google.com/gke-spot", "NoSchedule")]
    assert float(variables(found)["RAYOCR_DRAIN_S"]) < found.spec["terminationGracePeriodSeconds"] <= 15


def test_what_a_run_hangs_on_stays_on_regular_machines() -> None:
    for found in pods(render("spot")):
        if not found.what.endswith(WORKERS):
            assert "nodeSelector" not in found.spec, found.what


def test_workers_push_nothing_else_out() -> None:
    workers = named(render_with_components(), "PriorityClass", "rayocr-workers")
    assert workers["preemptionPolicy"] == "Never"
    assert pod(render_with_components(), "RayCluster rayocr, head").spec["priorityClassName"] == "rayocr-control"


# -- the model server -------------------------------------------------------------------------------------------------------


def test_the_model_server_gets_a_gpu_and_one_disk_and_writes_only_where_it_may() -> None:
    documents = render("gpu")
    deployment = named(documents, "Deployment", "rayocr-vllm")["spec"]
    assert deployment["strategy"] == {"type": "Recreate"}, "the disk is mounted by one pod"
    spec = deployment["template"]["spec"]
    (container,) = spec["containers"]
    resources = container["resources"]
    assert resources["requests"]["nvidia.com/gpu"] == resources["limits"]["nvidia.com/gpu"] == "1"
    assert spec["nodeSelector"] == {"cloud.google.com/gke-accelerator": "nvidia-l4"}
    assert [(each["key"], each["effect"]) for each in spec["tolerations"]] == [("nvidia.com/gpu", "NoSchedule")]
    mounts = {mount["mountPath"]: mount["name"] for mount in container["volumeMounts"]}
    assert set(mounts) == {"/models", "/dev/shm", "/tmp"}
    (disk,) = [volume for volume in spec["volumes"] if volume["name"] == mounts["/models"]]
    assert named(documents, "PersistentVolumeClaim", disk["persistentVolumeClaim"]["claimName"])
    written = {
        v["name"]: v["value"] for v in container["env"] if v["name"] == "HOME" or v["name"].endswith(("_HOME", "_ROOT", "_DIR"))
    }
    assert {"HOME", "HF_HOME", "VLLM_CACHE_ROOT"} <= set(written)
    assert all(path.startswith("/models") for path in written.values()), "the root file system is read-only"


def test_the_overlay_reads_with_the_model_server_and_not_with_gemini_at_night() -> None:
    documents = render("gpu")
    options = named(documents, "Deployment", "rayocr-watch")["spec"]["template"]["spec"]["containers"][0]["args"]
    environment = {"OPENAI_BASE_URL": "http://rayocr-vllm:8000/v1", "REDIS_URL": "redis://r", "GEMINI_API_KEY": "k"}
    config = compose(options, environment)
    assert [link for link in config.engine.chain if link == "gemini"] == [] and "openai" in config.engine.chain
    assert named(documents, "CronJob", "rayocr-nightly")["spec"]["suspend"] is True


# -- monitoring -------------------------------------------------------------------------------------------------------------


def test_the_monitoring_component_has_alerts_and_the_dashboard() -> None:
    documents = render_with_components()
    rule = named(documents, "PrometheusRule", "rayocr")
    assert len(rule["spec"]["groups"][0]["rules"]) > 10
    assert yaml.safe_load(named(documents, "ConfigMap", "rayocr-dashboard")["data"]["rayocr.json"])["panels"]


def test_googles_collectors_may_read_the_token_that_the_metrics_ask_for_and_nothing_else() -> None:
    documents = render_with_components()
    monitoring = named(documents, "PodMonitoring", "rayocr-run")["spec"]["endpoints"][0]
    secret = monitoring["authorization"]["credentials"]["secret"]
    (rule,) = named(documents, "Role", "rayocr-metrics-token")["rules"]
    assert rule["resourceNames"] == [secret["name"]] and rule["verbs"] == ["get", "list", "watch"]
    subjects = named(documents, "RoleBinding", "rayocr-metrics-token")["subjects"]
    assert {(each["name"], each["namespace"]) for each in subjects} == {
        ("collector", "gmp-system"),
        ("collector", "gke-gmp-system"),
    }
    (offered,) = [s for s in examples("secrets") if s["metadata"]["name"] == secret["name"]]
    assert secret["key"] in offered["stringData"]
