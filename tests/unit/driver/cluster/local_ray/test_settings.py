from __future__ import annotations

import os

import pytest

from rayocr.driver.cluster.local_ray import settings


def test_a_value_that_the_user_has_set_remains(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in settings._QUIET:
        monkeypatch.setenv(name, "")  # so that monkeypatch restores it
        monkeypatch.delenv(name)
    name, *others = settings._QUIET
    monkeypatch.setenv(name, "chosen")
    settings.apply()
    assert os.environ[name] == "chosen"
    assert all(os.environ[other] == settings._QUIET[other] for other in others)
