"""docker/bin/rayocr-create-run against a small Kubernetes API: what the nightly CronJob's pod runs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.unit.deploy.rendered import KUBERAY, check, render

SCRIPT = Path(__file__).parents[3] / "docker" / "bin" / "rayocr-create-run"


class Api:
    def __init__(self) -> None:
        self.jobs: list[dict[str, Any]] = []
        self.cluster: dict[str, Any] = {}
        self.asked: list[str] = []
        self.created: list[dict[str, Any]] = []
        self.refuse = 0
        self.server = HTTPServer(("127.0.0.1", 0), self._handler())
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def _handler(api) -> type[BaseHTTPRequestHandler]:
        class Handler(BaseHTTPRequestHandler):
            def _answer(self, status: int, body: Any) -> None:
                text = json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def do_GET(self) -> None:
                api.asked.append(self.path)
                assert self.headers["Authorization"] == "Bearer of-the-account"
                self._answer(200, {"items": api.jobs} if "/rayjobs" in self.path else api.cluster)

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                if api.refuse:
                    self._answer(api.refuse, {"message": "denied by a webhook"})
                    return
                api.created.append(body)
                self._answer(201, body | {"metadata": body["metadata"] | {"name": body["metadata"]["generateName"] + "x7k2p"}})

            def log_message(self, *_: Any) -> None:
                """Does not log requests."""

        return Handler


@pytest.fixture
def api() -> Iterator[Api]:
    api = Api()
    (api.cluster,) = [d for d in json.loads(json.dumps(render("production"))) if d["kind"] == "RayCluster"]
    # Changed by the autoscaler.
    api.cluster["spec"]["workerGroupSpecs"][1] |= {"replicas": 7, "scaleStrategy": {"workersToDelete": ["a"]}}
    api.cluster["status"] = {"state": "ready"}
    yield api
    api.server.shutdown()
    api.server.server_close()


def create_run(api: Api, tmp_path: Path, *options: str) -> subprocess.CompletedProcess[str]:
    (tmp_path / "token").write_text("of-the-account")
    (tmp_path / "namespace").write_text("rayocr")
    environment = os.environ | {
        "RAYOCR_SERVICE_ACCOUNT": str(tmp_path),
        "RAYOCR_KUBERNETES_API": f"http://127.0.0.1:{api.server.server_port}",
    }
    template = KUBERAY / "run" / "nightly" / "rayjob.yaml"
    command = [sys.executable, SCRIPT, template, "--cluster=rayocr", *options]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=600, check=False)


def test_the_run_gets_a_fresh_copy_of_the_cluster(api: Api, tmp_path: Path) -> None:
    done = create_run(api, tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert "rayocr-run-x7k2p" in done.stdout
    (job,) = api.created
    check(job)
    cluster = job["spec"]["rayClusterSpec"]
    assert not {"gcsFaultToleranceOptions", "upgradeStrategy"} & set(cluster)
    assert cluster["workerGroupSpecs"][1]["replicas"] == 0 and "scaleStrategy" not in cluster["workerGroupSpecs"][1]
    assert "name" not in job["metadata"], "a Job of KubeRay's gets the RayJob's name, which must not be that of the CronJob's Job"
    submitter = job["spec"]["submitterPodTemplate"]["spec"]["containers"][0]["image"]
    assert submitter == cluster["headGroupSpec"]["template"]["spec"]["containers"][0]["image"] != "rayocr"
    assert {rule["policy"] for rule in job["spec"]["deletionStrategy"]["deletionRules"]} == {"DeleteCluster", "DeleteSelf"}


@pytest.mark.parametrize("state", ["", "Initializing", "Running", "Suspended", "Retrying"])
def test_while_a_run_is_unfinished_none_is_created(api: Api, tmp_path: Path, state: str) -> None:
    api.jobs = [{"metadata": {"name": "rayocr-run-old"}, "status": {"jobDeploymentStatus": state}}]
    done = create_run(api, tmp_path)
    assert done.returncode == 0 and "rayocr-run-old is unfinished" in done.stdout
    assert not api.created
    assert api.asked == ["/apis/ray.io/v1/namespaces/rayocr/rayjobs?labelSelector=rayocr.io/created-by%3Drayocr"]


@pytest.mark.parametrize("state", ["Complete", "Failed"])
def test_a_finished_run_does_not_prevent_a_new_one(api: Api, tmp_path: Path, state: str) -> None:
    api.jobs = [{"metadata": {"name": "rayocr-run-old"}, "status": {"jobDeploymentStatus": state}}]
    assert create_run(api, tmp_path).returncode == 0
    assert api.created[0]["metadata"]["labels"]["rayocr.io/created-by"] == "rayocr"


def test_a_queued_run_has_what_kueue_asks_for(api: Api, tmp_path: Path) -> None:
    assert create_run(api, tmp_path, "--queue=night").returncode == 0
    (job,) = api.created
    check(job)
    assert job["metadata"]["labels"]["kueue.x-k8s.io/queue-name"] == "night"
    assert job["metadata"]["annotations"]["kueue.x-k8s.io/elastic-job"] == "true"
    assert job["spec"]["shutdownAfterJobFinishes"] and "deletionStrategy" not in job["spec"], "KubeRay refuses both"


def test_a_refusal_is_shown_and_the_job_tries_again(api: Api, tmp_path: Path) -> None:
    api.refuse = 403
    done = create_run(api, tmp_path)
    assert done.returncode == 1
    assert "denied by a webhook" in done.stderr and "Traceback" not in done.stderr
