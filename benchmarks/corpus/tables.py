"""Tables as Typst programs, with their cells: rulings of all styles, merged cells, empty cells, cells of several lines."""

from __future__ import annotations

import random
from collections.abc import Sequence

from benchmarks.corpus.leaves import FAMILIES, Leaf, Writer, heading, literal, prose
from benchmarks.corpus.sentences import GOODS, TITLES

RULED = ("0.6pt",)
_OPEN = ("none", "(x, y) => if y <= 1 { (top: 0.6pt) }", "(x, y) => (bottom: 0.4pt)")
_FILLS = ("none", "(x, y) => if calc.odd(y) { luma(235) }")


def _add(leaf: Leaf, table: str, rows: Sequence[Sequence[str]]) -> None:
    leaf.add(table, *(" ".join(cell for cell in row if cell) for row in rows))
    leaf.tables.append([list(row) for row in rows])


def _cells(rows: Sequence[Sequence[str]]) -> str:
    return ", ".join(f"[{literal(cell) if cell else ''}]" for row in rows for cell in row)


def wrapped(dice: random.Random) -> Leaf:
    """Draws cells of several lines beside short ones, with rulings."""
    return _wrapped(dice, dice.choice(RULED))


def wrapped_open(dice: random.Random) -> Leaf:
    """Draws cells of several lines beside short ones, without vertical rulings."""
    return _wrapped(dice, dice.choice(_OPEN))


def _wrapped(dice: random.Random, stroke: str) -> Leaf:
    writer, leaf = Writer(dice), Leaf(font=dice.choice(FAMILIES), size_pt=10)
    prose(leaf, writer, 1)
    rows = [["No.", "Subject", "Decision", "By"]]
    for number in range(1, dice.randint(5, 7)):
        rows.append([str(number), dice.choice(TITLES), writer.paragraph(1, 1), dice.choice(["", writer.name()])])
    gap = dice.choice(["4pt", "7pt"])
    _add(
        leaf,
        f"#table(columns: (auto, 1fr, 1.8fr, 0.8fr), stroke: {stroke}, inset: {gap}, align: left + top, {_cells(rows)})",
        rows,
    )
    prose(leaf, writer, 1)
    return leaf


def terms(dice: random.Random) -> Leaf:
    """Draws two columns: a term and its explanation in running text."""
    writer, leaf = Writer(dice), Leaf(font=dice.choice(FAMILIES), size_pt=10.5)
    heading(leaf, "Terms", scale=1.3)
    rows = [[term, writer.paragraph(1, 2)] for term in dice.sample(TITLES, 6)]
    stroke = dice.choice([*RULED, *_OPEN])
    _add(leaf, f"#table(columns: (1fr, 2.4fr), stroke: {stroke}, row-gutter: {dice.choice([0, 5])}pt, {_cells(rows)})", rows)
    prose(leaf, writer, 1)
    return leaf


def spans(dice: random.Random) -> Leaf:
    """Draws a ruled table whose head has two rows with merged cells, and groups of rows with a merged first cell."""
    writer, leaf = Writer(dice), Leaf(font=dice.choice(FAMILIES), size_pt=10)
    heading(leaf, f"Table {dice.randint(1, 9)}. {writer.title()}")
    years = dice.sample(range(1990, 2026), 2)
    head = [["Group", "Item", str(years[0]), "", str(years[1]), ""], ["", "", "Number", "Value", "Number", "Value"]]
    cells = (
        "table.cell(rowspan: 2)[Group], table.cell(rowspan: 2)[Item], "
        f"table.cell(colspan: 2)[{years[0]}], table.cell(colspan: 2)[{years[1]}], [Number], [Value], [Number], [Value], "
    )
    rows = list(head)
    for group in dice.sample(["North", "South", "Islands", "Harbour"], 3):
        goods = dice.sample(GOODS, dice.randint(2, 4))
        cells += f"table.cell(rowspan: {len(goods)})[{group}], "
        for place, good in enumerate(goods):
            figures = [str(dice.randint(1, 99)), writer.amount(), dice.choice(["", str(dice.randint(1, 99))]), writer.amount()]
            rows.append([group if place == 0 else "", good, *figures])
            cells += _cells([[good, *figures]]) + ", "
    _add(
        leaf,
        f"#table(columns: (1fr, 1.6fr, 1fr, 1.2fr, 1fr, 1.2fr), stroke: 0.6pt, align: left + top, {cells})",
        rows,
    )
    prose(leaf, writer, 2)
    return leaf


def figures(dice: random.Random) -> Leaf:
    """Draws many narrow columns of numbers, with or without rulings; some cells are empty."""
    writer, leaf = Writer(dice), Leaf(font=dice.choice(FAMILIES), size_pt=9)
    prose(leaf, writer, 1)
    months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun"]
    rows = [["Station", *months, "Sum"]]
    stations = ["Whitcombe", "Eastbridge", "North Harbour", "Lower Marsh", "Quay Street", "Mill Road", "Upper Valley"]
    for name in dice.sample(stations, 6):
        values = [dice.choice(["", str(dice.randint(1, 999)), f"{dice.uniform(0, 99):.1f}"]) for _ in months]
        rows.append([name, *values, str(dice.randint(100, 9999))])
    stroke = dice.choice([*RULED, *_OPEN])
    _add(
        leaf,
        f"#table(columns: (1.8fr, {', '.join('1fr' for _ in rows[0][1:])}), stroke: {stroke}, fill: {dice.choice(_FILLS)}, "
        f"align: (x, y) => if x == 0 {{ left }} else {{ right }}, {_cells(rows)})",
        rows,
    )
    heading(leaf, writer.title(), scale=1.1)
    prose(leaf, writer, 2)
    small = [["Paper", "Copies", "Readers"]] + [
        [title, str(dice.randint(1, 99)), str(dice.randint(100, 9999))] for title in dice.sample(TITLES, 3)
    ]
    _add(leaf, f"#table(columns: (auto, auto, auto), column-gutter: 20pt, stroke: {dice.choice(_OPEN)}, {_cells(small)})", small)
    prose(leaf, writer, 1)
    return leaf
