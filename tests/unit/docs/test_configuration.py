"""docs/configuration.md agrees with rayocr/config/."""

from __future__ import annotations

import runpy
from pathlib import Path

from rayocr.config import RayocrConfig
from rayocr.overrides import option_names

DOCS = Path(__file__).parents[3] / "docs"
PAGE = runpy.run_path(str(DOCS / "generate_configuration.py"))


def test_the_configuration_page_is_up_to_date() -> None:
    assert (DOCS / "configuration.md").read_text() == PAGE["text"](), "run `make docs`"


def test_every_option_is_on_it_with_a_meaning() -> None:
    text = PAGE["text"]()
    rows = dict(line.split(" | ", 1) for line in text.splitlines() if line.startswith("| `"))
    bare = [name for name in option_names(RayocrConfig) if rows.get(f"| `{name}`", "").endswith("|  |")]
    assert not bare, "without a comment in rayocr/config/"
    assert "| `limits.rpm`" in rows and "| `engine.gemini.dpi`" in rows
