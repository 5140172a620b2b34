"""Typesets the recognized text: a PDF with exactly one page for each page of the source, in the same size.

Pages go to the typesetter a few at a time and from there into the file, so a document of 10,000 pages takes no more memory than
one of eight. A page that the typesetter rejects is typeset alone, then as plain lines, and finally replaced by a notice. The
libraries are imported when the first file begins, since every process of a run imports this module for the output's name.
"""

from __future__ import annotations

import atexit
import io
import os
import tempfile
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, ClassVar

from rayocr.config import OutputConfig
from rayocr.errors import RayocrError, TypesettingFailed
from rayocr.extras import install_command, is_installed
from rayocr.ledger.runs import format_runs, named_pages
from rayocr.messages import DocumentContext, PageRecord
from rayocr.outputs.base import Output, failure_notice
from rayocr.outputs.typeset.fonts import REPLACEMENT, FontBook, FontChoice
from rayocr.outputs.typeset.literal import printable
from rayocr.outputs.typeset.page import TEMPLATE, notice, page_program, sensible_size

if TYPE_CHECKING:
    from rayocr.outputs.typeset.typesetter import Typesetter
    from rayocr.pdf.document import PdfFile

_PAGES_A_PART = 8  # pages that are typeset together, with fonts embedded once; more take more memory (100 pages: 700 MB)
_CHARACTERS_NAMED = 20  # number of characters without a font that the manifest lists

# All documents of this process share one typesetter, since its start takes 0.3 s. A fork starts its own; otherwise the pages of
# both processes would be mixed.
_typesetters: dict[tuple[int, bool, float], tuple[Typesetter, FontBook]] = {}


@dataclass(frozen=True, slots=True)
class _Page:
    number: int
    text: str
    source_pt: tuple[float, float]  # width and height of the upright source page; 0 if unknown
    fonts: FontChoice
    content: str  # Typst statements


