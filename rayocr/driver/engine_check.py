"""Checks that this machine has the programs and packages of the engines, before Ray starts."""

from __future__ import annotations

from collections.abc import Iterable

from rayocr.config import INPROCESS, RayocrConfig, Secrets
from rayocr.driver.cluster.addresses import find_address
from rayocr.engines.registry import ChainLink, build_engine
from rayocr.engines.tesseract.engine import TesseractEngine
from rayocr.extras import require


def check_engines(config: RayocrConfig, links: Iterable[ChainLink]) -> None:
    """Checks the engines. Raises EngineUnavailable and UsageError. Skips clusters, whose nodes have their own programs, and
    optional engines (`tesseract?`) that are not installed."""
    if config.cluster not in ("auto", "local", INPROCESS) or (config.cluster == "auto" and find_address("auto") is not None):
        return
    optional = {link.name: link.optional for link in links}
    if "rapidocr" in optional and config.engine.rapidocr.runtime == "openvino":
        require("openvino", "engine.rapidocr.runtime=openvino")
    chosen = list(config.engine.tesseract.languages) != ["auto"]
    if "tesseract" in optional and (not optional["tesseract"] or (chosen and TesseractEngine.available())):
        build_engine("tesseract", config.engine, prompt="", secrets=Secrets()).open()
