"""Calls Gemini through google-genai, on the Developer API or Vertex AI: one request per page, with the page inline.

The SDK's own retries are disabled and its timeout is set, so that every request passes the limiter. A blocked prompt or a
recitation does not raise an error: the answer carries the server's finish reason, and the checks decide.
"""

from __future__ import annotations

import asyncio
import os
import ssl
import warnings
from dataclasses import replace
from functools import cache, partial
from typing import TYPE_CHECKING, Any, ClassVar
from weakref import WeakKeyDictionary

from rayocr.config import GeminiConfig, Secrets
from rayocr.engines.answers.off_loop import off_loop
from rayocr.engines.answers.server_facts import short_name, token_count
from rayocr.engines.answers.unwrapping import is_refusal, unwrapped
from rayocr.engines.base import OfferedPage, WaitingEngine
from rayocr.engines.gemini.errors import charged_tokens, is_shed, translate
from rayocr.engines.gemini.input_tokens import request_shape, text_tokens
from rayocr.engines.gemini.request import generation_config, prompt_for, settings_body
from rayocr.engines.http_session import new_session
from rayocr.errors import CredentialsError, EngineShed, EngineUnavailable, MalformedAnswer
from rayocr.messages import PageText, RequestShape
from rayocr.pdf.cut.long_pages import is_in_parts
from rayocr.pdf.cut.page_document import media_type

if TYPE_CHECKING:
    import aiohttp
    from google.genai import Client

# Source: Google's pages about Flex PayGo and Priority PayGo, read on 2026-11-27.
VERTEX_TIER_HEADER = "X-Vertex-AI-LLM-Shared-Request-Type"
_SERVED_HEADER = "x-gemini-service-tier"  # header in answers of the Developer API
_SERVED_TRAFFIC = {"ON_DEMAND": "standard", "ON_DEMAND_FLEX": "flex", "ON_DEMAND_PRIORITY": "priority"}  # in answers of Vertex AI
MIME = {"jpeg": "image/jpeg", "webp": "image/webp", "png": "image/png"}
_LEAST_DPI = 50  # least resolution of a page that is rendered again because its request would be too large
_PROBE_TIMEOUT_MS = 10_000
_READ_BUFFER_BYTES = 2**22  # a large buffer, since the SDK returns an answer in one piece


