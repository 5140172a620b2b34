"""`rayocr` alone says what it reads."""

from __future__ import annotations

from pathlib import Path

import pytest

from rayocr.cli import main
from rayocr.driver import run
from rayocr.errors import UsageError


def stopped(*_: object, **__: object) -> None:
    raise UsageError("This test starts no run.")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "No IN was given: reading the bundled samples into output/."),
        (["dest=out"], "No IN was given: reading the bundled samples into out/."),
        (["."], ""),
    ],
)
def test_the_samples_are_announced_if_no_source_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(run, "Run", stopped)
    assert main([*arguments, "engine=textlayer", "gateway.enabled=false", "allow_dest_in_source=true"]) == 2
    printed = capsys.readouterr().out
    assert said in printed if said else "No IN was given" not in printed
