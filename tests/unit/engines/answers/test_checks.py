from __future__ import annotations

import math
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rayocr.engines.answers import loops
from rayocr.engines.answers.checks import check_answer, repeats_as_its_page
from rayocr.engines.answers.loops import find_loop
from rayocr.errors import (
    BadAnswer,
    EmptyAnswer,
    LowConfidence,
    MalformedAnswer,
    Refused,
    RepetitionLoop,
    TextOnBlankPage,
    Truncated,
    Unreadable,
)
from rayocr.messages import PageText, TextBox

SENTENCE = "The applicant shall submit the completed form to the office of the registrar. "


def answer(text: str = "Some text.", **fields: object) -> PageText:
    return PageText(**{"text": text, "engine": "gemini", "model": "m", **fields})  # type: ignore[arg-type]


def check(given_answer: PageText, *, inked: bool = True) -> None:
    check_answer(given_answer, ink_coverage=lambda: 0.2 if inked else 0.0)


def passes(given_answer: PageText, *, inked: bool = True, can_loop: bool = True) -> bool:
    try:
        check_answer(given_answer, ink_coverage=lambda: 0.2 if inked else 0.0, can_loop=can_loop)
    except BadAnswer:
        return False
    return True


@pytest.mark.parametrize("finish", ["stop", "STOP", "FinishReason.STOP"])
def test_an_ordinary_answer_passes(finish: str) -> None:
    assert passes(answer(finish=finish))


@pytest.mark.parametrize("finish", ["RECITATION", "SAFETY", "FinishReason.PROHIBITED_CONTENT", "content_filter"])
def test_a_refusal_is_refused(finish: str) -> None:
    with pytest.raises(Refused) as caught:
        check(answer(finish=finish))
    assert caught.value.finish == finish


def test_an_unknown_finish_reason_is_not_taken_for_a_whole_page() -> None:
    with pytest.raises(MalformedAnswer):
        check(answer(finish="OTHER_NEW_WORD"))


def test_a_loop_that_was_cut_off_is_a_loop() -> None:
    with pytest.raises(RepetitionLoop):
        check(answer(SENTENCE * 200, finish="MAX_TOKENS"))


@pytest.mark.parametrize("finish", ["MAX_TOKENS", "length"])
def test_a_cut_off_answer_is_truncated(finish: str) -> None:
    with pytest.raises(Truncated):
        check(answer(finish=finish))


@pytest.mark.parametrize("text", ["", "  \n", "```\n```", "| | |\n| --- | --- |"])
def test_no_text_on_an_inked_page_is_an_empty_answer(text: str) -> None:
    with pytest.raises(EmptyAnswer):
        check(answer(text))


def test_no_text_on_a_blank_page_is_right() -> None:
    assert passes(answer(""), inked=False)
    assert not passes(answer(""))


def test_text_on_a_blank_page_was_invented() -> None:
    with pytest.raises(TextOnBlankPage):
        check(answer(), inked=False)


def test_a_stuck_model_is_caught() -> None:
    with pytest.raises(RepetitionLoop):
        check(answer("A page that began well.\n" + SENTENCE * 60))


@pytest.mark.parametrize(
    "text",
    [
        SENTENCE * 40,
        "\n".join([SENTENCE] * 40),
        "Intro. " + "".join(f"{number}. {SENTENCE}" for number in range(60)),
        "".join(SENTENCE + f"Then {chr(97 + n % 26)}{chr(97 + n % 25)}. " for n in range(60)),
        "the " * 3000,
        "." * 4000,
        "Contents " + "_" * 2000 + " end of it all.",
        "| 0 " * 3000,
        "好的" * 4000,
    ],
)
def test_loops_are_found(text: str) -> None:
    assert find_loop(text) is not None


def _logarithms() -> str:
    return "\n".join(
        f"{number} " + " ".join(f"{math.log10(number + tenth / 10):.4f}" for tenth in range(10)) for number in range(10, 100)
    )


@pytest.mark.parametrize(
    "text",
    [
        _logarithms(),
        "\n".join(f"| {n} | Item {n} | 0.00 | 0.00 | 0.00 | 0.00 | - | Nil |" for n in range(60)),
        "\n".join("| Nil | Nil | Nil | Nil | Nil | Nil | Nil |" for _ in range(55)),
        "\n".join("| Yes | No | Yes | No |" for _ in range(60)),
        "\n".join(f"{n}. Name: ................................ Signature: ..................." for n in range(40)),
        "\n".join(f"Chapter {n} {'.' * 150} {n * 7}" for n in range(45)),
        "\n".join("_" * 100 for _ in range(40)),
        "\n".join(f"{n}. I agree." for n in range(80)),
        "\n".join(["IN WITNESS WHEREOF the parties have signed this agreement on the day first written above."] * 4),
        "1 0 1 1 0 0 1 0 " * 100,
        "-" * 400,
    ],
)
def test_repetition_on_real_pages_is_not_a_loop(text: str) -> None:
    assert find_loop(text) is None


