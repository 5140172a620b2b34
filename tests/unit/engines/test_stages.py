from __future__ import annotations

from dataclasses import replace
from typing import Any, ClassVar

import pytest

from rayocr.engines.base import ComputeEngine, Engine, WaitingEngine
from rayocr.engines.registry import Stage
from rayocr.engines.stages import ComputeStage, PageProgress
from rayocr.engines.textlayer import TextLayerEngine
from rayocr.errors import LanguagePackMissing, PageUnrenderable, PictureUndecodable
from rayocr.messages import Attempt, PageOutcome, PageRecord, PageText
from rayocr.pdf.document import PdfFile
from rayocr.pdf.textlayer.layer import TextLayer
from tests.unit.pdf import pdfs

TEXT = "A page with text on it."


class FakePage:
    page_number = 1
    undecodable_share = 0.0
    is_placeholder = False
    cut_off_share = 0.0

    def __init__(self, ink: float | Exception = 0.2, *, certainly: bool = False) -> None:
        self._ink = ink
        self._certainly = certainly
        self.measured = 0

    def ink_coverage(self, next_dpi: int = 0) -> float:
        self.measured += 1
        if isinstance(self._ink, Exception):
            raise self._ink
        return self._ink

    def certainly_inked(self) -> bool:
        return self._certainly

    def text_layer(self) -> TextLayer:
        return TextLayer(lines=(), image_share=0.0, height_pt=842.0)


Answer = str | PageText | Exception | None


def page_text(engine: str, answer: str) -> PageText:
    return PageText(text=answer, engine=engine, model=engine + "-1", input_tokens=3, output_tokens=2, cost_usd=0.5)


def computing(word: str, *answers: Answer) -> Any:
    class Fake(ComputeEngine):
        name: ClassVar[str] = word
        asked = 0

        def open(self) -> None:
            pass

        def recognize(self, page: Any) -> PageText | None:
            answer = answers[min(self.asked, len(answers) - 1)]
            self.asked += 1
            if isinstance(answer, Exception):
                raise answer
            return page_text(word, answer) if isinstance(answer, str) else answer

    return Fake()


def waiting(word: str) -> Any:
    """An engine whose server must not receive a request."""

    class Fake(WaitingEngine):
        name: ClassVar[str] = word
        asked = 0

        @property
        def models(self) -> tuple[str, ...]:
            return (word,)

        def open(self) -> None: ...

        async def probe(self, model: str) -> None: ...

        async def recognize_async(self, page: Any, model: str) -> PageText:
            raise AssertionError("asked")

    return Fake()


def unsure(engine: str, confidence: float, text: str = TEXT) -> PageText:
    return PageText(text=text, engine=engine, model=engine, confidence=confidence)


def read(
    *engines: Engine | None,
    page: FakePage | None = None,
    last: bool = True,
    first_engine: int = 0,
    before: tuple[Attempt, ...] = (),
) -> PageRecord:
    stage = Stage(kind="compute", first=0, last=len(engines) - 1)
    progress = PageProgress("d", 1, is_last_stage=last, attempts=before)
    return ComputeStage(stage, engines).recognize(page or FakePage(), progress, first_engine=first_engine)  # type: ignore[arg-type]


def tried(record: PageRecord) -> list[tuple[str, str]]:
    return [(attempt.engine, attempt.reason) for attempt in record.attempts]


# -- engines that compute ---------------------------------------------------------------------------------------------------


def test_the_first_answer_that_passes_is_the_page_s_text() -> None:
    record = read(computing("textlayer", TEXT), computing("rapidocr", "never asked"))
    assert (record.outcome, record.text, record.engine) == (PageOutcome.DONE, TEXT, "textlayer")
    assert (record.model, record.input_tokens, record.output_tokens, record.cost_usd) == ("textlayer-1", 3, 2, 0.5)
    assert record.attempts == ()


def test_not_for_me_leaves_no_trace() -> None:
    record = read(computing("textlayer", None), computing("rapidocr", TEXT))
    assert (record.outcome, record.engine, record.attempts) == (PageOutcome.DONE, "rapidocr", ())


