"""Gemini through google-genai, on the Developer API or Vertex AI: one request a page, the page inline.

The SDK's hidden retries are off and its time-out is set, so that every request is one that the limiter let go. Nothing raises
for a blocked prompt or a recitation: the answer carries the server's word for it, and the checks decide.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from rayocr.config import GeminiConfig, Secrets
from rayocr.engines.answers import is_refusal, unwrapped
from rayocr.engines.base import OfferedPage, WaitingEngine
from rayocr.engines.gemini_errors import translate
from rayocr.engines.gemini_request import generation_config, settings_body
from rayocr.errors import CredentialsError, EngineUnavailable, MalformedAnswer
from rayocr.messages import PageText

if TYPE_CHECKING:
    from google.genai import Client

MIME = {"pdf": "application/pdf", "jpeg": "image/jpeg", "webp": "image/webp", "png": "image/png"}
_PROBE_TIMEOUT_MS = 10_000


class GeminiEngine(WaitingEngine):
    name: ClassVar[str] = "gemini"

    def __init__(self, config: GeminiConfig, *, prompt: str, secrets: Secrets) -> None:
        self._config = config
        self._prompt = prompt
        self._secrets = secrets
        self._settings: dict[str, dict[str, Any]] = {}  # of requests, by model
        self._clients: dict[str, Client] = {}  # by model

    @property
    def model(self) -> str:
        return self.models[0]

    @property
    def models(self) -> tuple[str, ...]:
        return self._config.ladder

    def open(self) -> None:
        timeout_ms = int(self._config.request_timeout_s * 1000)
        for model in self.models:
            if model not in self._clients:
                settings = self._settings[model] = settings_body(generation_config(self._config, model))
                self._clients[model] = new_client(self._config, self._secrets, timeout_ms, settings)

    async def recognize_async(self, page: OfferedPage, model: str) -> PageText:
        from google.genai import types

        assert self._clients, "open() first"
        data = await self._page_bytes(page)
        parts = [types.Part.from_bytes(data=data, mime_type=MIME[self._config.page_format]), types.Part(text=self._prompt)]
        try:
            # The settings go with the client: given here, the SDK would translate them anew for each page, which with a list
            # instead of a Content takes 0.6 of its 1.1 ms.
            models = self._clients[model].aio.models
            response = await models.generate_content(model=model, contents=types.Content(role="user", parts=parts))
        except Exception as error:  # every SDK and transport error is given one of our classes
            raise translate(error) from error
        try:
            return read_response(response, model)
        except (AttributeError, TypeError, LookupError) as error:  # the SDK takes any JSON for a response, unchecked
            raise MalformedAnswer("Gemini's answer could not be understood.", finish="NOT_JSON") from error

    async def probe(self, model: str) -> None:
        client = new_client(self._config, self._secrets, _PROBE_TIMEOUT_MS)
        try:
            await client.aio.models.get(model=model)
        except Exception as error:
            raise translate(error) from error
        finally:
            await client.aio.aclose()

    async def _page_bytes(self, page: OfferedPage) -> bytes:
        page_format = self._config.page_format
        return await (page.as_pdf() if page_format == "pdf" else page.as_image(dpi=self._config.dpi, format=page_format))


def new_client(config: GeminiConfig, secrets: Secrets, timeout_ms: int, body: dict[str, Any] | None = None) -> Client:
    """`body`: goes along with each of its requests. Raises CredentialsError and EngineUnavailable."""
    try:
        from google import genai
        from google.genai import types
    except ImportError as error:
        raise EngineUnavailable("google-genai is not installed here: pip install 'google-genai[aiohttp]'") from error
    options = types.HttpOptions(
        api_version="v1beta1" if config.vertexai else "v1beta",  # knows mediaResolution, thinkingConfig, the *-latest aliases
        base_url=config.base_url,
        timeout=timeout_ms,
        retry_options=types.HttpRetryOptions(attempts=1),  # every request is counted and paced by us
        extra_body=body,
    )
    client = partial(genai.Client, http_options=options)
    if config.vertexai and config.project:
        try:
            return client(vertexai=True, project=config.project, location=config.location)
        except Exception as error:  # google-auth looks for credentials here
            raise translate(error) from error
    if not secrets.gemini_api_key:
        raise CredentialsError(
            "The gemini engine needs a key: set GEMINI_API_KEY in the environment or in .env,"
            " or leave engine= out to use the local engines."
        )
    return client(vertexai=config.vertexai, api_key=secrets.gemini_api_key)


def read_response(response: Any, model: str) -> PageText:
    """The answer of one page, whole or not; `finish` is the server's word for how it ended. Priced by whoever has the prices."""
    usage = response.usage_metadata
    input_tokens = (usage and usage.prompt_token_count) or 0
    output_tokens = ((usage and usage.candidates_token_count) or 0) + ((usage and usage.thoughts_token_count) or 0)
    cached_tokens = (usage and usage.cached_content_token_count) or 0
    text, finish = _text_and_finish(response)
    return PageText(
        text=text,
        engine=GeminiEngine.name,
        model=response.model_version or model,
        input_tokens=input_tokens,
        output_tokens=output_tokens,
        cached_tokens=cached_tokens,
        finish=finish,
    )


def _text_and_finish(response: Any) -> tuple[str, str]:
    feedback = response.prompt_feedback
    if feedback is not None and feedback.block_reason is not None:
        return "", feedback.block_reason.name
    if not response.candidates:
        return "", "NO_CANDIDATE"
    candidate = response.candidates[0]
    finish = candidate.finish_reason.name if candidate.finish_reason is not None else "FINISH_REASON_UNSPECIFIED"
    parts = (candidate.content and candidate.content.parts) or []
    text = unwrapped("".join(part.text for part in parts if part.text and not part.thought))
    return text, "refusal" if finish == "STOP" and is_refusal(text) else finish
