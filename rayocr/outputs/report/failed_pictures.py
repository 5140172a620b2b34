"""Records pages whose pictures could not be drawn, because they took too long or crashed the process, in one small file in the
state. A changed document has another id, so its pages are drawn again."""

from __future__ import annotations

import json
from contextlib import suppress

from rayocr import __version__
from rayocr.errors import RayocrError
from rayocr.storage.base import MAX_STATE_BYTES, Storage
from rayocr.untrusted_json import parse_object

FAILED_PICTURES = ".rayocr/report/failed_pictures.json"
_MOST = 10_000  # number of pages; the file stays below 2 MB
_MAX_REASON_CHARS = 200


class FailedPictures:
    """The pages without a picture and the reasons. `read` ignores a damaged file, and one of another version or resolution, which
    may draw the pages faster."""

    def __init__(self, state: Storage | None = None, *, dpi: int = 0) -> None:
        self._state = state
        self._made_with = f"rayocr {__version__}, {dpi} dpi"
        self._reasons: dict[str, str] = {}
        self._changed = False

    def read(self) -> FailedPictures:
        if self._state is None:
            return self
        with suppress(RayocrError):
            values = parse_object(self._state.read(FAILED_PICTURES, max_bytes=MAX_STATE_BYTES), name=FAILED_PICTURES)
            pages = values.get("pages")
            if values.get("made_with") == self._made_with and isinstance(pages, dict):
                self._reasons = {
                    key: why[:_MAX_REASON_CHARS] for key, why in list(pages.items())[-_MOST:] if isinstance(why, str)
                }
        return self

    def reason(self, document_id: str, page_number: int) -> str | None:
        return self._reasons.get(f"{document_id} {page_number}")

    def add(self, document_id: str, page_number: int, why: str) -> None:
        self._reasons[f"{document_id} {page_number}"] = why[:_MAX_REASON_CHARS]
        self._changed = True

    def write(self) -> None:
        """Writes the pages if there are new ones. An error only costs time in the next report."""
        if self._state is None or not self._changed:
            return
        pages = dict(list(self._reasons.items())[-_MOST:])
        with suppress(RayocrError):
            self._state.write(
                FAILED_PICTURES, json.dumps({"schema_version": 1, "made_with": self._made_with, "pages": pages}).encode()
            )
