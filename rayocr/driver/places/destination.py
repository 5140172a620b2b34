"""Opens the destination and the state of a run, checks that they are writable, and keeps outputs separate from sources."""

from __future__ import annotations

import glob
import os
from pathlib import Path

from rayocr.config import AccessConfig, RayocrConfig
from rayocr.driver.places.source import PROBING
from rayocr.errors import StorageDenied, StorageError, StorageUnavailable, UsageError
from rayocr.outputs.registry import pdf_suffixes
from rayocr.overrides import for_shell
from rayocr.retry import call
from rayocr.storage.base import Storage
from rayocr.storage.factory import open_storage
from rayocr.storage.uri import StorageUri, contains, local_path, path_below


def check_folder(dest: str) -> None:
    """Raises UsageError if the destination is a file or looks like one: `rayocr a.pdf a.md` would write a.md/a.md. Raises
    StorageDenied if it is below a file."""
    if "://" not in dest and _is_file(local_path(dest)):
        raise UsageError(
            f"The destination {dest} is a file.",
            hint="Name a folder for the outputs.",
            shell_hint="`-` writes one document to standard output.",
        )
    if "://" not in dest and (file := next((path for path in local_path(dest).parents if _is_file(path)), None)) is not None:
        raise StorageDenied(
            f"The destination {dest} would be below {file}, which is a file.", hint="Name a folder for the outputs."
        )
    like_a_file = dest.lower().endswith((".md", ".pdf", ".txt", ".json", ".jsonl", ".parquet"))
    if like_a_file and "://" not in dest and not _exists(local_path(dest)):
        raise UsageError(
            f"The destination {dest} would be a folder.",
            hint="Name a folder for the outputs.",
            shell_hint=f"To write one document to a file: rayocr a.pdf - > {for_shell(dest)}",
        )


def writable(uri: StorageUri, access: AccessConfig, option: str, *, outputs_only: bool = False) -> Storage:
    try:
        storage = open_storage(str(uri), access, create=True)
        call(lambda: storage.check_writable(outputs_only=outputs_only), policy=PROBING)
    except StorageError as error:
        busy = isinstance(error, StorageUnavailable)
        again = "Start the same command again when the storage is available."
        hint = error.hint or (again if busy else f"Choose another folder ({option}=).")
        if uri.scheme == "local" and isinstance(error, StorageDenied) and not os.access(uri.root, os.W_OK | os.X_OK):
            # The message does not contain the name of the probe.
            raise StorageDenied(f"No permission to write {uri.display}.", hint=hint) from error
        error.hint = hint
        raise
    return storage


def dest_inside_source(config: RayocrConfig, source: StorageUri, dest: StorageUri, single: tuple[str, str] | None) -> list[str]:
    """Returns globs that exclude rayocr's own outputs from the listing. Raises UsageError if source and destination overlap
    without permission."""
    if not contains(source, dest):
        return []
    if single is not None:
        return []  # the run reads only this file, so it does not read outputs next to it as sources
    if not config.allow_dest_in_source:
        same = contains(dest, source)
        raise UsageError(
            f"dest={config.dest} is {'the same as' if same else 'inside'} the source: outputs would be read as sources.",
            hint="Choose another folder, or set allow_dest_in_source=true.",
        )
    if contains(dest, source):
        return [f"*{suffix}" for suffix in pdf_suffixes()]  # *.md and *.jsonl next to the PDFs are never sources
    return [glob.escape(path_below(source, dest)) + "/*"]


def dest_below_source(config: RayocrConfig, source: Storage, dest: Storage) -> list[str]:
    """Does the same as `dest_inside_source` for Drive folders, which have ids, so that only the server knows how they are
    nested."""
    path = source.path_to(dest)
    if not path:
        return []
    if not config.allow_dest_in_source:
        raise UsageError(
            f"dest={config.dest} is inside the source (as {path}): outputs would be read as sources.",
            hint="Choose another folder, or set allow_dest_in_source=true.",
        )
    return [glob.escape(path) + "/*"]


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # reported when the storage is opened
        return True


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # reported when the storage is opened
        return False
