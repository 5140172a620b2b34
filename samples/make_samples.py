"""Generates every file of samples/: `python samples/make_samples.py [folder]`. The bytes are the same in every run.

This module decides what each sample shows; the modules beside it contain the texts, the layout and the two kinds of drawing.
Dates and document ids are fixed, noise is seeded, and streams are left uncompressed, because zlib differs between builds of
Python."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Sequence
from pathlib import Path

import texts
from devanagari import DevanagariPdf
from layout import Frame, Kind, Line, Style, lay_out, styles, truth
from pikepdf import ObjectStreamMode, Pdf
from PIL import Image
from reportlab.lib.pdfencrypt import StandardEncryption
from reportlab.pdfbase.pdfmetrics import stringWidth
from reportlab.pdfgen.canvas import Canvas
from scans import ScanPage, draw, measure, scan_pdf, wear

A4 = (595.0, 842.0)
A5 = (420.0, 595.0)
TICKET = (144.0, 216.0)  # 2 x 3 inches
DPI = 150
PASSWORD = "willow"  # the password of broken/encrypted.pdf, so that you can open it
_CUT_AT = 0.6

Sample = tuple[bytes, list[str]]  # the PDF, the truth of each page


def letter() -> Sample:
    file = io.BytesIO()
    canvas = _canvas(file)
    for page in texts.LETTER:
        _print(canvas, lay_out(page, [_frame(A4, 72)], styles(12.5), _print_width))
        canvas.showPage()
    canvas.save()
    return file.getvalue(), [truth(page) for page in texts.LETTER]


def table() -> Sample:
    """Draws a table with vector rulings, left- and right-aligned cells, and text above and below."""
    file = io.BytesIO()
    canvas = _canvas(file)
    looks, frame = styles(12), _frame(A4, 72)
    before = lay_out(texts.TABLE_BEFORE, [frame], looks, _print_width)
    _print(canvas, before)
    top_pt, row_pt = before[-1].y_pt + 24, 23.0
    edges = [72.0, 202.0, 266.0, 352.0, 438.0, 523.0]
    for number, row in enumerate(texts.TABLE_ROWS):
        bold = number in (0, len(texts.TABLE_ROWS) - 1)
        y_pt = top_pt + number * row_pt + 15.5
        for column, cell in enumerate(row):
            width = _print_width(cell, 11, bold)
            x_pt = edges[column] + 7 if column == 0 else edges[column + 1] - 7 - width
            _print(canvas, [Line(x_pt=x_pt, y_pt=y_pt, text=cell, size_pt=11, bold=bold)])
    canvas.setLineWidth(0.7)
    bottom_pt = top_pt + len(texts.TABLE_ROWS) * row_pt
    canvas.grid(edges, [A4[1] - top_pt - row_pt * n for n in range(len(texts.TABLE_ROWS) + 1)])
    below = Frame(left_pt=72, top_pt=bottom_pt + 12, width_pt=frame.width_pt, height_pt=A4[1] - bottom_pt - 84)
    _print(canvas, lay_out(texts.TABLE_AFTER, [below], looks, _print_width))
    canvas.save()
    rows = "\n".join(" ".join(row) for row in texts.TABLE_ROWS)
    return file.getvalue(), ["\n".join([truth(texts.TABLE_BEFORE), rows, truth(texts.TABLE_AFTER)])]


def scan() -> Sample:
    return _bytes(scan_pdf(_scan_pages())), [truth(page) for page in texts.SCAN]


def two_columns() -> Sample:
    return _bytes(scan_pdf([_two_column_page()])), [truth([*texts.TWO_COLUMNS_TITLE, *texts.TWO_COLUMNS])]


def rotated() -> Sample:
    """Draws four pages with rotated pixels. The /Rotate entry of the fourth turns it upright."""
    turns = [Image.Transpose.ROTATE_270, Image.Transpose.ROTATE_180, Image.Transpose.ROTATE_90, Image.Transpose.ROTATE_90]
    pages = []
    for number, (blocks, turn) in enumerate(zip(texts.ROTATED, turns, strict=True)):
        image = wear(draw(lay_out(blocks, [_frame(A5, 54)], styles(14), measure), *A5, dpi=DPI), seed=30 + number)
        pages.append(ScanPage(image=image.transpose(turn), dpi=DPI, rotate=90 if number == 3 else 0))
    return _bytes(scan_pdf(pages)), [truth(blocks) for blocks in texts.ROTATED]


def devanagari() -> Sample:
    pdf = DevanagariPdf(*A4)
    for page in texts.DEVANAGARI:
        pdf.add_page(lay_out(page, [_frame(A4, 72)], styles(15, leading=1.75), pdf.measure))
    return _bytes(pdf.finish()), [truth(page) for page in texts.DEVANAGARI]


def broken_text_layer() -> Sample:
    """Draws a readable scan under an unreadable invisible text layer, which engines must not use."""
    lines = lay_out(texts.BROKEN_TEXT_LAYER, [_frame(A4, 72)], styles(13.5), measure)
    mojibake = [text.encode().decode("cp1252", errors="ignore") for text in texts.MOJIBAKE_SOURCE]
    junk = [*texts.LEGACY_FONT_JUNK, *mojibake]
    hidden = [(line.x_pt, A4[1] - line.y_pt, 10.0, junk[n % len(junk)]) for n, line in enumerate(lines)]
    image = wear(draw(lines, *A4, dpi=DPI), seed=40, skew_degrees=-0.2)
    page = ScanPage(image=image, dpi=DPI, hidden_text=hidden)
    return _bytes(scan_pdf([page])), [truth(texts.BROKEN_TEXT_LAYER)]


def blank_and_ticket() -> Sample:
    blank = wear(draw([], *A4, dpi=100), seed=50, specks=9)
    looks: dict[Kind, Style] = styles(7.5, leading=1.9)
    lines = lay_out(texts.TICKET, [Frame(left_pt=14, top_pt=14, width_pt=120, height_pt=190)], looks, measure)
    ticket = wear(draw(lines, *TICKET, dpi=200), seed=51, noise=3, specks=3)
    pages = [ScanPage(image=blank, dpi=100), ScanPage(image=ticket, dpi=200, quality=60)]
    return _bytes(scan_pdf(pages)), ["", truth(texts.TICKET)]


def encrypted() -> bytes:
    """Encrypts with 128-bit RC4: AES would start from a random vector and change the bytes at every run."""
    file = io.BytesIO()
    canvas = _canvas(file, password=PASSWORD)
    _print(canvas, lay_out(texts.LETTER[1], [_frame(A4, 72)], styles(12.5), _print_width))
    canvas.save()
    return file.getvalue()


def cut_off() -> bytes:
    """Writes a truncated download: the last of three scanned pages and the cross-reference table are missing."""
    whole = _bytes(scan_pdf([*_scan_pages(), _two_column_page()]))
    return whole[: int(len(whole) * _CUT_AT)]


SAMPLES = {
    "letter.pdf": letter,
    "scan.pdf": scan,
    "two-columns.pdf": two_columns,
    "table.pdf": table,
    "rotated.pdf": rotated,
    "devanagari.pdf": devanagari,
    "broken-text-layer.pdf": broken_text_layer,
    "blank-and-ticket.pdf": blank_and_ticket,
}


def main(folder: Path) -> None:
    (folder / "broken").mkdir(parents=True, exist_ok=True)
    truths: dict[str, list[str]] = {}
    for name, make in SAMPLES.items():
        content, truths[name] = make()
        (folder / name).write_bytes(content)
    (folder / "broken" / "encrypted.pdf").write_bytes(encrypted())
    (folder / "broken" / "cut-off.pdf").write_bytes(cut_off())
    (folder / "broken" / "not-a-pdf.pdf").write_bytes(texts.NOT_A_PDF.encode())
    text = json.dumps(truths, ensure_ascii=False, indent=2) + "\n"
    (folder / "truth.json").write_bytes(text.encode())


def _scan_pages() -> list[ScanPage]:
    pages = [draw(lay_out(page, [_frame(A4, 76)], styles(13.5), measure), *A4, dpi=DPI) for page in texts.SCAN]
    return [
        ScanPage(image=wear(pages[0], seed=10, skew_degrees=0.4), dpi=DPI),
        ScanPage(image=wear(pages[1], seed=11, skew_degrees=-0.4), dpi=DPI),
    ]


def _two_column_page() -> ScanPage:
    looks = styles(13)
    title = lay_out(texts.TWO_COLUMNS_TITLE, [_frame(A4, 64)], looks, measure)
    top_pt = title[-1].y_pt + 22
    columns = [Frame(left_pt=left, top_pt=top_pt, width_pt=218, height_pt=478) for left in (64, 313)]
    lines = lay_out(texts.TWO_COLUMNS, columns, looks, measure)
    return ScanPage(image=wear(draw([*title, *lines], *A4, dpi=DPI), seed=20, skew_degrees=0.15), dpi=DPI)


def _frame(page: tuple[float, float], margin_pt: float) -> Frame:
    return Frame(left_pt=margin_pt, top_pt=margin_pt, width_pt=page[0] - 2 * margin_pt, height_pt=page[1] - 2 * margin_pt)


def _canvas(file: io.BytesIO, password: str | None = None) -> Canvas:
    encryption = StandardEncryption(password, strength=128) if password else None
    return Canvas(file, pagesize=A4, invariant=1, pageCompression=0, encrypt=encryption)


def _print(canvas: Canvas, lines: Sequence[Line]) -> None:
    for line in lines:
        canvas.setFont(_face(line.bold), line.size_pt)
        canvas.drawString(line.x_pt, A4[1] - line.y_pt, line.text)


def _print_width(text: str, size_pt: float, bold: bool) -> float:
    return float(stringWidth(text, _face(bold), size_pt))


def _face(bold: bool) -> str:
    return "Helvetica-Bold" if bold else "Helvetica"


def _bytes(pdf: Pdf) -> bytes:
    file = io.BytesIO()
    pdf.save(file, deterministic_id=True, compress_streams=False, object_stream_mode=ObjectStreamMode.disable)
    return file.getvalue()


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)
