from __future__ import annotations

from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from rayocr.engines.textlayer import TextLayerEngine


@dataclass
class FakePage:
    """What the engine asks of a page, and nothing more."""

    texts: list[tuple[str, float, float, float]]  # text, x, y, size
    trusted: bool = True
    image_share: float = 0.0
    page_number: int = 1
    width_pt: float = 595.0
    height_pt: float = 842.0
    segments: list[Any] = field(default_factory=list)

    def text_layer(self) -> Any:
        lines = [
            SimpleNamespace(text=text, x0=x, y0=y, x1=x + len(text) * size / 2, y1=y + size, font_size_pt=size, bold=False)
            for text, x, y, size in self.texts
        ]
        return SimpleNamespace(
            lines=lines, image_share=self.image_share, verdict=SimpleNamespace(trusted=self.trusted, reason="")
        )

    def rulings(self) -> list[Any]:
        return self.segments


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
    segments = [SimpleNamespace(x0=60, y0=y, x1=360, y1=y) for y in (300, 320, 340)]
    segments += [SimpleNamespace(x0=x, y0=300, x1=x, y1=340) for x in (60, 160, 260, 360)]
    assert "| a | b | c |\n| --- | --- | --- |\n| d | e | f |" in recognize(FakePage([*BODY, *cells], segments=segments)).text
