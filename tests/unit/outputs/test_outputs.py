from __future__ import annotations

import io
import json
import re
import subprocess
import sys

import pytest
import yaml
from pyarrow import parquet

from rayocr.config import MarkdownConfig, OutputConfig
from rayocr.errors import UsageError
from rayocr.messages import Attempt, Document, DocumentContext, PageOutcome, PageRecord
from rayocr.outputs.base import Output
from rayocr.outputs.jsonl import JsonlOutput
from rayocr.outputs.markdown import MarkdownOutput
from rayocr.outputs.page_pipeline import PagePipeline
from rayocr.outputs.parquet import ParquetOutput
from rayocr.outputs.registry import parse_outputs

DOCUMENT = Document(document_id="ab", source_uri="file:///x/a.pdf", name="a.pdf", output_name="a", version="1", size_bytes=1)


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


def in_form(output: type[Output], form: MarkdownConfig, *records: PageRecord) -> bytes:
    file = io.BytesIO()
    context = DocumentContext(document=DOCUMENT, page_count=len(records), title='A "T"', fencing_token=1, run_id="run-7")
    writer = output(file, context, config=OutputConfig(markdown=form))
    try:
        writer.begin()
        pipeline = PagePipeline(form, [writer])
        for record in records:
            pipeline.add(record)
        pipeline.finish()
    finally:
        writer.close()
    return file.getvalue()


def test_pages_are_joined_on_request_and_the_break_stays_visible() -> None:
    pages = (page(1, "# One\n\nthe quick"), page(2, "brown fox"), page(3, "jumps.\n\nNew."), page(4, "Other"))
    text = in_form(MarkdownOutput, MarkdownConfig(join=True), *pages).decode()
    assert text == (
        "<!-- page 1 -->\n\n# One\n\nthe quick <!-- page 2 --> brown fox <!-- page 3 --> jumps.\n\nNew.\n\n"
        "<!-- page 4 -->\n\nOther\n"
    )
    assert [int(number) for number in re.findall(r"<!-- page (\d+) -->", text)] == [1, 2, 3, 4]


def test_joining_passes_blank_and_failed_pages_by() -> None:
    failed = page(2, "", PageOutcome.FAILED, attempts=(Attempt(engine="e", reason="EmptyAnswer"),))
    text = in_form(MarkdownOutput, MarkdownConfig(join=True), page(1, "the quick"), failed, page(3, "brown")).decode()
    assert "the quick\n\n<!-- page 2 -->\n\n> **Page 2 could not be read" in text
    assert text.endswith("<!-- page 3 -->\n\nbrown\n")
    blank = page(2, "", PageOutcome.BLANK)
    assert (
        "the quick\n\n<!-- page 2 -->\n"
        in in_form(MarkdownOutput, MarkdownConfig(join=True), page(1, "the quick"), blank).decode()
    )


def test_front_matter_says_where_the_text_comes_from() -> None:
    failed = page(3, "", PageOutcome.FAILED, attempts=(Attempt(engine="e", reason="EmptyAnswer"),))
    pages = (
        page(1, "One", engine="gemini", model="g-1"),
        page(2, "Two", engine="rapidocr", model="p", doubts=("suspect",)),
        failed,
    )
    text = in_form(MarkdownOutput, MarkdownConfig(front_matter=True), *pages).decode()
    _, matter, body = text.split("---\n", 2)
    values = yaml.safe_load(matter)
    assert values["title"] == 'A "T"'
    assert values["source"] == "file:///x/a.pdf"
    assert (values["pages"], values["engines"], values["models"]) == (3, {"gemini": 1, "rapidocr": 1}, ["g-1", "p"])
    assert (values["suspect_pages"], values["failed_pages"], values["run"]) == ("2", "3", "run-7")
    assert values["date"].endswith("+00:00")
    assert body.startswith("\n<!-- page 1 -->\n\nOne\n")


def test_running_headers_go_from_what_is_read_on_and_stay_where_pages_are_shown() -> None:
    pages = [page(n, f"Annual Report\n\nWords {'abcdef'[n]}") for n in range(1, 6)]
    form = MarkdownConfig(headers="remove")
    assert b"Annual" not in in_form(MarkdownOutput, form, *pages)
    assert b"Annual" not in in_form(JsonlOutput, form, *pages)
    shown = io.BytesIO()

    class Shown(MarkdownOutput):
        flowing = False

    writer = Shown(shown, DocumentContext(document=DOCUMENT, page_count=5, title=None, fencing_token=1))
    pipeline = PagePipeline(form, [writer])
    for record in pages:
        pipeline.add(record)
    pipeline.finish()
    assert shown.getvalue().count(b"Annual") == 5


def test_the_engines_own_markdown_is_to_be_had() -> None:
    raw = "Here is the transcription:\n\n* a"
    assert in_form(MarkdownOutput, MarkdownConfig(), page(1, raw)) == b"<!-- page 1 -->\n\n- a\n"
    assert raw.encode() in in_form(MarkdownOutput, MarkdownConfig(normalize=False), page(1, raw))


def test_what_a_local_engine_read_is_the_pages_even_where_it_sounds_like_a_model() -> None:
    raw = "Here is the transcription of the interview:\n\n* a\n\nI hope this helps!"
    read = in_form(MarkdownOutput, MarkdownConfig(), page(1, raw, engine="textlayer")).decode()
    assert read == "<!-- page 1 -->\n\nHere is the transcription of the interview:\n\n- a\n\nI hope this helps!\n"
    assert in_form(MarkdownOutput, MarkdownConfig(), page(1, raw, engine="gemini")) == b"<!-- page 1 -->\n\n- a\n"


def test_jsonl_names_doubtful_pages() -> None:
    row = json.loads(written(JsonlOutput, page(1, "x", doubts=("suspect",), agreement=0.1), page(2, "y")))
    assert row["attributes"]["page_doubts"] == [[1, ["suspect"], 0.1]]


def test_parquet_has_a_row_a_page_and_the_same_columns_whatever_is_in_it() -> None:
    failed = page(2, "", PageOutcome.FAILED, attempts=(Attempt(engine="e", reason="EmptyAnswer"),))
    pages = (page(1, "नमस्ते \ud800", engine="gemini", doubts=("suspect",), agreement=0.25, cost_usd=0.5), failed)
    table = parquet.read_table(io.BytesIO(in_form(ParquetOutput, MarkdownConfig(), *pages)))
    empty = parquet.read_table(io.BytesIO(in_form(ParquetOutput, MarkdownConfig())))
    assert table.schema == empty.schema
    first, second = table.to_pylist()
    assert (first["text"], first["doubts"], first["agreement"], first["reason"]) == ("नमस्ते ?", ["suspect"], 0.25, None)
    assert (second["outcome"], second["reason"], second["text"], second["engine"]) == ("failed", "EmptyAnswer", "", None)
    assert first["run_id"] == "run-7"


def test_parquet_is_written_in_groups() -> None:
    data = in_form(ParquetOutput, MarkdownConfig(), *(page(n, f"page {n}") for n in range(1, 601)))
    assert parquet.ParquetFile(io.BytesIO(data)).metadata.num_row_groups == 3


def test_without_pyarrow_the_command_to_install_it_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rayocr.extras.is_installed", lambda extra: False)
    with pytest.raises(UsageError, match=r"pip install 'rayocr\[parquet\]'"):
        parse_outputs(["parquet"])


def test_pyarrow_is_not_imported_before_a_file_is_started() -> None:
    program = "import sys, rayocr.outputs.registry as r; r.parse_outputs(['parquet']); print('pyarrow' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout == "False\n"
