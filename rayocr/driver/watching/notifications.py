"""Pulls notifications of new objects from Pub/Sub on a separate thread, and passes them to the scheduler as documents.

A message is acknowledged once its document is pushed and known to exist at the source: if the run ends before the document is
finished, the next run finds it in the listing. A message whose object could not be checked is returned and delivered again.
Messages that are not about a new PDF of this source are acknowledged and skipped.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Protocol

from rayocr.actors.discovery.actor import DiscoveryRules
from rayocr.actors.document_identity import document_at
from rayocr.errors import ObjectNotFound, RayocrError, StorageError, StorageUnavailable, UnsafeName
from rayocr.messages import Document
from rayocr.observe.logs import log_event
from rayocr.storage.base import Storage
from rayocr.storage.gcs.pubsub import Notification

log = logging.getLogger(__name__)

_AT_ONCE = 100
_ROOM = 512  # maximum number of documents that wait for the window; further notifications remain on the server
_AGAIN_S = 5.0  # seconds after a transient failure
_DENIED_S = 60.0  # seconds after an error that the user has to fix


class Puller(Protocol):
    def pull(self, count: int) -> list[Notification]: ...

    def acknowledge(self, notifications: list[Notification]) -> None: ...

    def hand_back(self, notifications: list[Notification]) -> None: ...

    def close(self) -> None: ...


class Notifications:
    """Pulls notifications and pushes their documents. `push(document)` and `fail(error)` are called on the thread of this object;
    `waiting()` returns how many documents have no room yet. `fail` gets an error of the first pull that only the user can fix,
    such as a wrong name or a missing permission."""

    def __init__(
        self,
        subscription: Puller,
        source: Storage,
        rules: DiscoveryRules,
        *,
        push: Callable[[Document], object],
        waiting: Callable[[], int],
        fail: Callable[[RayocrError], object],
        warn: Callable[[str], object],
    ) -> None:
        self._subscription = subscription
        self._source = source
        self._rules = rules
        self._push = push
        self._waiting = waiting
        self._fail = fail
        self._warn = warn
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="events", daemon=True)  # a pull takes one minute or longer
        self._ever = False
        self.live = True

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        """Stops pushing documents, and abandons a pull in progress."""
        self._over.set()

    def _run(self) -> None:
        try:
            self._take_until_over()
        finally:
            self._subscription.close()

    def _take_until_over(self) -> None:
        while not self._over.is_set():
            if self._waiting() > _ROOM:
                self._over.wait(0.5)
                continue
            try:
                self.take_some()
            except StorageUnavailable as error:
                self._note_down(error, again_s=_AGAIN_S)
            except RayocrError as error:
                if not self._ever:
                    self._fail(error)
                    return
                self._note_down(error, again_s=_DENIED_S)
            except Exception as error:  # after a bug, listings continue without notifications
                log.error(
                    "Notifications could not be processed.", exc_info=error, extra={"rayocr_fields": {"action": "events_failed"}}
                )
                self._note_down(StorageError(f"{type(error).__name__}: {error}"), again_s=_DENIED_S)
            else:
                self._note_up()

    def take_some(self) -> None:
        """Pulls once and pushes the documents. Raises StorageError."""
        found = self._subscription.pull(_AT_ONCE)
        if self._over.is_set():
            return  # the messages are not acknowledged, so they are delivered again to another run
        taken: list[Notification] = []
        left: list[Notification] = []
        for notification in found:
            try:
                self._take(notification)
            except StorageError:
                left.append(notification)
            else:
                taken.append(notification)
        self._subscription.acknowledge(taken)
        self._subscription.hand_back(left)
        if left:
            raise StorageUnavailable("The source did not answer for all of the notified objects.")

    def _take(self, notification: Notification) -> None:
        name = name_in(self._source, notification.bucket, notification.name)
        if notification.event != "OBJECT_FINALIZE" or name is None or not self._rules.admits(name):
            return
        try:
            entry = self._source.stat(name)
        except (ObjectNotFound, UnsafeName):
            return
        if self._rules.admits_entry(entry):
            self._push(document_at(self._source, entry))

    def _note_down(self, error: RayocrError, *, again_s: float) -> None:
        if self.live:
            self.live = False
            log_event(log, "events_unavailable", "Notifications are unavailable.", level=logging.WARNING, error=str(error))
            self._warn(f"Notifications are unavailable, so the source is listed instead: {error}")
        self._over.wait(again_s)

    def _note_up(self) -> None:
        self._ever = True
        if not self.live:
            self.live = True
            log_event(log, "events_recovered", "Notifications are available again.")


def name_in(source: Storage, bucket: str, name: str) -> str | None:
    """Returns the object's name below the source; None if it is elsewhere."""
    uri, prefix = f"gs://{bucket}/{name}", source.uri + "/"
    return uri[len(prefix) :] or None if uri.startswith(prefix) else None
