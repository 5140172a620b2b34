"""Quoted values pass through Hydra's grammar unchanged."""

from __future__ import annotations

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from hypothesis import given, settings
from hypothesis import strategies as st

from rayocr.composition import compose, conf_dir
from rayocr.config import RayocrConfig
from rayocr.overrides import compose_files, is_group, mistakes, nearest_option, option_names, quoted, unparsable

_TEXT = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=20).filter(lambda text: "${" not in text)


@settings(deadline=None, max_examples=200)
@given(st.lists(_TEXT, min_size=1, max_size=3))
def test_a_list_of_any_text_comes_back(items: list[str]) -> None:
    assert OverridesParser.create().parse_override(f"include={quoted(items)}").value() == items


@pytest.mark.parametrize(
    "item", ["a", "a b, [c] {d: e}", 'it\'s "q" \\', "\\\\'", "null", "1e5", "=:${", "é\u2028 ", "*/x?.pdf", "#", "true"]
)
def test_a_list_comes_back_through_the_configuration(item: str) -> None:
    items = [item.replace("${", "$"), "b.pdf"]
    assert compose([f"include={quoted(items)}"], environment={}).include == items


def test_a_variable_in_a_value_is_read_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    for place in ("first", "second"):
        monkeypatch.setenv("PLACE", place)
        assert compose_files(["source=${oc.env:PLACE}"], conf_dir()).source == place


def test_equal_options_give_separate_configurations() -> None:
    first = compose_files(["include=[a.pdf]"], conf_dir())
    first.include.append("b.pdf")
    first.limits.rpm = 7
    second = compose_files(["include=[a.pdf]"], conf_dir())
    assert (second.include, second.limits.rpm) == (["a.pdf"], None)


def test_the_message_for_a_value_that_cannot_be_parsed_shows_the_users_own_value() -> None:
    assert str(unparsable("include=[Anhänge (1).pdf,b c]").hint).endswith("\"include=['Anhänge (1).pdf','b c']\"")


def test_words_of_other_programs_lead_to_options_that_exist() -> None:
    known = {*option_names(RayocrConfig)}
    for word, option in mistakes._OTHER_WORDS.items():
        assert option in known
        assert word not in known or is_group(word), "only a group of options, which cannot be set itself"
        assert nearest_option(word) == f"Did you mean {option}?"
    for key in ("password", "pdf.password", "engine.gemini.passphrase"):
        assert "encrypted PDFs" in nearest_option(key)
