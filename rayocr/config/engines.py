"""What reads a page: one class an engine, and the chain."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from rayocr.config.ranges import at_least, one_of
from rayocr.errors import UsageError


@dataclass
class GeminiConfig:
    model: str = "gemini-3.1-flash-lite"  # the cheapest that takes a temperature; prices in conf/
    # The ladder: who is asked when the one before refuses a page, cuts it off or loops. Empty: `model` alone.
    models: list[str] = field(default_factory=list)
    prompt: str = "transcribe"  # a file of conf/prompts/, without .md; or a path to one of your own
    target_language: str = "English"  # for the prompt `translate`
    vertexai: bool = False  # Vertex AI instead of the Developer API: Google's credentials and a project instead of a key
    project: str | None = None  # of Vertex AI; null: GOOGLE_CLOUD_PROJECT
    location: str = "global"  # of Vertex AI; GOOGLE_CLOUD_LOCATION sets it too
    base_url: str | None = None  # null: Google's; GOOGLE_GEMINI_BASE_URL sets it too
    page_format: str = "pdf"  # pdf: cut out in a millisecond, text layer and all; jpeg, webp, png: rendered at dpi
    dpi: int = 200  # of rendered pages
    max_request_mb: float = 20.0  # Gemini rejects larger requests with an inline page; a larger page is sent as a JPEG
    media_resolution: str = "default"  # low, medium or high: tokens a page (280, 560, 1120 on Gemini 3); a PDF page is 560
    thinking: str = "auto"  # auto: the least that the model takes; off, minimal, low, medium, high; default: the model's own
    safety: str = "off"  # off, block_none, block_only_high, …: pages are somebody else's words; default: Google's thresholds
    request_timeout_s: float = 120.0  # the SDK has none of its own on the async client
    max_output_tokens: int = 16384  # a dense page is 2-4 thousand; thinking counts as output
    temperature: float | None = 0.0  # null for models that refuse it
    input_usd_per_million: float = 0.0  # USD per 1M input tokens; above 0 (one of the two) it wins over conf/prices.yaml
    output_usd_per_million: float = 0.0  # likewise, output

    def __post_init__(self) -> None:
        at_least(1, **{"engine.gemini.max_output_tokens": self.max_output_tokens})
        at_least(0.1, **{"engine.gemini.request_timeout_s": self.request_timeout_s})
        at_least(0, **{"engine.gemini.input_usd_per_million": self.input_usd_per_million})
        at_least(0, **{"engine.gemini.output_usd_per_million": self.output_usd_per_million})
        at_least(50, **{"engine.gemini.dpi": self.dpi})
        at_least(1, **{"engine.gemini.max_request_mb": self.max_request_mb})
        thinking = ("auto", "off", "minimal", "low", "medium", "high", "default")
        safety = ("default", "off", "block_none", "block_only_high", "block_medium_and_above", "block_low_and_above")
        one_of("engine.gemini.page_format", self.page_format, ("pdf", "jpeg", "webp", "png"))
        one_of("engine.gemini.media_resolution", self.media_resolution, ("default", "low", "medium", "high"))
        one_of("engine.gemini.thinking", self.thinking, thinking)
        one_of("engine.gemini.safety", self.safety, safety)

    @property
    def max_page_bytes(self) -> int:
        """Of a page before base64, with room for the prompt."""
        return int((self.max_request_mb * 1_000_000 - 200_000) * 3 / 4)

    @property
    def ladder(self) -> tuple[str, ...]:
        """The models, in the order in which they are asked; each once."""
        return tuple(dict.fromkeys(self.models or [self.model]))


@dataclass
class OpenAIConfig:
    """Any server that speaks OpenAI's chat completions with images: vLLM, SGLang, LM Studio, Ollama, llama.cpp, OpenAI."""

    base_url: str = "http://127.0.0.1:8000/v1"  # vLLM's; OPENAI_BASE_URL sets it too
    model: str = ""  # as the server calls it; empty: the only one that the server lists
    prompt: str = "transcribe"  # a file of conf/prompts/, without .md; or a path to one of your own
    target_language: str = "English"  # for the prompt `translate`
    image_format: str = "png"  # png, jpeg or webp; olmOCR and dots.ocr were trained on png
    dpi: int = 150  # A4 is 1240 x 1754: what these models were trained at; more is scaled down by most of them
    request_timeout_s: float = 300.0  # a queue of your own GPU can be long
    max_tokens: int = 8192  # of the answer; the server refuses more than its context
    temperature: float | None = 0.0  # null: not sent
    extra_body: dict[str, Any] = field(default_factory=dict)  # goes into every request as it is, for example repetition_penalty
    input_usd_per_million: float = 0.0  # USD per 1M tokens; a server of your own costs nothing a token
    output_usd_per_million: float = 0.0  # likewise, output

    def __post_init__(self) -> None:
        at_least(1, **{"engine.openai.max_tokens": self.max_tokens})
        at_least(0.1, **{"engine.openai.request_timeout_s": self.request_timeout_s})
        at_least(50, **{"engine.openai.dpi": self.dpi})
        one_of("engine.openai.image_format", self.image_format, ("png", "jpeg", "webp"))


