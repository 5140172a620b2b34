"""`make quality`: the local engines against the truth of samples/, as they are and made worse.

Every page is drawn at 200 dpi, so that no text layer helps, then blurred, made noisy, skewed, faded and turned. Prints CER and
word F1 by engine and treatment. Seeded: the same pages every time.
"""

from __future__ import annotations

import io
import json
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import mean, median

import numpy as np
import pypdfium2
from PIL import Image, ImageFilter
from rich.console import Console
from rich.table import Table

from benchmarks.quality_score import Score, score
from rayocr.engines.base import ComputeEngine
from rayocr.engines.rapidocr import RapidOcrEngine
from rayocr.engines.tesseract import TesseractEngine
from rayocr.pdf.document import PdfFile

_SAMPLES = Path(__file__).parents[1] / "samples"
_LATIN = ("letter.pdf", "scan.pdf", "two-columns.pdf", "table.pdf", "rotated.pdf")
_DPI = 200


def _noise(image: Image.Image) -> Image.Image:
    pixels = np.asarray(image, dtype=np.float32)
    noisy = pixels + np.random.default_rng(7).normal(0, 28, pixels.shape)
    return Image.fromarray(np.clip(noisy, 0, 255).astype(np.uint8))


def _faded(image: Image.Image) -> Image.Image:
    return image.point(lambda value: 110 + value * 120 // 255)


def _jpeg(image: Image.Image) -> Image.Image:
    small = image.resize((image.width // 2, image.height // 2), Image.Resampling.LANCZOS)
    data = io.BytesIO()
    small.save(data, "jpeg", quality=30)
    return Image.open(data).convert("L")


_TREATMENTS: dict[str, Callable[[Image.Image], Image.Image]] = {
    "clean": lambda image: image,
    "blurred": lambda image: image.filter(ImageFilter.GaussianBlur(1.6)),
    "noisy": _noise,
    "skewed 1.5°": lambda image: image.rotate(1.5, expand=True, fillcolor=255, resample=Image.Resampling.BICUBIC),
    "faded": _faded,
    "100 dpi, JPEG 30": _jpeg,
    "turned 90°": lambda image: image.rotate(90, expand=True),
}


def main() -> None:
    console = Console()
    if not console.is_terminal:
        console.width = 140
    engines: list[ComputeEngine] = [RapidOcrEngine(dpi=_DPI), TesseractEngine(languages=["eng"], dpi=300)]
    scores: defaultdict[tuple[str, str], list[Score]] = defaultdict(list)
    for engine in engines:
        engine.open()
        for treatment, page_pdf, truth in _pages():
            scores[engine.name, treatment].append(score(_read(engine, page_pdf), truth))
            scores[engine.name, "all"].append(scores[engine.name, treatment][-1])
    console.print(_table(scores))


def _pages() -> Iterator[tuple[str, bytes, str]]:
    """Treatment, a one-page image-only PDF, truth."""
    truths = json.loads((_SAMPLES / "truth.json").read_text())
    for name in _LATIN:
        with pypdfium2.PdfDocument(_SAMPLES / name) as pdf:
            for page, truth in zip(pdf, truths[name], strict=True):
                image = page.render(scale=_DPI / 72).to_pil().convert("L")
                for treatment, treat in _TREATMENTS.items():
                    yield treatment, _as_pdf(treat(image), 100 if treatment.startswith("100") else _DPI), truth


def _as_pdf(image: Image.Image, dpi: int) -> bytes:
    data = io.BytesIO()
    image.save(data, "pdf", resolution=dpi)
    return data.getvalue()


def _read(engine: ComputeEngine, data: bytes) -> str:
    pdf = PdfFile(data, max_pixels=20_000_000)
    page = pdf.page(1)
    try:
        answer = engine.recognize(page)
        return answer.text if answer else ""
    finally:
        page.close()
        pdf.close()


def _table(scores: dict[tuple[str, str], list[Score]]) -> Table:
    table = Table(title="Local engines on samples/ drawn at 200 dpi, without a text layer", title_justify="left")
    columns = ("engine", "pages", "number", "CER median", "CER mean", "order-free CER mean", "word F1 mean")
    for column in columns:
        table.add_column(column, justify="left" if column in columns[:2] else "right")
    for (engine, treatment), some in scores.items():
        table.add_row(
            engine,
            treatment,
            str(len(some)),
            f"{median(s.cer for s in some):.3f}",
            f"{mean(s.cer for s in some):.3f}",
            f"{mean(s.order_free_cer for s in some):.3f}",
            f"{mean(s.word_f1 for s in some):.3f}",
        )
    return table


if __name__ == "__main__":
    main()
