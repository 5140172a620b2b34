"""docs/licences.md lists the packages that requirements.lock pins."""

from __future__ import annotations

import re
import runpy
from importlib import metadata
from pathlib import Path

DOCS = Path(__file__).parents[3] / "docs"


def test_the_licences_are_those_of_the_lock() -> None:
    page = (DOCS / "licences.md").read_text()
    listed = dict(re.findall(r"^\| ([A-Za-z0-9._-]+) \| ([^ |]+) \| \S", page, re.MULTILINE))
    installed = {re.sub(r"[-_.]+", "-", d.metadata["Name"]).lower() for d in metadata.distributions()}
    locked = runpy.run_path(str(DOCS / "generate_licences.py"))["locked"]()
    there = {name: version for name, version in locked.items() if re.sub(r"[-_.]+", "-", name).lower() in installed}
    assert there.items() <= listed.items(), "run `make docs`"
    assert "UNKNOWN" not in page


def test_every_font_and_model_of_the_packages_has_its_line() -> None:
    page = (DOCS / "licences.md").read_text()
    carriers = {
        distribution.metadata["Name"]
        for distribution in metadata.distributions()
        for file in distribution.files or ()
        if file.suffix in (".ttf", ".otf", ".ttc") or (file.suffix == ".onnx" and "datasets" not in file.parts)
    }
    locked = runpy.run_path(str(DOCS / "generate_licences.py"))["locked"]()
    for name in carriers & set(locked):
        assert name in page, f"{name} ships fonts or models"
