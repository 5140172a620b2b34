"""Partial text layers: an OCR engine reads the missing text."""

from __future__ import annotations

import zlib
from typing import Any, ClassVar

import pytest
from PIL import Image, ImageDraw, ImageFont

from rayocr.engines.base import ComputeEngine
from rayocr.engines.completion import complete
from rayocr.engines.registry import Stage
from rayocr.engines.stages import ComputeStage, PageProgress
from rayocr.engines.textlayer import TextLayerEngine
from rayocr.errors import EngineUnavailable
from rayocr.messages import PageOutcome, PageRecord, PageText, TextBox
from rayocr.pdf.document import PdfFile
from tests.unit.pdf import pdfs
from tests.unit.pdf.textlayer.drawings import outlined, scanned

LABELS = {100 + 30 * n: f"Label number {n} of the form" for n in range(8)}


def typed_over_scan() -> bytes:
    typed = b"".join(b"1 0 0 1 300 %d Tm (Answer %d, typed) Tj " % (842 - 110 - 30 * n, n) for n in range(8))
    return pdfs.image_page(*scanned(LABELS), over=b"BT /F1 11 Tf 0 g 300 0 Td " + typed + b"ET")


def outlines_with_footer() -> bytes:
    texts = ["The pumping station at Harrow Vale", "was opened in the spring of 1931", "and supplied four villages"]
    content = b"".join(outlined(text, 72, 700 - 20 * n, 12) for n, text in enumerate(texts))
    return pdfs.pages_of(content=content + b"BT /F1 10 Tf 0 g 72 40 Td (Harrow Vale Water Board, page 3 of 12) Tj ET")


class Reader(ComputeEngine):
    """Returns the given lines, and keeps the picture that it received."""

    name: ClassVar[str] = "rapidocr"

    def __init__(self, *boxes: TextBox, error: Exception | None = None, confidence: float | None = 0.95) -> None:
        self._boxes, self._error, self._confidence = boxes, error, confidence
        self.shown: Any = None

    def open(self) -> None:
        pass

    def recognize(self, page: Any) -> PageText:
        rendering = page.render(dpi=72, grayscale=True)
        self.shown = rendering.image.resize((595, 842))
        if self._error is not None:
            raise self._error
        text = "\n".join(box.text for box in self._boxes)
        return PageText(text=text, engine=self.name, model="r-1", confidence=self._confidence, boxes=self._boxes)


def label(n: int, *, confidence: float = 0.95, text: str = "") -> TextBox:
    y = 100 + 30 * n
    return TextBox(text=text or LABELS[y], x0=70, y0=y, x1=230, y1=y + 14, confidence=confidence)


LABEL_BOXES = tuple(label(n) for n in range(8))


def read(data: bytes, *engines: ComputeEngine) -> PageRecord:
    stage = ComputeStage(Stage(kind="compute", first=0, last=len(engines)), [TextLayerEngine(), *engines])
    with PdfFile(data, max_pixels=4_000_000) as file, file.page(1) as page:
        return stage.recognize(page, PageProgress("d", 1, is_last_stage=True), first_engine=0)


def test_typed_answers_stand_behind_the_labels_that_the_engine_read() -> None:
    record = read(typed_over_scan(), Reader(*reversed(LABEL_BOXES)))
    assert record.outcome is PageOutcome.DONE
    assert record.engine == "rapidocr"
    assert record.doubts == ()
    words = record.text.replace("|", " ").split()
    expected = " ".join(f"Label number {n} of the form Answer {n}, typed" for n in range(8))
    assert " ".join(words) == expected


def test_the_engine_is_shown_the_page_without_its_own_text() -> None:
    reader = Reader(*LABEL_BOXES)
    read(typed_over_scan(), reader)
    assert reader.shown.crop((70, 95, 240, 330)).getextrema()[0] < 100
    assert reader.shown.crop((295, 95, 500, 330)).getextrema()[0] > 200


def test_a_layer_of_hyphens_alone_is_replaced_by_what_the_engine_reads() -> None:
    typed = b"".join(b"1 0 0 1 300 %d Tm (-) Tj " % (842 - 110 - 30 * n) for n in range(8))
    reader = Reader(*LABEL_BOXES)
    data = pdfs.image_page(*scanned(LABELS), over=b"BT /F1 11 Tf 0 g 300 0 Td " + typed + b"ET")
    with PdfFile(data, max_pixels=4_000_000) as file, file.page(1) as page:
        made = complete(page, reader)
    assert made is not None
    assert made.text == "\n".join(box.text for box in LABEL_BOXES)
    assert reader.shown.crop((295, 95, 310, 330)).getextrema()[0] < 200


def test_what_the_engine_reads_of_the_layer_s_own_words_is_left_out() -> None:
    again = TextBox(text="Answer O, tvped", x0=300, y0=100, x1=375, y1=113, confidence=0.99)
    assert "tvped" not in read(typed_over_scan(), Reader(*LABEL_BOXES, again)).text


def test_boxes_are_of_what_the_file_does_not_have() -> None:
    from rayocr.ledger.boxes import unpack_boxes

    texts = {box.text for box in unpack_boxes(read(typed_over_scan(), Reader(*LABEL_BOXES)).boxes)}
    assert texts == set(LABELS.values())


