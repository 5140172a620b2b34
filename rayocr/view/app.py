"""Creates the FastAPI application of the results view. Every request needs the view's token; the page itself is empty without
it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Annotated, Any, NoReturn, TypeVar
from urllib.parse import quote

from fastapi import Depends, FastAPI, HTTPException, Query, Request
from fastapi.responses import FileResponse, Response, StreamingResponse
from fastapi.staticfiles import StaticFiles
from pydantic import BaseModel, ConfigDict, Field

from rayocr.api.reading import Cancellable
from rayocr.api.review.reviewer import user_name
from rayocr.errors import ObjectNotFound, RayocrError, UsageError
from rayocr.gateway.guard import Guard
from rayocr.in_thread import in_thread
from rayocr.ledger.corrections import MAX_TEXT_CHARS
from rayocr.view.reread import ENGINES, prompts, takes_prompt
from rayocr.view.results import Results
from rayocr.view.search import Filters

T = TypeVar("T")

_STATIC = Path(__file__).with_name("static")
_SHARED = Path(__file__).parent.parent / "gateway" / "static"  # the status page's stylesheet and small modules
_POLL_S = 0.2  # seconds between two checks of whether the browser still waits
_MAX_BODY_BYTES = 4 * MAX_TEXT_CHARS + 4096


class CorrectedPage(BaseModel):
    """A corrected page. `text`: Markdown. `author`: the person who corrected it. `text_id`: of the text that the person saw;
    without it, another correction may be overwritten unseen."""

    model_config = ConfigDict(extra="forbid")

    text: str = Field(max_length=MAX_TEXT_CHARS)
    author: str = Field(min_length=1, max_length=200)
    text_id: str = Field(default="", max_length=16)


class EarlierCorrection(BaseModel):
    """A correction of an earlier version of the file, which is applied to the page or discarded."""

    model_config = ConfigDict(extra="forbid")

    document_id: str = Field(max_length=32)
    page_number: int
    apply: bool


class SecondReading(BaseModel):
    """A request to read a page again. `prompt`: a file in conf/prompts/ without .md; empty: the engine's default."""

    model_config = ConfigDict(extra="forbid")

    engine: str = Field(max_length=40)
    prompt: str = Field(default="", max_length=60)


def filters(
    q: Annotated[str, Query(max_length=200)] = "",
    outcome: Annotated[str, Query(pattern="^(complete|partial|rejected|dismissed|)$")] = "",
    engine: Annotated[str, Query(pattern=r"^[\w-]{0,40}$")] = "",
    reason: Annotated[str, Query(pattern=r"^\w{0,60}$")] = "",
    doubt: bool = False,
    earlier: bool = False,
) -> Filters:
    return Filters(words=_text(q), outcome=outcome, engine=engine, reason=reason, doubt=doubt, earlier=earlier)


_CHOSEN = Depends(filters)


def create_view(results: Results, *, token: str | None, title: str) -> Any:
    """Returns an ASGI application. `token` None is for tests only."""
    app = FastAPI(title="rayocr results", docs_url=None, redoc_url=None, openapi_url=None)
    _serve_page(app)
    _serve_list(app, results, title)
    _serve_pages(app, results)
    _serve_files(app, results)
    return Guard(app, token=token, max_body_bytes=_MAX_BODY_BYTES)


def _serve_page(app: FastAPI) -> None:
    """Serves the web page and its files."""
    app.mount("/static/shared", StaticFiles(directory=_SHARED))
    app.mount("/static", StaticFiles(directory=_STATIC))

    @app.get("/", include_in_schema=False)
    def page() -> FileResponse:
        return FileResponse(_STATIC / "index.html")

    @app.get("/favicon.ico", include_in_schema=False)
    def icon() -> Response:
        return Response(status_code=204)


def _serve_list(app: FastAPI, results: Results, title: str) -> None:
    """Serves the counts and the list of documents."""

    @app.get("/api/status")
    def status() -> dict[str, Any]:
        index = results.index
        counts = index.counts()
        for reason in counts["reasons"]:
            reason |= results.failure(reason["reason"])
        return {
            "title": title,
            "total": index.total,
            "indexed": index.done,
            "listing": not index.listed,
            "damaged": index.damaged[:20],
            "problem": results.problem,
            "engines_to_read_with": [{"engine": name, "missing": results.rereader.missing.get(name, "")} for name in ENGINES],
            "engines_with_prompts": [engine for engine in ENGINES if takes_prompt(engine)],
            "prompts": prompts(),
            "user": user_name(),
            **counts,
        }

    @app.get("/api/documents")
    def documents(
        found: Filters = _CHOSEN,
        cursor: Annotated[str, Query(max_length=4000)] = "",
        limit: Annotated[int, Query(ge=1, le=200)] = 50,
    ) -> dict[str, Any]:
        try:
            rows, after = results.index.documents(found, after=_text(cursor), limit=limit)
        except ValueError as error:
            raise HTTPException(422, "Not a cursor of this list.") from error
        return {"documents": rows, "cursor": after}


