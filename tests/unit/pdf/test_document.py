from __future__ import annotations

import io
import random
from pathlib import Path
from typing import Any

import numpy
import pikepdf
import pytest

from rayocr.errors import CorruptPdf, DocumentError, DocumentTooLarge, EmptyPdf, EncryptedPdf, NotAPdf, PageUnrenderable
from rayocr.pdf.document import PdfFacts, PdfFile, validate
from tests.unit.pdf import pdfs

SAMPLES = Path(__file__).parents[3] / "samples"


def facts(data: bytes, *, max_pages: int = 100_000, max_bytes: int = 1 << 30) -> PdfFacts:
    return validate(data, max_pages=max_pages, max_bytes=max_bytes)


def saved(pages: int = 1, **options: Any) -> bytes:
    out = io.BytesIO()
    with pikepdf.open(io.BytesIO(pdfs.pages_of(("",) * pages))) as pdf:
        pdf.save(out, **options)
    return out.getvalue()


def encrypted(user: str) -> bytes:
    return saved(encryption=pikepdf.Encryption(user=user, owner="owner"))


def first_text(data: bytes) -> str:
    with PdfFile(data, max_pixels=1_000_000) as file, file.page(1) as page:
        return page.text_layer().text


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"Service unavailable", id="text"),
        pytest.param(b" " * 2000 + pdfs.pages_of(), id="a header that begins too late"),
    ],
)
def test_what_does_not_begin_like_a_pdf_is_not_a_pdf(data: bytes) -> None:
    with pytest.raises(NotAPdf, match="%PDF-"):
        facts(data)


@pytest.mark.parametrize(
    ("beginning", "kind", "converts"),
    [
        (b"\xff\xd8\xff\xe0", "a JPEG picture", True),
        (b"\x89PNG\r\n", "a PNG picture", True),
        (b"<html><body>502 Bad Gateway</body></html>", "a web page", False),
        (b"PK\x03\x04", "a ZIP archive or an Office document", False),
    ],
)
def test_a_file_of_another_kind_is_named(beginning: bytes, kind: str, converts: bool) -> None:
    with pytest.raises(NotAPdf, match=f"not a PDF but {kind}") as raised:
        facts(beginning + bytes(500))
    assert ("img2pdf" in str(raised.value)) == converts
    assert raised.value.hint == NotAPdf.default_hint  # `rayocr status` gives one hint for all files with this reason


def test_an_empty_file_is_called_empty() -> None:
    with pytest.raises(NotAPdf, match="empty"):
        facts(b"")


@pytest.mark.parametrize("cut", [60, 200, 400])
def test_a_file_without_its_end_is_called_truncated(cut: int) -> None:
    with pytest.raises(CorruptPdf, match="truncated"):
        facts(pdfs.pages_of()[:-cut])


@pytest.mark.parametrize("data", [b"%PDF-1.4", b"%PDF-1.4\n" + bytes(100)])
def test_a_lone_header_is_called_truncated(data: bytes) -> None:
    with pytest.raises(CorruptPdf, match="truncated"):
        facts(data)


def test_a_header_and_an_end_with_nothing_between_are_corrupt() -> None:
    with pytest.raises(CorruptPdf, match="damaged"):
        facts(b"%PDF-1.4\n%%EOF\n")


def test_a_document_without_pages_is_called_empty() -> None:
    with pytest.raises(EmptyPdf, match="no pages"):
        facts(pdfs.tree_of(root_kids="", count="0"))


def test_an_earlier_document_s_error_is_not_taken_for_this_one_s() -> None:
    for before in (encrypted("secret"), b"%PDF-1.4\n%%EOF\n"):
        with pytest.raises(DocumentError):
            facts(before)
        with pytest.raises(EmptyPdf):
            facts(pdfs.tree_of(root_kids="", count="0"))


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(pdfs.tree_of(root_kids="", count="5"), id="no kids"),
        pytest.param(pdfs.tree_of(root_kids="2 0 R"), id="a page tree that contains itself"),
        pytest.param(pdfs.tree_of(root_kids="2 0 R 2 0 R 2 0 R", count="3"), id="a page tree that contains itself three times"),
        pytest.param(
            pdfs.tree_of(
                (3, "<< /Type /Pages /Kids [4 0 R 4 0 R] /Count 2 >>"),
                (4, "<< /Type /Pages /Kids [3 0 R 2 0 R] /Count 1 >>"),
                root_kids="3 0 R 3 0 R",
                count="500",
            ),
            id="a ring",
        ),
        pytest.param(
            pdfs.tree_of(
                *((3 + n, f"<< /Type /Pages /Kids [{4 + n} 0 R {4 + n} 0 R] /Count {2 ** (60 - n)} >>") for n in range(60)),
                (63, "<< /Type /Page /MediaBox [0 0 100 100] >>"),
                root_kids="3 0 R",
                count=str(2**60),
            ),
            id="2**60 pages",
        ),
        pytest.param(
            pdfs.tree_of(*((3 + n, f"<< /Type /Pages /Kids [{4 + n} 0 R] /Count 1 >>") for n in range(5000)), root_kids="3 0 R"),
            id="5,000 levels",
        ),
    ],
)
def test_a_page_tree_that_leads_nowhere_is_corrupt(data: bytes) -> None:
    with pytest.raises(CorruptPdf):
        facts(data)


