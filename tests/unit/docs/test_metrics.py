from __future__ import annotations

import re
from importlib import util
from pathlib import Path

from rayocr.observe.figures import FIGURES

DOCS = Path(__file__).parents[3] / "docs"


def test_the_table_of_metrics_is_made_from_the_figures() -> None:
    spec = util.spec_from_file_location("generate_metrics", DOCS / "generate_metrics.py")
    assert spec is not None and spec.loader is not None
    module = util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert (DOCS / "observability.md").read_text() == module.text(), "run make docs"


def test_every_figure_has_one_name_and_a_sentence() -> None:
    assert len({figure.exposed for figure in FIGURES}) == len(FIGURES)
    assert all(re.fullmatch(r"[A-Z0-9].+\.", figure.help) for figure in FIGURES)
