"""Lines that are separate units stay lines; lines of a paragraph are joined."""

from __future__ import annotations

import pytest

from rayocr.engines.layout import LayoutLine, layout_markdown
from rayocr.engines.layout.units.items import begin_items
from tests.unit.engines.layout.pages import line as one_line

CHAR_PT = 5.0
# Letter widths of a proportional font; only their variation matters.
NARROW, WIDE = frozenset("ijltfr.,:;'|!()[] "), frozenset("mwMW@%")


def width(text: str) -> float:
    return sum(2.6 if c in NARROW else 7.8 if c in WIDE else 5.0 for c in text)


def proportional(texts: list[str], *, x: float = 60, y: float = 100, indent: float = 0) -> list[LayoutLine]:
    return [
        LayoutLine(text=text, x0=x + indent, y0=y + 14 * n, x1=x + indent + width(text), y1=y + 14 * n + 11)
        for n, text in enumerate(texts)
    ]


def monospaced(texts: list[str], *, x: float = 80, y: float = 100) -> list[LayoutLine]:
    lines = []
    for n, text in enumerate(texts):
        if text.strip():
            left = x + CHAR_PT * (len(text) - len(text.lstrip()))
            lines.append(
                LayoutLine(text=text.strip(), x0=left, y0=y + 12 * n, x1=left + CHAR_PT * len(text.strip()), y1=y + 12 * n + 10)
            )
    return lines


def markdown(lines: list[LayoutLine]) -> str:
    return layout_markdown(lines, page_width=595, page_height=842)


PROSE = [
    "The water of the mill was measured every day at noon and written",
    "into a ledger that lay open on the sill, so that whoever came by",
    "could read what it had been on any day of the year before and",
    "compare it with what the river showed him.",
]


def assert_lines(text: str, wanted: list[str]) -> None:
    shown = [line.strip().replace("\\", "") for line in text.split("\n")]
    assert [line for line in shown if line in wanted] == wanted, text


@pytest.mark.parametrize(
    "entries",
    [
        [
            "The borehole ............ 5",
            "Sinking it .............. 17",
            "The ledgers ............. 31",
            "Coal .................... 24",
        ],
        [
            "1 Water . . . . . . . . . 5",
            "1.1 Wells . . . . . . . . 7",
            "2 Fire . . . . . . . . . .9",
            "A Sources . . . . . . . .12",
        ],
        ["Wages ______________ 1", "Coal _______________ 2", "Iron _______________ 3", "Rope _______________ 4"],
        ["Preface … … … … … … iv", "Water … … … … … … … 1", "Fire … … … … … … … 12", "Earth … … … … … … 130"],
    ],
)
def test_each_entry_of_a_contents_is_a_line(entries: list[str]) -> None:
    full = [LayoutLine(text=it.text, x0=it.x0, y0=it.y0, x1=500, y1=it.y1) for it in proportional(entries)]
    assert_lines(markdown(full), entries)


@pytest.mark.parametrize(
    "items",
    [
        ["A. the mill", "B. the weir", "C. the sluice"],
        ["1.1 the mill", "1.2 the weir", "1.2.1 its gate", "2.1 the sluice"],
        ["(a) the mill", "(b) the weir", "(iv) the sluice"],
        ["① the mill", "② the weir", "③ the sluice"],
        ["१. पहला काम", "२. दूसरा काम", "३. तीसरा काम"],
        ["I. the mill", "II. the weir", "III. the sluice"],
        ["а) мельница", "б) плотина", "в) шлюз"],
        ["（一）水车", "（二）水坝", "（三）水闸"],
        ["[x] the mill", "[ ] the weir", "[x] the sluice"],
        ["101. the mill", "102. the weir", "103. the sluice"],
        ["§ 4 the mill", "§ 5 the weir", "§ 6 the sluice"],
        ["Z. the mill", "AA. the weir", "AB. the sluice"],
    ],
)
def test_list_items_of_every_style_keep_their_line(items: list[str]) -> None:
    long = [f"{item} {'and what belongs to it ' * 3}".strip() for item in items]
    full = [LayoutLine(text=it.text, x0=it.x0, y0=it.y0, x1=480, y1=it.y1) for it in proportional(long)]
    assert_lines(markdown(full), long)


def test_letters_of_other_alphabets_are_markers_where_there_are_several() -> None:
    assert begin_items(["أ. الماء", "ب. النار", "أ.د كلمة"]) == [True, True, False]
    assert begin_items(["د. أحمد"]) == [False]


def test_a_name_or_a_number_at_the_beginning_of_a_line_is_not_an_item() -> None:
    assert begin_items(["as was written by", "A. Smith in the year", "of the flood, with", "1.5 metres of water"]) == [False] * 4


@pytest.mark.parametrize(
    "lines",
    [
        ["Mill House", "12 Weir Lane", "Oldbridge", "OB1 2CD"],
        ["Date: 12 March 1894", "Place: Oldbridge", "Total: 14.20"],
        ["A List of engines and of what became of them 52", "B Sources from which all of it was taken 60"],
        ["Tea 2.40", "Bread and butter 1.20", "Total 3.60"],
        ["Two tickets to Oldbridge 4.80 A", "One dog 1.10 B", "Sum of all 5.90 A"],
        [
            "Upon the weir the waters fall",
            "And turn the wheel within the hall",
            "Below the mill the river goes",
            "To where the reed and willow grows",
        ],
    ],
)
def test_addresses_fields_tickets_and_verse_keep_their_lines(lines: list[str]) -> None:
    for around in ([], PROSE):
        text = markdown([*proportional(around), *proportional(lines, y=200)])
        assert_lines(text, lines)
        assert not around or " ".join(PROSE) in text


