from __future__ import annotations

import shutil
from difflib import SequenceMatcher
from pathlib import Path

import pytest

from benchmarks.corpus.sentences import SENTENCES as CORPUS
from rayocr.engines.tesseract.corrections.by_script import corrected
from rayocr.engines.tesseract.engine import TesseractEngine
from rayocr.engines.tesseract.latin_words import without_doubtful_latin
from rayocr.engines.tesseract.lines import lines_of_tsv, mean_confidence, skew_of, with_spaces
from rayocr.engines.tesseract.program import Orientation, TesseractProgram
from rayocr.engines.tesseract.scripts import packs_for
from rayocr.errors import EngineError, EngineTimeout, EngineUnavailable
from tests.unit.engines.local_pages import SENTENCES, DrawnPage, letters

# An optional system package; test machines need not have it.
needs_tesseract = pytest.mark.skipif(
    shutil.which("tesseract") is None, reason="tesseract is not installed: apt-get install tesseract-ocr"
)
INSTALLED = ("eng", "hin", "mar", "osd")


def seen(script: str, confidence: float = 5.0) -> Orientation:
    return Orientation(quarter_turns=0, turn_confidence=9.0, script=script, script_confidence=confidence)


def test_devanagari_is_read_with_every_pack_for_it_and_english() -> None:
    assert packs_for(seen("Devanagari"), INSTALLED) == ("hin", "mar", "eng")


def test_latin_is_read_with_english() -> None:
    assert packs_for(seen("Latin"), INSTALLED) == ("eng",)


@pytest.mark.parametrize("orientation", [None, seen("Cyrillic", confidence=0.2)])
def test_an_unclear_script_is_taken_for_english(orientation: Orientation | None) -> None:
    assert packs_for(orientation, INSTALLED) == ("eng",)


def test_a_script_that_was_half_seen_is_tried_when_english_makes_nothing_of_the_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = TesseractProgram(_program(tmp_path, "exit 9"), timeout_s=5)
    tsv = {"eng": _tsv((1, 10, 10, 40, 12, 34, "AIR")), "hin+mar+eng": _tsv((1, 10, 10, 40, 12, 93, "शासन"))}
    monkeypatch.setattr(program, "languages", lambda: INSTALLED)
    monkeypatch.setattr(program, "detect_orientation", lambda *_, **__: seen("Devanagari", confidence=1.45))
    monkeypatch.setattr(program, "read_tsv", lambda image, *, languages, dpi, as_block=False: tsv[languages])
    monkeypatch.setattr("rayocr.engines.tesseract.engine.find_tesseract", lambda **_: program)
    answer = TesseractEngine().recognize(DrawnPage())  # type: ignore[arg-type]
    assert (answer.text, answer.model.rpartition("/")[2]) == ("शासन", "hin+mar+eng")


def test_a_script_without_a_pack_says_what_to_install() -> None:
    with pytest.raises(EngineUnavailable) as caught:
        packs_for(seen("Greek"), INSTALLED)
    assert "tesseract-ocr-ell" in str(caught.value.hint)


def test_without_tesseract_opening_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rayocr.engines.tesseract.engine.find_tesseract", lambda **_: None)
    with pytest.raises(EngineUnavailable, match="not installed") as caught:
        TesseractEngine().open()
    assert "apt-get install" in str(caught.value.hint)


def _program(folder: Path, script: str) -> str:
    path = folder / "tesseract"
    path.write_text("#!/bin/sh\n" + script)
    path.chmod(0o755)
    return str(path)


def _tsv(*words: tuple[int, int, int, int, int, float, str]) -> str:
    """line, left, top, width, height, confidence, text"""
    head = "level\tpage_num\tblock_num\tpar_num\tline_num\tword_num\tleft\ttop\twidth\theight\tconf\ttext"
    rows = [f"5\t1\t1\t1\t{line}\t1\t{x}\t{y}\t{w}\t{h}\t{conf}\t{text}" for line, x, y, w, h, conf, text in words]
    return "\n".join([head, "4\t1\t1\t1\t1\t0\t0\t0\t9\t9\t-1\t", *rows])


