"""Implements local OCR with Tesseract 5, which is optional and supports a hundred languages, including those in Devanagari. The
chain calls this engine."""

from __future__ import annotations

import re
import shutil
from collections.abc import Sequence
from functools import partial
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, ClassVar

from rayocr.engines.base import ComputeEngine
from rayocr.engines.layout import LayoutLine, Ruling, layout_markdown
from rayocr.engines.layout.form_marks import box_fields, mark_boxes, mark_lines, without_boxes
from rayocr.engines.layout.quads import levelled, turned
from rayocr.engines.tesseract.corrections.by_script import corrected
from rayocr.engines.tesseract.latin_languages import VIETNAMESE, pack_of_language, reads_language
from rayocr.engines.tesseract.latin_words import SURE_WORD, has_doubtful_latin, sure_letters, without_doubtful_latin
from rayocr.engines.tesseract.lines import TsvLine, lines_of_tsv, mean_confidence, skew_of
from rayocr.engines.tesseract.program import FEW_LETTERS, INSTALL_HINT, Orientation, Tesseract, find_tesseract
from rayocr.engines.tesseract.script_shapes.correction import with_shown_script
from rayocr.engines.tesseract.script_shapes.rough_lines import rough_lines
from rayocr.engines.tesseract.scripts import CERTAIN_SCRIPT, packs_for
from rayocr.errors import EngineUnavailable, LanguagePackMissing
from rayocr.messages import PACK_MISSING, PageText, TextBox

if TYPE_CHECKING:
    from PIL.Image import Image

    from rayocr.pdf.forms.fields import FormField
    from rayocr.pdf.page import Page

# Enough to detect orientation and script; at 150 dpi, a clear Devanagari scan was detected with low confidence.
_DETECTION_DPI = 200
_PACK = re.compile(r"[a-z]{3}(_[a-z]+)*|script/\w+")
_JUNK = 0.55  # below this mean confidence, no text was read
_SURE = 0.75  # above this mean confidence, a page is assumed to be upright
_SURE_TURN = 1.0  # confidence of the orientation, in Tesseract's own unit; upright pages have 5 to 20
# Share of the letters that are in words of low confidence; with more, the page segmentation may have cut lines.
_DOUBTFUL_SHARE = 0.03
_BETTER = 1.01  # a second reading must have more certain letters by this factor
_MIN_LINE_CONFIDENCE = 0.25  # text with less confidence is pictures and rules that were misread as letters


