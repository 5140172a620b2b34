"""Handles one page: renders it, extracts it as a PDF, and reads its text, form fields, pictures and drawn lines."""

from __future__ import annotations

import io
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import cache, cached_property, partial
from types import TracebackType
from typing import TYPE_CHECKING, Any

import numpy as np
import pypdfium2
import pypdfium2.raw as pdfium

from rayocr.errors import PageTooSlow, PageUnrenderable, PictureUndecodable
from rayocr.pdf.blank.decision import certain_coverage, drawn_coverage
from rayocr.pdf.drawing.lone_picture import LonePicture, reduced_drawing
from rayocr.pdf.drawing.page_drawing import PageDrawing, Rendering
from rayocr.pdf.drawing.rendering import SlowPages, draw, paste_boxes
from rayocr.pdf.forms.annotations import LACKS_PART, first_page, flatten, has_text_annotations, hide_annotations, struck_boxes
from rayocr.pdf.forms.drawn_marks import drawn_marks
from rayocr.pdf.forms.fields import FormField, loaded_page, read_fields, with_fields
from rayocr.pdf.forms.own_lines import with_own_lines
from rayocr.pdf.geometry import Box, Upright, shown_size, upright_of
from rayocr.pdf.hidden.pieces import HiddenPieces, hidden_pieces
from rayocr.pdf.ink import BLANK_COVERAGE, RENDER_DPI
from rayocr.pdf.line_boxes import DETECTION_DPI
from rayocr.pdf.objects import PageObjects, Ruling, has_text_in_foreign_fonts, inspect_objects
from rayocr.pdf.scan import SCAN_SHARE, is_full_page_scan, lone_picture, reduced_jpeg, whole_page
from rayocr.pdf.structure import has_contents
from rayocr.pdf.textlayer.glyphs.actual_text import contradicts_glyphs
from rayocr.pdf.textlayer.layer import TextLayer, is_reading_of, read_text_layer
from rayocr.pdf.textlayer.raw import RawText, raw_text
from rayocr.pdf.textlayer.rendered_text import TextObjects
from rayocr.pdf.textlayer.shown_words import shows_word
from rayocr.pdf.undrawn import cut_off_share, may_have_color, undecodable_share, undrawn_picture

if TYPE_CHECKING:
    from PIL import Image


