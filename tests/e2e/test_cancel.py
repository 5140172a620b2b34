"""mode=cancel affects a running run and later runs."""

from __future__ import annotations

from tests.e2e.support import PATIENCE_S, Cli, SimulatedGemini, make_pdf, manifests, wait_until

OPTIONS = ("source=in", "dest=out", "engine=gemini", "engine.chain=[gemini]", "limits.max_in_flight=4", "progress=plain")


def test_a_cancelled_document_is_dropped_and_the_others_are_finished(cli: Cli, gemini: SimulatedGemini) -> None:
    make_pdf(cli.folder / "in" / "long, long.pdf", 400)
    make_pdf(cli.folder / "in" / "short.pdf", 2)
    run = cli.start(*OPTIONS, **gemini.variables)
    wait_until(lambda: gemini.answered >= 20 or run.poll() is not None, "pages are answered")
    cancelled = cli.run("mode=cancel", "source=in", "dest=out", "document=long, long.pdf")
    assert cancelled.returncode == 0, cancelled.stderr
    out, _ = run.communicate(timeout=PATIENCE_S)
    assert run.returncode == 0, out
    assert "1 cancelled" in out
    assert gemini.answered < 400
    assert [m["name"] for m in manifests(cli.folder / "out")] == ["short.pdf"]
    assert sorted(path.name for path in (cli.folder / "out").glob("*.md")) == ["short.md"]
    assert not list((cli.folder / "out" / ".rayocr" / "leases").glob("*.json"))

    wait_until(lambda: gemini.in_flight == 0, "the server has answered what was in flight")
    answered = gemini.answered
    again = cli.run(*OPTIONS, **gemini.variables)
    assert again.returncode == 0, again.stdout + again.stderr
    assert gemini.answered == answered


def test_a_document_that_is_not_there_or_finished_cannot_be_cancelled(cli: Cli) -> None:
    make_pdf(cli.folder / "in" / "a.pdf", 1)
    assert cli.run("source=in", "dest=out", "engine=textlayer").returncode == 0
    for document in ("b.pdf", "a.pdf"):
        done = cli.run("mode=cancel", "source=in", "dest=out", f"document={document}")
        assert done.returncode == 2
        assert document in done.stderr
        assert len(done.stderr.splitlines()) <= 2
