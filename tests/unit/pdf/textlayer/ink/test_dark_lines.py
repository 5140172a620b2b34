"""Light text in a dark picture, such as a screenshot of a terminal, is text that the layer lacks."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from tests.unit.pdf import pdfs
from tests.unit.pdf.textlayer.drawings import layer_of

BODY = (
    b"BT /F1 12 Tf 72 780 Td 15 TL " + b" ".join(b"(The keeper wrote into his ledger in 1893.) Tj T*" for _ in range(8)) + b" ET"
)
ROWS = ("mysql> select * from hosts;", "SUM_CONNECT_ERRORS: 2", "COUNT_HOST_BLOCKED_ERRORS: 0", "COUNT_FORMAT_ERRORS: 31")


def kind_of(picture: Image.Image) -> str:
    entries = f"/Width {picture.width} /Height {picture.height} /ColorSpace /DeviceGray /BitsPerComponent 8"
    return layer_of(pdfs.image_page(entries, picture.tobytes(), placed="400 0 0 200 72 300", over=BODY)).verdict.kind


def terminal(rows: int) -> Image.Image:
    picture = Image.new("L", (800, 400), 0)
    for n, row in enumerate(ROWS[:rows]):
        ImageDraw.Draw(picture).text((20, 20 + 40 * n), row, fill=230, font=ImageFont.load_default(24))
    return picture


@pytest.mark.parametrize(("rows", "kind"), [(4, "partial"), (0, "trusted")])
def test_light_text_in_a_dark_picture_is_not_in_the_layer(rows: int, kind: str) -> None:
    assert kind_of(terminal(rows)) == kind


def test_a_dark_photograph_is_no_text() -> None:
    noise = np.random.default_rng(3).integers(0, 90, (20, 40)).astype(np.uint8)
    assert kind_of(Image.fromarray(noise).resize((800, 400), Image.Resampling.BICUBIC)) == "trusted"
