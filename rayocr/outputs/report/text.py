"""A page's Markdown as HTML for the report: the lines and the numbers of lists as they are on the page."""

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
    """HTML in the Markdown is shown as text, and pictures are not fetched: what a model wrote must not run or call home."""
    return str(_parser().render(printable(markdown)))


@cache
def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False, "breaks": True}).enable(["table", "strikethrough"])
    parser.disable(["image", "reference"])  # a link's definition would not be shown
    parser.add_render_rule("list_item_open", _item)
    parser.add_render_rule("ordered_list_open", lambda *_: '<ol class="own">\n')
    return parser


def _item(
    renderer: RendererHTML, tokens: Sequence[Token], index: int, options: OptionsDict, environment: MutableMapping[str, Any]
) -> str:
    """An item keeps its own number: a browser would count the items."""
    token = tokens[index]
    return f'<li><span class="marker">{escape(token.info + token.markup)}</span> ' if token.info else "<li>"
