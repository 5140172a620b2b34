"""Finds the positions of a page's words on its picture, for the results view. A child process opens the documents. Words come
from the searchable PDF, which has the text of every page in position, or otherwise from the source's own text layer.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures.process import BrokenProcessPool
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from rayocr.config import AccessConfig
from rayocr.errors import RayocrError
from rayocr.ledger.manifest import Manifest
from rayocr.outputs.report.pages import Drawing, kept_process, open_for_pages
from rayocr.outputs.searchable_pdf import SearchablePdfOutput
from rayocr.storage.base import Storage

if TYPE_CHECKING:
    from rayocr.pdf.page import Page

_MOST_WORDS = 5000  # maximum number of words of a page; a newspaper page has about 3,000


class PlacedWord(NamedTuple):
    """A word and its box. `x0`, `y0`, `x1`, `y1`: shares of the displayed page's width and height, origin top left."""

    text: str
    x0: float
    y0: float
    x1: float
    y1: float


def place_words(
    manifest: Manifest, page_number: int, drawing: Drawing, *, dest: Storage, access: AccessConfig
) -> list[PlacedWord]:
    """Returns the words in the order of the file; empty if their places are unknown or the file cannot be read. `access`: access
    to the destination; `drawing` has the access to the source."""
    searchable = next((o.name for o in manifest.outputs if o.name.endswith(SearchablePdfOutput.suffix)), None)
    place: tuple[str, str, str | None]
    if searchable is not None:
        place = (f"{dest.uri}/{searchable}", searchable, None)
        drawing = replace(drawing, access=access, kinds={})
    else:
        place = (manifest.source_uri, manifest.name, manifest.version)
    try:
        with kept_process() as pool:
            return pool.submit(_place, place, page_number, drawing).result()
    except (RayocrError, BrokenProcessPool):
        return []


def _place(place: tuple[str, str, str | None], page_number: int, drawing: Drawing) -> list[PlacedWord]:
    """Places the words, in the child process. `place`: address, name and version of the file. Raises RayocrError."""
    with open_for_pages(*place, drawing) as file, file.page(page_number) as page:
        return list(_words(page))[:_MOST_WORDS]


def _words(page: Page) -> Iterator[PlacedWord]:
    from rayocr.pdf.geometry import turn_box

    layer = page.text_layer()
    for line in layer.lines:
        for word in line.words:
            box = turn_box((word.x0, word.y0, word.x1, word.y1), -layer.turns, (layer.width_pt, layer.height_pt))
            shares = (box[0] / page.width_pt, box[1] / page.height_pt, box[2] / page.width_pt, box[3] / page.height_pt)
            yield PlacedWord(word.text, *(round(min(1.0, max(0.0, share)), 4) for share in shares))
