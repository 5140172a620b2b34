"""Gemini through google-genai: one request a page, the page inline as a one-page PDF.

The SDK's hidden retries are off and its time-out is set, so that every request is one that the limiter let go. Nothing raises
for a blocked prompt or a recitation: the finish reason decides, and all text parts count, not the first.
"""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any, ClassVar

from rayocr.config import GeminiConfig, Secrets
from rayocr.engines.base import OfferedPage, WaitingEngine
from rayocr.errors import (
    CredentialsError,
    EngineConnectionLost,
    EngineError,
    EngineOverloaded,
    EngineRateLimited,
    EngineRejected,
    EngineTimeout,
    EngineUnavailable,
    MalformedAnswer,
    RayocrError,
    Refused,
    Truncated,
)
from rayocr.messages import PageText

if TYPE_CHECKING:
    from google.genai import Client

_PERMISSION = (401, 403)
_TRUNCATED = {"MAX_TOKENS"}
_COMPLETE = {"STOP"}


class GeminiEngine(WaitingEngine):
    name: ClassVar[str] = "gemini"

    def __init__(self, config: GeminiConfig, *, prompt: str, secrets: Secrets) -> None:
        self._config = config
        self._prompt = prompt
        self._secrets = secrets
        self._client: Client | None = None
        self._request: Any = None

    @property
    def model(self) -> str:
        return self._config.model

    def open(self) -> None:
        if self._client is not None:
            return
        if not self._secrets.gemini_api_key:
            raise CredentialsError(
                "The gemini engine needs a key: set GEMINI_API_KEY in the environment or in .env,"
                " or leave engine= out to use the local engines."
            )
        try:
            from google import genai
            from google.genai import types
        except ImportError as error:
            raise EngineUnavailable("google-genai is not installed here: pip install 'google-genai[aiohttp]'") from error
        self._client = genai.Client(
            api_key=self._secrets.gemini_api_key,
            http_options=types.HttpOptions(
                api_version="v1beta",
                base_url=self._config.base_url,
                timeout=int(self._config.request_timeout_s * 1000),  # milliseconds
                retry_options=types.HttpRetryOptions(attempts=1),  # every request is counted and paced by us
            ),
        )
        self._request = types.GenerateContentConfig(
            temperature=self._config.temperature,
            max_output_tokens=self._config.max_output_tokens,
            thinking_config=types.ThinkingConfig(thinking_budget=0),
            response_mime_type="text/plain",
        )

    async def recognize_async(self, page: OfferedPage) -> PageText:
        from google.genai import types

        assert self._client is not None, "open() first"
        content = [types.Part.from_bytes(data=await page.as_pdf(), mime_type="application/pdf"), self._prompt]
        try:
            response = await self._client.aio.models.generate_content(
                model=self._config.model, contents=content, config=self._request
            )
        except Exception as error:  # every SDK and transport error is given one of our classes
            raise translate(error) from error
        return self._read(response)

    def _read(self, response: Any) -> PageText:
        usage = response.usage_metadata
        input_tokens = (usage and usage.prompt_token_count) or 0
        output_tokens = ((usage and usage.candidates_token_count) or 0) + ((usage and usage.thoughts_token_count) or 0)
        feedback = response.prompt_feedback
        if feedback is not None and feedback.block_reason is not None:
            raise Refused(f"Gemini blocked the page: {feedback.block_reason.name}.", finish=feedback.block_reason.name)
        if not response.candidates:
            raise MalformedAnswer("Gemini answered without a candidate.")
        candidate = response.candidates[0]
        finish = candidate.finish_reason.name if candidate.finish_reason is not None else "UNSPECIFIED"
        parts = (candidate.content and candidate.content.parts) or []
        text = "".join(part.text for part in parts if part.text and not part.thought)
        if finish in _TRUNCATED:
            raise Truncated(f"Gemini's answer was cut off after {output_tokens} tokens.", finish=finish)
        if finish not in _COMPLETE:
            raise Refused(f"Gemini gave no full answer: {finish}.", finish=finish)
        return PageText(
            text=text,
            engine=self.name,
            model=response.model_version or self._config.model,
            input_tokens=input_tokens,
            output_tokens=output_tokens,
            cost_usd=(input_tokens * self._config.input_usd_per_million + output_tokens * self._config.output_usd_per_million)
            / 1e6,
            finish=finish,
        )


def translate(error: Exception) -> RayocrError:
    """One of our classes for anything that google-genai and its transport raise; the server's delay where it names one."""
    import aiohttp
    from google.genai import errors

    if isinstance(error, EngineError):
        return error
    if isinstance(error, errors.APIError):
        return _translate_status(error)
    if isinstance(error, (TimeoutError, asyncio.TimeoutError)):
        return EngineTimeout("Gemini did not answer in time.")
    if isinstance(error, (aiohttp.ClientError, ConnectionError, OSError)):
        return EngineConnectionLost(f"The connection to Gemini failed: {type(error).__name__}.")
    if isinstance(error, (json.JSONDecodeError, ValueError)):
        return MalformedAnswer("Gemini's answer was not JSON.")
    return EngineRejected(f"Gemini's client failed: {type(error).__name__}: {error}")


def _translate_status(error: Any) -> RayocrError:
    code, message = error.code, (error.message or error.status or "")
    if code == 429:
        return EngineRateLimited(f"Gemini's quota: {message}", retry_after_s=retry_delay_s(error.details))
    if code in _PERMISSION or (code == 400 and "API_KEY_INVALID" in json.dumps(error.details, default=str)):
        return CredentialsError(f"Gemini refused the key ({code}): {message}", hint="Check GEMINI_API_KEY and its permissions.")
    if code == 408:
        return EngineTimeout(f"Gemini gave up waiting: {message}")
    if code >= 500:
        return EngineOverloaded(f"Gemini answered {code}: {message}", retry_after_s=retry_delay_s(error.details))
    if code == 404:
        return CredentialsError(f"Gemini does not know the model: {message}", hint="Check engine.gemini.model.")
    return EngineRejected(f"Gemini rejected the request ({code}): {message}")


def retry_delay_s(details: Any) -> float | None:
    """RetryInfo.retryDelay ("34.07s") in seconds, or None."""
    try:
        for detail in details["error"]["details"]:
            if detail.get("@type", "").endswith("RetryInfo"):
                return float(str(detail["retryDelay"]).rstrip("s"))
    except (KeyError, TypeError, ValueError, AttributeError):
        pass
    return None
