from __future__ import annotations

from pathlib import Path

from rayocr.actors.discovery import DiscoveryRules
from rayocr.composition import compose
from rayocr.driver.preflight import scope


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
