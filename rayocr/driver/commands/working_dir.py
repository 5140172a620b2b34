"""Selects the files that mode=submit uploads from `submit.working_dir`, by an allowlist. Anyone who can reach the dashboard can
download them, so unknown files are not uploaded.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

from rayocr.errors import UsageError

_OURS = ("rayocr", "conf")  # folders of a checkout that the package consists of
_OUR_SUFFIXES = {".py", ".md", ".yaml", ".css", ".html", ".j2", ".js", ".npz", ".typed"}
_OTHER_SUFFIXES = {".py", ".md"}  # in other folders: the user's own code and prompts
_SKIPPED_FOLDERS = {"__pycache__", "node_modules", "site-packages", "venv", "output", "logs"}
_KEY_NAMES = ("id_rsa*", "id_ecdsa*", "id_ed25519*", "*secret*", "*credential*")
_KEY_FIELDS = (b'"private_key"', b'"refresh_token"', b'"client_secret"', b"-----BEGIN")
_READ_BYTES = 64 << 10


def stage(working_dir: Path, folder: Path) -> int:
    """Copies the selected files into `folder` and returns their number. Raises UsageError if there are none."""
    count = 0
    for relative in uploaded(working_dir):
        target = folder / relative
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(working_dir / relative, target)
        count += 1
    if not count:
        raise UsageError(
            f"submit.working_dir={working_dir} has nothing to upload: only rayocr/, conf/, *.py and *.md are.",
            hint="Give the folder of a checkout, or leave it out where rayocr is installed in the cluster's image.",
        )
    return count


def uploaded(working_dir: Path) -> Iterator[Path]:
    """Returns paths relative to the folder. Does not follow links."""
    for place, folders, names in os.walk(working_dir):
        folders[:] = sorted(f for f in folders if not f.startswith(".") and f not in _SKIPPED_FOLDERS)
        for name in sorted(names):
            path = Path(place, name)
            relative = path.relative_to(working_dir)
            if _is_allowed(relative) and not path.is_symlink() and not _holds_key(path):
                yield relative


def _is_allowed(relative: Path) -> bool:
    ours = len(relative.parts) > 1 and relative.parts[0] in _OURS
    if relative.suffix not in (_OUR_SUFFIXES if ours else _OTHER_SUFFIXES) or relative.name.startswith("."):
        return False
    return relative.suffix == ".py" or not any(fnmatch(relative.name.lower(), pattern) for pattern in _KEY_NAMES)


def _holds_key(path: Path) -> bool:
    if path.suffix == ".py":
        return False  # code that reads a key contains the key's name, not the key
    try:
        with path.open("rb") as file:
            head = file.read(_READ_BYTES)
    except OSError:
        return True  # a file that cannot be read cannot be uploaded either
    return any(field in head for field in _KEY_FIELDS)
