"""engine.batch=true: half the price, results in any order, jobs that outlive the run that submitted them."""

from __future__ import annotations

import json

from tests.e2e.support import Cli, CliHere, SimulatedGemini, end_tree, make_pdf, manifests, page_texts, wait_until

PAGES = 120
OPTIONS = (
    *("source=in", "dest=out", "engine=gemini", "engine.chain=[gemini,textlayer]", "engine.batch=true"),
    *("batch.linger_s=1", "batch.poll_interval_s=0.5", "retry.base_s=0.1"),
)


def every_page_has_its_own_text(cli: Cli) -> None:
    for document in ("a", "b"):
        texts = page_texts(cli.folder / "out" / f"{document}.md")
        assert all(f"This is {document} number {number} of" in texts[number] for number in range(1, PAGES // 2 + 1))


def make_source(cli: Cli) -> None:
    for document in ("a", "b"):
        make_pdf(cli.folder / "in" / f"{document}.pdf", PAGES // 2, prefix=document)


def test_pages_of_several_documents_go_in_one_job_at_half_the_price(cli: Cli, gemini: SimulatedGemini) -> None:
    make_source(cli)
    done = cli.run(*OPTIONS, **gemini.variables)
    assert done.returncode == 0, done.stdout + done.stderr
    every_page_has_its_own_text(cli)
    counts = gemini.counts()
    assert len(counts["batches"]) < PAGES / 10  # one or two; a busy machine collects pages more slowly than batch.linger_s
    assert sorted(counts["answered"].values()) == [1] * PAGES
    assert not any(":generateContent" in call for call in counts["calls"])
    manifest = manifests(cli.folder / "out")[0]
    full = (manifest["input_tokens"] * 0.25 + manifest["output_tokens"] * 1.5) / 1e6  # type: ignore[operator]
    assert abs(manifest["cost_usd"] - full / 2) < 1e-9  # type: ignore[operator]
    assert not list((cli.folder / "out" / ".rayocr" / "batches").glob("*.json"))


def test_a_run_that_is_killed_while_its_job_runs_costs_nothing(cli: Cli, gemini: SimulatedGemini) -> None:
    make_source(cli)
    gemini.set_batches(job_s=1e6)
    run = cli.start(*OPTIONS, **gemini.variables)
    wait_until(lambda: bool(gemini.counts()["batches"]) or run.poll() is not None, "a job is submitted")
    wait_until(lambda: _has_names(cli) or run.poll() is not None, "jobs with all pages are on record, by name")
    assert run.poll() is None
    end_tree(run.pid)
    run.communicate()
    jobs = len(gemini.counts()["batches"])
    gemini.set_batches(job_s=0.1)
    gemini.end_batches()
    done = cli.run(*OPTIONS, **gemini.variables)
    assert done.returncode == 0, done.stdout + done.stderr
    every_page_has_its_own_text(cli)
    counts = gemini.counts()
    assert sorted(counts["answered"].values()) == [1] * PAGES, "the job of the killed run was used"
    assert len(counts["batches"]) == jobs


def _has_names(cli: Cli) -> bool:
    paths = (cli.folder / "out" / ".rayocr" / "batches").glob("*.json")
    intents = [json.loads(path.read_text()) for path in paths]
    return sum(len(intent["keys"]) for intent in intents) == PAGES and all(intent["name"] for intent in intents)


def test_expired_jobs_failed_lines_refusals_and_lost_answers_cost_no_page(cli: Cli, gemini: SimulatedGemini) -> None:
    make_source(cli)
    gemini.set(recitation_always_share=0.1)
    gemini.set_batches(expire_share=0.2, expire_jobs=1, error_share=0.2, partially=1, lose_creates=1)
    done = cli.run(*OPTIONS, **gemini.variables)
    assert done.returncode == 0, done.stdout + done.stderr
    every_page_has_its_own_text(cli)
    assert {manifest["outcome"] for manifest in manifests(cli.folder / "out")} == {"complete"}
    assert max(gemini.counts()["answered"].values()) <= 2


def test_a_batch_without_gemini_is_a_wrong_usage(cli_without_ray: CliHere) -> None:
    make_pdf(cli_without_ray.folder / "in" / "a.pdf", 1)
    done = cli_without_ray.run("source=in", "dest=out", "engine=local", "engine.batch=true")
    assert done.returncode == 2
    assert "Batch API" in done.stderr


LANES = (
    *("source=in", "dest=out", "engine=gemini", "engine.chain=[gemini]", "limits.rpm=6000"),
    *("batch.linger_s=1", "batch.poll_interval_s=0.5", "retry.base_s=0.1", "engine.gemini.flex_timeout_s=5"),
)


def usd_of(cli: Cli) -> float:
    return sum(float(manifest["cost_usd"]) for manifest in manifests(cli.folder / "out"))  # type: ignore[arg-type]


def test_the_objective_cost_uses_batches_while_flex_sheds_everything(cli: Cli, gemini: SimulatedGemini) -> None:
    make_source(cli)
    gemini.set(flex_shed_share=1.0, flex_latency_s=0.1)
    done = cli.run(*LANES, "objective=cost", **gemini.variables)
    assert done.returncode == 0, done.stdout + done.stderr
    every_page_has_its_own_text(cli)
    bill = gemini.bill()
    assert set(bill["requests"]) == {"gemini-3.1-flash-lite batch"}, bill
    assert bill["pages_billed_twice"] == 0
    assert abs(float(bill["usd"]) - usd_of(cli)) < 1e-6


def test_the_objective_deadline_reads_all_pages_once_though_batches_do_not_end(cli: Cli, gemini: SimulatedGemini) -> None:
    make_source(cli)
    gemini.set(flex_shed_share=1.0, flex_latency_s=0.1)
    gemini.set_batches(job_s=1e6)
    done = cli.run(*LANES, "objective=deadline", "deadline=90s", **gemini.variables)
    assert done.returncode == 0, done.stdout + done.stderr
    every_page_has_its_own_text(cli)
    counts, bill = gemini.counts(), gemini.bill()
    assert counts["batches_cancelled"] == len(counts["batches"])  # on a busy machine there may be no batch at all
    assert (bill["pages"], bill["pages_billed_twice"]) == (PAGES, 0)
    assert abs(float(bill["usd"]) - usd_of(cli)) < 1e-6
