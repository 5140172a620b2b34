"""Identifies the rayocr build of a process. Driver and workers compare it, because pickled objects require the same version."""

from __future__ import annotations

import os
from typing import Any

from rayocr import __version__
from rayocr.errors import ClusterUnavailable


def build_id() -> str:
    """Returns the version and, if known, the commit of the image (RAYOCR_REVISION, set by docker/Dockerfile)."""
    revision = os.environ.get("RAYOCR_REVISION", "")
    return f"{__version__}+{revision[:12]}" if revision not in ("", "unknown") else __version__


def check_build(info: Any) -> None:
    """Raises ClusterUnavailable if the version of a worker differs, for example during an upgrade of the cluster. `info`: the
    worker's WorkerInfo."""
    theirs = getattr(info, "build", "of an older version")  # an unpickled message lacks fields that its sender did not have
    if theirs != (ours := build_id()):
        raise ClusterUnavailable(
            f"The worker on {info.host} runs rayocr {theirs}, and this driver rayocr {ours}; they cannot work together.",
            hint="Use the same image for driver and nodes, then start the same command again: it resumes.",
        )