def test_a_page_whose_engine_fails_goes_to_the_next_engine_and_the_reason_is_recorded() -> None:
    record = read(computing("rapidocr", PageUnrenderable("no area")), computing("tesseract", TEXT))
    assert (record.outcome, record.engine) == (PageOutcome.FALLBACK, "tesseract")
    assert tried(record) == [("rapidocr", "PageUnrenderable")]


def test_a_defect_in_an_engine_is_an_attempt_like_any_other() -> None:
    record = read(computing("rapidocr", ZeroDivisionError("oops")), computing("tesseract", TEXT))
    assert (record.outcome, tried(record)) == (PageOutcome.FALLBACK, [("rapidocr", "ZeroDivisionError")])


def test_a_page_that_no_engine_can_read_has_failed_with_all_reasons() -> None:
    record = read(computing("rapidocr", ""), computing("tesseract", PageUnrenderable("x" * 9999)))
    assert (record.outcome, record.text) == (PageOutcome.FAILED, "")
    assert tried(record) == [("rapidocr", "EmptyAnswer"), ("tesseract", "PageUnrenderable")]
    assert len(record.attempts[1].message) == 300


def test_before_the_last_stage_such_a_page_is_handed_on() -> None:
    record = read(computing("textlayer", None), computing("rapidocr", ""), last=False)
    assert (record.outcome, record.next_engine) == (PageOutcome.HANDED_ON, 2)


def test_a_page_without_ink_is_blank_and_no_engine_is_asked() -> None:
    engine = computing("rapidocr", TEXT)
    record = read(computing("textlayer", None), engine, page=FakePage(0.0039))
    assert (record.outcome, record.text, engine.asked) == (PageOutcome.BLANK, "", 0)


def test_a_page_without_text_and_ink_is_blank_for_the_text_layer_alone() -> None:
    assert read(computing("textlayer", None), page=FakePage(0.0039)).outcome is PageOutcome.BLANK
    inked = read(computing("textlayer", None), page=FakePage(0.2))
    assert (inked.outcome, inked.attempts[-1].reason) == (PageOutcome.FAILED, "NoTextLayer")
    broken = read(computing("textlayer", None), page=FakePage(PictureUndecodable("Page 1 cannot be decoded.")))
    assert (broken.outcome, broken.attempts[-1].reason) == (PageOutcome.FAILED, "PictureUndecodable")


def test_a_trusted_text_layer_comes_before_the_question_of_ink() -> None:
    page = FakePage(0.0)
    assert read(computing("textlayer", TEXT), page=page).outcome is PageOutcome.DONE
    assert page.measured == 0


def test_ink_is_measured_once() -> None:
    page = FakePage()
    read(computing("rapidocr", ""), computing("tesseract", ""), page=page)
    assert page.measured == 1


def test_a_page_whose_ink_cannot_be_measured_fails_alone() -> None:
    record = read(computing("rapidocr", TEXT), page=FakePage(PageUnrenderable("too large")))
    assert (record.outcome, tried(record)) == (PageOutcome.FAILED, [("rapidocr", "PageUnrenderable")])


def test_a_doubtful_answer_gives_way_to_a_better_engine() -> None:
    record = read(computing("rapidocr", unsure("rapidocr", 0.7)), computing("tesseract", "The right text."))
    assert (record.outcome, record.text, record.doubts) == (PageOutcome.FALLBACK, "The right text.", ())


def test_a_doubtful_answer_is_better_than_none_and_says_so() -> None:
    record = read(computing("rapidocr", unsure("rapidocr", 0.7)), computing("tesseract", ""))
    assert (record.outcome, record.engine, record.text) == (PageOutcome.DONE, "rapidocr", TEXT)
    assert record.doubts == ("low_confidence",)
    assert tried(record) == [("rapidocr", "LowConfidence"), ("tesseract", "EmptyAnswer")]