@dataclass
class RapidOcrConfig:
    dpi: int = 200  # 150 to 300 read equally well; 200 keeps small print and costs 20-60 ms to render

    def __post_init__(self) -> None:
        at_least(50, **{"engine.rapidocr.dpi": self.dpi})


@dataclass
class TesseractConfig:
    languages: list[str] = field(default_factory=lambda: ["auto"])  # tesseract's pack names; auto looks at the script
    dpi: int = 300  # what its models were trained at

    def __post_init__(self) -> None:
        at_least(50, **{"engine.tesseract.dpi": self.dpi})


@dataclass
class EngineConfig:
    name: str = "auto"  # of the group that was chosen; for what is shown
    # The engines a page goes down until an answer passes; a trailing ? means: only where it is installed. Set by engine=.
    chain: list[str] = field(default_factory=list)
    batch: bool = False  # gemini's Batch API: half the price, answers within a day; see batch.*
    probe: bool = True  # ask servers about key and model before the first page; false for proxies that know no such question
    gemini: GeminiConfig = field(default_factory=GeminiConfig)
    openai: OpenAIConfig = field(default_factory=OpenAIConfig)
    rapidocr: RapidOcrConfig = field(default_factory=RapidOcrConfig)
    tesseract: TesseractConfig = field(default_factory=TesseractConfig)


@dataclass
class RenderConfig:
    max_pixels: int = 20_000_000  # A4 at 400 dpi is 15.5 million; a page may claim 9.9e12

    def __post_init__(self) -> None:
        at_least(10_000, **{"render.max_pixels": self.max_pixels})


@dataclass
class BatchConfig:
    max_pages: int = 10_000  # of one job; the window bounds it too
    max_bytes: int = 500_000_000  # of a job's file; Google takes 2 GB
    linger_s: float = 20.0  # a job leaves when no page has come for so long
    poll_interval_s: float = 30.0  # jobs take minutes to hours
    keep_days: float = 3.0  # jobs of earlier runs are looked at for so long; Google keeps results for two days

    def __post_init__(self) -> None:
        at_least(1, **{"batch.max_pages": self.max_pages, "batch.max_bytes": self.max_bytes})
        at_least(0.01, **{"batch.linger_s": self.linger_s, "batch.poll_interval_s": self.poll_interval_s})
        at_least(0, **{"batch.keep_days": self.keep_days})


@dataclass
class DoubtConfig:
    """A second look at what servers said: does it agree with the page's own text, or with lines that are read here?"""

    text_layer: bool = True  # every page that has a text layer is compared with it; 1 to 3 ms
    # Of the other pages, a few lines are read here and looked for in the answer; 0.15 s each, so 0.15 ms a page. 1: all, 0: none.
    sample: float = 0.001
    floor: float = 0.6  # share of words that must agree; below it the page is `suspect`

    def __post_init__(self) -> None:
        for name, value in (("sample", self.sample), ("floor", self.floor)):
            if not 0 <= value <= 1:
                raise UsageError(f"doubt.{name} is {value}, and must be from 0 to 1.")
