"""Brackets in the patterns of include= and exclude=, and patterns that match nothing."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from rayocr.actors.discovery.actor import Discovery
from rayocr.cli.arguments import parse
from rayocr.composition import compose
from rayocr.config import RayocrConfig
from rayocr.driver.monitor.nothing_to_read import nothing_passes
from rayocr.driver.plan import plan
from rayocr.driver.retry_selection import command_on, discovery_rules
from rayocr.errors import UsageError
from rayocr.messages import DiscoveryTotals
from rayocr.overrides import pattern_option, quoted
from rayocr.storage.name_patterns import matches
from tests.unit.driver.earlier.test_missing_outputs import started
from tests.unit.pdf import pdfs

NASTY = (
    "b [x].pdf",
    "[bold red]X[x].pdf",
    "[ab].pdf",
    "foo[/bold].pdf",
    "scan,with,commas.pdf",
    "it's [1], really.pdf",
    'say "hi".pdf',
    "$HOME `id` !x.pdf",
    "back\\slash [x].pdf",
    "a{b}c.pdf",
    "=x.pdf",
    "Übersicht (1) & 2.pdf",
    " lead and trail .pdf",
    "#1;2.pdf",
    "null.pdf",
    "a:b.pdf",
)


def listed(tmp_path: Path, *overrides: str, names: tuple[str, ...]) -> tuple[list[str], DiscoveryTotals]:
    for name in names:
        path = tmp_path / "in" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"%PDF")
    config = compose([f"source={tmp_path}/in", f"dest={tmp_path}/out", "engine=textlayer", *overrides], {})
    planned = plan(config)
    batch = Discovery(planned.source, planned.state, discovery_rules(config, planned)).next_batch(1000)
    return sorted(document.name for document in batch.documents), batch.totals


def test_the_name_of_a_document_matches_this_document_only(tmp_path: Path) -> None:
    names = ("a [x].pdf", "a x.pdf", "b.pdf")
    assert listed(tmp_path, "include=a [x].pdf", names=names)[0] == ["a [x].pdf"]
    assert listed(tmp_path, "exclude=a [x].pdf", names=names)[0] == ["a x.pdf", "b.pdf"]


def test_brackets_are_characters_or_a_choice_of_characters(tmp_path: Path) -> None:
    names = ("Ordner [x]/a.pdf", "b1.pdf", "b2.pdf", "b3.pdf")
    assert listed(tmp_path, "include=Ordner [x]/*", names=names)[0] == ["Ordner [x]/a.pdf"]
    assert listed(tmp_path, "include=b[12].pdf", names=names)[0] == ["b1.pdf", "b2.pdf"]
    assert listed(tmp_path, "exclude=[[]x*", names=names)[1].unmatched == ("[[]x*",)
    assert matches("a [x].pdf", "a [[]x].pdf")
    assert not matches("a x.pdf", "a [[]x].pdf")


@pytest.mark.parametrize("name", NASTY)
def test_a_pattern_that_a_message_prints_can_be_pasted(tmp_path: Path, name: str) -> None:
    for option in ("include", "exclude"):
        words = shlex.split(pattern_option(option, name))
        line = parse(["in", "out", *words])
        config = compose(line.overrides, {})
        assert getattr(config, option) == [name]
    found, totals = listed(tmp_path, f"include={quoted([name])}", names=(name, "other.pdf"))
    assert found == [name]
    assert not totals.unmatched


@pytest.mark.parametrize("name", NASTY)
def test_the_hint_for_options_that_leave_out_everything_works(tmp_path: Path, name: str) -> None:
    for folder in ("", f"{name.removesuffix('.pdf')}/"):
        config = RayocrConfig(include=[folder.rstrip("/") or "missing.pdf"])
        error = nothing_passes(config, DiscoveryTotals(filtered=1, filtered_name=folder + name))
        assert error is not None
        assert error.hint is not None
        words = error.hint.partition(": write " if folder else "For that document: ")[2].removesuffix(" for a folder.")
        pasted = compose(parse(shlex.split(f"rayocr in out {words}")[1:]).overrides, {}).include
        assert len(pasted) == 1
        assert matches(folder + name, pasted[0])


@pytest.mark.parametrize("name", [name for name in NASTY if "," in name and not set(name) & set("'\"")])
def test_the_hint_for_a_name_with_commas_works(name: str) -> None:
    with pytest.raises(UsageError) as raised:
        compose(parse(["in", "out", f"include={name}"]).overrides, {})
    one = str(raised.value.hint).partition("For one name that contains commas: ")[2].partition("   For several")[0]
    assert compose(parse(["in", "out", *shlex.split(one)]).overrides, {}).include == [name]


def test_patterns_that_match_nothing_are_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "in").mkdir()
    for name in ("a.pdf", "b.pdf"):
        (tmp_path / "in" / name).write_bytes(pdfs.pages_of())
    started(tmp_path, "include=[a.pdf,c.pdf]", "exclude=[b*,'d [x].pdf']")
    out = " ".join(capsys.readouterr().out.split())
    assert out.count("matches no document") == 2
    assert "include=c.pdf matches no document of the source." in out
    assert '"exclude=d [x].pdf" matches no document of the source.' in out


def test_patterns_are_compared_with_every_document_unless_a_limit_ends_the_listing(tmp_path: Path) -> None:
    names = ("a.pdf", "b.pdf")
    assert listed(tmp_path, "exclude=[b.pdf,c.pdf]", names=names)[1].unmatched == ("c.pdf",)
    assert listed(tmp_path, "exclude=[c.pdf]", "limit=1", names=names)[1].unmatched == ()
    assert listed(tmp_path, "exclude=[c.pdf]", f"source={tmp_path}/in/a.pdf", names=names)[1].unmatched == ("c.pdf",)


def test_the_closing_table_shows_the_whole_name(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "in" / "foo[").mkdir(parents=True)
    names = ("b [x].pdf", "foo[/bold].pdf", ":smile:.pdf")
    for name in names:
        (tmp_path / "in" / name).write_bytes(b"no PDF")
    code, run = started(tmp_path)
    run.announcements.summarize(ended=True)
    assert code == 1
    lines = [line.strip() for line in capsys.readouterr().out.splitlines()]
    assert set(names) <= set(lines)


@pytest.mark.parametrize("name", NASTY)
def test_the_hint_for_a_value_that_cannot_be_parsed_works(name: str) -> None:
    """Without quotes, such a name in a list is either what the user means, or an error with an option that is."""
    given = f"include=[{name}]"
    try:
        parsed = compose(parse(["in", "out", given]).overrides, {}).include
    except UsageError as error:
        words = re.search(r"(?:in quotes|commas|patterns): (.+)$", str(error.hint))
        assert words is not None, error.hint
        pasted = compose(parse(["in", "out", *shlex.split(words[1])]).overrides, {}).include
        assert "".join(pasted).replace(" ", "") == re.sub(r"[, ]", "", name.strip("'\""))
    else:
        assert ",".join(parsed).strip() == name.strip() or "," in name


@pytest.mark.parametrize("place", ["out [x]", "it's", "a,b (1)", "$HOME", "ü ü", "#1", "a=b", "~x", "a!b", "back\\slash", "*"])
def test_a_command_for_a_destination_can_be_pasted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / place).mkdir()
    config = compose([f"dest={place}", f"state={place}"], {})
    for command in ("status", "retry", "view", "dismiss"):
        words = shlex.split(command_on(command, config))
        pasted = compose(parse(words[1:]).overrides, {})
        assert (words[0], pasted.mode.value, pasted.dest, pasted.state) == ("rayocr", command, place, place)
