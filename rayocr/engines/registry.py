"""Defines the engine names of `engine.chain`, the kind of process that each needs, and how each is built. Imports no SDK."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rayocr.config import EngineConfig, Secrets
from rayocr.config.ranges import choose
from rayocr.engines.base import BatchQueuePort, Engine, EngineKind
from rayocr.errors import UsageError

if TYPE_CHECKING:
    from rayocr.engines.tesseract.other_scripts import OtherScripts

# A light engine takes about a millisecond per page and runs in the process of the engine after it.
_KINDS: dict[str, EngineKind] = {
    "textlayer": "compute",
    "rapidocr": "compute",
    "tesseract": "compute",
    "gemini": "wait",
    "openai": "wait",
}
_LIGHT = frozenset({"textlayer"})


def engine_names() -> tuple[str, ...]:
    return tuple(_KINDS)


def asks_a_server(engine: str) -> bool:
    """Returns whether a model writes its answers, which may contain text that is not on the page. Returns True for unknown
    names."""
    return _KINDS.get(engine, "wait") == "wait"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainLink:
    """One engine of the chain. An optional engine (`tesseract?`) is skipped if it is not installed."""

    name: str
    optional: bool

    @property
    def kind(self) -> EngineKind:
        return _KINDS[self.name]

    @property
    def is_local(self) -> bool:
        """Returns whether the engine reads any page on the local CPU or GPU. A light engine reads only some pages."""
        return self.kind == "compute" and self.name not in _LIGHT


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """Consecutive engines that run in one process: links `first` to `last` of the chain, inclusive."""

    kind: EngineKind
    first: int
    last: int


def parse_chain(words: Sequence[str]) -> tuple[ChainLink, ...]:
    """Parses `engine.chain`. Raises UsageError."""
    if not words:
        raise UsageError(
            "engine.chain is empty.", hint="Name at least one engine, for example engine.chain=[textlayer,rapidocr]."
        )
    links = tuple(ChainLink(name=word.rstrip("?"), optional=word.endswith("?")) for word in words)
    for link in links:
        if link.name not in _KINDS:
            raise UsageError(f"There is no engine {link.name!r}.", hint=choose(link.name, _KINDS))
    if len({link.name for link in links}) < len(links):
        raise UsageError("engine.chain names an engine twice.", hint="Name each engine once.")
    return links


def stages(links: Sequence[ChainLink]) -> tuple[Stage, ...]:
    """Splits the chain where the kind of process changes. Light engines belong to the stage of the next engine."""
    result: list[Stage] = []
    first = 0
    kind: EngineKind | None = None
    for position, link in enumerate(links):
        if link.name in _LIGHT:
            continue
        if kind is not None and link.kind != kind:
            last = position - 1
            while links[last].name in _LIGHT:
                last -= 1
            result.append(Stage(kind=kind, first=first, last=last))
            first = last + 1
        kind = link.kind
    result.append(Stage(kind=kind or "compute", first=first, last=len(links) - 1))
    return tuple(result)


def build_engine(
    name: str, config: EngineConfig, *, prompt: str, secrets: Secrets, batch_queue: BatchQueuePort | None = None
) -> Engine:
    """Returns a new engine, not yet opened. With a `batch_queue`, gemini submits its requests there instead of sending them."""
    if name == "textlayer":
        from rayocr.engines.textlayer import TextLayerEngine

        return TextLayerEngine()
    if name == "rapidocr":
        from rayocr.engines.rapidocr.engine import RapidOcrEngine

        settings = config.rapidocr
        return RapidOcrEngine(
            dpi=settings.dpi,
            speed=settings.speed,
            runtime=settings.runtime,
            device=settings.device,
            other_scripts=_other_scripts(config),
        )
    if name == "tesseract":
        from rayocr.engines.tesseract.engine import TesseractEngine

        return TesseractEngine(languages=list(config.tesseract.languages), dpi=config.tesseract.dpi)
    if name == "openai":
        from rayocr.engines.openai.engine import OpenAIEngine

        return OpenAIEngine(config.openai, prompt=prompt, secrets=secrets)
    assert name == "gemini", name
    if config.lanes:
        from rayocr.engines.gemini.lanes import GeminiLanes

        return GeminiLanes(config.gemini, names=config.lanes, prompt=prompt, secrets=secrets, batch_queue=batch_queue)
    if batch_queue is not None:
        from rayocr.engines.gemini.batch import GeminiBatchEngine

        return GeminiBatchEngine(config.gemini, prompt=prompt, secrets=secrets, batch_queue=batch_queue)
    from rayocr.engines.gemini.engine import GeminiEngine

    return GeminiEngine(config.gemini, prompt=prompt, secrets=secrets)


def can_add_tesseract(engines: Sequence[Engine | None]) -> bool:
    """Returns whether Tesseract is installed with language packs, but is not one of the engines of the chain."""
    from rayocr.engines.tesseract.engine import TesseractEngine

    in_chain = any(engine is not None and engine.name == TesseractEngine.name for engine in engines)
    return not in_chain and TesseractEngine.has_packs()


def _other_scripts(config: EngineConfig) -> OtherScripts | None:
    """Returns Tesseract for single lines of a page if it is in the chain, installed, and set to choose its language packs."""
    from rayocr.engines.tesseract.engine import TesseractEngine
    from rayocr.engines.tesseract.other_scripts import OtherScripts

    in_chain = any(link.name == "tesseract" for link in parse_chain(config.chain)) if config.chain else False
    if not in_chain or list(config.tesseract.languages) != ["auto"] or not TesseractEngine.available():
        return None
    return OtherScripts()
