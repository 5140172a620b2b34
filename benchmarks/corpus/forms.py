"""Forms, cards and invoices as Typst programs. The truth has each label before its value, fields row by row, and blocks in
order."""

from __future__ import annotations

import random

from benchmarks.corpus.leaves import SANS, SERIF, Leaf, Writer, heading, literal, prose
from benchmarks.corpus.sentences import GOODS

Field = tuple[str, str]


def fields(dice: random.Random, writer: Writer) -> list[Field]:
    """Returns twelve fields in the usual order."""
    first, last = writer.name().split()
    return [
        ("Surname", last),
        ("First name", first),
        ("Date of birth", writer.date()),
        ("Place of birth", dice.choice(["Whitcombe", "Eastbridge", "North Harbour", "Pune"])),
        ("Nationality", dice.choice(["British", "Norwegian", "Indian", "Portuguese"])),
        ("Telephone", f"0{dice.randint(100, 999)} {dice.randint(100000, 999999)}"),
        ("Street and number", f"{dice.randint(1, 90)} {dice.choice(['Willow Lane', 'Mill Road', 'Quay Street'])}"),
        ("Post code", f"WH{dice.randint(1, 9)} {dice.randint(1, 9)}AB"),
        ("Town", dice.choice(["Whitcombe", "Eastbridge", "Lower Marsh"])),
        ("Occupation", dice.choice(["Teacher", "Bee keeper", "Railway clerk", "Nurse"])),
        ("Reference", f"A-{dice.randint(1000, 9999)}/{dice.randint(10, 25)}"),
        ("Amount paid", f"£ {writer.amount()}"),
    ]


def _in_rows(dice: random.Random, items: list[Field], most: int) -> list[list[Field]]:
    rows: list[list[Field]] = []
    rest = list(items)
    while rest:
        count = dice.randint(1, most)
        rows.append(rest[:count])
        rest = rest[count:]
    return rows


def boxed_fields(dice: random.Random) -> Leaf:
    """Draws ruled boxes of different widths with a small label above the value, under headings of sections."""
    writer, leaf = Writer(dice), Leaf(font=SANS, size_pt=10)
    heading(leaf, f"Registration Form {dice.randint(10, 99)}-B", scale=1.5)
    items = fields(dice, writer)
    number = 0
    for section in ("1. Applicant", "2. Address and payment"):
        leaf.add(f"#block(above: 14pt, below: 6pt)[*{literal(section)}*]", section)
        for row in _in_rows(dice, items[number : number + 6], 3):
            widths = ", ".join(f"{dice.choice([1, 1.4, 2])}fr" for _ in row)
            cells = ", ".join(
                f"[#text(size: 0.7em)[{literal(label)}] #linebreak() {literal(value) if dice.random() > 0.1 else ''}]"
                for label, value in row
            )
            shown = [(label, value if literal(value) in cells else "") for label, value in row]
            leaf.content.append(f"#block(spacing: 0pt)[#table(columns: ({widths},), inset: 4pt, stroke: 0.6pt, {cells})]")
            leaf.truth += [f"{label} {value}".strip() for label, value in shown]
        number += 6
    prose(leaf, writer, 1, 2, 3)
    return leaf


def input_boxes(dice: random.Random) -> Leaf:
    """Draws boxes that stand apart, as browsers do, with the label above each; one to three in a row."""
    writer, leaf = Writer(dice), Leaf(font=SANS, size_pt=10)
    heading(leaf, "Book a Visit", scale=1.5)
    prose(leaf, writer, 1, 1, 2)
    for row in _in_rows(dice, fields(dice, writer), 3):
        parts = ", ".join(
            f"[#text(size: {dice.choice(['1em', '0.8em'])})[{literal(label)}] #v(-5pt) "
            f"#box(width: 100%, height: {dice.choice([18, 22])}pt, inset: 5pt, stroke: 0.6pt)[{literal(value)}]]"
            for label, value in row
        )
        leaf.add(
            f"#block(spacing: {dice.choice([10, 14])}pt)[#grid(columns: ({'1fr, ' * len(row)}), gutter: 14pt, {parts})]",
            *(f"{label} {value}" for label, value in row),
        )
    prose(leaf, writer, 1, 1, 2)
    return leaf


