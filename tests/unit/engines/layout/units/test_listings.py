"""Code listings are fenced and keep their indentation."""

from __future__ import annotations

from rayocr.engines.layout import LayoutLine
from tests.unit.engines.layout.units.printed_lines import PROSE, markdown, monospaced, proportional

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


def test_a_listing_keeps_its_line_numbers_and_its_indentation() -> None:
    code = [
        "def run(queue):",
        "    while True:",
        "        item = queue.get(30)",
        "        if item is None:",
        "            return 0",
    ]
    numbered = [f"{n:2d}  {row}" for n, row in enumerate(code, 8)]
    assert "```\n" + "\n".join(numbered) + "\n```" in markdown([*proportional(PROSE), *monospaced(numbered, y=180)])


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
