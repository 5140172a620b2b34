from __future__ import annotations

from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest

from rayocr.engines.textlayer import TextLayerEngine
from rayocr.pdf.document import PdfFile
from rayocr.pdf.textlayer.trust import Verdict
from tests.unit.pdf import pdfs


@dataclass
class FakePage:
    """A page with just the members that the engine uses."""

    texts: list[tuple[str, float, float, float]]  # text, x, y, size
    trusted: bool = True
    image_share: float = 0.0
    page_number: int = 1
    width_pt: float = 595.0
    height_pt: float = 842.0
    segments: list[Any] = field(default_factory=list)
    turns: int = 0
    kind: str = "trusted"
    hides_text: bool = False

    def text_layer(self) -> Any:
        lines = [
            SimpleNamespace(
                text=text,
                x0=x,
                y0=y,
                x1=x + len(text) * size / 2,
                y1=y + size,
                font_size_pt=size,
                bold=False,
                vertical=False,
                slanted=False,
                words=(),
            )
            for text, x, y, size in self.texts
        ]
        return SimpleNamespace(
            characters=None,
            lines=lines,
            is_over_scan=self.image_share > 0.5,
            hides_text=self.hides_text,
            verdict=SimpleNamespace(trusted=self.trusted, kind=self.kind, reason=""),
            turns=self.turns,
            width_pt=self.width_pt,
            height_pt=self.height_pt,
        )

    def rulings(self) -> list[Any]:
        return self.segments

    def striking_lines(self) -> list[Any]:
        return []

    def oblique_lines(self) -> list[Any]:
        return []

    def struck_boxes(self) -> list[Any]:
        return []


BODY = [
    ("Text of an ordinary paragraph that is long enough to tell its size from a heading.", 60.0, 100.0 + 12 * n, 10.0)
    for n in range(3)
]


def recognize(page: FakePage) -> Any:
    engine = TextLayerEngine()
    engine.open()
    return engine.recognize(page)  # type: ignore[arg-type]


def test_an_untrusted_layer_is_not_for_this_engine() -> None:
    assert recognize(FakePage(BODY, trusted=False)) is None


def test_an_empty_layer_is_not_for_this_engine() -> None:
    assert recognize(FakePage([])) is None


def test_a_trusted_layer_is_read_with_its_headings_and_boxes() -> None:
    answer = recognize(FakePage([("A Title", 60, 40, 20), *BODY]))
    assert answer.text.startswith("# A Title\n\nText of an ordinary")
    assert answer.engine == answer.model == "textlayer"
    assert [box.text for box in answer.boxes] == ["A Title"] + [BODY[0][0]] * 3
    assert (answer.boxes[0].x0, answer.boxes[0].y0) == (60, 40)


def test_sizes_over_a_scan_make_no_headings() -> None:
    answer = recognize(FakePage([("Slightly Larger", 60, 70, 13), *BODY], image_share=1.0))
    assert "#" not in answer.text


def test_drawn_lines_make_a_table() -> None:
    cells = [
        (text, x + 5.0, y + 5.0, 10.0)
        for y, row in ((300, "abc"), (320, "def"))
        for x, text in zip((60, 160, 260), row, strict=True)
    ]
    segments = [SimpleNamespace(x0=60, y0=y, x1=360, y1=y, thickness=0.5) for y in (300, 320, 340)]
    segments += [SimpleNamespace(x0=x, y0=300, x1=x, y1=340, thickness=0.5) for x in (60, 160, 260, 360)]
    assert "| a | b | c |\n| --- | --- | --- |\n| d | e | f |" in recognize(FakePage([*BODY, *cells], segments=segments)).text


@pytest.mark.parametrize(("rotate", "cosine", "sine"), [(0, 0, 1), (0, -1, 0), (0, 0, -1), (90, 1, 0), (180, 1, 0), (270, 1, 0)])
def test_text_that_stands_on_its_side_or_on_its_head_is_read_in_its_own_direction(rotate: int, cosine: int, sine: int) -> None:
    """Like a landscape table on a portrait page, or a page that was rotated the wrong way."""
    body = [f"Line {number} of a paragraph with words enough to be read by anybody who likes to." for number in range(4)]
    content = f"q {cosine} {sine} {-sine} {cosine} 300 420 cm BT /F1 10 Tf -200 40 Td 14 TL ".encode()
    content += b"".join(f"({line}) Tj T* ".encode() for line in body) + b"ET Q"
    data = pdfs.pages_of((f"/Rotate {rotate}",), content=content)
    with PdfFile(data, max_pixels=1_000_000) as file, file.page(1) as page:
        read = TextLayerEngine().recognize(page)
        assert read is not None
        assert " ".join(read.text.split()) == " ".join(body)
        place = [(300 + cosine * x - sine * y, 420 + sine * x + cosine * y) for x, y in ((-200, 36), (200, 52))]
        shown = page.upright.box(*place[0], *place[1])  # of the first line
    (box,) = [box for box in read.boxes if box.text == body[0]]
    assert shown[0] <= box.x0 < box.x1 <= shown[2]
    assert shown[1] <= box.y0 < box.y1 <= shown[3]


def test_a_ruled_table_on_its_side_is_a_table() -> None:
    rows = [("Item", "Price"), ("Apples", "12"), ("Pears", "14")]
    content = b"q 0 1 -1 0 300 300 cm 1 w "
    for y in (0, 20, 40, 60):
        content += f"0 {y} m 200 {y} l S ".encode()
    for x in (0, 100, 200):
        content += f"{x} 0 m {x} 60 l S ".encode()
    for row, (left, right) in enumerate(rows):
        y = 46 - 20 * row
        content += f"BT /F1 10 Tf 4 {y} Td ({left}) Tj 100 0 Td ({right}) Tj ET ".encode()
    content += b"Q"
    with PdfFile(pdfs.pages_of(content=content), max_pixels=1_000_000) as file, file.page(1) as page:
        page.text_layer().__dict__["verdict"] = Verdict(kind="trusted", reason="")  # thirty letters are not enough to decide
        read = TextLayerEngine().recognize(page)
    assert read is not None
    assert [[cell.strip() for cell in line.strip("|").split("|")] for line in read.text.splitlines()][0::2][:1] == [
        ["Item", "Price"]
    ]
    assert "| Pears | 14 |" in read.text


def test_a_partial_layer_is_offered_with_a_doubt_and_not_as_an_answer() -> None:
    page = FakePage(BODY, trusted=False, kind="partial")
    assert recognize(page) is None
    answer = TextLayerEngine().partial(page)  # type: ignore[arg-type]
    assert answer is not None
    assert answer.text.startswith("Text of an ordinary paragraph")
    assert answer.doubts == ("unread_ink",)


def test_a_bad_layer_is_not_offered_at_all() -> None:
    assert TextLayerEngine().partial(FakePage(BODY, trusted=False, kind="bad")) is None  # type: ignore[arg-type]


def test_invisible_text_is_a_doubt() -> None:
    assert recognize(FakePage(BODY, hides_text=True)).doubts == ("hidden_text",)
