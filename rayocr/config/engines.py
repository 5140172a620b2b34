"""Defines the options of the engines, one class each, and of the chain."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from rayocr.config.ranges import at_least, at_most, check_address, one_of
from rayocr.errors import UsageError


@dataclass
class GeminiConfig:
    model: str = "gemini-3.1-flash-lite"  # the default is the cheapest model that accepts a temperature; prices are in conf/
    # The ladder: models to try in order when one refuses a page, truncates it, repeats itself, has used up its daily quota, has
    # no quota or is retired. Empty: only `model`.
    models: list[str] = field(default_factory=list)
    prompt: str = "transcribe"  # a file in conf/prompts/ without .md, or a path to your own file
    target_language: str = "English"  # language into which the prompt `translate` translates
    vertexai: bool = False  # use Vertex AI: Google credentials and a project instead of an API key
    project: str | None = None  # Vertex AI project; null: GOOGLE_CLOUD_PROJECT
    location: str = "global"  # Vertex AI location; also set by GOOGLE_CLOUD_LOCATION
    base_url: str | None = None  # address of the API; null: Google's; also set by GOOGLE_GEMINI_BASE_URL
    page_format: str = "pdf"  # pdf: the page cut from the file, in about 1 ms; jpeg, webp, png: rendered at `dpi`
    dpi: int = 200  # resolution of rendered pages
    max_request_mb: float = 20.0  # largest inline request that Gemini accepts; a larger page is sent as a JPEG
    media_resolution: str = "default"  # low, medium or high: 280, 560 or 1120 tokens per page on Gemini 3; a PDF page uses 560
    thinking: str = (
        "auto"  # auto: the lowest level that the model accepts; off, minimal, low, medium, high; default: the model's default
    )
    # Google's safety filters: off, since you did not write the pages; block_none, block_only_high, …; default: Google's
    # thresholds.
    safety: str = "off"
    request_timeout_s: float = 120.0  # timeout of a request; the SDK's async client has none
    max_output_tokens: int = 16384  # longest answer; a dense page needs 2,000 to 4,000, and thinking counts as output
    temperature: float | None = 0.0  # temperature of the model; null for models that reject the parameter
    # standard; flex: half the price, answers within 1 to 15 minutes, requests may be shed; auto: flex, then standard for a page
    # that was shed flex_tries times; priority: 80 % more, requests are not shed
    tier: str = "standard"
    flex_tries: int = 3  # flex requests for a page before tier=auto sends it in standard
    flex_timeout_s: float = 1200.0  # replaces request_timeout_s for requests in flex
    input_usd_per_million: float = 0.0  # USD per 1M input tokens; if either price is above 0, both override conf/prices.yaml
    output_usd_per_million: float = 0.0  # USD per 1M output tokens

    def __post_init__(self) -> None:
        check_address("engine.gemini.base_url", self.base_url)
        at_least(1, **{"engine.gemini.max_output_tokens": self.max_output_tokens})
        at_least(0.1, **{"engine.gemini.request_timeout_s": self.request_timeout_s})
        at_least(1, **{"engine.gemini.flex_tries": self.flex_tries, "engine.gemini.flex_timeout_s": self.flex_timeout_s})
        one_of("engine.gemini.tier", self.tier, ("standard", "flex", "auto", "priority"))
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
        """The maximum size of a page in bytes before base64, with room for the prompt."""
        return int((self.max_request_mb * 1_000_000 - 200_000) * 3 / 4)

    @property
    def ladder(self) -> tuple[str, ...]:
        """The models in the order in which they are tried, without duplicates."""
        return tuple(dict.fromkeys(self.models or [self.model]))


@dataclass
class OpenAIConfig:
    """Any server that speaks OpenAI's chat completions with images: vLLM, SGLang, LM Studio, Ollama, llama.cpp, OpenAI."""

    base_url: str = "http://127.0.0.1:8000/v1"  # address of the server; the default is vLLM's; also set by OPENAI_BASE_URL
    model: str = ""  # name of the model on the server; empty: the only model that the server lists
    prompt: str = "transcribe"  # a file in conf/prompts/ without .md, or a path to your own file
    target_language: str = "English"  # language into which the prompt `translate` translates
    image_format: str = "png"  # png, jpeg or webp; olmOCR and dots.ocr were trained on png
    dpi: int = 150  # resolution of a page; these models were trained on A4 at 150 dpi, and most scale larger images down
    request_timeout_s: float = 300.0  # timeout of a request; the queue of your own GPU can be long
    max_tokens: int = 8192  # longest answer; the server rejects more than its context length
    temperature: float | None = 0.0  # temperature of the model; null: not sent
    extra_body: dict[str, Any] = field(default_factory=dict)  # added to every request unchanged, for example repetition_penalty
    input_usd_per_million: float = 0.0  # USD per 1M input tokens; 0 for your own server
    output_usd_per_million: float = 0.0  # USD per 1M output tokens

    def __post_init__(self) -> None:
        at_least(1, **{"engine.openai.max_tokens": self.max_tokens})
        at_least(0.1, **{"engine.openai.request_timeout_s": self.request_timeout_s})
        at_least(50, **{"engine.openai.dpi": self.dpi})
        check_address("engine.openai.base_url", self.base_url)
        one_of("engine.openai.image_format", self.image_format, ("png", "jpeg", "webp"))