class CleanPdfOutput(Output):
    name: ClassVar[str] = "clean_pdf"
    suffix: ClassVar[str] = ".clean.pdf"
    needs_source: ClassVar[bool] = True
    works_without_source: ClassVar[bool] = True

    def __init__(
        self, file: BinaryIO, context: DocumentContext, *, config: OutputConfig | None = None, source: PdfFile | None = None
    ) -> None:
        from rayocr.outputs.typeset.pdf_merge import PdfMerger

        super().__init__(file, context, config=config, source=source)
        self._settings = self.config.clean_pdf
        self._typesetter, self._fonts = _typesetter(self._settings.system_fonts, self._settings.timeout_s)
        self._merger = PdfMerger(file)
        self._waiting: list[_Page] = []
        self._labels: list[str] = []
        self._languages: Counter[str] = Counter()
        self._missing: Counter[str] = Counter()
        self._missing_on: list[int] = []
        self._plain: list[int] = []
        self._lost: list[int] = []
        self._resized: list[int] = []
        self._pictures: tempfile.TemporaryDirectory[str] | None = None

    def page(self, record: PageRecord) -> None:
        from rayocr.outputs.typeset.markup import typeset_markdown

        text = printable(record.text)
        fonts = self._fonts.choose(text)
        if fonts.missing:
            self._missing.update(fonts.missing)
            self._missing_on.append(record.page_number)
        failure = failure_notice(record)
        if failure is None:
            with self.limit():
                content = typeset_markdown(text, _displayable(fonts))
        else:
            content = self._notice(failure, record.page_number)
        width_pt, height_pt = (0.0, 0.0) if self.source is None else self.source.page_size(record.page_number)
        self._labels.append("" if self.source is None else self.source.page_label(record.page_number))
        if text.strip():
            self._languages[fonts.language] += 1
        self._waiting.append(_Page(record.page_number, text, (width_pt, height_pt), fonts, content))
        if len(self._waiting) >= _PAGES_A_PART:
            self._typeset_waiting()

    def finish(self) -> None:
        from rayocr.outputs.typeset.pdf_merge import DocumentFacts

        self._typeset_waiting()
        document = self.context.document
        self._merger.finish(
            DocumentFacts(
                title=printable(self.context.title or document.name.rpartition("/")[2]),
                subject=f"Text of {printable(document.name)}",
                source=printable(document.source_uri),
                language=self._languages.most_common(1)[0][0] if self._languages else "en",
                created=datetime.now(UTC),
                pdf_a=self._settings.pdf_a,
            ),
            self._labels,
        )
        if self._merger.page_count != self.context.page_count:
            raise RayocrError(f"The clean PDF has {self._merger.page_count} pages, but its source has {self.context.page_count}.")

    def close(self) -> None:
        if self._pictures is not None:
            self._pictures.cleanup()
            self._pictures = None

    @property
    def notes(self) -> tuple[str, ...]:
        notes = []
        if self._missing:
            named = ", ".join(f"U+{ord(c):04X}" for c, _ in self._missing.most_common(_CHARACTERS_NAMED))
            more = f" and {len(self._missing) - _CHARACTERS_NAMED} more" if len(self._missing) > _CHARACTERS_NAMED else ""
            pages = named_pages(format_runs(self._missing_on))
            hint = _font_hint(self._missing)
            notes.append(f"No font contains {named}{more}; {REPLACEMENT} is printed instead on {pages}.{hint}")
        if self._plain:
            notes.append(f"The layout failed on {named_pages(format_runs(self._plain))}: typeset as plain lines.")
        if self._lost:
            notes.append(f"No text could be typeset for {named_pages(format_runs(self._lost))}; it is in the other outputs.")
        if self._resized:
            pages = named_pages(format_runs(self._resized))
            notes.append(f"Another size than in the source, so that the text fits and is legible: {pages}.")
        return tuple(notes)

    # -- inside -----------------------------------------------------------------------------------------------------------------

    def _typeset_waiting(self) -> None:
        pages, self._waiting = self._waiting, []
        if not pages:
            return
        try:
            self._add([(page, page.content) for page in pages])
        except TypesettingFailed:
            for page in pages:
                self._typeset_simply(page)

    def _typeset_simply(self, page: _Page) -> None:
        from rayocr.outputs.typeset.markup import typeset_plain

        try:
            self._add([(page, page.content)])
            return
        except TypesettingFailed:
            pass
        with self.limit():
            plain = typeset_plain(page.text, _displayable(page.fonts))
        try:
            self._add([(page, plain)])
            self._plain.append(page.number)
        except TypesettingFailed:
            self._add([(page, notice(f"The text of page {page.number} could not be typeset; it is in the other outputs."))])
            self._lost.append(page.number)

    def _add(self, pages: Sequence[tuple[_Page, str]]) -> None:
        program = TEMPLATE + "".join(
            page_program(content, sensible_size(*page.source_pt), page.fonts.families, page.fonts.language)
            for page, content in pages
        )
        part = self._typesetter.compile(
            program,
            standards=("a-2u",) if self._settings.pdf_a else (),
            tags=self._settings.tags,
            root=self._pictures.name if self._pictures is not None else None,
        )
        for (page, _), size_pt in zip(pages, self._merger.add(part, pages=len(pages)), strict=True):
            if min(page.source_pt) > 0 and not all(map(_about_equal, page.source_pt, size_pt)):
                self._resized.append(page.number)

    def _notice(self, failure: str, page_number: int) -> str:
        return notice(failure, image=self._picture(page_number) if self._settings.page_image else None)

    def _picture(self, page_number: int) -> str | None:
        """Returns the name of a file in the picture folder; None if the page cannot be rendered."""
        if self.source is None:
            return None
        try:
            with self.source.page(page_number) as page:
                image = page.render(dpi=self._settings.page_image_dpi).image
        except RayocrError:
            return None
        if self._pictures is None:
            self._pictures = tempfile.TemporaryDirectory(prefix="rayocr-")
        name = f"{page_number}.jpg"
        data = io.BytesIO()
        image.save(data, "JPEG", quality=80)
        Path(self._pictures.name, name).write_bytes(data.getvalue())
        return name


def _typesetter(system_fonts: bool, timeout_s: float) -> tuple[Typesetter, FontBook]:
    from rayocr.outputs.typeset.typesetter import Typesetter

    key = (os.getpid(), system_fonts, timeout_s)
    if key not in _typesetters:
        typesetter = Typesetter(system_fonts=system_fonts, timeout_s=timeout_s)
        atexit.register(typesetter.close)  # ends its process together with this one, and avoids a ResourceWarning
        _typesetters[key] = (typesetter, FontBook(typesetter.displays))
    return _typesetters[key]


def _about_equal(one_pt: float, other_pt: float) -> bool:
    return abs(one_pt - other_pt) < 1


def _displayable(fonts: FontChoice) -> Callable[[str], str]:
    table = str.maketrans(dict.fromkeys(fonts.missing, REPLACEMENT))
    return (lambda text: text.translate(table)) if fonts.missing else (lambda text: text)


def _font_hint(missing: Iterable[str]) -> str:
    if is_installed("cjk") or not any(unicodedata.east_asian_width(character) == "W" for character in missing):
        return ""
    return f" For Chinese, Japanese and Korean: {install_command('cjk')}"
