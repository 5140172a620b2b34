"""Adds the routes that control the run to the HTTP API."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any, TypeVar

from fastapi import FastAPI, HTTPException, Request
from pydantic import BaseModel, Field
from starlette.concurrency import run_in_threadpool

from rayocr.errors import ObjectNotFound, RayocrError, RecordCorrupt, UnsafeName
from rayocr.gateway.document_routes import DocumentId, finished_document
from rayocr.gateway.run_api import RunApi
from rayocr.messages import DocumentOutcome
from rayocr.untrusted_json import parse_object

T = TypeVar("T")


class Accepted(BaseModel):
    accepted: bool = True
    document_id: str | None = None


class WhatToRetry(BaseModel):
    reason: str | None = Field(default=None, max_length=100, description="A class of errors, for example Refused")
    q: str | None = Field(default=None, max_length=200, description="Part of the documents' names")


class Retried(BaseModel):
    documents: int


class FileToProcess(BaseModel):
    name: str = Field(min_length=1, max_length=4096, description="A document's name below source=, for example 2024/a.pdf")


class PushMessage(BaseModel):
    data: str = Field(default="", max_length=60_000)
    attributes: dict[str, str] = Field(default_factory=dict)


class PushEnvelope(BaseModel):
    """A Pub/Sub push of a Cloud Storage notification."""

    message: PushMessage
    subscription: str = ""


def add_control_routes(app: FastAPI, api: RunApi, verify_push: Any) -> None:
    """`verify_push`: see `create_app`."""
    _add_run(app, api)
    _add_documents(app, api)
    _add_source(app, api, verify_push)


def _add_run(app: FastAPI, api: RunApi) -> None:
    @app.post("/pause", status_code=202)
    async def pause() -> Accepted:
        """Sends no further pages until /resume."""
        api.commands.pause()
        return Accepted()

    @app.post("/resume", status_code=202)
    async def resume() -> Accepted:
        api.commands.resume()
        return Accepted()

    @app.post("/drain", status_code=202)
    async def drain() -> Accepted:
        """Drains the run, like SIGTERM: finishes pages in progress, then ends the run."""
        api.commands.drain()
        return Accepted()


def _add_documents(app: FastAPI, api: RunApi) -> None:
    @app.post("/documents/retry", status_code=202)
    async def retry_all(which: WhatToRetry) -> Retried:
        """Retries every matching failed document in this run: its failed pages, or all pages of a rejected document."""
        return Retried(documents=await run_in_threadpool(api.retry_all, reason=which.reason, q=which.q))

    @app.post("/documents/{document_id}/retry", status_code=202)
    async def retry(document_id: DocumentId) -> Accepted:
        """Retries the document's failed pages in this run."""
        manifest = await finished_document(api, document_id)
        if manifest.outcome is DocumentOutcome.COMPLETE:
            raise HTTPException(400, "The document is complete.")
        if not api.can_retry(manifest):
            raise HTTPException(400, "The document belongs to another source than this run's.")
        api.commands.retry(manifest)
        return Accepted(document_id=document_id)

    @app.post("/documents/{document_id}/cancel", status_code=202)
    async def cancel(document_id: DocumentId) -> Accepted:
        """Cancels the document: every run on the destination stops processing it and writes no outputs for it."""
        if await run_in_threadpool(api.manifest, document_id) is not None:
            raise HTTPException(400, "The document is already finished.")
        await run_in_threadpool(api.commands.cancel, document_id)
        return Accepted(document_id=document_id)


def _add_source(app: FastAPI, api: RunApi, verify_push: Any) -> None:
    @app.post("/process-file", status_code=202)
    async def process_file(file: FileToProcess) -> Accepted:
        return Accepted(document_id=await _added(api.commands.add, file.name))

    @app.post("/gcs-event", status_code=202)
    async def gcs_event(envelope: PushEnvelope, request: Request) -> Accepted:
        """Accepts a notification of Cloud Storage. The run reads the object if it is below the source."""
        if verify_push is not None:
            try:
                await run_in_threadpool(verify_push, request.headers.get("authorization", ""))
            except ValueError as error:
                raise HTTPException(403, "The push is not from Pub/Sub.") from error
        name = _name_in_event(api, envelope.message)
        document_id = await _added(api.commands.notice, name) if name else None
        return Accepted(accepted=document_id is not None, document_id=document_id)


async def _added(add: Callable[[str], T], name: str) -> T:
    try:
        if not name.lower().endswith(".pdf") or name.startswith(".rayocr/"):
            raise ObjectNotFound(name)
        return await run_in_threadpool(add, name)
    except (ObjectNotFound, UnsafeName) as error:
        raise HTTPException(404, f"The source has no document with this name: {name!r}") from error
    except RayocrError as error:
        raise HTTPException(503, " ".join(filter(None, (str(error), error.hint)))) from error


def _name_in_event(api: RunApi, message: PushMessage) -> str | None:
    attributes = message.attributes
    if not attributes.get("objectId") and message.data:
        try:
            decoded = parse_object(base64.b64decode(message.data, validate=True), name="The message")
            attributes = {"bucketId": str(decoded["bucket"]), "objectId": str(decoded["name"]), **attributes}
        except (ValueError, KeyError, RecordCorrupt) as error:
            raise HTTPException(400, "The message is not a Cloud Storage notification.") from error
    if attributes.get("eventType", "OBJECT_FINALIZE") != "OBJECT_FINALIZE":
        return None
    uri = f"gs://{attributes.get('bucketId', '')}/{attributes.get('objectId', '')}"
    prefix = api.source.uri + "/"
    name = uri[len(prefix) :] if uri.startswith(prefix) else None
    return name if name and name.lower().endswith(".pdf") else None
