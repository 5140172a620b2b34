"""Reads the YAML file that `--config` names."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from rayocr.composition import MAPPING_KEYS, PATH_KEYS
from rayocr.config import RayocrConfig
from rayocr.errors import UsageError
from rayocr.overrides import nearest_option, quoted

_HINT = "Write options as in docs/configuration.md, for example `source: in/`."
_TOP = frozenset(field.name for field in fields(RayocrConfig))


def options_in(file: str) -> list[str]:
    """Returns the options of a YAML file, as overrides. Raises UsageError."""
    from omegaconf import OmegaConf
    from omegaconf.errors import OmegaConfBaseException
    from yaml import YAMLError

    try:
        data = OmegaConf.to_container(OmegaConf.load(file))
    except RecursionError as error:
        raise UsageError(f"Cannot read the configuration file {file}: a value contains itself.", hint=_HINT) from error
    except (OSError, UnicodeDecodeError, YAMLError, OmegaConfBaseException) as error:
        if isinstance(error, UnicodeDecodeError):
            raise UsageError(f"The configuration file {file} is not UTF-8 text.", hint="Save it as UTF-8.") from error
        why = error.strerror if isinstance(error, OSError) else _yaml_problem(error)
        missing = isinstance(error, FileNotFoundError)
        raise UsageError(
            f"Cannot read the configuration file {file}: {why}", hint="Check its path." if missing else _HINT
        ) from error
    if not isinstance(data, dict):
        raise UsageError(f"The configuration file {file} contains no options.", hint="Write YAML, for example `source: in/`.")
    for key in data:
        if str(key).partition(".")[0] not in _TOP:  # `limits.rpm: 600` means the same as a nested `rpm`
            raise UsageError(f"The configuration file {file} has an unknown option {key!r}.", hint=nearest_option(str(key)))
    return _flattened(data, "")


def _yaml_problem(error: Exception) -> str:
    mark, problem = getattr(error, "problem_mark", None), getattr(error, "problem", None)
    return f"line {mark.line + 1}: {problem}" if mark and problem else str(error).splitlines()[0]


def _flattened(data: dict[Any, Any], prefix: str) -> list[str]:
    found = []
    for key, value in data.items():
        name = f"{prefix}{key}"
        if isinstance(value, dict) and value and name not in MAPPING_KEYS:
            found += _flattened(value, f"{name}.")
        else:
            found.append(f"{name}={value if _is_plain_path(name, value) else quoted(value)}")
    return found


def _is_plain_path(name: str, value: object) -> bool:
    return name in PATH_KEYS and isinstance(value, str)
