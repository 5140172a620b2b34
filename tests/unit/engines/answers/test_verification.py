"""Verification of a server's answer: which pages are verified, what they are compared with, and which answers are suspect."""

from __future__ import annotations

import hashlib
import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import pytest
from PIL import Image, ImageDraw
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas

from benchmarks.gemini_simulator.server import Simulator, invented
from benchmarks.gemini_simulator.settings import Settings
from rayocr.config import DoubtConfig
from rayocr.engines.answers.agreement import Reading
from rayocr.engines.answers.verification import VerificationResult, Verifier, translates
from rayocr.engines.rapidocr.line_reader import RapidLineReader, spread
from rayocr.errors import EngineError, UsageError
from rayocr.messages import PageText
from rayocr.pdf.document import PdfFile
from rayocr.pdf.page import Page
from tests.unit.engines.answers.test_agreement import OTHER, PAGE
from tests.unit.pdf import pdfs
from tests.unit.pdf.textlayer.drawings import scanned

SAMPLES = Path(__file__).parents[4] / "samples"


class Lines:
    name: ClassVar[str] = "rapidocr"

    def __init__(self, *lines: str) -> None:
        self.lines, self.asked = lines, 0
        self.error: Exception = EngineError("It cannot be read.")

    def knows(self, script: str) -> bool:
        return script == "LATIN"

    def read(self, page: Page) -> list[str]:
        self.asked += 1
        if not self.lines:
            raise self.error
        return list(self.lines)


def said(text: str, engine: str = "gemini") -> PageText:
    return PageText(text=text, engine=engine, model="m")


@pytest.fixture
def born_digital() -> Iterator[Page]:
    data = io.BytesIO()
    canvas = Canvas(data, pagesize=(595, 842))
    for number, line in enumerate(PAGE.splitlines()):
        canvas.setFont("Helvetica", 8)
        canvas.drawString(40, 800 - 14 * number, line)
    canvas.save()
    with PdfFile(data.getvalue(), max_pixels=10**6) as file, file.page(1) as page:
        yield page


@pytest.fixture
def scan() -> Iterator[Page]:
    with PdfFile((SAMPLES / "scan.pdf").read_bytes(), max_pixels=20_000_000) as file, file.page(1) as page:
        yield page


def verify(
    page: Page, text: str, reader: Lines | RapidLineReader | None = None, *, sampled: bool = True, prompt: str = ""
) -> VerificationResult | None:
    second = Verifier(DoubtConfig(), reader, prompts={"gemini": prompt})
    return second.verify(page, said(text), sampled=sampled)


def test_a_page_with_text_of_its_own_is_compared_with_it(born_digital: Page) -> None:
    lines = Lines()
    honest, made_up = verify(born_digital, PAGE, lines), verify(born_digital, OTHER, lines)
    assert honest is not None and made_up is not None
    assert (honest.suspect, honest.against) == (False, "textlayer")
    assert (made_up.suspect, made_up.agreement < 0.3) == (True, True)
    assert lines.asked == 0


def test_words_in_pictures_are_not_taken_for_made_up(tmp_path: Path) -> None:
    data = io.BytesIO()
    canvas = Canvas(data, pagesize=(595, 842))
    canvas.setFont("Helvetica", 8)
    for number, line in enumerate(PAGE.splitlines()):
        canvas.drawString(40, 800 - 14 * number, line)
    picture = tmp_path / "chart.png"
    Image.new("L", (400, 300), "gray").save(picture)
    canvas.drawImage(str(picture), 40, 100, width=400, height=300)
    canvas.save()
    with PdfFile(data.getvalue(), max_pixels=10**6) as file, file.page(1) as page:
        with_words_of_the_chart, made_up = verify(page, f"{PAGE}\n\n{OTHER}\n\n{OTHER}"), verify(page, f"{OTHER}\n{OTHER}")
    assert with_words_of_the_chart is not None and made_up is not None
    assert (with_words_of_the_chart.suspect, made_up.suspect) == (False, True)


