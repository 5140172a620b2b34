from __future__ import annotations

from rayocr.actors.page_worker.process_load import ProcessLoad


def test_the_share_is_of_the_last_two_seconds_or_more() -> None:
    now = used = 0.0
    load = ProcessLoad(clock=lambda: now, cpu=lambda: used)
    now, used = 1.0, 1.0
    assert load.share() == 0.0
    now, used = 2.0, 1.8
    assert load.share() == 0.9
    now, used = 5.0, 1.8
    assert load.share() == 0.0
