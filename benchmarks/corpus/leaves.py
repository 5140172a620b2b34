"""One page of each kind, as a Typst program and as the text in reading order. Pages depend on the seed, not on pixels.

The ground truth lists blocks in reading order: header first, column by column, tables row by row, notes and footer
last.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from benchmarks.corpus.sentences import GOODS, NAMES, SENTENCES, TITLES

SERIF, SANS, MONO = "Libertinus Serif", "Noto Sans", "DejaVu Sans Mono"
FAMILIES = (SERIF, SANS, "New Computer Modern")
_SCRIPT_FONTS = {
    "ko": "Noto Sans CJK KR",
    "ar": "Amiri",
    "zh": "Noto Sans CJK SC",
    "ja": "Noto Sans CJK JP",
    "hi": "Noto Sans Devanagari",
    "mr": "Noto Sans Devanagari",
}


@dataclass(slots=True)
class Leaf:
    """`content` is Typst markup; `truth` is its blocks in reading order."""

    width: str = "595pt"
    height: str = "842pt"
    margin: str = "(x: 64pt, y: 60pt)"
    font: str = SERIF
    size_pt: float = 11.0
    language: str = "en"
    settings: str = ""
    content: list[str] = field(default_factory=list)
    truth: list[str] = field(default_factory=list)
    tables: list[list[list[str]]] = field(default_factory=list)  # rows of cells, on pages whose tables are measured

    def add(self, markup: str, *truth: str) -> None:
        self.content.append(markup)
        self.truth.extend(truth)

    def program(self, *, shrink: float = 1.0) -> str:
        return (
            f"#set page(width: {self.width}, height: {self.height}, margin: {self.margin})\n"
            f'#set text(font: ("{self.font}", "Noto Sans"), size: {self.size_pt * shrink:.2f}pt, lang: "{self.language}")\n'
            f"{self.settings}\n" + "\n\n".join(self.content)
        )


def literal(text: str) -> str:
    return '#"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


class Writer:
    """Draws sentences without repeating one on a page."""

    def __init__(self, dice: random.Random, language: str = "en") -> None:
        self.dice = dice
        self._language = language
        self._left: list[str] = []

    def paragraph(self, least: int = 2, most: int = 5) -> str:
        glue = "" if self._language in ("zh", "ja") else " "
        return glue.join(self._sentence() for _ in range(self.dice.randint(least, most)))

    def title(self) -> str:
        return self.dice.choice(TITLES)

    def name(self) -> str:
        return self.dice.choice(NAMES)

    def amount(self) -> str:
        return f"{self.dice.randint(1, 9999):,}.{self.dice.randint(0, 99):02d}"

    def date(self) -> str:
        month = self.dice.choice(["March", "May", "August", "October"])
        return f"{self.dice.randint(1, 28)} {month} {self.dice.randint(1994, 2025)}"

    def _sentence(self) -> str:
        if not self._left:
            self._left = list(SENTENCES[self._language])
            self.dice.shuffle(self._left)
        return self._left.pop()


def heading(leaf: Leaf, text: str, *, scale: float = 1.25, align: str = "left") -> None:
    leaf.add(f'#align({align})[#text(size: {scale}em, weight: "bold")[{literal(text)}]]', text)


def prose(leaf: Leaf, writer: Writer, count: int, least: int = 2, most: int = 4) -> None:
    for _ in range(count):
        text = writer.paragraph(least, most)
        leaf.add(literal(text), text)


def single_column(dice: random.Random) -> Leaf:
    writer, leaf = Writer(dice), Leaf(font=dice.choice(FAMILIES), size_pt=dice.choice([10, 11, 12]))
    leaf.settings = f"#set par(justify: {dice.choice(['true', 'false'])}, leading: {dice.choice(['0.65em', '0.9em'])})"
    heading(leaf, writer.title(), scale=1.7)
    prose(leaf, writer, 2)
    heading(leaf, f"1.{dice.randint(1, 9)} {writer.title()}")
    prose(leaf, writer, 2)
    for number in range(3):
        text = writer.paragraph(1, 1)
        mark = dice.choice(["•", f"{number + 1}.", f"({'abc'[number]})"])
        leaf.add(f"#grid(columns: (18pt, 1fr), [{literal(mark)}], [{literal(text)}])", f"{mark} {text}")
    prose(leaf, writer, 2)
    return leaf


def two_columns(dice: random.Random) -> Leaf:
    """Draws a paper: title and authors over both columns, headings, a footer with the page number."""
    writer, leaf = Writer(dice), Leaf(font=dice.choice(FAMILIES), size_pt=dice.choice([9, 10]), margin="(x: 52pt, y: 56pt)")
    leaf.settings = f"#set par(justify: true, first-line-indent: {dice.choice(['0pt', '1em'])})"
    title, authors = f"{writer.title()} and {writer.title().lower()}", f"{writer.name()}, {writer.name()}"
    heading(leaf, title, scale=1.8, align="center")
    leaf.add(f"#align(center)[{literal(authors)}]", authors)
    _columns(leaf, writer, 2, dice.choice([14, 20, 26]), 4)
    page = str(dice.randint(2, 400))
    leaf.add(f"#place(bottom + center, dy: 24pt)[{literal(page)}]", page)
    return leaf


def newspaper(dice: random.Random) -> Leaf:
    """Draws three columns with a masthead and a headline over all of them, with or without rules between the columns."""
    writer, leaf = Writer(dice), Leaf(font=SERIF, size_pt=9, margin="(x: 40pt, y: 44pt)")
    leaf.settings = "#set par(justify: true)"
    masthead, line = "The Whitcombe Messenger", f"No. {dice.randint(100, 999)} · {writer.date()} · Price 40p"
    heading(leaf, masthead, scale=3, align="center")
    leaf.add(f"#align(center)[{literal(line)}] #line(length: 100%)", line)
    heading(leaf, writer.title(), scale=2)
    _columns(leaf, writer, 3, dice.choice([12, 16]), 4)
    return leaf


def _columns(leaf: Leaf, writer: Writer, count: int, gutter_pt: int, sections: int) -> None:
    inner: list[str] = []
    for _ in range(sections):
        title = writer.title()
        inner.append(f'#text(size: 1.2em, weight: "bold")[{literal(title)}]')
        leaf.truth.append(title)
        for _ in range(2):
            text = writer.paragraph(3, 5)
            inner.append(literal(text))
            leaf.truth.append(text)
    # Balanced by hand: Typst fills the first column to the page's end, so a block of fixed height makes the columns even.
    body = "\n\n".join(inner)
    leaf.content.append(
        f"#context {{ let body = [{body}]\n"
        f"  layout(size => {{ let w = (size.width - {gutter_pt * (count - 1)}pt) / {count}\n"
        f"    let h = measure(block(width: w, body)).height / {count} + 46pt\n"
        f"    block(height: h, columns({count}, gutter: {gutter_pt}pt, body)) }}) }}"
    )


def ruled_table(dice: random.Random) -> Leaf:
    return _table(dice, stroke="0.6pt")


def unruled_table(dice: random.Random) -> Leaf:
    return _table(dice, stroke=dice.choice(["none", "(x, y) => if y <= 1 { (top: 0.6pt) }"]))


def _table(dice: random.Random, *, stroke: str) -> Leaf:
    writer, leaf = Writer(dice), Leaf(font=dice.choice(FAMILIES), size_pt=10)
    heading(leaf, f"Table {dice.randint(1, 9)}. {writer.title()}")
    prose(leaf, writer, 1)
    rows = [["Item", "Quantity", "Unit price", "Total", "Remarks"]]
    for good in dice.sample(GOODS, dice.randint(8, 14)):
        remark = dice.choice(["", "in stock", "from May", "see note 2", "ordered for the second quarter"])
        rows.append([good, str(dice.randint(1, 250)), writer.amount(), writer.amount(), remark])
    rows.append(["Total", "", "", writer.amount(), ""])
    cells = ", ".join(f"[{literal(cell) if cell else ''}]" for row in rows for cell in row)
    leaf.add(
        f"#table(columns: (1.6fr, 0.8fr, 1fr, 1fr, 1.4fr), stroke: {stroke}, align: (left, right, right, right, left), {cells})",
        *(" ".join(cell for cell in row if cell) for row in rows),
    )
    prose(leaf, writer, 2)
    return leaf


def form(dice: random.Random) -> Leaf:
    """Draws a form: labels with values on lines and in boxes, check boxes, two fields in a row, a signature."""
    writer, leaf = Writer(dice), Leaf(font=SANS, size_pt=10)
    heading(leaf, "Application for a Place in the Archive", scale=1.5, align="center")
    prose(leaf, writer, 1, 1, 2)
    style = dice.choice(["line", "box"])
    stroke = "(bottom: 0.6pt)" if style == "line" else "0.6pt"
    fields = [
        (("Surname", writer.name().split()[1]), ("First name", writer.name().split()[0])),
        (("Date of birth", writer.date()), ("Telephone", f"0{dice.randint(100, 999)} {dice.randint(100000, 999999)}")),
        (
            ("Street and number", f"{dice.randint(1, 90)} Willow Lane"),
            ("Post code", f"WH{dice.randint(1, 9)} {dice.randint(1, 9)}AB"),
        ),
        (("Reference", f"A-{dice.randint(1000, 9999)}/{dice.randint(10, 25)}"), ("Amount paid", f"£ {writer.amount()}")),
    ]
    for row in fields:
        cells = ", ".join(
            f"[{literal(label + ':')}], box(width: 100%, height: 18pt, inset: 4pt, stroke: {stroke})[{literal(value)}]"
            for label, value in row
        )
        leaf.add(
            f"#grid(columns: (auto, 1fr, auto, 1fr), gutter: 8pt, align: horizon, {cells})",
            " ".join(f"{label}: {value}" for label, value in row),
        )
    for text in ("I wish to use the reading room.", "I have read the rules.", "Send me the yearly report."):
        mark = dice.choice(["", "#place(dx: 1pt, dy: -1pt)[x]"])
        truth = f"[{'x' if mark else ' '}] {text}"
        leaf.add(f"#box(width: 8pt, height: 8pt, stroke: 0.7pt)[{mark}] #h(6pt) {literal(text)}", truth)
    heading(leaf, "Declaration", scale=1.1)
    prose(leaf, writer, 1, 2, 3)
    leaf.add(
        "#v(20pt)#grid(columns: (1fr, 1fr), gutter: 40pt, [#line(length: 100%)Place and date], [#line(length: 100%)Signature])",
        "Place and date Signature",
    )
    return leaf


def letter(dice: random.Random) -> Leaf:
    writer, leaf = Writer(dice), Leaf(font=dice.choice(FAMILIES), size_pt=11)
    firm, street = "Harbour Trust of Whitcombe", "14 Quay Street, Whitcombe WH2 7AB · Tel. 01632 960 114"
    leaf.add(f'#align(center)[#text(size: 1.6em, weight: "bold", tracking: 1.5pt)[{literal(firm)}]]', firm)
    leaf.add(f"#align(center)[#text(size: 0.8em)[{literal(street)}]] #line(length: 100%, stroke: 0.5pt)", street)
    address = [writer.name(), f"{dice.randint(1, 120)} Mill Road", "Eastbridge EB4 1QX"]
    leaf.add(" \\\n".join(literal(line) for line in address), *address)
    date = writer.date()
    leaf.add(f"#align(right)[{literal(date)}]", date)
    subject = f"Your letter of {writer.date()}, our reference {dice.randint(100, 999)}/{dice.randint(10, 99)}"
    leaf.add(f"*{literal(subject)}*", subject)
    leaf.add(literal(f"Dear {address[0]},"), f"Dear {address[0]},")
    prose(leaf, writer, 3, 2, 4)
    signed = writer.name()
    leaf.add(f"Yours sincerely,\n\n#v(20pt){literal(signed)} \\\nSecretary", "Yours sincerely,", signed, "Secretary")
    foot = "Registered charity 204 881 · Bank of Eastbridge · IBAN GB33 BUKB 2020 1555 5555 55"
    leaf.add(f"#place(bottom + center)[#text(size: 0.7em)[{literal(foot)}]]", foot)
    return leaf


def receipt(dice: random.Random) -> Leaf:
    writer = Writer(dice)
    leaf = Leaf(width="227pt", height="440pt", margin="12pt", font=MONO, size_pt=8)
    shop = dice.choice(["CORNER STORE", "Harbour Books", "MILL & SONS"])
    leaf.add(f"#align(center)[*{literal(shop)}* \\\n {literal('12 Quay Street, Whitcombe')}]", shop, "12 Quay Street, Whitcombe")
    stamp = f"{dice.randint(1, 28):02d}.05.2024 {dice.randint(8, 19)}:{dice.randint(10, 59)} Till {dice.randint(1, 6)}"
    leaf.add(literal(stamp), stamp)
    for good in dice.sample(GOODS, 8):
        price = f"{dice.randint(1, 60)}.{dice.randint(0, 99):02d}"
        leaf.add(f"#grid(columns: (1fr, auto), [{literal(good)}], [{literal(price)}])", f"{good} {price}")
    total = writer.amount()
    leaf.add(
        f'#line(length: 100%, stroke: (dash: "dashed"))\n#grid(columns: (1fr, auto), [*TOTAL*], [*{literal(total)}*])',
        f"TOTAL {total}",
    )
    leaf.add("#align(center)[Thank you for your visit!]", "Thank you for your visit!")
    return leaf


def listing(dice: random.Random) -> Leaf:
    writer, leaf = Writer(dice), Leaf(font=SERIF, size_pt=11)
    heading(leaf, "Reading the sensor")
    prose(leaf, writer, 1)
    name = dice.choice(["pressure", "level", "flow"])
    code = [
        f"def read_{name}(port, timeout_s={dice.randint(1, 9)}.0):",
        "    with port.lock:",
        f"        port.write(b'{name.upper()}?')",
        "        answer = port.read_line(timeout_s)",
        "    if not answer.startswith('OK'):",
        f"        raise SensorError(answer[{dice.randint(2, 5)}:])",
        f"    return float(answer[3:]) * {dice.randint(2, 9)}.5e-3",
    ]
    leaf.add(f'#text(font: "{MONO}", size: 0.85em)[' + " \\\n".join(_spaced(line) for line in code) + "]", *code)
    prose(leaf, writer, 3)
    return leaf


def _spaced(line: str) -> str:
    return literal(line.replace(" ", "\u00a0"))  # Typst omits spaces at the start of a line


def footnotes(dice: random.Random) -> Leaf:
    """Draws a page of a book: running header, body, notes below a rule, page number."""
    writer, leaf = Writer(dice), Leaf(font=SERIF, size_pt=11, margin="(x: 70pt, top: 50pt, bottom: 60pt)")
    leaf.settings = "#set par(justify: true, first-line-indent: 1.2em)"
    header, page = f"{writer.title()}", str(dice.randint(11, 399))
    leaf.add(f"#grid(columns: (1fr, auto), [#emph[{literal(header)}]], [{literal(page)}])", f"{header} {page}")
    notes = [writer.paragraph(1, 1) for _ in range(2)]
    for number, note in enumerate(notes, start=1):
        text = writer.paragraph(3, 5)
        leaf.content.append(f"{literal(text)}#footnote[{literal(note)}]")
        leaf.truth.append(f"{text}{number}")
        prose(leaf, writer, 1, 3, 5)
    leaf.truth += [f"{number} {note}" for number, note in enumerate(notes, start=1)]
    return leaf


def small_print(dice: random.Random) -> Leaf:
    writer, leaf = Writer(dice), Leaf(font=SANS, size_pt=dice.choice([6.5, 7.5]), margin="(x: 50pt, y: 50pt)")
    heading(leaf, "General terms and conditions", scale=1.4)
    for number in range(1, 9):
        text = f"{number}. {writer.paragraph(3, 4)}"
        leaf.add(literal(text), text)
    return leaf


def ornaments(dice: random.Random) -> Leaf:
    """Draws letter-spaced headings, a drop capital, and text along the margin."""
    writer, leaf = Writer(dice), Leaf(font=SERIF, size_pt=11, margin="(left: 90pt, right: 60pt, y: 60pt)")
    title = writer.title().upper()
    leaf.add(f"#align(center)[#text(size: 1.3em, tracking: {dice.choice([2, 4])}pt)[{literal(title)}]]", title)
    text = writer.paragraph(5, 6)
    initial, rest = text[0], text[1:]
    leaf.add(
        f"#grid(columns: (auto, 1fr), gutter: 4pt, [#text(size: 3.1em)[{literal(initial)}]], "
        f"[#par(justify: true)[{literal(rest)}]])",
        text,
    )
    prose(leaf, writer, 4, 3, 4)
    margin = f"archive:{dice.randint(1000, 2500)}.{dice.randint(10000, 99999)}v2 [notes] {writer.date()}"
    leaf.add(f"#place(left + horizon, dx: -70pt, rotate(-90deg, reflow: true)[#text(size: 1.4em)[{literal(margin)}]])", margin)
    return leaf


def foreign(language: str) -> Callable[[random.Random], Leaf]:
    def make(dice: random.Random) -> Leaf:
        writer = Writer(dice, language)
        leaf = Leaf(font=_SCRIPT_FONTS.get(language) or dice.choice(FAMILIES[:2]), size_pt=11.5, language=language)
        leaf.settings = "#set par(leading: 0.8em)"
        first = writer.paragraph(1, 1)
        heading(leaf, first, scale=1.2)
        prose(leaf, writer, 4, 2, 3)
        return leaf

    return make


def mixed_scripts(language: str) -> Callable[[random.Random], Leaf]:
    """Draws paragraphs that alternate between English and another script, as in many official documents."""

    def make(dice: random.Random) -> Leaf:
        english, other = Writer(dice), Writer(dice, language)
        leaf = Leaf(font=SERIF, size_pt=11.5)
        leaf.settings = "#set par(leading: 0.8em)"
        heading(leaf, english.title(), scale=1.3)
        for _ in range(3):
            prose(leaf, english, 1, 2, 3)
            text = other.paragraph(2, 2)
            font = _SCRIPT_FONTS.get(language, "Noto Sans")
            leaf.add(f'#text(font: "{font}", lang: "{language}")[{literal(text)}]', text)
        return leaf

    return make


LATIN: Sequence[str] = ("fr", "de", "es", "pt", "it", "pl", "cs", "tr", "vi")
OTHER: Sequence[str] = ("el", "ru", "uk", "zh", "ja", "hi", "mr", "ar", "he", "ko")
MIXED: Sequence[str] = ("hi", "ru", "el", "ar", "ko")
