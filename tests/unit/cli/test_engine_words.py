"""The first lines of a run say where pages are sent, and which options have no effect."""

from __future__ import annotations

from pathlib import Path

import pytest

from rayocr.cli import main
from rayocr.cli.engine_words import unused_engine_options
from rayocr.composition import compose
from rayocr.config import Secrets
from rayocr.driver import run
from rayocr.engines.gemini.engine import GeminiEngine
from rayocr.errors import CredentialsError, UsageError


def stopped(*_: object, **__: object) -> None:
    raise UsageError("This test starts no run.")


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(run, "Run", stopped)
    (tmp_path / "in").mkdir()
    return tmp_path


@pytest.mark.usefixtures("here")
def test_a_key_that_chooses_gemini_is_announced(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("GEMINI_API_KEY", "a-key-of-the-test")
    main(["in", "out", "gateway.enabled=false"])
    assert "pages are sent to Google; engine=local reads on this machine only" in " ".join(capsys.readouterr().out.split())
    main(["in", "out", "gateway.enabled=false", "engine=gemini"])
    assert "sent to Google" not in capsys.readouterr().out


@pytest.mark.usefixtures("here")
def test_a_missing_key_stops_the_command_line_and_the_engine_with_the_same_words(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("GEMINI_API_KEY", "GOOGLE_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    assert main(["in", "out", "engine=gemini", "gateway.enabled=false"]) == 3
    said = capsys.readouterr().err
    engine = GeminiEngine(compose([], {}).engine.gemini, prompt="Read it.", secrets=Secrets())
    with pytest.raises(CredentialsError) as raised:
        engine.open()
    assert f"rayocr: {raised.value}\n  {raised.value.hint}\n" == said


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (
            ["engine=local", "engine.gemini.prompt=translate"],
            "engine.gemini.prompt has no effect, because the chain",
        ),
        (["engine=gemini", "engine.gemini.prompt=translate"], ""),
        (["engine=local", "engine.openai.dpi=100", "limits.rpm=3"], "engine.openai.dpi has no effect"),
        (["engine=local", "engine.on_outage=fallback"], ""),
    ],
)
def test_options_of_an_engine_that_is_not_asked_are_named(options: list[str], words: str) -> None:
    said = unused_engine_options(compose(options, {}), [option.partition("=")[0] for option in options])
    assert said.startswith(words) if words else said == ""


@pytest.mark.usefixtures("here")
def test_the_warning_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    main(["in", "out", "gateway.enabled=false", "engine=textlayer", "engine.gemini.prompt=translate"])
    assert "engine.gemini.prompt has no effect" in " ".join(capsys.readouterr().out.split())
