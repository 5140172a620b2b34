"""Calls any server with OpenAI's chat completions API and image input: olmOCR, Qwen-VL or dots.ocr behind vLLM, SGLang, LM
Studio…

Uses aiohttp directly: the request is one JSON object, and the openai SDK would add retries that must be disabled and 1 ms of CPU
time per call. Each process has one session, with as many connections as the limiter has slots.
"""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any, ClassVar

from rayocr.config import OpenAIConfig, Secrets
from rayocr.engines.answers.off_loop import off_loop
from rayocr.engines.answers.server_facts import short_name, token_count
from rayocr.engines.answers.unwrapping import is_refusal, unwrapped
from rayocr.engines.base import OfferedPage, WaitingEngine
from rayocr.engines.http_session import new_session
from rayocr.engines.openai.errors import raise_for_status, translate
from rayocr.errors import MalformedAnswer, UnknownModel
from rayocr.messages import PageText
from rayocr.untrusted_json import parse_value

if TYPE_CHECKING:
    import aiohttp

_PROBE_TIMEOUT_S = 10.0
_CONNECT_TIMEOUT_S = 15.0


class OpenAIEngine(WaitingEngine):
    name: ClassVar[str] = "openai"
    prices_itself: ClassVar[bool] = True

    def __init__(self, config: OpenAIConfig, *, prompt: str, secrets: Secrets) -> None:
        self._config = config
        self._prompt = prompt
        self._secrets = secrets
        self._session: aiohttp.ClientSession | None = None
        self._served: str | None = None

    @property
    def model(self) -> str:
        return self._config.model or "default"

    def open(self) -> None:
        import aiohttp  # noqa: F401 - loaded before the first page wants it; the session needs a running loop

    async def recognize_async(self, page: OfferedPage, model: str) -> PageText:
        if self._session is None:
            self._session = self._new_session(self._config.request_timeout_s)
        config = self._config
        if not config.model and self._served is None:
            self._served = _only_model(await self._list_models(self._session))
        image = await page.as_image(dpi=config.dpi, format=config.image_format)
        body = self._body(image, config.model or self._served or model)
        answer = await self._exchange(self._session, "POST", "/chat/completions", json=body)
        return await off_loop(_chars(answer), read_completion, answer, config, model)

    async def aclose(self) -> None:
        if self._session is not None:
            await self._session.close()

    async def probe(self, model: str) -> None:
        async with self._new_session(_PROBE_TIMEOUT_S) as session:
            served = await self._list_models(session)
        if not self._config.model:
            _only_model(served)
        elif served and self._config.model not in served:
            raise UnknownModel(
                f"The server at {self._config.base_url} has no model {self._config.model!r}.",
                hint=f"It has: {', '.join(served[:5])}. Set engine.openai.model.",
            )

    async def _list_models(self, session: aiohttp.ClientSession) -> list[str]:
        """Returns the names of the models; empty if the server does not list them."""
        listed = await self._exchange(session, "GET", "/models")
        rows = listed.get("data")
        return (
            [row["id"] for row in rows if isinstance(row, dict) and isinstance(row.get("id"), str)]
            if isinstance(rows, list)
            else []
        )

    async def _exchange(self, session: aiohttp.ClientSession, method: str, path: str, **options: Any) -> dict[str, Any]:
        try:
            # A redirect would send the page to a server that the user did not name.
            url = self._config.base_url.rstrip("/") + path
            async with session.request(method, url, allow_redirects=False, **options) as response:
                text = await response.text(errors="replace")
                raise_for_status(response.status, text, response.headers)
                return _parsed(text)
        except Exception as error:  # every transport error becomes a rayocr error
            raise translate(error) from error

    def _body(self, image: bytes, model: str) -> dict[str, Any]:
        config = self._config
        url = f"data:image/{config.image_format};base64,{base64.b64encode(image).decode()}"
        content = [{"type": "image_url", "image_url": {"url": url}}, {"type": "text", "text": self._prompt}]
        body: dict[str, Any] = {
            "model": model,
            "messages": [{"role": "user", "content": content}],
            "max_tokens": config.max_tokens,
        }
        if config.temperature is not None:
            body["temperature"] = config.temperature
        return body | config.extra_body

    def _new_session(self, timeout_s: float) -> aiohttp.ClientSession:
        import aiohttp

        key = self._secrets.openai_api_key
        return new_session(
            timeout=aiohttp.ClientTimeout(total=timeout_s, sock_connect=_CONNECT_TIMEOUT_S),
            headers={"Authorization": f"Bearer {key}"} if key else None,
        )


def read_completion(answer: dict[str, Any], config: OpenAIConfig, model: str) -> PageText:
    """Returns the answer for one page, complete or truncated. `finish` is the server's finish reason. Raises MalformedAnswer."""
    usage = answer.get("usage") or {}
    choices = answer.get("choices")
    if not isinstance(usage, dict) or not isinstance(choices, list):
        raise MalformedAnswer("The server's answer is not a chat completion.", finish="NOT_JSON")
    details: Any = usage.get("prompt_tokens_details") or {}
    input_tokens, output_tokens = token_count(usage.get("prompt_tokens")), token_count(usage.get("completion_tokens"))
    choice: dict[str, Any] = choices[0] if choices and isinstance(choices[0], dict) else {"finish_reason": "NO_CANDIDATE"}
    message: Any = choice.get("message") or {}
    text = unwrapped(_text_of(message.get("content")))
    finish = short_name(choice.get("finish_reason")) or "FINISH_REASON_UNSPECIFIED"
    if message.get("refusal") or (finish == "stop" and is_refusal(text)):
        finish = "refusal"
    return PageText(
        text=text,
        engine=OpenAIEngine.name,
        model=short_name(answer.get("model")) or model,
        input_tokens=input_tokens,
        output_tokens=output_tokens,
        cached_tokens=token_count(details.get("cached_tokens")) if isinstance(details, dict) else 0,
        cost_usd=(input_tokens * config.input_usd_per_million + output_tokens * config.output_usd_per_million) / 1e6,
        price_class="standard" if config.input_usd_per_million or config.output_usd_per_million else "",
        finish=finish,
    )


def _chars(answer: dict[str, Any]) -> int:
    """Returns the approximate number of tokens in the answer; 0 if it is malformed."""
    choices = answer.get("choices")
    first = choices[0] if isinstance(choices, list) and choices else None
    message = first.get("message") if isinstance(first, dict) else None
    return len(_text_of(message.get("content"))) if isinstance(message, dict) else 0


def _text_of(content: object) -> str:
    """Returns the text of the content, which is a string or, from some servers, a list of parts."""
    if isinstance(content, list):
        return "".join(str(part.get("text") or "") for part in content if isinstance(part, dict))
    return content if isinstance(content, str) else ""


def _parsed(text: str) -> dict[str, Any]:
    answer = parse_value(text)
    if not isinstance(answer, dict):
        raise MalformedAnswer("The server's answer is not a JSON object.", finish="NOT_JSON")
    return answer


def _only_model(served: list[str]) -> str:
    if len(served) == 1:
        return served[0]
    listed = f"it has {', '.join(served[:5])}" if served else "it does not list any"
    raise UnknownModel("engine.openai.model is not set, and the server does not serve exactly one.", hint=f"Name one: {listed}.")
