"""Normalizes one page's Markdown to one style, whichever engine wrote it. All outputs are made from the result.

The ledger keeps the engine's text; each output run normalizes it again, with the same result. It works line by line, keeps
unknown markup, and never changes words. It is idempotent. It closes each page, so that an open fence, table or comment does not
swallow the next page (docs/decisions/0015).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from rayocr.engines.answers.unwrapping import unwrapped
from rayocr.outputs.html.lists import with_own_markers
from rayocr.outputs.html.tables import table_spans
from rayocr.outputs.normal.closing import closed
from rayocr.outputs.normal.inert import inert
from rayocr.outputs.normal.tables import html_table, pipe_tables
from rayocr.outputs.normal.wrappers import without_wrappers
from rayocr.outputs.typeset.literal import printable

# The info string after tildes may contain backticks; after backticks, that would be inline code.
_FENCE = re.compile(r"^(?P<indent>\s*)(?P<marks>`{3,}(?!.*`)|~{3,})(?P<info>.*)$")
_ATX = re.compile(r"^ {0,3}(?P<marks>#{1,6})(?:[ \t](?P<text>.*))?$")
_ATX_WITHOUT_BLANK = re.compile(r"^ {0,3}(?P<marks>#{2,6})(?=[^\W\d_])")
_HTML_HEADING = re.compile(r"^\s*<h(?P<level>[1-6])\b[^>]*>(?P<text>.*?)</h(?P=level)>\s*$", re.IGNORECASE)
_ALL_BOLD = re.compile(r"^\*\*(?P<text>[^*]+)\*\*$")
_UNDERLINE = re.compile(r"^ {0,3}(?P<mark>=+|-{2,})[ \t]*$")
_A_RULE = "\x00"  # placeholder for a horizontal rule that is not an underline; printable text does not contain this character
_DASHES = re.compile(r"^ {0,3}-{3,}$")
_RULE = re.compile(r"^ {0,3}(?:[*][* \t]+|[_][_ \t]+|-[- \t]+)$")
# Characters that are only list bullets. Dashes and dots may be page text.
_BULLET = re.compile(r"^(?P<indent>[ \t]*)(?:[-*+][ \t]+)?(?:[•●▪■◦‣∙⁃➢➤\uf0b7\uf0a7][ \t]*)(?=\S)")
_STAR = re.compile(r"^(?P<indent>[ \t]*)[*+](?P<gap>[ \t]+)(?=\S)")
_ITEM = re.compile(r"^[ \t]*(?:-|\d{1,9}[.)])[ \t]+\S")
# More marks at the beginning of a line come from a looping model. Markdown parsers fail on deeper nesting than they support, and
# on all following pages.
_TOO_DEEP = re.compile(r"^((?:[ \t]*(?:>|(?:[-*+]|\d{1,9}[.)])(?=[ \t]))){20}[ \t]*\d{0,9})(?=[>*+.)-])")
_QUOTE = re.compile(r"^(?P<marks> {0,3}>)(?=[^\s>])")
_FORMULAS = {"$$": "$$", "\\[": "\\]"}
_MAX_FORMULA_LINES = 60
_MAX_UNDERLINED = 100  # most characters of an underlined heading; a longer line above `---` is a paragraph above a rule
# Page text that looks like a page break would break tools that split the file at page breaks.
_OUR_MARKS = re.compile(r"(?<!\\)<!--(?=\s*(?:page\s+\d+|header:|footer:|doubtful:))", re.IGNORECASE)


def normal(text: str, *, of_a_model: bool = True) -> str:
    """Returns the page in one style, without text that a model added around it; empty for a page without text. Never raises."""
    text = printable(text.encode("utf-8", "replace").decode("utf-8"))
    if not of_a_model:
        return _in_style(text)
    made = _in_style(without_wrappers(unwrapped(text)))
    # A fence around a truncated page is recognized only after it is closed.
    return _in_style(without_wrappers(unwrapped(made))) if made.startswith("```") else made


def as_written(text: str) -> str:
    """Returns the page in the engine's own style, made inert, with text that looks like a page break escaped."""
    return inert(_OUR_MARKS.sub(r"\\<!--", printable(text.encode("utf-8", "replace").decode("utf-8"))))


def _in_style(text: str) -> str:
    text = with_own_markers(_OUR_MARKS.sub(r"\\<!--", text.strip()))
    parts: list[str] = []
    position = 0
    for start, end in table_spans(text):
        parts.append(_styled(text[position:start]))
        parts.append(html_table(inert(text[start:end])))
        position = end
    parts.append(_styled(text[position:]))
    return closed(inert("\n\n".join(part for part in parts if part).strip()))


def _styled(text: str) -> str:
    return "\n\n".join(_blocks(text.split("\n")))


def _blocks(lines: list[str]) -> Iterator[str]:
    """Keeps fences and normalizes the text between them."""
    outside: list[str] = []
    position = 0
    while position < len(lines):
        match = _FENCE.match(lines[position])
        end = _end_of_fence(lines, position, match["marks"]) if match is not None else _end_of_formula(lines, position)
        if end is None:
            outside.append(lines[position])
            position += 1
            continue
        yield from _prose(outside)
        outside = []
        yield "\n".join(lines[position:end])
        position = end
    yield from _prose(outside)


