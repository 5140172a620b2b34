"""Handles overrides in Hydra's grammar: quotes values, composes them with the files of conf/, and explains values and config
groups that Hydra rejects."""

from __future__ import annotations

import contextlib
import copy
import difflib
import functools
import pickle
import re
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rayocr.config import RayocrConfig
from rayocr.config.describe import describe_options
from rayocr.config.ranges import choose
from rayocr.errors import UsageError

if TYPE_CHECKING:
    from hydra.core.override_parser.types import Override
    from omegaconf import DictConfig

_Files = tuple[tuple[str, int], ...]


def quoted(value: object) -> str:
    """Returns a value quoted so that Hydra's grammar reads it back unchanged, with any characters."""
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


def literal(value: object) -> str:
    """Does the same as `quoted` for values that are not written in Hydra's language, such as file names and Python strings, in
    which `${…}` is text and not an interpolation."""
    return quoted(_escaped(value))


def _escaped(value: Any) -> Any:
    if isinstance(value, str):  # OmegaConf unescapes backslashes only before ${
        return re.sub(r"(\\*)\$\{", r"\1\1\\${", value)
    if isinstance(value, list):
        return [_escaped(item) for item in value]
    return {key: _escaped(item) for key, item in value.items()} if isinstance(value, dict) else value


def list_value(override: str) -> str:
    """Returns the override with brackets around a list. Users may omit them for a list of names, and for a single pattern:
    `outputs=markdown,jsonl`, `engine.tesseract.languages=deu+eng`, `include=2024/*`."""
    key, _, value = override.partition("=")
    if kind_of(key) != "list" or not value.strip() or value == "null" or value.startswith("$"):
        return override
    if key in _PATTERNS and _is_pattern(value):
        return f"{key}={quoted([value])}"
    if value.startswith("["):
        return override
    if value[0] in "'\"" and value[-1] == value[0] and value.count(value[0]) == 2:
        return f"{key}={quoted([value[1:-1]])}"
    if key.endswith("languages"):  # Tesseract writes deu+eng
        value = value.replace("+", ",")
    items = _items(value)
    if len(items) != 1 and key.endswith(_PATTERNS):  # a comma may belong to a file name
        return override
    return f"{key}={quoted(items)}" if items else override


def pattern_option(key: str, *patterns: str) -> str:
    """Returns `include=` or `exclude=` with these patterns as a word for the shell. The patterns may contain any characters."""
    short, full = f"{key}={patterns[0]}", f"{key}={literal(list(patterns))}"
    return for_shell(short if list_value(short) == full else full)


def unparsable(override: str) -> UsageError:
    """Returns the error for an override that the grammar rejects. Its hint is the user's own value, with correct quotes."""
    key, _, value = override.partition("=")
    kind = kind_of(key)
    if kind in _NUMBERS:
        return UsageError(f"{key}={value} is not {_number(kind)}.", hint=_example(kind, key))
    if kind == "list":
        if key in _PATTERNS and "," in value and not value.startswith("["):
            return _as_list(key, [override])
        return UsageError(
            f"Cannot parse the value of {key}.", hint=f"Write it in quotes: {for_shell(f'{key}={quoted(_items(value))}')}"
        )
    meant = quoted(_items(value)) if value.startswith("[") else quoted(value.strip("'\""))
    return UsageError(
        f"Cannot parse the value of {key}.", hint=f"Put special characters in quotes: {for_shell(f'{key}={meant}')}"
    )


CONFIG_GROUPS = ("engine", "limits", "locks")  # folders of conf/, whose values are names of files
_NUMBERS = ("float", "int")
_EXAMPLES = {"rpm": 600, "tpm": 1_000_000, "rpd": 10_000, "max_in_flight": 64, "usd": 20, "usd_per_day": 20, "usd_per_month": 200}
_PATTERNS = ("include", "exclude")  # options that hold names of files


def _number(kind: str) -> str:
    return "a number" if kind == "float" else "a whole number"


def _example(kind: str, key: str) -> str:
    leaf = key.rpartition(".")[2]
    if key.endswith("bytes"):
        return f"For example: {key}=5000000"
    return f"For example: {key}={_EXAMPLES.get(leaf) or _default(key) or ('0.5' if kind == 'float' else 100)}"


