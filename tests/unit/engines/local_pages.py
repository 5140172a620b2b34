"""Small pages that are drawn with Pillow, for local engines."""

from __future__ import annotations

from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

from PIL import Image, ImageDraw, ImageFont

SENTENCES = (
    "The quick brown fox jumps over the lazy dog.",
    "Every good boy deserves favour and fruit.",
    "Pack my box with five dozen liquor jugs.",
    "Sphinx of black quartz, judge my vow.",
)


@dataclass
class DrawnPage:
    """A page of 360 x 180 pt with one sentence per line; `turn_deg` counter-clockwise, like a misplaced sheet on a scanner."""

    sentences: tuple[str, ...] = SENTENCES
    turn_deg: int = 0
    ruled: bool = False
    page_number: int = 1
    fields: tuple[()] = ()
    drawn_marks: tuple[()] = ()
    detail_dpi: float = 0.0
    may_have_color: bool = False

    def render(self, *, dpi: int = 200, grayscale: bool = False) -> Any:
        scale = dpi / 72
        image = Image.new("RGB", (round(360 * scale), round(180 * scale)), "white")
        draw = ImageDraw.Draw(image)
        font = ImageFont.load_default(size=14 * scale)
        for number, sentence in enumerate(self.sentences):
            draw.text((20 * scale, (16 + 36 * number) * scale), sentence, fill="black", font=font)
        if self.turn_deg:
            image = image.rotate(self.turn_deg, expand=True)
        return SimpleNamespace(image=image.convert("L") if grayscale else image, scale=scale)


def letters(text: str) -> str:
    return "".join(char for char in text.lower() if char.isalnum())
