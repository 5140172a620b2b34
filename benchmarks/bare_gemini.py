"""The bare loop that rayocr is compared with, run as a program: it extracts each page, sends it through google-genai, and
discards the answer.

A fixed number of requests is in flight, in one process, on one event loop, as in a simple script.
"""

from __future__ import annotations

import asyncio
import io
import os
import sys
from pathlib import Path
from typing import Any

from rayocr.pdf.document import PdfFile


async def read_all(folder: Path, in_flight: int) -> int:
    from google import genai
    from google.genai import types

    client = genai.Client(
        api_key=os.environ["GEMINI_API_KEY"],
        http_options=types.HttpOptions(api_version="v1beta", timeout=120_000, retry_options=types.HttpRetryOptions(attempts=1)),
    )
    pages = _pages(folder)
    config = types.GenerateContentConfig(temperature=0.0, max_output_tokens=16384)
    lengths: list[int] = []

    async def reader() -> None:
        for data in pages:
            part = types.Part.from_bytes(data=data, mime_type="application/pdf")
            answer: Any = await client.aio.models.generate_content(
                model="gemini-3.1-flash-lite", contents=[part, "Transcribe the page."], config=config
            )
            lengths.append(len(answer.text))

    await asyncio.gather(*(reader() for _ in range(in_flight)))
    assert all(lengths)
    await client.aio.aclose()
    return len(lengths)


def _pages(folder: Path) -> Any:
    for path in sorted(folder.glob("*.pdf")):
        document = PdfFile(path.read_bytes(), max_pixels=20_000_000)
        for number in range(1, document.page_count + 1):
            page = document.page(number)
            yield page.cut_out()
            page.close()
        document.close()


def small_page() -> bytes:
    """Returns a page of one kilobyte, for measurements that do not depend on the page size."""
    from pypdfium2 import PdfDocument

    document = PdfDocument.new()
    document.new_page(595, 842)
    data = io.BytesIO()
    document.save(data)
    document.close()
    return data.getvalue()


if __name__ == "__main__":
    print(asyncio.run(read_all(Path(sys.argv[1]), int(sys.argv[2]))))
