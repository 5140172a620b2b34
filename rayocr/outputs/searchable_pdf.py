"""Writes the searchable PDF: the source's own pages with the recognized text laid invisibly over them, for searching, selecting
and copying.

Nothing that the source shows is removed or drawn again. Each page gets one font and one content stream before its own, so that it
looks the same. Pages that can already be searched are not changed, except that values of form fields without an appearance are
added. Text that is invisible on a page is removed, unless it is a reliable transcript of a scan. The source is in a temporary
file and is written object by object, so that its pictures are never all in memory. The libraries are imported when the first file
begins, since every process of a run imports this module for the output's name.
"""

from __future__ import annotations

import shutil
import tempfile
import zlib
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, ClassVar

from rayocr.config import OutputConfig
from rayocr.errors import NoTextLayer, RayocrError
from rayocr.ledger.boxes import unpack_boxes
from rayocr.ledger.runs import format_runs, named_pages
from rayocr.messages import HIDDEN_TEXT, DocumentContext, PageRecord, TextBox
from rayocr.outputs.base import Output

if TYPE_CHECKING:
    import pikepdf

    from rayocr.pdf.document import PdfFile
    from rayocr.pdf.hidden.pieces import HiddenPieces
    from rayocr.pdf.page import Page


_LEAST_CROP_PT = 4.0
_HEAD_BYTES = 200  # bytes at the start of a content stream, which name the font of its first line


