"""Renders a page's Markdown as HTML for the report, with the page's own line breaks and list numbers."""

from __future__ import annotations

from collections.abc import MutableMapping, Sequence
from functools import cache
from html import escape
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markdown_it.utils import OptionsDict

from rayocr.outputs.typeset.literal import printable


def rendered(markdown: str) -> str:
    """Renders Markdown. Shows HTML as text and loads no images, since text that a model wrote must not run or load anything."""
    return str(_parser().render(printable(markdown)))


@cache
def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False, "breaks": True, "maxNesting": 200}).enable(["table", "strikethrough"])
    parser.disable(["image", "reference"])  # renderers do not show link definitions
    parser.add_render_rule("list_item_open", _item)
    parser.add_render_rule("ordered_list_open", lambda *_: '<ol class="own">\n')
    return parser


def _item(
    renderer: RendererHTML, tokens: Sequence[Token], index: int, options: OptionsDict, environment: MutableMapping[str, Any]
) -> str:
    """Opens a list item with its own number, since a browser would renumber the items."""
    token = tokens[index]
    return f'<li><span class="marker">{escape(token.info + token.markup)}</span> ' if token.info else "<li>"
