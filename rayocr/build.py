"""Which rayocr a process runs. Driver and workers compare it: they exchange pickled objects, which other versions misread."""

from __future__ import annotations

import os

from rayocr import __version__


def build_id() -> str:
    """The version, and the commit that the image was built from where it is known (RAYOCR_REVISION, set by docker/Dockerfile)."""
    revision = os.environ.get("RAYOCR_REVISION", "")
    return f"{__version__}+{revision[:12]}" if revision not in ("", "unknown") else __version__
