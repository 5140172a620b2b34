from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rayocr.engines.answers import is_refusal, unwrapped

PAGE = "# Title\n\nA paragraph.\n\n| a | b |\n|---|---|\n| 1 | 2 |"


@pytest.mark.parametrize(
    "text",
    [
        PAGE,
        f"```markdown\n{PAGE}\n```",
        f"```\n{PAGE}\n```\n",
        f"  ```md\n{PAGE}\n```",
        f"Here is the transcription of the page:\n\n```markdown\n{PAGE}\n```",
        f"Sure, here's the text of the page in Markdown:\n\n{PAGE}",
        f"Below is the faithful translation:\n{PAGE}",
    ],
)
def test_the_page_is_freed_from_what_the_model_put_around_it(text: str) -> None:
    assert unwrapped(text) == PAGE


def test_a_page_in_two_fences_is_one_page() -> None:
    assert unwrapped("```markdown\nfirst\n```\n\n```markdown\nsecond\n```") == "first\n\nsecond"


@pytest.mark.parametrize(
    "text",
    [
        "Intro\n\n```\ncode\n```\n\nOutro",
        "```python\nprint('the page is a listing')\n```",
        "Here is Edward Bear, coming downstairs now:\n\nbump, bump, bump",
        "The following is agreed between the parties:\n1. Rent",
        "```markdown\ncut off in the mid",
        "",
    ],
)
def test_what_belongs_to_the_page_stays(text: str) -> None:
    assert unwrapped(text) == text


@given(st.text())
def test_unwrapping_never_raises_and_does_it_once(text: str) -> None:
    assert isinstance(unwrapped(text), str)


@pytest.mark.parametrize(
    "text",
    [
        "I'm sorry, but I can't assist with that request.",
        "I cannot transcribe this page.",
        "Sorry, I am unable to process this image.",
        "I am not able to provide a transcription of copyrighted material.",
    ],
)
def test_a_refusal_in_words_is_a_refusal(text: str) -> None:
    assert is_refusal(text)


@pytest.mark.parametrize(
    "text",
    [
        "I am sorry to inform you that your application was rejected.",
        "I cannot help it, said the Mouse. " + "It went on and on. " * 40,
        "Dear Sir, I'm sorry, but I can't assist you before Monday.",
        "",
    ],
)
def test_a_page_on_which_somebody_is_sorry_is_a_page(text: str) -> None:
    assert not is_refusal(text)