class Page:
    """A loaded page. Sizes are in points of the upright page. Not thread-safe; close it before its document."""

    def __init__(
        self,
        document: pypdfium2.PdfDocument,
        page_number: int,
        *,
        max_pixels: int,
        may_have_masks: Callable[[], bool] = lambda: True,
        hidden_annotations: Callable[[], Collection[int]] = tuple,
        may_have_layered_forms: Callable[[], bool] = bool,
        lost_content: Callable[[], str] = str,
        is_placeholder: bool = False,
        slow_pages: SlowPages | None = None,
    ) -> None:
        """`may_have_masks`: whether any picture of the document may have a mask. `hidden_annotations`: the indexes of the page's
        annotations that belong to a hidden layer. `may_have_layered_forms`: whether their appearances may belong to one.
        `lost_content`: the part of the page's content that the file lacks, if any. `is_placeholder`: whether the page shows only
        a request to open the document in another program. `slow_pages`: of its document."""
        self._lost_content = lost_content
        self.is_placeholder = is_placeholder
        self.page_number = page_number
        self.max_pixels = max_pixels
        self._document = document
        self._may_have_masks = may_have_masks
        self._may_have_layered_forms = may_have_layered_forms
        self._after: list[Callable[[], None]] = []
        try:
            self._page = loaded_page(document, page_number - 1)
            self._page.raw.slow_pages = slow_pages
            hide_annotations(self._page.raw, hidden_annotations, may_have_layered_forms)
            self.width_pt, self.height_pt = shown_size(self._page)
        except (pypdfium2.PdfiumError, IndexError) as error:
            raise PageUnrenderable(f"Page {page_number} cannot be loaded; it is damaged.") from error

    # -- for engines --------------------------------------------------------------------------------------------------------

    def cut_out(self) -> bytes:
        """Returns a PDF of this page alone, with its form fields drawn into it. Takes 0.5 to 1.5 ms. Raises PageUnrenderable.

        The PDF may contain unused resources and hidden layers; `rayocr.pdf.cut.page_document` removes both.
        """
        with self._cut_out() as single:
            data = io.BytesIO()
            single.save(data)
            if self._objects.count and not has_contents(data.getvalue()):
                raise pypdfium2.PdfiumError(LACKS_PART)
            return data.getvalue()

    def render(self, *, dpi: int = 200, grayscale: bool = False) -> Rendering:
        """Renders the upright page in RGB or gray, including annotations. Takes 5 to 60 ms for a scan at 200 dpi. See
        `render_scale`."""
        return self._drawing.at(dpi, grayscale=grayscale, native_dpi=self._objects.native_dpi)

    def thumbnail(self, dpi: int, *, grayscale: bool = True) -> Image.Image:
        """Renders the page at exactly `dpi`, or less for huge pages. Raises PageUnrenderable."""
        return self._drawing.small(dpi, grayscale=grayscale, max_pixels=2_000_000).image

    def render_part(self, box: Box, scale: float) -> Image.Image:
        """Renders a part of the page in RGB, at `scale` pixels per point. Raises PageUnrenderable."""
        return self._drawing.part(box, scale)

    @cached_property
    def upright(self) -> Upright:
        """Conversion from user space to the upright page."""
        return upright_of(self._page.raw, self.width_pt, self.height_pt)

    @cached_property
    def fields(self) -> tuple[FormField, ...]:
        """The form fields that viewers show on the page."""
        return read_fields(self._page.raw, self._form, self.upright, (self.width_pt, self.height_pt))

    @cached_property
    def drawn_marks(self) -> tuple[FormField, ...]:
        """Check boxes and bullets that are drawn on the page. Renders the page if it may have check boxes."""
        layer = self._own_layer
        if layer.turns or not layer.lines or not (self.width_pt > 0 and self.height_pt > 0):
            return ()
        return drawn_marks(self._page.raw, self._objects, layer.lines, self.fields, (self.width_pt, self.height_pt))

    @cached_property
    def has_filled_annotations(self) -> bool:
        """Returns whether the page has form fields, free text, stamps or drawings that are annotations."""
        return has_text_annotations(self._page.raw)

    @property
    def picture_bytes(self) -> int:
        """The size in the file, in bytes, of the pictures drawn on the page. Each picture counts once."""
        return self._objects.picture_bytes

    @cached_property
    def _text_layer(self) -> TextLayer:
        layer = self._read_text_layer()
        if self._objects.text.is_replaced:
            with suppress(PageUnrenderable), self._cut_out() as single, first_page(single) as page:
                return replace(layer, contradicted=bool(page) and contradicts_glyphs(page))
        return layer

    @cached_property
    def _own_layer(self) -> TextLayer:
        """The page's text layer without the text of annotations."""
        size_pt = (self.width_pt, self.height_pt)
        return read_text_layer(self._page.raw, self.upright, size_pt, image_share=self.image_share, shapes=self._objects.signs)

    def _read_text_layer(self) -> TextLayer:
        own, size_pt = self._own_layer, (self.width_pt, self.height_pt)
        if not self.has_filled_annotations:
            return with_fields(own, self.drawn_marks, size_pt)
        without = [field.index for field in self.fields if field.replaces_appearance]
        with suppress(PageUnrenderable), self._cut_out(without=without) as single, first_page(single) as page:
            if page:
                layer = read_text_layer(page, self.upright, size_pt, image_share=self.image_share, shapes=self._objects.signs)
                layer = with_own_lines(layer, own, self._page.raw, self.upright)
                return with_fields(layer, (*self.fields, *self.drawn_marks), size_pt)
        return with_fields(own, (*self.fields, *self.drawn_marks), size_pt)

    @property
    def raw_text(self) -> str:
        """The text of the page's content as PDFium returns it: in file order, including hidden text, without form fields. Twenty
        times as fast as `text_layer`."""
        return self._raw.text

    def text_layer(self) -> TextLayer:
        """Returns the page's own text, with a verdict on whether it is reliable."""
        return self._text_layer

    @contextmanager
    def without_own_text(self) -> Iterator[None]:
        """Within this context, `render` shows only the content for OCR: pictures, drawings, text without known characters."""
        with TextObjects(self._page.raw).without_text(kept=self._own_layer.unreadable):
            yield

    def hides_text(self) -> bool:
        """Returns whether the page may have text that it does not show, or text outside its area. Does not render the page if
        nothing is drawn over dark text, or if it is a scan with an OCR engine's text. Ignores hidden layers."""
        return self._hides_text

    @cached_property
    def _hides_text(self) -> bool:
        found = self._objects
        may_hide = found.text.may_be_hidden or found.text.is_replaced or self.has_filled_annotations or not self._raw.is_inked
        if may_hide and not self._is_reading_of_scan() and not self._text_layer.shows_all_text:
            return True
        return self._raw.has_more

    def shows_raw_text(self) -> bool:
        """Returns whether the page shows exactly `raw_text`: no text is invisible, and there are no form fields or notes."""
        return not self.has_filled_annotations and not self.hides_text()

    def has_text_over_scan(self) -> bool:
        """Returns whether pictures cover most of the page and all text is visible, like a stamp on a scan. Takes little time."""
        text = self._objects.text
        may_hide = text.may_be_hidden or text.is_replaced or not self._raw.is_inked
        return self.image_share > SCAN_SHARE and text.visible > 0 and not may_hide

    def visible_text(self) -> str:
        """Returns the text that the page shows, in file order. Ten times as fast as `text_layer` if `raw_text` is the same."""
        return self.raw_text if self.shows_raw_text() else self._text_layer.text

    @property
    def has_text_outside(self) -> bool:
        """Returns whether the page's content has text outside the page's area."""
        return self._raw.has_more

    def hidden_pieces(self, *, with_readings: bool = False) -> HiddenPieces:
        """Returns the pieces of the page's content that contain only invisible text. See `pdf.hidden.pieces.hidden_pieces`."""
        return hidden_pieces(self._page.raw, self._own_layer, with_readings=with_readings)

    def rulings(self) -> tuple[Ruling, ...]:
        """Returns drawn horizontal and vertical lines, such as those of tables."""
        return self._objects.rulings

    def striking_lines(self) -> Iterator[tuple[Box, float, float]]:
        """Yields the drawn lines that may strike words out, with their thickness and how much lower their right end is."""
        yield from (((line.x0, line.y0, line.x1, line.y1), line.thickness, 0.0) for line in self._objects.rulings)
        yield from self._objects.sloping

    def oblique_lines(self) -> list[tuple[Box, bool]]:
        """Returns the boxes of drawn lines that are neither level nor upright, and whether they fall from left to right."""
        return self._objects.oblique

    def struck_boxes(self) -> list[Box]:
        """Returns the boxes in which annotations strike text out."""
        return struck_boxes(self._page.raw, self.upright) if self.has_filled_annotations else []

    @property
    def image_share(self) -> float:
        """Share of the page's area that images cover, 0..1."""
        return self._objects.image_share

    @property
    def may_have_color(self) -> bool:
        return may_have_color(self._page.raw, self._objects.pictures)

    @property
    def detail_dpi(self) -> float:
        """The highest resolution of the pictures that span half of the page's longer side; 0 if there are none."""
        return self._objects.detail_dpi

    @property
    def picture_boxes(self) -> tuple[Box, ...]:
        return tuple(box for _, box in self._objects.pictures)

    def ink_coverage(self, next_dpi: int = 0) -> float:
        """Ink coverage, 0..1 (see `rayocr.pdf.ink`): 0 if the page is blank, at least BLANK_COVERAGE if anything is visible.
        `next_dpi`: if the page is one picture, the caller draws it next in gray at this resolution, so that it is decoded once.

        Renders the page at a small size, unless nothing is drawn on it or it is a scan with much ink: decoding a scan at a
        reduced size takes 1 to 6 ms. A page with little ink is also rendered in color and at a higher resolution, 50 to 200 ms.
        Raises PageUnrenderable if the page lost its content, and PictureUndecodable if it has only undecodable pictures.
        """
        found = self._objects
        if found.count == 0 and (lost := self._lost_content()):
            raise PageUnrenderable(f"Page {self.page_number}: {lost}")
        is_empty = found.count == 0 and pdfium.FPDFPage_GetAnnotCount(self._page.raw) == 0
        if is_empty or not (self.width_pt > 0 and self.height_pt > 0):
            return 0.0
        long_side_in = max(self.width_pt, self.height_pt) / 72
        scan_at: Callable[[float], Image.Image | None] = self._scan_at
        if next_dpi and self._lone_picture:
            scan_at = partial(reduced_drawing, self.render(dpi=next_dpi, grayscale=True).image, long_side_in)
        if quick := certain_coverage(scan_at, long_side_in):
            return quick
        seen = drawn_coverage(self._drawing, self._small, found, long_side_in, lambda: self.may_have_color)
        if seen < BLANK_COVERAGE and self._shows_words():
            return BLANK_COVERAGE
        if seen < BLANK_COVERAGE and (why := self.undrawn_picture):
            raise PictureUndecodable(f"Page {self.page_number}: {why}")
        return seen

    @cached_property
    def undrawn_picture(self) -> str:
        """Returns why a picture cannot be drawn; empty if all are drawn. Renders a small image. Raises PageUnrenderable."""
        pictures = self._objects.pictures
        return undrawn_picture(self._page.raw, pictures, self._small, (self.width_pt, self.height_pt)) if pictures else ""

    @cached_property
    def undecodable_share(self) -> float:
        """The share of the page, 0..1, that is missing from renderings because its pictures cannot be decoded."""
        pictures = self._objects.pictures
        return undecodable_share(self._page.raw, pictures, (self.width_pt, self.height_pt)) if pictures else 0.0

    @cached_property
    def cut_off_share(self) -> float:
        """The share of the page, 0..1, that is missing from renderings because the data of its pictures end early."""
        pictures = self._objects.pictures
        return cut_off_share(self._page.raw, pictures, (self.width_pt, self.height_pt)) if pictures else 0.0

    def certainly_inked(self) -> bool:
        """Returns True if the page has dark text. Takes little time. If the result is False, call `ink_coverage`."""
        return self._objects.text.has_dark and len("".join(self.raw_text.split())) >= 20

    # -- internal -----------------------------------------------------------------------------------------------------------

    @cached_property
    def _drawing(self) -> PageDrawing:
        return PageDrawing(
            page=self._page.raw,
            page_number=self.page_number,
            size_pt=(self.width_pt, self.height_pt),
            max_pixels=self.max_pixels,
            form=self._form,
            complete=self._add_orphans,
            lone=lambda: self._lone_picture,
        )

    @cached_property
    def _lone_picture(self) -> LonePicture | None:
        """The page's picture, if the page is one picture."""
        found = lone_picture(self._page.raw, self._objects, (self.width_pt, self.height_pt))
        return found if found and not self._may_have_masks() and not self._may_have_layered_forms() else None

    @property
    def _form(self) -> Any:
        """The document's raw form handle; None if it has no form."""
        return self._document.formenv.raw if self._document.formenv else None

    @contextmanager
    def _cut_out(self, *, without: Collection[int] = ()) -> Iterator[pypdfium2.PdfDocument]:
        """Yields a document of this page alone, its form fields drawn in, except `without`. Raises PageUnrenderable."""
        single = pypdfium2.PdfDocument.new()
        single.slow_pages = self._page.raw.slow_pages
        try:
            single.import_pages(self._document, [self.page_number - 1])
            if self.has_filled_annotations:
                flatten(single, without, objects=self._objects.count)
            yield single
        except pypdfium2.PdfiumError as error:
            raise PageUnrenderable(f"Page {self.page_number} cannot be cut out: {error}") from error
        except PageTooSlow as error:
            self._page.raw.too_slow = str(error)
            raise
        finally:
            single.close()

    def _add_orphans(self, image: Image.Image, scale: float) -> None:
        """Draws widgets that the document's form does not list. Viewers show them, but PDFium draws them only after flattening.
        The page is flattened in a copy, which may show hidden layers, so only the boxes of these widgets are copied from it."""
        if not (boxes := [field.box for field in self.fields if field.orphan]):
            return
        with self._cut_out() as single, first_page(single) as page:
            if page:
                paste_boxes(image, draw(page, *image.size, grayscale=image.mode == "L"), boxes, scale)

    @cached_property
    def _raw(self) -> RawText:
        return raw_text(self._page.raw, self._objects.text.inkless)

    @cached_property
    def _objects(self) -> PageObjects:
        return inspect_objects(self._page.raw, self.upright, self.width_pt, self.height_pt)

    @cached_property
    def _small(self) -> Image.Image:
        return self.thumbnail(RENDER_DPI)

    def _shows_words(self) -> bool:
        """Returns whether a word of the page's own text is at least faintly visible, or would be if its font were installed."""
        if not self._objects.text.visible:
            return False
        layer, lacks_fonts = self._text_layer, cache(lambda: has_text_in_foreign_fonts(self._page.raw))
        return bool(layer.lacking) or shows_word(layer, np.asarray(self._small), (self.width_pt, self.height_pt), lacks_fonts)

    def _is_reading_of_scan(self) -> bool:
        """Returns whether all text is invisible and transcribes a full-page scan. Returns False if this is unknown."""
        found = self._objects
        if found.text.visible or found.largest_image_turns != 0 or (scan := self._scan_at(DETECTION_DPI)) is None:
            return False
        picture, scale = whole_page(scan, found.largest_image_box, (self.width_pt, self.height_pt), dpi=DETECTION_DPI)
        return is_reading_of(self._page.raw, self.upright, picture, scale)

    def _scan_at(self, dpi: float) -> Image.Image | None:
        """Returns the full-page picture at a reduced size; None without one, or if it may be covered, masked or cropped."""
        size_pt = (self.width_pt, self.height_pt)
        if not is_full_page_scan(self._objects, size_pt) or self._may_have_masks():
            return None
        return reduced_jpeg(self._objects.largest_image, max(size_pt) / 72 * dpi)

    def when_closed(self, call: Callable[[], None]) -> None:
        """Registers a function that is called once, after the page has been closed."""
        self._after.append(call)

    def close(self) -> None:
        """Closes the page. Idempotent."""
        self._page.close()
        while self._after:
            self._after.pop()()

    def __enter__(self) -> Page:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()
