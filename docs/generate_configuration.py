"""`make docs`: docs/configuration.md from the structured configs of rayocr/config/, whose comments are the descriptions.

A field's description is the comment lines directly above it, then the comment beside it. A class is described by its docstring.
"""

from __future__ import annotations

import ast
import dataclasses
import io
import re
import sys
import tokenize
from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).parents[1]
sys.path.insert(0, str(PROJECT))

from rayocr import composition, config  # noqa: E402

TARGET = PROJECT / "docs" / "configuration.md"

_HEAD = """\
# Configuration

Generated from `rayocr/config/` by `make docs`; change it there.

Pass options on the command line as `key=value`, in any order (they are Hydra overrides):
`python -m rayocr source=in/ limits.rpm=600`. Write lists as `outputs=[markdown,jsonl]` and "no value" as `null`. The command line
overrides the environment, and the environment overrides `conf/`. `python -m rayocr --cfg …` prints the resulting configuration.
Typos in options get a suggestion.

## Groups

A group is a file in `conf/` that sets several options at once. Single options override it.

| group | choices |
|---|---|
"""

_SECRETS = {
    "gemini_api_key": ("GEMINI_API_KEY", "key of the Gemini Developer API; GOOGLE_API_KEY overrides it, as in Google's SDK"),
    "openai_api_key": ("OPENAI_API_KEY", "key of an OpenAI-compatible server, if it needs one"),
    "redis_url": (
        "REDIS_URL",
        "server for `locks=redis` (the default with STORAGE_BACKEND) and `limits.shared=redis`: redis://:PASSWORD@HOST:6379/0,"
        " rediss:// for TLS",
    ),
    "supabase_url": ("SUPABASE_URL", "project that errors are written to; see supabase.*"),
    "supabase_api_key": ("SUPABASE_API_KEY", "key of that project"),
    "api_token": ("RAYOCR_API_TOKEN", "token that clients of the HTTP API must send; required if other machines can reach it"),
}


def text() -> str:
    """The whole document."""
    described: dict[tuple[str, str], str] = {}
    for file in sorted((PROJECT / "rayocr" / "config").glob("*.py")):
        described |= _descriptions(file.read_text())
    parts = [_HEAD + _groups(), "\n## Options\n"]
    for prefix, cls in _sections(config.RayocrConfig):
        title = f"### {prefix}\n" if prefix else "### The run\n"
        lines = [title]
        if (doc := cls.__dict__.get("__doc__")) and not doc.startswith(cls.__name__ + "("):
            lines.append(" ".join(doc.split()) + "\n")
        lines.append("| option | default | meaning |\n|---|---|---|")
        for field in dataclasses.fields(cls):
            if _is_config(field):
                continue
            name = f"{prefix}.{field.name}" if prefix else field.name
            meaning = described.get((cls.__name__, field.name), "")
            lines.append(f"| `{name}` | {_default(field)} | {_escaped(_with_choices(field, meaning))} |")
        parts.append("\n" + "\n".join(lines) + "\n")
    parts.append(_environment())
    return "".join(parts)


def _groups() -> str:
    rows = []
    for folder in sorted(path for path in composition.conf_dir().iterdir() if path.is_dir() and list(path.glob("*.yaml"))):
        for file in sorted(folder.glob("*.yaml")):
            said = [line.lstrip("# ") for line in file.read_text().splitlines() if line.startswith("#")]
            rows.append(f"| `{folder.name}={file.stem}` | {_escaped(_first_sentence(' '.join(said)))} |")
    return "\n".join(rows) + "\n"


def _first_sentence(said: str) -> str:
    return re.split(r"(?<=[a-z0-9)])\. (?=[A-Z])", said)[0]


def _sections(cls: type, prefix: str = "") -> Iterator[tuple[str, type]]:
    yield prefix, cls
    for field in dataclasses.fields(cls):
        if _is_config(field):
            assert isinstance(field.default_factory, type)
            yield from _sections(field.default_factory, f"{prefix}.{field.name}".lstrip("."))


