"""Measures whether words of searchable PDFs are selected where they are printed: intersection over union of the boxes.

`python -m benchmarks.selectable` prints the table of docs/outputs.md: pages in six scripts, typeset and rendered as scans,
upright, turned and skewed; with an engine's boxes, and with lines that were detected in the picture.
"""

from __future__ import annotations

from statistics import mean

import numpy as np
import pypdfium2

from tests.unit.outputs.clean_pages import clean_pdf
from tests.unit.outputs.searchable_pages import Scan, Word, record, scan, searchable_pdf, words_of
from tests.unit.outputs.test_clean_pdf import SCRIPTS

_SCRIPTS = ("latin", "greek", "cyrillic", "devanagari", "hebrew", "chinese")
_TURNED = {"upright": (0, 0.0), "90°": (1, 0.0), "180°": (2, 0.0), "270°": (3, 0.0), "skewed by 3°": (0, 3.0)}


def main() -> None:
    print(f"| script | {' | '.join(_TURNED)} | lines found, upright | pixels changed |\n|---|{'---|' * (len(_TURNED) + 2)}")
    for script in _SCRIPTS:
        page = clean_pdf([" ".join([SCRIPTS[script]] * 6)])[0]
        cells, changed = [], 0
        for turns, skew in _TURNED.values():
            made = scan(page, turns=turns, skew_deg=skew)
            data, _ = searchable_pdf(made.pdf, record("text", made.boxes))
            cells.append(_iou(made, data))
            changed += _changed(made.pdf, data)
        made = scan(page)
        data, _ = searchable_pdf(made.pdf, record(" ".join(word.text for word in made.words), engine="gemini"))
        changed += _changed(made.pdf, data)
        print(f"| {script} | {' | '.join(f'{cell:.2f}' for cell in cells)} | {_iou(made, data):.2f} | {changed} |", flush=True)


def _iou(made: Scan, data: bytes) -> float:
    """Returns the overlap of every printed word with the best word of the same letters; 0 if there is none."""
    by_letters: dict[str, list[Word]] = {}
    for word in words_of(data):
        by_letters.setdefault("".join(sorted(word.text)), []).append(word)
    return mean(
        max((word.iou(other.box) for other in by_letters.get("".join(sorted(word.text)), [])), default=0.0) for word in made.words
    )


def _changed(before: bytes, after: bytes) -> int:
    """Returns the number of pixels that differ."""
    with pypdfium2.PdfDocument(before) as one, pypdfium2.PdfDocument(after) as other:
        pairs = ((a.render(scale=2).to_numpy(), b.render(scale=2).to_numpy()) for a, b in zip(one, other, strict=True))
        return sum(int(np.count_nonzero(a != b)) for a, b in pairs)


if __name__ == "__main__":
    main()
