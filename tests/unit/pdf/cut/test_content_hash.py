from __future__ import annotations

import re
from pathlib import Path

from rayocr.pdf.cut.content_hash import content_hash
from rayocr.pdf.document import PdfFile
from tests.e2e.support import make_pdf


def hashes(data: bytes, pages: int) -> list[str]:
    file = PdfFile(data, max_pixels=1_000_000)
    found = []
    for number in range(1, pages + 1):
        with file.page(number) as page:
            found.append(content_hash(page.cut_out()))
    file.close()
    return found


def test_the_same_page_has_the_same_hash_whenever_it_is_cut_out(tmp_path: Path) -> None:
    data = make_pdf(tmp_path / "a.pdf", 3).read_bytes()
    assert hashes(data, 3) == hashes(data, 3)
    assert PdfFile(data, max_pixels=1).page(1).cut_out() != PdfFile(data, max_pixels=1).page(1).cut_out(), "PDFium's identifier"


def test_different_pages_differ(tmp_path: Path) -> None:
    assert len(set(hashes(make_pdf(tmp_path / "a.pdf", 3).read_bytes(), 3))) == 3


def test_the_same_page_in_a_longer_document_has_the_same_hash(tmp_path: Path) -> None:
    short = hashes(make_pdf(tmp_path / "a.pdf", 1).read_bytes(), 1)
    assert hashes(make_pdf(tmp_path / "b.pdf", 2).read_bytes(), 2)[0] == short[0]


def test_what_has_no_identifier_is_hashed_whole() -> None:
    assert content_hash(b"abc") != content_hash(b"abd")
    assert content_hash(b"/ID cut off") != content_hash(b"/ID cut of")


def test_the_second_in_which_a_page_was_cut_out_does_not_matter(tmp_path: Path) -> None:
    with PdfFile(make_pdf(tmp_path / "a.pdf", 1).read_bytes(), max_pixels=1_000_000).page(1) as page:
        now = page.cut_out()
    later = re.sub(rb"/CreationDate\(D:\d{14}", b"/CreationDate(D:20391231235959", now)
    assert later != now
    assert content_hash(later) == content_hash(now)
