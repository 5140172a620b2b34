"""Lines that are separate units stay lines; lines of a paragraph are joined."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rayocr.engines.layout import LayoutLine, layout_markdown
from rayocr.engines.layout.units.items import begin_items
from tests.unit.engines.layout.pages import line as one_line
from tests.unit.engines.layout.units.printed_lines import PROSE, markdown, proportional, width


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


@pytest.mark.parametrize(
    "markers",
    [
        *(("No. 1", "No. 2", "No. 3"), ("Step 1.", "Step 2.", "Step 3."), ("A-1", "A-2", "A-3"), ("1º", "2º", "3º")),
        *(
            ("1.-", "2.-", "3.-"),
            ("aa)", "bb)", "cc)"),
            ("¹", "²", "³"),
            ("→", "→", "→"),
            ("▶", "▶", "▶"),
            (">", ">", ">"),
            ("†", "‡"),
        ),
    ],
    ids=" ".join,
)
def test_markers_that_need_another_one_in_their_column_begin_items(markers: tuple[str, ...]) -> None:
    assert begin_items([f"{marker} the harbour wall is repaired" for marker in markers]) == [True] * len(markers)
    assert begin_items([f"{markers[0]} the harbour wall is repaired", "and painted", "in the spring"]) == [False] * 3


def test_words_with_numbers_in_no_order_are_not_items() -> None:
    assert begin_items(["Figure 4 shows the gate and", "Table 2 its cost, which", "Figure 9 explains"]) == [False] * 3


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


def test_marks_of_check_boxes_are_not_a_column_of_a_table() -> None:
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
def test_a_sign_before_a_number_is_not_a_bullet(sign: str) -> None:
    rows = [f"{sign} 12.50 for coal", f"{sign} 1,204.00 for rope"]
    text = markdown(proportional(rows))
    assert [line.strip().removeprefix("\\") for line in text.split("\n") if line.strip()] == rows


def full(texts: list[str], *, indent: float = 0, y: float = 100, right: float = 420) -> list[LayoutLine]:
    """Lines that fill their column, except for the last one. `indent` is that of the first line."""
    return [
        LayoutLine(
            text=text,
            x0=60 + (indent if n == 0 else 0),
            y0=y + 14 * n,
            x1=right if n + 1 < len(texts) else 60 + width(text),
            y1=y + 14 * n + 11,
        )
        for n, text in enumerate(texts)
    ]


@pytest.mark.parametrize("begin", ["a sentence in", "Lender through"])
def test_an_item_whose_first_line_is_indented_is_one_block(begin: str) -> None:
    items = [
        [
            f"({mark}) The Borrower fails to pay any principal of any Advance or any",
            f"{begin} lower case or not, within three days; or",
        ]
        for mark in "abc"
    ]
    lines = [line for n, item in enumerate(items) for line in full(item, indent=25, y=100 + 28 * n)]
    assert_lines(markdown(lines), [" ".join(item) for item in items])


def test_a_ragged_item_ends_where_its_sentence_ends() -> None:
    items = ["(c) A Party fails to perform any covenant in Section 5.01(d), Section 5.01(e) or", "Section 5.02; or"]
    more = ["(d) A Party fails to observe any other term, covenant or agreement that is contained in", "this Agreement."]
    text = markdown([*proportional(items), *proportional(more, y=128)])
    assert_lines(text, [" ".join(items), " ".join(more)])


def test_a_number_at_the_end_of_a_sentence_is_not_a_marker() -> None:
    lines = full(["If line 16 is a gain, enter the amount on Form 1040NR, line", "14. Then go to line 17 below."])
    assert markdown(lines) == "If line 16 is a gain, enter the amount on Form 1040NR, line 14. Then go to line 17 below."


def test_items_without_full_stops_keep_their_numbers() -> None:
    texts = ["13. the amount that the borrower pays", "14. the amount that the lender pays"]
    assert_lines(markdown(proportional(texts)), texts)


def test_references_are_items() -> None:
    entries = [
        ["[1] W. Dai, b-money, 1998."],
        [
            "[2] S. Haber, W. S. Stornetta, How to time-stamp a digital document, In",
            "Journal of Cryptology, vol 3, no 2, pages 99-111.",
        ],
        ["[3] D. Bayer, Improving the efficiency and reliability of time-stamping, in", "Sequences II, 1993."],
    ]
    lines, y = [], 100.0
    for entry in entries:
        lines += [replace(line, x0=line.x0 + (20 if n else 0)) for n, line in enumerate(full(entry, y=y))]
        y += 14 * len(entry)
    assert_lines(markdown(lines), [" ".join(entry) for entry in entries])


def test_the_second_line_of_a_field_follows_its_first() -> None:
    texts = [
        "Action: search the towns of the county",
        "Thought: it is the year of the change, so I need to",
        "search once more",
        "Action: stop",
    ]
    assert_lines(markdown(proportional(texts)), [texts[0], f"{texts[1]} {texts[2]}", texts[3]])


@pytest.mark.parametrize("second", ["deposit will be rejected and a check sent.", "201 for all taxpayers."])
def test_bold_text_that_ends_within_a_sentence_begins_no_paragraph(second: str) -> None:
    first = "Otherwise, and if you file before the end of April, the direct" + ("," if second[0] == "2" else "")
    one, other = full([first, second])
    assert markdown([replace(one, bold=True), other]) == f"{first} {second}"


@pytest.mark.parametrize("second", ["www.iowa.gov/tax", "a Information about this form", "mail@example.com"])
def test_an_address_or_a_symbol_below_a_field_is_a_line_of_its_own(second: str) -> None:
    texts = ["State: Iowa, Department of Revenue", "Phone: 555 0100, and by mail at", second, "Date: 5 May"]
    assert f" {second}" not in markdown(proportional(texts))


def test_a_numbered_line_of_a_form_does_not_continue_the_item_above() -> None:
    texts = [
        "- More than 113,700: multiply line 4 by 2.9 percent and enter the result on line 54",
        "6 Deduction for one half of the tax",
    ]
    item, line = full(texts)
    assert_lines(markdown([replace(item, x0=80), line]), texts)


def test_a_long_address_continues_its_reference() -> None:
    texts = [
        "[6] A. Back, Hashcash, a measure against the denial of services,",
        "http://www.example.com/papers/on-hashcash/hashcash.pdf, 2002.",
    ]
    lines = proportional(texts)
    wide = replace(
        lines[0],
        text="[5] X. Y, " + "a longer title that fills the column of the page to its right edge, 2001.",
        x1=500,
        y0=86,
        y1=97,
    )
    assert_lines(markdown([wide, lines[0], replace(lines[1], x0=80)]), [" ".join(texts)])


def test_centered_lines_that_end_in_a_pronoun_stay_apart() -> None:
    texts = ["Complete this schedule if any of the adjustments apply to you", "Attach any required schedule"]
    one, other = proportional(texts)
    wide = replace(one, text="A wider line of the form that is above the others and reaches its edge", x1=500, y0=60, y1=71)
    assert " ".join(texts) not in markdown([wide, one, replace(other, x0=120, x1=other.x1 + 60)])


def test_numbers_far_before_their_paragraphs_are_not_margin_notes() -> None:
    lines, wanted = [], []
    for n in range(1, 4):
        y = 100.0 + 84 * n
        texts = [f"Clause {n}. {text}" if not place else text for place, text in enumerate([*PROSE, *PROSE[:1]])]
        lines += [replace(line, x0=line.x0 + 48, x1=line.x1 + 48) for line in full(texts, y=y)]
        lines.append(LayoutLine(text=f"{n}.", x0=60, y0=y, x1=68, y1=y + 11))
        wanted.append(f"{n}. " + " ".join(texts))
    assert_lines(markdown(lines), wanted)


def test_initials_of_names_do_not_begin_items() -> None:
    texts = [
        "In H. Kasahara and",
        "K. Kimura, editors, a collection of papers about",
        "programming models, with R. Rocha and",
        "J. Launchbury as its editors.",
    ]
    assert begin_items(texts) == [False] * 4
    assert begin_items(["J. Smith", "some text", "K. Jones"]) == [True, False, True]


@pytest.mark.parametrize("labels", [("[Fre]", "[Lam]", "[Lei1]", "[Lei2]", "[Mac]"), ("[1]", "[2]", "[3]", "[4]", "[5]")])
def test_references_with_labels_are_items(labels: tuple[str, ...]) -> None:
    entries = [
        [f"{label} J. Lambek, A fixpoint theorem for complete categories, in the", "Journal of Mathematics 103, 151-161."]
        for label in labels
    ]
    lines = [
        replace(line, x0=line.x0 + (20 if place else 0))
        for n, entry in enumerate(entries)
        for place, line in enumerate(full(entry, y=100 + 28 * n))
    ]
    assert_lines(markdown(lines), [" ".join(entry) for entry in entries])


def test_citations_at_the_beginning_of_lines_are_not_items() -> None:
    assert (
        begin_items(["[Mac] shows that it holds, and", "[Fre] that it does not, unlike", "[Lam] and the others."]) == [False] * 3
    )


def test_a_reference_without_a_mark_is_one_paragraph_although_its_second_line_is_indented() -> None:
    entry = ["Saunders Mac Lane, Categories for the Working Mathematician, Graduate", "Texts in Mathematics 5, Springer, 1971."]
    first, second = full(entry)
    assert markdown([first, replace(second, x0=80)]) == " ".join(entry)


@pytest.mark.parametrize("end", ["he said.", "he said.”", "(see the plan.)"])
def test_an_indented_line_after_a_sentence_begins_a_paragraph(end: str) -> None:
    first, second, third = full(
        [
            f"The water rose by two feet in a single hour of that night, {end}",
            "Nobody had seen it in the valley before, not even in the",
            "year of the flood.",
        ]
    )
    assert markdown([first, replace(second, x0=75), third]).count("\n\n") == 1


def test_the_mark_of_a_note_is_kept() -> None:
    note = "* Addresses of the authors: Laboratory of the Mill, Valley."
    assert markdown([*full(PROSE), *proportional([note], y=250)]).endswith("\n\n\\" + note)


def test_a_title_in_capitals_and_its_authors_are_two_headings() -> None:
    title = [
        replace(line, font_size_pt=16) for line in proportional(["THE WATER OF THE MILL", "John Miller and Mary River"], y=40)
    ]
    body = [replace(line, font_size_pt=10) for line in full(PROSE, y=120)]
    assert markdown([*title, *body]).startswith("# THE WATER OF THE MILL\n\n# John Miller and Mary River\n\n")


def test_a_word_in_small_capitals_that_a_line_break_divides_is_joined() -> None:
    first, second = full(["[9] CHANG, F., DEAN, J., GHEMAWAT, S., HSIEH, W. C., WAL-", "LACH, D. A., BURROWS, M."])
    text = markdown([replace(first, font_size_pt=8), replace(second, x0=80, font_size_pt=6.4)])
    assert text.count("\n") == 0


def test_a_field_that_is_indented_below_a_full_line_is_a_line_of_its_own() -> None:
    first, second = full(
        ["Re: Case No. 17-3994, Island Creek Coal Company v. Linda Hill, et al", "Originating Case No.: 16-0556"]
    )
    assert " ".join([first.text, second.text]) not in markdown([first, replace(second, x0=80)])


def test_a_bracket_that_a_line_break_divides_is_not_a_label() -> None:
    texts = [
        "Categories: C.2.4 [Computer-Communication Networks]: Distributed Systems; C.4 [Computer Systems",
        "Organization]: Performance of Systems, reliability and serviceability; H.2.4 [Database",
        "Management]: Systems, distributed systems",
    ]
    assert markdown(full(texts)) == " ".join(texts)


@pytest.mark.parametrize("size", [10, 14])
def test_the_lines_of_an_address_stay_lines_in_a_narrow_column_and_in_a_larger_font(size: float) -> None:
    address = ["Coolblue B.V.", "Weena 664", "3012 CN Rotterdam", "Nederland", "www.example.nl"]
    lines = [replace(line, font_size_pt=size) for line in proportional(address)]
    body = [replace(line, font_size_pt=10) for line in full(PROSE, y=300)]
    assert_lines(markdown([*lines, *body]), address)


def test_letters_without_a_full_stop_are_markers_if_they_follow_one_another() -> None:
    assert begin_items(["a the loss or alteration of", "or damage to; or", "b a reduction in how a system works"]) == [
        True,
        False,
        True,
    ]
    assert begin_items(["a river is a line on", "a map, and", "o rio é uma linha"]) == [False] * 3