@dataclass
class RapidOcrConfig:
    dpi: int = 200  # resolution of a page; 150 to 300 give equal quality; 200 keeps small print and takes 20 to 60 ms to render
    # best: the small models read every line that the tiny ones are not sure of. auto: the tiny models alone read clean print,
    # in about two thirds of the time, with slightly more errors. fast: they read nearly everything.
    speed: str = "best"
    runtime: str = (
        "onnxruntime"  # onnxruntime; or openvino, if it is installed: equally fast in 32-bit floats, but twice the memory
    )
    device: str = "auto"  # cpu, cuda, or auto: a GPU if the installed onnxruntime supports it
    # Share of a GPU that Ray reserves for each worker: 1, or 0.25 for four workers on one GPU. 0: workers run on any node.
    gpus: float = 0.0

    def __post_init__(self) -> None:
        at_least(50, **{"engine.rapidocr.dpi": self.dpi})
        at_least(0, **{"engine.rapidocr.gpus": self.gpus})
        at_most(1, **{"engine.rapidocr.gpus": self.gpus})
        if self.gpus and (self.device == "cpu" or self.runtime == "openvino"):
            raise UsageError(
                f"engine.rapidocr.gpus={self.gpus:g} reserves GPUs that the engine would not use.",
                hint="Set engine.rapidocr.device=cuda engine.rapidocr.runtime=onnxruntime, or engine.rapidocr.gpus=0.",
            )
        one_of("engine.rapidocr.speed", self.speed, ("auto", "fast", "best"))
        one_of("engine.rapidocr.runtime", self.runtime, ("onnxruntime", "openvino"))
        one_of("engine.rapidocr.device", self.device, ("auto", "cpu", "cuda"))


@dataclass
class TesseractConfig:
    languages: list[str] = field(
        default_factory=lambda: ["auto"]
    )  # Tesseract's language packs; auto chooses by the script of the page
    dpi: int = 300  # resolution of a page; Tesseract's models were trained on 300

    def __post_init__(self) -> None:
        at_least(50, **{"engine.tesseract.dpi": self.dpi})


