"""Implements mode=estimate: pages, tokens, cost and time of a run, without Ray and without calling a model. The command lists
documents as a run would, and opens all or a random sample of them, as the table states (`page_counts.py`).
"""

from __future__ import annotations

import math
import time
from dataclasses import asdict, dataclass, replace

from rich.table import Table

from rayocr.actors.discovery.actor import Discovery, DiscoveryRules
from rayocr.actors.document_worker.fetch import FetchSettings
from rayocr.config import LimitsConfig, RayocrConfig
from rayocr.driver.commands.local_engines import (
    LOCAL_SPREAD,
    SCAN_CPU_S,
    chain_of,
    lane_words,
    local_pages,
    local_seconds,
    local_time,
)
from rayocr.driver.commands.page_counts import SAMPLE, PageCount, count_pages
from rayocr.driver.monitor.closing.closing_table import unseen
from rayocr.driver.monitor.nothing_to_read import no_pdfs, nothing_passes, warn_of_unmatched
from rayocr.driver.monitor.run_record import RUNS_PREFIX
from rayocr.driver.monitor.terminal import ConsoleTerminal, duration, printable
from rayocr.driver.plan import existing_state, scope
from rayocr.driver.retry_selection import chosen_documents
from rayocr.errors import RecordCorrupt, StorageError, UsageError
from rayocr.limits.deadline import parse_deadline
from rayocr.limits.forecast import ANSWER_S, Forecast, batch_forecast, forecast
from rayocr.limits.lanes import LOCAL
from rayocr.limits.prices import PriceTable
from rayocr.messages import DiscoveryTotals, Document
from rayocr.observe.json_fields import ESTIMATE, SCHEMA_VERSION
from rayocr.storage.base import Storage
from rayocr.storage.memory import MemoryStorage
from rayocr.storage.uri import parse_uri
from rayocr.untrusted_json import parse_object

_TIERS = ("standard", "flex", "batch", "priority")
_KNOWN_TOKENS = (0.9, 1.15)  # uncertainty of the cost, based on earlier pages of this destination; includes repeated requests
_EXPECTED_TOKENS = (0.4, 2.5)  # assumed uncertainty of the cost without earlier pages, for sparse and for dense pages
_EARLIER_PAGES = 50  # number of pages that earlier runs must have read before their token counts are used


@dataclass(frozen=True, slots=True, kw_only=True)
class TokensAPage:
    input: float
    output: float
    known_from: int  # number of pages of earlier runs; 0 if the counts are assumptions


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """The documents that a run would read. `place`: the destination or state whose finished documents are not counted;
    `finished`: how many of the source's documents are finished there."""

    source: str
    place: str
    finished: int


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
    finished = totals.finished
    if config.source is None:
        terminal.say(f"No IN was given: estimating the bundled samples in {where}.")
    compared = Compared(source=where, place=parse_uri(config.state or config.dest).display, finished=finished)
    if not documents:
        if finished:
            documents_are = "the document is" if finished == 1 else f"all {finished:,} documents are"
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
    tokens = earlier_tokens(state, config.limits)
    if terminal.json:
        terminal.data(dict.fromkeys(ESTIMATE) | _facts(config, found.prices, len(documents), counted, tokens) | asdict(compared))
    else:
        terminal.table(_table(config, found.prices, len(documents), counted, tokens, compared), always=True)
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


def _asks_gemini(config: RayocrConfig) -> bool:
    return "gemini" in chain_of(config)


