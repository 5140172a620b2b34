"""Unit tests build plain objects: one that starts Ray is in the wrong folder."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def ray_must_not_start(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    if "ray" in sys.modules:

        def refuse(*_: object, **__: object) -> None:
            raise AssertionError("a unit test called ray.init")

        monkeypatch.setattr(sys.modules["ray"], "init", refuse)
