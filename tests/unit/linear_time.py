"""Finds regular expressions that take more than linear time, by matching each one against repetitions of its own parts.

Each pattern is used as in the code (`match`, `search`, `finditer` …), on texts of one repeated piece after each of the pattern's
possible beginnings. The piece is a character or a word of the pattern, or a common piece such as a space.
"""

from __future__ import annotations

import ast
import importlib
import math
import pkgutil
import re
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from re import _parser as sre  # type: ignore[attr-defined]
from statistics import median
from types import ModuleType
from typing import Any

_SMALL, _MEDIUM, _LARGE = 2_000, 1 << 17, 1 << 20  # characters
LINEAR = 1.5  # exponents below this pass; noise changes them by a few tenths
_SURELY_LINEAR = 1.2  # below this at 128 Ki characters, the exponent at a megabyte is below LINEAR
_NOISE_S = 1e-4  # shorter times are not significant
_SLOW_S = 0.1  # in linear time, a few thousand characters never take this long
_USUAL = (
    " ",
    "\n",
    "\t",
    "a",
    "A",
    "0",
    "-",
    "|",
    "<",
    ">",
    "*",
    "`",
    "[",
    "(",
    "\\",
    "é",
    "\n\n",
    " \n",
    "a ",
    "\n-",
    "a.",
    "0.",
    "\n>",
)
_METHODS = {"match", "search", "fullmatch", "finditer", "findall", "sub", "subn", "split", "scanner"}
_CALL = re.compile(rf"(?<![\w.\)\]])(\w+)\.({'|'.join(sorted(_METHODS, key=len, reverse=True))})\b")


@dataclass(frozen=True, slots=True)
class Expression:
    name: str
    pattern: re.Pattern[Any]
    methods: frozenset[str]  # the methods that the code calls


def expressions(*packages: str) -> Iterator[Expression]:
    """Every compiled pattern among the constants of the packages' modules."""
    for name in sorted(set(_modules(packages))):
        module = importlib.import_module(name)
        used = _methods(module)
        for constant, value in vars(module).items():
            for pattern in _patterns(value):
                yield Expression(f"{name}.{constant}", pattern, frozenset(used.get(constant, _METHODS)))


def patterns_in_functions(*packages: str) -> Iterator[str]:
    """Places where a pattern is written in a call: `re.sub("…", …)`. Only constant patterns can be found and tested."""
    for name in sorted(set(_modules(packages))):
        module = importlib.import_module(name)
        tree = ast.parse(Path(str(module.__file__)).read_text("utf-8"))
        inside = (node for function in ast.walk(tree) if isinstance(function, ast.FunctionDef) for node in ast.walk(function))
        for node in inside:
            if not (
                isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and isinstance(node.func.value, ast.Name)
            ):
                continue
            if node.func.value.id == "re" and node.func.attr in _METHODS | {"compile"}:
                yield f"{name}:{node.lineno}"


def worst_exponent(expression: Expression) -> tuple[float, str]:
    """The power of the length with which the time for the worst text grows (1: linear, 2: quadratic), and the text's recipe.
    Times are CPU times, the minimum of several runs, and are compared only with one another, so a busy machine does not
    matter.
    """
    slowest, recipe = 0.0, ("", " ")
    for begin, piece in _recipes(expression.pattern):
        taken = _seconds(expression, begin, piece, _SMALL)
        if taken > slowest:
            slowest, recipe = taken, (begin, piece)
    exponent = _exponent(expression, recipe, 4 * _SMALL)
    if exponent < LINEAR:  # a longer text only if a shorter one was not conclusive
        exponent = _exponent(expression, recipe, _MEDIUM, enough=_SURELY_LINEAR)
    if _SURELY_LINEAR <= exponent < LINEAR:
        exponent = _exponent(expression, recipe, _LARGE)
    return exponent, repr(recipe)


def _exponent(expression: Expression, recipe: tuple[str, str], size: int, enough: float = LINEAR) -> float:
    small, large = min(_seconds(expression, *recipe, _SMALL) for _ in range(3)), math.inf
    pairs: list[float] = []
    for _ in range(9):  # other work only adds time, so one quick measurement is enough
        now = _seconds(expression, *recipe, size)
        large = min(large, now)
        exponent = _power(large, small, size)
        if exponent < enough or (size == 4 * _SMALL and large > _SLOW_S):
            return exponent
        pairs.append(_power(now, _seconds(expression, *recipe, _SMALL), size))
    # Work beside the test may slow down all long measurements after quick short ones, but then also the short ones between them.
    return min(exponent, median(pairs))


def _power(large_s: float, small_s: float, size: int) -> float:
    return math.log(max(large_s, _NOISE_S) / max(small_s, _NOISE_S)) / math.log(size / _SMALL)


