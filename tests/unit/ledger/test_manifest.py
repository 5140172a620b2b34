"""Manifests: their content, and that errors name the damaged manifest."""

from __future__ import annotations

import json
from typing import Any

import pytest

from rayocr.errors import RecordCorrupt
from rayocr.ledger.manifest import (
    DEAD_LETTERS_PREFIX,
    Manifest,
    Spent,
    build_manifest,
    document_id_of,
    manifest_name,
    spent_before,
)
from rayocr.messages import UNPRICED, Attempt, Document, DocumentContext, DocumentOutcome, OutputFile, PageOutcome, PageSummary

ID = "0f" * 16
NAME = f".rayocr/documents/0f/{ID}.json"


def context(**changes: Any) -> DocumentContext:
    values: dict[str, Any] = {"name": "reports/a.pdf", "source_uri": "file:///in/reports/a.pdf"}
    document = Document(document_id=ID, output_name="reports/a", version="10-1", size_bytes=10, **(values | changes))
    return DocumentContext(document=document, page_count=5, title="A", fencing_token=7)


PAGES = (
    PageSummary(
        page_number=1, outcome=PageOutcome.DONE, engine="gemini", model="m1", input_tokens=10, output_tokens=5, cost_usd=0.1
    ),
    PageSummary(
        page_number=2, outcome=PageOutcome.DONE, engine="gemini", model="m1", input_tokens=10, output_tokens=5, cost_usd=0.2
    ),
    PageSummary(page_number=3, outcome=PageOutcome.BLANK),
    PageSummary(
        page_number=4,
        outcome=PageOutcome.FALLBACK,
        engine="tesseract",
        doubts=("low_confidence",),
        attempts=(Attempt(engine="gemini", reason="Refused", message="RECITATION"),),
    ),
    PageSummary(
        page_number=5, outcome=PageOutcome.FAILED, attempts=(Attempt(engine="gemini", reason="Truncated", message="MAX_TOKENS"),)
    ),
)


def build(pages: tuple[PageSummary, ...] = PAGES, **changes: Any) -> Manifest:
    return build_manifest(
        context(**changes),
        outcome=DocumentOutcome.PARTIAL,
        summaries=pages,
        outputs=[OutputFile(name="reports/a.md", size_bytes=3, sha256="ab")],
        run_id="run",
        fingerprint="f" * 16,
        started_at="2026-11-01T00:00:00+00:00",
    )


def test_a_manifest_sums_its_pages_up() -> None:
    manifest = build()
    assert manifest.pages == {"done": "1-2", "blank": "3", "fallback": "4", "failed": "5"}
    assert [(note.page_number, note.reason, note.message) for note in manifest.notes] == [
        (4, "Refused", "RECITATION"),
        (5, "Truncated", "MAX_TOKENS"),
    ]
    assert manifest.notes[0].doubts == ("low_confidence",)
    assert manifest.engines == {"gemini": 2, "tesseract": 1}
    assert manifest.engine_pages == {"gemini": "1-2", "tesseract": "4"}
    assert manifest.models == ("m1",)
    assert (manifest.input_tokens, manifest.output_tokens, manifest.cost_usd) == (20, 10, 0.3)
    assert (manifest.fencing_token, manifest.outcome, manifest.outputs[0].name) == (7, DocumentOutcome.PARTIAL, "reports/a.md")
    assert manifest.finished_at > manifest.started_at


@pytest.mark.parametrize("name", ["a.pdf", "नया 📄.pdf", "latin\udce9.pdf", 'new\nline".pdf'])
def test_a_manifest_makes_the_round_trip_whatever_the_name(name: str) -> None:
    manifest = build(name=name)
    data = manifest.to_json()
    assert Manifest.from_json(data, name=NAME) == manifest
    assert json.loads(data)["outcome"] == "partial"
    assert json.loads(data)["schema_version"] == 1
    data.decode("utf-8")


def test_a_manifest_of_ten_thousand_pages_stays_small() -> None:
    pages = tuple(PageSummary(page_number=n, outcome=PageOutcome.DONE, engine="gemini") for n in range(1, 10_001))
    assert len(build(pages).to_json()) < 2000


def test_names_and_ids_belong_together() -> None:
    assert manifest_name(ID) == NAME
    assert document_id_of(NAME) == ID
    assert document_id_of(f"{DEAD_LETTERS_PREFIX}0f/{ID}.json") == ID


@pytest.mark.parametrize(
    "name",
    [
        f".rayocr/documents/ff/{ID}.json",
        f".rayocr/documents/{ID}.json",
        f".rayocr/documents/0f/{ID}.json.tmp",
        f".rayocr/documents/0f/{ID[:-1]}.json",
        ".rayocr/documents/0f/notes.json",
        f".rayocr/ledger/0f/{ID}.json",
        f"x/.rayocr/documents/0f/{ID}.json",
    ],
)
def test_other_objects_have_no_document(name: str) -> None:
    assert document_id_of(name) is None


def changed(**changes: Any) -> bytes:
    return json.dumps(json.loads(build().to_json()) | changes).encode()


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "is empty"),
        (build().to_json()[:100], "is not JSON"),
        (b"\xff\xfe", "is not JSON"),
        (b"null", "is not a JSON object"),
        (b"[]", "is not a JSON object"),
        (b"{}", "is not a manifest"),
        (b'{"schema_version": true}', "is not a manifest"),
        (b'{"schema_version": 1}', "document_id"),
        (changed(schema_version=2), "schema 2"),
        (changed(outcome="excellent"), "outcome"),
        (changed(page_count=-1), "page_count"),
        (changed(pages={"done": "3-1"}), "pages.done"),
        (changed(pages={"lost": "1"}), "pages.lost"),
        (changed(outputs=[{"name": "x"}]), "outputs.0"),
    ],
)
def test_a_damaged_manifest_names_itself_in_one_line(data: bytes, sentence: str) -> None:
    with pytest.raises(RecordCorrupt) as caught:
        Manifest.from_json(data, name=NAME)
    assert NAME in str(caught.value)
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)
    assert caught.value.hint is not None


def test_fields_that_a_later_version_added_are_skipped() -> None:
    assert Manifest.from_json(changed(added_later=[1]), name=NAME) == build().model_copy(
        update={"finished_at": json.loads(changed())["finished_at"]}
    )


def test_what_a_retry_costs_is_added_to_what_the_pages_that_it_reads_again_had_cost() -> None:
    earlier = build().model_copy(update={"cost_usd": 0.9, "input_tokens": 900, "cached_tokens": 80})
    kept = Spent(cost_usd=0.6, input_tokens=600, cached_tokens=50)
    again = spent_before(earlier, kept) + kept + Spent(cost_usd=0.5, input_tokens=500, cached_tokens=7)
    assert (round(again.cost_usd, 9), again.input_tokens, again.cached_tokens, again.unpriced) == (1.4, 1400, 87, False)
    unknown = earlier.model_copy(update={"cost_usd": None})
    assert spent_before(unknown, kept).unpriced


def test_a_page_of_unknown_price_makes_the_cost_of_the_document_unknown() -> None:
    page = PageSummary(page_number=1, outcome=PageOutcome.DONE, engine="gemini", price_class=UNPRICED)
    assert build((page,)).cost_usd is None
