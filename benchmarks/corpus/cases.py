"""The corpus: classes of pages, with any number of pages per class. The same seed gives the same pages.

`kinds()` names the classes; `cases(kind, count)` makes one class. Scans have no text layer, so that engines must read them.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from PIL import Image

from benchmarks.corpus import blocks, forms, leaves, office, papers, pdfs, tables, wear
from benchmarks.corpus.leaves import Leaf

MakeLeaf = Callable[[random.Random], Leaf]


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """`layer`: the quality of the page's own text: "" (none), "good" or "bad"."""

    kind: str
    name: str
    pdf: bytes
    truth: str
    layer: str = ""
    tables: tuple[tuple[tuple[str, ...], ...], ...] = ()  # rows of cells, on pages whose tables are measured


_LAYOUTS: dict[str, tuple[MakeLeaf, ...]] = {
    "single column": (leaves.single_column,),
    "two columns": (leaves.two_columns,),
    "three columns": (leaves.newspaper,),
    "tables": (leaves.ruled_table, leaves.unruled_table),
    "forms": (leaves.form,),
    "more tables": (tables.wrapped, tables.wrapped_open, tables.terms, tables.spans, tables.figures),
    "more forms": (
        forms.boxed_fields,
        forms.input_boxes,
        forms.lined_fields,
        forms.paired_fields,
        forms.form_table,
        forms.questions,
        forms.card,
        forms.invoice,
    ),
    "hard orders": (
        papers.heading_across,
        papers.paper_with_figure,
        papers.sidebar,
        papers.margin_notes,
        papers.articles,
        papers.business_letter,
        papers.two_column_notes,
    ),
    "blocks side by side": (blocks.cards, blocks.catalog, blocks.lists, blocks.articles, blocks.columns_ruled),
    "office pages": (
        office.labels_below,
        office.uneven_cells,
        office.heads_over_columns,
        office.statement,
        office.payslip,
        office.agreement,
    ),
    "letters": (leaves.letter,),
    "receipts": (leaves.receipt,),
    "listings, notes, ornaments": (leaves.listing, leaves.footnotes, leaves.ornaments),
    "small print": (leaves.small_print,),
    "Latin languages": tuple(leaves.foreign(language) for language in leaves.LATIN),
    "other scripts": tuple(leaves.foreign(language) for language in leaves.OTHER),
    "mixed scripts": tuple(leaves.mixed_scripts(language) for language in leaves.MIXED),
}
_WORN = "degraded"
_ROTATED = "rotated"
_BORN = "born digital"
_UNMAPPED = "odd encodings"
_GOOD_LAYER, _BAD_LAYER = "scans with good OCR", "scans with bad OCR"
_MIXED: tuple[MakeLeaf, ...] = (
    leaves.single_column,
    leaves.two_columns,
    leaves.letter,
    leaves.footnotes,
    leaves.form,
    leaves.ruled_table,
    leaves.small_print,
    leaves.foreign("de"),
)


def kinds() -> tuple[str, ...]:
    return (*_LAYOUTS, _WORN, _ROTATED, _BORN, _UNMAPPED, _GOOD_LAYER, _BAD_LAYER)


def cases(kind: str, count: int, *, seed: int = 1) -> Iterator[Case]:
    for number in range(count):
        yield _case(kind, number, random.Random(f"{seed} {kind} {number}"))


def _case(kind: str, number: int, dice: random.Random) -> Case:
    makers = _LAYOUTS.get(kind, _MIXED)
    name = f"{kind} {number}"
    if kind == _WORN:
        treatment = list(wear.WEAR)[number % len(wear.WEAR)]
        name = f"{kind} {number} {treatment}"
        makers = _MIXED[number // len(wear.WEAR) % len(_MIXED) :]
    leaf = makers[(0 if kind == _WORN else number) % len(makers)](dice)
    printed = pdfs.typeset(lambda shrink: leaf.program(shrink=shrink))
    truth = "\n".join(leaf.truth)
    if kind == _BORN:
        return Case(kind=kind, name=name, pdf=printed, truth=truth, layer="good")
    if kind == _UNMAPPED:
        return Case(kind=kind, name=name, pdf=pdfs.without_unicode(printed), truth=truth, layer="bad")
    image = pdfs.drawn(printed)
    if kind in (_GOOD_LAYER, _BAD_LAYER):
        good = kind == _GOOD_LAYER
        pdf = pdfs.over_image(wear.scanned(image, dice), printed, dice, errors=0.002 if good else dice.uniform(0.06, 0.25))
        return Case(kind=kind, name=name, pdf=pdf, truth=truth, layer="good" if good else "bad")
    cells = tuple(tuple(tuple(row) for row in table) for table in leaf.tables)
    return Case(kind=kind, name=name, pdf=pdfs.of_image(_treated(kind, number, image, dice)), truth=truth, tables=cells)


def _treated(kind: str, number: int, image: Image.Image, dice: random.Random) -> Image.Image:
    if kind == _WORN:
        return wear.WEAR[list(wear.WEAR)[number % len(wear.WEAR)]](image, dice)
    if kind == _ROTATED:
        turned = wear.turned(image, 1 + number % 3)
        return wear.skewed(turned, dice, most=1.5) if number % 2 else wear.scanned(turned, dice)
    return wear.scanned(image, dice) if number % 2 else image
