"""`python tests/unit/deploy/derive_manifests.py`: writes the two manifests that are derived from other files.

Kustomize reads no file outside its folder, so the monitoring component has a copy of docker/prometheus/alerts.yml; an example for
`kubectl create -f` must be self-contained. Tests compare both with their originals.
"""

from __future__ import annotations

import re
from pathlib import Path

PROJECT = Path(__file__).parents[3]
KUBERAY = PROJECT / "kuberay"
RULE = KUBERAY / "components" / "monitoring" / "alerts.yaml"
EXAMPLE = KUBERAY / "examples" / "rayjob.yaml"
_RULE_HEAD = """# Generated from docker/prometheus/alerts.yml by tests/unit/deploy/derive_manifests.py; edit it there.
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata:
  name: rayocr
  labels: {release: kube-prometheus-stack}
spec:
"""
_EXAMPLE_HEAD = """# One run on its own cluster, beside kuberay/overlays/production, whose Secrets and Redis it uses.
# Replace the words in capitals, then
#
#   kubectl create -f kuberay/examples/rayjob.yaml
#
# as often as you like: each run gets its own name. tests/unit/deploy/derive_manifests.py generates this file from
# kuberay/base/cluster.yaml and kuberay/run/nightly/rayjob.yaml.
"""
_NOT_IN_JOBS = ("upgradeStrategy", "gcsFaultToleranceOptions")


def rule() -> str:
    lines = (PROJECT / "docker" / "prometheus" / "alerts.yml").read_text().splitlines()
    return _RULE_HEAD + "".join(f"  {line}\n" if line else "\n" for line in lines[lines.index("groups:") :])


def example() -> str:
    job = _without_leading_comments((KUBERAY / "run" / "nightly" / "rayjob.yaml").read_text())
    job = job.replace("  name: rayocr-run\n", "  generateName: rayocr-run-\n  namespace: rayocr\n")
    job = job.replace("engine=gemini", "source=gs://BUCKET/in dest=gs://BUCKET/out engine=gemini")
    cluster = _without_leading_comments((KUBERAY / "base" / "cluster.yaml").read_text())
    fields = re.split(r"(?=^  (?:#|\w))", cluster.partition("\nspec:\n")[2], flags=re.MULTILINE)
    kept, comment = [], ""
    for field in fields:
        if field.startswith("  #"):
            comment += field
            continue
        if not field.strip().startswith(_NOT_IN_JOBS):
            kept.append(comment + field)
        comment = ""
    body = "".join(f"  {line}\n" if line else "\n" for line in "".join(kept).splitlines())
    text = f"{_EXAMPLE_HEAD}{job}  rayClusterSpec:\n{body}"
    text = text.replace("image: rayocr\n", "image: REGION-docker.pkg.dev/PROJECT_ID/rayocr/rayocr:0.1.0\n")
    return text.replace("                - configMapRef: {name: rayocr-settings}\n", "")


def _without_leading_comments(text: str) -> str:
    return text[text.index("apiVersion:") :]


if __name__ == "__main__":
    RULE.write_text(rule())
    EXAMPLE.write_text(example())
