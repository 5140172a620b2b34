"""`python tests/unit/deploy/derive_schemas.py FOLDER`: regenerates kuberay-schemas/*.json.gz from KubeRay's CRDs in FOLDER.

Omits descriptions and makes everything strict: unknown fields are errors wherever the CRD lists its fields.
"""

from __future__ import annotations

import gzip
import json
import sys
from pathlib import Path
from typing import Any

import yaml

KINDS = {"RayCluster": "rayclusters", "RayJob": "rayjobs", "RayService": "rayservices"}
SCHEMAS = Path(__file__).parent / "kuberay-schemas"


def strict(node: Any) -> Any:
    """Converts an openAPIV3Schema to a JSON Schema that rejects unknown fields."""
    if isinstance(node, list):
        return [strict(item) for item in node]
    if not isinstance(node, dict):
        return node
    kept = {
        key: {name: strict(value) for name, value in inner.items()} if key == "properties" else strict(inner)
        for key, inner in node.items()
        if not key.startswith("x-kubernetes-") and not (key == "description" and isinstance(inner, str)) and key != "default"
    }
    if node.get("x-kubernetes-int-or-string"):
        kept.pop("anyOf", None)
        kept["type"] = ["integer", "string"]
    if "properties" in kept and not node.get("x-kubernetes-preserve-unknown-fields"):
        kept.setdefault("additionalProperties", False)
    return kept


def main(folder: Path) -> None:
    for kind, plural in KINDS.items():
        crd = yaml.safe_load((folder / f"ray.io_{plural}.yaml").read_text())
        version = next(version for version in crd["spec"]["versions"] if version["name"] == "v1")
        schema = strict(version["schema"]["openAPIV3Schema"])
        schema["properties"]["metadata"] = {"type": "object"}  # a type of Kubernetes, which its own schemas check
        packed = gzip.compress(json.dumps(schema, separators=(",", ":")).encode(), 9, mtime=0)
        (SCHEMAS / f"{kind}.json.gz").write_bytes(packed)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
