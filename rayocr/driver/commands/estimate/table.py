"""Makes the table of `mode=estimate`."""

from __future__ import annotations

import math

from rich.table import Table

from rayocr.driver.commands.estimate.facts import Estimate
from rayocr.driver.commands.estimate.gemini import TIERS, GeminiEstimate
from rayocr.driver.commands.estimate.local_engines import chain_of, lane_words, local_time
from rayocr.driver.monitor.terminal import duration, printable
from rayocr.limits.forecast import ANSWER_S


def estimate_table(estimate: Estimate) -> Table:
    counted, compared = estimate.counted, estimate.compared
    table = Table(show_header=False, box=None, pad_edge=False)
    table.add_column(style="bold")
    table.add_column(overflow="fold")
    opened = "all opened" if counted.opened == estimate.documents else f"from a random sample of {counted.opened:,}"
    unreadable = f"; {counted.unreadable:,} of them cannot be read" if counted.unreadable else ""
    done = f"{compared.finished:,} are finished there and not counted" if compared.finished else "none is finished there"
    table.add_row("Source", compared.source)
    table.add_row("Documents", f"{estimate.documents:,} to read into {compared.place}, {done} ({opened}{unreadable})")
    if names := [f"{printable(name)} ({reason})" for name, reason in counted.unreadable_documents]:
        more = f" and {counted.unreadable - len(names):,} more" if counted.unreadable > len(names) else ""
        table.add_row("Unreadable", ", ".join(names) + more)
    spread = f" ± {2 * counted.error:,.0f}" if counted.error else ""
    table.add_row("Pages", f"{'~' if spread else ''}{counted.pages:,.0f}{spread}")
    if estimate.gemini is None:
        table.add_row("Cost", "nothing is sent to Gemini with this chain: " + " → ".join(chain_of(estimate.config)))
        table.add_row("Time", local_time(estimate.config, counted))
    else:
        _add_gemini(table, estimate.gemini)
    return table


def _add_gemini(table: Table, gemini: GeminiEstimate) -> None:
    """Adds the rows of pages that are sent to Gemini."""
    tokens, pages = gemini.tokens, gemini.pages
    source = f"from {tokens.known_from:,} earlier pages" if tokens.known_from else "assumed, see limits.expected_input_tokens"
    table.add_row(
        "Tokens",
        f"{_count(pages * tokens.input)} in, {_count(pages * tokens.output)} out"
        f" ({tokens.input:,.0f} and {tokens.output:,.0f} per page, {source})",
    )
    if gemini.config.engine.uses_local_lane:
        local = f"about {gemini.counted.pages - pages:,.0f} pages at no cost"
        table.add_row("Local", f"{local}, if the local engines are sure of them; Gemini reads the others")
    table.add_row("Cost", _cost(gemini))
    table.add_row("Lanes", _lanes(gemini))
    table.add_row("Time", _time(gemini))
    table.add_row(
        "", "The estimate counts blank pages, which are not sent. It does not count repeated requests for refused pages."
    )


def _cost(gemini: GeminiEstimate) -> str:
    """Returns a range that covers the uncertainty of the pages and their tokens, and repeated requests."""
    price, budget = gemini.price, gemini.config.budget
    if price is None:
        names = "engine.gemini.input_usd_per_million= and engine.gemini.output_usd_per_million="
        return f"unknown: conf/prices.yaml has no price for {gemini.model}; set {names}"
    cost_usd, (low, high) = gemini.cost_usd, gemini.cost_range_usd
    words = f"{_usd(cost_usd)} ({_usd(low)} to {_usd(high)}) with {gemini.model} in {gemini.tier}"
    words += f", at ${price.input_usd:g} in and ${price.output_usd:g} out per 1M tokens in standard"
    if budget.usd is not None and cost_usd > budget.usd:
        affordable = gemini.pages * budget.usd / cost_usd
        words += f"; budget.usd={budget.usd:g} would stop it after about {affordable:,.0f} pages"
    if gemini.config.objective == "deadline":
        dear = gemini.cost_of(gemini.pages, "standard")
        words += f"; up to {_usd(dear)} if the deadline needs the standard tier for all of Gemini's pages"
    for name, usd in (("day", budget.usd_per_day), ("month", budget.usd_per_month)):
        if usd is not None and cost_usd > usd:
            words += f"; budget.usd_per_{name}={usd:g} spreads it over {math.ceil(cost_usd / max(usd, 1e-9)):,} {name}s"
    return words


def _lanes(gemini: GeminiEstimate) -> str:
    """Returns the cost and the time of all pages in every lane."""
    if gemini.price is None:
        return "unknown"
    words = []
    for tier in TIERS:
        takes = gemini.forecast(gemini.counted.pages, tier)
        how_long = duration(takes.seconds) if takes.binds else "as fast as the server answers"
        if tier == "flex":
            how_long += " or more, answers take 1 to 15 min"
        elif tier == "batch":
            days = math.ceil(takes.seconds / 86_400)
            how_long = "up to a day" if days == 1 else f"up to {days} days"
        words.append(f"{tier} {_usd(gemini.cost_of(gemini.counted.pages, tier))} ({how_long})")
    return "; ".join(filter(None, [*words, lane_words(gemini.config, gemini.counted.pages)]))


def _time(gemini: GeminiEstimate) -> str:
    config = gemini.config
    limits, takes = config.limits.of(gemini.model), gemini.forecast(gemini.pages)
    known = {"rpm": limits.rpm, "tpm": limits.tpm, "rpd": limits.rpd, "max_in_flight": limits.max_in_flight}
    known |= {"usd_per_10min": config.limits.usd_per_10min, "usd_per_month": config.limits.usd_per_month}
    figures = ", ".join(f"{name} {value:,.0f}" for name, value in known.items() if value is not None) or "none"
    words = "no limit is known"
    if gemini.pages < 1:
        words = local_time(config, gemini.counted)
    elif gemini.tier == "batch":
        words = f"up to {duration(takes.seconds)}: a batch takes up to a day, limited by {takes.binds}"
    elif takes.binds:
        words = f"about {duration(takes.seconds)}: limited by {takes.binds} (assuming {ANSWER_S:.0f} s per answer)"
    return f"{words} (limits: {figures})"


def _count(tokens: float) -> str:
    return f"{tokens:,.0f}" if tokens < 1e6 else f"{tokens / 1e6:,.2f} M"


def _usd(usd: float) -> str:
    return f"${usd:,.2f}" if usd >= 0.01 else f"${usd:.4f}"
