"""Turns lines with positions into Markdown in reading order. Text layers and OCR engines share it."""

from rayocr.engines.layout.lines import LayoutLine, Ruling
from rayocr.engines.layout.page import layout_markdown

__all__ = ["LayoutLine", "Ruling", "layout_markdown"]