@dataclass
class EngineConfig:
    name: str = "auto"  # the chosen group, for display
    # Engines to try in order until an answer passes the checks; a trailing ? means: only if installed. Set by engine=.
    chain: list[str] = field(default_factory=list)
    # What happens to pages while the server of a waiting engine is unavailable. wait: the run waits for limits.patience_s, then
    # ends and can be resumed. fallback: after that time the next engine reads them, and mode=retry reads them again.
    on_outage: str = "wait"
    # Lanes that an objective may use: local, batch, flex, standard. Empty: batch and flex for cost, standard for speed, these
    # three for deadline. local: the local engines after gemini in engine.chain also read pages, at no cost, as fast as the CPUs
    # allow, while Gemini reads others.
    lanes: list[str] = field(default_factory=list)
    # With the lane local: a page that the local engines read with a lower mean confidence, or with any doubt, goes to Gemini.
    local_confidence: float = 0.9
    batch: bool = False  # use Gemini's Batch API: half the price, answers within a day; see batch.*
    probe: bool = (
        True  # check key and model with the server before the first page; set false for proxies that do not support this request
    )
    gemini: GeminiConfig = field(default_factory=GeminiConfig)
    openai: OpenAIConfig = field(default_factory=OpenAIConfig)
    rapidocr: RapidOcrConfig = field(default_factory=RapidOcrConfig)
    tesseract: TesseractConfig = field(default_factory=TesseractConfig)

    def __post_init__(self) -> None:
        one_of("engine.on_outage", self.on_outage, ("wait", "fallback"))
        for lane in self.lanes:
            one_of("engine.lanes", lane, ("local", "batch", "flex", "standard"))
        if self.lanes == ["local"]:
            raise UsageError(
                "engine.lanes=[local] names no lane of Gemini.",
                hint="For example: engine.lanes=[local,batch,flex]. To read all pages locally, set engine=local.",
            )
        at_least(0, **{"engine.local_confidence": self.local_confidence})
        at_most(1, **{"engine.local_confidence": self.local_confidence})

    @property
    def uses_batches(self) -> bool:
        """Returns whether some or all pages may be sent in batch jobs."""
        return self.batch or "batch" in self.lanes

    def gpus_of(self, first: int, last: int) -> float:
        """Returns the share of a GPU for each worker that runs these links of the chain."""
        is_there = "rapidocr" in (word.rstrip("?") for word in self.chain[first : last + 1])
        return self.rapidocr.gpus if is_there else 0.0

    @property
    def uses_local_lane(self) -> bool:
        """Returns whether local engines read pages beside Gemini."""
        return "local" in self.lanes


@dataclass
class RenderConfig:
    max_pixels: int = 20_000_000  # largest rendering; A4 at 400 dpi is 15.5 million, and a hostile page can claim 9.9e12

    def __post_init__(self) -> None:
        at_least(10_000, **{"render.max_pixels": self.max_pixels})


@dataclass
class BatchConfig:
    max_pages: int = 10_000  # pages per job; the window limits it too
    max_bytes: int = 500_000_000  # size of a job's input file; Google accepts 2 GB
    linger_s: float = 20.0  # a job is submitted when no page has arrived for this long
    poll_interval_s: float = 30.0  # seconds between two polls of a job; jobs take minutes to hours
    max_jobs: int = 100  # jobs of this run at Google at once; Google accepts 100
    # Input tokens of all jobs that have not ended; Google limits them by tier and model. null: the value of the preset (limits=),
    # otherwise unknown until Google refuses a job.
    enqueued_tokens: int | None = None
    expected_input_tokens: int = 1000  # input tokens of a page with its prompt, counted against enqueued_tokens
    patience_h: float | None = 26.0  # if a job takes longer, the run ends and can be resumed; null: wait without limit
    gcs: str | None = None  # gs://BUCKET/PREFIX for the requests and answers of batches on Vertex AI, with storage.state's access
    keep_days: float = 3.0  # how long jobs of earlier runs are polled; Google keeps results for two days

    def __post_init__(self) -> None:
        at_least(1, **{"batch.max_pages": self.max_pages, "batch.max_bytes": self.max_bytes})
        at_least(1, **{"batch.max_jobs": self.max_jobs, "batch.enqueued_tokens": self.enqueued_tokens})
        at_least(1, **{"batch.expected_input_tokens": self.expected_input_tokens})
        at_least(0, **{"batch.patience_h": self.patience_h})
        at_least(0.01, **{"batch.linger_s": self.linger_s, "batch.poll_interval_s": self.poll_interval_s})
        at_least(0, **{"batch.keep_days": self.keep_days})
        if self.gcs is not None and not self.gcs.startswith("gs://"):
            raise UsageError(f"batch.gcs={self.gcs} is not a place in Cloud Storage.", hint="Write gs://BUCKET/PREFIX.")


@dataclass
class DoubtConfig:
    """Verification of answers from servers: do they agree with the page's own text, or with lines read locally?"""

    text_layer: bool = True  # compare the answer with the page's text layer, if it has one; 1 to 3 ms
    # Share of the other pages of which a few lines are read locally and searched for in the answer; 0.15 s per sampled page.
    sample: float = 0.001
    floor: float = 0.6  # share of words that must agree; a page below it is `suspect`

    def __post_init__(self) -> None:
        for name, value in (("sample", self.sample), ("floor", self.floor)):
            if not 0 <= value <= 1:
                raise UsageError(f"doubt.{name} is {value}; it must be between 0 and 1.")
