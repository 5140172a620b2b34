"""Renders a page's Markdown as HTML for the results view. The text is made inert first, so a page cannot run or load anything."""

from __future__ import annotations

from collections.abc import MutableMapping, Sequence
from functools import cache
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markdown_it.utils import OptionsDict

from rayocr.outputs.normal.inert import inert

_MAX_CHARS = 200_000


def html_of(text: str) -> str:
    return str(_renderer().render(inert(text[:_MAX_CHARS])))


@cache
def _renderer() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": True, "linkify": False, "maxNesting": 200}).enable(["table", "strikethrough"])
    parser.add_render_rule("list_item_open", _item)
    return parser


def _item(
    renderer: RendererHTML, tokens: Sequence[Token], index: int, options: OptionsDict, environment: MutableMapping[str, Any]
) -> str:
    """Opens a list item with its own number, since a browser would count the items from the first number."""
    number = tokens[index].info
    return f'<li value="{int(number)}">' if number else "<li>"