def _facts(
    config: RayocrConfig, prices: PriceTable, documents: int, counted: PageCount, tokens: TokensAPage
) -> dict[str, object]:
    """Returns the estimate for `--json`. `pages_error` is two standard errors; `cost_usd` is None where the price is unknown."""
    facts: dict[str, object] = {
        "schema_version": SCHEMA_VERSION,
        "documents": documents,
        "documents_opened": counted.opened,
        "unreadable": counted.unreadable,
    }
    facts |= {"unreadable_documents": [{"name": name, "reason": reason} for name, reason in counted.unreadable_documents]}
    facts |= {"pages": round(counted.pages), "pages_error": round(2 * counted.error), "chain": chain_of(config)}
    if not _asks_gemini(config):
        seconds = local_seconds(config, counted)
        spread = [round(seconds * factor, 1) for factor in LOCAL_SPREAD] if seconds is not None else None
        facts |= {"pages_with_text": round(counted.with_text), "seconds": seconds and round(seconds, 1), "seconds_range": spread}
        return facts | {"cost_usd": 0.0}
    model, tier, now = config.engine.gemini.ladder[0], _tier(config), time.time()
    known = prices.price(model, now) is not None
    sent = _sent(config, prices, model, counted, tokens)
    takes = _forecast(config, prices, model, sent, tokens)
    low, high = _range(config, prices, model, counted, tokens, now)
    lanes_usd = {name: _cost(prices, model, counted.pages, tokens, name, now) for name in _TIERS}
    if config.engine.uses_local_lane:
        facts["pages_local"] = round(counted.pages - sent.pages)
        lanes_usd["local"] = 0.0
    return facts | {
        "model": model,
        "tier": tier,
        "input_tokens": round(sent.pages * tokens.input),
        "output_tokens": round(sent.pages * tokens.output),
        "cost_usd": _cost(prices, model, sent.pages, tokens, tier, now) if known else None,
        "cost_usd_range": [low, high] if known else None,
        "lanes_usd": lanes_usd if known else None,
        "seconds": local_seconds(config, counted) if sent.pages < 1 else takes.seconds if takes.binds else None,
        "limited_by": takes.binds if sent.pages >= 1 else None,
    }


def _sent(
    config: RayocrConfig,
    prices: PriceTable,
    model: str,
    counted: PageCount,
    tokens: TokensAPage,
    *,
    page_s: float = SCAN_CPU_S,
) -> PageCount:
    """Returns the pages that Gemini reads, if local engines read others at `page_s` CPU seconds each."""
    within_s = parse_deadline(config.deadline, now=time.time()) - time.time() if config.deadline is not None else None
    server_s = _forecast(config, prices, model, counted, tokens).seconds
    local = local_pages(config, counted.pages, server_s=server_s, within_s=within_s, page_s=page_s)
    return replace(counted, pages=counted.pages - local)


def _forecast(
    config: RayocrConfig, prices: PriceTable, model: str, counted: PageCount, tokens: TokensAPage, tier: str | None = None
) -> Forecast:
    """Forecasts time and cost in this service tier, or in that of most pages."""
    tier = tier or _tier(config)
    if tier == "batch":
        return batch_forecast(
            counted.pages,
            input_tokens=counted.pages * tokens.input,
            most_pages=min(config.window.pages, config.batch.max_jobs * config.batch.max_pages),
            enqueued_tokens=config.batch_limits.enqueued_tokens,
            cost_usd=_cost(prices, model, counted.pages, tokens, tier, time.time()),
            usd_per_month=config.limits.usd_per_month,
        )
    takes = forecast(
        counted.pages,
        input_tokens=counted.pages * tokens.input,
        limits=config.limits.of(model),
        headroom=config.limits.headroom,
        cost_usd=_cost(prices, model, counted.pages, tokens, tier, time.time()),
        usd_per_10min=config.limits.usd_per_10min,
        usd_per_month=config.limits.usd_per_month,
    )
    # The last page is sent within this time and then answered. The limit of max_in_flight depends on the response time.
    waits = bool(takes.binds) and takes.binds != "max_in_flight" and counted.pages > 0
    return replace(takes, seconds=takes.seconds + ANSWER_S) if waits else takes


