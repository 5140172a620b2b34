"""Converts markdown-it's inline tokens (words, emphasis, links, line breaks) to Typst statements."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from markdown_it.token import Token

from rayocr.outputs.typeset.literal import literal, longest_run, statements
from rayocr.outputs.typeset.maths.conversion import typeset_maths
from rayocr.outputs.typeset.maths.delimiters import CLOSING

_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]*)\b[^>]*?(/?)>")
# Inline HTML tags and their Typst functions.
_STYLES = {
    "b": "strong({",
    "strong": "strong({",
    "i": "emph({",
    "em": "emph({",
    "u": "underline({",
    "ins": "underline({",
    "s": "strike({",
    "del": "strike({",
    "sup": "super({",
    "sub": "sub({",
    "mark": "highlight({",
    "code": "mono({",
    "kbd": "mono({",
    "small": "small({",
}
_IGNORED = frozenset(
    {"span", "div", "p", "center", "font", "a", "img", "tbody", "thead", "tr", "td", "th", "section", "header", "footer"}
)
_LINKABLE = re.compile(r"(?:https?://|mailto:)\S{1,2000}\Z")


@dataclass(frozen=True, slots=True)
class Inline:
    """Typeset inline text. `markup`: a Typst code block; `longest`: length of the longest word in characters, for the width of
    table columns."""

    markup: str
    longest: int
    text: str


def typeset_inline(tokens: Sequence[Token], prepare: Callable[[str], str]) -> Inline:
    """Converts inline tokens. `prepare` makes text displayable: it replaces the characters that no font contains."""
    return _Writer(prepare).write(tokens)


class _Writer:
    def __init__(self, prepare: Callable[[str], str]) -> None:
        self._prepare = prepare
        self._parts: list[str] = ["{[];"]
        self._texts: list[str] = []
        self._open: list[str] = []

    def write(self, tokens: Sequence[Token]) -> Inline:
        for token in tokens:
            self._token(token)
        while self._open:
            self._close()
        self._parts.append("}")
        text = "".join(self._texts)
        return Inline("".join(self._parts), longest_run(text), text)

    def _token(self, token: Token) -> None:
        kind = token.type
        if kind == "text":
            self._text(token.content)
        elif kind in ("softbreak", "hardbreak"):  # engines join the lines of a paragraph, so remaining line breaks are intended
            self._line_break()
        elif kind == "code_inline":
            self._begin("code", "mono({")
            self._text(token.content)
            self._end("code")
        elif kind in ("strong_open", "em_open", "s_open"):
            self._begin(token.tag, _STYLES[token.tag])
        elif kind == "link_open":
            self._begin("a", _link(str(token.attrs.get("href", ""))))
        elif kind in ("strong_close", "em_close", "s_close", "link_close"):
            self._end(token.tag)
        elif kind == "image":
            self._image(token)
        elif kind == "html_inline":
            self._html(token.content)
        elif kind in ("math_inline", "math_block"):
            self._maths(token)
        else:
            self._text(token.content)

    def _text(self, text: str) -> None:
        prepared = self._prepare(text)
        self._texts.append(prepared)
        self._parts.append(statements(prepared))

    def _line_break(self) -> None:
        self._texts.append("\n")
        self._parts.append("linebreak();")

    def _image(self, token: Token) -> None:
        """Shows an image's name in place of the image."""
        name = token.content or str(token.attrs.get("src", "")).rpartition("/")[2]
        self._parts.append("left-out({")
        self._text(f"[Image: {name}]" if name else "[Image]")
        self._parts.append("});")

    def _maths(self, token: Token) -> None:
        """Typesets a formula, or shows it as written if it cannot be typeset."""
        formula = typeset_maths(token.content, display=token.type == "math_block", prepare=self._prepare)
        if formula is None:
            self._text(f"{token.markup}{token.content}{CLOSING[token.markup]}")
            return
        self._texts.append(self._prepare(token.content))
        self._parts.append(formula)

    def _html(self, source: str) -> None:
        match = _TAG.fullmatch(source)
        if match is None:
            if not source.startswith("<!--"):
                self._text(source)
            return
        closing, tag, _ = match.groups()
        tag = tag.lower()
        if tag == "br":
            self._line_break()
        elif tag in _STYLES:
            if closing:
                self._end(tag)
            else:
                self._begin(tag, _STYLES[tag])
        elif tag not in _IGNORED:
            self._text(source)

    def _begin(self, tag: str, call: str) -> None:
        self._open.append(tag)
        self._parts.append(f"{call}[];")

    def _end(self, tag: str) -> None:
        """Closes the last open tag with this name, and every unclosed tag inside it."""
        if tag not in self._open:
            return
        while self._open[-1] != tag:
            self._close()
        self._close()

    def _close(self) -> None:
        self._open.pop()
        self._parts.append("});")


def _link(address: str) -> str:
    """Writes a link if it is safe to follow from a file of unknown origin. Other links keep only their text."""
    return f"link({literal(address)},{{" if _LINKABLE.match(address) and address.isprintable() else "plain({"
