"""Writes docs/configuration.md from the option classes in rayocr/config/ (see rayocr/config/describe.py). Run by `make docs`."""

from __future__ import annotations

import dataclasses
import re
import sys
from pathlib import Path

PROJECT = Path(__file__).parents[1]
sys.path.insert(0, str(PROJECT))

from rayocr import composition, config  # noqa: E402
from rayocr.config.describe import sections  # noqa: E402

TARGET = PROJECT / "docs" / "configuration.md"

_HEAD = """\
# Configuration

`make docs` generates this page from `rayocr/config/`; edit it there.

Pass options on the command line as `key=value`, in any order (they are Hydra overrides):
`rayocr in/ limits.rpm=600` (or `python -m rayocr source=in/ limits.rpm=600`, which is the same).
Write lists as `outputs=[markdown,jsonl]` or `outputs=markdown,jsonl` (patterns with
a comma only with brackets), and "no value" as `null`. The command line overrides the environment, and the environment overrides
`conf/`. `rayocr --cfg …` prints the resulting configuration. Typos in options and values get a suggestion.

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
    """Returns the whole document."""
    parts = [_HEAD + _groups(), "\n## Options\n"]
    for section in sections():
        lines = [f"### {section.prefix or 'The run'}\n", *([f"{section.title}\n"] if section.title else [])]
        lines.append("| option | default | meaning |\n|---|---|---|")
        lines += [f"| `{option.name}` | {_code(option.default)} | {_escaped(option.meaning)} |" for option in section.options]
        parts.append("\n" + "\n".join(lines) + "\n")
    parts.append(_environment())
    return "".join(parts)


def _code(default: str) -> str:
    value, bracket, unit = default.partition(" (")
    return f"`{value}`{bracket}{unit}"


def _groups() -> str:
    rows = []
    for folder in sorted(path for path in composition.conf_dir().iterdir() if path.is_dir() and list(path.glob("*.yaml"))):
        for file in sorted(folder.glob("*.yaml")):
            said = [line.lstrip("# ") for line in file.read_text().splitlines() if line.startswith("#")]
            rows.append(f"| `{folder.name}={file.stem}` | {_escaped(_first_sentence(' '.join(said)))} |")
    return "\n".join(rows) + "\n"


def _first_sentence(said: str) -> str:
    return re.split(r"(?<=[a-z0-9)])\. (?=[A-Z])", said)[0]


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
        "| `RAY_AUTH_MODE` `RAY_AUTH_TOKEN` `RAY_AUTH_TOKEN_PATH` | Ray's settings: `token`, and the token or its file |"
    )
    return "\n".join(lines) + "\n"


def main() -> int:
    if "--check" in sys.argv:
        return 0 if TARGET.read_text() == text() else 1
    TARGET.write_text(text())
    return 0


if __name__ == "__main__":
    sys.exit(main())
