"""Provides pictures and texts of the pages that a report shows. A child process draws them, since PDFium may crash."""

from __future__ import annotations

import base64
import io
import multiprocessing
import os
import re
import threading
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from multiprocessing.connection import wait
from typing import TYPE_CHECKING, Any, Protocol

from rayocr.config import AccessConfig, LimitsConfig
from rayocr.errors import RayocrError
from rayocr.ledger.manifest import Manifest
from rayocr.outputs.report.facts import PageToShow
from rayocr.pdf.guard import quiet_process
from rayocr.storage.base import Storage
from rayocr.storage.factory import open_storage

if TYPE_CHECKING:
    from rayocr.pdf.document import PdfFile

_PAGE_MARK = re.compile(r"(?<!\\)<!-- page (\d{1,9}) -->")  # if pages are joined, the comment is inside a paragraph
_DOUBT_MARK = re.compile(r"\A<!-- doubtful: [^\n]*? -->\s*")  # removed, since the report shows doubts in another place
_MAX_PIXELS = 2_000_000  # bytes per picture
_MAX_TEXT_CHARS = 20_000  # characters per page in the report
_JPEG_QUALITY = 60
_KEPT = 2  # idle child processes

_idle: dict[int, list[ProcessPoolExecutor]] = {}  # by id of the parent process: a fork cannot use those of its parent


@dataclass(frozen=True, slots=True)
class Drawing:
    """Settings for page pictures: resolution (`dpi`), limits, and access to the source. `kinds`: the access by kind of location
    (gs, gdrive), if a destination has documents of other sources."""

    dpi: int
    limits: LimitsConfig
    access: AccessConfig = field(default_factory=AccessConfig)
    kinds: Mapping[str, AccessConfig] = field(default_factory=dict)

    def access_to(self, uri: str) -> AccessConfig:
        return self.kinds.get(uri.partition("://")[0], self.access)


@dataclass(frozen=True, slots=True)
class ShownPage:
    """A page of the report. `picture`: a JPEG, or None with the reason in `missing`. `text`: Markdown."""

    page: PageToShow
    picture: bytes | None
    missing: str
    text: str | None

    @property
    def picture_uri(self) -> str:
        return "data:image/jpeg;base64," + base64.b64encode(self.picture or b"").decode()


class Drawer(Protocol):
    def pictures(
        self, manifest: Manifest, numbers: Sequence[int], drawing: Drawing
    ) -> tuple[Mapping[int, bytes], Mapping[int, str]]:
        """Returns JPEGs by page number, and the reasons for the pages without a picture."""


def show_pages(pages: Sequence[PageToShow], dest: Storage, drawing: Drawing, drawer: Drawer) -> list[ShownPage]:
    """Returns the pages in the given order. An unreadable document does not raise an error."""
    wanted: defaultdict[str, list[PageToShow]] = defaultdict(list)
    for page in pages:
        wanted[page.manifest.document_id].append(page)
    shown: dict[tuple[str, int], ShownPage] = {}
    for of_document in wanted.values():
        manifest = of_document[0].manifest
        numbers = sorted({page.page_number for page in of_document})
        texts = _texts(manifest, dest)
        pictures, missing = drawer.pictures(manifest, numbers, drawing)
        for page in of_document:
            number = page.page_number
            shown[manifest.document_id, number] = ShownPage(
                page, pictures.get(number), missing.get(number, ""), texts.get(number)
            )
    return [shown[page.manifest.document_id, page.page_number] for page in pages]


def pages_of_markdown(text: str) -> dict[int, str]:
    """Returns the pages of a Markdown output by page number."""
    parts = _PAGE_MARK.split(text)
    return {
        int(number): _DOUBT_MARK.sub("", part.strip())[:_MAX_TEXT_CHARS]
        for number, part in zip(parts[1::2], parts[2::2], strict=True)
    }


