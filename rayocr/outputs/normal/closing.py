"""Closes a code fence, a comment or an HTML block that a page leaves open, since it would swallow the next page of the file."""

from __future__ import annotations

import re

from markdown_it import MarkdownIt

_SUSPICIOUS = re.compile(r"```|~~~|<!|<\?|<(?:script|pre|style|textarea)\b", re.IGNORECASE)
_OPENS = re.compile(r"^([ \t>*+\-]*+)(?=```|~~~|<)", re.MULTILINE)
_TAG = re.compile(r"<(?=[!?a-zA-Z])")
_PROBE = "\n\n<!-- page 0 -->\n\nprobe"
_TRIES = 8
_MAX_CHARS = 200_000

_markdown = MarkdownIt("commonmark", {"html": True, "maxNesting": 200}).enable(["table", "strikethrough"])
_markdown.core.ruler.enableOnly(["normalize", "block"])  # only blocks can reach into the next page


def closed(text: str) -> str:
    """Appends the missing ends to the text. An element that cannot be closed is escaped."""
    if not _SUSPICIOUS.search(text):
        return text
    whole = text
    for _ in range(_TRIES):
        opened = _left_open(text)
        if opened is None:
            return text
        kind, first_line, markup = opened
        if kind == "fence":
            line = text.split("\n")[first_line]
            text = f"{text}\n{line[: len(line) - len(line.lstrip())]}{markup}"
        else:
            text = _escaped(text, first_line)
    return _OPENS.sub(r"\1\\", whole)


def _left_open(text: str) -> tuple[str, int, str] | None:
    """Returns kind, first line and mark of the block that continues into the next page."""
    tokens = _markdown.parse(text[-_MAX_CHARS:] + _PROBE)
    ends = [token for token in tokens if token.type in ("fence", "html_block", "code_block", "inline")]
    if len(ends) >= 2 and ends[-1].content == "probe" and ends[-2].content.strip() == "<!-- page 0 -->":
        return None
    last = next((token for token in reversed(ends) if token.type in ("fence", "html_block")), None)
    if last is None or last.map is None:
        return None
    skipped = text[:-_MAX_CHARS].count("\n") if len(text) > _MAX_CHARS else 0
    return last.type, last.map[0] + skipped, last.markup


def _escaped(text: str, line: int) -> str:
    lines = text.split("\n")
    lines[line] = _TAG.sub(r"\\<", lines[line], count=1)
    return "\n".join(lines)
