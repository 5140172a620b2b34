"""Refused, looping and truncated answers, and the outcome of their pages."""

from __future__ import annotations

import signal
from collections import Counter

from tests.e2e.support import PATIENCE_S, Cli, SimulatedGemini, make_pdf, manifests, page_texts, wait_until

PAGES = 300


def test_refusals_cost_no_page_and_are_not_paid_for_again_after_a_restart(cli: Cli, gemini: SimulatedGemini) -> None:
    make_pdf(cli.folder / "in" / "a.pdf", PAGES)
    gemini.set(recitation_share=0.10, recitation_always_share=0.02)
    # The text layer replaces the local engine: it takes a millisecond for a page that takes rapidocr three seconds.
    options = ("source=in", "dest=out", "engine=gemini", "engine.chain=[gemini,textlayer]", "limits.max_in_flight=16")
    run = cli.start(*options, **gemini.variables)
    wait_until(lambda: gemini.answered >= PAGES // 2 or run.poll() is not None, "half of the pages are answered")
    run.send_signal(signal.SIGTERM)
    out, _ = run.communicate(timeout=PATIENCE_S)
    assert run.returncode == 130, out
    before = Counter(gemini.counts()["answered"])
    done = cli.run(*options, **gemini.variables)
    assert done.returncode == 0, done.stdout + done.stderr
    (manifest,) = manifests(cli.folder / "out")
    assert manifest["outcome"] == "complete"
    texts = page_texts(cli.folder / "out" / "a.md")
    assert all(f"page number {number} of" in texts[number] for number in range(1, PAGES + 1))
    counts = Counter(gemini.counts()["answered"])
    assert max(counts.values()) == 2, "no model is asked more than twice for a page, over both runs"
    fallback = sum(manifest["engines"].values()) - manifest["engines"]["gemini"]  # type: ignore[attr-defined,index]
    twice = sum(count == 2 for count in counts.values())
    assert 0 < fallback <= twice
    again = [page for page, count in (counts - before).items() if before[page] and count]
    assert all(before[page] == 1 for page in again)


def test_the_next_model_of_the_ladder_is_asked_and_both_are_on_record(cli: Cli, gemini: SimulatedGemini) -> None:
    make_pdf(cli.folder / "in" / "a.pdf", 3)  # of a fourth on, the run waits to see whether the model refuses everything
    gemini.set(recitation_always_share=1.0)
    ladder = "engine.gemini.models=[gemini-3.1-flash-lite,gemini-3.5-flash-lite]"
    done = cli.run("source=in", "dest=out", "engine=gemini", "engine.chain=[gemini,textlayer]", ladder, **gemini.variables)
    assert done.returncode == 0, done.stdout + done.stderr
    models = gemini.counts()["models"]
    assert models == {"gemini-3.1-flash-lite": 6, "gemini-3.5-flash-lite": 3}, "three paid attempts per page"
    (manifest,) = manifests(cli.folder / "out")
    assert manifest["input_tokens"] == 9 * 600, "refused answers are billed"


def test_loops_and_cut_off_answers_never_reach_the_output(cli: Cli, gemini: SimulatedGemini) -> None:
    make_pdf(cli.folder / "in" / "a.pdf", 60)
    gemini.set(loop_share=0.3, cut_off_share=0.3, fenced=1)
    done = cli.run("source=in", "dest=out", "engine=gemini", "engine.chain=[gemini]", **gemini.variables)
    assert done.returncode == 1, done.stdout + done.stderr
    reasons: Counter[str] = Counter()
    for number, text in page_texts(cli.folder / "out" / "a.md").items():
        if "could not be read" in text:
            reasons[text.partition("(")[2].partition(")")[0]] += 1
        else:
            assert text.startswith(f"This is page number {number} of"), text
            assert text.rstrip().endswith("to be trusted."), text
            assert "```" not in text
    assert set(reasons) == {"RepetitionLoop", "Truncated"}
