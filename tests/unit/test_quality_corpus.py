"""The pages of the quality corpus: each page matches its ground truth, and the same seed gives the same page."""

from __future__ import annotations

import random
from collections.abc import Iterator

import numpy as np
import pypdfium2
import pytest

from benchmarks.corpus import blocks, forms, leaves, papers, pdfs, tables, wear
from benchmarks.corpus.cases import cases, kinds
from benchmarks.quality_score import score
from rayocr.pdf.textlayer.trust import judge

MAKERS = {
    f"{maker.__module__.rpartition('.')[2]}.{maker.__name__}": maker
    for maker in (
        leaves.single_column,
        leaves.two_columns,
        leaves.newspaper,
        leaves.ruled_table,
        leaves.form,
        leaves.letter,
        leaves.receipt,
        leaves.listing,
        leaves.footnotes,
        leaves.small_print,
        leaves.ornaments,
        forms.boxed_fields,
        forms.input_boxes,
        forms.invoice,
        tables.wrapped_open,
        tables.spans,
        papers.articles,
        papers.margin_notes,
        blocks.cards,
        blocks.catalog,
        blocks.lists,
        blocks.articles,
        blocks.columns_ruled,
    )
} | {language: leaves.foreign(language) for language in ("pl", "el", "ru")}


@pytest.fixture(scope="module", autouse=True)
def _one_typesetter() -> Iterator[None]:
    yield
    pdfs.close()


def text_of(pdf: bytes) -> str:
    with pypdfium2.PdfDocument(pdf) as opened:
        assert len(opened) == 1
        return opened[0].get_textpage().get_text_bounded().replace("\x02", "").replace("\ufffe", "")


@pytest.mark.parametrize("name", MAKERS)
def test_a_page_says_what_its_truth_says(name: str) -> None:
    leaf = MAKERS[name](random.Random(3))
    printed = pdfs.typeset(lambda shrink: leaf.program(shrink=shrink))
    found = score(text_of(printed), "\n".join(leaf.truth))
    assert found.order_free_cer < 0.12  # words broken at the ends of lines
    assert found.word_f1 > 0.9


def test_the_same_seed_makes_the_same_page_and_another_seed_another() -> None:
    first, again, other = (next(iter(cases("receipts", 1, seed=seed))) for seed in (1, 1, 2))
    assert (first.truth, first.name) == (again.truth, again.name)
    assert first.truth != other.truth


def test_every_class_has_a_name_of_its_own() -> None:
    assert len(set(kinds())) == len(kinds()) >= 16


@pytest.mark.parametrize("treatment", wear.WEAR)
def test_wear_changes_a_page_the_same_way_each_time_and_leaves_it_readable_in_size(treatment: str) -> None:
    from PIL import Image, ImageDraw

    page = Image.new("L", (900, 700), 255)
    ImageDraw.Draw(page).text((100, 100), "worn", fill=0, font_size=80)
    once, twice = (np.asarray(wear.WEAR[treatment](page, random.Random(5))) for _ in range(2))
    assert np.array_equal(once, twice)
    assert once.shape[0] >= 700 and once.shape[1] >= 900
    assert once.shape != (700, 900) or not np.array_equal(once, np.asarray(page))


def test_layers_called_bad_are_bad_and_layers_called_good_are_good() -> None:
    kept = {kind: next(iter(cases(kind, 1))) for kind in ("scans with good OCR", "scans with bad OCR")}
    verdicts = {kind: judge(text_of(case.pdf), image_share=1.0, text_share=0.8).kind for kind, case in kept.items()}
    assert verdicts == {"scans with good OCR": "trusted", "scans with bad OCR": "bad"}


def test_cells_of_a_table_count_where_they_are() -> None:
    table = [["Item", "Price"], ["Rye bread", "2.50"], ["Lamp oil", ""]]
    right = "| Item | Price |\n| --- | --- |\n| Rye bread | 2.50 |\n| Lamp oil |  |"
    swapped = "| Item | Price |\n| --- | --- |\n| Rye bread |  |\n| Lamp oil | 2.50 |"
    truth = "Item Price Rye bread 2.50 Lamp oil"
    assert score(right, truth, [table]).cell_f1 == 1.0
    assert 0.0 < (score(swapped, truth, [table]).cell_f1 or 0.0) < 1.0
    assert score(truth, truth, [table]).cell_f1 == 0.0
    assert score(right, truth).cell_f1 is None
