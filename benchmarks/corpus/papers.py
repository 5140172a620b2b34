"""Pages whose reading order is hard to detect: headings across columns, figures, sidebars, marginal notes, several articles,
addresses.
"""

from __future__ import annotations

import random

from benchmarks.corpus.leaves import FAMILIES, SANS, SERIF, Leaf, Writer, heading, literal, prose


def _section(writer: Writer, *, count: int = 2, least: int = 2, most: int = 4, title: bool = True) -> tuple[str, list[str]]:
    """Returns markup and truth of a heading with paragraphs."""
    markup, truth = [], []
    if title:
        text = writer.title()
        markup.append(f'#text(size: 1.15em, weight: "bold")[{literal(text)}]')
        truth.append(text)
    for _ in range(count):
        text = writer.paragraph(least, most)
        markup.append(literal(text))
        truth.append(text)
    return "\n\n".join(markup), truth


def _balanced(body: str, count: int, gutter_pt: int) -> str:
    return (
        f"#context {{ let body = [{body}]\n  layout(size => {{ let w = (size.width - {gutter_pt * (count - 1)}pt) / {count}\n"
        f"    let h = measure(block(width: w, body)).height / {count} + 24pt\n"
        f"    block(height: h, columns({count}, gutter: {gutter_pt}pt, body)) }}) }}"
    )


def heading_across(dice: random.Random) -> Leaf:
    """Draws columns, a heading or a wide figure across the page, and columns again."""
    writer, leaf = Writer(dice), Leaf(font=dice.choice(FAMILIES), size_pt=dice.choice([9, 10]), margin="(x: 50pt, y: 54pt)")
    leaf.settings = f"#set par(justify: {dice.choice(['true', 'false'])})"
    count, gutter = dice.choice([2, 2, 3]), dice.choice([14, 20])
    header, page = writer.title(), str(dice.randint(2, 400))
    leaf.add(f"#grid(columns: (1fr, auto), [#emph[{literal(header)}]], [{page}])", f"{header} {page}")
    body, truth = _section(writer, count=3)
    leaf.add(_balanced(body, count, gutter), *truth)
    if dice.random() < 0.5:
        heading(leaf, writer.title(), scale=1.5, align=dice.choice(["left", "center"]))
    else:
        caption = f"Figure {dice.randint(1, 9)}: {writer.paragraph(1, 1)}"
        leaf.add(f"#align(center)[#rect(width: 70%, height: 70pt, fill: luma(210))\n{literal(caption)}]", caption)
    body, truth = _section(writer, count=3)
    leaf.add(_balanced(body, count, gutter), *truth)
    return leaf


def paper_with_figure(dice: random.Random) -> Leaf:
    """Draws an abstract over two columns, a figure with a caption in one of them, and a last column that ends early."""
    writer, leaf = Writer(dice), Leaf(font=dice.choice(FAMILIES), size_pt=9.5, margin="(x: 50pt, y: 54pt)")
    leaf.settings = "#set par(justify: true)"
    heading(leaf, writer.title(), scale=1.8, align="center")
    authors = f"{writer.name()} and {writer.name()}"
    leaf.add(f"#align(center)[{literal(authors)}]", authors)
    abstract = f"Abstract. {writer.paragraph(3, 3)}"
    leaf.add(f"#pad(x: 40pt)[{literal(abstract)}]", abstract)
    first, first_truth = _section(writer, count=2, least=3)
    second, second_truth = _section(writer, count=2)
    caption = f"Figure {dice.randint(1, 9)}. {writer.paragraph(1, 1)}"
    picture = f"#rect(width: 100%, height: {dice.choice([60, 90])}pt, fill: luma(215))"
    figure = f"#block(width: 100%, breakable: false)[{picture}\n#text(size: 0.85em)[{literal(caption)}]]"
    leaf.add(
        f"#columns(2, gutter: {dice.choice([14, 22])}pt)[{first}\n\n{figure}\n\n#colbreak()\n{second}]",
        *first_truth,
        caption,
        *second_truth,
    )
    return leaf


def sidebar(dice: random.Random) -> Leaf:
    """Draws a main text with a boxed sidebar in small print on its right."""
    writer, leaf = Writer(dice), Leaf(font=SERIF, size_pt=10.5, margin="(x: 54pt, y: 56pt)")
    leaf.settings = "#set par(justify: true)"
    heading(leaf, writer.title(), scale=1.8)
    main, truth = _section(writer, count=5, title=False)
    side, side_truth = _section(writer, count=2, least=1, most=2)
    frame = dice.choice(["stroke: 0.6pt", "fill: luma(235)", "stroke: none"])
    small = f"#set text(size: 0.85em)\n#set par(justify: false)\n{side}"
    leaf.add(
        f"#grid(columns: (2.2fr, 1fr), gutter: 18pt, [{main}], rect(width: 100%, inset: 8pt, {frame})[{small}])",
        *truth,
        *side_truth,
    )
    return leaf


