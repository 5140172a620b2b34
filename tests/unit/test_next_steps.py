"""The table of next steps: every answer that a user can act on has its own, and no translation has another."""

from __future__ import annotations

import json
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httplib2
import pytest
import redis
from google.api_core import exceptions as api
from google.genai import errors as genai
from googleapiclient.errors import HttpError

import rayocr
from rayocr.engines.gemini import errors as gemini
from rayocr.engines.openai import errors as openai
from rayocr.errors import LocksUnavailable, RayocrError
from rayocr.errors.next_steps import NEXT_STEPS, next_step
from rayocr.redis_errors import translated
from rayocr.storage.drive import errors as drive
from rayocr.storage.gcs import errors as gcs

PACKAGE = Path(rayocr.__file__).parent
TRANSLATIONS = (
    "engines/gemini/errors.py",
    "engines/openai/errors.py",
    "redis_errors.py",
    "storage/drive/errors.py",
    "storage/gcs/errors.py",
    "storage/gcs/pubsub.py",
)


def of_drive(status: int, reason: str, message: str = "no") -> RayocrError:
    body = {"error": {"message": message, "errors": [{"reason": reason}]}}
    answer = httplib2.Response({"status": str(status), "reason": "no"})
    return drive.translate(HttpError(answer, json.dumps(body).encode()), "folder", doing="read")


def of_gemini(status: int, reason: str = "", message: str = "no", *, word: str = "") -> RayocrError:
    details = [{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": reason}] if reason else []
    body: dict[str, Any] = {"error": {"code": status, "message": message, "status": word, "details": details}}
    return gemini.translate(genai.ClientError(status, body))


def of_openai(status: int, code: str = "", message: str = "no") -> RayocrError:
    with pytest.raises(RayocrError) as raised:
        openai.raise_for_status(status, json.dumps({"error": {"message": message, "code": code}}), {})
    return raised.value


def of_redis(message: str) -> RayocrError:
    client = SimpleNamespace(connection_pool=SimpleNamespace(connection_kwargs={"host": "h", "port": 1}))
    return translated(redis.ResponseError(message), client, LocksUnavailable)


@pytest.mark.parametrize(
    ("error", "step"),
    [
        (of_drive(403, "storageQuotaExceeded"), "free some space"),
        (of_drive(403, "quotaExceeded", "The user's Drive storage quota has been exceeded."), "free some space"),
        (of_drive(403, "teamDriveFileLimitExceeded"), "another shared drive"),
        (of_drive(403, "numChildrenInNonRootLimitExceeded"), "another folder"),
        (of_drive(403, "activeItemCreationLimitExceeded"), "another account"),
        (of_drive(403, "dailyLimitExceeded"), "tomorrow"),
        (of_drive(403, "accessNotConfigured"), "Enable it"),
        (of_drive(403, "insufficientPermissions"), "the scope"),
        (of_drive(403, "cannotDownloadAbusiveFile"), "malware"),
        (of_drive(403, "cannotDownloadFile"), "owner"),
        (of_drive(403, "downloadQuotaExceeded"), "in a day"),
        (of_drive(403, "domainPolicy"), "administrator"),
        (of_drive(403, "forbidden"), "Share the folder"),
        (of_drive(404, "notFound"), "Share the folder"),
        (of_drive(401, "authError"), "rayocr login drive"),
        (of_gemini(400, "API_KEY_INVALID", "API key not valid."), "GEMINI_API_KEY"),
        (of_gemini(401, message="Invalid credentials. Expected OAuth 2 access token"), "gcloud auth"),
        (of_gemini(401, message="API key not found."), "GEMINI_API_KEY"),
        (of_gemini(403, "API_KEY_HTTP_REFERRER_BLOCKED"), "restrictions"),
        (of_gemini(403, "API_KEY_SERVICE_BLOCKED"), "restrictions"),
        (of_gemini(403, "SERVICE_DISABLED"), "Enable"),
        (of_gemini(403, "CONSUMER_SUSPENDED"), "suspended"),
        (of_gemini(403, message="Your API key was reported as leaked."), "a new one"),
        (of_gemini(403, message="Permission 'aiplatform.endpoints.predict' denied"), "Vertex AI User"),
        (of_gemini(403), "API is enabled"),
        (of_gemini(404, word="NOT_FOUND"), "engine.gemini.model"),
        (of_gemini(400, message="User location is not supported.", word="FAILED_PRECONDITION"), "your location with API keys"),
        (of_gemini(400, message="Please enable billing.", word="FAILED_PRECONDITION"), "billing"),
        (of_openai(401), "OPENAI_API_KEY"),
        (of_openai(403, message="Project has no access to model x"), "engine.openai.model"),
        (of_openai(403, "unsupported_country_region_territory"), "not offered"),
        (of_openai(404, "model_not_found"), "engine.openai.model"),
        (of_openai(429, "insufficient_quota"), "credit"),
        (of_redis("READONLY You can't write against a read only replica."), "replica"),
        (of_redis("MISCONF Redis is configured to save RDB snapshots"), "disk"),
        (of_redis("OOM command not allowed when used memory > 'maxmemory'."), "maxmemory"),
        (of_redis("NOREPLICAS Not enough good replicas to write."), "replicas"),
        (of_redis("NOPERM this user has no permissions"), "~{rayocr:*"),
        (of_redis("MOVED 3999 127.0.0.1:6381"), "cluster mode"),
        (of_redis("unknown command 'EVALSHA'"), "Lua"),
        (gcs.translate(api.Forbidden("no storage.objects.list access"), "gs://b", doing="list"), "storage.objects.list"),
        (gcs.translate(api.Forbidden("Object is under active hold"), "gs://b/o", doing="delete"), "state="),
        (gcs.translate(api.Forbidden("no"), "gs://b", doing="write"), "Storage Object User"),
        (gcs.translate(api.NotFound("The specified bucket does not exist."), "gs://b", doing="list"), "does not create"),
    ],
    ids=lambda value: value if isinstance(value, str) else type(value).__name__,
)
def test_the_next_step_fits_the_cause(error: RayocrError, step: str) -> None:
    assert step in str(error.hint)


@pytest.mark.parametrize("module", TRANSLATIONS)
def test_no_translation_has_advice_of_its_own(module: str) -> None:
    text = (PACKAGE / module).read_text()
    assert "next_step(" in text
    assert not re.findall(r"hint=\(?\s*f?\"", text)


def test_every_row_can_be_reached_and_is_a_sentence_or_a_command() -> None:
    for row in NEXT_STEPS:
        said = row.signs[0] if row.signs else ""
        assert next_step(row.service, row.status, said) == row.step.replace("{place}", ""), row
        assert row.step[0].isupper() or row.step.startswith("rayocr"), row
