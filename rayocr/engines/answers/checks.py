"""Checks whether an answer is a reading of the page. A page whose answer fails goes to the next engine of the chain. Pure
functions.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rayocr.engines.answers.finish_reasons import finish_reason_of
from rayocr.engines.answers.loops import find_loop
from rayocr.engines.answers.off_loop import MAX_ANSWER_CHARS
from rayocr.errors import EmptyAnswer, LowConfidence, MalformedAnswer, RepetitionLoop, TextOnBlankPage, Truncated, Unreadable
from rayocr.messages import PageText, TextBox
from rayocr.pdf.ink import BLANK_COVERAGE

_WORD = re.compile(r"[^\W\d_]{2,}")
_MARKDOWN_ONLY = re.compile(r"[\s|\-:#*>`_\\]*")


@dataclass(frozen=True, slots=True)
class ConfidenceFloor:
    """The minimum confidence of a page. `mean`: minimum mean confidence of the page, weighted by length; `line`: too many
    characters in lines below it fail the page.

    rapidocr reads Devanagari pages as Latin junk with a mean of .61 to .74, and over 80 % of the characters are in lines below
    .8. On English, French and German pages, also at 60 dpi with noise and JPEG at quality 20, its mean is above .95, and below 7
    % are in such lines. tesseract reads Devanagari pages with a mean of .34 with its English pack, and of .92 and more with the
    right pack. Below `least`, the text is useless.
    """

    least: float
    mean: float
    line: float
    share: float
    advice: str


_JUNK_SHARE = 0.5
_FLOORS = {
    "rapidocr": ConfidenceFloor(
        least=0.68,
        mean=0.85,
        line=0.80,
        share=0.25,
        advice="The print is damaged, or in a script that rapidocr does not support (it reads Latin, Chinese and Japanese). Scan "
        "a damaged page again or read it with engine=gemini. For other scripts install Tesseract with their language packs, "
        "for example: apt-get install tesseract-ocr-hin (or -mar, -rus, -ukr, -ell, -ara, -heb, -kor, -vie).",
    ),
    "tesseract": ConfidenceFloor(
        least=0.55,
        mean=0.70,
        line=0.45,
        share=0.30,
        advice="The language pack of the page may be missing; `tesseract --list-langs` lists the installed ones.",
    ),
}
_ADD_TESSERACT = (
    "rapidocr reads Latin, Chinese and Japanese. Tesseract is installed and reads other scripts: use engine=local or "
    "engine.chain=[rapidocr,tesseract]."
)


def check_answer(
    answer: PageText, *, ink_coverage: Callable[[], float], can_loop: bool = True, can_add_tesseract: bool = False
) -> None:
    """Checks an answer. Raises Refused, Truncated, MalformedAnswer, EmptyAnswer, TextOnBlankPage, RepetitionLoop, LowConfidence
    or Unreadable.

    `ink_coverage` (0..1) may render the page and is called at most once. `can_loop`: a model wrote the answer word by word. An
    engine that reads line by line repeats only text that the page repeats. `can_add_tesseract`: Tesseract is installed, but not
    in the chain.
    """
    check_finish(answer)
    if len(answer.text) > MAX_ANSWER_CHARS:
        raise MalformedAnswer(f"the answer has {len(answer.text):,} characters, more than a page can hold.", finish=answer.finish)
    inked = ink_coverage() >= BLANK_COVERAGE
    empty = is_empty(answer.text)
    if empty and inked:
        check_confidence(answer, can_add_tesseract=can_add_tesseract)
        raise EmptyAnswer("the answer is empty, but the page has ink.", finish=answer.finish)
    if not empty and not inked:
        raise TextOnBlankPage("the answer has text, but the page has no ink.", finish=answer.finish)
    if can_loop and (loop := find_loop(answer.text)) is not None:
        raise RepetitionLoop(f"a text of length {len(loop.unit)} repeats {loop.repeats} times.", finish=answer.finish)
    check_confidence(answer, can_add_tesseract=can_add_tesseract)


def is_empty(text: str) -> bool:
    """Returns whether the text has nothing but white space and Markdown."""
    return _MARKDOWN_ONLY.fullmatch(text) is not None


def repeats_as_its_page(answer: PageText, own_text: str) -> bool:
    """Returns whether an apparent loop in a complete answer is on the page: the text layer, trusted or not, repeats it as often
    (a form with thirty equal lines)."""
    if finish_reason_of(answer.finish).error is not None:
        return False
    loop, own = find_loop(answer.text), find_loop(own_text)
    if loop is None or own is None:
        return False
    if loop.unit != own.unit:
        words = set(_WORD.findall(loop.unit.lower()))
        if len(words & set(_WORD.findall(own_text.lower()))) < 0.8 * len(words):
            return False  # the page repeats something else
    return loop.repeats <= 1.2 * own.repeats and len(answer.text.split()) <= 1.2 * len(own_text.split())


def check_finish(answer: PageText) -> None:
    """Raises the error for the finish reason, if there is one. An unknown finish reason is an error, since the answer may be
    incomplete."""
    finish = finish_reason_of(answer.finish)
    if finish.error is None:
        return
    if finish.error is Truncated and (loop := find_loop(answer.text)) is not None:
        raise RepetitionLoop(
            f"a text of length {len(loop.unit)} repeats {loop.repeats} times until the answer is truncated.",
            finish=answer.finish,
        )
    raise finish.error(f"the engine {finish.words} ({answer.finish or 'no finish reason'}).", finish=answer.finish)


def check_confidence(answer: PageText, *, can_add_tesseract: bool = False) -> None:
    """Raises LowConfidence if a local engine read junk, and Unreadable if it read only junk, most often because it does not
    support the script."""
    floor = _FLOORS.get(answer.engine)
    if floor is None or answer.confidence is None:
        return
    advice = _ADD_TESSERACT if can_add_tesseract and answer.engine == "rapidocr" else floor.advice
    if answer.confidence < floor.least:
        raise Unreadable(f"mean confidence {answer.confidence:.2f} is below {floor.least:.2f}. {advice}", finish=answer.finish)
    share = doubtful_share(answer.boxes or (), floor.line)
    if share > _JUNK_SHARE and answer.engine == "rapidocr":
        raise Unreadable(f"{share:.0%} of the text is in lines below confidence {floor.line:.2f}. {advice}", finish=answer.finish)
    if answer.confidence < floor.mean:
        raise LowConfidence(f"mean confidence {answer.confidence:.2f} is below {floor.mean:.2f}.", finish=answer.finish)
    if share > floor.share:
        raise LowConfidence(f"{share:.0%} of the text is in lines below confidence {floor.line:.2f}.", finish=answer.finish)


def doubtful_share(boxes: Sequence[TextBox], floor: float) -> float:
    """Returns the share of all characters that are in lines below `floor`."""
    total = sum(len(box.text) for box in boxes)
    return sum(len(box.text) for box in boxes if box.confidence < floor) / total if total else 0.0
