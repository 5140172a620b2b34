from __future__ import annotations

from rayocr.driver.cluster.pools.shard_sizer import ShardSizer
from rayocr.messages import PageOutcome, PageSummary, Shard, ShardReport


def report(document_id: str, pages: int, compute_s: float) -> ShardReport:
    summaries = tuple(PageSummary(page_number=n, outcome=PageOutcome.DONE) for n in range(pages))
    return ShardReport(document_id=document_id, pages=summaries, compute_s=compute_s)


def sizer() -> ShardSizer:
    return ShardSizer("compute", target_s=2.0, max_pages=64)


def test_the_first_shards_are_short() -> None:
    assert sizer().pages("d") == 4
    assert sizer().pages("d", left=100, workers=2) == 4
    assert sizer().pages("d", left=8, workers=2) == 2


def test_slow_pages_make_short_shards() -> None:
    s = sizer()
    s.learn(report("d", 4, 10.0))
    assert s.pages("d") == 1


def test_fast_pages_make_the_longest_shards() -> None:
    s = sizer()
    s.learn(report("d", 4, 0.004))
    assert s.pages("d") == 64


def test_a_document_is_judged_by_its_own_pages_first() -> None:
    s = sizer()
    s.learn(report("scan", 1, 2.0))
    s.learn(report("born-digital", 50, 0.05))
    assert s.pages("scan") == 1
    assert s.pages("born-digital") == 64


def test_an_empty_report_teaches_nothing() -> None:
    s = sizer()
    s.learn(report("d", 0, 1.0))
    assert s.pages("d") == 4


def test_the_load_of_a_shard_is_its_estimated_time() -> None:
    s = sizer()
    s.learn(report("d", 4, 2.0))
    assert s.load(Shard(document_id="d", page_numbers=(1, 2))) == 1.0


def test_shards_for_waiting_engines_are_long_and_loaded_by_pages() -> None:
    s = ShardSizer("wait", target_s=2.0, max_pages=32)
    assert s.pages("d") == 32
    assert s.load(Shard(document_id="d", page_numbers=(1, 2, 3))) == 3.0


def test_shards_for_waiting_engines_come_back_every_ten_seconds_at_the_pace_of_all() -> None:
    now = 100.0
    s = ShardSizer("wait", target_s=2.0, max_pages=32, pages_per_s=15 / 60, clock=lambda: now)
    assert s.pages("d") == 2  # at 15 per minute
    for second in range(1, 11):
        now = 100.0 + second
        s.learn(report("d", 3, 5.0))
    assert s.pages("d") == s.pages("never seen") == 30  # 3 per second
    now += 1000.0
    s.learn(report("d", 1, 5.0))
    assert s.pages("d") == 1
    now += 10.0
    s.learn(report("d", 100, 5.0))
    assert s.pages("d") == 32


def test_shards_of_a_batch_are_long_however_late_they_come_back() -> None:
    now = 0.0
    s = ShardSizer("wait", target_s=2.0, max_pages=32, pages_per_s=0.1, paced=False, clock=lambda: now)
    assert s.pages("d") == 32
    now = 3600.0
    s.learn(report("d", 32, 3600.0))
    assert s.pages("d") == 32


def test_memory_of_documents_is_bounded() -> None:
    s = sizer()
    for number in range(2_000):
        s.learn(report(str(number), 1, 1.0))
    assert len(s._by_document) <= 512


def test_the_last_shards_of_a_document_are_short_so_that_its_workers_finish_together() -> None:
    s = sizer()
    s.learn(report("d", 4, 1.6))  # 0.4 s per page
    left, cuts = 24, []
    while left:
        cuts.append(min(s.pages("d", left=left, workers=2), left))
        left -= cuts[-1]
    assert cuts[:2] == [5, 4]
    assert cuts[-4:] == [1, 1, 1, 1]


def test_pages_that_take_milliseconds_are_not_sent_one_by_one_at_the_end_of_a_document() -> None:
    s = sizer()
    s.learn(report("d", 4, 0.02))  # 5 ms per page
    assert s.pages("d", left=10, workers=4) == 50