def test_a_page_of_which_next_to_nothing_was_read_fails() -> None:
    """A Devanagari page that only rapidocr reads used to be `done` with a confidence of .01."""
    record = read(computing("rapidocr", unsure("rapidocr", 0.01, ". -")))
    assert (record.outcome, record.text) == (PageOutcome.FAILED, "")
    assert tried(record) == [("rapidocr", "Unreadable")]


def test_a_page_in_another_script_is_advised_to_use_the_installed_tesseract(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rayocr.engines.tesseract.engine.TesseractEngine.has_packs", lambda: True)
    alone = read(computing("rapidocr", unsure("rapidocr", 0.01, ". -")))
    assert "engine=local" in alone.attempts[0].message and "apt-get" not in alone.attempts[0].message
    both = read(computing("rapidocr", unsure("rapidocr", 0.01, ". -")), computing("tesseract", LanguagePackMissing("No pack.")))
    assert "engine=local" not in both.attempts[0].message
    monkeypatch.setattr("rayocr.engines.tesseract.engine.TesseractEngine.has_packs", lambda: False)
    without = read(computing("rapidocr", unsure("rapidocr", 0.01, ". -")))
    assert "apt-get" in without.attempts[0].message


def test_a_missing_language_pack_fails_the_page_and_is_named() -> None:
    record = read(computing("rapidocr", LanguagePackMissing("Install tesseract-ocr-hin.")), computing("tesseract", "junk"))
    assert (record.outcome, tried(record)) == (PageOutcome.FAILED, [("rapidocr", "LanguagePackMissing")])
    assert "tesseract-ocr-hin" in record.attempts[0].message


def test_a_doubtful_answer_goes_along_to_the_next_stage() -> None:
    record = read(computing("rapidocr", unsure("rapidocr", 0.7)), last=False)
    assert (record.outcome, record.next_engine, record.text) == (PageOutcome.HANDED_ON, 1, TEXT)
    assert record.doubts == ("low_confidence",)


def test_of_two_doubtful_answers_the_surer_one_is_kept() -> None:
    first, second = unsure("tesseract", 0.6, "worse"), unsure("rapidocr", 0.7, "better")
    record = read(computing("tesseract", first), computing("rapidocr", second))
    assert (record.text, record.outcome) == ("better", PageOutcome.FALLBACK)


def test_an_engine_that_is_less_sure_than_a_doubtful_one_before_does_not_replace_it() -> None:
    """A degraded page: rapidocr at .80 is better than tesseract at .70, which is above tesseract's own floor."""
    first, second = unsure("rapidocr", 0.8, "worn but right"), unsure("tesseract", 0.7, "worse")
    record = read(computing("rapidocr", first), computing("tesseract", second))
    assert (record.text, record.engine, record.outcome) == ("worn but right", "rapidocr", PageOutcome.DONE)
    assert record.doubts == ("low_confidence",)
    assert tried(record) == [("rapidocr", "LowConfidence"), ("tesseract", "LowConfidence")]


def test_tesseract_with_only_its_english_pack_does_not_replace_the_text_that_rapidocr_read_on_a_mixed_page() -> None:
    junk = PageText(text="English and junk", engine="tesseract", model="tesseract-5/eng", confidence=0.95, boxes=())
    record = read(computing("rapidocr", unsure("rapidocr", 0.8)), computing("tesseract", junk))
    assert (record.engine, record.doubts) == ("rapidocr", ("low_confidence",))


def test_an_engine_that_is_not_installed_is_skipped() -> None:
    record = read(None, computing("rapidocr", TEXT))
    assert (record.outcome, record.attempts) == (PageOutcome.DONE, ())


def test_engines_before_the_first_are_not_asked_again() -> None:
    paid = computing("rapidocr", TEXT)
    before = (Attempt(engine="rapidocr", reason="Refused"),)
    record = read(paid, computing("tesseract", TEXT), first_engine=1, before=before)
    assert (paid.asked, record.outcome, record.attempts) == (0, PageOutcome.FALLBACK, before)


def test_a_page_with_a_picture_that_cannot_be_decoded_fails_with_that_reason_and_is_not_blank() -> None:
    page = FakePage(PictureUndecodable("Page 1: A picture of 8 x 8 pixels (JPXDecode) cannot be decoded."))
    engine = computing("rapidocr", TEXT)
    stage = ComputeStage(Stage(kind="compute", first=0, last=0), [engine])
    record = stage.recognize(page, PageProgress("d", 1, is_last_stage=True), first_engine=0)  # type: ignore[arg-type]
    assert (record.outcome, record.attempts[-1].reason, engine.asked) == (PageOutcome.FAILED, "PictureUndecodable", 0)


def test_a_picture_that_cannot_be_decoded_is_a_doubt_and_most_of_a_page_a_failure() -> None:
    def read(share: float, engine: str = "rapidocr") -> PageRecord:
        page = FakePage()
        page.undecodable_share = share
        stage = ComputeStage(Stage(kind="compute", first=0, last=0), [computing(engine, TEXT)])
        return stage.recognize(page, PageProgress("d", 1, is_last_stage=True), first_engine=0)  # type: ignore[arg-type]

    assert read(0.0).doubts == ()
    assert (read(0.1).outcome, read(0.1).doubts) == (PageOutcome.DONE, ("picture_lost",))
    assert (read(0.8).outcome, read(0.8).attempts[-1].reason) == (PageOutcome.FAILED, "PictureUndecodable")
    assert (read(0.8, "textlayer").outcome, read(0.8, "textlayer").doubts) == (PageOutcome.DONE, ("picture_lost",))


def sure_by(confidence: float | None) -> PageText:
    return PageText(text=TEXT, engine="rapidocr", model="rapidocr-1", confidence=confidence)


@pytest.mark.parametrize(("confidence", "doubts"), [(0.9, ()), (0.89, ("low_confidence",)), (None, ("low_confidence",))])
def test_pages_of_the_local_lane_need_the_confidence_that_the_run_asks_for(
    confidence: float | None, doubts: tuple[str, ...]
) -> None:
    stage = ComputeStage(Stage(kind="compute", first=0, last=0), [computing("rapidocr", sure_by(confidence))])
    page: Any = FakePage()
    record = stage.recognize(page, PageProgress("d", 1, is_last_stage=True), first_engine=0, least_confidence=0.9)
    assert record.doubts == doubts


def test_a_page_of_the_local_lane_may_be_read_by_a_later_local_engine() -> None:
    engines = [computing("rapidocr", sure_by(0.86)), computing("tesseract", replace(sure_by(0.95), engine="tesseract"))]
    page: Any = FakePage()
    stage = ComputeStage(Stage(kind="compute", first=0, last=1), engines)
    record = stage.recognize(page, PageProgress("d", 1, is_last_stage=True), first_engine=0, least_confidence=0.9)
    assert (record.engine, record.doubts) == ("tesseract", ())


@pytest.mark.parametrize(("rendering", "doubts"), [("/NeedsRendering true", ("placeholder",)), ("", ())])
def test_the_page_of_a_form_that_only_acrobat_shows_is_a_doubt(rendering: str, doubts: tuple[str, ...]) -> None:
    """A dynamic XFA form has one page, "Please wait…". A form that also has its pages is read as usual."""
    objects = {
        1: f"<< /Type /Catalog /Pages 2 0 R /AcroForm << /Fields [] /XFA 6 0 R >> {rendering} >>".encode(),
        2: b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        3: b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>",
        4: pdfs.stream(b"BT /F1 14 Tf 60 700 Td (Please wait until the contents of the document are there.) Tj ET"),
        5: b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
        6: pdfs.stream(b"<xdp:xdp xmlns:xdp='http://ns.adobe.com/xdp/'/>"),
    }
    stage = ComputeStage(Stage(kind="compute", first=0, last=0), [TextLayerEngine()])
    with PdfFile(pdfs.file_of(objects), max_pixels=1_000_000) as file, file.page(1) as page:
        record = stage.recognize(page, PageProgress("d", 1, is_last_stage=True), first_engine=0)
    assert (record.outcome, record.doubts) == (PageOutcome.DONE, doubts)
    assert "Please wait" in (record.text or "")
