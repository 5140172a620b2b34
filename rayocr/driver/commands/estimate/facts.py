"""Holds the result of `mode=estimate`, and makes the object for `--json` of it."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from rayocr.config import RayocrConfig
from rayocr.driver.commands.estimate.gemini import TIERS, GeminiEstimate
from rayocr.driver.commands.estimate.local_engines import LOCAL_SPREAD, chain_of, local_seconds
from rayocr.driver.commands.estimate.page_counts import PageCount
from rayocr.observe.json_fields import ESTIMATE, SCHEMA_VERSION


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """The documents that a run would read. `place`: the destination or state whose finished documents are not counted;
    `finished`: how many of the source's documents are finished there."""

    source: str
    place: str
    finished: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """The result. `documents`: number of documents to read. `gemini`: None if the chain does not contain Gemini."""

    config: RayocrConfig
    compared: Compared
    documents: int
    counted: PageCount
    gemini: GeminiEstimate | None

    def facts(self) -> dict[str, object]:
        """Returns the object for `--json`. `pages_error`: two standard errors. `cost_usd`: None if the price is unknown."""
        unreadable = [{"name": name, "reason": reason} for name, reason in self.counted.unreadable_documents]
        facts: dict[str, object] = {
            "schema_version": SCHEMA_VERSION,
            "documents": self.documents,
            "documents_opened": self.counted.opened,
            "unreadable": self.counted.unreadable,
            "unreadable_documents": unreadable,
            "pages": round(self.counted.pages),
            "pages_error": round(2 * self.counted.error),
            "chain": chain_of(self.config),
        }
        facts |= self._of_local_engines() if self.gemini is None else self._of_gemini(self.gemini)
        return dict.fromkeys(ESTIMATE) | facts | asdict(self.compared)

    def _of_local_engines(self) -> dict[str, object]:
        seconds = local_seconds(self.config, self.counted)
        return {
            "pages_with_text": round(self.counted.with_text),
            "seconds": seconds and round(seconds, 1),
            "seconds_range": [round(seconds * factor, 1) for factor in LOCAL_SPREAD] if seconds is not None else None,
            "cost_usd": 0.0,
        }

    def _of_gemini(self, gemini: GeminiEstimate) -> dict[str, object]:
        pages, is_priced = gemini.pages, gemini.price is not None
        takes = gemini.forecast(pages)
        lanes_usd = {tier: gemini.cost_of(self.counted.pages, tier) for tier in TIERS}
        local: dict[str, object] = {}
        if self.config.engine.uses_local_lane:
            lanes_usd["local"] = 0.0
            local["pages_local"] = round(self.counted.pages - pages)
        return local | {
            "model": gemini.model,
            "tier": gemini.tier,
            "input_tokens": round(pages * gemini.tokens.input),
            "output_tokens": round(pages * gemini.tokens.output),
            "cost_usd": gemini.cost_usd if is_priced else None,
            "cost_usd_range": list(gemini.cost_range_usd) if is_priced else None,
            "lanes_usd": lanes_usd if is_priced else None,
            "seconds": local_seconds(self.config, self.counted) if pages < 1 else takes.seconds if takes.binds else None,
            "limited_by": takes.binds if pages >= 1 else None,
        }