def _is_config(field: dataclasses.Field[Any]) -> bool:
    return isinstance(field.default_factory, type) and dataclasses.is_dataclass(field.default_factory)


def _descriptions(source: str) -> dict[tuple[str, str], str]:
    """(class, field) -> its comments."""
    comments, alone = {}, set()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT and not token.string.startswith("# noqa"):
            comments[token.start[0]] = token.string.lstrip("# ").strip()
            if token.line.lstrip().startswith("#"):
                alone.add(token.start[0])
    found = {}
    for cls in ast.parse(source).body:
        if not isinstance(cls, ast.ClassDef):
            continue
        for statement in cls.body:
            if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
                first, last = statement.lineno, statement.end_lineno or statement.lineno
                above = []
                line = first - 1
                while line in alone:
                    above.insert(0, comments[line])
                    line -= 1
                beside = [comments[number] for number in range(first, last + 1) if number in comments]
                found[cls.name, statement.target.id] = " ".join([*above, *beside])
    return found


def _default(field: dataclasses.Field[Any]) -> str:
    value = field.default
    if field.default_factory is not dataclasses.MISSING:
        value = field.default_factory()
    if value is None:
        shown = "null"
    elif isinstance(value, bool):
        shown = str(value).lower()
    elif isinstance(value, Enum):
        shown = str(value.value)
    elif isinstance(value, list):
        shown = "[" + ",".join(map(str, value)) + "]"
    elif isinstance(value, int) and value >= 1 << 20 and value % (1 << 20) == 0:
        return f"`{value}` ({_binary(value)})"
    else:
        shown = str(value) if value != "" else '""'
    return f"`{shown}`"


def _binary(value: int) -> str:
    return f"{value >> 30} GiB" if value % (1 << 30) == 0 else f"{value >> 20} MiB"


def _with_choices(field: dataclasses.Field[Any], meaning: str) -> str:
    if str(field.type) == "Mode":
        choices = ", ".join(mode.value for mode in config.Mode)
        return f"{meaning}: {choices}" if meaning else f"one of {choices}"
    return meaning


def _escaped(said: str) -> str:
    return said.replace("|", "\\|").replace("<", "&lt;")


def _environment() -> str:
    lines = [
        "\n## Environment\n",
        "Secrets are never options, because every user of the machine can read a command line. rayocr reads a `.env` file in the",
        "working folder; variables that are already set override it.\n",
        "| variable | meaning |\n|---|---|",
    ]
    for field in dataclasses.fields(config.Secrets):
        name, meaning = _SECRETS.get(field.name, (field.name.upper(), ""))
        lines.append(f"| `{name}` | {meaning} |")
    for name, key in composition._ENVIRONMENT.items():
        lines.append(f"| `{name}` | `{key}` |")
    by_name: dict[str, list[str]] = {}
    for name, key in composition._SDK_ENVIRONMENT:
        by_name.setdefault(name, []).append(f"`{key}`")
    lines += [f"| `{name}` | {', '.join(keys)} |" for name, keys in by_name.items()]
    lines.append("| `GOOGLE_GENAI_USE_VERTEXAI` | `engine.gemini.vertexai` |")
    for kind, (name, key) in composition._ACCESS_ENVIRONMENT.items():
        places = ", ".join(f"`storage.{place}.{key}`" for place in ("source", "dest", "state"))
        lines.append(f"| `{name}` | {places} for {kind}:// locations |")
    for backend, (source, dest) in composition._PLACES.items():
        lines.append(f"| `STORAGE_BACKEND={backend}` | `source={source}` and `dest={dest}`, from the variables in braces |")
    lines.append("| `RAY_ADDRESS` | the cluster that `cluster=auto` attaches to |")
    lines.append(
        "| `RAY_AUTH_MODE` `RAY_AUTH_TOKEN` `RAY_AUTH_TOKEN_PATH` | Ray's own settings: `token`, and the token or its file |"
    )
    return "\n".join(lines) + "\n"


def main() -> int:
    if "--check" in sys.argv:
        return 0 if TARGET.read_text() == text() else 1
    TARGET.write_text(text())
    return 0


if __name__ == "__main__":
    sys.exit(main())
