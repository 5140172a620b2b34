"""Code listings in a text layer keep all their blanks and stay whole."""

from __future__ import annotations

import pytest

from tests.unit.pdf import pdfs
from tests.unit.pdf.forms.test_drawn_boxes import read

LISTINGS = {
    "SQL": ["SELECT id,   name", "  FROM mills", " WHERE river = 17", "   AND wheels > 2;"],
    "a shell": [
        "$ make all && ./run --fast   # comment  two blanks",
        "Makefile:12: warning: overriding recipe",
        "total 48",
        "-rw-r--r--  1 ada  staff   1204 Mar  7 10:11 a.txt",
        "drwxr-xr-x  3 ada  staff     96 Mar  7 10:12 src",
    ],
    "assignments in columns": ["width   = 12;", "height  = 7;     // of the wheel", "depth   = 120;", "turn(width,  height);"],
    "a comment at the end": ["int main(void) {            /* begins */", "    return 0;               /* ends   */", "}"],
}
PROSE = (
    "The following program counts the words of a text and prints those that are the most",
    "frequent, as whoever reads it can see.",
)


def page(lines: list[str], font: str = "/F2") -> bytes:
    content = "".join(f"BT /F1 10 Tf 72 {760 - 13 * n} Td ({line}) Tj ET " for n, line in enumerate(PROSE))
    for n, line in enumerate(lines):
        shown = line.replace("\\", "\\\\").replace("(", "\\(").replace(")", "\\)")
        content += f"BT {font} 9 Tf 72 {720 - 11 * n} Td ({shown}) Tj ET "
    data = pdfs.pages_of(content=content.encode(), extra={5: b"<< /Type /Font /Subtype /Type1 /BaseFont /Courier >>"})
    return pdfs.reindexed(data.replace(b"<< /F1", b"<< /F2 5 0 R /F1"))


@pytest.mark.parametrize("name", LISTINGS)
def test_a_listing_keeps_its_blanks(name: str) -> None:
    lines = LISTINGS[name]
    assert "```\n" + "\n".join(lines) + "\n```" in read(page(lines))


def test_a_listing_that_is_set_in_columns_apart_keeps_them() -> None:
    lines = ["name = 1                          // first", "second = 22                       // other", "third(name, second);"]
    assert "\n".join(lines) in read(page(lines))


def test_double_blanks_of_prose_in_a_typewriter_font_are_single() -> None:
    lines = ["The mill stood still.  Nobody knew why it did so", "until the spring came.  Then the water rose again."]
    assert "still. Nobody" in read(page(lines))


INDENTED = {
    "YAML": ["services:", "  web:", "    image: shop:1.4", "    ports:", '      - "8080:80"', "  db:", "    image: pg:16"],
    "JSON": ["{", '  "name": "pump",', '  "levels": [', "    12,", "    7", "  ],", '  "open": true', "}"],
    "a shell script": ["for f in *.txt", "do", '    wc -l "$f"', '    mv "$f" old', "done"],
    "guards": ["area r", "  | r < 0     = 0", "  | otherwise = 3 * r", "  where", "    k = 12"],
}


@pytest.mark.parametrize("name", INDENTED)
def test_an_indented_block_in_a_monospaced_font_among_proportional_text_is_a_listing(name: str) -> None:
    lines = INDENTED[name]
    assert "```\n" + "\n".join(lines) + "\n```" in read(page(lines))


@pytest.mark.parametrize(
    ("lines", "font"),
    [
        (
            [
                "Dear Sir,",
                "    I write to say that the bill of",
                "the third of May is not right. The sum",
                "should be 12.50 and not more.",
            ],
            "/F2",
        ),
        (["Ropes and sails", "Nails and tar", "Planks and beams", "Coal and oats", "Hay and straw"], "/F2"),
        (INDENTED["YAML"], "/F1"),
    ],
    ids=["a letter", "a list without indentation", "a proportional font"],
)
def test_a_block_that_is_not_indented_or_not_monospaced_is_no_listing(lines: list[str], font: str) -> None:
    assert "```" not in read(page(lines, font))


def test_a_line_of_prose_at_some_distance_is_not_part_of_the_listing() -> None:
    content = page(["the new environment:", "", *INDENTED["YAML"]])
    assert "```\n" + "\n".join(INDENTED["YAML"]) + "\n```" in read(content)
