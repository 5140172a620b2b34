"""The text that a PDF carries in itself, where it can be trusted: a millisecond a page, and no letter misread.

Called by the chain, always before engines that look at pixels. An untrusted layer is "not for me", never an error.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rayocr.engines.base import ComputeEngine
from rayocr.engines.layout import LayoutLine, Ruling, layout_markdown
from rayocr.messages import PageText, TextBox

if TYPE_CHECKING:
    from rayocr.pdf.page import Page

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
        rulings = [Ruling(x0=ruling.x0, y0=ruling.y0, x1=ruling.x1, y1=ruling.y1) for ruling in page.rulings()]
        text = layout_markdown(lines, page_width=page.width_pt, page_height=page.height_pt, rulings=rulings)
        if not text:
            return None
        boxes = tuple(TextBox(text=line.text, x0=line.x0, y0=line.y0, x1=line.x1, y1=line.y1) for line in lines)
        return PageText(text=text, engine=self.name, model=self.model, boxes=boxes)
