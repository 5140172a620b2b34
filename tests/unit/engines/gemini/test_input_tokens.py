from __future__ import annotations

import pytest

from benchmarks.gemini_simulator.input_tokens import media_tokens
from rayocr.config import GeminiConfig
from rayocr.engines.gemini.input_tokens import request_shape, text_tokens
from tests.unit.engines.servers import FakePage

A4 = (595.0, 842.0)


def tokens(model: str, page: FakePage, **config: str) -> float:
    return request_shape(GeminiConfig(**config), model, page, prompt_tokens=40).documented_tokens - 40  # type: ignore[arg-type]


@pytest.mark.parametrize("model", ["gemini-3.1-flash-lite", "models/gemini-3.8-flash", "gemini-2.5-flash", "gemini-2.5-pro"])
@pytest.mark.parametrize("pages", [1, 5, 17])
def test_a_pdf_counts_by_its_pages(model: str, pages: int) -> None:
    expected = media_tokens(model.removeprefix("models/"), "MEDIA_RESOLUTION_UNSPECIFIED", pdf_pages=pages)
    assert tokens(model, FakePage(sent_pages=pages)) == expected


@pytest.mark.parametrize(("resolution", "expected"), [("low", 280), ("medium", 560), ("high", 1120), ("default", 560)])
def test_the_resolution_determines_the_tokens_of_a_page(resolution: str, expected: float) -> None:
    assert tokens("gemini-3.1-flash-lite", FakePage(sent_pages=1), media_resolution=resolution) == expected


@pytest.mark.parametrize("size_pt", [A4, (842.0, 595.0), (100.0, 100.0), (600.0, 6000.0), (2384.0, 3370.0)])
@pytest.mark.parametrize("model", ["gemini-3.1-flash-lite", "gemini-2.5-flash"])
def test_a_picture_counts_by_its_tiles_in_earlier_models(model: str, size_pt: tuple[float, float]) -> None:
    size_px = round(size_pt[0] * 200 / 72), round(size_pt[1] * 200 / 72)
    expected = media_tokens(model, "MEDIA_RESOLUTION_UNSPECIFIED", pdf_pages=0, size_px=size_px)
    assert tokens(model, FakePage(sent_pages=0, size_pt=size_pt)) == pytest.approx(expected, rel=0.3)
    assert tokens(model, FakePage(sent_pages=None, size_pt=size_pt), page_format="jpeg") == pytest.approx(expected, rel=0.3)


def test_pages_that_are_sent_in_the_same_form_have_one_shape() -> None:
    model, config = "gemini-3.1-flash-lite", GeminiConfig()
    shapes = {
        request_shape(config, model, FakePage(sent_pages=sent, size_pt=size), prompt_tokens=40).kind
        for sent in (1, 0, 4)
        for size in (A4, (100.0, 100.0))
    }
    assert len(shapes) == 3


def test_a_prompt_in_another_script_has_more_tokens_per_character() -> None:
    assert text_tokens("Transcribe this page.") == pytest.approx(5.25)
    assert text_tokens("पृष्ठ का पाठ लिखें") > 1.5 * text_tokens("a text of 17 char")
