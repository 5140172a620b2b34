"""The text of the page in a request, which is the simulator's answer, and texts that are not on the page."""

from __future__ import annotations

import base64
import hashlib
import random
import re
import zlib

import pypdfium2

_INVENTED = (
    "the committee approved quarterly revenue from seventeen subsidiaries and recommended further dividends pursuant to clause "
    "whereas shareholders resolved that auditors shall examine ledgers before august hence invoices remain payable within thirty "
    "days following receipt unless otherwise agreed between parties under applicable jurisdiction"
)


_STREAM = re.compile(rb"/FlateDecode[^>]*>>\s*stream\r?\n(.*?)\r?\nendstream", re.DOTALL)
_SHOWN = re.compile(rb"\(([^()\\]*)\) Tj")
_LEAST_SHOWN = 20  # lines


def lot_of(text: str, *, salt: str = "") -> float:
    """Returns a number from 0 to 1 that the page determines, so that it is the same for repeated requests."""
    return int(hashlib.sha256((salt + text).encode()).hexdigest()[:8], 16) / 2**32


def invented(text: str, lot: float) -> str:
    """Returns as many words as the page has, in invented sentences. `lot`: 0..1, so that every page gets a different text."""
    chosen = random.Random(lot)
    known = _INVENTED.split()
    words = [chosen.choice(known) for _ in range(max(len(text.split()), 20))]
    sentences = (" ".join(words[start : start + 9]).capitalize() + "." for start in range(0, len(words), 9))
    return " ".join(sentences)


def page_text(body: dict[str, object]) -> str:
    """Returns the text of the one page in the request, or a hash of its bytes if the page has no text."""
    parts = [part for content in body["contents"] for part in content["parts"]]  # type: ignore[attr-defined]
    inline = [part["inlineData"] for part in parts if "inlineData" in part]
    assert len(inline) == 1, "one page per request"
    data = base64.b64decode(
        inline[0]["data"] + "==", altchars=b"-_" if "-" in inline[0]["data"] or "_" in inline[0]["data"] else None
    )
    if not data.startswith(b"%PDF"):
        return _without_text(data)  # a picture
    if text := _text_of_benchmark_page(data):
        return text
    document = pypdfium2.PdfDocument(data)
    try:
        page = document[0]  # further pages are its enlarged parts
        text_page = page.get_textpage()
        text = str(text_page.get_text_bounded()).strip()
        text_page.close()
        page.close()
    finally:
        document.close()
    return text or _without_text(data)


def _without_text(data: bytes) -> str:
    return f"page without text {hashlib.sha256(data).hexdigest()[:12]}"


def _text_of_benchmark_page(data: bytes) -> str:
    """Returns the text of a page of `make_text_documents`, in a tenth of the time that PDFium needs; empty for any other page.
    Otherwise the simulator would use the cores that the benchmark measures: Google's servers use none of them."""
    streams = _STREAM.findall(data)
    if len(streams) != 1:
        return ""
    try:
        lines = [line.decode("ascii") for line in _SHOWN.findall(zlib.decompress(streams[0]))]
    except (zlib.error, UnicodeDecodeError):
        return ""
    return "\r\n".join(lines) if len(lines) >= _LEAST_SHOWN else ""