def lined_fields(dice: random.Random) -> Leaf:
    """Draws labels with their values on lines, one to three fields in a row, without boxes."""
    writer, leaf = Writer(dice), Leaf(font=dice.choice([SANS, SERIF]), size_pt=11)
    heading(leaf, "Notice of a Change of Address", scale=1.4, align="center")
    prose(leaf, writer, 1, 1, 2)
    colon = dice.choice([":", ""])
    for row in _in_rows(dice, fields(dice, writer), dice.choice([1, 2, 3])):
        columns = ", ".join("auto, 1fr" for _ in row)
        cells = ", ".join(
            f"[{literal(label + colon)}], "
            f"box(width: 100%, inset: (bottom: 2pt), stroke: (bottom: 0.5pt))[#h(4pt){literal(value)}]"
            for label, value in row
        )
        leaf.add(
            f"#block(spacing: {dice.choice([9, 14])}pt)[#grid(columns: ({columns},), gutter: 6pt, {cells})]",
            " ".join(f"{label}{colon} {value}" for label, value in row),
        )
    prose(leaf, writer, 1, 2, 3)
    return leaf


def paired_fields(dice: random.Random) -> Leaf:
    """Draws two columns of labels and values on common lines, without rulings, to be read row by row."""
    writer, leaf = Writer(dice), Leaf(font=SANS, size_pt=10)
    heading(leaf, "Record of Examination", scale=1.4)
    items = fields(dice, writer)
    colon = dice.choice([":", " :", ""])
    cells, rows = [], []
    for left, right in zip(items[::2], items[1::2], strict=True):
        cells += [f"[{literal(left[0] + colon)}], [{literal(left[1])}], [{literal(right[0] + colon)}], [{literal(right[1])}]"]
        rows.append(f"{left[0]}{colon} {left[1]} {right[0]}{colon} {right[1]}")
    leaf.add(
        f"#grid(columns: (1.1fr, 1.4fr, 1.1fr, 1.4fr), row-gutter: {dice.choice([6, 9, 14])}pt, {', '.join(cells)})",
        *rows,
    )
    heading(leaf, "Findings", scale=1.1)
    prose(leaf, writer, 2, 2, 3)
    items = fields(dice, writer)[6:]
    for label, value in items:
        leaf.add(f"#grid(columns: (120pt, 1fr), [{literal(label + colon)}], [{literal(value)}])", f"{label}{colon} {value}")
    return leaf


def form_table(dice: random.Random) -> Leaf:
    """Draws a ruled table of labels and values, with merged cells and a question over the whole width."""
    writer, leaf = Writer(dice), Leaf(font=SANS, size_pt=10)
    heading(leaf, "Application for Leave", scale=1.4, align="center")
    items = fields(dice, writer)
    cells = ""
    for left, right in zip(items[:8:2], items[1:8:2], strict=True):
        cells += ", ".join(f"[*{literal(label)}*], [{literal(value)}]" for label, value in (left, right)) + ", "
        leaf.truth.append(f"{left[0]} {left[1]} {right[0]} {right[1]}")
    reason = writer.paragraph(2, 3)
    cells += f"[*Reason*], table.cell(colspan: 3)[{literal(reason)}], "
    leaf.truth.append(f"Reason {reason}")
    head = "To be completed by the office"
    cells += f"table.cell(colspan: 4, align: center)[*{literal(head)}*], "
    leaf.truth.append(head)
    for left, right in zip(items[8::2], items[9::2], strict=True):
        cells += ", ".join(f"[*{literal(label)}*], [{literal(value)}]" for label, value in (left, right)) + ", "
        leaf.truth.append(f"{left[0]} {left[1]} {right[0]} {right[1]}")
    leaf.content.append(f"#table(columns: (1fr, 1.5fr, 1fr, 1.5fr), stroke: 0.6pt, inset: 5pt, {cells})")
    prose(leaf, writer, 1, 1, 2)
    leaf.add(
        "#v(24pt)#grid(columns: (1fr, 1fr), gutter: 60pt, [Date], [Signature of the applicant])",
        "Date Signature of the applicant",
    )
    return leaf


def questions(dice: random.Random) -> Leaf:
    """Draws numbered questions with options in a row and answers on lines."""
    writer, leaf = Writer(dice), Leaf(font=SANS, size_pt=10.5)
    heading(leaf, "Survey of Readers", scale=1.5)
    prose(leaf, writer, 1, 1, 2)
    for number in range(1, 8):
        text = f"{number}. {writer.paragraph(1, 1)}"
        leaf.add(f"#block(above: 12pt)[{literal(text)}]", text)
        options = dice.choice([["Yes", "No"], ["Never", "Sometimes", "Often", "Always"], ["Good", "Fair", "Poor"]])
        boxes = "".join(
            f"#box(width: 8pt, height: 8pt, stroke: 0.7pt) #h(4pt) {literal(option)} #h({dice.choice([24, 48])}pt)"
            for option in options
        )
        leaf.add(f"#h(14pt) {boxes}", " ".join(f"[ ] {option}" for option in options))
    return leaf