def test_a_missing_pack_is_named_with_those_that_are_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = TesseractProgram(_program(tmp_path, 'printf "List of available languages (1):\\neng\\n"'), timeout_s=5)
    monkeypatch.setattr("rayocr.engines.tesseract.engine.find_tesseract", lambda **_: program)
    with pytest.raises(EngineUnavailable, match=r"no language pack xyz \(installed: eng\)") as caught:
        TesseractEngine(languages=["eng", "xyz"]).open()
    assert "tesseract-ocr-xyz" in str(caught.value.hint)


@pytest.mark.parametrize(("installed", "reads"), [("", False), ("osd\\n", False), ("eng\\nosd\\n", True)])
def test_tesseract_without_packs_is_not_advised(
    installed: str, reads: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = TesseractProgram(_program(tmp_path, f'printf "List of available languages:\\n{installed}"'), timeout_s=5)
    monkeypatch.setattr("rayocr.engines.tesseract.engine.find_tesseract", lambda **_: program)
    assert TesseractEngine.has_packs() is reads


def test_a_program_that_hangs_is_stopped(tmp_path: Path) -> None:
    program = TesseractProgram(_program(tmp_path, "exec sleep 30"), timeout_s=0.2)
    with pytest.raises(EngineTimeout):
        program.read_tsv(DrawnPage().render(dpi=50).image, languages="eng", dpi=50)


def test_a_program_that_fails_hands_on_its_complaint(tmp_path: Path) -> None:
    program = TesseractProgram(_program(tmp_path, "cat >/dev/null; echo 'it broke' >&2; exit 3"), timeout_s=5)
    with pytest.raises(EngineError, match="code 3: it broke"):
        program.read_tsv(DrawnPage().render(dpi=50).image, languages="eng", dpi=50)


def test_words_of_a_line_are_parted_where_a_table_leaves_a_hole() -> None:
    tsv = _tsv((1, 10, 10, 40, 12, 90, "Cement"), (1, 55, 10, 20, 12, 80, "bag"), (1, 200, 10, 30, 12, 70, "350"))
    assert [line.text for line in lines_of_tsv(tsv)] == ["Cement bag", "350"]


def test_confidence_is_weighted_by_length() -> None:
    tsv = _tsv((1, 10, 10, 40, 12, 100, "abcdefgh"), (2, 10, 30, 20, 12, 0, "zz"))
    assert mean_confidence(lines_of_tsv(tsv)) == pytest.approx(0.8)


def test_skew_is_seen_in_the_words_of_long_lines() -> None:
    words = [(line, 100 * n, 50 * line + 3 * n, 90, 12, 90.0, "word") for line in range(4) for n in range(6)]
    assert skew_of(lines_of_tsv(_tsv(*words))) == pytest.approx(1.72, abs=0.05)


@needs_tesseract
@pytest.mark.parametrize("turn_deg", [0, 90])
def test_a_page_is_read_however_it_lies(turn_deg: int) -> None:
    engine = TesseractEngine(languages=["eng"], dpi=200)
    engine.open()
    page = DrawnPage(sentences=SENTENCES, turn_deg=turn_deg)
    answer = engine.recognize(page)  # type: ignore[arg-type]
    assert SequenceMatcher(None, letters(answer.text), letters("".join(SENTENCES)), autojunk=False).ratio() > 0.95
    assert answer.model.startswith("tesseract-5") and answer.model.endswith("/eng")
    assert answer.boxes
    assert ("fox" in answer.boxes[0].text) if turn_deg == 0 else any("fox" in box.text for box in answer.boxes)


def test_spaces_come_from_the_plain_text_and_not_from_the_boxes() -> None:
    """Tesseract reports Korean syllables as words; the gap inside a word may be wider than the gap between two words."""
    words = (
        (0, 0, 0, 20, 20, 90, "5"),
        (0, 40, 0, 20, 20, 90, "월"),
        (0, 62, 0, 20, 20, 90, "일을"),
        (0, 140, 0, 20, 20, 90, "했다"),
    )
    assert [line.text for line in lines_of_tsv(with_spaces(_tsv(*words), "5월 일을\n했다"))] == ["5월 일을", "했다"]
    (line, _) = lines_of_tsv(with_spaces(_tsv(*words), "another text"))
    assert line.text == "5 월일을"


def test_marks_of_direction_are_left_out() -> None:
    (line,) = lines_of_tsv(_tsv((0, 0, 0, 20, 20, 90, "\u200eoffice\u200f")))
    assert line.text == "office"


def test_bullets_of_a_korean_list_are_bullets_again() -> None:
    lines = ["ㆍ 젊은 화가는", "＊ 표 값이", "* 왜", "서울ㆍ부산", "ㆍ 12"]
    assert corrected(lines, "kor") == ["• 젊은 화가는", "• 표 값이", "• 왜", "서울ㆍ부산", "ㆍ 12"]


@pytest.mark.parametrize(
    ("installed", "text", "doubts"),
    [
        (("eng", "osd"), " ".join(CORPUS["de"]), ("pack_missing:deu",)),
        (("eng", "osd"), " ".join(CORPUS["en"]), ()),
        (("eng", "deu", "osd"), " ".join(CORPUS["de"]), ()),
        (("eng", "frk", "osd"), " ".join(CORPUS["de"]), ()),
        (("eng", "script/Latin", "osd"), " ".join(CORPUS["de"]), ()),
        (("eng", "hin", "kor", "vie", "osd"), " ".join(CORPUS["de"]), ("pack_missing:deu",)),
    ],
)
@pytest.mark.parametrize("languages", ["eng", "auto"])
def test_a_page_in_a_language_without_its_pack_has_a_doubt_whichever_other_packs_are_installed(
    languages: str,
    installed: tuple[str, ...],
    text: str,
    doubts: tuple[str, ...],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    program = TesseractProgram(_program(tmp_path, "exit 9"), timeout_s=5)
    tsv = _tsv(*((0, 10 + 50 * place, 10, 40, 12, 93, word) for place, word in enumerate(text.split())))
    monkeypatch.setattr(program, "languages", lambda: installed)
    monkeypatch.setattr(program, "detect_orientation", lambda *_, **__: seen("Latin"))
    monkeypatch.setattr(program, "read_tsv", lambda image, *, languages, dpi, as_block=False: tsv)
    monkeypatch.setattr("rayocr.engines.tesseract.engine.find_tesseract", lambda **_: program)
    assert TesseractEngine(languages=[languages]).recognize(DrawnPage()).doubts == doubts  # type: ignore[arg-type]


def test_the_program_returns_the_spaces_with_the_words(tmp_path: Path) -> None:
    (tmp_path / "answer").write_text(_tsv((0, 0, 0, 20, 20, 90, "월"), (0, 21, 0, 20, 20, 90, "일")) + "\n월 일\n")
    program = TesseractProgram(_program(tmp_path, f"cat > /dev/null; cat {tmp_path}/answer"), timeout_s=60)
    (line,) = lines_of_tsv(program.read_tsv(DrawnPage().render(dpi=72).image, languages="kor", dpi=72))
    assert line.text == "월 일"


def test_a_page_whose_lines_were_cut_by_the_page_segmentation_is_read_as_one_block(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = TesseractProgram(_program(tmp_path, "exit 9"), timeout_s=5)
    cut, whole = _tsv((0, 10, 10, 40, 12, 30, "지나")), _tsv((0, 10, 10, 90, 12, 93, "지나갔다"))
    monkeypatch.setattr(program, "languages", lambda: ("eng", "kor", "osd"))
    monkeypatch.setattr(program, "detect_orientation", lambda *_, **__: seen("Korean"))
    monkeypatch.setattr(program, "read_tsv", lambda image, *, languages, dpi, as_block=False: whole if as_block else cut)
    monkeypatch.setattr("rayocr.engines.tesseract.engine.find_tesseract", lambda **_: program)
    assert TesseractEngine().recognize(DrawnPage()).text == "지나갔다"  # type: ignore[arg-type]


def test_a_doubtful_latin_word_gives_way_to_the_reading_without_the_english_pack() -> None:
    both = lines_of_tsv(_tsv((0, 0, 0, 40, 20, 91, "rayocr"), (0, 50, 0, 40, 20, 50, "tall"), (0, 100, 0, 40, 20, 93, "قرر")))
    alone = lines_of_tsv(_tsv((0, 0, 0, 40, 20, 30, "1681"), (0, 50, 0, 40, 20, 60, "مجلس"), (0, 100, 0, 40, 20, 93, "قرر")))
    assert [line.text for line in without_doubtful_latin(both, alone)] == ["rayocr مجلس قرر"]
