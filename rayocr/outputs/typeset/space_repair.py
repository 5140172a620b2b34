"""Keeps spaces that PDF readers lose: PDFium, and therefore Chrome, skips a text object that contains only a space.

Typst writes such objects between clusters with /ActualText, as in nearly every Devanagari word with a vowel sign. The space is
moved to the end of the object before it; the page looks the same.
"""

from __future__ import annotations

import re
from typing import Any

import pikepdf

_STRING = rb"\((?:\\.|[^\\)])*+\)"
# A text object as krilla, Typst's PDF library, writes it, with the cluster's text around it if there is one.
_OBJECT = re.compile(
    rb"(?P<open>/Span<</ActualText<(?P<actual>[0-9A-F]*)>>>BDC )?"
    rb"(?P<head>0 Tr/(?P<font>f\d+) [\d.]+ Tf [-\d. ]+ Tm)"
    rb"(?P<show>\[(?:" + _STRING + rb"|[-\d. ]+)*\]TJ|" + _STRING + rb"Tj)"
    rb"(?P<close>\nEMC)?",
    re.DOTALL,
)
_SHOW = re.compile(rb"\[?(" + _STRING + rb")\]?T[jJ]", re.DOTALL)
_SPACE_CODE = re.compile(rb"<([0-9A-Fa-f]{4})> <0020>")


def keep_lone_spaces(page: pikepdf.Page) -> None:
    """Rewrites the page's content if it has lone spaces."""
    contents = page.obj.get("/Contents")
    if not isinstance(contents, pikepdf.Stream):
        return
    codes = _space_codes(page)
    data = contents.read_bytes()
    rewritten = _rewritten(data, codes)
    if rewritten != data:
        contents.write(rewritten)


def _space_codes(page: pikepdf.Page) -> dict[bytes, bytes]:
    """Returns the two bytes of the code of a space, by the name of the font."""
    codes = {}
    resources: Any = page.obj.get("/Resources")
    fonts: Any = None if resources is None else resources.get("/Font")
    for name, font in () if fonts is None else fonts.items():
        mapping = font.get("/ToUnicode")
        match = _SPACE_CODE.search(mapping.read_bytes()) if mapping is not None else None
        if match is not None:
            codes[name.removeprefix("/").encode()] = bytes.fromhex(match.group(1).decode())
    return codes


def _rewritten(data: bytes, codes: dict[bytes, bytes]) -> bytes:
    parts: list[bytes] = []
    position = 0
    previous: re.Match[bytes] | None = None  # an object that a space may follow and that is not yet in `parts`
    for match in _OBJECT.finditer(data):
        between = data[position : match.start()]
        position = match.end()
        font = match["font"]
        if (
            previous is not None
            and not between.strip()
            and not match["open"]
            and previous["font"] == font
            and font in codes
            and _shown(match["show"]) == codes[font]
        ):
            parts.append(_with_space(previous, codes[font]))
            previous = None
            continue
        if previous is not None:
            parts.append(previous.group())
        parts.append(between)
        previous = match
    if previous is not None:
        parts.append(previous.group())
    parts.append(data[position:])
    return b"".join(parts)


def _shown(show: bytes) -> bytes | None:
    """Returns the codes of a text object that shows one string."""
    found = _SHOW.fullmatch(show)
    if found is None:
        return None
    string: bytes = bytes(pikepdf.Object.parse(found.group(1)))
    return string


def _with_space(match: re.Match[bytes], code: bytes) -> bytes:
    show = match["show"]
    strings = show[1:-3] if show.endswith(b"]TJ") else show[:-2]
    space = b"(%b)" % b"".join(b"\\%03o" % byte for byte in code)
    opening = b"/Span<</ActualText<%b0020>>>BDC " % match["actual"] if match["open"] else b""
    return b"%b%b[%b%b]TJ%b" % (opening, match["head"], strings, space, match["close"] or b"")
