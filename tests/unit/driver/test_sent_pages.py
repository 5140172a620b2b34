"""The file that a server receives looks like the page of the document, and is about as large as the drawn content."""

from __future__ import annotations

import io
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pypdfium2
import pytest
from PIL import Image, ImageFilter

from rayocr.messages import PageText
from rayocr.pdf.cut.comparison import COMPARISON_DPI
from rayocr.pdf.document import PdfFile
from rayocr.pdf.drawing.rendering import draw
from rayocr.pdf.forms.annotations import first_page
from tests.unit.driver.local_world import Server, World

CASES = Path(__file__).parents[1] / "outputs" / "cases"
NAMES = sorted(path.stem for path in CASES.glob("*.pdf"))
BLANK = {("pictures_of_all_kinds", 7)}  # its only picture is hidden by its mask
UNSEEN = ("INVISIBLE", "COVERED", "CLIPPED", "two shillings", "WITHDRAWN")


class Recorder(Server):
    def __init__(self) -> None:
        super().__init__()
        self.sent: dict[tuple[str, int], bytes] = {}

    async def recognize_async(self, page: Any, model: str) -> PageText:
        name = self.names[page._progress.document_id]
        self.sent[name, page.page_number] = await page.as_document()
        text = "A page was received, and this is what a model might say of it."
        return PageText(text=text, engine=self.name, model=model, input_tokens=600, output_tokens=10)


@pytest.fixture(scope="module")
def sent(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, int], bytes]:
    folder, server = tmp_path_factory.mktemp("sent"), Recorder()
    with pytest.MonkeyPatch.context() as monkeypatch:
        world = World(folder, monkeypatch, documents={}, server=server)
        (folder / "in").mkdir()
        for name in NAMES:
            shutil.copy(CASES / f"{name}.pdf", folder / "in")
        world.run()
    return server.sent


def picture(sent: bytes, size: tuple[int, int]) -> Image.Image:
    if not sent.startswith(b"%PDF-"):
        return Image.open(io.BytesIO(sent)).convert("L").resize(size)
    with pypdfium2.PdfDocument(sent) as document, first_page(document) as page:
        return draw(page, *size, grayscale=True)


def difference(one: Image.Image, other: Image.Image) -> int:
    """The largest difference of two gray pictures, 0..255, apart from edges that are shifted by a pixel."""
    first, second = (np.asarray(image.filter(ImageFilter.GaussianBlur(2)), int) for image in (one, other))
    return int(np.abs(first - second).max())


def test_every_page_is_sent_as_a_reader_sees_it_and_no_larger_than_it_must_be(sent: dict[tuple[str, int], bytes]) -> None:
    assert len(NAMES) == 19
    for name in NAMES:
        with PdfFile((CASES / f"{name}.pdf").read_bytes(), max_pixels=4_000_000) as file:
            for number in range(1, file.page_count + 1):
                with file.page(number) as page:
                    shown = page.thumbnail(COMPARISON_DPI)
                    if (f"{name}.pdf", number) not in sent:
                        assert (name, number) in BLANK and page.ink_coverage() == 0, (name, number)
                        continue
                assert difference(shown, picture(sent[f"{name}.pdf", number], shown.size)) < 60, (name, number)
    whole = (CASES / "shared_resources.pdf").stat().st_size
    sizes = [len(data) for (name, _), data in sent.items() if name == "shared_resources.pdf"]
    assert len(sizes) == 10
    assert max(sizes) < 1.5 * whole / 10
    # Models read a PDF's text in addition to its appearance, so pages with hidden text are sent as pictures.
    for name in ("text_that_nobody_sees", "hidden_layer"):
        assert not sent[f"{name}.pdf", 1].startswith(b"%PDF-")


def test_invisible_text_is_not_sent(sent: dict[tuple[str, int], bytes]) -> None:
    for (name, number), data in sent.items():
        if data.startswith(b"%PDF-"):
            with pypdfium2.PdfDocument(data) as document:
                text = document[0].get_textpage().get_text_bounded()
            assert not [words for words in UNSEEN if words in text], (name, number)
