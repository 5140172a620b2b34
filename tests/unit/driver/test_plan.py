from __future__ import annotations

from pathlib import Path

from rayocr.actors.discovery.actor import Discovery, DiscoveryRules
from rayocr.composition import compose
from rayocr.driver.plan import scope
from rayocr.storage.memory import MemoryStorage


def rules(source: Path, dest: Path) -> DiscoveryRules:
    overrides = [f"source={source}", f"dest={dest}", "allow_dest_in_source=true", "engine=textlayer"]
    return DiscoveryRules(exclude=scope(compose(overrides)).exclude)


def test_pdfs_that_were_written_beside_their_sources_are_not_read(tmp_path: Path) -> None:
    admitted = rules(tmp_path, tmp_path)
    assert admitted.admits("2024/a.pdf")
    assert not admitted.admits("2024/a.clean.pdf")


def test_elsewhere_a_source_may_have_the_name_of_an_output(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    assert rules(tmp_path / "in", tmp_path / "out").admits("a.clean.pdf")
    inside = rules(tmp_path / "in", tmp_path / "in" / "out")
    assert inside.admits("a.clean.pdf")
    assert not inside.admits("out/a.clean.pdf")


def test_one_file_may_be_read_into_its_own_folder_where_nothing_else_is_read(tmp_path: Path) -> None:
    (tmp_path / "a.pdf").write_bytes(b"")
    found = scope(compose([f"source={tmp_path / 'a.pdf'}", f"dest={tmp_path}", "engine=textlayer"]))
    admitted = DiscoveryRules(include=found.include, exclude=found.exclude)
    assert admitted.admits("a.pdf")
    assert not admitted.admits("a.clean.pdf")
    assert not admitted.admits("b.pdf")


def test_nothing_that_lies_beside_one_file_is_looked_at(tmp_path: Path) -> None:
    (tmp_path / "a.pdf").write_bytes(b"a")
    (tmp_path / "b.pdf").symlink_to("nowhere")
    found = scope(compose([f"source={tmp_path / 'a.pdf'}", f"dest={tmp_path / 'out'}", "engine=textlayer"]))
    rules = DiscoveryRules(only=found.only, include=found.include, exclude=found.exclude)
    batch = Discovery(found.source, MemoryStorage("state"), rules).next_batch(10)
    assert ([document.name for document in batch.documents], batch.exhausted) == (["a.pdf"], True)
    assert (batch.totals.found, batch.totals.unreadable) == (1, 0)
    (tmp_path / "a.pdf").unlink()
    assert Discovery(found.source, MemoryStorage("state"), rules).next_batch(10).exhausted
