"""What the command line says about engines: those that a run asks, and options of others, which have no effect."""

from __future__ import annotations

from collections.abc import Collection

from rayocr.config import RayocrConfig
from rayocr.engines.registry import engine_names


def chain_words(config: RayocrConfig, given: Collection[str]) -> str:
    """Names the engines of the chain. `given`: the names of the options of the command line."""
    chain = " → ".join(name.rstrip("?") for name in config.engine.chain)
    if config.engine.name == "local":
        return f"reading with {chain} (local; set GEMINI_API_KEY to read with Gemini)"
    if "gemini" in config.engine.chain and not {"engine", "engine.chain"} & set(given):
        return f"reading with {chain} (a key is set, so pages are sent to Google; engine=local reads on this machine only)"
    return f"reading with {chain}"


def unused_engine_options(config: RayocrConfig, given: Collection[str]) -> str:
    """Returns the warning about options of engines that the chain does not ask; "" if there are none."""
    chain = {name.rstrip("?") for name in config.engine.chain}
    unused = sorted(option for option in given if (engine := engine_of_option(option)) and engine not in chain)
    if not unused:
        return ""
    engine = engine_of_option(unused[0])
    has = "has" if len(unused) == 1 else "have"
    names = ", ".join(unused)
    return f"{names} {has} no effect, because the chain does not ask {engine}. To read with it, set engine={engine}."


def engine_of_option(option: str) -> str:
    """Returns the engine of an option such as engine.gemini.prompt; "" for other options."""
    group, _, rest = option.partition(".")
    engine = rest.partition(".")[0]
    return engine if group == "engine" and engine in engine_names() and "." in rest else ""
