"""Text whose letters are moved in the alphabet is bad; text in any language, lists and formulas are not."""

from __future__ import annotations

from string import ascii_lowercase, ascii_uppercase

import pytest

from rayocr.pdf.textlayer.reading.shifted_letters import has_shifted_letters
from rayocr.pdf.textlayer.trust import judge

ENGLISH = """The keeper of the light wrote into his ledger that the boat was late
and that the men on it had not seen the lamp for an hour or two
because the fog was on the water and the bell at the end of the pier
had not been heard by them at all in the night of the storm"""
GERMAN = """Der Mann schrieb in das Buch, dass das Boot zu alt ist und dass es an
der Mole lag, als die Leute auf dem Deck das Licht nicht sahen, weil der Nebel zu
dicht war und die Glocke von dem Turm in der Nacht nicht bis zum Boot klang"""
CODES = "\n".join(f"qux zed w{n} abc fgh jkl mno prs tuv wxy" for n in range(9))


def moved(text: str, step: int) -> str:
    letters = [alphabet[step:] + alphabet[:step] for alphabet in (ascii_lowercase, ascii_uppercase)]
    return text.translate(str.maketrans(ascii_lowercase + ascii_uppercase, "".join(letters)))


@pytest.mark.parametrize("step", [1, 3, 13, 25])
@pytest.mark.parametrize("text", [ENGLISH, GERMAN])
def test_moved_letters_make_the_layer_bad(text: str, step: int) -> None:
    assert judge(moved(text, step), image_share=0.0).kind == "bad"


def test_a_moved_paragraph_on_a_page_of_good_text_is_found() -> None:
    assert has_shifted_letters(f"{ENGLISH}\n{moved(ENGLISH, 1)}")


@pytest.mark.parametrize("text", [ENGLISH, GERMAN, CODES, "wj k sj k mk\n" * 40])
def test_ordinary_text_codes_and_formulas_are_not_moved(text: str) -> None:
    assert not has_shifted_letters(text)
