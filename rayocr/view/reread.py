"""Selects the engines and prompts with which a user of the view may read a page again."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from rayocr.api.reading import Cancellable
from rayocr.api.review.reread import NewReading
from rayocr.api.review.reviewer import Reviewer
from rayocr.composition import conf_dir
from rayocr.config import RayocrConfig, Secrets
from rayocr.config.engines import OpenAIConfig
from rayocr.engines.registry import asks_a_server, engine_names
from rayocr.engines.tesseract.engine import TesseractEngine
from rayocr.errors import UsageError
from rayocr.ledger.manifest import Manifest

ENGINES = ("local", *engine_names())


@dataclass(slots=True)
class Rereader:
    """Reads one page at a time, since a reading may use all cores, and a server's answers cost money."""

    reviewer: Reviewer
    overrides: Sequence[str] = ()  # options of the command line for reading
    missing: Mapping[str, str] = field(default_factory=dict)  # engines that cannot be used here, with the reasons
    _turn: threading.Lock = field(default_factory=threading.Lock)

    def read(
        self, manifest: Manifest, page_number: int, *, engine: str, prompt: str = "", reading: Cancellable | None = None
    ) -> NewReading:
        """Reads the page again. Blocks. Raises RayocrError, like `Reviewer.read_again`."""
        if engine not in ENGINES:
            raise UsageError(f"Unknown engine {engine!r}.", hint=f"Choose one of {', '.join(ENGINES)}.")
        if engine in self.missing:
            raise UsageError(f"{engine} cannot read pages in this view.", hint=self.missing[engine])
        options: dict[str, Any] = {"engine": engine}
        if prompt:
            if prompt not in prompts():
                raise UsageError(f"Unknown prompt {prompt!r}.", hint=f"Choose one of {', '.join(prompts())}.")
            if not takes_prompt(engine):
                raise UsageError(f"engine={engine} takes no prompt.")
            options[f"engine.{engine}.prompt"] = prompt
        with self._turn:
            return self.reviewer.read_again(manifest, page_number, overrides=self.overrides, reading=reading, **options)


def missing_engines(config: RayocrConfig, keys: Secrets, given: Sequence[str]) -> dict[str, str]:
    """Returns the engines that cannot be used, with the missing requirement. `given`: options of the command line."""
    found = {}
    vertex = config.engine.gemini.vertexai and config.engine.gemini.project
    if not (keys.gemini_api_key or vertex):
        found["gemini"] = "It needs GEMINI_API_KEY in the environment or in .env when the view starts."
    has_address = config.engine.openai.base_url != OpenAIConfig().base_url
    if not (keys.openai_api_key or has_address or any(option.startswith("engine.openai.") for option in given)):
        found["openai"] = "It needs the address of a server when the view starts: engine.openai.base_url=…"
    if not TesseractEngine.available():
        found["tesseract"] = "Tesseract is not installed on this machine."
    return found


def takes_prompt(engine: str) -> bool:
    return engine in engine_names() and asks_a_server(engine)


def prompts() -> list[str]:
    return sorted(path.stem for path in (conf_dir() / "prompts").glob("*.md"))
