from __future__ import annotations

import random

import pytest

from rayocr.actors.discovery.actor import Discovery, DiscoveryRules
from rayocr.actors.discovery.digest_table import DigestTable
from rayocr.storage.memory import MemoryStorage


def listed(**rules: object) -> list[str]:
    instants = iter([30.0, 10.0, 20.0, 20.0])
    source, state = MemoryStorage("ordered", clock=lambda: next(instants)), MemoryStorage("ordered-state")
    source.clear()
    for name, size in (("c.pdf", 5), ("a.pdf", 50), ("d.pdf", 1), ("b.pdf", 20)):
        source.write(name, b"x" * size)
    found = Discovery(source, state, DiscoveryRules(**rules))  # type: ignore[arg-type]
    names = [document.name for document in found.next_batch(10).documents]
    source.clear()
    return names


@pytest.mark.parametrize(
    ("order", "names"),
    [
        ("listing", ["a.pdf", "b.pdf", "c.pdf", "d.pdf"]),
        ("name", ["a.pdf", "b.pdf", "c.pdf", "d.pdf"]),
        ("newest", ["c.pdf", "b.pdf", "d.pdf", "a.pdf"]),
        ("oldest", ["a.pdf", "b.pdf", "d.pdf", "c.pdf"]),
        ("smallest", ["d.pdf", "c.pdf", "b.pdf", "a.pdf"]),
        ("largest", ["a.pdf", "b.pdf", "c.pdf", "d.pdf"]),
    ],
)
def test_documents_come_in_the_order_that_was_asked_for(order: str, names: list[str]) -> None:
    assert listed(order=order) == names
    assert listed(order=order, limit=2) == names[:2]


def test_sizes_choose_documents() -> None:
    assert listed(min_bytes=5, max_bytes=20) == ["b.pdf", "c.pdf"]


def test_a_packed_table_holds_what_a_set_would() -> None:
    chance = random.Random(7)
    keys = [chance.randbytes(16) for _ in range(5000)]
    table, there = DigestTable(key_bytes=16), set(keys[:2500])
    for key in keys[:2500]:
        assert table.add(key)
        assert not table.add(key)
    assert [key in table for key in keys] == [key in there for key in keys]
    assert (len(table), set(table)) == (2500, there)
    for key in keys[::2]:
        table.discard(key)
    there -= set(keys[::2])
    assert (len(table), set(table)) == (len(there), there)


def test_a_packed_map_gives_the_first_value_and_is_not_misled_by_bytes_across_records() -> None:
    table = DigestTable(key_bytes=2, value_bytes=2)
    table.add(b"\x00\x01", b"\x00\x02")
    table.add(b"\x10\x01", b"\x10\x02")  # of the same bucket: 0x001 and 0x001 of 4096
    assert table.get(b"\x00\x02") is None
    assert table.get(b"\x00\x01") == b"\x00\x02"
    assert table.get(b"\x10\x01") == b"\x10\x02"
    assert not table.add(b"\x00\x01", b"zz")
    assert table.get(b"\x00\x01") == b"\x00\x02"
