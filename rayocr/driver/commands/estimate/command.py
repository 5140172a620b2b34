"""Implements mode=estimate: pages, tokens, cost and time of a run, without Ray and without requests to a model. The command lists
documents as a run would, and opens all or a random sample of them, as the table states (`page_counts.py`).
"""

from __future__ import annotations

import time
from dataclasses import asdict

from rayocr.actors.discovery.actor import Discovery, DiscoveryRules
from rayocr.actors.document_worker.fetch import FetchSettings
from rayocr.config import LimitsConfig, RayocrConfig
from rayocr.driver.commands.estimate.facts import Compared, Estimate
from rayocr.driver.commands.estimate.gemini import GeminiEstimate, TokensAPage
from rayocr.driver.commands.estimate.local_engines import chain_of
from rayocr.driver.commands.estimate.page_counts import SAMPLE, count_pages
from rayocr.driver.commands.estimate.table import estimate_table
from rayocr.driver.monitor.closing.closing_table import unseen
from rayocr.driver.monitor.nothing_to_read import no_pdfs, nothing_passes, warn_of_unmatched
from rayocr.driver.monitor.run_record import RUNS_PREFIX
from rayocr.driver.monitor.terminal import ConsoleTerminal
from rayocr.driver.plan import existing_state, scope
from rayocr.driver.retry_selection import chosen_documents
from rayocr.errors import RecordCorrupt, StorageError, UsageError
from rayocr.messages import DiscoveryTotals, Document
from rayocr.observe.json_fields import ESTIMATE, SCHEMA_VERSION
from rayocr.storage.base import Storage
from rayocr.storage.memory import MemoryStorage
from rayocr.storage.uri import parse_uri
from rayocr.untrusted_json import parse_object

_EARLIER_PAGES = 50  # number of pages that earlier runs must have read before their token counts are used


_NOTHING = {"schema_version": SCHEMA_VERSION, "documents": 0, "documents_opened": 0, "unreadable": 0, "unreadable_documents": []}
_NOTHING |= {"pages": 0, "pages_error": 0, "cost_usd": 0.0}


def show_estimate(config: RayocrConfig) -> int:
    """Prints the estimate. Raises UsageError and StorageError."""
    terminal = ConsoleTerminal(config.progress)
    found = scope(config)
    state = _state(config)
    documents, totals = _unfinished(found.source, state, chosen_documents(config, found))
    warn_of_unmatched(terminal, config, totals)
    where = parse_uri(found.source.uri).display
    if (wrong := nothing_passes(config, totals) or no_pdfs(where, totals)) is not None:
        raise wrong
    if totals.unreadable:
        terminal.warn(f"{unseen(totals)}.")
    if config.source is None:
        terminal.say(f"No IN was given: estimating the bundled samples in {where}.")
    compared = Compared(source=where, place=parse_uri(config.state or config.dest).display, finished=totals.finished)
    if not documents:
        if totals.finished:
            documents_are = "the document is" if totals.finished == 1 else f"all {totals.finished:,} documents are"
            terminal.say(f"Nothing to do: {documents_are} finished in {compared.place}.")
        else:
            terminal.warn(f"There are no PDFs to read in {where}.")
        if terminal.json:
            terminal.data(dict.fromkeys(ESTIMATE) | _NOTHING | asdict(compared))
        return 0
    if len(documents) > SAMPLE:
        terminal.say(f"{len(documents):,} documents; opening a random sample of {SAMPLE} …")
    settings = FetchSettings(source_uri=found.source.uri, limits=config.limits, retry=config.retry, access=config.storage.source)
    counted = count_pages(documents, settings, look_for_text="textlayer" in chain_of(config))
    gemini = None
    if "gemini" in chain_of(config):
        tokens = earlier_tokens(state, config.limits)
        gemini = GeminiEstimate(config=config, prices=found.prices, counted=counted, tokens=tokens, now=time.time())
    estimate = Estimate(config=config, compared=compared, documents=len(documents), counted=counted, gemini=gemini)
    if terminal.json:
        terminal.data(estimate.facts())
    else:
        terminal.table(estimate_table(estimate), always=True)
    return 0


def _state(config: RayocrConfig) -> Storage:
    try:
        return existing_state(config)
    except UsageError:  # the destination has no state yet, and estimate does not create one
        return MemoryStorage("estimate")


def _unfinished(source: Storage, state: Storage, rules: DiscoveryRules) -> tuple[list[Document], DiscoveryTotals]:
    discovery = Discovery(source, state, rules)
    documents: list[Document] = []
    while True:
        batch = discovery.next_batch(1000)
        documents += batch.documents
        if batch.exhausted:
            return documents, batch.totals


def earlier_tokens(state: Storage, limits: LimitsConfig) -> TokensAPage:
    """Returns the tokens per page in earlier runs into this destination; with too few pages, the configured assumption."""
    pages = input_tokens = output_tokens = 0
    for entry in state.list(RUNS_PREFIX):
        try:
            record = parse_object(state.read(entry.name), name=entry.name)
            asked = sum(count for engine, count in record["engines"].items() if engine in ("gemini", "openai"))
            taken = int(record["input_tokens"]), int(record["output_tokens"])
        except (StorageError, RecordCorrupt, ValueError, KeyError, TypeError, AttributeError):
            continue  # a record of another version, or an incomplete one
        pages, input_tokens, output_tokens = pages + asked, input_tokens + taken[0], output_tokens + taken[1]
    if pages < _EARLIER_PAGES:
        return TokensAPage(input=limits.expected_input_tokens, output=limits.expected_output_tokens, known_from=0)
    return TokensAPage(input=input_tokens / pages, output=output_tokens / pages, known_from=pages)