@pytest.mark.parametrize("count", ["-5", "2000000000", "99999999999", "1.5", "/x", "9" * 5000])
def test_a_count_that_cannot_be_is_counted_anew(count: str) -> None:
    assert facts(pdfs.pages_of(count=count)).page_count == 1


def test_a_count_of_thousands_of_digits_in_a_file_without_end_is_not_a_defect_of_ours() -> None:
    with pytest.raises(CorruptPdf):
        facts(pdfs.HEADER + b"1 0 obj << /Type /Pages /Count " + b"9" * 5000 + b" >> endobj\n")


def test_pages_that_a_count_invents_fail_one_by_one_and_the_real_one_is_read() -> None:
    data = pdfs.pages_of(count="40")
    assert facts(data).page_count == 40
    with PdfFile(data, max_pixels=1_000_000) as file:
        with file.page(1) as page:
            assert "Hello" in page.text_layer().text
        for number in (2, 40, 41, 0, -1):
            with pytest.raises(PageUnrenderable):
                file.page(number)


def test_ten_thousand_references_to_one_page_are_ten_thousand_pages() -> None:
    data = pdfs.shared_page(10_000)
    assert len(data) < 2000
    assert facts(data).page_count == 10_000
    with pytest.raises(DocumentTooLarge, match=r"10,000 pages.*max_document_pages allows 9,999"):
        facts(data, max_pages=9_999)


def test_too_many_bytes_are_refused_before_pdfium_sees_them() -> None:
    with pytest.raises(DocumentTooLarge, match="max_document_bytes"):
        facts(b"not even a PDF", max_bytes=10)


def test_a_user_password_is_needed_and_said() -> None:
    with pytest.raises(EncryptedPdf, match="password"):
        facts(encrypted("secret"))


def with_undecryptable_objects() -> bytes:
    """A file that opens without a password, with a page tree that cannot be decrypted: it names RC4 instead of AES."""
    saved = io.BytesIO()
    encryption = pikepdf.Encryption(user="", owner="o", R=4)
    with pikepdf.open(io.BytesIO(pdfs.pages_of())) as pdf:
        pdf.save(saved, encryption=encryption, object_stream_mode=pikepdf.ObjectStreamMode.generate, linearize=True)
    assert b"/CFM /AESV2" in saved.getvalue()
    return saved.getvalue().replace(b"/CFM /AESV2", b"/CFM /V2   ")


def test_a_document_whose_encryption_is_not_supported_is_not_empty() -> None:
    with pytest.raises(EncryptedPdf, match="uses an encryption that is not supported"):
        facts(with_undecryptable_objects())


def test_a_document_with_only_an_owner_password_is_read() -> None:
    data = encrypted("")
    assert b"/Encrypt" in data
    assert facts(data).page_count == 1
    assert "Hello, this is a page of text" in first_text(data)


def test_an_unknown_security_handler_is_encryption_too() -> None:
    with pytest.raises(EncryptedPdf):
        facts(pdfs.pages_of(trailer="/Encrypt << /Filter /Acme.Vault /V 1 >> /ID [<00> <00>]"))


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"junk from a mail gateway\r\n" * 30 + pdfs.pages_of(), id="garbage before the header"),
        pytest.param(pdfs.pages_of() + bytes(10_000), id="zeros after the end"),
        pytest.param(saved(linearize=True), id="linearized"),
        pytest.param(saved(object_stream_mode=pikepdf.ObjectStreamMode.generate), id="cross-reference stream"),
        pytest.param(pdfs.pages_of().replace(b"startxref\n", b"startxref\n9"), id="wrong startxref"),
        pytest.param(pdfs.pages_of(header=b"%PDF-\n"), id="no version"),
        pytest.param(pdfs.pages_of(("/X " + "[" * 100_000,)), id="100,000 open brackets"),
    ],
)
def test_odd_but_readable_files_are_read(data: bytes) -> None:
    assert facts(data).page_count == 1
    assert "Hello, this is a page of text" in first_text(data)


def test_a_page_tree_in_an_object_stream_is_found() -> None:
    assert facts(pdfs.in_object_stream()).page_count == 1


def test_an_incremental_update_is_what_counts() -> None:
    newer = pdfs.stream(b"BT /F1 24 Tf 72 700 Td (Second version) Tj ET")
    assert first_text(pdfs.with_update(pdfs.pages_of(), {4: newer}, size=11)) == "Second version"