def _texts(manifest: Manifest, dest: Storage) -> dict[int, str]:
    name = next((output.name for output in manifest.outputs if output.name.endswith(".md")), None)
    if name is None:
        return {}
    try:
        return pages_of_markdown(dest.read(name).decode("utf-8", "replace"))
    except RayocrError:
        return {}


def single_process(begin: Callable[..., None] | None = None, *arguments: Any) -> ProcessPoolExecutor:
    """Returns a pool of one child process, which hostile documents may crash. The process first calls `begin` with the
    arguments."""
    return ProcessPoolExecutor(
        1, mp_context=multiprocessing.get_context("spawn"), initializer=_begin, initargs=(begin, arguments)
    )


def _begin(begin: Callable[..., None] | None, arguments: tuple[Any, ...]) -> None:
    quiet_process()
    if begin is not None:
        begin(*arguments)
    parent = multiprocessing.parent_process()
    assert parent is not None
    # If the parent is killed, an idle child process must end by itself.
    threading.Thread(target=lambda: (wait([parent.sentinel]), os._exit(1)), name="parent", daemon=True).start()


@contextmanager
def kept_process() -> Iterator[ProcessPoolExecutor]:
    """Gives one caller a pool of one child process, which hostile documents may crash. The process stays for the next caller, who
    would wait half a second for another one."""
    idle = _idle.setdefault(os.getpid(), [])
    pool = _next_alive(idle) or single_process()
    try:
        yield pool
    except RayocrError:
        _keep(pool, idle)
        raise
    except BaseException:
        pool.shutdown(wait=False, cancel_futures=True)
        raise
    _keep(pool, idle)


def _keep(pool: ProcessPoolExecutor, idle: list[ProcessPoolExecutor]) -> None:
    if len(idle) < _KEPT:
        idle.append(pool)
    else:
        pool.shutdown(wait=False)


def _next_alive(idle: list[ProcessPoolExecutor]) -> ProcessPoolExecutor | None:
    while idle:
        pool = idle.pop()
        with suppress(BrokenProcessPool):  # the process ended while it was idle
            pool.submit(os.getpid).result()
            return pool
    return None


def draw_page(manifest: Manifest, page_number: int, drawing: Drawing) -> bytes | None:
    """Returns a JPEG, or None if the page cannot be drawn. Draws in a child process; the first one takes about one second to
    start."""
    try:
        with kept_process() as pool:
            drawn = pool.submit(_draw, manifest.source_uri, manifest.name, manifest.version, [page_number], drawing).result()
    except (RayocrError, BrokenProcessPool):
        return None
    return dict(drawn).get(page_number)


@contextmanager
def open_for_pages(source_uri: str, name: str, version: str | None, drawing: Drawing) -> Iterator[PdfFile]:
    """Opens a document, whose address ends with its name, within the limits of time and memory. Exceeding them ends this process.
    Raises RayocrError."""
    from rayocr.pdf.document import PdfFile
    from rayocr.pdf.guard import bounded

    limits = drawing.limits
    data = open_storage(source_uri.removesuffix("/" + name), drawing.access_to(source_uri)).read(
        name, version=version, max_bytes=limits.max_document_bytes
    )
    with (
        bounded(seconds=limits.page_timeout_s, memory_bytes=limits.page_memory),
        PdfFile(data, max_pixels=_MAX_PIXELS) as file,
    ):
        yield file


def _draw(source_uri: str, name: str, version: str, numbers: Iterable[int], drawing: Drawing) -> list[tuple[int, bytes]]:
    """Runs in the child process. Raises RayocrError."""
    with open_for_pages(source_uri, name, version, drawing) as file:
        return [(number, draw_opened(file, number, drawing.dpi)) for number in numbers]


def draw_opened(file: PdfFile, number: int, dpi: int) -> bytes:
    """Returns a JPEG of the page. Raises EngineError."""
    with file.page(number) as page:
        image = page.render(dpi=dpi).image.convert("RGB")
    image.thumbnail((1000, 1400))
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=_JPEG_QUALITY)
    return buffer.getvalue()
