"""Explains overrides that Hydra rejects: what is wrong with them, and what the user probably meant."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from pathlib import Path

from rayocr.config import RayocrConfig
from rayocr.config.describe import describe_options
from rayocr.config.ranges import choose
from rayocr.errors import UsageError
from rayocr.overrides.options import CONFIG_GROUPS, is_group, kind_of, option_names
from rayocr.overrides.quoting import PATTERNS, for_shell, pattern_option, quoted, split_items

_NUMBERS = ("float", "int")

_EXAMPLES = {"rpm": 600, "tpm": 1_000_000, "rpd": 10_000, "max_in_flight": 64, "usd": 20, "usd_per_day": 20, "usd_per_month": 200}

_OTHER_WORDS = {
    **dict.fromkeys(("i", "in", "input", "src", "path", "file"), "source"),
    **dict.fromkeys(("o", "out", "output", "output_dir", "outdir", "destination", "target"), "dest"),
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


def unparsable(override: str) -> UsageError:
    """Returns the error for an override that the grammar rejects. Its hint is the user's own value, with correct quotes."""
    key, _, value = override.partition("=")
    kind = kind_of(key)
    if kind in _NUMBERS:
        return UsageError(f"{key}={value} is not {_number(kind)}.", hint=_example(kind, key))
    if kind == "list":
        if key in PATTERNS and "," in value and not value.startswith("["):
            return _as_list(key, [override])
        return UsageError(
            f"Cannot parse the value of {key}.", hint=f"Write it in quotes: {for_shell(f'{key}={quoted(split_items(value))}')}"
        )
    meant = quoted(split_items(value)) if value.startswith("[") else quoted(value.strip("'\""))
    return UsageError(
        f"Cannot parse the value of {key}.", hint=f"Put special characters in quotes: {for_shell(f'{key}={meant}')}"
    )


def check_name_of(key: str, override: str) -> None:
    """Raises UsageError for an option below an option that has one value: limit.rpm=5, include.x=1."""
    parents = key.split(".")[:-1]
    for parent in (".".join(parents[:count]) for count in range(1, len(parents) + 1)):
        if parent in option_names(RayocrConfig) and not is_group(parent) and kind_of(parent) != "dict":
            if parent in CONFIG_GROUPS:
                continue
            near = difflib.get_close_matches(key, list(option_names(RayocrConfig)), n=1, cutoff=0.85)
            value = override.partition("=")[2]
            hint = f"Did you mean {for_shell(f'{near[0]}={value}')}?" if near and near[0] != parent else f"Write {parent}=VALUE."
            raise UsageError(f"Unknown option {key!r}: {parent} has no options below it.", hint=hint)


def not_one_name(override: str) -> UsageError:
    """Returns the error for several names as the value of a group, for example engine=[textlayer,gemini]."""
    key, _, value = override.partition("=")
    hint = (
        "Several engines are a chain: engine.chain=[textlayer,gemini]"
        if key == "engine"
        else f"Choose one. `rayocr --help {key}` explains them."
    )
    return UsageError(f"{key}={value} is not one name.", hint=hint)


def explain(error: BaseException, overrides: Sequence[str], conf: Path) -> UsageError:
    """Converts Hydra's messages of several lines to one line and a next step."""
    texts = [str(error)] + ([str(error.__cause__)] if error.__cause__ else [])
    whole = "\n".join(texts)
    if match := re.search(r"Key '([^']+)' is not in struct|Key '([^']+)' not in '", whole):
        full = re.search(r"full_key: (\S+)", whole)
        return _unknown_option(full.group(1) if full else next(g for g in match.groups() if g), overrides)
    if match := re.search(r"Could not override '([^']+)'", whole):
        full = re.search(r"full_key: (\S+)", whole)
        if "No match in the defaults list" in whole or not full:
            return _unknown_option(match.group(1), overrides)
    if match := re.search(r"Could not find '([^/']+)/([^']*)'", whole):
        group, name = match.groups()
        return _unknown_choice(group, name, sorted(p.stem for p in (conf / group).glob("*.yaml")))
    if match := re.search(r"Ambiguous value for argument '([^=]+)=", whole):
        return _as_list(match.group(1), overrides)
    first = next((t.splitlines()[0] for t in reversed(texts) if t), type(error).__name__)
    if full := re.search(r"full_key: (\S+)", whole):
        key = full.group(1)
        if "is not a ListConfig" in whole:
            return _as_list(key, overrides)
        if choice := re.search(r"Invalid value '(.*?)', expected one of \[(.*)\]", first):
            return _unknown_choice(key, choice[1], choice[2].split(", "))
        if value := re.search(r"Value '(.*?)'(?: of type| is not a valid)", first):
            return _wrong_value(first, key, value.group(1))
        if "Invalid type assigned" in first:
            return _group_of_options(key, overrides)
        if re.match(r"Cannot convert '(list|dict)' to string", first):
            given = next((o.partition("=")[2] for o in reversed(overrides) if o.partition("=")[0] == key), "")
            return UsageError(f"{key}={given} is not one value.", hint=f"Write {key}=VALUE, without brackets.")
        return UsageError(f"{key}: {first}")
    return UsageError(first)


