"""Writes text as Typst string literals. Page text reaches the typesetter only this way, so it cannot be markup."""

from __future__ import annotations

import re

# Characters that are not allowed in XML, fonts and PDF/A: control characters except tab and newline, lone surrogates,
# non-characters. Tags, which spell out ASCII invisibly, hide text from people and show it to models. Overrides of the direction
# would show the number 39 as 93.
_UNPRINTABLE = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202d\u202e\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]|[\U0001fffe\U0001ffff]|[\U000e0000-\U000e007f]"
)
_LINE_ENDS = re.compile("\r\n?|[\u2028\u2029\x85]")
# Matches a run without a place for a line break. Scripts written without spaces (CJK, Thai and similar) break anywhere.
_LONG = re.compile(r"[!-\u0dff\u1200-\u167f\u1e00-\u2dff]{41,}")
_PIECE_CHARS = 20
_MAY_BREAK = "h(0.001pt);"  # invisible, not extracted as text, and allows a line break


def printable(text: str) -> str:
    """Removes unprintable characters and turns line ends into newlines."""
    if text.replace("\n", "").isprintable():
        return text  # handles most pages in a fifth of the time
    return _UNPRINTABLE.sub("", _LINE_ENDS.sub("\n", text))


def literal(text: str) -> str:
    """Returns a Typst string. `text` is printable."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def statements(text: str) -> str:
    """Returns the text as statements of a Typst code block, with possible line breaks in long unbroken runs."""
    if not text:
        return ""
    parts: list[str] = []
    position = 0
    for match in _LONG.finditer(text):
        run = match.group()
        parts.append(text[position : match.start()])
        parts.extend(run[start : start + _PIECE_CHARS] for start in range(0, len(run), _PIECE_CHARS))
        position = match.end()
    parts.append(text[position:])
    return _MAY_BREAK.join(f"{literal(part)};" for part in parts if part)


def longest_run(text: str) -> int:
    """Returns the length of the longest piece that stays on one line, in characters."""
    return max((len(word) if len(word) <= 2 * _PIECE_CHARS else _PIECE_CHARS for word in text.split()), default=0)
