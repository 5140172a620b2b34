"""`--help` describes every option; `--completion` prints a script that the shell accepts."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from rayocr.cli import main
from rayocr.cli.arguments import COMMAND_FLAGS, COMMANDS, FLAGS
from rayocr.cli.completion import completion_script, values_of
from rayocr.cli.help_text import help_text
from rayocr.composition import compose, conf_dir
from rayocr.config.describe import describe_options
from rayocr.errors import DocumentError, EngineError, UsageError
from rayocr.failure_reasons import explanation
from rayocr.outputs.registry import _OUTPUTS
from rayocr.overrides import kind_of

PROJECT = Path(__file__).parents[3]


def tree(kind: type) -> list[type]:
    """All classes below this one."""
    return [found for child in kind.__subclasses__() if child.__module__.startswith("rayocr.") for found in (child, *tree(child))]


def test_every_option_has_a_meaning_and_help_of_its_own() -> None:
    for option in describe_options():
        assert option.meaning, option.name
        assert f"  {option.name}={option.default}" in help_text(option.name)


def test_help_of_a_group_lists_its_options() -> None:
    text = help_text("watch.settle_s") + help_text("budget")
    assert "watch.settle_s=10.0" in text
    assert "budget.usd=null" in text


def test_a_misspelled_topic_gets_a_suggestion_and_exit_2(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help", "limits.rmp"]) == 2
    assert "--help limits.rpm" in capsys.readouterr().err


def test_help_of_a_word_lists_the_options_that_mention_it() -> None:
    text = help_text("language")
    assert text.index("engine.tesseract.languages=[auto]") > text.index("engine.gemini.target_language=")
    assert "exit.partial=" in help_text("exit code")


def test_no_help_refers_to_the_option_before_it() -> None:
    for option in describe_options():
        assert not re.search(r"\b(likewise|ditto|that picture)\b|^in addition", option.meaning), option.name


def test_help_of_a_failure_says_what_it_means_and_what_helps() -> None:
    text = help_text("NotAPdf")
    assert text.startswith("NotAPdf: The file is not a PDF")
    assert "A retry of the unchanged file cannot help." in text
    assert help_text("notapdf") == text
    assert "retry" in help_text("EngineTimeout")
    assert "cannot help" not in help_text("Quarantined")


GLOSSARY = (PROJECT / "docs" / "glossary.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("word", sorted(set(re.findall(r"^\| \*\*(.+?)\*\*", GLOSSARY, re.MULTILINE))))
def test_every_word_of_the_glossary_is_explained(word: str) -> None:
    options = {option.name for option in describe_options()}
    text = help_text(word)
    assert word in (*COMMANDS, *options) or text.lower().startswith(word.lower()), text.splitlines()[0]


def test_words_have_several_forms() -> None:
    assert help_text("Shards").startswith("shard: ")
    assert help_text("dead-letter").startswith("dead letter: ")
    assert "Options that mention it:" in help_text("shard")
    assert help_text("ledger").startswith("ledger: The durable record"), "a word and a group of options"


def test_a_word_of_the_server_is_explained_by_its_failure() -> None:
    assert help_text("MAX_TOKENS").splitlines()[:2] == [
        "MAX_TOKENS is the server's word.",
        help_text("Truncated").splitlines()[0],
    ]
    assert "Refused: " in help_text("RECITATION")


@pytest.mark.parametrize("flag", FLAGS)
def test_every_flag_is_explained(flag: str) -> None:
    for topic in (flag, flag.lstrip("-")):
        assert flag in help_text(topic)


@pytest.mark.parametrize("reason", [kind.__name__ for kind in (*tree(DocumentError), *tree(EngineError))])
def test_every_reason_of_a_failure_is_explained(reason: str) -> None:
    found = explanation(reason)
    assert found is not None
    assert found.meaning or reason in ("EngineTransient", "BadAnswer"), reason


def test_the_overview_names_every_engine() -> None:
    configured = {path.stem for path in (conf_dir() / "engine").glob("*.yaml")}
    (line,) = (line for line in help_text("").splitlines() if line.startswith("  engine="))
    assert set(line.split()[0].removeprefix("engine=").split("|")) == configured


@pytest.mark.parametrize("arguments", ["--help", "-h", "help", "retry --help", "--help retry", "--help=retry", "help limits.rpm"])
def test_help_ends_with_0(arguments: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments.split()) == 0
    assert capsys.readouterr().out.strip()


def completed(folder: Path, *words: str) -> list[str]:
    """What bash offers for the last word."""
    bash = shutil.which("bash")
    assert bash
    given = " ".join(shlex.quote(word) for word in words)
    call = f'COMP_WORDS=(rayocr {given}); COMP_CWORD={len(words)}; _rayocr; printf "%s\\n" "${{COMPREPLY[@]}}"'
    script = f"{completion_script('bash')}\n{call}"
    return subprocess.run([bash, "-c", script], capture_output=True, text=True, check=True, cwd=folder).stdout.splitlines()


def test_bash_completes_folders_and_pdfs_before_options(tmp_path: Path) -> None:
    (tmp_path / "in put").mkdir()
    for name in ("invoice.pdf", "index.txt"):
        (tmp_path / name).touch()
    found = completed(tmp_path, "in")
    assert found[:2] == ["in\\ put/", "invoice.pdf"]
    assert "include=" in found and "index.txt" not in found
    assert {"limits.rpm=", "limits.rpd="} <= set(completed(tmp_path, "limits.rp"))


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (["engine", "=", "loc"], ["local"]),  # as bash splits words
        (["engine", "="], ["auto", "gemini", "local", "openai", "rapidocr", "tesseract", "textlayer"]),
        (["engine=loc"], ["engine=local"]),  # without `=` in COMP_WORDBREAKS
        (["outputs", "=", "[markdown,cl"], ["[markdown,clean_pdf"]),
        (["overwrite", "=", "t"], ["true"]),
        (["objective", "=", "d"], ["deadline"]),
        (["dest", "=", "o"], ["out/"]),
    ],
)
def test_bash_completes_the_values_of_options(tmp_path: Path, words: list[str], offered: list[str]) -> None:
    (tmp_path / "out").mkdir()
    assert completed(tmp_path, *words) == offered


def test_zsh_and_fish_get_the_same_values() -> None:
    assert "engine) values=(auto gemini local" in completion_script("zsh")
    assert "complete -c rayocr -a 'engine=local'\n" in completion_script("fish")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_can_read_its_script(tmp_path: Path, shell: str) -> None:
    if not (program := shutil.which(shell)):
        pytest.skip(f"{shell} is not installed")
    (tmp_path / "script").write_text(completion_script(shell))
    subprocess.run([program, "-n", str(tmp_path / "script")], check=True)


def test_the_values_that_completion_offers_are_those_that_the_options_take() -> None:
    for option in describe_options():
        if kind_of(option.name) in ("int", "float") or option.name == "locks.backend":
            continue
        try:
            compose([f"{option.name}=zz9"], {})
        except UsageError as error:
            if named := re.search(r"Choose one of (.+)\.$", error.hint or ""):
                assert set(values_of(option.name).split()) == set(named[1].split(", ")), option.name
    assert values_of("outputs").split() == list(_OUTPUTS)


def test_the_report_covers_the_runs_that_its_help_names() -> None:
    assert compose([], {}).report.run == "all"
    assert "all runs as one HTML file" in help_text("")
    assert "all runs" in help_text("report")
    assert "[OUT]" in help_text("estimate")


def test_help_of_a_command_names_each_flag_once() -> None:
    for command in ("reread", "correct"):
        text = help_text(command)
        for flag, option in COMMAND_FLAGS[command].items():
            assert flag in text
            assert f"{option}=" not in text


def test_only_close_words_are_suggested() -> None:
    with pytest.raises(UsageError) as raised:
        help_text("frobnicate")
    assert raised.value.hint == "Run rayocr --help."
    with pytest.raises(UsageError) as raised:
        help_text("EncriptedPdf")
    assert raised.value.hint == "Did you mean --help EncryptedPdf?"


def test_samples_that_exist_are_kept_and_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "letter.pdf").write_bytes(b"mine")
    assert main(["--samples", str(tmp_path)]) == 0
    said = capsys.readouterr().out
    assert "Copied" not in said
    assert said.startswith(f"{tmp_path}/ has files of these names already, which are unchanged: letter.pdf\n")
    assert (tmp_path / "letter.pdf").read_bytes() == b"mine"
    assert (tmp_path / "table.pdf").exists()
