"""Random damage to real files, through the guard, in one child process that must survive or be ended by the guard."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.unit.pdf.cut.test_page_document import HIDDEN, atlas
from tests.unit.pdf.form_pages import drawn_text, form_page, rect
from tests.unit.pdf.test_undrawn import UNDECODABLE, page_of

SAMPLES = sorted((Path(__file__).parents[3] / "samples").glob("*.pdf"))
PATIENCE_S = 300
FORM = form_page(
    [
        f"/FT /Tx /T (a) /V (Ottoline) {rect(0)}",
        f"/FT /Tx /Ff 16777216 /MaxLen 8 /T (c) /V (20261126) {rect(1)}",
        f"/FT /Ch /T (l) /Opt [(Red) (Green)] /V (Green) /I [1] {rect(2)}",
        f"/FT /Btn /T (b) /V /Yes /AS /Yes {rect(3, width=20)}",
        f"/FT /Tx /Ff 8192 /T (p) /V (secret) {rect(4)} /AP << /N 40 0 R >>",
        f"/FT /Sig /T (s) {rect(5)}",
    ],
    appearances={40: drawn_text("secret")},
    form_entries="/NeedAppearances true",
)
WHOLE = [path.read_bytes() for path in SAMPLES] + [FORM, atlas(pages=2), *HIDDEN.values()]
WHOLE += [page_of(*picture) for picture in UNDECODABLE.values()]

CHILD = """
import struct, sys
from rayocr.errors import DocumentError, PageUnrenderable
from rayocr.pdf.cut.page_document import page_document
from rayocr.pdf.document import PdfFile, validate
from rayocr.pdf.guard import bounded

def inspect(data):
    try:
        facts = validate(data, max_pages=1000, max_bytes=1 << 30)
    except DocumentError as error:
        return error.reason
    with PdfFile(data, max_pixels=300_000) as file:
        for number in {1, facts.page_count}:
            try:
                file.page_label(number), file.page_size(number)
                with file.page(number) as page:
                    page.text_layer().verdict, page.rulings(), page.fields, page.undecodable_share
                    page.drawn_marks, page.cut_off_share
                    for ask in (lambda: page.ink_coverage(), lambda: page_document(page, max_bytes=300_000)):
                        try:
                            ask()
                        except PageUnrenderable:
                            pass
            except PageUnrenderable:
                pass
    return "PdfFile"

while header := sys.stdin.buffer.read(4):
    data = sys.stdin.buffer.read(struct.unpack("<I", header)[0])
    with bounded(seconds=60, memory_bytes=1 << 30):
        answer = inspect(data)
    sys.stdout.write(answer + chr(10))
    sys.stdout.flush()
"""


class Reader:
    """A guarded process that checks one file after the other, and is replaced after the guard or a crash has ended it."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None

    def ask(self, data: bytes) -> str:
        if self._process is None:
            self._process = subprocess.Popen(
                [sys.executable, "-c", CHILD], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
            )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            self._process.stdin.write(len(data).to_bytes(4, "little") + data)
            self._process.stdin.flush()
        except BrokenPipeError:
            pass
        answer = self._process.stdout.readline().decode().strip()
        return answer or self._died()

    def _died(self) -> str:
        assert self._process is not None
        _, errors = self._process.communicate(timeout=PATIENCE_S)
        code, self._process = self._process.returncode, None
        guarded = code < 0 or b"Timeout (" in errors or b"page_memory" in errors
        return "ended" if guarded else errors.decode(errors="replace")

    def close(self) -> None:
        if self._process is not None:
            self._process.communicate(timeout=PATIENCE_S)


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    data = bytearray(draw(st.sampled_from(WHOLE)))
    for _ in range(draw(st.integers(0, 30))):
        data[draw(st.integers(0, len(data) - 1))] = draw(st.integers(0, 255))
    if draw(st.booleans()):
        del data[draw(st.integers(0, len(data))) :]
    if draw(st.booleans()):
        start = draw(st.integers(0, len(data)))
        del data[start : start + draw(st.integers(0, 2000))]
    return bytes(data)


def test_damaged_files_end_in_pages_or_a_document_error_and_never_hang() -> None:
    reader = Reader()

    @settings(max_examples=60, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(damaged())
    def check(data: bytes) -> None:
        assert reader.ask(data) in {"PdfFile", "NotAPdf", "CorruptPdf", "EncryptedPdf", "EmptyPdf", "DocumentTooLarge", "ended"}

    try:
        check()
    finally:
        reader.close()
