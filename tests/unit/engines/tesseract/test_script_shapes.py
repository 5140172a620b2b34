"""The script of drawn lines, from the shapes of their letters."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from rayocr.engines.tesseract.engine import TesseractEngine
from rayocr.engines.tesseract.program import Orientation, TesseractProgram
from rayocr.engines.tesseract.script_shapes.classifier import likely_scripts
from rayocr.engines.tesseract.script_shapes.correction import is_nastaliq, with_shown_script
from rayocr.engines.tesseract.script_shapes.rough_lines import rough_lines
from rayocr.engines.tesseract.scripts import CERTAIN_SCRIPT, packs_for
from rayocr.errors import LanguagePackMissing
from tests.unit.engines.local_pages import DrawnPage
from tests.unit.engines.tesseract.test_native_numbers import AMIRI, ARABIC
from tests.unit.engines.tesseract.test_tesseract import _tsv

FONTS = ARABIC.parent
NASTALIQ = Path("/usr/share/fonts/truetype/noto/NotoNastaliqUrdu-Regular.ttf")
TEXTS = {  # "All people are born free and equal in dignity and rights", or similar
    "Latin": "All human beings are born free and equal in dignity and rights.",
    "Gurmukhi": "ਸਾਰੇ ਮਨੁੱਖ ਆਜ਼ਾਦ ਅਤੇ ਬਰਾਬਰ ਪੈਦਾ ਹੁੰਦੇ ਹਨ ਅਤੇ ਉਹਨਾਂ ਦੇ ਹੱਕ ਹਨ",
    "Gujarati": "સર્વ માનવો પ્રતિષ્ઠા અને અધિકારોની દૃષ્ટિએ સ્વતંત્ર અને સમાન જન્મે છે",
    "Georgian": "ყველა ადამიანი იბადება თავისუფალი და თანასწორი თავისი ღირსებით",
    "Armenian": "Բոլոր մարդիկ ծնվում են ազատ ու հավասար իրենց իրավունքներով",
    "Ethiopic": "የሰው ልጅ ሁሉ ሲወለድ ነጻና በክብርና በመብትም እኩልነት ያለው ነው",
    "Khmer": "មនុស្សទាំងអស់កើតមកមានសេរីភាពនិងសមភាពក្នុងសេចក្តីថ្លៃថ្នូរ",
    "Myanmar": "လူတိုင်းသည် တူညီ လွတ်လပ်သော ဂုဏ်သိက္ခာဖြင့် မွေးဖွားလာသူများ ဖြစ်သည်",
    "Sinhala": "සියලු මනුෂ්‍යයෝ නිදහස්ව උපත ලබා ඇත ගරුත්වයෙන් සමාන වෙති",
    "Lao": "ມະນຸດທຸກຄົນເກີດມາມີສິດເສລີພາບແລະຄວາມສະເໝີພາບ",
    "Oriya": "ସବୁ ମନୁଷ୍ୟ ଜନ୍ମକାଳରୁ ସ୍ୱାଧୀନ ଏବଂ ମର୍ଯ୍ୟାଦା ଓ ଅଧିକାରରେ ସମାନ",
}
PACKS = {
    "Gurmukhi": "pan", "Gujarati": "guj", "Georgian": "kat", "Armenian": "hye", "Ethiopic": "amh", "Khmer": "khm",
    "Myanmar": "mya", "Sinhala": "sin", "Lao": "lao", "Oriya": "ori",
}  # fmt: skip


def drawn(text: str, font: Path, *, size: int = 34) -> Any:
    face = ImageFont.truetype(font, size, layout_engine=ImageFont.Layout.RAQM)
    picture = Image.new("L", (round(face.getlength(text)) + size, 4 * size), 245)
    ImageDraw.Draw(picture).text((size // 2, size), text, font=face, fill=20)
    gray = np.asarray(picture)
    rows = np.flatnonzero((gray < 128).any(axis=1))
    return gray[rows[0] - 4 : rows[-1] + 5]


def lines(script: str) -> list[Any]:
    name = "NotoSans" if script == "Latin" else f"NotoSans{script}"
    return [drawn(TEXTS[script], FONTS / f"{name}[wght].ttf", size=size) for size in (26, 34, 46)]


def detected(script: str, confidence: float) -> Orientation:
    return Orientation(quarter_turns=0, turn_confidence=9.0, script=script, script_confidence=confidence)


@pytest.mark.parametrize("script", PACKS)
def test_the_shapes_of_letters_show_their_script(script: str) -> None:
    assert likely_scripts(lines(script))[0].script == script


@pytest.mark.parametrize(
    ("script", "wrong", "confidence"),
    [("Armenian", "Latin", 20.0), ("Khmer", "Latin", 11.0), ("Myanmar", "Arabic", 9.2), ("Gurmukhi", "Devanagari", 7.5)],
)
def test_a_script_that_tesseract_mistakes_for_another_is_corrected(script: str, wrong: str, confidence: float) -> None:
    seen = with_shown_script(detected(wrong, confidence), lines(script))
    assert seen is not None
    assert (seen.script, seen.turn_confidence) == (script, 9.0)


@pytest.mark.parametrize("script", PACKS)
def test_without_packs_the_pack_of_the_shown_script_is_named(script: str) -> None:
    seen = with_shown_script(None, lines(script))
    with pytest.raises(LanguagePackMissing) as missing:
        packs_for(seen, ("eng", "osd"), sure=0.0)
    assert missing.value.pack == PACKS[script]


def test_latin_lines_keep_what_tesseract_detected() -> None:
    seen = detected("Latin", 0.3)
    assert with_shown_script(seen, lines("Latin")) is seen


def test_a_script_that_tesseract_knows_and_is_certain_of_is_not_corrected() -> None:
    seen = detected("Hebrew", 9.0)
    arabic = [drawn("يولد جميع الناس أحرارا متساوين في الكرامة والحقوق", ARABIC)] * 3
    assert with_shown_script(seen, arabic) is seen


def test_two_scripts_that_look_alike_are_both_named() -> None:
    seen = Orientation(0, 9.0, "Gurmukhi", 1.0, others=("Devanagari",))
    with pytest.raises(LanguagePackMissing, match=r"could be Gurmukhi or Devanagari.*tesseract-ocr-pan or tesseract-ocr-hin"):
        packs_for(seen, ("eng",), sure=0.0)


def test_a_script_whose_pack_is_installed_is_not_named_beside_the_missing_one() -> None:
    seen = Orientation(0, 9.0, "Gurmukhi", CERTAIN_SCRIPT, others=("Devanagari",))
    with pytest.raises(LanguagePackMissing) as missing:
        packs_for(seen, ("eng", "hin"), sure=0.0)
    assert "Devanagari" not in str(missing.value)


def test_a_few_specks_show_no_script() -> None:
    assert likely_scripts([np.full((40, 300), 255, np.uint8), drawn("12", ARABIC)]) == []


@pytest.mark.skipif(not NASTALIQ.exists(), reason="Noto Nastaliq Urdu is not installed: apt-get install fonts-noto-core")
def test_nastaliq_is_told_from_other_arabic_print() -> None:
    text = "تمام انسان آزاد اور حقوق و عزت کے اعتبار سے برابر پیدا ہوئے ہیں"
    assert is_nastaliq([drawn(text, NASTALIQ, size=30)] * 2)
    assert not is_nastaliq([drawn(text, ARABIC, size=30)] * 2)
    assert not is_nastaliq([drawn("يولد جميع الناس أحرارا متساوين في الكرامة والحقوق", AMIRI)] * 2)


class _PunjabiPage(DrawnPage):
    def render(self, *, dpi: int = 200, grayscale: bool = False) -> Any:
        image = Image.new("L", (1500, 620), 255)
        for n in range(5):
            image.paste(
                Image.fromarray(drawn(TEXTS["Gurmukhi"], FONTS / "NotoSansGurmukhi[wght].ttf", size=46)), (20, 20 + 120 * n)
            )
        return SimpleNamespace(image=image, scale=dpi / 72)


@pytest.mark.parametrize(("installed", "read_with"), [(("eng", "osd"), ""), (("eng", "osd", "pan"), "pan+eng")])
def test_a_page_whose_script_tesseract_mistakes_needs_the_pack_of_its_own_script(
    installed: tuple[str, ...], read_with: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = TesseractProgram(str(tmp_path / "tesseract"), timeout_s=5)
    tsv = _tsv(*((n + 1, 20, 20 + 120 * n, 1400, 80, 31, "junk") for n in range(5)))
    read = _tsv((1, 20, 20, 1400, 80, 93, "ਸਾਰੇ"))
    monkeypatch.setattr(program, "languages", lambda: installed)
    monkeypatch.setattr(program, "detect_orientation", lambda *_, **__: detected("Devanagari", 7.5))
    monkeypatch.setattr(program, "read_tsv", lambda image, *, languages, **_: tsv if languages == "eng" else read)
    monkeypatch.setattr("rayocr.engines.tesseract.engine.find_tesseract", lambda **_: program)
    if read_with:
        assert TesseractEngine().recognize(_PunjabiPage()).model.endswith(f"/{read_with}")  # type: ignore[arg-type]
        return
    with pytest.raises(LanguagePackMissing, match="tesseract-ocr-pan"):
        TesseractEngine().recognize(_PunjabiPage())  # type: ignore[arg-type]


def test_lines_are_found_without_reading_them() -> None:
    page = np.asarray(_PunjabiPage().render().image)
    found = rough_lines(page)
    assert len(found) == 5
    assert {line.shape[0] // 20 for line in found} <= {2, 3, 4}


def test_a_page_that_tesseract_takes_for_another_script_upside_down_names_its_own_pack(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = TesseractProgram(str(tmp_path / "tesseract"), timeout_s=5)
    monkeypatch.setattr(program, "languages", lambda: ("eng", "osd"))
    monkeypatch.setattr(program, "detect_orientation", lambda *_, **__: Orientation(1, 9.0, "Arabic", 9.2))
    monkeypatch.setattr("rayocr.engines.tesseract.engine.find_tesseract", lambda **_: program)
    with pytest.raises(LanguagePackMissing, match="tesseract-ocr-pan"):
        TesseractEngine().recognize(_PunjabiPage())  # type: ignore[arg-type]