def _default(key: str) -> str | None:
    """Returns the default of a number; None if there is none, or if it is 0."""
    found = next((option.default for option in describe_options() if option.name == key), "")
    return found if re.fullmatch(r"\d+(\.\d+)?", found) and float(found) else None


def kind_of(key: str) -> str:
    """Returns the kind of an option: list, float, int, or "" for another kind and for unknown options."""
    cls: Any = RayocrConfig
    *parents, leaf = key.lstrip("+").split(".")
    for name in parents:
        cls = next((f.default_factory for f in fields(cls) if f.name == name), None)
        if not (isinstance(cls, type) and is_dataclass(cls)):
            return ""
    said = next((str(f.type) for f in fields(cls) if f.name == leaf), "")
    return said.partition("[")[0].removesuffix(" | None")


def for_shell(argument: str) -> str:
    """Returns one argument, quoted for a POSIX shell in the more readable way, if it needs quotes."""
    if re.fullmatch(r"[\w@%+=:,./-]+", argument, re.ASCII):
        return argument
    return f'"{argument}"' if not re.search(r'["$`\\!]', argument) else shlex.quote(argument)


def _as_list(key: str, overrides: Sequence[str]) -> UsageError:
    value = next((o.partition("=")[2] for o in reversed(overrides) if o.partition("=")[0] == key), "")
    if key in CONFIG_GROUPS:
        several = "Several engines are a chain: engine.chain=[textlayer,gemini]" if key == "engine" else None
        return UsageError(f"{key}={value} is not one name.", hint=several)
    if not _items(value):
        return UsageError(f"{key}= is empty.", hint=f"Write a list, for example {key}=[a,b]")
    several = for_shell(f"{key}={quoted(_items(value))}")
    if key in _PATTERNS:
        hints = [f"For one name that contains commas: {pattern_option(key, value)}", f"For several patterns: {several}"]
        if all(item.lower().endswith(".pdf") or "*" in item for item in _items(value)):
            hints.reverse()
        return UsageError(f"{key} is a list.", hint="   ".join(hints))
    return UsageError(f"{key} is a list.", hint=f"Write it with brackets: {several}")


def _is_pattern(value: str) -> bool:
    """Returns whether the first bracket closes before the end, as in `[ab]*.pdf` and `[[]x].pdf`, which is one pattern and not a
    list."""
    if not value.startswith("[") or value.startswith("[[]"):
        return value.startswith("[[]")
    end, quote = 0, ""
    depth = 0
    for end, character in enumerate(value):
        if quote:
            quote = "" if character == quote else quote
        elif character in "'\"" and value[end - 1] in "[,":
            quote = character
        elif character in "[]":
            depth += 1 if character == "[" else -1
            if depth == 0:
                break
    return depth == 0 and end < len(value.rstrip()) - 1


def _items(value: str) -> list[str]:
    """Returns the items that the user probably meant. A comma inside quotes or brackets belongs to its item."""
    inside = value[1:-1] if value.startswith("[") and value.endswith("]") else value.removeprefix("[")
    found = re.findall(r"""(?:'[^']*'|"[^"]*"|\[[^\[\]]*\]|[^,])+""", inside)
    return [item.strip().strip("'\"") for item in found if item.strip()]


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
        return UsageError(f"{key}: {first}")
    return UsageError(first)


def _unknown_choice(key: str, value: str, choices: Sequence[str]) -> UsageError:
    return UsageError(f"{key}={value} is {'unknown' if value else 'empty'}.", hint=choose(value, choices))


def _wrong_value(said: str, key: str, value: str) -> UsageError:
    """Returns the error for a wrong value. `said`: OmegaConf's message, which names the expected type."""
    kind = next((kind for word, kind in (("Float", "float"), ("Integer", "int")) if word in said), "")
    wanted = _number(kind) if kind else "true or false" if "bool" in said else "of the right type"
    message = f"{key}={value} is not {wanted}." if value else f"{key}= is empty; it must be {wanted}."
    return UsageError(message, hint=_example(kind, key) if kind else None)


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


def meant_option(key: str) -> str:
    """Returns the option that other programs call by this name; "" if none is known."""
    return _OTHER_WORDS.get(key.lower(), "")


