"""Checks for the packages of the extras in pyproject.toml. The message names a missing package and the command that installs
it."""

from __future__ import annotations

from importlib.util import find_spec

from rayocr.errors import UsageError

# Maps an extra to the module whose absence means that the extra is not installed.
EXTRAS = {
    "cjk": "manimgx_fonts_cjk",
    "drive": "googleapiclient",
    "openvino": "openvino",
    "parquet": "pyarrow",
    "supabase": "supabase",
}


def is_installed(extra: str) -> bool:
    return find_spec(EXTRAS[extra]) is not None


def install_command(extra: str) -> str:
    return f"pip install 'rayocr[{extra}]'"


def require(extra: str, what: str) -> None:
    """Raises UsageError if the extra, which `what` needs, is missing."""
    if not is_installed(extra):
        raise UsageError(f"{what} needs a package that is not installed.", hint=f"Install it: {install_command(extra)}")
