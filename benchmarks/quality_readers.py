"""The readers of `make quality`: each takes a one-page PDF and returns its text. Engines are opened once per process."""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pypdfium2
from PIL import Image

from rayocr.engines.base import Engine
from rayocr.engines.rapidocr.engine import RapidOcrEngine
from rayocr.engines.registry import Stage
from rayocr.engines.stages import ComputeStage, PageProgress
from rayocr.engines.tesseract.engine import TesseractEngine
from rayocr.engines.tesseract.other_scripts import OtherScripts
from rayocr.engines.textlayer import TextLayerEngine
from rayocr.pdf.document import PdfFile

_DPI = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """`engine`: the engine whose text was kept; "" if no engine read the page. `cpu_s`: of this process and its children."""

    text: str
    engine: str
    cpu_s: float


def _chain(pdf: bytes) -> Reading:
    """The local chain: textlayer, rapidocr, tesseract where it is installed."""
    return _through(_stage(with_tesseract=TesseractEngine.available()), pdf)


def _chain_alone(pdf: bytes) -> Reading:
    """The local chain without tesseract: textlayer, rapidocr."""
    return _through(_stage(with_tesseract=False), pdf)


def _tesseract(pdf: bytes) -> Reading:
    """`tesseract -l eng` on pages drawn at 200 dpi."""
    started = _cpu_s()
    pnm = BytesIO()
    _drawn(pdf).convert("L").save(pnm, "PPM")
    done = subprocess.run(
        ["tesseract", "stdin", "stdout", "-l", "eng", "--dpi", str(_DPI)],
        input=pnm.getvalue(),
        capture_output=True,
        check=False,
        env={**os.environ, "OMP_THREAD_LIMIT": "1"},
    )
    return Reading(text=done.stdout.decode(errors="replace"), engine="tesseract", cpu_s=_cpu_s() - started)


def _rapidocr(pdf: bytes) -> Reading:
    """rapidocr's own pipeline and order on pages drawn at 200 dpi."""
    started = _cpu_s()
    found = bare_rapidocr()(np.asarray(_drawn(pdf).convert("RGB"))[:, :, ::-1])
    return Reading(text="\n".join(found.txts or ()), engine="rapidocr", cpu_s=_cpu_s() - started)


def _ocrmypdf(pdf: bytes) -> Reading:
    """OCRmyPDF with its defaults and `--force-ocr -l eng`; reads its side file of text."""
    started = _cpu_s()
    with tempfile.TemporaryDirectory() as folder:
        source, text = Path(folder, "in.pdf"), Path(folder, "out.txt")
        source.write_bytes(pdf)
        command = [_ocrmypdf_path(), "--quiet", "--force-ocr", "-l", "eng", "--jobs", "1", "--sidecar", str(text)]
        subprocess.run([*command, str(source), str(source)], check=False, env={**os.environ, "OMP_THREAD_LIMIT": "1"})
        found = text.read_text(errors="replace") if text.exists() else ""
    return Reading(text=found, engine="ocrmypdf", cpu_s=_cpu_s() - started)


def _ocrmypdf_path() -> str:
    """Returns the path of the program, which is not among our dependencies. OCRMYPDF sets it, if it is not on PATH."""
    return os.environ.get("OCRMYPDF", "ocrmypdf")


READERS: dict[str, Callable[[bytes], Reading]] = {
    "chain": _chain,
    "chain-without-tesseract": _chain_alone,
    "tesseract": _tesseract,
    "rapidocr": _rapidocr,
    "ocrmypdf": _ocrmypdf,
}
_PROGRAMS = {"tesseract": "tesseract", "ocrmypdf": _ocrmypdf_path()}


def available(reader: str) -> bool:
    return reader in READERS and (reader not in _PROGRAMS or shutil.which(_PROGRAMS[reader]) is not None)


def _through(stage: ComputeStage, pdf: bytes) -> Reading:
    started = _cpu_s()
    file = PdfFile(pdf, max_pixels=20_000_000)
    page = file.page(1)
    try:
        record = stage.recognize(page, PageProgress("page", 1, is_last_stage=True), first_engine=0)
    finally:
        page.close()
        file.close()
    return Reading(text=record.text or "", engine=record.engine or "", cpu_s=_cpu_s() - started)


@cache
def _stage(*, with_tesseract: bool) -> ComputeStage:
    rapidocr = RapidOcrEngine(dpi=_DPI, other_scripts=OtherScripts() if with_tesseract else None)
    engines: list[Engine | None] = [TextLayerEngine(), rapidocr, TesseractEngine() if with_tesseract else None]
    return ComputeStage(Stage(kind="compute", first=0, last=len(engines) - 1), engines)


@cache
def bare_rapidocr() -> Any:
    """rapidocr's own pipeline with its defaults, on one thread."""
    from rapidocr import RapidOCR

    threads = {f"EngineConfig.onnxruntime.{kind}_op_num_threads": 1 for kind in ("intra", "inter")}
    return RapidOCR(params={"Global.log_level": "critical", **threads})


def _drawn(pdf: bytes) -> Image.Image:
    with pypdfium2.PdfDocument(pdf) as file:
        page: Image.Image = file[0].render(scale=_DPI / 72).to_pil()
        return page


def _cpu_s() -> float:
    return sum(
        usage.ru_utime + usage.ru_stime for usage in map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    )