class TesseractEngine(ComputeEngine):
    """Reads pages with Tesseract. `languages` are pack names; ["auto"] detects each page's script and uses the installed packs
    for it."""

    name: ClassVar[str] = "tesseract"

    def __init__(self, *, languages: Sequence[str] = ("auto",), dpi: int = 300, timeout_s: float = 180.0) -> None:
        self._languages = tuple(languages) or ("auto",)
        self._dpi = dpi
        self._timeout_s = timeout_s
        self._tesseract: Tesseract | None = None
        self._version = "5"

    @property
    def model(self) -> str:
        return f"tesseract-{self._version}/{'+'.join(self._languages)}"

    @classmethod
    def available(cls) -> bool:
        """Returns whether Tesseract is installed. Does not start a process."""
        return shutil.which("tesseract") is not None or find_spec("tesserocr") is not None

    @classmethod
    def has_packs(cls) -> bool:
        """Returns whether Tesseract is installed and can read text. Starts the program."""
        tesseract = find_tesseract(timeout_s=cls()._timeout_s)
        return tesseract is not None and any(pack != "osd" for pack in tesseract.languages())

    @property
    def drawn_dpi(self) -> int:
        return self._dpi

    def open(self) -> None:
        if self._tesseract is not None:
            return
        tesseract = find_tesseract(timeout_s=self._timeout_s)
        if tesseract is None:
            raise EngineUnavailable("tesseract is not installed.", hint=INSTALL_HINT)
        installed = tesseract.languages()
        wanted = installed[:1] if self._languages == ("auto",) else self._languages
        missing = [language for language in wanted if language not in installed]
        if missing or not wanted:
            there = ", ".join(installed) or "none"
            raise EngineUnavailable(
                f"tesseract has no language pack {', '.join(missing) or 'at all'} (installed: {there}).", hint=_pack_hint(missing)
            )
        self._tesseract = tesseract
        self._version = tesseract.version

    def close(self) -> None:
        self._tesseract = None

    def recognize(self, page: Page) -> PageText:
        """Reads the page. Raises EngineUnavailable if no pack is installed for its script, EngineTimeout and EngineError."""
        self.open()
        assert self._tesseract is not None
        rendering = page.render(dpi=self._dpi, grayscale=True)
        scale = rendering.scale
        fields = box_fields((*page.fields, *page.drawn_marks))
        shown = without_boxes(rendering.image.convert("L"), fields, scale)
        seen: Orientation | None = None
        if self._languages == ("auto",):
            seen = self._orientation(shown, scale)
            packs = self._packs_of((_turn(shown, _turns(seen)), shown), seen)
        else:
            packs = tuple(self._languages)
        turns = _turns(seen)
        lines = self._read(_turn(shown, turns), packs, scale)
        auto = self._languages == ("auto",)
        if auto and (mean_confidence(lines) or 0.0) < _SURE:
            upright = _turn(shown, turns)
            guess = _with_shown_script(seen or self._orientation(shown, scale, least_letters=FEW_LETTERS), upright)
            if guess is not None:
                lines, packs = self._read_as_guessed(upright, guess, packs, lines, scale)
        if seen is None and (mean_confidence(lines) or 0.0) < _SURE and (turns := _turns(self._orientation(shown, scale))):
            again = self._read(_turn(shown, turns), packs, scale)
            if (mean_confidence(again) or 0.0) > (mean_confidence(lines) or 0.0):
                lines = again
            else:
                turns = 0
        return self._page_text(_turn(shown, turns), turns, lines, scale, packs, fields)

    def _packs_of(self, views: Sequence[Image], seen: Orientation | None) -> tuple[str, ...]:
        """Returns the packs for the detected script or, if these are not installed, for the script that the letters show in one
        of the views: Tesseract also errs about the turn of pages in scripts that it mistakes. Raises LanguagePackMissing."""
        assert self._tesseract is not None
        installed = self._tesseract.languages()
        try:
            return packs_for(seen, installed)
        except LanguagePackMissing:
            for view in views:
                if (shown := _with_shown_script(seen, view)) is not seen:
                    return packs_for(shown, installed, sure=0.0)
            raise

    def _read_as_guessed(
        self, upright: Image, seen: Orientation, packs: tuple[str, ...], lines: list[TsvLine], scale: float
    ) -> tuple[list[TsvLine], tuple[str, ...]]:
        """Returns the reading with the packs of an uncertain script, if it is better than the reading with `packs`. Raises
        LanguagePackMissing if the script has no pack, and it is certain or `lines` are junk."""
        assert self._tesseract is not None
        try:
            guessed = packs_for(seen, self._tesseract.languages(), sure=0.0)
        except LanguagePackMissing:
            if seen.script_confidence >= CERTAIN_SCRIPT or (mean_confidence(lines) or 0.0) < _JUNK:
                raise
            return lines, packs
        if guessed == packs:
            return lines, packs
        again = self._read(upright, guessed, scale)
        return (again, guessed) if (mean_confidence(again) or 0.0) > (mean_confidence(lines) or 0.0) else (lines, packs)

    def _orientation(self, image: Image, scale: float, **options: int) -> Orientation | None:
        assert self._tesseract is not None
        factor = min(_DETECTION_DPI / (scale * 72), 1.0)
        small = image.resize((max(int(image.width * factor), 1), max(int(image.height * factor), 1)), reducing_gap=2.0)
        return self._tesseract.detect_orientation(small, dpi=round(scale * 72 * factor), **options)

    def _read(self, image: Image, packs: Sequence[str], scale: float) -> list[TsvLine]:
        """Reads the page in any layout and, if that misses printed lines, as one block; the layout step then
        separates columns. Uncertain Latin words among other letters are read again without the English pack."""
        assert self._tesseract is not None
        read = partial(self._tesseract.read_tsv, image, dpi=round(scale * 72))
        tsv = read(languages="+".join(packs))
        lines = _sure_lines(tsv)
        if _is_doubtful(lines_of_tsv(tsv)) or _misses_lines(image, lines, scale):
            read = partial(read, as_block=True)
            block = _sure_lines(read(languages="+".join(packs)))
            if sure_letters(block) > _BETTER * sure_letters(lines):
                lines = block
            else:
                read = partial(read, as_block=False)
        if len(packs) > 1 and packs[-1] == "eng" and any(has_doubtful_latin(line) for line in lines):
            lines = without_doubtful_latin(lines, _sure_lines(read(languages="+".join(packs[:-1]))))
        return lines

    def _page_text(
        self,
        upright: Image,
        turns: int,
        lines: Sequence[TsvLine],
        scale: float,
        packs: Sequence[str],
        fields: Sequence[FormField],
    ) -> PageText:
        import numpy as np

        model = f"tesseract-{self._version}/{'+'.join(packs)}"
        if not lines:
            return PageText(text="", engine=self.name, model=model, boxes=())
        width, height = upright.size
        skew = skew_of(lines)
        corners = np.array([line.corners() for line in lines], np.float32)
        level = levelled(corners, skew, width, height) / scale
        texts = corrected([line.text for line in lines], packs[0])
        layout_lines = [
            LayoutLine(text=text, x0=x0, y0=y0, x1=x1, y1=y1, confidence=line.confidence)
            for line, text, (x0, y0, x1, y1) in zip(lines, texts, level.tolist(), strict=True)
        ]
        shown_size = (height, width) if turns % 2 else (width, height)
        layout_lines += mark_lines(fields, turns, (shown_size[0] / scale, shown_size[1] / scale))
        text = layout_markdown(
            layout_lines, page_width=width / scale, page_height=height / scale, rulings=_rulings(upright, scale, skew)
        )
        on_page = turned(np.array([line.corners(full=True) for line in lines], np.float32), -turns, width, height) / scale
        boxes = tuple(
            TextBox(text=text, x0=x0, y0=y0, x1=x1, y1=y1, confidence=line.confidence, angle_deg=90.0 * turns + skew)
            for line, text, (x0, y0), (x1, y1) in zip(
                lines, texts, on_page.min(axis=1).tolist(), on_page.max(axis=1).tolist(), strict=True
            )
        )
        return PageText(
            text=text,
            engine=self.name,
            model=model,
            confidence=mean_confidence(lines),
            boxes=(*boxes, *mark_boxes(fields)),
            doubts=self._doubts_of_language(texts),
        )

    def _doubts_of_language(self, texts: Sequence[str]) -> tuple[str, ...]:
        """Returns a doubt if the pack for the language of the text is not installed: packs for other languages lose its accents
        without lowering their confidence. Raises LanguagePackMissing for Vietnamese, which is junk without accents."""
        assert self._tesseract is not None
        pack = pack_of_language("\n".join(texts))
        if not pack or reads_language(pack, self._tesseract.languages()):
            return ()
        if pack == VIETNAMESE:
            raise LanguagePackMissing(f"Tesseract has no pack {pack}. Install tesseract-ocr-{pack}.", pack=pack)
        return (f"{PACK_MISSING}:{pack}",)


