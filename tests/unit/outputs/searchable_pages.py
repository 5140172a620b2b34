"""Makes scans with known word positions: typeset pages, rendered, rotated and skewed, with the boxes that an engine returns."""

from __future__ import annotations

import io
import math
from dataclasses import dataclass

import pypdfium2
from PIL import Image

from rayocr.config import OutputConfig
from rayocr.ledger.boxes import pack_boxes
from rayocr.messages import PageOutcome, PageRecord, TextBox
from rayocr.outputs.searchable_pdf import SearchablePdfOutput
from rayocr.pdf.document import PdfFile
from tests.unit.outputs.clean_pages import document_context

DPI = 120
Box = tuple[float, float, float, float]  # left, top, right, bottom in points of the upright page


@dataclass(frozen=True)
class Word:
    text: str
    box: Box

    def iou(self, other: Box) -> float:
        (a, b, c, d), (e, f, g, h) = self.box, other
        shared = max(0.0, min(c, g) - max(a, e)) * max(0.0, min(d, h) - max(b, f))
        return shared / ((c - a) * (d - b) + (g - e) * (h - f) - shared)


@dataclass(frozen=True)
class Scan:
    pdf: bytes
    words: list[Word]
    boxes: list[TextBox]


def words_of(data: bytes, page_index: int = 0) -> list[Word]:
    """Returns the words and their loose boxes, which have the height of the font, not of the letters."""
    with pypdfium2.PdfDocument(data) as document:
        page = document[page_index]
        height = page.get_height()
        text = page.get_textpage()
        words: list[Word] = []
        letters: list[tuple[str, Box]] = []

        def finish() -> None:
            if letters:
                boxes = [box for _, box in letters]
                around = (min(b[0] for b in boxes), min(b[1] for b in boxes), max(b[2] for b in boxes), max(b[3] for b in boxes))
                words.append(Word("".join(letter for letter, _ in letters), around))
                letters.clear()

        whole = text.get_text_range()
        for index in range(text.count_chars()):
            letter = text.get_text_range(index, 1) or whole[index : index + 1]
            if not letter.strip():
                finish()
                continue
            left, bottom, right, top = text.get_charbox(index, loose=True)
            letters.append((letter, (left, height - top, right, height - bottom)))
        finish()
        return words


def lines_of(words: list[Word]) -> list[TextBox]:
    lines: list[list[Word]] = []
    for word in words:
        if lines and abs(lines[-1][-1].box[1] - word.box[1]) < 5:
            lines[-1].append(word)
        else:
            lines.append([word])
    return [
        TextBox(
            text=" ".join(word.text for word in line),
            x0=min(word.box[0] for word in line),
            y0=min(word.box[1] for word in line),
            x1=max(word.box[2] for word in line),
            y1=max(word.box[3] for word in line),
        )
        for line in lines
    ]


def scan(typeset: bytes, *, turns: int = 0, skew_deg: float = 0.0) -> Scan:
    """Returns the page as an image, rotated clockwise by `turns` quarter turns and `skew_deg`."""
    with pypdfium2.PdfDocument(typeset) as document:
        image = document[0].render(scale=DPI / 72).to_pil().convert("RGB")
    words = words_of(typeset)
    lines = lines_of(words)
    angle = 90 * turns + skew_deg
    turned = image.rotate(-angle, expand=True, fillcolor="white", resample=Image.Resampling.BICUBIC)
    from_middle = (image.width * 36 / DPI, image.height * 36 / DPI)
    to_middle = (turned.width * 36 / DPI, turned.height * 36 / DPI)

    def moved(box: Box) -> Box:
        cosine, sine = math.cos(math.radians(angle)), math.sin(math.radians(angle))
        corners = [(x - from_middle[0], y - from_middle[1]) for x in (box[0], box[2]) for y in (box[1], box[3])]
        xs = [to_middle[0] + cosine * x - sine * y for x, y in corners]
        ys = [to_middle[1] + sine * x + cosine * y for x, y in corners]
        return min(xs), min(ys), max(xs), max(ys)

    pdf = io.BytesIO()
    turned.save(pdf, "PDF", resolution=DPI)
    boxes = []
    for line in lines:
        x0, y0, x1, y1 = moved((line.x0, line.y0, line.x1, line.y1))
        boxes.append(TextBox(text=line.text, x0=x0, y0=y0, x1=x1, y1=y1, angle_deg=angle))
    return Scan(pdf.getvalue(), [Word(word.text, moved(word.box)) for word in words], boxes)


def searchable_pdf(pdf: bytes, *records: PageRecord, written: bytes | None = None) -> tuple[bytes, tuple[str, ...]]:
    """Returns the file and its notes. `written`: an earlier version of the file."""
    file = io.BytesIO()
    with PdfFile(pdf, max_pixels=10**7) as source:
        output = SearchablePdfOutput(file, document_context(len(records)), config=OutputConfig(), source=source)
        try:
            output.begin(written)
            for record in records:
                output.page(record)
            output.finish()
        finally:
            output.close()
        return file.getvalue(), output.notes


def record(text: str, boxes: list[TextBox] | None = None, *, number: int = 1, engine: str = "rapidocr") -> PageRecord:
    return PageRecord(
        document_id="ab",
        page_number=number,
        outcome=PageOutcome.DONE if text else PageOutcome.BLANK,
        text=text,
        engine=engine,
        boxes=pack_boxes(boxes or ()),
    )