def _as_list(key: str, overrides: Sequence[str]) -> UsageError:
    value = next((o.partition("=")[2] for o in reversed(overrides) if o.partition("=")[0] == key), "")
    if key in CONFIG_GROUPS:
        return not_one_name(f"{key}={value}")
    if not split_items(value):
        return UsageError(f"{key}= is empty.", hint=f"Write a list, for example {key}=[a,b]")
    several = for_shell(f"{key}={quoted(split_items(value))}")
    if key in PATTERNS:
        hints = [f"For one name that contains commas: {pattern_option(key, value)}", f"For several patterns: {several}"]
        if all(item.lower().endswith(".pdf") or "*" in item for item in split_items(value)):
            hints.reverse()
        return UsageError(f"{key} is a list.", hint="   ".join(hints))
    return UsageError(f"{key} is a list.", hint=f"Write it with brackets: {several}")


def _number(kind: str) -> str:
    return "a number" if kind == "float" else "a whole number"


def _wrong_value(said: str, key: str, value: str) -> UsageError:
    """Returns the error for a wrong value. `said`: OmegaConf's message, which names the expected type."""
    kind = next((kind for word, kind in (("Float", "float"), ("Integer", "int")) if word in said), "")
    wanted = _number(kind) if kind else "true or false" if "bool" in said else "of the right type"
    message = f"{key}={value} is not {wanted}." if value else f"{key}= is empty; it must be {wanted}."
    hint = _example(kind, key) if kind else f"For example: {key}=true" if "bool" in said else None
    return UsageError(message, hint=hint)


def _example(kind: str, key: str) -> str:
    leaf = key.rpartition(".")[2]
    if key.startswith("exit."):
        return f"For example: {key}=0"
    if key.endswith("bytes"):
        return f"For example: {key}=5000000"
    return f"For example: {key}={_EXAMPLES.get(leaf) or _default(key) or ('0.5' if kind == 'float' else 100)}"


def _default(key: str) -> str | None:
    """Returns the default of a number; None if there is none, or if it is 0."""
    found = next((option.default for option in describe_options() if option.name == key), "")
    return found if re.fullmatch(r"\d+(\.\d+)?", found) and float(found) else None


def _unknown_choice(key: str, value: str, choices: Sequence[str]) -> UsageError:
    return UsageError(f"{key}={value} is {'unknown' if value else 'empty'}.", hint=choose(value, choices))


def _group_of_options(key: str, overrides: Sequence[str]) -> UsageError:
    if any(override.lstrip("+").startswith("limits.models") for override in overrides):
        example = '"limits.models={gemini-3.1-flash-lite:{rpm:600}}"'
        return UsageError("limits.models holds limits by model.", hint=f"For example: {example}")
    if other := meant_option(key):
        value = next((o.partition("=")[2] for o in reversed(overrides) if o.partition("=")[0] == key), "")
        return UsageError(f"{key} is a group of options.", hint=f"Did you mean {for_shell(f'{other}={value}')}?")
    known = [name for name in option_names(RayocrConfig) if name.startswith(f"{key}.")]
    known.sort(key=lambda name: not name.endswith(".max"))  # workers=4 means workers.max=4
    example = f"{known[0]}=…" if known else f"{key}.NAME=…"
    return UsageError(f"{key} is a group of options.", hint=f"Set one of them, for example {example}")


def _unknown_option(key: str, overrides: Sequence[str]) -> UsageError:
    """Returns the error for an unknown option. Hydra names only the first unknown part: `pdf` for pdf.password=x."""
    given = [override.partition("=")[0].lstrip("+") for override in overrides]
    whole = next((name for name in given if name == key or name.startswith(f"{key}.")), key)
    return UsageError(f"Unknown option {whole!r}.", hint=nearest_option(whole))


def meant_option(key: str) -> str:
    """Returns the option that other programs call by this name; "" if none is known."""
    return _OTHER_WORDS.get(key.lower(), "")


def nearest_option(key: str) -> str:
    """Returns a hint for an option that does not exist. Does not suggest options of other groups: `pages` is not `logs.pages`."""
    last_part = key.lower().rpartition(".")[2]
    if last_part in ("password", "passwords", "passphrase"):
        return "rayocr does not open encrypted PDFs. Save a copy without the password, for example with qpdf --decrypt."
    if key.lower() == "key" or last_part in ("api_key", "gemini_api_key", "token"):
        return "Keys come from the environment or from .env, for example GEMINI_API_KEY=…"
    if other := meant_option(key):
        return f"Did you mean {other}?"
    parents, _, leaf = key.lstrip("+").rpartition(".")
    names = []
    for name in option_names(RayocrConfig):
        group, _, last = name.rpartition(".")
        same_group = group == parents or bool(group and parents and _alike(parents, group))
        if same_group and _alike(leaf, last):
            names.append(name)
    close = difflib.get_close_matches(key, names, n=1, cutoff=0.6)
    if close:
        return f"Did you mean {close[0]}?"
    return f"`rayocr --help {last_part}` searches the options, `rayocr --help` lists the most used ones."


def _alike(typed: str, name: str) -> bool:
    return difflib.SequenceMatcher(None, typed, name).ratio() >= 0.65
