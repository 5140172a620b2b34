"""The server side of batches: what an error of its calls means."""

from __future__ import annotations

import pytest
from aiohttp import web

from rayocr.config import GeminiConfig, Secrets
from rayocr.engines.gemini.batch import GeminiJobs
from rayocr.errors import BatchGone, UnknownModel
from tests.unit.engines.servers import answering

# The SDK's own: it subclasses aiohttp's session.
pytestmark = pytest.mark.filterwarnings("ignore:Inheritance class AiohttpClientSession:DeprecationWarning")


@pytest.mark.parametrize(("model_exists", "expected"), [(True, BatchGone), (False, UnknownModel)])
async def test_a_job_that_cannot_be_created_tells_a_file_that_is_gone_from_a_model_that_is(
    model_exists: bool, expected: type[Exception]
) -> None:
    async def google(request: web.Request) -> web.Response:
        if request.method == "GET" and model_exists:
            return web.json_response({"name": "models/gemini-x"})
        error = {"code": 404, "message": "This model is no longer available.", "status": "NOT_FOUND"}
        return web.json_response({"error": error}, status=404)

    async with answering(google) as url:
        jobs = GeminiJobs(GeminiConfig(base_url=url), Secrets(gemini_api_key="a-key-of-the-test"))
        with pytest.raises(expected):
            await jobs.create("a job", "gemini-x", "files/f1")
