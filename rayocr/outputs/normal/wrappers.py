"""Removes HTML wrappers that models add for layout, and turns links, images, check boxes and code into Markdown.

Only wrappers that begin and end on the page count as added by a model; a single `<div>` is more likely page text.
"""

from __future__ import annotations

import re
from html import unescape

from rayocr.outputs.html.tables import fenced_spans, is_within
from rayocr.outputs.normal.inert import TAGGED_HEADER, outside_code, safe_destination

_MAX_TAGS = 20_000  # maximum number per page; more come from a looping model
_WRAPPER = re.compile(
    r"<(?P<end>/?)(?P<name>div|span|center|font|section|article|figure|figcaption|main|nav|aside|details|summary|header|footer|page_number|page-number)"
    r"(?:[\s/][^<>]{0,2000})?>",
    re.IGNORECASE,
)
_LINK = re.compile(r"<a\s(?P<attributes>[^<>]{0,4000})>(?P<text>[^<>\n\[\]]{0,2000})</a\s{0,9}>", re.IGNORECASE)
_IMAGE = re.compile(r"<img\s(?P<attributes>[^<>]{0,4000})>", re.IGNORECASE)
_ATTRIBUTE = re.compile(r"""(?P<name>[a-zA-Z-]{1,30})\s{0,9}=\s{0,9}(?P<value>"[^"]{0,2000}"|'[^']{0,2000}'|[^\s"'>]{1,2000})""")
_SUMMARY = re.compile(r"(</summary\s{0,9}>)\s{0,99}", re.IGNORECASE)
_CHECK_BOX = re.compile(r"<input\s(?P<attributes>[^<>]{0,400})>", re.IGNORECASE)
_CHECKED = re.compile(r"\schecked\b", re.IGNORECASE)
_COLUMN = re.compile(r"</?col(?:group)?(?:[\s/][^<>]{0,400})?>\s{0,9}", re.IGNORECASE)
_PREFORMATTED = re.compile(
    r"^[ \t]{0,3}<pre(?:\s[^<>]{0,400})?>(?:<code(?:\s[^<>]{0,400})?>)?\n?"
    r"(?P<text>(?:(?!</?pre\b|```).){0,20000}?)(?:</code>)?</pre>[ \t]*$",
    re.IGNORECASE | re.MULTILINE | re.DOTALL,
)
_LINE = re.compile(r"[^\n]+")
_NO_LABEL = re.compile(r"[\[\]<>\s]+")
_ADDRESS = re.compile(r"[^\s()<>\\]{1,2000}")


def without_wrappers(text: str) -> str:
    """Returns the text without tags that only arrange it. Keeps code unchanged."""
    if "<" not in text:
        return text
    if not any(kind.search(text) for kind in (_WRAPPER, _LINK, _IMAGE, _CHECK_BOX, _COLUMN, _PREFORMATTED)):
        return text
    fenced = fenced_spans(text)
    text = _PREFORMATTED.sub(lambda match: match.group() if is_within(fenced, match.start()) else _fenced(match["text"]), text)
    return outside_code(text, _without)


def _fenced(code: str) -> str:
    code = unescape(code).strip("\n")
    return f"```\n{code}\n```"


def _without(text: str) -> str:
    text = _LINK.sub(_link, text)
    text = _IMAGE.sub(_image, text)
    text = _CHECK_BOX.sub(_check_box, _SUMMARY.sub(r"\1\n\n", _COLUMN.sub("", text)))
    kept = {line.start() for line in _LINE.finditer(text) if TAGGED_HEADER.match(line.group()[:1000])}
    opened: dict[str, list[re.Match[str]]] = {}
    paired: list[re.Match[str]] = []
    for count, tag in enumerate(_WRAPPER.finditer(text)):
        if count > _MAX_TAGS:
            return text
        line = text.rfind("\n", 0, tag.start()) + 1
        if line in kept:
            continue
        name = tag["name"].lower()
        if not tag["end"]:
            opened.setdefault(name, []).append(tag)
        elif opened.get(name):
            paired += (opened[name].pop(), tag)
    for tag in sorted(paired, key=re.Match.start, reverse=True):
        text = text[: tag.start()] + text[tag.end() :]
    return text


def _attribute(attributes: str, name: str) -> str:
    found = (match["value"].strip("\"'") for match in _ATTRIBUTE.finditer(attributes) if match["name"].lower() == name)
    return unescape(next(found, "")).strip()


def _link(match: re.Match[str]) -> str:
    address = _attribute(match["attributes"], "href")
    return f"[{match['text']}]({address})" if _fits(address) else match["text"]


def _check_box(match: re.Match[str]) -> str:
    if _attribute(match["attributes"], "type").lower() not in ("checkbox", "radio"):
        return match.group()
    return "[x]" if _CHECKED.search(f" {match['attributes']}") else "[ ]"


def _image(match: re.Match[str]) -> str:
    name = _NO_LABEL.sub(" ", _attribute(match["attributes"], "alt")).strip()
    shown = f"Image: {name}" if name else "Image"
    address = _attribute(match["attributes"], "src")
    return f"[{shown}]({address})" if _fits(address) else f"[{shown}]"


def _fits(address: str) -> bool:
    """Returns whether the address can be written between Markdown's parentheses."""
    return _ADDRESS.fullmatch(address) is not None and safe_destination(address)