class GeminiEngine(WaitingEngine):
    name: ClassVar[str] = "gemini"

    def __init__(self, config: GeminiConfig, *, prompt: str, secrets: Secrets) -> None:
        self._config = config
        self._prompt = prompt
        self._secrets = secrets
        self._settings: dict[str, dict[str, Any]] = {}  # request settings by model
        self._instruction: Any = None  # the prompt, converted to the SDK's type
        self._prompt_tokens = text_tokens(prompt)
        self._session: aiohttp.ClientSession | None = None
        self._clients: dict[tuple[str, str], Client] = {}  # clients by model and tier
        self._shed: WeakKeyDictionary[OfferedPage, int] = WeakKeyDictionary()  # how often a page's request was shed

    @property
    def _timeout_ms(self) -> int:
        return int(self._config.request_timeout_s * 1000)

    @property
    def model(self) -> str:
        return self.models[0]

    @property
    def models(self) -> tuple[str, ...]:
        return self._config.ladder

    def open(self) -> None:
        from google.genai import types

        new_client(self._config, self._secrets, self._timeout_ms)  # fails here if the key is missing
        for model in self.models:
            self._settings[model] = settings_body(generation_config(self._config, model))
        self._instruction = types.Part(text=self._prompt)

    def request_shape(self, page: OfferedPage, model: str) -> RequestShape:
        return request_shape(self._config, model, page, prompt_tokens=self._prompt_tokens)

    async def recognize_async(self, page: OfferedPage, model: str) -> PageText:
        from google.genai import types

        assert self._instruction, "open() first"
        data = await self._page_bytes(page)
        content = types.Part.from_bytes(data=data, mime_type=mime_type(self._config, data))
        tier = self._tier_for(page)
        models = self._client(model, tier).aio.models
        try:
            # The settings belong to the client. If they were passed here, the SDK would convert them for every page, which (with
            # a list instead of a Content) takes 0.6 of its 1.1 ms.
            instruction = self._instruction if not is_in_parts(data) else types.Part(text=prompt_for(data, self._prompt))
            contents = types.Content(role="user", parts=[content, instruction])
            async with asyncio.timeout(page.give_up_s):
                response = await models.generate_content(model=model, contents=contents)
        except Exception as error:  # every SDK and transport error becomes a rayocr error
            failure = translate(error, model=model)
            if tier == "flex" and is_shed(failure):
                self._shed[page] = self._shed.get(page, 0) + 1
                failure = EngineShed(f"Gemini shed a request in flex: {failure}", retry_after_s=failure.retry_after_s)
                failure.elsewhere = self._config.tier == "auto"
                failure.input_tokens = charged_tokens(error)
            raise failure from error
        try:
            answer = await off_loop(answer_chars(response), read_response, response, model)
            return replace(answer, price_class=served_tier(response) or tier)
        except (AttributeError, TypeError, LookupError) as error:  # the SDK accepts any JSON as a response
            raise MalformedAnswer("Gemini's answer could not be understood.", finish="NOT_JSON") from error

    @property
    def tier(self) -> str:
        return "flex" if self._config.tier == "auto" else self._config.tier

    def _tier_for(self, page: OfferedPage) -> str:
        if self._config.tier != "auto":
            return self._config.tier
        return "flex" if self._shed.get(page, 0) < self._config.flex_tries else "standard"

    def _client(self, model: str, tier: str) -> Client:
        """Returns the client, created on first use, because the session needs a running loop."""
        if (model, tier) not in self._clients:
            self._session = self._session or new_session(read_bufsize=_READ_BUFFER_BYTES)
            timeout_ms = int(self._config.flex_timeout_s * 1000) if tier == "flex" else self._timeout_ms
            body, headers = self._settings[model], {}
            if tier != "standard" and self._config.vertexai:
                headers = {VERTEX_TIER_HEADER: tier}  # Vertex AI rejects serviceTier in the body with a 400
            elif tier != "standard":
                body = body | {"serviceTier": tier}
            self._clients[model, tier] = new_client(
                self._config, self._secrets, timeout_ms, body=body, headers=headers, session=self._session
            )
        return self._clients[model, tier]

    async def aclose(self) -> None:
        if self._session is not None:
            await self._session.close()

    async def probe(self, model: str) -> None:
        client = new_client(self._config, self._secrets, _PROBE_TIMEOUT_MS)
        try:
            await client.aio.models.get(model=model)
        except Exception as error:
            raise translate(error, model=model) from error
        finally:
            await client.aio.aclose()

    async def _page_bytes(self, page: OfferedPage) -> bytes:
        config = self._config
        if config.page_format == "pdf":
            return await page.as_document(dpi=config.dpi, max_bytes=config.max_page_bytes)
        dpi = config.dpi
        while len(data := await page.as_image(dpi=dpi, format=config.page_format)) > config.max_page_bytes and dpi > _LEAST_DPI:
            dpi = max(_LEAST_DPI, dpi * 2 // 3)
        return data


def mime_type(config: GeminiConfig, data: bytes) -> str:
    return MIME.get(config.page_format) or media_type(data)


def new_client(
    config: GeminiConfig,
    secrets: Secrets,
    timeout_ms: int,
    *,
    body: dict[str, Any] | None = None,
    headers: dict[str, str] | None = None,
    session: aiohttp.ClientSession | None = None,
) -> Client:
    """Creates a client. `body` and `headers` are sent with every request. `session` defaults to one that the SDK creates. Raises
    CredentialsError and EngineUnavailable."""
    try:
        from google import genai
        from google.genai import types
    except ImportError as error:
        raise EngineUnavailable("google-genai is not installed here: pip install 'google-genai[aiohttp]'") from error
    # A finish reason that the SDK does not know is recorded; the SDK's warning would interrupt the progress line.
    warnings.filterwarnings("ignore", ".* is not a valid ", UserWarning, r"google\.genai\._common")
    options = types.HttpOptions(
        api_version="v1beta1"
        if config.vertexai
        else "v1beta",  # v1beta has mediaResolution, thinkingConfig and the *-latest aliases
        base_url=config.base_url,
        timeout=timeout_ms,
        retry_options=types.HttpRetryOptions(attempts=1),  # rayocr counts and paces every request
        extra_body=body,
        headers=headers or None,
        aiohttp_client=session,
        **_transport_options(own_tls=not config.vertexai),  # on Vertex AI, the SDK adds a client certificate
    )
    client = partial(genai.Client, http_options=options)
    if config.vertexai and config.project:
        try:
            return client(vertexai=True, project=config.project, location=config.location)
        except Exception as error:  # google-auth searches for credentials here
            raise translate(error) from error
    if not secrets.gemini_api_key:
        raise CredentialsError.no_gemini_key()
    return client(vertexai=config.vertexai, api_key=secrets.gemini_api_key)


def _transport_options(*, own_tls: bool) -> dict[str, Any]:
    stay = {"allow_redirects": False}  # a redirect would send the page and the key to a server that the user did not name
    if not own_tls:
        return {"async_client_args": stay}
    context = _tls_context(os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR"))
    return {"client_args": {"verify": context}, "async_client_args": {"verify": context, "ssl": context, **stay}}


@cache
def _tls_context(cafile: str | None, capath: str | None) -> ssl.SSLContext:
    """Creates the same context as the SDK, once. The SDK creates three for each client, and each reads all certificates, which
    takes 16 ms."""
    import certifi

    return ssl.create_default_context(cafile=cafile or certifi.where(), capath=capath)


def read_response(response: Any, model: str) -> PageText:
    """Returns the answer for one page, complete or truncated. `finish` is the server's finish reason. The caller computes the
    price."""
    usage = response.usage_metadata
    counts = ("prompt_token_count", "candidates_token_count", "thoughts_token_count", "cached_content_token_count")
    input_tokens, answer_tokens, thoughts_tokens, cached_tokens = (token_count(getattr(usage, name, None)) for name in counts)
    text, finish = _text_and_finish(response)
    return PageText(
        text=text,
        engine=GeminiEngine.name,
        model=short_name(response.model_version) or model,
        input_tokens=input_tokens,
        output_tokens=answer_tokens + thoughts_tokens,
        cached_tokens=cached_tokens,
        finish=short_name(finish),
    )


def served_tier(response: Any) -> str | None:
    """Returns the service tier of the bill, if the server names it: Google answers a request in standard when the project
    exceeds its limits for priority."""
    http = response.sdk_http_response
    served = {name.lower(): value for name, value in ((http and http.headers) or {}).items()}.get(_SERVED_HEADER, "").lower()
    traffic = getattr(response.usage_metadata, "traffic_type", None)
    return served if served in ("standard", "flex", "priority") else _SERVED_TRAFFIC.get(getattr(traffic, "name", ""))


def answer_chars(response: Any) -> int:
    return sum(
        len(part.text or "")
        for candidate in response.candidates or ()
        for part in (candidate.content and candidate.content.parts) or ()
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
