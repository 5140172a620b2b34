"""Long or unusual answers do not block the event loop, and an answer longer than a page is rejected."""

from __future__ import annotations

import asyncio
import threading

import pytest

from rayocr.engines.answers import off_loop as module
from rayocr.engines.answers.checks import check_answer
from rayocr.engines.answers.off_loop import MAX_ANSWER_CHARS, off_loop
from rayocr.engines.answers.unwrapping import unwrapped
from rayocr.errors import MalformedAnswer
from rayocr.messages import PageText


def test_short_answers_are_processed_at_once_and_long_ones_on_a_thread() -> None:
    here = threading.get_ident()
    assert asyncio.run(off_loop(100, threading.get_ident)) == here
    assert asyncio.run(off_loop(100_000, threading.get_ident)) != here


def test_an_answer_that_cannot_be_processed_in_time_is_malformed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_DEADLINE_S", 0.01)
    done = threading.Event()

    async def ask() -> None:
        try:
            await off_loop(100_000, done.wait)
        finally:
            done.set()

    with pytest.raises(MalformedAnswer, match="100,000 characters"):
        asyncio.run(ask())


@pytest.mark.parametrize("blank", [" ", "\n", " \n", "\t", "\u3000"])
def test_hundreds_of_thousands_of_blanks_are_cut(blank: str) -> None:
    page = f"# Title\n\nwords{blank * 300_000}more"
    made = unwrapped(page)
    assert made.startswith("# Title\n\nwords") and made.endswith("more") and len(made) < 1000


def test_more_than_a_page_can_hold_is_refused() -> None:
    answer = PageText(text="word \n" * MAX_ANSWER_CHARS, engine="gemini", model="m", finish="STOP")
    with pytest.raises(MalformedAnswer, match="more than a page"):
        check_answer(answer, ink_coverage=lambda: 1.0)
    assert unwrapped(answer.text) == answer.text.strip()
