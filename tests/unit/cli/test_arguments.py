"""`rayocr IN [OUT] key=value…`, sub-commands and flags become overrides; the older form passes through."""

from __future__ import annotations

from pathlib import Path

import pytest

from rayocr.cli.arguments import COMMANDS, parse
from rayocr.composition import compose
from rayocr.config import Mode
from rayocr.errors import UsageError


@pytest.mark.parametrize(
    ("arguments", "overrides"),
    [
        (["source=in/", "dest=out/"], ["source=in/", "dest=out/"]),
        (["in/"], ["source=in/"]),
        (["in/", "out/", "engine=local"], ["source=in/", "dest=out/", "engine=local"]),
        (["engine=local", "in/", "out/"], ["source=in/", "dest=out/", "engine=local"]),
        (["gs://b/in", "gs://b/out"], ["source=gs://b/in", "dest=gs://b/out"]),
        (["status", "out/"], ["mode=status", "dest=out/"]),
        (["report", "gs://b/out", "report.run=all"], ["mode=report", "dest=gs://b/out", "report.run=all"]),
        (["retry", "out/"], ["mode=retry", "dest=out/"]),
        (["retry", "in/", "out/", "retry.rejected=true"], ["mode=retry", "source=in/", "dest=out/", "retry.rejected=true"]),
        (["watch", "in/", "out/"], ["mode=watch", "source=in/", "dest=out/"]),
        (["login", "drive"], ["mode=login", "login.service=drive"]),
        (["mode=login", "drive"], ["login.service=drive", "mode=login"]),
        (["mode=status", "out/"], ["dest=out/", "mode=status"]),
        (["-q", "in/"], ["source=in/", "progress=none"]),
        (["run", "in/", "out/"], ["source=in/", "dest=out/"]),
        (["-"], ["source=-", "dest=-"]),
        (["-", "out/"], ["source=-", "dest=out/"]),
        (["-", "dest=out/"], ["source=-", "dest=out/"]),
    ],
)
def test_the_short_form_sets_the_same_options(arguments: list[str], overrides: list[str]) -> None:
    assert list(parse(arguments).overrides) == overrides


def test_a_path_that_looks_like_an_option_or_a_command_is_a_path_if_it_exists(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a=b").mkdir()
    (tmp_path / "status").mkdir()
    assert list(parse(["a=b", "out"]).overrides) == ["source=a=b", "dest=out"]
    assert list(parse(["status", "out"]).overrides) == ["source=status", "dest=out"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--source", "in"], "Unknown flag --source"),
        (["in", "--overwrite"], "overwrite=true"),
        (["./a", "b", "c"], "Cannot use 'c'"),
        (["read", "../in", "out"], "'read' is neither a command nor a folder"),
        (["./in", "out", "limits.rpm"], "The option limits.rpm has no value"),
        (["./in", "out", "dest"], "has no value"),
        (["in", "limits.rpm"], "The option limits.rpm has no value"),
        (["status", "a", "b"], "Cannot use 'b'"),
        (["status", "a", "mode=run"], "Remove mode=run"),
        (["--completion", "powershell"], "No completion"),
        (["--config"], "has no value"),
        (["--config", "missing.yaml"], "Cannot read the configuration file missing.yaml"),
    ],
)
def test_wrong_usage_is_one_line(arguments: list[str], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        parse(arguments)


def test_options_of_a_file_apply_before_those_of_the_command_line(tmp_path: Path) -> None:
    file = tmp_path / "run.yaml"
    file.write_text(
        "source: in folder/[1],x\nlimits: {rpm: 600, models: {gemini: {rpm: 5}}}\ninclude: ['Anhänge (1).pdf', \"it's\"]\n"
        "outputs: [markdown]\nbudget:\n  usd: 20\n"
    )
    config = compose(parse(["--config", str(file), "budget.usd=5"]).overrides, environment={})
    assert config.source == "in folder/[1],x"
    assert config.include == ["Anhänge (1).pdf", "it's"]
    assert (config.limits.rpm, config.limits.models["gemini"].rpm, config.budget.usd) == (600, 5, 5)


def test_the_sub_commands_are_the_modes() -> None:
    assert set(COMMANDS) == {mode.value for mode in Mode}
