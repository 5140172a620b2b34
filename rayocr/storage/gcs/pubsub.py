"""Pulls notifications of new objects of a bucket from a Pub/Sub subscription, with the REST API and the client's discovery
document. The caller acknowledges each message. Until then the server sends the message again after the subscription's deadline.
Raises only rayocr's errors.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from rayocr.config import AccessConfig
from rayocr.errors import CredentialsError, StorageDenied, StorageError, StorageUnavailable, UsageError
from rayocr.errors.next_steps import next_step
from rayocr.storage.gcs.client import find_credentials
from rayocr.storage.gcs.errors import no_credentials
from rayocr.untrusted_json import parse_value

_SCOPES = ["https://www.googleapis.com/auth/pubsub"]
_TIMEOUT_S = 120  # seconds; without messages the server answers a pull after about 90 s


@dataclass(frozen=True, slots=True, kw_only=True)
class Notification:
    """A notification of Cloud Storage. `bucket` and `name` are empty in other messages."""

    ack_id: str
    bucket: str = ""
    name: str = ""
    event: str = ""  # OBJECT_FINALIZE, OBJECT_DELETE, …


class Subscription:
    """Pulls messages from a Pub/Sub subscription. `name`: projects/…/subscriptions/…. Calls block. Not thread-safe."""

    def __init__(self, name: str, access: AccessConfig, *, endpoint: str | None = None, timeout_s: float = _TIMEOUT_S) -> None:
        self._name = name
        with self._errors():
            self._service = _service(access, endpoint, timeout_s)
            self._calls = self._service.projects().subscriptions()

    def pull(self, count: int) -> list[Notification]:
        """Waits for the first message as long as the server does, and returns messages. Raises StorageError."""
        with self._errors():
            answer = self._calls.pull(subscription=self._name, body={"maxMessages": count}).execute(num_retries=0)
        return [_notification(received) for received in answer.get("receivedMessages", ())]

    def acknowledge(self, notifications: Sequence[Notification]) -> None:
        """Acknowledges these messages, so that the server does not send them again. Raises StorageError."""
        if notifications:
            body = {"ackIds": [notification.ack_id for notification in notifications]}
            with self._errors():
                self._calls.acknowledge(subscription=self._name, body=body).execute(num_retries=0)

    def hand_back(self, notifications: Sequence[Notification]) -> None:
        """Returns these messages, so that the server sends them again immediately, to any subscriber. Raises StorageError."""
        if notifications:
            body = {"ackIds": [notification.ack_id for notification in notifications], "ackDeadlineSeconds": 0}
            with self._errors():
                self._calls.modifyAckDeadline(subscription=self._name, body=body).execute(num_retries=0)

    def close(self) -> None:
        self._calls.close()
        self._service.close()

    @contextmanager
    def _errors(self) -> Iterator[None]:
        from google.auth.exceptions import GoogleAuthError, TransportError
        from googleapiclient.errors import HttpError
        from httplib2 import HttpLib2Error

        try:
            yield
        except HttpError as error:
            raise _translated(error, self._name) from error
        except TransportError as error:
            raise StorageUnavailable(f"Cannot reach the server that checks the credentials: {error}.") from error
        except GoogleAuthError as error:
            raise no_credentials(error) from error
        except (OSError, HttpLib2Error) as error:
            raise StorageUnavailable(f"Pub/Sub cannot be reached: {type(error).__name__}: {error}.") from error


def _service(access: AccessConfig, endpoint: str | None, timeout_s: float) -> Any:
    import httplib2
    from google_auth_httplib2 import AuthorizedHttp
    from googleapiclient.discovery import build_from_document
    from googleapiclient.discovery_cache import get_static_doc

    document = json.loads(get_static_doc("pubsub", "v1"))
    http: Any = httplib2.Http(timeout=timeout_s)
    if endpoint:
        # Address of an emulator, from the emulator's environment variable.
        root = endpoint if "://" in endpoint else f"http://{endpoint}"
        document["rootUrl"] = root.rstrip("/") + "/"
        document["baseUrl"] = document["rootUrl"]
    if not endpoint or access.credentials:
        http = AuthorizedHttp(find_credentials(access.credentials, _SCOPES), http=http)
    return build_from_document(document, http=http)


def _translated(error: Any, name: str) -> StorageError | CredentialsError | UsageError:
    status = int(error.resp.status)
    hint = next_step("pubsub", status, str(error.reason))
    if status == 401:
        return CredentialsError(f"Pub/Sub does not accept the credentials for {name}.", hint=hint)
    if status == 403:
        return StorageDenied(f"No permission to pull from {name}.", hint=hint)
    if status == 404:
        return UsageError(f"There is no subscription {name}.", hint=hint)
    if status == 429 or status >= 500:
        return StorageUnavailable(f"Pub/Sub answers {status}.")
    return StorageError(f"Pub/Sub answers {status}: {error.reason}")


def _notification(received: Any) -> Notification:
    message = received.get("message", {})
    attributes = message.get("attributes") or {}
    bucket, name = attributes.get("bucketId", ""), attributes.get("objectId", "")
    if not name and message.get("data"):
        try:
            decoded = parse_value(base64.b64decode(message["data"]))
            bucket, name = str(decoded["bucket"]), str(decoded["name"])
        except (ValueError, KeyError, TypeError):
            pass  # another publisher on the topic sent this message
    event = attributes.get("eventType", "OBJECT_FINALIZE")
    return Notification(ack_id=received["ackId"], bucket=bucket, name=name, event=event)
