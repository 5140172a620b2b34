"""Finds the largest size of running text on a page: lines of that size are not headings, even where a table or footnotes in a
smaller size have more characters."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from rayocr.engines.layout.lines import LayoutLine

_LEAST_CHARS = 25  # shorter lines may be parts of a heading
_LEAST_LINES = 3  # lines that begin in the middle of a sentence
_LEAST_ENDS = 2  # lines in which a sentence ends; headings have none
_END_OF_SENTENCE = re.compile(r"[^\W\dA-Z_]{2}[)\"”’]?[.!?](?:$| +[^\Wa-z_])")
_BOLD_SHARE = 0.3  # bold running text has at least this share of the running text; less is emphasis
_SAME_SIZE = 1.03


@dataclass(frozen=True, slots=True)
class RunningSizes:
    """The largest sizes of running text in points: of text that is not bold, and of bold text. 0 if there is none."""

    plain: float = 0.0
    bold: float = 0.0

    @classmethod
    def of(cls, lines: Sequence[LayoutLine]) -> RunningSizes:
        counts: defaultdict[tuple[float, bool], list[int]] = defaultdict(lambda: [0, 0])
        for line in lines:
            if line.font_size_pt and len(line.text) >= _LEAST_CHARS:
                count = counts[round(line.font_size_pt * 2) / 2, line.bold]
                count[0] += line.text[:1].islower()
                count[1] += _END_OF_SENTENCE.search(line.text) is not None
        running = {key: begins for key, (begins, ends) in counts.items() if begins >= _LEAST_LINES and ends >= _LEAST_ENDS}
        bold = [size for size, is_bold in running if is_bold]
        if sum(begins for (_, is_bold), begins in running.items() if is_bold) < _BOLD_SHARE * sum(running.values()):
            bold = []
        return cls(max((size for size, is_bold in running if not is_bold), default=0.0), max(bold, default=0.0))

    def include(self, size: float, *, bold: bool) -> bool:
        """Returns whether running text on the page is as large as a line of this size."""
        return size <= _SAME_SIZE * (self.bold if bold else max(self.plain, self.bold))