def _table(
    config: RayocrConfig, prices: PriceTable, documents: int, counted: PageCount, tokens: TokensAPage, compared: Compared
) -> Table:
    table = Table(show_header=False, box=None, pad_edge=False)
    table.add_column(style="bold")
    table.add_column(overflow="fold")
    opened = "all opened" if counted.opened == documents else f"from a random sample of {counted.opened:,}"
    unreadable = f"; {counted.unreadable:,} of them cannot be read" if counted.unreadable else ""
    done = f"{compared.finished:,} are finished there and not counted" if compared.finished else "none is finished there"
    table.add_row("Source", compared.source)
    table.add_row("Documents", f"{documents:,} to read into {compared.place}, {done} ({opened}{unreadable})")
    if names := [f"{printable(name)} ({reason})" for name, reason in counted.unreadable_documents]:
        more = f" and {counted.unreadable - len(names):,} more" if counted.unreadable > len(names) else ""
        table.add_row("Unreadable", ", ".join(names) + more)
    spread = f" ± {2 * counted.error:,.0f}" if counted.error else ""
    table.add_row("Pages", f"{'~' if spread else ''}{counted.pages:,.0f}{spread}")
    if not _asks_gemini(config):
        table.add_row("Cost", "nothing is sent to Gemini with this chain: " + " → ".join(chain_of(config)))
        table.add_row("Time", local_time(config, counted))
        return table
    _add_gemini(table, config, prices, counted, tokens)
    return table


def _add_gemini(table: Table, config: RayocrConfig, prices: PriceTable, counted: PageCount, tokens: TokensAPage) -> None:
    """Adds the rows of pages that are sent to Gemini."""
    model = config.engine.gemini.ladder[0]
    source = f"from {tokens.known_from:,} earlier pages" if tokens.known_from else "assumed, see limits.expected_input_tokens"
    sent = _sent(config, prices, model, counted, tokens)
    table.add_row(
        "Tokens",
        f"{_count(sent.pages * tokens.input)} in, {_count(sent.pages * tokens.output)} out"
        f" ({tokens.input:,.0f} and {tokens.output:,.0f} per page, {source})",
    )
    if config.engine.uses_local_lane:
        local = counted.pages - sent.pages
        table.add_row(
            "Local", f"about {local:,.0f} pages at no cost, if the local engines are sure of them; Gemini reads the others"
        )
    table.add_row("Cost", _cost_words(config, prices, model, counted, tokens))
    limits = config.limits.of(model)
    takes = _forecast(config, prices, model, sent, tokens)
    known = {"rpm": limits.rpm, "tpm": limits.tpm, "rpd": limits.rpd, "max_in_flight": limits.max_in_flight}
    known |= {"usd_per_10min": config.limits.usd_per_10min, "usd_per_month": config.limits.usd_per_month}
    figures = ", ".join(f"{name} {value:,.0f}" for name, value in known.items() if value is not None) or "none"
    assumed = f" (assuming {ANSWER_S:.0f} s per answer)"
    words = f"about {duration(takes.seconds)}: limited by {takes.binds}{assumed}" if takes.binds else "no limit is known"
    if _tier(config) == "batch":
        words = f"up to {duration(takes.seconds)}: a batch takes up to a day, limited by {takes.binds}"
    if sent.pages < 1:
        words = local_time(config, counted)
    table.add_row("Lanes", _lanes(config, prices, model, counted, tokens))
    table.add_row("Time", f"{words} (limits: {figures})")
    table.add_row(
        "",
        "The estimate counts blank pages, which are not sent. It does not count repeated requests for refused pages.",
    )


def _count(tokens: float) -> str:
    return f"{tokens:,.0f}" if tokens < 1e6 else f"{tokens / 1e6:,.2f} M"


