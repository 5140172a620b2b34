"""`rayocr` alone says what it reads."""

from __future__ import annotations

from pathlib import Path

import pytest

from rayocr.cli import main
from rayocr.driver import run
from rayocr.errors import UsageError


def stopped(*_: object, **__: object) -> None:
    raise UsageError("This test starts no run.")


@pytest.mark.parametrize(("arguments", "said"), [([], True), (["dest=out"], False), (["."], False)])
def test_the_samples_are_announced_if_neither_source_nor_destination_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], arguments: list[str], said: bool
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(run, "Run", stopped)
    assert main([*arguments, "engine=textlayer", "gateway.enabled=false", "allow_dest_in_source=true"]) == 2
    assert ("No IN was given: reading the bundled samples into output/." in capsys.readouterr().out) is said