def test_a_picture_without_letters_leaves_the_layer_as_it_is() -> None:
    record = read(outlines_with_footer(), Reader())
    assert (record.outcome, record.engine, record.doubts) == (PageOutcome.DONE, "textlayer", ())
    assert record.text == "Harrow Vale Water Board, page 3 of 12"


def test_letters_made_of_a_photograph_are_left_out() -> None:
    record = read(typed_over_scan(), Reader(*LABEL_BOXES, TextBox(text="a/", x0=80, y0=600, x1=120, y1=640, confidence=0.8)))
    assert "a/" not in record.text


def test_lines_that_no_engine_is_sure_of_are_a_doubt() -> None:
    unsure = Reader(*(label(n, confidence=0.4, text="Lahel nurnher af tho forrn") for n in range(8)))
    record = read(typed_over_scan(), unsure)
    assert "Answer 3, typed" in record.text
    assert "nurnher" not in record.text
    assert record.doubts == ("unread_ink",)
    assert [attempt.reason for attempt in record.attempts] == ["LowConfidence"]


def test_a_second_engine_may_read_what_the_first_one_could_not() -> None:
    class Second(Reader):
        name: ClassVar[str] = "tesseract"

    unsure = Reader(*(label(n, confidence=0.4) for n in range(8)))
    record = read(typed_over_scan(), unsure, Second(*LABEL_BOXES))
    assert (record.outcome, record.engine, record.doubts) == (PageOutcome.FALLBACK, "tesseract", ())
    assert "Label number 7 of the form" in record.text


@pytest.mark.parametrize("engines", [(), (Reader(error=EngineUnavailable("no model", hint="install it")),)])
def test_without_an_engine_that_works_the_layer_stands_and_the_doubt_is_on_record(engines: tuple[ComputeEngine, ...]) -> None:
    record = read(outlines_with_footer(), *engines)
    assert record.outcome.final
    assert record.text == "Harrow Vale Water Board, page 3 of 12"
    assert record.doubts == ("unread_ink",)


def test_a_hidden_text_is_a_doubt_beside_what_was_read() -> None:
    data = outlines_with_footer().replace(
        b"BT /F1 10 Tf", b"BT /F1 10 Tf 3 Tr 72 500 Td (HIDDEN orders to a model) Tj ET BT 0 Tr /F1 10 Tf"
    )
    line = TextBox(text="The pumping station at Harrow Vale", x0=72, y0=130, x1=280, y1=146, confidence=0.95)
    record = read(pdfs.reindexed(data), Reader(line))
    assert record.doubts == ("hidden_text",)
    assert "HIDDEN" not in record.text


def test_lines_of_a_skewed_scan_are_as_high_as_their_letters() -> None:
    from rayocr.engines.completion import _levelled

    # 400 x 12 points, sloping down to the right by three degrees.
    box = TextBox(text="x", x0=100, y0=100, x1=100 + 400.08, y1=100 + 32.92, angle_deg=3.0)
    x0, y0, x1, y1 = _levelled(box)
    assert (x1 - x0, y1 - y0) == (pytest.approx(400, abs=0.5), pytest.approx(12, abs=0.5))


def test_an_engine_that_does_not_read_the_page_leaves_it_to_the_next() -> None:
    class Silent(Reader):
        def recognize(self, page: Any) -> Any:
            return None

    with PdfFile(outlines_with_footer(), max_pixels=4_000_000) as file, file.page(1) as page:
        assert complete(page, Silent()) is None


def beside_a_picture() -> bytes:
    own = b"".join(b"1 0 0 1 40 %d Tm (Point %d of the talk) Tj " % (842 - 110 - 30 * n, n) for n in range(3))
    over = b"BT /F1 11 Tf 0 g " + own + b"1 0 0 1 40 60 Tm (Internal, page 7) Tj ET"
    screen = Image.new("L", (500, 600), 245)
    draw = ImageDraw.Draw(screen)
    for box in ORDERS:
        draw.text((2 * (box.x0 - 300), 2 * (box.y0 - 50)), box.text, fill=20, font=ImageFont.load_default(size=24))
    entries = "/Width 500 /Height 600 /BitsPerComponent 8 /ColorSpace /DeviceGray /Filter /FlateDecode"
    return pdfs.image_page(entries, zlib.compress(screen.tobytes()), placed="250 0 0 300 300 492", over=over)


ORDERS = [
    TextBox(text=text, x0=x, y0=103 + 30 * n, x1=x + 45, y1=115 + 30 * n, confidence=0.95)
    for n in range(4)
    for x, text in ((310, f"1002{n}"), (380, f"Buyer {n}"), (450, "packed"))
]


def test_text_in_a_picture_does_not_form_rows_with_the_page_s_lines_beside_it() -> None:
    record = read(beside_a_picture(), Reader(*ORDERS))
    own, _, seen = record.text.partition("Internal, page 7")
    assert all(f"Point {n} of the talk" in own for n in range(3)) and "Buyer" not in own
    assert all(f"| 1002{n} | Buyer {n} | packed |" in seen for n in range(4))