def scan_with(*, stamp: str = "", layer: str = "") -> bytes:
    """A page that is one picture, with visible text over it, or with invisible text on its ink."""
    picture = Image.new("L", (1240, 1754), 250)
    pen = ImageDraw.Draw(picture)
    for number, line in enumerate(layer.splitlines()):
        pen.text((80, 300 + 30 * number), line, fill=20, font_size=18)
    data = io.BytesIO()
    canvas = Canvas(data, pagesize=(595, 842))
    canvas.drawImage(ImageReader(picture), 0, 0, width=595, height=842)
    canvas.setFont("Helvetica", 8)
    canvas.drawString(40, 820, stamp)
    text = canvas.beginText()
    text.setTextRenderMode(3)
    text.setFont("Helvetica", 8)
    for number, line in enumerate(layer.splitlines()):
        for word in re.finditer(r"\S+", line):
            x = 80 + pen.textlength(line[: word.start()], font_size=18)
            text.setTextOrigin(x * 0.48, 842 - (300 + 30 * number + 17) * 0.48)
            text.textOut(word.group())
    canvas.drawText(text)
    canvas.save()
    return data.getvalue()


STAMP = "Exhibit received by the clerk of the court of appeals in the matter of the harbor and its lighthouse"


def test_a_stamp_on_a_scan_says_nothing_about_the_scan(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Page, "text_layer", _too_expensive)
    lines = Lines(*PAGE.splitlines())
    for stamp in ("Exhibit A-117 of 230", STAMP):
        with PdfFile(scan_with(stamp=stamp), max_pixels=10**7) as file, file.page(1) as page:
            assert verify(page, f"{stamp}\n\n{OTHER}", sampled=False) is None
            found = verify(page, f"{stamp}\n\n{OTHER}", lines)
            assert found is not None
            assert (found.suspect, found.against) == (True, "rapidocr"), "the sample still reads some lines"


def test_an_invented_answer_is_suspect_beside_the_text_of_an_ocr_engine() -> None:
    read, made_up = "\n".join([PAGE] * 8), "\n".join([OTHER] * 8)
    with PdfFile(scan_with(layer=read), max_pixels=10**7) as file, file.page(1) as page:
        honest, invented_text, longer = verify(page, read), verify(page, made_up), verify(page, f"{made_up}\n{made_up}")
    assert honest is not None and invented_text is not None and longer is not None
    assert (honest.suspect, invented_text.suspect, longer.suspect) == (False, True, True)


