"""Renders a page's Markdown as HTML for the results view. The text is made inert first, so a page cannot run or load anything."""

from __future__ import annotations

from functools import cache

from markdown_it import MarkdownIt

from rayocr.outputs.normal.inert import inert

_MAX_CHARS = 200_000


def html_of(text: str) -> str:
    return str(_renderer().render(inert(text[:_MAX_CHARS])))


@cache
def _renderer() -> MarkdownIt:
    return MarkdownIt("commonmark", {"html": True, "linkify": False, "maxNesting": 200}).enable(["table", "strikethrough"])
