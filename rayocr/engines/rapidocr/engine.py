"""Implements local OCR with the PP-OCR models of rapidocr's wheel, for Latin with accents, Chinese and Japanese.

Detection uses the reduced page; recognition uses its lines at full resolution. rayocr runs the models itself, because rapidocr's
own pipeline shrinks the page for both steps, takes 0.8 s to import and does not read rotated pages. The chain calls this engine.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, ClassVar

from rayocr.engines.base import ComputeEngine
from rayocr.engines.layout import layout_markdown
from rayocr.engines.layout.form_marks import box_fields, mark_boxes, mark_lines, without_boxes
from rayocr.engines.layout.lines import LayoutLine, Ruling
from rayocr.engines.layout.quads import turned
from rayocr.engines.layout.tables.scan_rulings import has_cells, outside_letters, scan_rulings
from rayocr.engines.rapidocr.cleaning.color_marks import find_color_marks, with_mark_text
from rayocr.engines.rapidocr.cleaning.show_through import without_show_through
from rayocr.engines.rapidocr.cleaning.turned_blocks import find_turned_block
from rayocr.engines.rapidocr.cleaning.watermark import find_watermark
from rayocr.engines.rapidocr.finding.detection import BLOB_SCORE, find_lines, with_missed_lines
from rayocr.engines.rapidocr.finding.gutters import parted_at_gutters
from rayocr.engines.rapidocr.finding.missed_lines import missed_lines
from rayocr.engines.rapidocr.finding.text_map import TextDetector
from rayocr.engines.rapidocr.finding.turned_numbers import with_turned_numbers
from rayocr.engines.rapidocr.fine_print import better_dpi, surer, with_doubt_if_coarse
from rayocr.engines.rapidocr.image import TurnedPage, turned_image, with_contrast
from rayocr.engines.rapidocr.numerals.checked_numbers import with_checked_numbers
from rayocr.engines.rapidocr.numerals.look_alikes import has_weak_number, with_look_alikes
from rayocr.engines.rapidocr.numerals.lost_marks import with_lost_marks
from rayocr.engines.rapidocr.numerals.per_mille import with_per_mille
from rayocr.engines.rapidocr.numerals.repeated_digits import with_repeated_digits
from rayocr.engines.rapidocr.numerals.small_digits import SmallDigitReader
from rayocr.engines.rapidocr.orientation import OrientedReader
from rayocr.engines.rapidocr.other_lines import weight
from rayocr.engines.rapidocr.placed_lines import LinePlaces
from rayocr.engines.rapidocr.recognizer.cascade import CascadeRecognizer
from rayocr.engines.rapidocr.recognizer.decoding import LineReading
from rayocr.engines.rapidocr.recognizer.models import INSTALL_HINT, model_family, model_file, tiny_models
from rayocr.engines.rapidocr.recognizer.recognition import LineRecognizer, ReadsLines
from rayocr.engines.rapidocr.recognizer.runtime import load_model
from rayocr.engines.rapidocr.splitting.boxes.check_boxes import with_check_boxes
from rayocr.engines.rapidocr.splitting.dashes import with_dashes
from rayocr.engines.rapidocr.splitting.leaders import with_page_numbers
from rayocr.engines.rapidocr.splitting.missed_cells import missed_cells
from rayocr.engines.rapidocr.splitting.numbers import with_parted_numbers
from rayocr.engines.rapidocr.splitting.raised_digits import with_raised_digits
from rayocr.engines.rapidocr.splitting.stacked_fractions import with_stacked_fractions
from rayocr.engines.rapidocr.text import weighted_mean
from rayocr.engines.rapidocr.unknown_scripts import ReadsOtherScripts, UnknownScripts
from rayocr.errors import EngineError, EngineUnavailable, RayocrError
from rayocr.messages import LOW_CONFIDENCE, PageText
from rayocr.pdf.geometry import turned_size
from rayocr.pdf.shapes.components import PageInk

if TYPE_CHECKING:
    from rayocr.pdf.forms.fields import FormField
    from rayocr.pdf.page import Page

WITH_TESSERACT = "+tesseract"  # end of the recorded model if Tesseract read lines of the page


class _Models:
    """The opened models, and the steps that use them."""

    def __init__(self, detect: TextDetector, recognize: ReadsLines, other_scripts: ReadsOtherScripts | None) -> None:
        self._detect = detect
        self.recognize = recognize
        self.oriented = OrientedReader(recognize, other_scripts)
        self.unknown = UnknownScripts(other_scripts, recognize)

    def find(self, page: TurnedPage, dpi: float) -> tuple[Any, list[tuple[float, float, float, float]]]:
        """Returns the corners (n, 4, 2) of the lines, and the places x0, y0, x1, y1 of ink that no line covers, in pixels."""
        import numpy as np

        image = page.image(0)
        found = find_lines(image, self._detect, dpi=dpi)
        missed = missed_lines(image, found, dpi=dpi, with_fragments=True)
        if missed:
            found = with_missed_lines(image, found, missed, self._detect)
            missed = missed_lines(image, found, dpi=dpi)
        cells = missed_cells(page.ink(0), found)
        return parted_at_gutters(image, np.concatenate([found, cells]) if len(cells) else found), missed

    def parted(self, ink: PageInk, quads: Any, read: list[LineReading]) -> tuple[Any, list[LineReading], bool]:
        """Parts lines at leaders, numbers, fractions, dashes and check boxes. Returns the lines, their readings, and whether a
        part could not be read."""
        recognize, upright = self.recognize, ink.gray
        quads, read, unread = with_page_numbers(ink, quads, read, recognize)
        quads, read, joined = with_parted_numbers(upright, quads, read, recognize)
        quads, read, cut = with_stacked_fractions(ink, quads, read, recognize)
        quads, read = with_dashes(ink, *with_check_boxes(upright, quads, read, recognize))
        return quads, with_raised_digits(upright, quads, read), unread or joined or cut


class RapidOcrEngine(ComputeEngine):
    name: ClassVar[str] = "rapidocr"

    def __init__(
        self,
        *,
        dpi: int = 200,
        speed: str = "best",
        runtime: str = "onnxruntime",
        device: str = "auto",
        other_scripts: ReadsOtherScripts | None = None,
    ) -> None:
        """The values of `rayocr.config.engines.RapidOcrConfig`, and the reader for lines in scripts that the models do not
        support."""
        self._other_scripts = other_scripts
        self._dpi = dpi
        self._speed = speed
        self._runtime = {"runtime": runtime, "device": device}
        self._models: _Models | None = None

    @property
    def model(self) -> str:
        return f"{model_family()}/rapidocr-{version('rapidocr')}/{self._speed if tiny_models() else 'best'}"

    @property
    def drawn_dpi(self) -> int:
        return self._dpi

    def open(self) -> None:
        if self._models is not None:
            return
        detection, recognition = model_file("det"), model_file("rec")
        tiny = tiny_models()
        try:
            import cv2

            cv2.setNumThreads(1)
            if tiny is not None and self._speed != "best":
                detection = tiny.detection
            detector = TextDetector(load_model(detection, **self._runtime), least_score=BLOB_SCORE)
            small = LineRecognizer.small(recognition, **self._runtime)
            reader: ReadsLines = small
            if tiny is not None:
                reader = CascadeRecognizer(LineRecognizer.tiny(tiny, **self._runtime), small, speed=self._speed)
        except EngineUnavailable:
            raise
        except ImportError as error:
            raise EngineUnavailable(f"Cannot import what rapidocr's models need: {error}", hint=INSTALL_HINT) from error
        except Exception as error:  # the runtime's own errors for a damaged model
            raise EngineUnavailable(
                f"Cannot load rapidocr's models: {error}", hint="Reinstall rayocr, rapidocr and onnxruntime."
            ) from error
        self._models = _Models(detector, SmallDigitReader(reader), self._other_scripts)

    def close(self) -> None:
        self._models = None

    def recognize(self, page: Page) -> PageText:
        """Reads the page. Boxes are in the page's own orientation, so they are tall on a page that was scanned sideways."""
        self.open()
        import numpy as np

        assert self._models is not None
        fields, recognize = box_fields((*page.fields, *page.drawn_marks)), self._models.recognize

        def read_at(dpi: float) -> tuple[Any, float, PageText]:
            rendering = page.render(dpi=round(dpi), grayscale=True)
            image = with_contrast(np.asarray(without_boxes(rendering.image, fields, rendering.scale)))
            scale, dpi = rendering.scale, rendering.scale * 72
            if (marks := find_color_marks(page, image, dpi=dpi)) is not None:
                image = marks.cleaned
            if (watermark := find_watermark(image, recognize, dpi=dpi)) is not None:
                image = watermark.cleaned
            answer = self._read(image, scale, fields)
            answer = answer if watermark is None else watermark.added_to(answer)
            if marks is not None:
                answer = with_mark_text(answer, self._read(marks.alone, scale, (), is_cleaned=True))
            return image, scale, answer

        try:
            image, scale, answer = read_at(self._dpi)
            dpi = better_dpi(image, answer, scale=scale, detail_dpi=page.detail_dpi)
            best = answer if dpi is None else surer(answer, read_at(dpi)[2])
            return with_doubt_if_coarse(best, detail_dpi=page.detail_dpi)
        except RayocrError:
            raise
        except Exception as error:  # the runtimes and OpenCV raise their own error classes
            raise EngineError(f"rapidocr failed on page {page.page_number}: {type(error).__name__}: {error}") from error

    def _read(self, image: Any, scale: float, fields: Sequence[FormField], *, is_cleaned: bool = False) -> PageText:
        assert self._models is not None
        models = self._models
        page = TurnedPage(image)
        shown, missed = models.find(page, scale * 72)
        if not len(shown):
            return PageText(text="", engine=self.name, model=self.model, confidence=None, boxes=())
        turns, columns_down, read = models.oriented.read(page, shown)
        upright, quads = page.image(turns), turned(shown, turns, image.shape[1], image.shape[0])
        cleaned = None if is_cleaned else without_show_through(upright, quads, read, models.recognize)
        if cleaned is not None and cleaned is not upright:
            return self._read(turned_image(cleaned, -turns), scale, fields, is_cleaned=True)
        if not is_cleaned and not columns_down and (block := find_turned_block(upright, quads, read, models.recognize)):
            answer = self._read(turned_image(block.image, -turns), scale, fields, is_cleaned=True)
            return block.with_places(answer, turns=turns, scale=scale)
        if not columns_down:
            quads, read = with_turned_numbers(page.ink(turns), quads, read, models.recognize)
            read = with_lost_marks(upright, quads, with_per_mille(upright, quads, read))
            read = with_repeated_digits(upright, quads, read, models.recognize)
            read = with_checked_numbers(with_look_alikes(upright, quads, read))
        lost = cleaned is not None or any(reading.lost for reading in read)
        if not columns_down:
            quads, read, is_doubtful = models.parted(page.ink(turns), quads, read)
            lost |= is_doubtful
        places = LinePlaces(page, quads, turns=turns, columns_down=columns_down, scale=scale)
        ours = [reading.text for reading in read]
        read, doubts = models.unknown.read(upright, quads, read, places.aspects)
        lost |= any(map(has_weak_number, read))
        lines, boxes, scores = places.lines_of(read)
        width, height = image.shape[1] / scale, image.shape[0] / scale
        lines += mark_lines(fields, turns, (width, height))
        scores += [(0.0, weight((x1 - x0) / (y1 - y0))) for x0, y0, x1, y1 in missed]
        if not lines:
            return PageText(text="", engine=self.name, model=self.model, confidence=0.0 if scores else None, boxes=())
        rulings = _rulings(upright, lines, dpi=scale * 72, angle_deg=places.skew) if len(lines) > 3 else []
        page_width, page_height = turned_size(turns, (width, height))
        return PageText(
            text=layout_markdown(lines, page_width=page_width, page_height=page_height, rulings=rulings),
            engine=self.name,
            model=self.model + (WITH_TESSERACT if [reading.text for reading in read] != ours else ""),
            confidence=weighted_mean(scores),
            boxes=(*boxes, *mark_boxes(fields)),
            doubts=tuple(dict.fromkeys((*doubts, LOW_CONFIDENCE))) if lost else doubts,
        )


def _rulings(upright: Any, lines: Sequence[LayoutLine], *, dpi: float, angle_deg: float) -> list[Ruling]:
    found = scan_rulings(upright, dpi=dpi, angle_deg=angle_deg, with_faint=has_cells(lines))
    return outside_letters(found, lines)
