"""Estimates how often a page draws soft masks, Type 3 glyphs and tiling patterns within each other. PDFium draws a mask again for
each object under it, and cannot be cancelled within it: with five levels of ten objects, a page takes minutes. See ISO 32000-1,
8.7.3, 9.6.5 and 11.6.5.3.

Only the resources are examined, which takes 0.1 ms, unless one of these is within another one. Then content streams are read.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pikepdf

_MAX_DRAWS = 50_000  # maximum number of draws within a mask, glyph or pattern; each takes 0.1 to 5 ms
# Maximum number of masks that are drawn within one of these. Each takes 13 ns per pixel. A real poster has 10,000 small ones.
_MAX_MASKS = 50_000
_MAX_LEVELS = 40
_MAX_NODES, _MAX_NAMES = 5_000, 10_000  # a page with more is not examined further
_PAINTS = re.compile(rb"(?<![^\s)>\]])(?:[fBb]\*?|[FSs]|sh|Do|T[jJ]|EI|'|\")(?![^\s/<\[(])")
_STRINGS = re.compile(rb"\((?:[^()\\]|\\.){0,32767}\)", re.DOTALL)
_HEX = re.compile(rb"<([0-9A-Fa-f\s]{2,65534})>")
_USES = re.compile(rb"/([^\s/<>\[\](){}%]{1,127})\s+(?:[-+.\d]{1,20}\s+)?(gs|Tf|scn|SCN|Do)\b")
_SKIPPED = re.compile(
    rb"%[^\r\n]*|\((?:[^()\\]|\\.){0,32767}\)|ID(?<=\sID)\s(?:.*?\sEI\b|.*)", re.DOTALL
)  # its first bytes make it fast
_SEPARATED = bytes.maketrans(b"]>", b"  ")
_PAINTING = frozenset(b"f F f* b b* B B* S s sh Do Tj TJ BI ' \"".split())
_STATES = _PAINTING | {b"gs", b"q", b"Q"}
_OPERATORS = {"/XObject": "do", "/ExtGState": "gs", "/Font": "tf", "/Pattern": "scn"}

_Key = tuple[int, int]
_NO_MASK: _Key = (-1, 0)  # what a graphics state without a mask names


@dataclass(slots=True)
class _Node:
    """A form, mask, glyph font or pattern. `is_form`: it is drawn once for each use, like the objects of its page."""

    contents: list[Any]
    resources: Any
    is_form: bool
    is_font: bool = False
    is_mask: bool = False
    tiles: int = 1  # tiles of a pattern that overlap at each point
    inner: list[tuple[str, _Key]] | None = None  # what its resources name, each with its operator
    draws: Counter[_Key] | None = None


@dataclass(slots=True)
class _Paints:
    page_resources: Any
    known: dict[_Key, _Node] = field(default_factory=dict)
    shared: dict[_Key, list[tuple[str, _Key]]] = field(default_factory=dict)  # of resources that several nodes use
    names: int = 0

    def inner(self, node: _Node) -> list[tuple[str, _Key]]:
        """Returns the names and keys of what the node may draw."""
        if node.inner is None:
            key = node.resources.objgen if isinstance(node.resources, pikepdf.Object) else (0, 0)
            found = self.shared.get(key) if key != (0, 0) else None
            node.inner = list(self._named(node.resources)) if found is None else found
            self.shared[key] = node.inner
        return node.inner

    def draws(self, node: _Node) -> Counter[_Key]:
        """Returns how often the node draws each of its inner nodes. A font draws what one of its glyphs draws at most."""
        if node.draws is None:
            node.draws = Counter()
            inner = self.inner(node)
            parts = [stream.read_bytes() for stream in node.contents] if inner else []
            for part in parts if node.is_font else [b"\n".join(parts)]:
                node.draws |= self._drawn_in(part, dict(inner))  # the maximum for each key
        return node.draws

    def _drawn_in(self, content: bytes, inner: dict[str, _Key]) -> Counter[_Key]:
        uses = Counter(f"{operator.decode().lower()} {name.decode('latin-1')}" for name, operator in _USES.findall(content))
        paints = letters = -1
        found = _masked(content, inner) if any(self.known[inner[name]].is_mask for name in uses if name in inner) else Counter()
        for name, key in inner.items():
            node, often = self.known[key], uses[name]
            if node.is_mask:
                continue
            if not often or node.is_form:
                found[key] += often
            elif node.is_font:
                letters = _letters(content) if letters < 0 else letters
                found[key] += letters
            else:
                paints = len(_PAINTS.findall(content)) if paints < 0 else paints
                found[key] += paints * node.tiles
        return found

    def _named(self, resources: Any) -> Iterator[tuple[str, _Key]]:
        for kind, operator in _OPERATORS.items():
            items = resources.get(kind) if isinstance(resources, pikepdf.Dictionary) else None
            for name, item in items.items() if isinstance(items, pikepdf.Dictionary) and self.names < _MAX_NAMES else ():
                self.names += 1
                if (key := self._add(kind, item)) is not None:
                    yield f"{operator} {name[1:]}", key

    def _add(self, kind: str, item: Any) -> _Key | None:
        if kind == "/ExtGState":
            mask = item.get("/SMask") if isinstance(item, pikepdf.Dictionary) else None
            if mask == "/None":
                self.known.setdefault(_NO_MASK, _Node([], None, is_form=True))
                return _NO_MASK
            item = mask.get("/G") if isinstance(mask, pikepdf.Dictionary) else None
        is_font = kind == "/Font" and isinstance(item, pikepdf.Dictionary) and item.get("/Subtype") == "/Type3"
        if not is_font and (kind == "/Font" or not isinstance(item, pikepdf.Stream)):
            return None
        if kind == "/XObject" and item.get("/Subtype") != "/Form":
            return None
        if item.objgen not in self.known:
            if len(self.known) >= _MAX_NODES:
                return None
            contents = [item] if not is_font else _streams(item.get("/CharProcs"))
            resources = item.get("/Resources", self.page_resources)
            self.known[item.objgen] = _Node(
                contents, resources, is_form=kind == "/XObject", is_font=is_font, is_mask=kind == "/ExtGState", tiles=_tiles(item)
            )
        return item.objgen


def excessive_paints(contents: list[Any], resources: Any) -> str:
    """Returns why PDFium must not draw the page; "" if it may. `contents`: its streams."""
    paints = _Paints(resources)
    root = _Node(contents, resources, is_form=True)
    if not _has_nested(paints, root):
        return ""
    level, total = Counter({(key, _depth(paints, key, 0)): count for key, count in paints.draws(root).items()}), 0
    masks = 0
    for levels in range(_MAX_LEVELS):
        if levels > len(paints.known) and not _draws_itself(
            paints
        ):  # PDFium stops at other glyphs and forms that draw themselves
            break
        total += sum(count for (_, depth), count in level.items() if depth > 1)
        masks += sum(count for (key, depth), count in level.items() if depth > 1 and paints.known[key].is_mask)
        if masks > _MAX_MASKS:
            return f"it draws soft masks within soft masks, glyphs or patterns, more than {_MAX_MASKS:,} times."
        if total > _MAX_DRAWS:
            return f"it draws soft masks, glyphs or patterns within each other, more than {_MAX_DRAWS:,} times."
        following: Counter[tuple[_Key, int]] = Counter()
        for (key, depth), count in level.items():
            for drawn, often in paints.draws(paints.known[key]).items():
                if often:
                    following[drawn, _depth(paints, drawn, depth)] += count * often
        level = following
        if not level:
            break
    return ""


def _depth(paints: _Paints, key: _Key, outer: int) -> int:
    """Returns the number of masks, glyphs and patterns that this node and those around it are, up to 2."""
    return min(2, outer + (not paints.known[key].is_form))


def _has_nested(paints: _Paints, root: _Node) -> bool:
    """Returns whether resources allow a mask, glyph or pattern within another one."""
    waiting = [(key, _depth(paints, key, 0)) for _, key in paints.inner(root)]
    seen = set(waiting)
    while waiting:
        key, depth = waiting.pop()
        if depth > 1:
            return True
        further = {(inner, _depth(paints, inner, depth)) for _, inner in paints.inner(paints.known[key])} - seen
        seen |= further
        waiting += further
    return False


def _draws_itself(paints: _Paints) -> bool:
    """Returns whether a mask draws itself, or a pattern does without a glyph between. PDFium draws these 64 levels deep."""
    for start, node in list(paints.known.items()):
        waiting, seen = [start], set[_Key]()
        while waiting and not (node.is_form or node.is_font):
            drawn = {key for key, often in paints.draws(paints.known[waiting.pop()]).items() if often} - seen
            if start in drawn:
                return True
            seen |= drawn
            waiting += (key for key in drawn if node.is_mask or not paints.known[key].is_font)
    return False


def _masked(content: bytes, inner: dict[str, _Key]) -> Counter[_Key]:
    """Returns how many objects the content draws under each mask."""
    found: Counter[_Key] = Counter()
    saved: list[_Key] = []
    mask = _NO_MASK
    before = b""
    for token in _SKIPPED.sub(b" ", content).translate(_SEPARATED).replace(b"/", b" /").split():
        if token not in _STATES:
            before = token
        elif token == b"gs":
            mask = inner.get(f"gs {before[1:].decode('latin-1')}", mask)
        elif token == b"q":
            saved.append(mask)
        elif token == b"Q":
            mask = saved.pop() if saved else mask
        elif mask != _NO_MASK:
            found[mask] += 1
    return found


def _tiles(item: Any) -> int:
    """Returns how many tiles of a pattern lie over each other; 1 for anything else."""
    if item.get("/PatternType") != 1:
        return 1
    try:
        x0, y0, x1, y1 = (float(side) for side in item.get("/BBox", (0, 0, 0, 0)))
        steps = [abs(float(item.get(name, 0))) for name in ("/XStep", "/YStep")]
    except (TypeError, ValueError):
        return 1
    across, down = (min(side / step, _MAX_DRAWS) if step else 1 for side, step in zip((x1 - x0, y1 - y0), steps, strict=True))
    return math.ceil(max(1, across)) * math.ceil(max(1, down))


def _letters(content: bytes) -> int:
    return sum(map(len, _STRINGS.findall(content))) + sum(len(found) // 2 for found in _HEX.findall(content))


def _streams(glyphs: Any) -> list[Any]:
    found = list(glyphs.values()) if isinstance(glyphs, pikepdf.Dictionary) else []
    return [item for item in found if isinstance(item, pikepdf.Stream)]
