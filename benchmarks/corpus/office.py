"""Office pages as Typst programs: a form with labels below its lines, a table with cells in the middle or at the bottom of their
rows, a table with heads over several columns, a bank statement, a payslip, and an agreement with signatures."""

from __future__ import annotations

import random

from benchmarks.corpus.forms import fields
from benchmarks.corpus.leaves import FAMILIES, Leaf, Writer, heading, literal, prose
from benchmarks.corpus.sentences import GOODS, TITLES


def labels_below(dice: random.Random) -> Leaf:
    """Draws values on lines with their labels in small type below, two or three side by side."""
    writer, leaf = Writer(dice), Leaf(font=dice.choice(FAMILIES), size_pt=10.5)
    heading(leaf, writer.title(), scale=1.4)
    items = [(label, value) for label, value in fields(dice, writer) if value][:8]
    below, columns = dice.choice(["({})", "{}"]), dice.choice([2, 2, 3])
    cells = ", ".join(
        f"block(width: 100%)[#block(width: 100%, stroke: (bottom: 0.6pt), inset: (x: 3pt, bottom: 3pt), below: 3pt)"
        f"[{literal(value)}] #text(size: 0.75em)[{literal(below.format(label.lower()))}]]"
        for label, value in items
    )
    leaf.add(
        f"#grid(columns: ({'1fr, ' * columns}), column-gutter: 14pt, row-gutter: {dice.randint(8, 14)}pt, {cells})",
        *(f"{value} {below.format(label.lower())}" for label, value in items),
    )
    prose(leaf, writer, 2)
    return leaf


def uneven_cells(dice: random.Random) -> Leaf:
    """Draws a table without rulings whose cells of several lines are in the middle or at the bottom of their rows."""
    writer, leaf = Writer(dice), Leaf(font=dice.choice(FAMILIES), size_pt=10)
    prose(leaf, writer, 1)
    rows = [["Subject", "Decision", "Reason", "By"]]
    rows += [[title, writer.paragraph(1, 1), writer.paragraph(1, 1), writer.name()] for title in dice.sample(TITLES, 5)]
    place, inset = dice.choice(["horizon", "bottom"]), dice.choice([4, 6, 8])
    cells = ", ".join(f"[{literal(cell)}]" for row in rows for cell in row)
    leaf.add(
        f"#table(columns: (1fr, 1.8fr, 1.8fr, 0.9fr), align: left + {place}, inset: (x: 6pt, y: {inset}pt), stroke: none, "
        f"{cells})",
        *(" ".join(row) for row in rows),
    )
    leaf.tables.append(rows)
    prose(leaf, writer, 1)
    return leaf


def heads_over_columns(dice: random.Random) -> Leaf:
    """Draws a table of figures without rulings, with heads over two columns each."""
    writer, leaf = Writer(dice), Leaf(font=dice.choice(FAMILIES), size_pt=10)
    heading(leaf, writer.title(), scale=1.3)
    prose(leaf, writer, 1)
    year = dice.randint(1995, 2024)
    rows = [["Item", str(year), "", str(year + 1), ""], ["", "Number", "Value", "Number", "Value"]]
    rows += [
        [good, *(text for _ in range(2) for text in (str(dice.randint(10, 999)), writer.amount()))]
        for good in dice.sample(GOODS, dice.randint(5, 8))
    ]
    head = f"[*Item*], table.cell(colspan: 2, align: center)[*{year}*], table.cell(colspan: 2, align: center)[*{year + 1}*]"
    cells = ", ".join(f"[{literal(cell)}]" for row in rows[1:] for cell in row)
    leaf.add(
        "#table(columns: (1.4fr, 1fr, 1fr, 1fr, 1fr), align: (left, right, right, right, right), stroke: none, "
        f"inset: (x: 6pt, y: {dice.choice([3, 4, 6])}pt), {head}, {cells})",
        *(" ".join(filter(None, row)) for row in rows),
    )
    leaf.tables.append(rows)
    prose(leaf, writer, 1)
    return leaf