def test_an_update_that_is_its_own_predecessor_ends() -> None:
    data = pdfs.with_update(pdfs.pages_of(), {4: pdfs.stream(pdfs.HELLO)}, size=11)
    start = data.rpartition(b"startxref")[2].split()[0]
    looped = data[: data.rindex(b"/Prev")] + b"/Prev " + start + b" >>\nstartxref\n" + start + b"\n%%EOF\n"
    assert facts(looped).page_count == 1


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        ("(A plain title)", "A plain title"),
        ("(untitled)", None),
        ("(Untitled Document 2)", None),
        ("(The untitled work)", "The untitled work"),
        ("(  two\\nlines\\t)", "two lines"),
        ("()", None),
        ("<FEFF0928094B>", "नो"),
        ("<FEFFD8000041>", "\ufffdA"),
        ("<FEFF202E0041202C2066002000422069061C>", "A B"),
        ("<FEFF004100070042009B0043>", "ABC"),
        ("<FEFF05D0200F05D1>", "אב"),
        ("42", None),
        (f"({'x' * 5000})", "x" * 500),
    ],
)
def test_titles_come_in_one_line_of_what_can_be_written(title: str, expected: str | None) -> None:
    data = pdfs.pages_of(extra={5: f"<< /Title {title} >>".encode()}, trailer="/Info 5 0 R")
    found = facts(data).title
    assert found == expected
    assert found is None or found.encode()


def test_bytes_are_read_where_they_lie_even_when_read_only() -> None:
    array = numpy.frombuffer(pdfs.pages_of(), dtype=numpy.uint8)
    assert not array.flags.writeable
    assert validate(array, max_pages=10, max_bytes=1 << 20).page_count == 1


def test_closing_twice_is_allowed() -> None:
    file = PdfFile(pdfs.pages_of(), max_pixels=1_000_000)
    assert file.page_count == 1
    file.close()
    file.close()


@pytest.mark.parametrize("name", ["letter.pdf", "devanagari.pdf", "scan.pdf"])
def test_no_truncation_of_a_sample_gets_past_as_something_else_than_its_pages_or_a_document_error(name: str) -> None:
    whole = (SAMPLES / name).read_bytes()
    chance = random.Random(7)
    for _ in range(60):
        cut = chance.randrange(len(whole))
        try:
            count = facts(whole[:cut]).page_count
        except DocumentError:
            continue
        assert count == facts(whole).page_count


@pytest.mark.parametrize("count", ["99999", "500"])
def test_a_count_of_pages_that_the_file_cannot_hold_is_damage(count: str) -> None:
    with pytest.raises(CorruptPdf, match=r"claims .* pages, but its page tree lists only 1\."):
        facts(pdfs.pages_of(count=count))


def test_a_count_that_is_wrong_by_a_few_is_not() -> None:
    assert facts(pdfs.pages_of(("",) * 10, count="12")).page_count == 12


LABELS = "<< /Nums [0 << /S /r >> 2 << /S /D /P (A-) /St 5 >>] >>"
ENDLESS_LABELS = {
    "of itself": {5: b"<< /Kids [5 0 R] >>"},
    "of each other": {5: b"<< /Kids [6 0 R] /Limits [0 9] >>", 6: b"<< /Kids [5 0 R] /Limits [0 9] >>"},
    "of many": {5: b"<< /Kids [" + b"5 0 R " * 1000 + b"] >>"},
}


def labels(objects: dict[int, bytes]) -> list[str]:
    catalog = b"<< /Type /Catalog /Pages 2 0 R /PageLabels 5 0 R >>"
    with PdfFile(pdfs.pages_of(("",) * 3, extra={1: catalog, **objects}), max_pixels=1) as file:
        return [file.page_label(number) for number in (1, 2, 3)]


def test_labels_are_those_that_readers_show() -> None:
    assert labels({5: LABELS.encode()}) == ["i", "ii", "A-5"]
    with PdfFile(pdfs.pages_of(("",) * 3), max_pixels=1) as file:
        assert file.page_label(1) == ""


@pytest.mark.parametrize("objects", ENDLESS_LABELS.values(), ids=ENDLESS_LABELS.keys())
def test_labels_without_end_do_not_crash(objects: dict[int, bytes]) -> None:
    """PDFium overflows its stack over them."""
    assert all(len(label) < 10 for label in labels(objects))


def test_a_file_for_which_qpdf_asks_for_a_password_has_no_labels(monkeypatch: pytest.MonkeyPatch) -> None:
    """PDFium opens some of them."""

    def refuse(*_: Any, **__: Any) -> None:
        raise pikepdf.PasswordError("invalid password")

    monkeypatch.setattr(pikepdf, "open", refuse)
    with PdfFile(pdfs.pages_of(), max_pixels=1) as file:
        assert (file.page_label(1), file.page_references()) == ("", None)
