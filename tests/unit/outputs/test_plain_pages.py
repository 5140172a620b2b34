"""Every character that a page shows, markup or not, is in the clean PDF and in the report as it is on the page."""

from __future__ import annotations

import html
import random
import re

import pytest

from rayocr.engines.layout import LayoutLine, layout_markdown
from rayocr.outputs.normal.page import normal
from rayocr.outputs.report.text import rendered
from tests.unit.outputs.clean_pages import clean_pdf, pages_of

_PIECES = r"""
12) (a) § * ** _a_ __b__ $5 $x^2$ $$41$$ \(x\) \[1\] [1] [2](3) ![4](5) <b>6</b> <sup>7</sup> &lt;8 &#57; 10⁻³ x₂ ½ 1986\. ~~9~~
`10` ``11`` 12:30 −5 # > http://15.example/a_b_c a_1_b *16* ^17^ ==19== :20: [^21] {22} \23 24% 25° <!--26--> <27> 27<28 31/32
Word water M. e.g. I. [x] [ ] – … .........36 37| ``` == *** C:\42\n f(x)=43 <br>44 </td>45 &nbsp;46 47\ \ \\48
"""
FRAGMENTS = _PIECES.split()
_BULLETS = re.compile(r"[\s•☐□*+–-]")  # may be the marker of an item


def characters(text: str) -> list[str]:
    return sorted(_BULLETS.sub("", text))


def page(seed: int) -> list[LayoutLine]:
    chosen, lines, y = random.Random(seed), [], 100
    for _ in range(chosen.randint(1, 8)):
        text = " ".join(chosen.choice(FRAGMENTS) for _ in range(chosen.randint(1, 7)))
        lines.append(LayoutLine(text=text, x0=72, y0=y, x1=72 + 5.2 * len(text), y1=y + 11))
        y += chosen.choice([14, 14, 14, 28])
    return lines


@pytest.mark.parametrize("seed", range(20))
def test_no_character_of_a_page_is_read_as_markup(seed: int) -> None:
    lines = page(seed)
    shown = characters(" ".join(line.text for line in lines))
    markdown = normal(layout_markdown(lines, page_width=595, page_height=842), of_a_model=False)
    data, _ = clean_pdf([markdown])
    assert characters(" ".join(pages_of(data))) == shown, markdown
    assert characters(html.unescape(re.sub(r"<[^>]*>", " ", rendered(markdown)))) == shown, markdown
