"""Counts how often a page draws form XObjects. The number grows exponentially if forms draw forms: with ten levels of ten forms,
PDFium needs hours and gigabytes to load the page. See ISO 32000-1, 8.10.

Counting reads the content streams of the page and the forms, without rendering, and takes 0.2 ms for an ordinary page.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pikepdf

from rayocr.pdf.forms.nested_paints import excessive_paints

_MAX_DRAWS = 300_000  # maximum number of drawn forms; PDFium loads 20,000 to 50,000 per second, and maps draw a few thousand
_MAX_PARSED_BYTES = 2 << 30  # maximum size of the content streams of all these forms
_OFTEN = 1_000  # minimum number of draws at which the length of a form counts
_MAX_LEVELS = 40  # maximum depth, as in PDFium, which also stops at a form that draws itself
_MAX_FORMS = 5_000  # maximum number of forms that are examined per page
_MAX_ANNOTATIONS = 20_000  # maximum number of annotations; PDFium's time for form fields grows with the square of their number
_MAX_PARENTS = 60
_COMMENT = re.compile(rb"%[^\r\n]*")
_DRAWS = re.compile(rb"(/[^\s/<>\[\](){}%]{1,127})\s+Do\b")

_Key = tuple[int, int]


@dataclass(frozen=True, slots=True)
class FormDraws:
    """`why`: why PDFium must not load the page; "" if it may. `count`: how often it draws forms."""

    why: str = ""
    count: int = 0


@dataclass(slots=True)
class _Form:
    stream: Any
    draws: Counter[_Key] | None = None  # the forms that this form draws; None before they are counted


@dataclass(slots=True)
class _Forms:
    """The forms that a page may draw, by object number."""

    page_resources: Any
    known: dict[_Key, _Form] = field(default_factory=dict)

    def drawn_by(self, key: _Key) -> Counter[_Key]:
        form = self.known[key]
        if form.draws is None:
            resources = form.stream.get("/Resources", self.page_resources)
            form.draws = self.drawn_in([form.stream], resources)
        return form.draws

    def drawn_in(self, contents: Iterable[Any], resources: Any) -> Counter[_Key]:
        """Returns the forms that these streams draw, each with the number of draws."""
        named = dict(self._named(resources))
        found: Counter[_Key] = Counter()
        if named:
            drawn = b"\n".join(part.read_bytes() for part in contents)
            for name in _DRAWS.findall(_COMMENT.sub(b"", drawn)):
                if (key := named.get(name)) is not None:
                    found[key] += 1
        return found

    def add(self, item: Any) -> _Key | None:
        """Adds a form and returns its key; None for other objects."""
        if not isinstance(item, pikepdf.Stream) or item.get("/Subtype", "/Form") != "/Form":
            return None
        if item.objgen not in self.known and len(self.known) >= _MAX_FORMS:
            return None
        self.known.setdefault(item.objgen, _Form(item))
        return item.objgen

    def _named(self, resources: Any) -> Iterator[tuple[bytes, _Key]]:
        objects = resources.get("/XObject") if isinstance(resources, pikepdf.Dictionary) else None
        for name, item in objects.items() if isinstance(objects, pikepdf.Dictionary) else ():
            if (key := self.add(item)) is not None:
                yield name.encode("latin-1", "replace"), key


def form_draws(page: Any) -> FormDraws:
    """Counts the forms that a page (a page dictionary of pikepdf) draws."""
    annotations = page.get("/Annots")
    if isinstance(annotations, pikepdf.Array) and len(annotations) > _MAX_ANNOTATIONS:
        return FormDraws(f"it has {len(annotations):,} annotations; rayocr reads pages with up to {_MAX_ANNOTATIONS:,}.")
    resources = _inherited(page, "/Resources")
    forms = _Forms(resources)
    contents = page.get("/Contents")
    parts = list(contents) if isinstance(contents, pikepdf.Array) else [contents]
    parts = [part for part in parts if isinstance(part, pikepdf.Stream)]
    level = forms.drawn_in(parts, resources)
    level.update(_drawn_annotations(page, forms))
    draws: Counter[_Key] = Counter()
    for _ in range(_MAX_LEVELS):
        if not level:
            break
        draws.update(level)
        if draws.total() > _MAX_DRAWS:
            return FormDraws(f"it draws more than {_MAX_DRAWS:,} forms, one within the other.")
        following: Counter[_Key] = Counter()
        for key, count in level.items():
            for drawn, often in forms.drawn_by(key).items():
                following[drawn] += count * often
        level = following
    long = ((count, forms.known[key].stream) for key, count in draws.items() if count > _OFTEN)
    if sum(count * len(stream.read_bytes()) for count, stream in long) > _MAX_PARSED_BYTES:
        return FormDraws(f"it draws the same forms repeatedly, in total more than {_MAX_PARSED_BYTES >> 20:,} MiB.")
    return FormDraws(excessive_paints(parts, resources), draws.total())


def _drawn_annotations(page: Any, forms: _Forms) -> Iterator[_Key]:
    annotations = page.get("/Annots")
    for found in list(annotations) if isinstance(annotations, pikepdf.Array) else ():
        appearances = found.get("/AP") if isinstance(found, pikepdf.Dictionary) else None
        shown = appearances.get("/N") if isinstance(appearances, pikepdf.Dictionary) else None
        states = list(shown.values()) if type(shown) is pikepdf.Dictionary else [shown]
        yield from (key for state in states if (key := forms.add(state)) is not None)


def _inherited(page: Any, name: str) -> Any:
    node = page
    for _ in range(_MAX_PARENTS):
        if not isinstance(node, pikepdf.Dictionary):
            break
        if name in node:
            return node[name]
        node = node.get("/Parent")
    return None