def test_verse_that_fills_its_column_keeps_its_lines() -> None:
    lines = [
        "Upon the weir the waters fall and sound",
        "And turn the wheel without a rest",
        "Below the mill the river winds around",
        "To where it loves the meadows best",
    ]
    assert_lines(markdown(proportional(lines)), lines)


def test_paragraphs_are_joined_all_the_same() -> None:
    above_a_form = [
        "Most visitors came by train and walked along the river. Simple tools",
        "are often the best: a level and a line.",
    ]
    assert " ".join(above_a_form) in markdown(proportional([*above_a_form, "Name: Anna Miller", "Place: Oldbridge"]))
    assert markdown(proportional(PROSE)) == " ".join(PROSE)
    assert markdown([*proportional(PROSE[:3]), *proportional([PROSE[3]], y=142)]) == " ".join(PROSE)


CODE = [
    "def level_of(ledger, day):",
    '    """Metres above the intake."""',
    "    for entry in ledger:",
    "        if entry.day == day:",
    "            return entry.metres",
    "    raise KeyError(day)",
    "",
    "print(level_of(book, 3))",
]


def test_a_listing_is_fenced_and_keeps_its_indentation() -> None:
    text = markdown([*proportional(PROSE), *monospaced(CODE, y=180), *proportional(PROSE, y=320)])
    assert "```\n" + "\n".join(CODE) + "\n```" in text
    assert text.count(" ".join(PROSE)) == 2


def test_a_listing_in_braces_with_backticks_and_html_is_not_escaped() -> None:
    code = ["function show(page) {", "  if (page.old) {", "    return `<b>${page.text}</b>`;", "  }", "  /* ``` */", "}"]
    assert "````\n" + "\n".join(code) + "\n````" in markdown([*proportional(PROSE), *monospaced(code, y=180)])


def test_a_listing_of_a_scan_may_have_boxes_that_are_a_little_wide() -> None:
    lines = [
        LayoutLine(text=it.text, x0=it.x0 - 1, y0=it.y0 - 1, x1=it.x1 + (n % 3), y1=it.y1 + 1)
        for n, it in enumerate(monospaced(CODE, y=180))
    ]
    assert "```\n" + "\n".join(CODE) + "\n```" in markdown([*proportional(PROSE), *lines])


def test_a_typewritten_letter_is_not_a_listing() -> None:
    letter = [
        "Dear Sir, the mill that you (and others)",
        "have written of was sold in 1894, and",
        "nobody knows who owns it now; the weir",
        "was washed away.",
    ]
    assert "```" not in markdown(monospaced(letter))


def test_marks_of_check_boxes_are_no_column_of_a_table() -> None:
    labels = ["Water stands in the street", "Water stands in the cellar", "The pressure has fallen", "Somebody was hurt"]
    lines = [
        part
        for n, label in enumerate(labels)
        for part in (one_line("[x]" if n % 2 else "[ ]", 72, 100 + 22 * n), one_line(label, 100, 100 + 22 * n))
    ]
    read = layout_markdown(lines, page_width=595, page_height=842)
    assert "|" not in read
    assert [row.strip() for row in read.split("\n") if row.strip()] == [
        f"[{'x' if n % 2 else ' '}] {label}" for n, label in enumerate(labels)
    ]


@pytest.mark.parametrize(
    "lines",
    [
        ["The fog comes", "on little cat feet."],
        ["It sits looking", "over harbor and city", "on silent haunches", "and then moves on."],
        ["so much depends", "upon"],
        ["i sing of Olaf glad and big", "whose warmest heart recoiled at war:", "a conscientious object-or"],
        ["Herrn", "Dr. med. Johann Dorn", "c/o Firma Weber and sons of Oldbridge", "Hauptstrasse 5a", "D-80331 Oldbridge"],
    ],
)
def test_short_lines_beside_full_ones_are_units(lines: list[str]) -> None:
    text = markdown([*proportional(PROSE), *proportional(lines, y=200)])
    assert "  \n".join(lines) in text, text


def test_stanzas_stay_apart() -> None:
    lines = [
        *proportional(PROSE),
        *proportional(["so much depends", "upon"], y=200),
        *proportional(["a red wheel", "barrow"], y=242),
    ]
    assert markdown(lines).endswith("so much depends  \nupon\n\na red wheel  \nbarrow")


def test_a_narrow_paragraph_beside_full_lines_is_joined() -> None:
    caption = ["Figure 3. The level of the water of", "the mill, measured at noon by the", "keeper and his children."]
    assert " ".join(caption) in markdown([*proportional(PROSE), *proportional(caption, y=200)])


@pytest.mark.parametrize("sign", ["+", "-", "\u2013", "\u2212"])
def test_a_sign_before_a_number_is_no_bullet(sign: str) -> None:
    rows = [f"{sign} 12.50 for coal", f"{sign} 1,204.00 for rope"]
    text = markdown(proportional(rows))
    assert [line.strip().removeprefix("\\") for line in text.split("\n") if line.strip()] == rows