def test_a_fair_agreement_with_visible_text_needs_no_layer(born_digital: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    words = PAGE.split()
    fair = " ".join("other" if number % 5 == 0 and word.isalpha() else word for number, word in enumerate(words))
    with_layer = Verifier(DoubtConfig(), None)._at_layer(born_digital.text_layer(), said(fair))
    monkeypatch.setattr(Page, "text_layer", _too_expensive)
    found = verify(born_digital, fair)
    assert found is not None and with_layer is not None
    assert (found.suspect, found.against) == (with_layer.suspect, with_layer.against) == (False, "textlayer")
    assert found.agreement == pytest.approx(with_layer.agreement, abs=0.05)


def test_words_split_into_letters_are_compared_by_the_layer() -> None:
    assert Reading(" ".join("forty letters may be twelve words or more words")).may_suffice()
    assert not Reading("Page 1 of the benchmark, unlike any other.").may_suffice()
    assert Reading("10 20 30 40 50 60").may_suffice()


def _too_expensive(page: Page) -> None:
    raise AssertionError("reads the text layer")


def test_a_translation_is_not_compared_word_by_word(born_digital: Page) -> None:
    prompt = "Translate this page completely into German."
    german = "Der Leuchtturmwärter schrieb, dass alle Laternen geputzt waren, bevor die Fähre kam. "
    numbers = "Am 14. Juni 2025: 1.204 Brote, 87 Häuser, Karten 3021 bis 3388, nicht 4410 und 4411."
    honest = verify(born_digital, german + numbers, prompt=prompt)
    assert honest is not None
    assert (honest.agreement, honest.suspect) == (1.0, False)
    assert verify(born_digital, german * 3, prompt=prompt) is None, "without numbers there is nothing to compare"


def test_another_script_than_the_pages_is_taken_for_a_translation(born_digital: Page) -> None:
    assert verify(born_digital, "यह पृष्ठ किसी और भाषा में है और इसमें कोई संख्या नहीं है " * 5) is None


def test_scans_of_the_sample_are_examined_by_a_few_lines(scan: Page) -> None:
    lines = Lines(*PAGE.splitlines())
    assert verify(scan, PAGE, lines, sampled=False) is None
    honest, made_up = verify(scan, PAGE, lines), verify(scan, OTHER, lines)
    assert honest is not None and made_up is not None
    assert (honest.suspect, honest.against) == (False, "rapidocr")
    assert made_up.suspect


def test_what_the_line_reader_cannot_read_says_nothing(scan: Page) -> None:
    assert verify(scan, PAGE, Lines()) is None
    broken = Lines()
    broken.error = MemoryError("of a model")  # the answer is paid for and kept
    assert verify(scan, PAGE, broken) is None
    assert verify(scan, "यह पृष्ठ देवनागरी में है " * 10, Lines(*PAGE.splitlines())) is None


def test_lines_of_a_real_scan_are_found_in_an_honest_answer_and_not_in_another(scan: Page) -> None:
    reader = RapidLineReader()
    read = reader.read(scan)
    honest, made_up = verify(scan, "\n".join(read) + PAGE, reader), verify(scan, OTHER, reader)
    assert len(read) >= 3
    assert honest is not None and made_up is not None
    assert (honest.suspect, made_up.suspect) == (False, True)


def test_a_page_on_its_side_says_nothing() -> None:
    with PdfFile((SAMPLES / "rotated.pdf").read_bytes(), max_pixels=20_000_000) as file, file.page(1) as page:
        assert verify(page, PAGE, RapidLineReader()) is None


def test_lines_are_taken_from_all_over_the_page() -> None:
    boxes = [(10, 20 * row, 200 + row, 12) for row in range(40)]
    assert [box[1] * 3 // 800 for box in spread(boxes)] == [0, 1, 2]
    assert spread([(0, 0, 10, 12)]) == []


def test_the_sample_is_the_same_in_every_run_and_about_as_large_as_said() -> None:
    hashes = [hashlib.sha256(str(n).encode()).hexdigest() for n in range(20_000)]
    second = Verifier(DoubtConfig(sample=0.02), Lines())
    chosen = [h for h in hashes if second.chosen(h)]
    assert chosen == [h for h in hashes if Verifier(DoubtConfig(sample=0.02), Lines()).chosen(h)]
    assert 300 < len(chosen) < 500
    assert all(Verifier(DoubtConfig(sample=1), Lines()).chosen(h) for h in hashes[:50])
    assert not Verifier(DoubtConfig(sample=0), Lines()).samples


@pytest.mark.parametrize("prompt", ["transcribe", "tables", "handwriting", "translate"])
def test_prompts_that_translate_are_distinguished_from_those_that_forbid_it(prompt: str) -> None:
    text = (Path(__file__).parents[4] / "conf" / "prompts" / f"{prompt}.md").read_text()
    assert translates(text) is (prompt == "translate")


def test_absurd_settings_are_refused_in_a_line() -> None:
    with pytest.raises(UsageError, match=r"doubt\.sample"):
        DoubtConfig(sample=2)


def test_of_a_simulated_gemini_the_pages_it_made_up_are_suspect_and_the_others_are_not(born_digital: Page) -> None:
    texts = [f"{PAGE} Sheet {number} of the register." for number in range(60)]
    simulator = Simulator(Settings(invent_share=0.3))
    made_up = 0
    for text in texts:
        answer = simulator._billed("gemini-3.1-flash-lite", "standard", text)["candidates"][0]["content"]["parts"][0]["text"]  # type: ignore[index]
        seen = verify(born_digital, answer)
        assert seen is not None
        assert seen.suspect is (answer != text)
        made_up += answer != text
    assert 8 < made_up < 30
    assert invented(PAGE, 0.1) != invented(PAGE, 0.2)


def test_an_incomplete_text_layer_is_not_used_for_verification() -> None:
    lines = {100 + 20 * n: f"Line {n} of a page that was scanned" for n in range(20)}
    data = pdfs.image_page(
        *scanned(lines), over=b"BT /F1 11 Tf 72 40 Td (Harrow Vale Water Board, page 3 of 12, printed on paper) Tj ET"
    )
    verifier = Verifier(DoubtConfig(), None)
    with PdfFile(data, max_pixels=10**6) as file, file.page(1) as page:
        assert page.text_layer().verdict.kind == "partial"
        assert verifier.verify(page, said("\n".join(lines.values())), sampled=False) is None