def _seconds(expression: Expression, begin: str, piece: str, size: int) -> float:
    text: Any = begin + piece * (size // len(piece)) + "\x00"  # no pattern expects this at the end
    if isinstance(expression.pattern.pattern, bytes):
        text = text.encode("utf-8")
    pattern = expression.pattern
    start = time.thread_time()
    if expression.methods & {"match", "fullmatch"}:
        pattern.match(text)
        pattern.fullmatch(text)
    if expression.methods == {"search"}:
        pattern.search(text)
    elif expression.methods - {"match", "fullmatch"}:
        for _ in pattern.finditer(text):
            pass
    return time.thread_time() - start


def _recipes(pattern: re.Pattern[Any]) -> Iterator[tuple[str, str]]:
    source = pattern.pattern if isinstance(pattern.pattern, str) else pattern.pattern.decode("latin-1")
    parsed = sre.parse(source, pattern.flags & ~re.UNICODE if isinstance(pattern.pattern, bytes) else pattern.flags)
    words = list(dict.fromkeys(_samples(parsed)))[:12]
    begins = ["", "\x01", *_beginnings(parsed)]  # none of it, something else, the first parts of it
    pieces = dict.fromkeys([*_USUAL, *_characters(parsed), *words, *(f"{word} " for word in words)])
    for begin in dict.fromkeys(begins):
        for piece in pieces:
            if piece:
                yield begin, piece


def _characters(parsed: Iterable[Any]) -> Iterator[str]:
    for operation, value in parsed:
        name = str(operation)
        if name == "LITERAL":
            yield chr(value)
        elif name == "IN":
            for kind, inner in value:
                if str(kind) == "LITERAL":
                    yield chr(inner)
                elif str(kind) == "RANGE":
                    yield chr(inner[0])
        else:
            for part in _parts(value):
                yield from _characters(part)


def _samples(parsed: Any) -> Iterator[str]:
    """Texts that the pattern matches, and texts that each group and repetition in it matches."""
    yield _sample(parsed)
    for _, value in parsed:
        for part in _parts(value):
            yield from _samples(part)


def _beginnings(parsed: Any) -> Iterator[str]:
    """Texts that the pattern's first elements match, in sequence."""
    text = ""
    for element in list(parsed)[:8]:
        text += _sample([element])
        yield text


def _sample(parsed: Iterable[Any]) -> str:
    text = ""
    for operation, value in parsed:
        name = str(operation)
        if name == "LITERAL":
            text += chr(value)
        elif name == "NOT_LITERAL":
            text += "a" if value != ord("a") else "b"
        elif name == "ANY":
            text += "a"
        elif name == "IN":
            text += _sample_of_set(value)
        elif name in ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"):
            text += _sample(value[2]) * max(value[0], 1)
        elif name == "BRANCH":
            text += _sample(value[1][0])
        elif name == "SUBPATTERN":
            text += _sample(value[3])
        elif name == "ATOMIC_GROUP":
            text += _sample(value)
    return text


def _sample_of_set(members: Any) -> str:
    negated = bool(members) and str(members[0][0]) == "NEGATE"
    pattern = re.compile("[" + "".join(_member(kind, value) for kind, value in members) + "]")
    return next((c for c in "a0 -_.\n<>|*~`x" + "".join(map(chr, range(33, 127))) if pattern.match(c)), "" if negated else "a")


def _member(kind: Any, value: Any) -> str:
    name = str(kind)
    if name == "NEGATE":
        return "^"
    if name == "LITERAL":
        return re.escape(chr(value))
    if name == "RANGE":
        return f"{re.escape(chr(value[0]))}-{re.escape(chr(value[1]))}"
    return {"CATEGORY_DIGIT": r"\d", "CATEGORY_SPACE": r"\s", "CATEGORY_WORD": r"\w"}.get(
        str(value), {"CATEGORY_NOT_DIGIT": r"\D", "CATEGORY_NOT_SPACE": r"\S", "CATEGORY_NOT_WORD": r"\W"}.get(str(value), "")
    )


def _parts(value: Any) -> Iterator[Any]:
    if isinstance(value, sre.SubPattern):
        yield value
    elif isinstance(value, tuple | list):
        for part in value:
            yield from _parts(part)


def _modules(packages: Iterable[str]) -> Iterator[str]:
    for name in packages:
        package = importlib.import_module(name)
        yield name
        yield from (module.name for module in pkgutil.walk_packages(getattr(package, "__path__", ()), f"{name}."))


def _patterns(value: Any) -> Iterator[re.Pattern[Any]]:
    if isinstance(value, re.Pattern):
        yield value
    elif isinstance(value, tuple | list | set | frozenset):
        for part in value:
            yield from _patterns(part)
    elif isinstance(value, dict):
        yield from _patterns(list(value.values()))


def _methods(module: ModuleType) -> dict[str, set[str]]:
    """How the module calls each of its patterns, by name."""
    used: dict[str, set[str]] = {}
    for name, method in _CALL.findall(Path(str(module.__file__)).read_text("utf-8")):
        used.setdefault(name, set()).add(method)
    return used
