"""The build identity that driver and workers compare before they work together."""

from __future__ import annotations

import re

import pytest

from rayocr import __version__
from rayocr.build import build_id
from tests.unit.deploy.test_docker import DOCKER


def test_two_images_of_one_version_differ_by_their_commits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAYOCR_REVISION", "0123456789abcdef0123")
    assert build_id() == f"{__version__}+0123456789ab"


@pytest.mark.parametrize("revision", ["", "unknown"])
def test_without_a_known_commit_the_version_counts(monkeypatch: pytest.MonkeyPatch, revision: str) -> None:
    monkeypatch.setenv("RAYOCR_REVISION", revision)
    assert build_id() == __version__


def test_the_image_knows_its_commit() -> None:
    assert re.search(r"RAYOCR_REVISION=\$\{REVISION\}", (DOCKER / "Dockerfile").read_text())
