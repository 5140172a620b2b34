"""Reading order and Markdown from lines with places: the same for text layers and for OCR."""

from rayocr.engines.layout.lines import LayoutLine, Ruling
from rayocr.engines.layout.page import layout_markdown

__all__ = ["LayoutLine", "Ruling", "layout_markdown"]
