"""Writes the HTML lists of models as lines with their own markers: "7. ", "b. ", "iv. ", "- ".

An HTML list does not contain its numbers: a browser counts them from `start`, `type`, `value` and `reversed`. Written out, they
are in every output and in the search index. Numbers and bullets become Markdown items. Letters and Roman numerals become
paragraphs, since Markdown has no such items. A definition list becomes lines with ": " before each definition. In a table cell,
`<br>` separates the lines. Code stays unchanged.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from rayocr.outputs.html.tables import fenced_spans, is_within, table_spans

_TAG = re.compile(r"<(?P<end>/?)(?P<name>ol|ul|menu|dl|li|dt|dd|p|div)(?P<rest>(?:[\s/][^<>]{0,2000})?)>", re.IGNORECASE)
_OPENS = re.compile(r"<(?:ol|ul|menu|dl)(?:[\s/][^<>]{0,2000})?>(?=\s{0,99}>?\s{0,99}<(?:li|dt|dd|ol|ul|div)\b)", re.IGNORECASE)
_LISTS = frozenset({"ol", "ul", "menu", "dl"})
_CELL_TAG = re.compile(r"(</?(?:table|caption|thead|tbody|tfoot|tr|td|th)\b[^<>]{0,2000}>)", re.IGNORECASE)
_INLINE_CODE = re.compile(r"(?<!`)(`{1,3})(?!`)[^`\n]{1,500}(?<!`)\1(?!`)")
_INDENTED_CODE = re.compile(r"(?:\A|(?<=\n\n))(?: {4}|\t)[^\n]*")
_ATTRIBUTE = re.compile(r"""([a-z-]{1,30})(?:\s{0,9}=\s{0,9}("[^"]{0,2000}"|'[^']{0,2000}'|[^\s"'>]{1,200}))?""", re.IGNORECASE)
_STYLE = re.compile(r"list-style(?:-type)?\s{0,9}:\s{0,9}(?:(lower|upper)-)?([a-z-]{1,60})", re.IGNORECASE)
_STYLES = {
    "none": "",
    "alpha": "a",
    "latin": "a",
    "roman": "i",
    "devanagari": "०",
    "bengali": "০",
    "arabic-indic": "٠",
    "persian": "۰",
}
_NUMBER = re.compile(r"[+-]?\d{1,18}")
# An item whose text begins with its own marker: some models also write the number that is printed on the page.
_OWN_MARKER = re.compile(
    r"\W{0,3}(?:\(?(?:\d{1,4}(?:\.\d{1,4}){0,6}|[a-zA-Z]|[ivxlcIVXLC]{1,7})[.)]|\d{1,4}(?:\.\d{1,4}){1,6}|\[\d{1,4}\]|[①-⓿])\W{0,3}\s"
)
_MARKER_CHARS = 40  # longest beginning of an item that is compared with it
_ROMAN = {
    1000: "m",
    900: "cm",
    500: "d",
    400: "cd",
    100: "c",
    90: "xc",
    50: "l",
    40: "xl",
    10: "x",
    9: "ix",
    5: "v",
    4: "iv",
    1: "i",
}
_MAX_ROMAN = 3999
_QUOTED = re.compile(r"\n[ \t]*>[ \t]?")
_BLOCK_LINE = re.compile(r"^[ \t]*(?:```|~~~|\||[-*+] |\d{1,9}[.)] )", re.MULTILINE)
_MAX_TAGS = 50_000  # more tags come from a looping model
_MAX_LEVELS = 50  # items of deeper lists belong to this level
_INDENTED_LEVELS = 9  # deeper items are not indented further
_MAX_DIGITS = 9  # digits of a Markdown item
_CODE_INDENT = 4  # spaces before a paragraph that make it code


@dataclass(slots=True)
class _Table:
    source: str


@dataclass(slots=True)
class _Item:
    """An item. `marker`: "-" or ":" if it is no number; `value`: its number in the source; `body`: paragraphs, tables and
    lists, in order."""

    marker: str
    value: int | None = None
    body: list[str | _Table | _List] = field(default_factory=list)


@dataclass(slots=True)
class _List:
    """A list. `kind`: the type of its markers ("1", "a", "i" …), "-" for bullets, empty for none."""

    kind: str
    start: int | None
    step: int
    items: list[_Item] = field(default_factory=list)


def with_own_markers(text: str) -> str:
    """Returns the text with its HTML lists as lines. Does not change a text without such lists."""
    if "<" not in text or _OPENS.search(text) is None or text.count("<") > _MAX_TAGS:
        return text
    reader = _Reader("-")
    position = 0
    for start, end in table_spans(text):
        reader.feed(text[position:start])
        reader.table(_with_lines_in_cells(text[start:end]))
        position = end
    reader.feed(text[position:])
    return reader.result()


def _with_lines_in_cells(table: str) -> str:
    pieces = _CELL_TAG.split(table) if _OPENS.search(table) else [table]
    for index, piece in enumerate(pieces):
        if _OPENS.search(piece):
            reader = _Reader("•")
            reader.feed(piece)
            pieces[index] = "<br>".join(filter(None, map(str.strip, reader.result().split("\n"))))
    return "".join(pieces)


class _Reader:
    """Reads a text with lists. Text outside lists stays as it is."""

    def __init__(self, bullet: str) -> None:
        self._bullet = bullet
        self._parts: list[str] = []
        self._open: list[_List] = []
        self._margin = ""  # the quotation marks before the outermost list
        self._too_deep = 0  # open lists below the deepest level

    def feed(self, text: str) -> None:
        code = (fenced_spans(text), _spans(_INLINE_CODE, text))
        indented = _spans(_INDENTED_CODE, text)
        position = 0
        for tag in _TAG.finditer(text):
            name, ends = tag["name"].lower(), bool(tag["end"])
            opens = name in _LISTS and not ends and _OPENS.match(text, tag.start()) is not None
            is_code = any(is_within(spans, tag.start()) for spans in (code if self._open else (*code, indented)))
            if is_code or not (opens or self._open):
                continue
            self._text(text[position : tag.start()])
            position = tag.end()
            if opens:
                self._begin(name, dict(_attributes(tag["rest"])))
            elif name in _LISTS and ends:
                self._end()
            elif name in ("li", "dt", "dd") and not ends:
                self._item(name, dict(_attributes(tag["rest"])))
            elif self._open and self._open[-1].items:
                self._open[-1].items[-1].body.append("")  # a paragraph begins or ends
        self._text(text[position:])

    def table(self, source: str) -> None:
        if self._open:
            self._body().append(_Table(source))
        else:
            self._parts.append(source)

    def result(self) -> str:
        while self._open:
            self._end()
        return "".join(self._parts)

    def _text(self, text: str) -> None:
        if not self._open:
            self._parts.append(text)
            return
        text = _QUOTED.sub("\n", text) if self._margin else text
        if not text.strip() and not self._open[-1].items:
            return
        body = self._body()
        if body and isinstance(body[-1], str):
            body[-1] += text
        elif text.strip():
            body.append(text)

    def _body(self) -> list[str | _Table | _List]:
        """Returns the body of the current item. Text before the first item is an item without a marker."""
        items = self._open[-1].items
        if not items:
            items.append(_Item(""))
        return items[-1].body

    def _begin(self, name: str, attributes: dict[str, str]) -> None:
        if len(self._open) >= _MAX_LEVELS:
            self._too_deep += 1
            return
        kind = "-" if name in ("ul", "menu") else "" if name == "dl" else _kind(attributes)
        opened = _List(kind, _number(attributes.get("start")), -1 if "reversed" in attributes else 1)
        if self._open:
            self._body().append(opened)
        else:
            self._margin = self._quotation()
        self._open.append(opened)

    def _quotation(self) -> str:
        """Removes the quotation marks before the outermost list from the text, and returns them."""
        before, newline, line = self._parts[-1].rpartition("\n") if self._parts else ("", "", "")
        if not line.strip() or line.strip(" >"):
            return ""
        self._parts[-1] = before + newline
        return "> " * line.count(">")

    def _item(self, name: str, attributes: dict[str, str]) -> None:
        value = _number(attributes.get("value"))
        marker = ":" if name == "dd" else self._bullet if self._open[-1].kind == "-" else ""
        self._open[-1].items.append(_Item(marker, value))

    def _end(self) -> None:
        if self._too_deep:
            self._too_deep -= 1
            return
        closed = self._open.pop()
        if not self._open:
            lines = "\n".join(f"{self._margin}{line}".rstrip() for line in _lines(closed, room=_CODE_INDENT - 1))
            self._parts.append(f"\n\n{lines}\n\n")


def _lines(written: _List, *, room: int, level: int = 1) -> list[str]:
    """Returns the lines of a list. `room`: the number of spaces that may be before a paragraph that is not in an item."""
    lines: list[str] = []
    above_is_item = False
    for item, marker in _marked(written):
        is_item = marker == "-" or (marker[:-1].isdecimal() and marker.isascii() and len(marker) <= _MAX_DIGITS + 1)
        pad = 0 if level > _INDENTED_LEVELS else len(marker) + 1 if is_item else 2 if room > 1 else 0
        below = _CODE_INDENT - 1 if is_item else room - pad
        body = _body_lines(item.body, pad, below, level)
        if lines and marker != ":" and not (is_item and above_is_item):
            lines.append("")
        above_is_item = is_item
        lines.append(f"{marker} {body[0].lstrip()}".strip() if body else marker)
        lines += body[1:]
    return lines


def _body_lines(body: list[str | _Table | _List], pad: int, room: int, level: int) -> list[str]:
    lines: list[str] = []
    for part in body:
        if isinstance(part, _Table):  # at the left margin, where every renderer recognizes it
            lines += ["", *part.source.split("\n"), ""]
            continue
        if isinstance(part, _List):
            own = _lines(part, room=room, level=level + 1)
            # Only "- " and "1. " begin a list directly below the text of an item.
            added = own if own and own[0].startswith(("- ", "• ", "1. ")) else ["", *own]
        else:
            added = _paragraph(part)
            added = ["", *added] if lines and added else added
        if not lines and added[:1] == [""]:
            added = added[1:]
        lines += [f"{' ' * pad}{line}" if line else "" for line in added]
    return lines


def _paragraph(text: str) -> list[str]:
    """Returns the lines of a text. Lines of code, Markdown tables and items stay lines; others are one paragraph, as in HTML."""
    if _BLOCK_LINE.search(text) is None:
        return [words] if (words := " ".join(text.split())) else []
    lines = [line.rstrip() for line in text.strip("\n").split("\n")]
    least = min((len(line) - len(line.lstrip()) for line in lines[1:] if line), default=0)
    return [lines[0].lstrip(), *(line[least:] for line in lines[1:])]


def _marked(written: _List) -> Iterator[tuple[_Item, str]]:
    """Yields the items with their markers. A list whose items all begin with their own markers gets no others."""
    kind = written.kind
    starts = [item.body[0] if item.body and isinstance(item.body[0], str) else "" for item in written.items]
    if all(_OWN_MARKER.match(start.lstrip()[:_MARKER_CHARS]) for start in starts):
        kind = ""
    count = len(written.items)
    number = written.start if written.start is not None else count if written.step < 0 else 1
    for item in written.items:
        number = number if item.value is None else item.value
        yield item, item.marker or _marker(kind, number)
        number += written.step


def _marker(kind: str, number: int) -> str:
    if not kind:
        return ""
    if kind in "aA" and number > 0:
        letters = ""
        while number:
            number, letter = divmod(number - 1, 26)
            letters = chr(ord(kind) + letter) + letters
        return f"{letters}."
    if kind in "iI" and 0 < number <= _MAX_ROMAN:
        numeral = _roman(number)
        return f"{numeral.upper() if kind == 'I' else numeral}."
    zero = ord(kind) if kind.isdecimal() and not kind.isascii() else ord("0")
    return "".join(chr(zero + int(digit)) if digit.isdecimal() else digit for digit in str(number)) + "."


def _roman(number: int) -> str:
    numeral = ""
    for value, letters in _ROMAN.items():
        count, number = divmod(number, value)
        numeral += letters * count
    return numeral


def _kind(attributes: dict[str, str]) -> str:
    if style := _STYLE.search(attributes.get("style", "")):
        kind = _STYLES.get(style[2].lower(), "1")
        return kind.upper() if (style[1] or "").lower() == "upper" else kind
    kind = attributes.get("type", "1")
    return kind if kind in ("a", "A", "i", "I") else "1"


def _number(value: str | None) -> int | None:
    return int(value) if value is not None and _NUMBER.fullmatch(value) else None


def _attributes(source: str) -> Iterator[tuple[str, str]]:
    for match in _ATTRIBUTE.finditer(source):
        yield match[1].lower(), (match[2] or "").strip("\"'").strip()


def _spans(pattern: re.Pattern[str], text: str) -> list[tuple[int, int]]:
    return [match.span() for match in pattern.finditer(text)]
