"""The text that a PDF carries in itself, where it can be trusted: a millisecond a page, and no letter misread.

Called by the chain, always before engines that look at pixels. An untrusted layer is "not for me", never an error.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rayocr.engines.base import ComputeEngine
from rayocr.engines.layout import LayoutLine, Ruling, layout_markdown
from rayocr.messages import PageText, TextBox
from rayocr.pdf.geometry import turn_box

if TYPE_CHECKING:
    from rayocr.pdf.objects import Ruling as PageRuling
    from rayocr.pdf.page import Page
    from rayocr.pdf.textlayer.layer import TextLayer

_SCAN_SHARE = 0.5  # of the page under images


class TextLayerEngine(ComputeEngine):
    name: ClassVar[str] = "textlayer"

    def open(self) -> None:
        """Nothing to load."""

    def recognize(self, page: Page) -> PageText | None:
        layer = page.text_layer()
        if not layer.verdict.trusted:
            return None
        sizes_are_real = layer.image_share < _SCAN_SHARE  # over a scan, they are an OCR engine's guess at every word
        lines = [
            LayoutLine(
                text=line.text,
                x0=line.x0,
                y0=line.y0,
                x1=line.x1,
                y1=line.y1,
                font_size_pt=line.font_size_pt if sizes_are_real else None,
                bold=line.bold and sizes_are_real,
            )
            for line in layer.lines
        ]
        rulings = [_turned(ruling, layer.turns, (page.width_pt, page.height_pt)) for ruling in page.rulings()]
        text = layout_markdown(lines, page_width=layer.width_pt, page_height=layer.height_pt, rulings=rulings)
        if not text:
            return None
        boxes = tuple(_box_on_page(line, layer) for line in lines)
        return PageText(text=text, engine=self.name, model=self.model, boxes=boxes)


def _turned(ruling: PageRuling, turns: int, size_pt: tuple[float, float]) -> Ruling:
    x0, y0, x1, y1 = turn_box((ruling.x0, ruling.y0, ruling.x1, ruling.y1), turns, size_pt)
    return Ruling(x0=x0, y0=y0, x1=x1, y1=y1)


def _box_on_page(line: LayoutLine, layer: TextLayer) -> TextBox:
    """Of the page as it is shown, whichever way its text runs."""
    x0, y0, x1, y1 = turn_box((line.x0, line.y0, line.x1, line.y1), -layer.turns, (layer.width_pt, layer.height_pt))
    return TextBox(text=line.text, x0=x0, y0=y0, x1=x1, y1=y1)
