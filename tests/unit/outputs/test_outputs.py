from __future__ import annotations

import io
import json

import pytest

from rayocr.errors import UsageError
from rayocr.messages import Attempt, Document, DocumentContext, PageOutcome, PageRecord
from rayocr.outputs.base import Output
from rayocr.outputs.jsonl import JsonlOutput
from rayocr.outputs.markdown import MarkdownOutput
from rayocr.outputs.registry import parse_outputs

DOCUMENT = Document(document_id="ab", source_uri="file:///x/a.pdf", name="a.pdf", output_stem="a", version="1", size_bytes=1)


def written(output: type[Output], *records: PageRecord) -> str:
    file = io.BytesIO()
    context = DocumentContext(document=DOCUMENT, page_count=len(records), title="T", fencing_token=1)
    writer = output(file, context)
    writer.begin()
    for record in records:
        writer.page(record)
    writer.finish()
    return file.getvalue().decode()


def page(number: int, text: str, outcome: PageOutcome = PageOutcome.DONE, **fields: object) -> PageRecord:
    return PageRecord(document_id="ab", page_number=number, outcome=outcome, text=text, **fields)  # type: ignore[arg-type]


def test_markdown_shows_every_page_break() -> None:
    text = written(MarkdownOutput, page(1, "# One\n"), page(2, "Two"))
    assert text == "<!-- page 1 -->\n\n# One\n\n<!-- page 2 -->\n\nTwo\n"


def test_a_blank_page_keeps_its_place_in_markdown() -> None:
    assert written(MarkdownOutput, page(1, "", PageOutcome.BLANK), page(2, "x")).startswith("<!-- page 1 -->\n\n<!-- page 2 -->")


def test_a_failed_page_is_visibly_marked_with_its_reason() -> None:
    failed = page(1, "", PageOutcome.FAILED, attempts=(Attempt(engine="e", reason="EmptyAnswer"),))
    assert "**Page 1 could not be read (EmptyAnswer).**" in written(MarkdownOutput, failed)


def test_a_doubtful_page_says_so() -> None:
    assert "<!-- doubtful: low_confidence -->" in written(MarkdownOutput, page(1, "x", doubts=("low_confidence",)))


def test_jsonl_is_one_line_in_dolmas_shape() -> None:
    text = written(JsonlOutput, page(1, 'one\n"quoted"'), page(2, "two"))
    assert text.count("\n") == 1
    row = json.loads(text)
    assert {"id", "text", "source", "added", "created", "metadata", "attributes"} <= row.keys()
    assert row["metadata"]["source_uri"] == "file:///x/a.pdf"


@pytest.mark.parametrize(
    "texts", [["one", "two"], ["", "two", ""], ["नमस्ते", "😀 emoji", "\ud800 alone"], ["\\u0041 \t\x07", "b"]]
)
def test_character_spans_cut_the_text_into_its_pages(texts: list[str]) -> None:
    row = json.loads(written(JsonlOutput, *(page(n, text) for n, text in enumerate(texts, 1))))
    cut = [row["text"][start:end] for start, end, _ in row["attributes"]["pdf_page_numbers"]]
    assert cut == [text.strip().encode("utf-8", "replace").decode() for text in texts]


def test_an_unknown_output_is_answered_with_the_known_ones() -> None:
    with pytest.raises(UsageError, match="markdown"):
        parse_outputs(["docx"])


def test_an_output_named_twice_is_written_once() -> None:
    assert parse_outputs(["jsonl", "markdown", "jsonl"]) == (JsonlOutput, MarkdownOutput)