class SearchablePdfOutput(Output):
    name: ClassVar[str] = "searchable_pdf"
    suffix: ClassVar[str] = ".searchable.pdf"
    needs_source: ClassVar[bool] = True
    needs_boxes: ClassVar[bool] = True

    def __init__(
        self, file: BinaryIO, context: DocumentContext, *, config: OutputConfig | None = None, source: PdfFile | None = None
    ) -> None:
        super().__init__(file, context, config=config, source=source)
        assert source is not None
        self._source = source
        self._folder = tempfile.TemporaryDirectory(prefix="rayocr-")
        self._path = Path(self._folder.name, "source.pdf")
        self._pdf: pikepdf.Pdf | None = None
        self._font: Any = None
        self._tagged = False
        self._has_form = False
        self._updates = False  # set if the file is an earlier output, in which the text of some pages is replaced
        self._unchanged = ""  # the reason why the file is copied unchanged
        self._found: list[int] = []
        self._in_order: list[int] = []
        self._doubled: list[int] = []
        self._hidden: list[int] = []

    def begin(self, written: bytes | None = None) -> None:
        """Opens the file. `written`: the earlier version of this output. The pages that follow replace their text in it; the
        other pages keep their text."""
        import pikepdf

        from rayocr.outputs.searchable.glyphless import add_font
        from rayocr.pdf.structure import UNREADABLE

        self._updates = written is not None
        self._path.write_bytes(memoryview(self._source.data) if written is None else written)
        try:
            self._pdf = pikepdf.open(self._path)
            self._has_form = any("/Annots" in page for page in self._pdf.pages)
            if len(self._pdf.pages) != self.context.page_count:
                self._unchanged = "The file is copied unchanged: PDF libraries disagree on its number of pages."
        except UNREADABLE as error:
            self._unchanged = f"The file is copied unchanged because it is too damaged to be rewritten: {_first_line(error)}."
            return
        if _is_signed(self._pdf):
            self._unchanged = "The file is copied unchanged: it is signed, and any change would break the signature."
            return
        self._tagged = "/StructTreeRoot" in self._pdf.Root
        self._font = add_font(self._pdf)

    def page(self, record: PageRecord) -> None:
        if self._pdf is None or self._unchanged:
            return
        if self._updates:
            self._remove_earlier_text(record.page_number)
        if not record.text.strip():
            return
        hides, is_cropped = HIDDEN_TEXT in record.doubts, self._is_cropped(record.page_number)
        if hides or is_cropped:
            with suppress(RayocrError), self._source.page(record.page_number) as page:
                hides |= page.has_text_outside
                if hides:
                    self._remove_hidden_text(page.hidden_pieces(), record.page_number)
        if record.engine == "textlayer" and not self._has_form:
            return
        try:
            with self._source.page(record.page_number) as page:
                layer = page.text_layer().verdict
                is_searchable = record.engine == "textlayer" or (layer.trusted and not _is_rejected(record))
                boxes = self._values(record.page_number, page) if is_searchable else self._boxes(record, page)
                upright, keeps_text = page.upright, bool(page.raw_text.strip()) and not page.text_layer().hides_text
                if not is_searchable and keeps_text and not hides and page.text_layer().is_reading:
                    keeps_text = not self._remove_old_layer(page.hidden_pieces(with_readings=True), record.page_number)
                elif not hides and page.text_layer().hides_text:
                    self._remove_hidden_text(page.hidden_pieces(), record.page_number)
        except RayocrError:  # a server can read a page that PDFium cannot load
            if record.engine == "textlayer":
                return
            self._in_order.append(record.page_number)
            return
        if not is_searchable and keeps_text and not (layer.kind == "partial" and record.boxes):
            self._doubled.append(record.page_number)
        self._add(record.page_number, boxes, upright)

    def finish(self) -> None:
        self._source_only() if self._unchanged or self._pdf is None else self._save()

    def close(self) -> None:
        if self._pdf is not None:
            self._pdf.close()
            self._pdf = None
        self._folder.cleanup()

    @property
    def notes(self) -> tuple[str, ...]:
        notes = [self._unchanged] if self._unchanged else []
        if self._found:
            notes.append(f"{_on(self._found)}, the text is laid over lines detected in the picture.")
        if self._in_order:
            notes.append(f"{_on(self._in_order)}, the text is in reading order, but not at its position.")
        if self._doubled:
            notes.append(f"{_on(self._doubled)}, the text layer of the source is kept, too; it is unreliable or incomplete.")
        if self._hidden:
            notes.append(f"{_on(self._hidden)}, text of the source that is invisible on the page is kept.")
        return tuple(notes)

    # -- inside -----------------------------------------------------------------------------------------------------------------

    def _remove_earlier_text(self, page_number: int) -> None:
        """Removes the content stream that `_add` put first in the earlier version of the output."""
        import pikepdf

        from rayocr.outputs.searchable.glyphless import FONT_NAME

        assert self._pdf is not None
        contents = self._pdf.pages[page_number - 1].get("/Contents")
        if isinstance(contents, pikepdf.Array) and len(contents) and FONT_NAME.encode() in contents[0].read_bytes()[:_HEAD_BYTES]:
            del contents[0]

    def _is_cropped(self, page_number: int) -> bool:
        """Returns whether the page shows a part of its sheet only."""
        assert self._pdf is not None
        page = self._pdf.pages[page_number - 1]
        try:
            crop, sheet = ([float(side) for side in box] for box in (page.cropbox, page.mediabox))
        except (TypeError, ValueError):
            return False
        return any(abs(one - other) > _LEAST_CROP_PT for one, other in zip(crop, sheet, strict=False))

    def _remove_hidden_text(self, found: HiddenPieces, page_number: int) -> None:
        from rayocr.outputs.searchable.hidden_text import remove_pieces

        assert self._pdf is not None
        removed = remove_pieces(self._pdf, page_number, found.numbers, count=found.count, may_lack_them=self._updates)
        if not removed or not found.all_hidden_text:
            self._hidden.append(page_number)

    def _remove_old_layer(self, found: HiddenPieces, page_number: int) -> bool:
        """Removes an old OCR layer that the new text replaces. Returns whether no text of the source remains."""
        from rayocr.outputs.searchable.hidden_text import remove_pieces

        assert self._pdf is not None
        removed = remove_pieces(self._pdf, page_number, found.numbers, count=found.count, may_lack_them=self._updates)
        return removed and found.all_hidden_text

    def _values(self, page_number: int, page: Page) -> list[TextBox]:
        """Returns the values of fields without an appearance in the file: viewers show them, but few search them."""
        from rayocr.pdf.forms.fields import FieldKind, value_lines

        kinds = (FieldKind.TEXT, FieldKind.COMB, FieldKind.LIST)
        assert self._pdf is not None
        annotations = list(self._pdf.pages[page_number - 1].get("/Annots", []))
        fields = [field for field in page.fields if field.text.strip() and field.kind in kinds]
        shown = set(page.text_layer().text.split()) if fields else set()
        return [
            TextBox(text=line.text, x0=line.x0, y0=line.y0, x1=line.x1, y1=line.y1)
            for field in fields
            if field.index < len(annotations) and "/N" not in annotations[field.index].get("/AP", {})
            if shown.issuperset(field.text.split())
            for line in value_lines(field)
        ]

    def _boxes(self, record: PageRecord, page: Page) -> list[TextBox]:
        from rayocr.outputs.searchable.lines import detect_lines, in_reading_order, lay_in_order, lay_over, plain_lines
        from rayocr.pdf.line_boxes import DETECTION_DPI

        if boxes := unpack_boxes(record.boxes):
            return in_reading_order(boxes, page.width_pt, page.height_pt)
        lines = plain_lines(record.text)
        try:
            rendering = page.render(dpi=DETECTION_DPI, grayscale=True)
            if placed := lay_over(lines, detect_lines(rendering.image, rendering.scale)):
                self._found.append(record.page_number)
                return placed
        except RayocrError:
            pass  # the page cannot be rendered; its text can still be found
        self._in_order.append(record.page_number)
        return lay_in_order(lines, page.width_pt, page.height_pt)

    def _add(self, page_number: int, boxes: list[TextBox], upright: Any) -> None:
        import pikepdf

        from rayocr.outputs.searchable.glyphless import FONT_NAME
        from rayocr.outputs.searchable.placing import text_content

        assert self._pdf is not None
        content = text_content(boxes, upright, tagged=self._tagged)
        if not content:
            return
        page = self._pdf.pages[page_number - 1]
        page.add_resource(self._font, pikepdf.Name.Font, name=pikepdf.Name(FONT_NAME))
        # The stream comes before the page's own content, so that the page's graphics state cannot move the text. The stream is
        # compressed now, because qpdf keeps it in memory until the file is written.
        stream = self._pdf.make_stream(zlib.compress(content), Filter=pikepdf.Name.FlateDecode)
        page.contents_add(stream, prepend=True)

    def _save(self) -> None:
        """Saves the file with its encryption. A file that opens without a password but restricts its use keeps its
        restrictions."""
        import pikepdf

        assert self._pdf is not None
        made = Path(self._folder.name, "made.pdf")
        self._pdf.save(
            made,
            encryption=self._pdf.is_encrypted,
            object_stream_mode=pikepdf.ObjectStreamMode.preserve,
            compress_streams=True,
            deterministic_id=not self._pdf.is_encrypted,
        )
        with made.open("rb") as file:
            shutil.copyfileobj(file, self.file)

    def _source_only(self) -> None:
        with self._path.open("rb") as file:
            shutil.copyfileobj(file, self.file)


def _is_rejected(record: PageRecord) -> bool:
    """Returns whether the page's text layer differs from the page: its words look right, but not all of its numbers are."""
    return any(attempt.engine == "textlayer" and attempt.reason == NoTextLayer.__name__ for attempt in record.attempts)


def _is_signed(pdf: pikepdf.Pdf) -> bool:
    """Returns whether the file has a signature. An empty signature field does not count."""
    form = pdf.Root.get("/AcroForm")
    if form is None:
        return False
    return bool(int(form.get("/SigFlags", 0)) & 2) or any(
        field.get("/FT") == "/Sig" and "/V" in field for field in form.get("/Fields", [])
    )


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0].rstrip(".")[:200]


def _on(pages: list[int]) -> str:
    return f"On {named_pages(format_runs(pages))}"