def statement(dice: random.Random) -> Leaf:
    """Draws a bank statement: an address beside the number of the account, a heading, and a table with empty cells."""
    writer, leaf = Writer(dice), Leaf(font=dice.choice(FAMILIES), size_pt=10)
    address = [writer.name(), f"{dice.randint(1, 99)} Station Road", f"Lower Marsh LM{dice.randint(1, 9)} {dice.randint(1, 9)}AB"]
    account = [f"Account number {dice.randint(10**7, 10**8)}", f"Sheet {dice.randint(1, 90)}"]
    both = ", ".join("[" + " #linebreak() ".join(map(literal, lines)) + "]" for lines in (address, account))
    leaf.add(f"#grid(columns: (1fr, auto), {both})\n#v(10pt)", *address, *account)
    heading(leaf, "Statement of account", scale=1.4)
    rows = [["Date", "Details", "Paid out", "Paid in", "Balance"]]
    for good in dice.sample(GOODS, 10):
        paid = dice.choice([[writer.amount(), ""], ["", writer.amount()]])
        rows.append(
            [f"{dice.randint(1, 28):02d}.{dice.randint(1, 12):02d}.{dice.randint(2001, 2025)}", good, *paid, writer.amount()]
        )
    stroke = dice.choice(["none", "(bottom: 0.4pt)"])
    cells = ", ".join(f"[{literal(cell)}]" for row in rows for cell in row)
    leaf.add(
        "#table(columns: (auto, 1fr, auto, auto, auto), align: (left, left, right, right, right), inset: (x: 9pt, y: 5pt), "
        f"stroke: {stroke}, {cells})",
        *(" ".join(filter(None, row)) for row in rows),
    )
    leaf.tables.append(rows)
    prose(leaf, writer, 1)
    return leaf


def payslip(dice: random.Random) -> Leaf:
    """Draws one row of boxes with their labels inside, and two lists side by side with the same head above their amounts."""
    writer, leaf = Writer(dice), Leaf(font=dice.choice(FAMILIES), size_pt=10)
    heading(leaf, "Payslip", scale=1.4)
    boxes = [("Employee", writer.name()), ("Payroll no.", str(dice.randint(1000, 9999))), ("Period", writer.date())]
    cells = ", ".join(f"[#text(size: 0.75em)[{literal(label)}] #linebreak() {literal(value)}]" for label, value in boxes)
    leaf.add(f"#table(columns: (1fr, 1fr, 1fr), inset: 4pt, stroke: 0.6pt, {cells})", *(" ".join(box) for box in boxes))
    lists = [
        [[head, "Amount"], *([name, writer.amount()] for name in names)]
        for head, names in (
            ("Earnings", ("Basic pay", "Overtime", "Bonus", "Travel")),
            ("Deductions", ("Income tax", "National insurance", "Pension", "Union")),
        )
    ]
    tables = ", ".join(
        "table(columns: (1fr, auto), align: (left, right), stroke: none, "
        + ", ".join(f"[{literal(it)}]" for row in rows for it in row)
        + ")"
        for rows in lists
    )
    leaf.add(f"#grid(columns: (1fr, 1fr), column-gutter: 20pt, {tables})", *(" ".join(row) for rows in lists for row in rows))
    leaf.tables += lists
    prose(leaf, writer, 1)
    return leaf


def agreement(dice: random.Random) -> Leaf:
    """Draws an agreement with two signatures side by side: place and date, a line, name and office."""
    writer, leaf = Writer(dice), Leaf(font=dice.choice(FAMILIES), size_pt=10.5)
    heading(leaf, "Agreement", scale=1.5)
    prose(leaf, writer, 4)
    signed = [[f"Lower Marsh, {writer.date()}", writer.name(), office] for office in ("Landlord", "Tenant")]
    cells = ", ".join(
        f"[{literal(place)} #block(width: 100%, height: {dice.randint(30, 44)}pt, stroke: (bottom: 0.6pt), below: 4pt) "
        f"{literal(name)} #linebreak() {literal(office)}]"
        for place, name, office in signed
    )
    leaf.add(f"#v(16pt)\n#grid(columns: (1fr, 1fr), column-gutter: 40pt, {cells})", *(text for lines in signed for text in lines))
    return leaf
