"""Messages and hints for answers of Google Cloud Storage."""

from __future__ import annotations

from google.api_core import exceptions as api

from rayocr.storage.gcs.errors import translate

_LISTING = "GET http://127.0.0.1/storage/v1/b/texts/o?fields=items(retentionExpirationTime,eventBasedHold): "


def test_the_address_of_a_request_does_not_choose_the_hint() -> None:
    denied = api.Forbidden(f"{_LISTING}x does not have storage.objects.list access.")
    found = translate(denied, "gs://texts", doing="list")
    assert str(found) == "No permission to list gs://texts: x does not have storage.objects.list access."
    assert found.hint is not None and "The account needs storage.objects.list" in found.hint


def test_the_message_is_taken_from_the_json_of_an_answer() -> None:
    body = '{"error": {"code": 503, "message": "We encountered \\"an\\" internal error.", "errors": []}}: (503,)'
    found = translate(api.ServiceUnavailable(f"POST https://storage.googleapis.com/upload: {body}"), "gs://b/a", doing="write")
    assert '(temporary error: We encountered "an" internal error).' in str(found)
