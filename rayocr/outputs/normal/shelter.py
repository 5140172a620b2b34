"""Keeps code inert in renderers that recognize less code than CommonMark. Python-Markdown supports fences only with an extension,
never in list items, and divides unknown blocks at blank lines, so a browser would execute a listing of `<script>`. Every renderer
shows text as code if it is indented by four spaces more than its container, so code that a renderer could execute is indented
inside its fence. Where indentation has another meaning, the code is escaped like other text.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from markdown_it import MarkdownIt
from markdown_it.token import Token

_ACTING_TAGS = (
    "script|style|iframe|frame|frameset|object|embed|applet|img|image|picture|source|svg|math|video|audio|track|link|meta|base|form|"
    "input|button|select|textarea|template|title|noscript|xmp|plaintext|marquee|details|dialog|portal|body|html|head"
)
ACTS = re.compile(
    rf"<(?:[!?]|/?(?:{_ACTING_TAGS})\b)"
    r"|<[a-z][^<>]{0,500}[\s/\"'](?:on[a-z]{2,30}|style|src|srcset|srcdoc|background|poster|formaction|href|xlink:href)\s{0,9}="
    r"|<\s{0,9}(?:javascript|vbscript|data|file)\s{0,9}:"
    r"|\{(?:[^{}\n]{0,500}[\s:\"'])?(?:on[a-z]{2,30}|style|src|srcset|href)\s{0,9}=|!\[|\](?:\(|:)\s{0,9}<?\s{0,9}(?:[^\s/?#:)]{0,99}):",
    re.IGNORECASE,
)
_CODE_INDENT = 4
_MARKER = re.compile(r"[ \t>]{0,99}(?:[-*+]|\d{1,9}[.)])[ \t]")
_MAX_DEPTH = 4  # levels of lists; deeper code is escaped
_PLAIN_INFO = re.compile(r"[\w+#./-]*")  # Python-Markdown reads attributes in braces after a fence


# Containers that only some renderers support: footnotes, definitions, admonitions, tabs
_OTHER_CONTAINER = re.compile(r"^[ \t>]{0,9}(?:\[\^[^\]\n]{1,99}\]:|:[ \t]|!!!|\?\?\?|===)", re.MULTILINE)


@dataclass(slots=True)
class _Place:
    """The place of a block of code: the number of list items and quotes around it, and whether a list ends above it."""

    lists: int = 0
    quotes: int = 0
    after_list: bool = False

    def pass_by(self, token: Token) -> None:
        if token.type in ("list_item_open", "list_item_close"):
            self.lists += token.nesting
        elif token.type in ("blockquote_open", "blockquote_close"):
            self.quotes += token.nesting
        if token.nesting <= 0:
            self.after_list = token.type in ("bullet_list_close", "ordered_list_close")


def sheltered(text: str, parser: MarkdownIt, escape: Callable[[str], str]) -> str:
    """Returns the text with code indented or escaped if a renderer could execute it. Idempotent. `escape`: a function that
    escapes text."""
    tokens = parser.parse(text)
    lines = text.split("\n")
    unclear = _OTHER_CONTAINER.search(text) is not None or any(token.type == "html_block" for token in tokens)
    place = _Place()
    for token in tokens:
        if token.type in ("fence", "code_block") and token.map is not None:
            first, last = token.map[0], min(token.map[1], len(lines))
            if token.type == "fence" and not _PLAIN_INFO.fullmatch(token.info.strip()):
                lines[first] = lines[first][: lines[first].index(token.markup) + len(token.markup)]
            if ACTS.search(token.content):
                _shelter(lines, token, (first, last), place, unclear=unclear, escape=escape)
        place.pass_by(token)
    return "\n".join(lines)


def _shelter(
    lines: list[str], token: Token, rows: tuple[int, int], place: _Place, *, unclear: bool, escape: Callable[[str], str]
) -> None:
    """Changes the lines `rows` (first, end) in place and keeps their number. An added line becomes part of the line below it."""
    first, last = rows
    depth = place.lists + place.after_list
    unclear |= place.quotes > 0 or depth > _MAX_DEPTH
    if token.type == "fence":
        first += 1
        closing = lines[last - 1].strip(" \t>")
        if last > first and closing.startswith(token.markup) and not closing.strip(token.markup[0]):
            last -= 1
    else:
        unclear |= place.after_list or _MARKER.match(lines[first]) is not None or bool(first and lines[first - 1].strip())
    if unclear:
        lines[first:last] = escape("\n".join(lines[first:last])).split("\n")
        return
    inside = [_untabbed(line) for line in lines[first:last]]
    least = min((len(line) - len(line.lstrip()) for line in inside if line.strip()), default=0)
    more = max(0, _CODE_INDENT * (depth + 1) - least)
    inside = [" " * more + line if line.strip() else line for line in inside]
    if token.type == "fence" and inside and inside[0].strip():
        inside[0] = "\n" + inside[0]
    lines[first:last] = inside


def _untabbed(line: str) -> str:
    """Returns the line with spaces for the tabs before its first word."""
    word = line.lstrip(" \t")
    return line[: len(line) - len(word)].expandtabs(_CODE_INDENT) + word
