from __future__ import annotations

from rayocr.composition import compose, price_table
from rayocr.driver.monitor.watches.deadline_watch import DeadlineWatch
from rayocr.driver.scheduling.progress import Progress

NOW = 1_795_000_000.0


class Limiter:
    def __init__(self) -> None:
        self.told: list[str] = []

    async def prefer(self, tier: str) -> None:
        self.told.append(tier)


async def test_pages_change_to_standard_when_flex_would_miss_the_deadline_and_the_user_hears_of_it() -> None:
    """3,600 pages at 60 a minute take an hour in standard."""
    config = compose(["engine=gemini", "objective=deadline", "deadline=3h", "limits.rpm=60", "limits.headroom=0"], {})
    assert config.engine.gemini.tier == "auto"
    limiter, now = Limiter(), NOW
    said: list[str] = []
    progress = Progress(pages_known=3600, documents_started=1)
    watch = DeadlineWatch(
        limiter, progress, config, price_table(config), deadline_at=NOW + 3 * 3600, say=said.append, wall_clock=lambda: now
    )
    await watch.poll()
    now += 1.9 * 3600
    await watch.poll()
    progress.pages_done = 1800  # half an hour is enough for the rest
    await watch.poll()
    assert limiter.told == ["flex", "standard", "flex"]
    assert len(said) == 2