def is_group(key: str) -> bool:
    """Returns whether the name is a group of options that cannot be set itself, like `output` and unlike `engine`."""
    return key not in CONFIG_GROUPS and any(name.startswith(f"{key}.") for name in option_names(RayocrConfig))


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


def option_names(cls: type, prefix: str = "") -> Iterator[str]:
    for f in fields(cls):
        name = f"{prefix}{f.name}"
        yield name
        factory: Any = f.default_factory
        if isinstance(factory, type) and is_dataclass(factory):
            yield from option_names(factory, f"{name}.")


@functools.cache
def _store_schema() -> None:
    """Stores the schema once for each process, since this takes a third of the time of a composition."""
    from hydra.core.config_store import ConfigStore

    ConfigStore.instance().store(name="rayocr_schema", node=RayocrConfig)


def compose_files(overrides: list[str], conf: Path) -> RayocrConfig:
    """Returns the configuration of the files in the folder `conf` with these overrides. Raises UsageError."""
    has_variables = any("${" in override for override in overrides)  # such as ${oc.env:HOME}, which may change
    compose = _config.__wrapped__ if has_variables else _config
    return copy.deepcopy(compose(tuple(overrides), conf, _files(conf)))


def _files(conf: Path) -> _Files:
    """Paths and times of the files in conf/, so that a changed file is read again."""
    return tuple((str(path), path.stat().st_mtime_ns) for path in sorted(conf.rglob("*.yaml")))


@functools.lru_cache(maxsize=64)
def _config(overrides: tuple[str, ...], conf: Path, files: _Files) -> RayocrConfig:
    """Callers copy the result. Raises UsageError."""
    from hydra.core.override_parser.overrides_parser import OverridesParser
    from hydra.errors import HydraException
    from omegaconf import OmegaConf
    from omegaconf.errors import OmegaConfBaseException

    parser = OverridesParser.create()
    parsed = []
    for override in overrides:
        try:
            parsed.append(parser.parse_override(override))
        except HydraException as error:
            raise unparsable(override) from error
    try:
        config = OmegaConf.to_object(_composed(list(overrides), parsed, conf))
    except (HydraException, OmegaConfBaseException) as error:
        raise explain(error, list(overrides), conf) from error
    assert isinstance(config, RayocrConfig)
    return config


def _composed(overrides: list[str], parsed: list[Override], conf: Path) -> DictConfig:
    """Composes these overrides like Hydra. Hydra itself composes the selected files only once in a process, because this takes
    most of the time. Options are set like in Hydra. Raises HydraException and OmegaConfBaseException."""
    from hydra.errors import HydraException
    from omegaconf import OmegaConf
    from omegaconf.errors import OmegaConfBaseException

    groups = tuple(override for override, read in zip(overrides, parsed, strict=True) if read.key_or_group in CONFIG_GROUPS)
    options = [read for read in parsed if read.key_or_group not in CONFIG_GROUPS]
    if not any(read.package or read.is_add() or read.is_delete() or read.is_sweep_override() for read in options):
        with contextlib.suppress(HydraException, OmegaConfBaseException):  # Hydra raises the error again, with its own message
            config: DictConfig = pickle.loads(_composed_files(groups, conf, _files(conf)))  # noqa: S301 - our own bytes
            for read in options:
                OmegaConf.update(config, read.key_or_group, read.value(), merge=True, force_add=read.is_force_add())
            return config
    return _composed_by_hydra(overrides, conf)


@functools.lru_cache(maxsize=32)
def _composed_files(groups: tuple[str, ...], conf: Path, files: _Files) -> bytes:
    """Composes the files. Pickled, because OmegaConf's own deep copy takes six times as long as a copy by pickle."""
    return pickle.dumps(_composed_by_hydra(list(groups), conf))


def _composed_by_hydra(overrides: list[str], conf: Path) -> DictConfig:
    from hydra import compose as hydra_compose
    from hydra import initialize_config_dir
    from hydra.core.global_hydra import GlobalHydra

    _store_schema()
    GlobalHydra.instance().clear()
    with initialize_config_dir(str(conf.resolve()), version_base="1.3"):
        composed: DictConfig = hydra_compose("config", overrides=overrides)
    return composed