def _end_of_fence(lines: list[str], start: int, marks: str) -> int:
    for position in range(start + 1, len(lines)):
        stripped = lines[position].strip()
        if stripped.startswith(marks) and not stripped.strip(marks[0]):
            return position + 1
    return len(lines)


def _end_of_formula(lines: list[str], start: int) -> int | None:
    """Returns the end of a multi-line formula, whose characters are not Markdown; None if no formula begins here."""
    first = lines[start].strip()
    closing = _FORMULAS.get(first[:2])
    if closing is None or closing in first[2:]:
        return None
    for position in range(start + 1, min(len(lines), start + _MAX_FORMULA_LINES)):
        if not lines[position].strip():
            return None
        if lines[position].rstrip().endswith(closing):
            return position + 1
    return None


def _prose(lines: list[str]) -> Iterator[str]:
    kept: list[str] = []
    for line in _spaced(pipe_tables(_headings([_line(line) for line in lines]))):
        if line.strip():
            kept.append(line)
        elif kept and kept[-1]:  # collapses blank lines, and removes a hard line break before them
            kept[-1] = kept[-1].rstrip(" \t")
            kept.append("")
    if text := "\n".join(kept).rstrip():
        yield text


def _line(line: str) -> str:
    """Normalizes the marks of one line. Keeps two spaces at the end, which are a line break."""
    hard = line.endswith("  ") and line.strip() != ""
    line = line.rstrip()
    indent = len(line) - len(line.lstrip())
    first = line[indent : indent + 1]
    line = line[:indent].replace("\t", "    ") + line[indent:]
    if first.isalpha():  # no mark begins with a letter
        return f"{line}  " if hard else line
    if not first.isdecimal():
        if _RULE.match(line) and line.strip().strip("-") and sum(map(line.count, "*_-")) >= 3:
            return _A_RULE
        if _DASHES.match(line):
            return "---"
        line = _BULLET.sub(r"\g<indent>- ", line)
        line = _STAR.sub(r"\g<indent>-\g<gap>", line)
        line = _QUOTE.sub(r"\g<marks> ", line)
    line = _TOO_DEEP.sub(r"\1\\", line)
    return f"{line}  " if hard else line


def _headings(lines: list[str]) -> list[str]:
    """Turns underlined and HTML headings into ATX headings, with blank lines around them."""
    kept: list[str] = []
    for line in lines:
        heading = _heading(line)
        if heading is not None:
            kept.extend(("", heading, "") if heading else ("",))
        elif (match := _UNDERLINE.match(line)) and kept and kept[-1].strip() and _is_paragraph(kept[-1]):
            _underline(kept, match["mark"][0])
        elif line in ("---", _A_RULE):
            kept.extend(("", "---", ""))
        else:
            kept.append(line)
    return kept


def _heading(line: str) -> str | None:
    """Returns the ATX heading; None if the line is not a heading, empty for a heading without words."""
    if not line.lstrip().startswith(("#", "<")):
        return None
    if match := _HTML_HEADING.match(line):
        marks, text = "#" * int(match["level"]), match["text"]
    elif match := _ATX.match(line):
        marks, text = match["marks"], _without_closing_marks(match["text"] or "")
    elif match := _ATX_WITHOUT_BLANK.match(line):
        marks, text = match["marks"], line[match.end() :].rstrip("# ")
    else:
        return None
    text = text.strip()
    if bold := _ALL_BOLD.match(text):
        text = bold["text"].strip()
    return f"{marks} {text}" if text.strip("#") else ""


def _without_closing_marks(text: str) -> str:
    """Removes closing marks: `Title ##` is the heading "Title"."""
    text = text.rstrip(" \t")
    bare = text.rstrip("#")
    return bare if not bare or bare[-1] in " \t" else text


def _underline(kept: list[str], mark: str) -> None:
    """Returns the heading for an underlined line. The line above is a heading if it is alone and short. Otherwise the underline
    is a rule."""
    above = kept[-1].strip()
    alone = len(kept) < 2 or not kept[-2].strip()
    if alone and len(above) <= _MAX_UNDERLINED:
        kept[-1:] = ["", f"{'#' if mark == '=' else '##'} {above}", ""]
    else:
        kept.extend(("", "---", ""))


def _is_paragraph(line: str) -> bool:
    return not (_ITEM.match(line) or line.startswith(("#", ">", "|", "<", "    ")) or line == "---" or "|" in line)


def _spaced(lines: list[str]) -> Iterator[str]:
    """Adds a blank line between a paragraph and the list below it."""
    above = ""
    for line in lines:
        starts_list = line.startswith(("- ", "1. ")) and above.strip() and _is_paragraph(above) and not above.startswith(" ")
        if starts_list:
            yield ""
        yield line
        above = line