words = st.text(alphabet="abcdefghijklmnopqrstuvwxyz", min_size=2, max_size=9)


@given(st.lists(words, min_size=8, max_size=60, unique=True), st.integers(31, 80))
def test_any_phrase_of_many_words_repeated_often_is_a_loop(phrase: list[str], repeats: int) -> None:
    assert find_loop((" ".join(phrase) + ". ") * repeats) is not None


@st.composite
def _loops(draw: st.DrawFn) -> str:
    unit = " ".join(draw(st.lists(words, min_size=6, max_size=60)))
    between = draw(st.sampled_from(["{unit} ", "{unit}. ", "{n}. {unit}.", "{unit}| {n}{other}. ", "{unit}", "। {unit}{n}"]))
    others = draw(st.lists(words, min_size=1, max_size=3))
    count = draw(st.integers(5, 120))
    looping = "".join(between.format(unit=unit, n=n, other=others[n % len(others)]) for n in range(count))
    return " ".join((draw(st.text(max_size=900)) + looping + draw(st.text(max_size=900))).split())


@settings(max_examples=40)
@given(_loops())
def test_the_quick_test_for_loops_finds_every_loop_of_the_whole_search(text: str) -> None:
    uncounted = re.sub(r"\d+", "0", text)
    long_numbers = len(text) - len(uncounted) >= 1500
    assert loops._loop_in(text) == loops._search(text, uncounted, long_numbers=long_numbers)


@given(st.text(max_size=3000))
def test_text_of_a_page_or_less_without_repetition_never_raises_anything_else(text: str) -> None:
    try:
        check(answer(text))
    except BadAnswer as error:
        assert isinstance(error, EmptyAnswer)


def _local(confidence: float, *lines: tuple[str, float], engine: str = "rapidocr") -> PageText:
    boxes = tuple(TextBox(text=text, x0=0, y0=0, x1=1, y1=1, confidence=sure) for text, sure in lines)
    return answer(engine=engine, confidence=confidence, boxes=boxes)


def test_junk_from_an_unknown_script_is_low_confidence() -> None:
    with pytest.raises(LowConfidence):
        check(_local(0.7, ("HERTETA / TEHu faHTT", 0.62), ("a line of plain English", 0.9)))


def test_a_page_half_in_an_unknown_script_is_low_confidence() -> None:
    with pytest.raises(LowConfidence):
        check(_local(0.88, ("a line of plain English", 0.99), ("HERTETA fa", 0.62)))


@pytest.mark.parametrize(("engine", "confidence"), [("rapidocr", 0.55), ("tesseract", 0.35)])
def test_junk_is_not_kept_at_all(engine: str, confidence: float) -> None:
    with pytest.raises(Unreadable):
        check(_local(confidence, ("AeA GAT APT", confidence), engine=engine))


def test_junk_that_the_engine_is_half_sure_of_is_not_kept_either() -> None:
    """Hebrew read as Latin: mean .80, most of it in lines below .8."""
    with pytest.raises(Unreadable):
        check(_local(0.8, ("nnn17 nyv", 0.74), ("n190n", 0.78), ("1897", 0.99)))


def test_a_page_of_which_lines_were_seen_and_none_was_read_says_which_packs_may_be_missing() -> None:
    with pytest.raises(Unreadable, match="tesseract-ocr-hin"):
        check(answer(engine="rapidocr", text="", confidence=0.0, boxes=()))


def test_a_degraded_page_passes() -> None:
    assert passes(_local(0.95, ("a line of plain English, badly printed", 0.97), ("sm dge", 0.6)))


def test_each_engine_has_its_own_scale_of_confidence() -> None:
    check(_local(0.8, ("read by tesseract", 0.8), engine="tesseract"))
    with pytest.raises(LowConfidence):
        check(_local(0.6, ("AeA GAT APT", 0.6), engine="tesseract"))
    check(_local(0.1, ("engines without a floor", 0.1), engine="openai"))


def test_ink_is_measured_once() -> None:
    calls: list[int] = []

    def coverage() -> float:
        calls.append(1)
        return 0.2

    check_answer(answer(), ink_coverage=coverage)
    assert len(calls) == 1


def test_an_engine_that_reads_line_by_line_repeats_what_the_page_repeats() -> None:
    lines = "I have read the terms above and agree to all of them.\n" * 40
    assert passes(answer(lines, engine="rapidocr"), can_loop=False)
    assert not passes(answer(lines, engine="gemini"))


def test_an_answer_that_was_cut_off_is_not_saved_by_a_page_that_repeats_itself() -> None:
    lines = "I have read the terms above and agree to all of them.\n" * 40
    assert repeats_as_its_page(answer(lines, finish="STOP"), lines)
    assert not repeats_as_its_page(answer(lines, finish="MAX_TOKENS"), lines)
