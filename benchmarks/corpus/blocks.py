"""Blocks side by side as Typst programs: cards, items of a catalog, two lists on common baselines, articles with rulings between
their columns, and tables with rulings between their columns only. The truth has one block after the other."""

from __future__ import annotations

import random

from benchmarks.corpus.leaves import FAMILIES, SANS, Leaf, Writer, heading, literal, prose
from benchmarks.corpus.sentences import GOODS, TITLES


def cards(dice: random.Random) -> Leaf:
    """Draws short texts below heads, in two or three columns, with or without frames."""
    writer, leaf = Writer(dice), Leaf(font=dice.choice(FAMILIES), size_pt=10)
    heading(leaf, "Our services", scale=1.5)
    prose(leaf, writer, 1)
    columns, style = dice.choice([2, 3]), dice.choice(["", ", stroke: 0.6pt", ", fill: luma(238)"])
    parts = [(title, writer.paragraph(1, 2)) for title in dice.sample(TITLES, 2 * columns)]
    cells = ", ".join(
        f"block(width: 100%, inset: 6pt{style})[*{literal(head)}* #linebreak() {literal(text)}]" for head, text in parts
    )
    leaf.add(
        f"#grid(columns: {columns}, column-gutter: 14pt, row-gutter: 12pt, {cells})", *(f"{head} {text}" for head, text in parts)
    )
    prose(leaf, writer, 1)
    return leaf


def catalog(dice: random.Random) -> Leaf:
    """Draws pictures in three or four columns with name, number and price below each."""
    writer, leaf = Writer(dice), Leaf(font=SANS, size_pt=10)
    heading(leaf, f"Catalog {dice.randint(1990, 2025)}", scale=1.5)
    columns, currency, height = dice.choice([3, 4]), dice.choice(["£", "€", "$"]), dice.randint(40, 70)
    items = [
        (good, f"No. {dice.randint(1000, 9999)}", f"{currency}{dice.randint(1, 99)}.{dice.randint(10, 99)}")
        for good in dice.sample(GOODS, 2 * columns)
    ]
    cells = ", ".join(
        f"[#rect(width: 80%, height: {height}pt, fill: luma(200), stroke: none) "
        + " #linebreak() ".join(map(literal, item))
        + "]"
        for item in items
    )
    leaf.add(f"#grid(columns: ({'1fr, ' * columns}), gutter: 16pt, {cells})", *(" ".join(item) for item in items))
    prose(leaf, writer, 1)
    return leaf


def lists(dice: random.Random) -> Leaf:
    """Draws two lists of goods with amounts side by side below their heads, as earnings and deductions or the parts of a menu."""
    writer, leaf = Writer(dice), Leaf(font=dice.choice(FAMILIES), size_pt=10.5)
    heading(leaf, writer.title(), scale=1.4)
    rows = dice.randint(4, 6)
    for heads in (("Starters", "Main courses"), ("Desserts", "Drinks")):
        both = [[(good, writer.amount()) for good in dice.sample(GOODS, rows)] for _ in heads]
        cells = ", ".join(
            f"grid(columns: (1fr, auto), row-gutter: 7pt, {', '.join(f'[{literal(text)}]' for item in items for text in item)})"
            for items in both
        )
        leaf.add(
            f"#grid(columns: (1fr, 1fr), column-gutter: 40pt, row-gutter: 7pt, [*{heads[0]}*], [*{heads[1]}*], {cells})\n#v(8pt)",
            *(line for head, items in zip(heads, both, strict=True) for line in (head, *(" ".join(item) for item in items))),
        )
    prose(leaf, writer, 1)
    return leaf


def articles(dice: random.Random) -> Leaf:
    """Draws two articles in three columns with rulings between the columns; the head of the second is in the first column."""
    writer, leaf = Writer(dice), Leaf(font=dice.choice(FAMILIES), size_pt=9.5, margin="(x: 44pt, y: 44pt)")
    heading(leaf, "The Whitcombe Herald", scale=2.2)
    for _ in range(2):
        title, author = writer.title(), f"By {writer.name()}"
        leaf.add(f"#block(above: 12pt, below: 5pt)[*{literal(title)}*]\n{literal(author)}", title, author)
        columns = [[writer.paragraph(2, 3) for _ in range(2)] for _ in range(3)]
        cells = ", ".join(
            f"grid.cell(stroke: {'(left: 0.5pt)' if n else 'none'})[" + "\n\n".join(map(literal, paragraphs)) + "]"
            for n, paragraphs in enumerate(columns)
        )
        leaf.add(f"#grid(columns: (1fr, 1fr, 1fr), inset: (x: 6pt), {cells})", *(text for column in columns for text in column))
    return leaf


def columns_ruled(dice: random.Random) -> Leaf:
    """Draws a framed table with rulings between its columns and below its head, and none between its rows."""
    writer, leaf = Writer(dice), Leaf(font=dice.choice(FAMILIES), size_pt=10)
    prose(leaf, writer, 1)
    rows = [["No.", "Description", "Qty", "Price"]]
    for number, good in enumerate(dice.sample(GOODS, dice.randint(5, 8)), start=1):
        more = f", {dice.choice(['with instructions for its use and a list of spare parts', 'spare', 'in boxes of ten'])}"
        rows.append([str(number), good + more * dice.randint(0, 1), str(dice.randint(1, 40)), writer.amount()])
    cells = ", ".join(f"[{literal(cell)}]" for row in rows for cell in row)
    leaf.add(
        "#table(columns: (auto, 1fr, auto, auto), align: (left, left, right, right), inset: (x: 5pt, y: 3pt), "
        "stroke: (x, y) => (left: 0.6pt, right: 0.6pt, top: if y < 2 { 0.6pt }, bottom: if y == " + f"{len(rows) - 1}"
        " { 0.6pt }), " + cells + ")",
        *(" ".join(row) for row in rows),
    )
    leaf.tables.append(rows)
    prose(leaf, writer, 2)
    return leaf
