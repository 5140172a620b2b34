r"""Makes a page's Markdown inert: no text of a page becomes an element that runs, loads or hides something in a reader's browser.

Page text and models both contain HTML: a listing with `<script>`, a picture on a server that counts its readers. Only a short
list of tags stays HTML, without attributes that run or load anything. Other tags are escaped as `&lt;`, which every Markdown
renderer understands (some do not support the escape `\<`). Pictures become links, and links with a scheme other than http, https,
mailto and tel are escaped. A link definition (`[1]: Smith`) is escaped too, since renderers do not show it.

Renderers show code unchanged, so it is not escaped. A Markdown parser determines where code begins and ends, and the result is
parsed again: if anything is still live, the code is escaped like all other text. Some renderers recognize less code (`shelter`).
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterator
from functools import cache
from html import unescape

from markdown_it import MarkdownIt
from markdown_it.token import Token

from rayocr.outputs.normal.shelter import ACTS, sheltered
from rayocr.outputs.typeset.maths.conversion import looks_like_maths

# Python-Markdown's attribute lists: `*word*{: onclick=…}`
_ATTRIBUTES = r"\{(?=(?:[^{}\n]{0,500}[\s:\"'])?(?:on[a-z]{2,30}|style|src|srcset|href)\s{0,9}=)"
_SUSPICIOUS = re.compile(rf"<[a-zA-Z/!?]|\]\(|\]:|!\[|{_ATTRIBUTES}|(?:```|~~~)[^\n]{{0,99}}\{{", re.IGNORECASE)
_MAY_BE_CODE = re.compile(r"`|~~~|^(?: {4}|\t)|\t", re.MULTILINE)
_BACKTICKS = re.compile("`+")
_MAX_PARSED_CHARS = 50_000  # Markdown parsers take quadratic time on some texts; in longer texts, code is escaped, too

# Tags that Markdown cannot express, or that models use instead of its marks. Only cells and lists keep attributes.
ALLOWED_TAGS = frozenset(
    {"table", "caption", "thead", "tbody", "tfoot", "tr", "td", "th", "br", "hr", "p", "ul", "ol", "li", "blockquote"}
    | {"h1", "h2", "h3", "h4", "h5", "h6", "sup", "sub", "b", "strong", "i", "em", "u", "s", "del", "ins", "mark", "small"}
    | {"code", "kbd"}
)
_TAG = re.compile(r"<(?P<end>/?)(?P<name>[a-zA-Z][a-zA-Z0-9]*)(?P<rest>(?:[\s/][^<>]*)?)>")
_ATTRIBUTE = re.compile(r"""[\s/]{1,99}([a-zA-Z-]{1,30})(?:\s{0,9}=\s{0,9}("[^"]{0,2000}"|'[^']{0,2000}'|[^\s"'>]{1,2000}))?""")
_KEPT = {"td": ("colspan", "rowspan", "align"), "th": ("colspan", "rowspan", "align"), "ol": ("start",), "li": ("value",)}
_VALUE = re.compile(r"\d{1,9}|left|center|right", re.IGNORECASE)
_ALIGNED = re.compile(r"text-align\s{0,9}:\s{0,9}(left|center|right)\b", re.IGNORECASE)
# Running headers as some models tag them; rayocr/outputs/normal/running.py removes the tags.
TAGGED_HEADER = re.compile(
    r"^(?P<indent>\s*)<(?P<tag>header|footer|page_number|page-number)\b[^<>]*>(?P<text>[^<\n]*)</(?P=tag)>\s*$", re.IGNORECASE
)
_MAX_HEADER_CHARS = 500

# One pass over everything that may be live. HTML has no backslash escapes, so a backslash does not protect a `<`.
_LIVE = re.compile(
    r"(?P<maths>\$\$[^$]{1,2000}\$\$|\$(?!\s)[^$\n]{1,500}\$(?!\d)|\\\((?:[^\\\n]|\\(?!\))){1,500}\\\))"
    r"|(?P<escape>\\[^<\s])"
    r"|(?P<tag>\\?<(?=[a-zA-Z/!?]))"
    r"|(?P<image>!\[)"
    r"|(?P<link>\]\()"
    r"|(?P<definition>(?:\A|(?<=\n))[ \t>*+\-\d.)]{0,60}\[(?=[^\[\]]{1,999}\]:)"
    r"(?!\^[^\[\]\s]{1,60}\]:[ \t]{1,9}[^\s]{1,999}[ \t]{1,9}[^\s]))"  # [^1]: a footnote of several words is not a definition
    r"|(?P<address>\]:)"
    rf"|(?P<attributes>(?i:{_ATTRIBUTES}))"
)
_IS_IMAGE = re.compile(r"(?:[^\[\]\n]|\[[^\[\]\n]{0,200}\]){0,500}\]\(")
_MAX_ADDRESS_CHARS = 2000
_MAX_DEPTH = 32  # levels of parentheses in an address
_POINTED = re.compile(r"\s{0,99}<(?P<address>[^<>\n]{0,2000})>")
_SAFE_SCHEMES = frozenset({"http", "https", "mailto", "tel"})
_SCHEME = re.compile(r"[^/?#:]{0,99}:")
_IGNORED_IN_ADDRESSES = re.compile(r"[\x00-\x20\x7f-\xa0\u2028\u2029]+")
_BACKSLASH = re.compile(r"\\([!-/:-@\[-`{-~])")
_HAS_ATTRIBUTES = re.compile(_ATTRIBUTES, re.IGNORECASE)
_OPENS_TAG = re.compile(r"<(?=[a-zA-Z/!?])")
_AUTOLINK = re.compile(r"<(?:https?://|mailto:)[^\s<>\[\]`]{1,2000}>|<[\w.+-]{1,100}@[\w.-]{1,200}>", re.IGNORECASE)


def inert(text: str) -> str:
    """Returns the same text without live elements. Idempotent. `text` has no control characters."""
    if not _SUSPICIOUS.search(text):
        return text
    made = outside_code(text, _rewritten)
    if len(text) > _MAX_PARSED_CHARS or not _MAY_BE_CODE.search(text):
        return made
    return _rewritten(text) if live_elements(made) else sheltered(made, _parser(), _rewritten)


def outside_code(text: str, change: Callable[[str], str]) -> str:
    """Calls `change` with each part of the text that is not in a fence, in indented code or in inline code."""
    if len(text) > _MAX_PARSED_CHARS or not _MAY_BE_CODE.search(text):
        return change(text)
    parts = _parted(_code_spans(text), len(text))
    return "".join(text[start:end] if is_code else change(text[start:end]) for start, end, is_code in parts)


def live_elements(text: str) -> list[str]:
    """Returns the elements that would be live in a renderer that passes HTML through: disallowed tags, images, unsafe links."""
    environment: dict[str, object] = {}
    found = list(_live(_parser().parse(text, environment)))
    return [*found, *("definition" for _ in environment.get("references") or ())]  # type: ignore[attr-defined]


def safe_destination(address: str) -> bool:
    """Returns whether a link may have this address: relative, or a scheme for pages, mail or telephone."""
    plain = _IGNORED_IN_ADDRESSES.sub("", unescape(_BACKSLASH.sub(r"\1", address)))
    scheme = _SCHEME.match(plain)
    return scheme is None or scheme.group()[:-1].lower() in _SAFE_SCHEMES


# -- rewriting ------------------------------------------------------------------------------------------------------------------


def _rewritten(text: str) -> str:
    parts: list[str] = []
    position = 0
    while match := _LIVE.search(text, position):
        parts.append(text[position : match.start()])
        shown, position = _replacement(text, match)
        if match.lastgroup == "image" and parts[-1].endswith("!"):
            parts[-1] = f"{parts[-1][:-1]}\\!"  # together with the link, the mark would form an image again
        parts.append(shown)
    parts.append(text[position:])
    return "".join(parts)


def _replacement(text: str, match: re.Match[str]) -> tuple[str, int]:
    """Returns the replacement of the match, and the position where the search continues."""
    kind, start, end = match.lastgroup, match.start(), match.end()
    if kind == "maths":
        formula = match.group()
        acts = "](" in formula or "![" in formula or _HAS_ATTRIBUTES.search(formula)
        if not acts and looks_like_maths(formula.strip("$")):
            return _OPENS_TAG.sub("< ", formula), end  # spaces have no meaning in a formula
        return text[start], start + 1
    if kind == "tag":
        return ("&lt;", end) if text[start] == "\\" else _tag(text, start)
    if kind == "image":
        if _IS_IMAGE.match(text, end) is None:
            return "!\\[", end
        return ("[Image" if text[end] == "]" else "[Image: "), end
    if kind == "link":
        return ("](" if safe_destination(_address(text, end)) else "\\]("), end
    if kind == "definition":
        return f"{match.group()[:-1]}\\[", end
    if kind == "address":  # a definition that only some renderers recognize
        return ("]:" if safe_destination(_address(text, end)) else "\\]:"), end
    if kind == "attributes":
        return "\\{", end
    return match.group(), end


def _address(text: str, start: int) -> str:
    """Returns the address of a link from its opening parenthesis to the first space or the closing parenthesis."""
    if pointed := _POINTED.match(text, start):
        return pointed["address"]
    while text[start : start + 1].isspace():
        start += 1
    depth, end = 0, start
    while end < min(len(text), start + _MAX_ADDRESS_CHARS) and not text[end].isspace():
        depth += (text[end] == "(") - (text[end] == ")")
        if not 0 <= depth <= _MAX_DEPTH:  # CommonMark allows no deeper parentheses in links
            break
        end += 2 if text[end] == "\\" else 1
    return text[start:end]


def _tag(text: str, start: int) -> tuple[str, int]:
    escaped = "&lt;", start + 1
    if link := _AUTOLINK.match(text, start):
        return link.group(), link.end()
    if header := _tagged_header(text, start):
        return header, start + len(header)
    match = _TAG.match(text, start)
    bare = _bare(match) if match is not None else None
    return escaped if match is None or bare is None else (bare, match.end())


def _bare(tag: re.Match[str]) -> str | None:
    """Returns the tag without attributes that could act: cells keep their spans, lists their numbers. Returns None if it is not a
    tag or not an allowed one. In "a<b or c>d", removing it would lose words."""
    name, rest = tag["name"], tag["rest"].rstrip()
    if name.lower() not in ALLOWED_TAGS or (tag["end"] and rest):
        return None
    closes = rest.endswith("/")
    rest = rest.removesuffix("/").rstrip()
    kept: dict[str, str] = {}
    position = 0
    while position < len(rest):
        attribute = _ATTRIBUTE.match(rest, position)
        if attribute is None or (attribute[2] is None and name.lower() not in ("table", "td", "th")):
            return None
        position = attribute.end()
        key, value = attribute[1].lower(), (attribute[2] or "").strip("\"'").strip()
        if key == "style" and (aligned := _ALIGNED.search(value)):
            key, value = "align", aligned[1].lower()
        if key in _KEPT.get(name.lower(), ()) and _VALUE.fullmatch(value):
            kept.setdefault(key, value)
    attributes = "".join(f' {key}="{value}"' for key, value in kept.items())
    return f"<{tag['end']}{name}{attributes}{'/' if closes else ''}>"


def _tagged_header(text: str, start: int) -> str | None:
    """Returns the line if it is a running header between tags. `start`: position of the first tag in the line."""
    begin = text.rfind("\n", max(0, start - _MAX_HEADER_CHARS), start) + 1
    end = text.find("\n", start, start + _MAX_HEADER_CHARS)
    line = text[start : end if end >= 0 else start + _MAX_HEADER_CHARS]
    match = TAGGED_HEADER.match(line)
    alone = not text[begin:start].strip() and (begin or start < _MAX_HEADER_CHARS)
    if match is None or not alone or "](" in match["text"] or "![" in match["text"]:
        return None
    return line


# -- code -----------------------------------------------------------------------------------------------------------------------


@cache
def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": True, "maxNesting": 200}).enable(["table", "strikethrough"])
    parser.validateLink = lambda url: True  # type: ignore[method-assign] # other renderers accept links that this one rejects
    return parser


def _live(tokens: list[Token]) -> Iterator[str]:
    for token in tokens:
        if token.type in ("html_block", "html_inline"):
            for match in _OPENS_TAG.finditer(token.content):
                tag = _TAG.match(token.content, match.start())
                if tag is None or _bare(tag) != tag.group():
                    yield token.content[match.start() : match.start() + 40]
        elif token.type == "image":
            yield "image"
        elif token.type == "link_open" and not safe_destination(str(token.attrs.get("href", ""))):
            yield str(token.attrs["href"])
        if token.children:
            yield from _live(token.children)


def _code_spans(text: str) -> list[tuple[int, int]]:
    """Returns (start, end) of fences, indented code and inline code, in order."""
    starts = [0]
    for line in text.split("\n"):
        starts.append(starts[-1] + len(line) + 1)
    spans: list[tuple[int, int]] = []
    for token in _parser().parse(text):
        if token.map is None:
            continue
        start, end = starts[token.map[0]], min(starts[min(token.map[1], len(starts) - 1)], len(text))
        if token.type in ("fence", "code_block"):
            spans.append((start, end))
        elif token.type == "inline" and "`" in token.content:
            spans += _inline_code(text, start, end)
    return sorted(set(spans))


def _inline_code(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    runs = list(_BACKTICKS.finditer(text, start, end))
    plain = len({len(run.group()) for run in runs}) == 1 and len(runs) % 2 == 0 and "\\`" not in text[start:end]
    if not plain and ACTS.search(text, start, end):  # renderers differ on where code begins and ends
        return
    by_length: dict[int, list[int]] = {}
    for index, run in enumerate(runs):
        by_length.setdefault(len(run.group()), []).append(index)
    closed = -1
    for index, run in enumerate(runs):
        same = by_length[len(run.group())]
        if index > closed and (later := bisect_right(same, index)) < len(same):
            closed = same[later]
            yield run.start(), runs[closed].end()


def _parted(code: list[tuple[int, int]], length: int) -> Iterator[tuple[int, int, bool]]:
    position = 0
    for start, end in code:
        if start < position:
            continue
        if start > position:
            yield position, start, False
        yield start, end, True
        position = end
    if position < length:
        yield position, length, False