def card(dice: random.Random) -> Leaf:
    """Draws an identity card: a frame, a picture, small labels above or beside values."""
    writer, leaf = Writer(dice), Leaf(width="420pt", height="270pt", margin="18pt", font=SANS, size_pt=11)
    leaf.add('#align(center)[#text(size: 1.2em, weight: "bold")[LIBRARY OF WHITCOMBE]]', "LIBRARY OF WHITCOMBE")
    above = dice.random() < 0.5
    items = [item for item in fields(dice, writer)[:6] if item[0] != "Telephone"]
    parts = [
        f"#text(size: 0.65em)[{literal(label)}] \\\n{literal(value)}"
        if above
        else f"#text(size: 0.8em)[{literal(label + ':')}] {literal(value)}"
        for label, value in items
    ]
    joined = "\n\n".join(parts)
    leaf.add(
        "#grid(columns: (100pt, 1fr), gutter: 16pt, rect(width: 100pt, height: 130pt, fill: luma(190)), "
        f"[#set par(leading: 0.4em, spacing: 0.8em)\n{joined}])",
        *(f"{label} {value}" if above else f"{label}: {value}" for label, value in items),
    )
    number = f"No. {dice.randint(100000, 999999)}"
    leaf.add(f"#align(right)[{literal(number)}]", number)
    return leaf


def invoice(dice: random.Random) -> Leaf:
    """Draws an invoice: seller, buyer beside the invoice's data, items, totals on the right, terms, a footer in three columns."""
    writer, leaf = Writer(dice), Leaf(font=SANS, size_pt=10, margin="(x: 56pt, y: 50pt)")
    leaf.add('#text(size: 1.8em, weight: "bold")[Mill & Sons Ltd]', "Mill & Sons Ltd")
    leaf.add("14 Quay Street, Whitcombe WH2 7AB", "14 Quay Street, Whitcombe WH2 7AB")
    buyer = ["Bill to", writer.name(), f"{dice.randint(1, 120)} Mill Road", "Eastbridge EB4 1QX"]
    data = [
        ("Invoice number", f"INV-{dice.randint(1000, 9999)}"),
        ("Invoice date", writer.date()),
        ("Due date", writer.date()),
        ("Customer", f"C{dice.randint(100, 999)}"),
    ]
    address = "\n".join(f"{literal(line)} #linebreak()" for line in buyer)
    right = "#grid(columns: (auto, 1fr), column-gutter: 12pt, row-gutter: 6pt, " + ", ".join(
        f"[{literal(label + ':')}], [{literal(value)}]" for label, value in data
    )
    leaf.add(
        f"#v(10pt)#grid(columns: (1fr, 1fr), gutter: 40pt, [{address}], [{right})])",
        *buyer,
        *(f"{label}: {value}" for label, value in data),
    )
    heading(leaf, "INVOICE", scale=1.4)
    rows = [["Description", "Qty", "Price", "Amount"]]
    for good in dice.sample(GOODS, dice.randint(3, 7)):
        text = f"{good}, {dice.choice(['delivered to the back door', 'as agreed', 'second quality, without guarantee'])}"
        rows.append([text, str(dice.randint(1, 50)), writer.amount(), writer.amount()])
    stroke = dice.choice(["none", "0.5pt", "(x, y) => (bottom: 0.4pt)", "(x, y) => if y == 0 { (bottom: 1pt) }"])
    cells = ", ".join(f"[{literal(cell)}]" for row in rows for cell in row)
    leaf.add(
        f"#table(columns: (2.2fr, 0.5fr, 1fr, 1fr), stroke: {stroke}, align: (left, right, right, right), {cells})",
        *(" ".join(row) for row in rows),
    )
    totals = [("Subtotal", writer.amount()), ("VAT 20 %", writer.amount()), ("Total due", f"£ {writer.amount()}")]
    leaf.add(
        "#align(right)[#grid(columns: (auto, 80pt), gutter: 6pt, align: (left, right), "
        + ", ".join(f"[{literal(label)}], [{literal(value)}]" for label, value in totals)
        + ")]",
        *(f"{label} {value}" for label, value in totals),
    )
    prose(leaf, writer, 1, 2, 2)
    blocks = [
        ["Mill & Sons Ltd", "14 Quay Street", "Whitcombe WH2 7AB"],
        ["Bank of Eastbridge", "IBAN GB33 BUKB 2020 1555", "BIC BUKBGB22"],
        ["VAT GB 204 8810", "Managing director", writer.name()],
    ]
    shown = ", ".join("[" + " \\\n".join(literal(line) for line in block) + "]" for block in blocks)
    leaf.add(
        f"#place(bottom, block(width: 100%)[#set text(size: 0.8em)\n#grid(columns: (1fr, 1fr, 1fr), {shown})])",
        *(line for block in blocks for line in block),
    )
    return leaf
