"""Adds the routes of documents to the HTTP API: their list, and the text and picture of a page."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import FastAPI, HTTPException, Query, Response
from fastapi import Path as InPath
from starlette.concurrency import run_in_threadpool

from rayocr.gateway.run_api import RunApi, line_of
from rayocr.ledger.manifest import Manifest
from rayocr.messages import DocumentOutcome

DocumentId = Annotated[str, InPath(pattern="^[0-9a-f]{32}$", description="32 hex digits")]
PageNumber = Annotated[int, InPath(ge=1, le=1_000_000)]


def add_document_routes(app: FastAPI, api: RunApi) -> None:
    @app.get("/documents")
    async def documents(
        outcome: DocumentOutcome | None = None,
        q: Annotated[str | None, Query(max_length=200)] = None,
        reason: Annotated[str | None, Query(max_length=100)] = None,
        cursor: Annotated[str | None, Query(pattern="^[0-9a-f]{32}$")] = None,
        limit: Annotated[int, Query(ge=1, le=200)] = 50,
    ) -> dict[str, Any]:
        """Returns the documents in progress, and a page of the finished ones."""
        found, after = await run_in_threadpool(
            api.documents, outcome=outcome.value if outcome else None, q=q, reason=reason, cursor=cursor, limit=limit
        )
        return {"in_progress": api.in_progress(), "documents": found, "cursor": after}

    @app.get("/documents/{document_id}")
    async def document(document_id: DocumentId) -> dict[str, Any]:
        manifest = await finished_document(api, document_id)
        return line_of(manifest) | {
            "pages": {kind.value: runs for kind, runs in manifest.pages.items()},
            "notes": [note.model_dump(mode="json") for note in manifest.notes],
            "outputs": [output.model_dump(mode="json") for output in manifest.outputs],
            "source_uri": manifest.source_uri,
            "message": manifest.message,
        }

    @app.get("/documents/{document_id}/pages/{page_number}")
    async def page_text(document_id: DocumentId, page_number: PageNumber) -> dict[str, Any]:
        manifest = await finished_document(api, document_id)
        found = await run_in_threadpool(api.page, manifest, page_number)
        if found is None:
            raise HTTPException(404, "There is no such page.")
        return found

    @app.get("/documents/{document_id}/pages/{page_number}/image", response_class=Response)
    async def page_image(document_id: DocumentId, page_number: PageNumber) -> Response:
        manifest = await finished_document(api, document_id)
        if page_number > manifest.page_count:
            raise HTTPException(404, "There is no such page.")
        picture = await run_in_threadpool(api.picture, manifest, page_number)
        if picture is None:
            raise HTTPException(404, "This page has no picture.")
        return Response(picture, media_type="image/jpeg")


async def finished_document(api: RunApi, document_id: str) -> Manifest:
    """Returns the manifest of a finished document. Answers 404 for other documents."""
    manifest = await run_in_threadpool(api.manifest, document_id)
    if manifest is None:
        raise HTTPException(404, "No finished document has this id.")
    return manifest
