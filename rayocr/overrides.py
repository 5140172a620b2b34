"""Overrides as Hydra's grammar reads them: quoting of values, and messages for values and config groups that it cannot read.
Pure."""

from __future__ import annotations

import difflib
import re
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

from rayocr.config import RayocrConfig


def quoted(value: object) -> str:
    """A value as Hydra's grammar reads it back, whatever characters it contains."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return "[" + ",".join(quoted(item) for item in value) + "]"
    if isinstance(value, dict):
        return "{" + ",".join(f"{quoted(str(key))}:{quoted(item)}" for key, item in value.items()) + "}"
    if isinstance(value, str):
        if re.fullmatch(r"[A-Za-z_][\w./-]*", value, re.ASCII) and value.lower() not in ("null", "true", "false", "nan", "inf"):
            return value
        # Inside quotes Hydra unescapes a backslash only before a quote or at the end.
        body = re.sub(r"(\\*)'", lambda match: match[1] * 2 + "\\'", value)
        body = re.sub(r"(\\+)$", lambda match: match[1] * 2, body)
        return f"'{body}'"
    return str(value)


def unparsable(override: str) -> str:
    """The message for an override that the grammar rejects: the user's own value, with correct quotes."""
    key, _, value = override.partition("=")
    kind = kind_of(key)
    if kind in _NUMBERS:
        return f"{key}={value} is not {_number(kind, key)}."
    if kind == "list":
        return f"Cannot parse the value of {key}. Write it in quotes: {for_shell(f'{key}={quoted(_items(value))}')}"
    meant = quoted(_items(value)) if value.startswith("[") else quoted(value.strip("'\""))
    return f"Cannot parse the value of {key}. Put special characters in quotes: {for_shell(f'{key}={meant}')}"


CONFIG_GROUPS = ("engine", "limits", "locks")  # folders of conf/: their values are names of files
_NUMBERS = ("float", "int")


def _number(kind: str, key: str) -> str:
    if kind == "float":
        return "a number, for example 600 or 0.5"
    return f"a whole number, for example {5_000_000 if key.endswith('bytes') else 100}"


def kind_of(key: str) -> str:
    """The kind of an option: list, float, int, or "" for another kind and for unknown options."""
    cls: Any = RayocrConfig
    *parents, leaf = key.lstrip("+").split(".")
    for name in parents:
        cls = next((f.default_factory for f in fields(cls) if f.name == name), None)
        if not (isinstance(cls, type) and is_dataclass(cls)):
            return ""
    said = next((str(f.type) for f in fields(cls) if f.name == leaf), "")
    return said.partition("[")[0].removesuffix(" | None")


def for_shell(argument: str) -> str:
    """One argument, quoted for a POSIX shell in the more readable way, if it needs quotes."""
    if re.fullmatch(r"[\w@%+=:,./-]+", argument, re.ASCII):
        return argument
    return f'"{argument}"' if not re.search(r'["$`\\!]', argument) else shlex.quote(argument)


def _as_list(key: str, overrides: Sequence[str]) -> str:
    value = next((o.partition("=")[2] for o in reversed(overrides) if o.partition("=")[0] == key), "")
    if key in CONFIG_GROUPS:
        several = " Several engines are a chain: engine.chain=[textlayer,gemini]" if key == "engine" else ""
        return f"{key}={value} is not one name.{several}"
    if not _items(value):
        return f"{key}= is empty. Write a list, for example {key}=[a,b]"
    items = _items(value.replace("+", ",") if key.endswith("languages") else value)  # Tesseract writes deu+eng
    return f"{key} is a list. Write it with brackets: {for_shell(f'{key}={quoted(items)}')}"


def _items(value: str) -> list[str]:
    """The items that the user probably meant: a comma inside quotes or brackets belongs to its item."""
    inside = value[1:-1] if value.startswith("[") and value.endswith("]") else value.removeprefix("[")
    found = re.findall(r"""(?:'[^']*'|"[^"]*"|\[[^\[\]]*\]|[^,])+""", inside)
    return [item.strip().strip("'\"") for item in found if item.strip()]