def margin_notes(dice: random.Random) -> Leaf:
    """Draws a text with short notes in the outer margin, each beside its paragraph."""
    writer, leaf = Writer(dice), Leaf(font=SERIF, size_pt=10.5, margin="(left: 60pt, right: 40pt, y: 60pt)")
    leaf.settings = "#set par(justify: true)"
    heading(leaf, writer.title(), scale=1.6)
    notes = ["See the survey of 1994.", "The ferry runs daily.", "Compare page 12.", "First printed in May."]
    for number in range(6):
        text = writer.paragraph(3, 4)
        note = dice.choice(notes) if number and dice.random() < 0.5 else ""
        beside = f"#text(size: 0.8em)[{literal(note)}]" if note else ""
        leaf.add(
            f"#block(spacing: 8pt)[#grid(columns: (1fr, 92pt), gutter: 16pt, [{literal(text)}], [{beside}])]",
            text,
            *([note] if note else []),
        )
    return leaf


def articles(dice: random.Random) -> Leaf:
    """Draws a newspaper: an article in two columns beside one in a single column, and a third one below them."""
    writer, leaf = Writer(dice), Leaf(font=SERIF, size_pt=9, margin="(x: 38pt, y: 40pt)")
    leaf.settings = "#set par(justify: true)"
    heading(leaf, "The Eastbridge Courier", scale=2.8, align="center")
    leaf.content.append("#line(length: 100%)")
    main_title = writer.title()
    body, body_truth = _section(writer, count=4, title=False)
    side, side_truth = _section(writer, count=3)
    title = f'#text(size: 1.9em, weight: "bold")[{literal(main_title)}]'
    leaf.add(
        f"#grid(columns: (2.08fr, 1fr), gutter: 14pt, [{title}\n\n{_balanced(body, 2, 12)}], [{side}])",
        main_title,
        *body_truth,
        *side_truth,
    )
    leaf.content.append("#line(length: 100%)")
    heading(leaf, writer.title(), scale=1.7)
    body, truth = _section(writer, count=4, title=False)
    leaf.add(_balanced(body, 3, 12), *truth)
    return leaf


def business_letter(dice: random.Random) -> Leaf:
    """Draws a letter: the sender on the right, the recipient on the left, a row of references, a list, a signature, a footer
    in columns."""
    writer, leaf = Writer(dice), Leaf(font=dice.choice([SANS, SERIF]), size_pt=10.5, margin="(left: 66pt, right: 56pt, y: 50pt)")
    sender = [
        "Harbour Trust of Whitcombe",
        "14 Quay Street",
        "Whitcombe WH2 7AB",
        "Telephone 01632 960 114",
        "office@harbour.example",
    ]
    recipient = [writer.name(), f"{dice.randint(1, 120)} Mill Road", "Eastbridge EB4 1QX"]
    leaf.add("#align(right)[#block[#set align(left)\n" + " \\\n".join(map(literal, sender)) + "]]", *sender)
    leaf.add(" \\\n".join(map(literal, recipient)), *recipient)
    marks = [
        ("Your reference", f"AB/{dice.randint(10, 99)}"),
        ("Our reference", f"ht-{dice.randint(100, 999)}"),
        ("Date", writer.date()),
    ]
    leaf.add(
        "#v(10pt)#grid(columns: (1fr, 1fr, 1fr), row-gutter: 4pt, "
        + ", ".join(f"[#text(size: 0.75em)[{literal(label)}]]" for label, _ in marks)
        + ", "
        + ", ".join(f"[{literal(value)}]" for _, value in marks)
        + ")",
        " ".join(label for label, _ in marks),
        " ".join(value for _, value in marks),
    )
    subject = f"{writer.title()}"
    leaf.add(f"*{literal(subject)}*", subject)
    leaf.add(literal(f"Dear {recipient[0]},"), f"Dear {recipient[0]},")
    prose(leaf, writer, 2, 2, 3)
    for number in (1, 2, 3):
        text = f"{number}. {writer.paragraph(1, 1)}"
        leaf.add(literal(text), text)
    prose(leaf, writer, 1, 2, 3)
    names = [writer.name(), writer.name()]
    leaf.add("Yours sincerely,", "Yours sincerely,")
    leaf.add(f"#v(18pt)#grid(columns: (1fr, 1fr), [{literal(names[0])}], [{literal(names[1])}])", " ".join(names))
    return leaf


def two_column_notes(dice: random.Random) -> Leaf:
    """Draws ragged columns with list items, and notes under a rule at the end of the page."""
    writer, leaf = Writer(dice), Leaf(font=dice.choice(FAMILIES), size_pt=9.5, margin="(x: 52pt, y: 54pt)")
    heading(leaf, writer.title(), scale=1.6)
    parts, truth = [], []
    for _ in range(3):
        markup, texts = _section(writer, count=1)
        parts.append(markup)
        truth += texts
        for number in range(1, 4):
            text = writer.paragraph(1, 1)
            mark = dice.choice(["•", f"{number}.", f"({'abc'[number - 1]})"])
            parts.append(f"#grid(columns: (16pt, 1fr), [{literal(mark)}], [{literal(text)}])")
            truth.append(f"{mark} {text}")
    leaf.add(_balanced("\n\n".join(parts), 2, dice.choice([16, 24])), *truth)
    notes = [f"{number} {writer.paragraph(1, 1)}" for number in (1, 2)]
    leaf.add(
        "#place(bottom, block(width: 100%)[#line(length: 30%, stroke: 0.5pt)\n#set text(size: 0.8em)\n"
        + "\n\n".join(map(literal, notes))
        + "])",
        *notes,
    )
    return leaf
