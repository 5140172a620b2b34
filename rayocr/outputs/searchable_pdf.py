"""The source's own pages, with the recognized text invisible in place: to be searched, selected and copied.

Nothing of the source is taken away or drawn anew: each page gets one content stream before its own and one font, so that it looks
as it did to the pixel. Pages that can be searched already stay as they are. The file lies in a temporary file and is written
object by object, so that its pictures are never in memory together.
"""

from __future__ import annotations

import shutil
import tempfile
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, ClassVar

from rayocr.config import OutputConfig
from rayocr.errors import RayocrError
from rayocr.ledger.boxes import unpack_boxes
from rayocr.ledger.runs import format_runs
from rayocr.messages import DocumentContext, PageRecord, TextBox
from rayocr.outputs.base import Output
from rayocr.outputs.searchable.lines import detect_lines, in_reading_order, lay_in_order, lay_over, plain_lines
from rayocr.pdf.line_boxes import DETECTION_DPI

if TYPE_CHECKING:
    import pikepdf

    from rayocr.pdf.document import PdfFile
    from rayocr.pdf.page import Page


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
        self._kept_whole = ""  # why the file is left as it is
        self._found: list[int] = []
        self._in_order: list[int] = []
        self._doubled: list[int] = []

    def begin(self) -> None:
        import pikepdf

        from rayocr.outputs.searchable.glyphless import add_font

        self._path.write_bytes(memoryview(self._source.data))
        try:
            self._pdf = pikepdf.open(self._path)
            if len(self._pdf.pages) != self.context.page_count:
                self._kept_whole = "Its pages are counted differently by different readers: it is left as it is."
        except pikepdf.PdfError as error:
            self._kept_whole = f"It is too damaged to be written anew and left as it is: {_first_line(error)}."
            return
        if _is_signed(self._pdf):
            self._kept_whole = "It is signed, and any change would break the signature: it is left as it is."
            return
        self._tagged = "/StructTreeRoot" in self._pdf.Root
        self._font = add_font(self._pdf)

    def page(self, record: PageRecord) -> None:
        if self._pdf is None or self._kept_whole or not record.text.strip() or record.engine == "textlayer":
            return
        try:
            with self._source.page(record.page_number) as page:
                layer = page.text_layer().verdict
                if layer.trusted:
                    return
                boxes = self._boxes(record, page)
                upright = page.upright
        except RayocrError:  # a page that PDFium cannot load was read by a server all the same
            self._in_order.append(record.page_number)
            return
        if layer.kind == "bad" or (layer.kind == "partial" and not record.boxes):
            self._doubled.append(record.page_number)
        self._add(record.page_number, boxes, upright)

    def finish(self) -> None:
        self._source_only() if self._kept_whole or self._pdf is None else self._save()

    def close(self) -> None:
        if self._pdf is not None:
            self._pdf.close()
            self._pdf = None
        self._folder.cleanup()

    @property
    def notes(self) -> tuple[str, ...]:
        notes = [self._kept_whole] if self._kept_whole else []
        if self._found:
            notes.append(f"On pages {format_runs(self._found)} the text lies over lines that were found in the picture.")
        if self._in_order:
            notes.append(f"On pages {format_runs(self._in_order)} the text is in reading order, and not in place.")
        if self._doubled:
            notes.append(f"Pages {format_runs(self._doubled)} also keep their own text layer, which is unreliable or incomplete.")
        return tuple(notes)

    # -- inside -----------------------------------------------------------------------------------------------------------------

    def _boxes(self, record: PageRecord, page: Page) -> list[TextBox]:
        if boxes := unpack_boxes(record.boxes):
            return in_reading_order(boxes, page.width_pt, page.height_pt)
        lines = plain_lines(record.text)
        try:
            rendering = page.render(dpi=DETECTION_DPI, grayscale=True)
            if placed := lay_over(lines, detect_lines(rendering.image, rendering.scale)):
                self._found.append(record.page_number)
                return placed
        except RayocrError:
            pass  # it cannot be drawn; its text can still be found
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
        # In front of the page's own content, whose graphics state then cannot move it.
        # Compressed at once: qpdf keeps it until the file is written.
        stream = self._pdf.make_stream(zlib.compress(content), Filter=pikepdf.Name.FlateDecode)
        page.contents_add(stream, prepend=True)

    def _save(self) -> None:
        """Encrypted as it was (a file that opens without a password and restricts what may be done with it stays so)."""
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


def _is_signed(pdf: pikepdf.Pdf) -> bool:
    """Whether a signature was put under it; a field that waits for one is none."""
    form = pdf.Root.get("/AcroForm")
    if form is None:
        return False
    return bool(int(form.get("/SigFlags", 0)) & 2) or any(
        field.get("/FT") == "/Sig" and "/V" in field for field in form.get("/Fields", [])
    )


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0].rstrip(".")[:200]
