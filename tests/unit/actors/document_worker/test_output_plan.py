from __future__ import annotations

import numpy
import pytest

from rayocr.actors.document_worker.assemble import assemble
from rayocr.actors.document_worker.assemble_settings import AssembleSettings
from rayocr.actors.document_worker.output_plan import plan_outputs
from rayocr.actors.document_worker.source import GuardedSource
from rayocr.config import LimitsConfig
from rayocr.outputs.registry import parse_outputs
from tests.unit.actors.document_worker.test_assemble import SETTINGS, STARTED, Place, context, of, page, place  # noqa: F401
from tests.unit.pdf.pdfs import pages_of

ALL = parse_outputs(["markdown", "clean_pdf", "searchable_pdf"])


def with_all() -> AssembleSettings:
    from dataclasses import replace

    return replace(SETTINGS, outputs=ALL)


@pytest.mark.parametrize(
    ("crashes", "written", "opens"),
    [
        (0, ["markdown", "clean_pdf", "searchable_pdf"], True),
        (1, ["markdown", "clean_pdf", "searchable_pdf"], True),
        (2, ["markdown", "clean_pdf"], False),
        (3, ["markdown"], False),
    ],
)
def test_each_crash_leaves_out_what_may_have_caused_it(crashes: int, written: list[str], opens: bool) -> None:
    plan = plan_outputs(ALL, crashes)
    assert ([output.name for output in plan.outputs], plan.opens_source) == (written, opens)
    assert all(any(name in note for note in plan.notes) for name in {output.name for output in ALL} - set(written))


def test_a_document_gets_its_text_whatever_outputs_were_asked_for() -> None:
    plan = plan_outputs(parse_outputs(["searchable_pdf"]), 3)
    assert [output.name for output in plan.outputs] == ["markdown"]
    assert plan.notes


def test_a_document_that_crashes_its_assembly_is_finished_without_its_source_and_says_so(place: Place) -> None:  # noqa: F811
    source = numpy.frombuffer(pages_of(("",) * 2), dtype=numpy.uint8)
    done = assemble(context(2), with_all(), of(page(1), page(2)), STARTED, source, crashes=2)
    assert [output.name for output in done.outputs] == ["sub/a.md", "sub/a.clean.pdf"]
    notes = place.manifest().outputs[0].notes
    assert any("searchable_pdf is not written" in note for note in notes)
    assert any("Page sizes" in note for note in notes)
    assert "text of 2" in place.storage.read("sub/a.md").decode()


def test_a_source_that_cannot_be_opened_any_more_costs_no_page(place: Place) -> None:  # noqa: F811
    done = assemble(context(2), with_all(), of(page(1), page(2)), STARTED, numpy.frombuffer(b"not a PDF", dtype=numpy.uint8))
    assert [output.name for output in done.outputs] == ["sub/a.md", "sub/a.clean.pdf"]


def test_labels_that_point_to_themselves_do_not_end_an_assembly(place: Place) -> None:  # noqa: F811
    extra = {1: b"<< /Type /Catalog /Pages 2 0 R /PageLabels 5 0 R >>", 5: b"<< /Kids [5 0 R] >>"}
    source = numpy.frombuffer(pages_of(("",) * 2, extra=extra), dtype=numpy.uint8)
    done = assemble(context(2), with_all(), of(page(1), page(2)), STARTED, source)
    assert [output.name for output in done.outputs] == ["sub/a.md", "sub/a.clean.pdf", "sub/a.searchable.pdf"]


def test_every_use_of_the_source_is_guarded(monkeypatch: pytest.MonkeyPatch) -> None:
    from contextlib import contextmanager

    entered: list[str] = []

    @contextmanager
    def bounded(*, seconds: float, memory_bytes: int):  # type: ignore[no-untyped-def]
        assert not entered or entered[-1] == "left", "it does not nest"
        entered.append("entered")
        try:
            yield
        finally:
            entered.append("left")

    monkeypatch.setattr("rayocr.actors.document_worker.source.bounded", bounded)
    with GuardedSource(numpy.frombuffer(pages_of(), dtype=numpy.uint8), LimitsConfig()) as source:
        assert entered == ["entered", "left"]
        source.page_size(1)
        source.page_label(1)
        with source.page(1) as opened:
            assert entered[-1] == "entered"
            opened.render(dpi=30)
        assert entered == ["entered", "left"] * 4
        with pytest.raises(Exception, match="cannot be loaded"):
            source.page(2)
        assert entered[-1] == "left"