def _sure_lines(tsv: str) -> list[TsvLine]:
    return [line for line in lines_of_tsv(tsv) if line.confidence >= _MIN_LINE_CONFIDENCE]


def _with_shown_script(seen: Orientation | None, image: Image) -> Orientation | None:
    """Returns the script that the letters of the page show, where Tesseract errs."""
    if find_spec("cv2") is None:
        return seen
    import numpy as np

    return with_shown_script(seen, rough_lines(np.asarray(image)))


def _is_doubtful(lines: Sequence[TsvLine]) -> bool:
    letters = sum(len(word.text) for line in lines for word in line.words)
    return sure_letters(lines) < (1 - _DOUBTFUL_SHARE) * letters or any(line.confidence < SURE_WORD for line in lines)


def _misses_lines(image: Image, lines: Sequence[TsvLine], scale: float) -> bool:
    """Returns whether the page shows printed lines that were not read, or were read with low confidence."""
    if find_spec("cv2") is None:
        return False
    import numpy as np

    from rayocr.engines.rapidocr.finding.missed_lines import missed_lines

    words = [TsvLine((word,)) for line in lines for word in line.words if word.confidence >= SURE_WORD]
    boxes = [np.array(word.corners(full=True), np.float32) for word in words]
    return bool(missed_lines(np.asarray(image), boxes, dpi=scale * 72))


def _turns(seen: Orientation | None) -> int:
    return seen.quarter_turns if seen is not None and seen.turn_confidence >= _SURE_TURN else 0


def _turn(image: Image, quarter_turns: int) -> Image:
    return image.rotate(90 * quarter_turns, expand=True) if quarter_turns else image


def _rulings(image: Image, scale: float, skew: float) -> list[Ruling]:
    if find_spec("cv2") is None:  # installed with rapidocr, which is optional
        return []
    import numpy as np

    from rayocr.engines.layout.tables.scan_rulings import scan_rulings

    gray: Any = np.asarray(image)
    return scan_rulings(gray, dpi=scale * 72, angle_deg=skew)


def _pack_hint(missing: Sequence[str]) -> str:
    """Returns an explanation of pack names if one of these is malformed, otherwise the command that installs the packs."""
    if any("+" in name for name in missing):
        together = ",".join(name.replace("+", ",") for name in missing)
        return f"Write several languages as a list: engine.tesseract.languages=[{together}]"
    if unlikely := next((name for name in missing if not _PACK.fullmatch(name)), None):
        return f"{unlikely!r} is not the name of a pack. Names are codes of three letters, for example hin, mar, deu or chi_sim."
    return f"Debian: apt-get install {' '.join('tesseract-ocr-' + name.replace('_', '-') for name in missing or ['eng'])}"