def _serve_pages(app: FastAPI, results: Results) -> None:
    """Serves a document and its pages, and accepts changes of readers."""

    @app.get("/api/documents/{document_id}")
    def document(document_id: str) -> dict[str, Any]:
        return _or_404(results.document, _checked(document_id))

    @app.get("/api/documents/{document_id}/pages/{number}")
    def one_page(document_id: str, number: int) -> dict[str, Any]:
        return _or_404(results.page, _checked(document_id), number)

    @app.put("/api/documents/{document_id}/pages/{number}")
    def correct(document_id: str, number: int, body: CorrectedPage) -> dict[str, str]:
        text, author = _text(body.text), _text(body.author)
        try:
            pending = results.correct(_checked(document_id), number, text=text, author=author, text_id=body.text_id)
        except RayocrError as error:
            _refuse(error)
        return {"pending": pending}

    @app.post("/api/documents/{document_id}/pages/{number}/earlier")
    def settle(document_id: str, number: int, body: EarlierCorrection) -> dict[str, str]:
        earlier = _checked(body.document_id), body.page_number
        return {"pending": _or_404(lambda: results.settle(_checked(document_id), number, earlier, apply=body.apply))}

    @app.post("/api/documents/{document_id}/pages/{number}/read")
    async def read_again(document_id: str, number: int, body: SecondReading, request: Request) -> dict[str, Any]:
        reading = Cancellable()

        def work() -> dict[str, Any]:
            return results.read_again(_checked(document_id), number, engine=body.engine, prompt=body.prompt, reading=reading)

        try:
            return await _while_wanted(request, in_thread(work, on_cancel=reading.cancel))
        except RayocrError as error:
            _refuse(error)

    @app.get("/api/documents/{document_id}/pages/{number}/image")
    def image(document_id: str, number: int) -> Response:
        drawn = _or_404(results.picture, _checked(document_id), number)
        if drawn is None:
            raise HTTPException(404, "The source of this page cannot be read, so its picture cannot be shown.")
        return Response(drawn, media_type="image/jpeg")

    @app.get("/api/documents/{document_id}/pages/{number}/words")
    def words(document_id: str, number: int) -> dict[str, Any]:
        """Returns the page's words as [text, x0, y0, x1, y1], in shares of the page's width and height."""
        return {"words": _or_404(results.words, _checked(document_id), number)}


def _serve_files(app: FastAPI, results: Results) -> None:
    """Serves outputs for download."""

    @app.get("/api/documents/{document_id}/outputs/{position}")
    def output(document_id: str, position: int) -> Response:
        name, data = _or_404(results.output, _checked(document_id), position)
        return Response(data, media_type="application/octet-stream", headers=_attachment(name.rpartition("/")[2]))

    @app.get("/api/download")
    def download(found: Filters = _CHOSEN) -> StreamingResponse:
        stream = results.zipped(results.index.ids(found))
        return StreamingResponse(stream, media_type="application/zip", headers=_attachment("rayocr-results.zip"))


async def _while_wanted(request: Request, work: Coroutine[Any, Any, T]) -> T:
    """Returns the result of the work, which is cancelled when the browser has closed the request."""
    task = asyncio.ensure_future(work)
    try:
        while not (await asyncio.wait([task], timeout=_POLL_S))[0]:
            if await request.is_disconnected():
                raise HTTPException(499, "Cancelled.")
        return task.result()
    finally:
        task.cancel()
        await asyncio.wait([task])


def _checked(document_id: str) -> str:
    if len(document_id) != 32 or set(document_id) - set("0123456789abcdef"):
        raise HTTPException(404, "There is no such document.")
    return document_id


def _or_404(function: Callable[..., T], *arguments: Any) -> T:
    try:
        return function(*arguments)
    except RayocrError as error:
        _refuse(error)


def _refuse(error: RayocrError) -> NoReturn:
    status = 404 if isinstance(error, ObjectNotFound) else 422 if isinstance(error, UsageError) else 503
    raise HTTPException(status, f"{error} {error.hint}" if error.hint else str(error)) from error


def _text(given: str) -> str:
    """Removes halves of surrogate pairs, which neither SQLite nor UTF-8 accepts."""
    return given.encode("utf-8", "replace").decode()


def _attachment(name: str) -> dict[str, str]:
    return {"content-disposition": f"attachment; filename*=UTF-8''{quote(name, safe='')}"}
