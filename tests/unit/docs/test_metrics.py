from __future__ import annotations

import re

from rayocr.observe.figures import FIGURES


def test_every_figure_has_one_name_and_a_sentence() -> None:
    assert len({figure.exposed for figure in FIGURES}) == len(FIGURES)
    assert all(re.fullmatch(r"[A-Z0-9].+\.", figure.help) for figure in FIGURES)