def _cost_words(config: RayocrConfig, prices: PriceTable, model: str, counted: PageCount, tokens: TokensAPage) -> str:
    """Returns a range that covers the uncertainty of the pages and their tokens, and repeated requests."""
    now, tier = time.time(), _tier(config)
    price = prices.price(model, now)
    if price is None:
        names = "engine.gemini.input_usd_per_million= and engine.gemini.output_usd_per_million="
        return f"unknown: conf/prices.yaml has no price for {model}; set {names}"
    sent = _sent(config, prices, model, counted, tokens)
    cost_usd = _cost(prices, model, sent.pages, tokens, tier, now)
    low, high = _range(config, prices, model, counted, tokens, now)
    words = f"{_usd(cost_usd)} ({_usd(low)} to {_usd(high)}) with {model} in {tier}"
    words += f", at ${price.input_usd:g} in and ${price.output_usd:g} out per 1M tokens in standard"
    if config.budget.usd is not None and cost_usd > config.budget.usd:
        affordable = sent.pages * config.budget.usd / cost_usd
        words += f"; budget.usd={config.budget.usd:g} would stop it after about {affordable:,.0f} pages"
    if config.objective == "deadline":
        dear = _cost(prices, model, sent.pages, tokens, "standard", now)
        words += f"; up to {_usd(dear)} if the deadline needs the standard tier for all of Gemini's pages"
    for name, usd in (("day", config.budget.usd_per_day), ("month", config.budget.usd_per_month)):
        if usd is not None and cost_usd > usd:
            words += f"; budget.usd_per_{name}={usd:g} spreads it over {math.ceil(cost_usd / max(usd, 1e-9)):,} {name}s"
    return words


def _range(
    config: RayocrConfig, prices: PriceTable, model: str, counted: PageCount, tokens: TokensAPage, now: float
) -> tuple[float, float]:
    """Returns the lowest and the highest cost that are likely, in USD: they depend on the pages and on the speed of local
    engines."""
    costs = []
    for unsure, sign, speed in zip(_KNOWN_TOKENS if tokens.known_from else _EXPECTED_TOKENS, (-1, 1), LOCAL_SPREAD, strict=True):
        pages = replace(counted, pages=max(0.0, counted.pages + sign * 2 * counted.error))
        sent = _sent(config, prices, model, pages, tokens, page_s=SCAN_CPU_S * speed)
        costs.append(_cost(prices, model, sent.pages, tokens, _tier(config), now) * unsure)
    return costs[0], costs[1]


def _lanes(config: RayocrConfig, prices: PriceTable, model: str, counted: PageCount, tokens: TokensAPage) -> str:
    """Returns the cost and the time of the same pages in every lane."""
    now = time.time()
    if prices.price(model, now) is None:
        return "unknown"
    words = []
    for tier in _TIERS:
        takes = _forecast(config, prices, model, counted, tokens, tier)
        how_long = duration(takes.seconds) if takes.binds else "as fast as the server answers"
        if tier == "flex":
            how_long += " or more, answers take 1 to 15 min"
        elif tier == "batch":
            days = math.ceil(takes.seconds / 86_400)
            how_long = "up to a day" if days == 1 else f"up to {days} days"
        words.append(f"{tier} {_usd(_cost(prices, model, counted.pages, tokens, tier, now))} ({how_long})")
    return "; ".join(filter(None, [*words, lane_words(config, counted.pages)]))


def _tier(config: RayocrConfig) -> str:
    """Returns the service tier of most pages. An objective uses a cheap lane as far as the time allows."""
    gemini = config.engine.gemini.tier
    if config.engine.lanes:
        return "flex" if "flex" in config.engine.lanes else next(lane for lane in config.engine.lanes if lane != LOCAL)
    return "batch" if config.engine.batch else "flex" if gemini == "auto" else gemini


def _cost(prices: PriceTable, model: str, pages: float, tokens: TokensAPage, tier: str, now: float) -> float:
    return prices.cost_usd(model, input_tokens=pages * tokens.input, output_tokens=pages * tokens.output, at=now, tier=tier)


def _usd(usd: float) -> str:
    return f"${usd:,.2f}" if usd >= 0.01 else f"${usd:.4f}"