def explain(error: BaseException, overrides: Sequence[str], conf: Path) -> str:
    """Turns Hydra's multi-line messages into one line that a user can act on."""
    texts = [str(error)] + ([str(error.__cause__)] if error.__cause__ else [])
    whole = "\n".join(texts)
    if match := re.search(r"Key '([^']+)' is not in struct|Key '([^']+)' not in '", whole):
        full = re.search(r"full_key: (\S+)", whole)
        key = full.group(1) if full else next(g for g in match.groups() if g)
        return _unknown_option(key)
    if match := re.search(r"Could not override '([^']+)'", whole):
        full = re.search(r"full_key: (\S+)", whole)
        if "No match in the defaults list" in whole or not full:
            return _unknown_option(match.group(1))
    if match := re.search(r"Could not find '([^/']+)/([^']*)'", whole):
        group, name = match.groups()
        options = sorted(p.stem for p in (conf / group).glob("*.yaml"))
        return f"{group}={name} is {'unknown' if name else 'empty'}; choose one of {', '.join(options)}."
    if match := re.search(r"Ambiguous value for argument '([^=]+)=", whole):
        return _as_list(match.group(1), overrides)
    first = next((t.splitlines()[0] for t in reversed(texts) if t), type(error).__name__)
    if full := re.search(r"full_key: (\S+)", whole):
        if "is not a ListConfig" in whole:
            return _as_list(full.group(1), overrides)
        if choice := re.search(r"Invalid value '(.*?)', expected one of \[(.*)\]", first):
            wrong = "unknown" if choice.group(1) else "empty"
            return f"{full.group(1)}={choice.group(1)} is {wrong}; choose one of {choice.group(2)}."
        if value := re.search(r"Value '(.*?)'(?: of type| is not a valid)", first):
            if not value.group(1):
                return f"{full.group(1)}= is empty; it needs {_wanted(first, full.group(1))}."
            return f"{full.group(1)}={value.group(1)} is not {_wanted(first, full.group(1))}."
        if "Invalid type assigned" in first:
            return _group_of_options(full.group(1), overrides)
        return f"{full.group(1)}: {first}"
    return first


def _wanted(said: str, key: str) -> str:
    """The type that OmegaConf expected, described for a user."""
    words = {"Float": _number("float", key), "Integer": _number("int", key), "bool": "true or false"}
    return next((wanted for kind, wanted in words.items() if kind in said), "of the right type")


def _group_of_options(key: str, overrides: Sequence[str]) -> str:
    if any(override.lstrip("+").startswith("limits.models") for override in overrides):
        return 'limits.models holds limits by model. Write it as: "limits.models={gemini-3.1-flash-lite:{rpm:600}}"'
    known = [name for name in option_names(RayocrConfig) if name.startswith(f"{key}.")]
    known.sort(key=lambda name: not name.endswith(".max"))  # workers=4 means workers.max=4
    example = f"{known[0]}=…" if known else f"{key}.NAME=…"
    return f"{key} is a group of options. Set one of them, for example {example}"


def _unknown_option(key: str) -> str:
    return f"Unknown option {key!r}; {nearest_option(key)}"


_OTHER_WORDS = {
    **dict.fromkeys(("in", "input", "src", "path", "file"), "source"),
    **dict.fromkeys(("out", "output_dir", "destination", "target"), "dest"),
    **dict.fromkeys(("lang", "language", "languages"), "engine.tesseract.languages"),
    **dict.fromkeys(("format", "formats"), "outputs"),
    **dict.fromkeys(("jobs", "threads", "processes"), "workers.max"),
    **dict.fromkeys(("force", "redo"), "overwrite"),
    "model": "engine.gemini.model",
    "prompt": "engine.gemini.prompt",
    "dpi": "engine.rapidocr.dpi",
    "port": "gateway.port",
    "host": "gateway.host",
    "budget_usd": "budget.usd",
}


def nearest_option(key: str) -> str:
    """What to do about an option that does not exist. Options of other groups are not suggested: `pages` is not `logs.pages`."""
    if key.lower() in ("password", "passwords"):
        return "rayocr does not open encrypted PDFs. Save a copy without the password, for example with qpdf --decrypt."
    if key.lower() in ("key", "api_key", "gemini_api_key", "token"):
        return "keys come from the environment or from .env, for example GEMINI_API_KEY=…"
    if other := _OTHER_WORDS.get(key.lower()):
        return f"did you mean {other}?"
    parents, _, leaf = key.lstrip("+").rpartition(".")
    names = []
    for name in option_names(RayocrConfig):
        group, _, last = name.rpartition(".")
        same_group = group == parents or bool(group and parents and _alike(parents, group))
        if same_group and _alike(leaf, last):
            names.append(name)
    close = difflib.get_close_matches(key, names, n=1, cutoff=0.6)
    return f"did you mean {close[0]}?" if close else "see rayocr --help."


def _alike(typed: str, name: str) -> bool:
    return difflib.SequenceMatcher(None, typed, name).ratio() >= 0.65


def option_names(cls: type, prefix: str = "") -> Iterator[str]:
    for f in fields(cls):
        name = f"{prefix}{f.name}"
        yield name
        factory: Any = f.default_factory
        if isinstance(factory, type) and is_dataclass(factory):
            yield from option_names(factory, f"{name}.")
