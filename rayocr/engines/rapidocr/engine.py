"""Implements local OCR with the PP-OCR models of rapidocr's wheel, for Latin with accents, Chinese and Japanese.

Detection uses the reduced page; recognition uses its lines at full resolution. rayocr runs the models itself, because rapidocr's
own pipeline shrinks the page for both steps, takes 0.8 s to import and does not read rotated pages. The chain calls this engine.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from rayocr.engines.base import ComputeEngine
from rayocr.engines.layout import LayoutLine, layout_markdown
from rayocr.engines.layout.form_marks import box_fields, mark_boxes, mark_lines, without_boxes
from rayocr.engines.layout.letter_style import letter_style
from rayocr.engines.layout.quads import levelled, sides, skew_deg, turned
from rayocr.engines.layout.tables.scan_rulings import scan_rulings
from rayocr.engines.rapidocr.cleaning.show_through import without_faint, without_show_through
from rayocr.engines.rapidocr.cleaning.watermark import find_watermark
from rayocr.engines.rapidocr.columns_down import is_set_in_columns
from rayocr.engines.rapidocr.detection import BLOB_SCORE, find_lines, with_missed_lines
from rayocr.engines.rapidocr.fine_print import better_dpi, surer
from rayocr.engines.rapidocr.gutters import parted_at_gutters
from rayocr.engines.rapidocr.image import TurnedPage, cut_out, turned_image, with_contrast, with_margin
from rayocr.engines.rapidocr.missed_lines import missed_lines
from rayocr.engines.rapidocr.numerals.checked_numbers import with_checked_numbers
from rayocr.engines.rapidocr.numerals.look_alikes import has_weak_number, with_look_alikes
from rayocr.engines.rapidocr.numerals.small_digits import SmallDigitReader
from rayocr.engines.rapidocr.other_lines import (
    LEAST_ASPECT,
    as_own_score,
    is_all_zeros,
    is_better,
    lines_to_compare,
    misread_lines,
    weight,
    with_our_numbers,
)
from rayocr.engines.rapidocr.recognizer.cascade import CascadeRecognizer
from rayocr.engines.rapidocr.recognizer.decoding import NOTHING_READ, LineReading
from rayocr.engines.rapidocr.recognizer.models import INSTALL_HINT, model_family, model_file, tiny_models
from rayocr.engines.rapidocr.recognizer.recognition import LineRecognizer, ReadsLines
from rayocr.engines.rapidocr.recognizer.runtime import load_model
from rayocr.engines.rapidocr.splitting.check_boxes import with_check_boxes
from rayocr.engines.rapidocr.splitting.dashes import with_dashes
from rayocr.engines.rapidocr.splitting.leaders import with_page_numbers
from rayocr.engines.rapidocr.splitting.missed_cells import missed_cells
from rayocr.engines.rapidocr.splitting.numbers import with_parted_numbers
from rayocr.engines.rapidocr.splitting.raised_digits import with_raised_digits
from rayocr.engines.rapidocr.splitting.stacked_fractions import with_stacked_fractions
from rayocr.engines.rapidocr.text import (
    UNKNOWN_SCORE,
    is_half_known,
    is_unread,
    pack_of_half_known,
    pack_of_page,
    weighted_mean,
    with_marks,
    with_spaces,
)
from rayocr.engines.rapidocr.text_map import TextDetector
from rayocr.errors import EngineError, EngineUnavailable, LanguagePackMissing, RayocrError
from rayocr.messages import LOW_CONFIDENCE, PACK_MISSING, PageText, TextBox

if TYPE_CHECKING:
    from rayocr.pdf.forms.fields import FormField
    from rayocr.pdf.page import Page

WITH_TESSERACT = "+tesseract"  # end of the recorded model if Tesseract read lines of the page
_MIN_LINE_SCORE = 0.5  # rapidocr's own limit; results below it are specks and rules
_SAMPLE_LINES = 5  # number of lines that are read first, to detect whether the page is upright
_MOST_SAMPLE_LINES = 20  # number of lines for Tesseract, which is uncertain about the orientation of a few lines in Korean
_SURE = 0.9  # above this mean score of the sample, no other orientation is tried
_BETTER = 1.1  # the score of the upside-down reading must be higher by this factor
_PADDING = (0.16, 0.11)  # left and right margins, in box heights: nine of ten boxes have at least this much
_UPRIGHT_BOX = 1.5  # boxes with a larger ratio of height to width contain rotated text, or one narrow letter or digit
_LETTER_BOX = 3.0
_UNREAD_ASPECT = 4.0  # longer boxes always contain text; many shorter ones are specks
_UNREAD_LINE = 8.0  # longer unread boxes contain a line of print; shorter ones may be signatures or ornaments
_FEWEST_UNREAD = 2  # least number of unread lines that counts; a single one may be a signature or an ornament
_MUCH_UNREAD = 0.1  # share of the print; without a language pack, a page with more unread print fails, one with less gets a doubt
_JUNK = 0.8  # below this score, a line may be in a script that the models mistake for Latin
_DOUBTFUL = 0.75  # Tesseract's confidence of a line; misread words of another script that look like numbers have less
_MOST_UNREAD = 0.7  # share of the print; Tesseract reads all of a page that lacks more because a pack is missing
_MIN_VERTICAL_SHARE = 0.6  # share of the length of all boxes, for the page to count as rotated


class ReadsOtherScripts(Protocol):
    def read(
        self, lines: Sequence[Any], *, likely: str = "", read_latin: ReadsLines | None = None
    ) -> Sequence[tuple[str, float]]:
        """Returns text and confidence, 0..1, of gray pictures. `likely`: the pack to try first. `read_latin` reads Latin words in
        other scripts. Raises LanguagePackMissing."""

    def is_upside_down(self, lines: Sequence[Any]) -> bool:
        """Returns whether gray pictures of lines certainly are upside down."""

    def require(self, pack: str) -> None:
        """Raises LanguagePackMissing if the pack is not installed."""

    def missing_pack(self, lines: Sequence[Any]) -> str:
        """Returns the pack for the most likely script of lines that were not read; "" if it is not known or is installed."""


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
        self._detect: TextDetector | None = None
        self._recognize_lines: ReadsLines | None = None

    @property
    def model(self) -> str:
        return f"{model_family()}/rapidocr-{version('rapidocr')}/{self._speed if tiny_models() else 'best'}"

    @property
    def drawn_dpi(self) -> int:
        return self._dpi

    def open(self) -> None:
        if self._detect is not None:
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
            self._recognize_lines = SmallDigitReader(reader)
        except EngineUnavailable:
            raise
        except ImportError as error:
            raise EngineUnavailable(f"Cannot import what rapidocr's models need: {error}", hint=INSTALL_HINT) from error
        except Exception as error:  # the runtime's own errors for a damaged model
            raise EngineUnavailable(
                f"Cannot load rapidocr's models: {error}", hint="Reinstall rayocr, rapidocr and onnxruntime."
            ) from error
        self._detect = detector

    def close(self) -> None:
        self._detect = self._recognize_lines = None

    def recognize(self, page: Page) -> PageText:
        """Reads the page. Boxes are in the page's own orientation, so they are tall on a page that was scanned sideways."""
        self.open()
        import numpy as np

        fields = box_fields((*page.fields, *page.drawn_marks))

        def read_at(dpi: float) -> tuple[Any, float, PageText]:
            rendering = page.render(dpi=round(dpi), grayscale=True)
            image = with_contrast(np.asarray(without_boxes(rendering.image, fields, rendering.scale)))
            assert self._recognize_lines is not None
            mark = find_watermark(image, self._recognize_lines, dpi=rendering.scale * 72)
            if mark is None:
                return image, rendering.scale, self._read(image, rendering.scale, fields)
            return mark.cleaned, rendering.scale, mark.added_to(self._read(mark.cleaned, rendering.scale, fields))

        try:
            image, scale, answer = read_at(self._dpi)
            dpi = better_dpi(image, answer, scale=scale, detail_dpi=page.detail_dpi)
            return answer if dpi is None else surer(answer, read_at(dpi)[2])
        except RayocrError:
            raise
        except Exception as error:  # the runtimes and OpenCV raise their own error classes
            raise EngineError(f"rapidocr failed on page {page.page_number}: {type(error).__name__}: {error}") from error

    def _read(self, image: Any, scale: float, fields: Sequence[FormField], *, is_cleaned: bool = False) -> PageText:
        import numpy as np

        assert self._detect is not None and self._recognize_lines is not None
        found = find_lines(image, self._detect, dpi=scale * 72)
        missed = missed_lines(image, found, dpi=scale * 72, with_fragments=True)
        if missed:
            found = with_missed_lines(image, found, missed, self._detect)
            missed = missed_lines(image, found, dpi=scale * 72)
        cells = missed_cells(image, found)
        shown = parted_at_gutters(image, np.concatenate([found, cells]) if len(cells) else found)
        if not len(shown):
            return PageText(text="", engine=self.name, model=self.model, confidence=None, boxes=())
        page = TurnedPage(image)
        quarter_turns, columns_down, read = self._orient_and_read(page, shown)
        upright = page.image(quarter_turns)
        quads = turned(shown, quarter_turns, image.shape[1], image.shape[0])
        if not is_cleaned and (cleaned := without_show_through(upright, quads, read, self._recognize_lines)) is not None:
            return self._read(turned_image(cleaned, -quarter_turns), scale, fields, is_cleaned=True)
        height, width = upright.shape[:2]
        if not columns_down:
            read = with_checked_numbers(with_look_alikes(upright, quads, read))
        lost = any(reading.lost for reading in read)
        if not columns_down:
            quads, read, unread = with_page_numbers(upright, quads, read, self._recognize_lines)
            quads, read, joined = with_parted_numbers(upright, quads, read, self._recognize_lines)
            quads, read, cut = with_stacked_fractions(upright, quads, read, self._recognize_lines)
            lost |= unread or joined or cut
            quads, read = with_dashes(upright, *with_check_boxes(upright, quads, read, self._recognize_lines))
            read = with_raised_digits(upright, quads, read)
            shown = turned(quads, -quarter_turns, width, height)
        skew = skew_deg(quads)
        level = levelled(quads, skew, width, height) / scale
        aspects = [float(x1 - x0) / max(float(y1 - y0), 0.1) for x0, y0, x1, y1 in level]
        lines: list[LayoutLine] = []
        boxes: list[TextBox] = []
        scores: list[tuple[float, float]] = []  # scores with their weights: the number of letters, read or expected
        read = [r._replace(score=min(r.score, UNKNOWN_SCORE)) if is_half_known(r.text) else r for r in read]
        ours = list(read)
        read, doubts = self._with_other_scripts(upright, quads, read, aspects)
        model = self.model + (WITH_TESSERACT if read != ours else "")
        lost |= any(map(has_weak_number, read))
        doubts = tuple(dict.fromkeys((*doubts, LOW_CONFIDENCE))) if lost else doubts
        for index, (text, score, *_) in enumerate(read):
            text = with_marks(with_spaces(text))
            if (score < _MIN_LINE_SCORE and not is_half_known(text)) or not text.strip() or is_unread(text, aspects[index]):
                if aspects[index] > _UNREAD_ASPECT:
                    scores.append((0.0, weight(aspects[index])))
                continue
            scores.append((score, len(text)))
            x0, y0, x1, y1 = (float(value) for value in level[index])
            x0, x1 = without_padding(x0, x1, y1 - y0)
            style = letter_style(page.line(quarter_turns, quads[index]), text)
            lines.append(LayoutLine(text=text, x0=x0, y0=y0, x1=x1, y1=y1, confidence=score, style=style))
            (left, top), (right, bottom) = shown[index].min(axis=0) / scale, shown[index].max(axis=0) / scale
            x, y, right, bottom = (float(value) for value in (left, top, right, bottom))
            angle = 90.0 * (1 if columns_down and aspects[index] < 1 else quarter_turns) + skew
            boxes.append(TextBox(text=text, x0=x, y0=y, x1=right, y1=bottom, confidence=score, angle_deg=angle))
        lines += mark_lines(fields, quarter_turns, (image.shape[1] / scale, image.shape[0] / scale))
        boxes += mark_boxes(fields)
        scores += [(0.0, weight((x1 - x0) / (y1 - y0))) for x0, y0, x1, y1 in missed]
        rulings = scan_rulings(upright, dpi=scale * 72, angle_deg=skew) if len(lines) > 3 else []
        if not lines:
            return PageText(text="", engine=self.name, model=self.model, confidence=0.0 if scores else None, boxes=())
        text = layout_markdown(lines, page_width=width / scale, page_height=height / scale, rulings=rulings)
        confidence = weighted_mean(scores)
        return PageText(text=text, engine=self.name, model=model, confidence=confidence, boxes=tuple(boxes), doubts=doubts)

    def _with_other_scripts(
        self, upright: Any, quads: Any, read: list[LineReading], aspects: list[float]
    ) -> tuple[list[LineReading], tuple[str, ...]]:
        """Returns the readings, with Tesseract's text for lines in scripts that the models do not support, and the doubts: the
        packs that are missing for a few lines. Raises LanguagePackMissing if a pack is missing for more than a few."""
        unread = [
            index
            for index, (text, score, *_) in enumerate(read)
            if aspects[index] > _UNREAD_ASPECT and (score < _JUNK or is_unread(text, aspects[index]) or is_half_known(text))
        ]
        unread = without_faint(upright, quads, unread, aspects)
        misread = misread_lines(read, aspects, unread)
        share = sum(weight(aspects[index]) for index in {*unread, *misread}) / max(sum(map(weight, aspects)), 1.0)
        packs = [pack for index in unread if (pack := pack_of_half_known(read[index].text))]
        likely = max(packs, key=packs.count) if packs else pack_of_page([reading.text for reading in read])
        if self._other_scripts is None or not (unread or misread or likely):
            return read, (LOW_CONFIDENCE,) if misread else ()
        compared = lines_to_compare(read, aspects, unread, misread, likely)
        unread += sorted(compared)
        if len(unread) < _FEWEST_UNREAD and not likely:
            return read, self._doubts_of_unread(upright, quads, read, aspects)
        doubts: dict[str, None] = {}
        again: Sequence[tuple[str, float]] = [("", 0.0)] * len(unread)
        try:
            if likely:
                self._other_scripts.require(likely)
        except LanguagePackMissing as error:
            if share > _MUCH_UNREAD:
                raise
            doubts[f"{PACK_MISSING}:{error.pack}"] = None
        try:
            pictures = [cut_out(upright, with_margin(quads[index])) for index in unread]
            again = self._other_scripts.read(pictures, likely=likely, read_latin=self._recognize_lines)
        except LanguagePackMissing as error:
            if share > _MOST_UNREAD:
                return read, ()
            if share > _MUCH_UNREAD:
                raise
            doubts[f"{PACK_MISSING}:{error.pack}"] = None
        for index, (text, confidence) in zip(unread, again, strict=True):
            ours, is_lost = read[index], not text and aspects[index] > LEAST_ASPECT
            if is_better(text, confidence, ours, aspects[index], compared=index in compared):
                text, is_lost = with_our_numbers(text, ours) if index in compared else (text, False)
                read[index] = LineReading(text, as_own_score(confidence), 0.0)
                is_lost |= confidence < _DOUBTFUL
            elif not is_lost:
                is_lost = is_all_zeros(ours.text)
            if is_lost and (index in compared or text):
                doubts[LOW_CONFIDENCE] = None
        if not any(doubt.startswith(PACK_MISSING) for doubt in doubts):
            doubts |= dict.fromkeys(self._doubts_of_unread(upright, quads, read, aspects))
        return read, tuple(doubts)

    def _doubts_of_unread(self, upright: Any, quads: Any, read: list[LineReading], aspects: list[float]) -> tuple[str, ...]:
        """Returns the doubt for lines that were almost unread, with the pack for their script as far as Tesseract can detect it.
        Raises LanguagePackMissing if Tesseract detects the script and more than a few lines are unread."""
        unread = [i for i, aspect in enumerate(aspects) if aspect > _UNREAD_LINE and is_unread(read[i].text, aspect)]
        unread = without_faint(upright, quads, unread, aspects)
        if not unread:
            return ()
        assert self._other_scripts is not None
        pack = self._other_scripts.missing_pack([cut_out(upright, quads[index]) for index in unread])
        share = sum(weight(aspects[index]) for index in unread) / max(sum(map(weight, aspects)), 1.0)
        if pack and share > _MUCH_UNREAD:
            self._other_scripts.require(pack)
        return (f"{PACK_MISSING}:{pack or 'unknown'}",)

    def _orient_and_read(self, page: TurnedPage, shown: Any) -> tuple[int, bool, list[LineReading]]:
        """Returns the page's rotation, whether its text is set in vertical columns, and the text of each box. Takes no extra time
        for an upright page with good scores."""
        import numpy as np

        widths, heights = sides(shown)
        lengths = np.maximum(widths, heights)
        sideways = lengths[heights > _UPRIGHT_BOX * widths].sum() > _MIN_VERTICAL_SHARE * lengths.sum()
        candidates = (1, 3) if sideways else (0, 2)
        sample = [int(index) for index in np.argsort(-lengths)[:_SAMPLE_LINES]]
        best, best_sum, best_read = candidates[0], -1.0, {}
        for turns in candidates:
            read = dict(zip(sample, self._recognize(page, shown, turns, sample), strict=True))
            total = sum(score * len(text) for text, score, *_ in read.values())
            if total > best_sum * (_BETTER if turns == 2 else 1.0):
                best, best_sum, best_read = turns, total, read
            if total / max(sum(len(text) for text, *_ in read.values()), 1) > _SURE:
                break
        if (turns := self._turns_of_unread(page, shown, best, sample, best_read)) != best:
            best, best_read = turns, {}
        columns_down = best == 1 and self._is_set_in_columns(page, shown, best_read)
        if columns_down:
            best, best_read = 0, {}
        rest = [index for index in range(len(shown)) if index not in best_read]
        best_read.update(zip(rest, self._recognize(page, shown, best, rest, columns_down=columns_down), strict=True))
        return best, columns_down, [best_read[index] for index in range(len(shown))]

    def _turns_of_unread(
        self, page: TurnedPage, shown: Any, turns: int, sample: Sequence[int], read: dict[int, LineReading]
    ) -> int:
        """Returns the page's rotation, as detected by Tesseract, since scores of lines in an unsupported script do not show it.
        If Tesseract is uncertain, the page counts as upright."""
        import numpy as np

        height, width = page.image(0).shape[:2]
        crops = [page.line(turns, quad) for quad in turned(shown[list(sample)], turns, width, height)]
        aspects = [crop.shape[1] / crop.shape[0] for crop in crops]
        unread = sum(read[i].score < _JUNK or is_unread(read[i].text, aspect) for i, aspect in zip(sample, aspects, strict=True))
        if self._other_scripts is None or 2 * unread <= len(sample):
            return turns
        widths, heights = sides(shown)
        longest = np.argsort(-np.maximum(widths, heights))[:_MOST_SAMPLE_LINES]
        likely = turns if turns % 2 else 0
        crops = [page.line(likely, quad) for quad in turned(shown[longest], likely, width, height)]
        return (likely + 2) % 4 if self._other_scripts.is_upside_down(crops) else likely

    def _is_set_in_columns(self, page: TurnedPage, shown: Any, read: dict[int, LineReading]) -> bool:
        assert self._recognize_lines is not None
        tall = [(page.line(0, shown[index]), reading.text) for index, reading in read.items()]
        return is_set_in_columns([(crop, text) for crop, text in tall if crop.shape[0] > crop.shape[1]], self._recognize_lines)

    def _recognize(
        self, page: TurnedPage, shown: Any, quarter_turns: int, indices: Sequence[int], *, columns_down: bool = False
    ) -> list[LineReading]:
        """Returns texts and scores of the boxes, on the rotated image."""
        quads = turned(shown, quarter_turns, page.image(0).shape[1], page.image(0).shape[0])
        widths, heights = sides(quads)
        crops: list[Any] = []
        owners: list[int] = []
        for place, index in enumerate(indices):
            crop = page.line(quarter_turns, quads[index])
            aspect = heights[index] / max(widths[index], 1.0)
            if aspect < _LETTER_BOX:
                crops.append(crop)
                owners.append(place)
            # Text along a margin runs up or, less often, down. Both directions are read and compared. A single letter looks the
            # same in both directions.
            for turns in (1, 3) if aspect >= _LETTER_BOX and not columns_down else (1,) if aspect >= _UPRIGHT_BOX else ():
                crops.append(turned_image(crop, turns))
                owners.append(place)
        assert self._recognize_lines is not None
        best = [NOTHING_READ] * len(indices)
        for place, reading in zip(owners, self._recognize_lines(crops), strict=True):
            if reading.score > best[place].score:
                best[place] = reading
        return best


def without_padding(x0: float, x1: float, height: float) -> tuple[float, float]:
    """Returns the start and end of a line's letters. The detector's boxes are wider and would hide narrow gutters."""
    return (x0 + _PADDING[0] * height, x1 - _PADDING[1] * height) if x1 - x0 > height else (x0, x1)
