"""Identifies the rayocr build of a process. Driver and workers compare it, because pickled objects require the same version."""

from __future__ import annotations

import os

from rayocr import __version__


def build_id() -> str:
    """The version and, if known, the commit of the image (RAYOCR_REVISION, set by docker/Dockerfile)."""
    revision = os.environ.get("RAYOCR_REVISION", "")
    return f"{__version__}+{revision[:12]}" if revision not in ("", "unknown") else __version__
