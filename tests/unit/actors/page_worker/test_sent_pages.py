"""Requests to Gemini, made by the engine with the real SDK, recorded by a server on loopback, rendered, and compared with the
pages of the document."""

from __future__ import annotations

import base64
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rayocr.actors.page_worker.offered_page import ThreadedPage
from rayocr.config import GeminiConfig
from rayocr.engines.gemini.engine import GeminiEngine
from rayocr.engines.stages import PageProgress
from rayocr.pdf.document import PdfFile
from tests.unit.engines.gemini.recorded_server import KEY, MODEL, Recorded
from tests.unit.engines.servers import answering
from tests.unit.pdf.cut.test_page_document import HIDDEN, atlas, looks_like_the_page, noise
from tests.unit.pdf.form_pages import form_page, rect

CASES = Path(__file__).parents[2] / "outputs" / "cases"
pytestmark = pytest.mark.filterwarnings("ignore:Inheritance class AiohttpClientSession:DeprecationWarning")

FORM = form_page(
    [f"/FT /Tx /T (a) /V (Ottoline Marsh) {rect(0)}", f"/FT /Tx /T (b) /F 32 /V (unseen) {rect(1)}"],
    form_entries="/NeedAppearances true",
)


async def on_thread(function: Callable[..., Any], *arguments: Any) -> Any:
    return function(*arguments)


async def sent(data: bytes, page_number: int = 1, **settings: Any) -> tuple[str, bytes]:
    """Media type and bytes of the page in the request."""
    server = Recorded()
    async with answering(server) as url:
        engine = GeminiEngine(GeminiConfig(base_url=url, model=MODEL, **settings), prompt="Read it.", secrets=KEY)
        engine.open()
        with PdfFile(data, max_pixels=20_000_000) as file, file.page(page_number) as page:
            progress = PageProgress("d", page_number, is_last_stage=True)
            await engine.recognize_async(ThreadedPage(page, on_thread, progress), MODEL)
        await engine.aclose()
    [(_, body)] = server.requests
    inline = body["contents"][0]["parts"][0]["inlineData"]
    return inline["mime_type"], base64.urlsafe_b64decode(inline["data"])


@pytest.mark.parametrize("data", [FORM, *HIDDEN.values()], ids=["form", *HIDDEN])
async def test_the_page_that_is_sent_looks_like_the_page_of_the_document(data: bytes) -> None:
    kind, document = await sent(data)
    assert kind == ("application/pdf" if data is FORM else "image/jpeg")
    assert looks_like_the_page(data, document)


@pytest.mark.parametrize(
    ("case", "page_number", "kind"),
    [
        ("form_without_appearances", 1, "application/pdf"),
        ("checkboxes", 1, "application/pdf"),
        ("negative_font_size", 1, "application/pdf"),
        ("vertical_japanese", 1, "application/pdf"),
        ("pictures_of_all_kinds", 8, "application/pdf"),
        ("outlines_with_live_footer", 1, "application/pdf"),
        ("long_receipt", 1, "application/pdf"),
        ("hidden_layer", 1, "image/jpeg"),
        ("text_that_nobody_sees", 1, "image/jpeg"),
    ],
)
async def test_the_request_for_a_case_shows_its_page(case: str, page_number: int, kind: str) -> None:
    data = (CASES / f"{case}.pdf").read_bytes()
    media_type, document = await sent(data, page_number)
    assert media_type == kind
    assert looks_like_the_page(data, document, page_number=page_number)


async def test_a_request_holds_the_pictures_of_its_page_only() -> None:
    for number in (1, 5):
        kind, document = await sent(atlas(), number)
        assert kind == "application/pdf"
        assert len(document) < 1.5 * len(noise(number - 1))


async def test_a_page_over_the_limit_of_a_request_is_sent_as_a_picture() -> None:
    data = atlas(pages=1)  # 60 KB: as large as a page of 12 MB, for a test
    config = GeminiConfig(max_request_mb=20.0)
    assert config.max_page_bytes < 15_000_000
    with PdfFile(data, max_pixels=20_000_000) as file, file.page(1) as page:
        offered = ThreadedPage(page, on_thread, PageProgress("d", 1, is_last_stage=True))
        whole = await offered.as_document()
        small = await offered.as_document(max_bytes=len(whole) - 1)
        assert whole.startswith(b"%PDF-") and small.startswith(b"\xff\xd8") and len(small) < len(whole)
        assert await offered.as_document() == whole, "kept for the next engine"
        assert await offered.content_hash()
