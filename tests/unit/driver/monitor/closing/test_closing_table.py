"""The closing table shows the rows of the table of figures."""

from __future__ import annotations

from collections import Counter

import pytest

from rayocr.driver.monitor.closing.closing_table import closing_table
from rayocr.driver.scheduling.progress import Progress
from rayocr.messages import DiscoveryTotals, DocumentOutcome
from rayocr.observe.console import plain_console
from rayocr.observe.figures import FIGURES, Figure


def printed(progress: Progress) -> list[str]:
    console = plain_console(width=400)
    with console.capture() as capture:
        console.print(closing_table(progress, {"Outputs": "out\nput"}))
    return [" ".join(line.split()) for line in capture.get().splitlines()]


def progress_of(**values: object) -> Progress:
    progress = Progress(clock=lambda: 100.0)
    for name, value in values.items():
        setattr(progress, name, value)
    return progress


def test_a_run_without_incidents_has_four_rows() -> None:
    progress = progress_of(pages_done=7, engines=Counter(textlayer=2, gemini=5))
    progress.documents[DocumentOutcome.COMPLETE] = 3
    assert printed(progress) == [
        "Documents 3 complete, 0 partial, 0 rejected",
        "Pages 7: 5 read by gemini, 2 read by textlayer",
        "Time 0 s, $0.00",
        "Outputs out\\nput",
    ]


def test_figures_that_are_not_zero_have_their_phrases() -> None:
    progress = progress_of(
        elsewhere=2,
        cancelled=1,
        gone=1,
        pages_resumed=4,
        renamed=1,
        suspect_pages=2,
        compared_pages=1500,
        doubtful_pages=6,
        outage_pages=1,
        reasons=Counter(Truncated=1, NotAPdf=2),
        totals=DiscoveryTotals(unreadable=1, unreadable_names=("a",)),
    )
    lines = printed(progress)
    assert lines[0].endswith("0 rejected, 2 by another run, 1 cancelled, 1 removed before they were read")
    assert lines[2] == "4 of them were read by an earlier run"
    assert [line.split()[0] for line in lines[3:]] == [
        "Names",
        "Suspect",
        "Outage",
        "Doubtful",
        "Unreadable",
        "Reasons",
        "Time",
        "Outputs",
    ]
    assert "2 of 1,500 pages compared" in lines[4]
    assert lines[6].split()[1] == "3", "neither suspect nor read because of an outage"
    assert "2 NotAPdf, 1 Truncated" in lines[8]


def test_counts_agree_with_their_verbs() -> None:
    several = printed(progress_of(pages_done=9, pages_resumed=2, pages_copied=3, documents_copied=4, outage_pages=5))
    one = printed(progress_of(pages_done=9, pages_resumed=1, pages_copied=1, documents_copied=1, outage_pages=1))
    assert "2 of them were read by an earlier run" in several
    assert "1 of them was read by an earlier run" in one
    assert "1 of them is identical to another and was not paid for" in one
    assert any("1 document is the same file as another and was not read" in line for line in one)
    assert any("1 page was read by a later engine" in line and "reads it again" in line for line in one)
    assert not any("[" in line for line in (*several, *one))


@pytest.mark.parametrize("watching", [False, True])
def test_deferred_documents_are_left_for_the_next_run(watching: bool) -> None:
    assert printed(progress_of(deferred=3, watching=watching))[0].endswith(", 3 left for the next run")


@pytest.mark.parametrize("figure", [figure for figure in FIGURES if figure.closing_row], ids=lambda figure: figure.key)
def test_every_figure_with_a_phrase_has_a_row(figure: Figure) -> None:
    read = figure.read
    object.__setattr__(figure, "read", lambda run: 123_456)
    try:
        assert any("123,456" in line for line in printed(progress_of()))
    finally:
        object.__setattr__(figure, "read", read)
