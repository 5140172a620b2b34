"""Finds the source of a run, lists the files to exclude, and checks that the source is readable."""

from __future__ import annotations

import difflib
import glob
from itertools import chain, islice
from pathlib import Path

from rayocr.composition import samples_dir
from rayocr.config import AccessConfig, RayocrConfig
from rayocr.errors import ObjectNotFound, StorageDenied, StorageError, UsageError
from rayocr.ledger.manifest import DOCUMENTS_PREFIX
from rayocr.outputs.registry import pdf_suffixes
from rayocr.overrides import for_shell, literal
from rayocr.retry import RetryPolicy, call
from rayocr.storage.base import Storage
from rayocr.storage.factory import open_storage
from rayocr.storage.os_errors import storage_error
from rayocr.storage.uri import StorageUri, local_path, parse_uri

PROBING = RetryPolicy(max_attempts=3, base_s=1.0, cap_s=5.0)
_READ_FIRST = 5  # number of objects, at least one of which must be readable
_NAMES_COMPARED = 10_000  # maximum number of names that are compared with a misspelled source


def source_of(config: RayocrConfig) -> Storage:
    """Returns the source without its filters, for modes that look documents up in it. Raises UsageError."""
    return existing_source(parse_uri(source_folder(config, single_file(config))[0]), config.storage.source)


def single_file(config: RayocrConfig) -> tuple[str, str] | None:
    """Returns folder and name of a single file that source= names. Raises UsageError for a file that is not named .pdf."""
    text = config.source
    if text is None:
        return None
    if "://" not in text or text.lower().startswith("file://"):
        path = local_path(text) if "://" not in text else Path(parse_uri(text).root)
        try:
            is_file = path.is_file()
        except OSError as error:  # a parent folder cannot be searched
            raise storage_error(error, text) from error
        if not is_file:
            return None
        if not path.name.lower().endswith(".pdf"):
            raise UsageError(
                f"The source {text} is not a PDF: its name does not end in .pdf.", hint="Name a PDF or a folder of PDFs."
            )
        return str(path.parent), path.name
    folder, _, name = text.rpartition("/")
    if not text.startswith("gs://") or not name.lower().endswith(".pdf") or folder in ("gs:", "gs:/"):
        return None
    storage = open_storage(folder, config.storage.source)
    try:
        call(lambda: storage.stat(name), policy=PROBING)
    except ObjectNotFound:
        return None  # this is a prefix that ends in .pdf
    return folder, name


def source_folder(config: RayocrConfig, single: tuple[str, str] | None) -> tuple[str, list[str], list[str]]:
    """Returns the folder, with its include and exclude filters. A single file becomes its folder with all other files excluded.
    Without a source, this is the folder of the bundled samples, except the broken ones, which are for testing."""
    include, exclude = list(config.include), list(config.exclude)
    if single is not None:
        return single[0], [glob.escape(single[1])], exclude
    text = config.source
    if text is None:
        text = str(samples_dir())
        if not Path(text).is_dir():
            raise UsageError("source= is missing.", hint="Name the folder with the PDFs, for example: source=in/ dest=out/")
        exclude = exclude or ["broken/*"]
    return text, include, exclude


def own_results(source: Storage) -> list[str]:
    """Returns globs of the PDFs that rayocr wrote, for a local folder with results of other runs, since IN and OUT may be
    swapped."""
    if not source.uri.startswith("file:") or next(iter(source.list(DOCUMENTS_PREFIX)), None) is None:
        return []
    return [f"*{suffix}" for suffix in pdf_suffixes()]


def existing_source(uri: StorageUri, access: AccessConfig) -> Storage:
    try:
        storage = open_storage(str(uri), access)
    except ObjectNotFound as error:
        hint, shell_hint = _missing_hints(uri.display)
        raise UsageError(f"The source {uri.display} does not exist.", hint=hint, shell_hint=shell_hint) from error
    call(storage.check_readable, policy=PROBING)
    return storage


def _missing_hints(path: str) -> tuple[str, str | None]:
    """Returns the next step, and its form on the command line. Windows' separators, and a pattern that the shell did not expand,
    for example because it was quoted, have specific hints."""
    if "\\" in path and Path(other := path.replace("\\", "/")).exists():
        return f"Separate folders with a slash: {for_shell(other)}", None
    folder, _, name = path.rpartition("/")
    if not set(name) & set("*?["):
        return f"Check the path of the source.{_near(Path(path))}", None
    option = for_shell(f"include={literal([name])}")
    return "For a pattern, name the folder and set include=.", f"For example: rayocr {for_shell(folder)} OUT {option}"


def _near(path: Path) -> str:
    """Returns a hint with the folder or PDF of the most similar name beside a local path; "" if no name is similar."""
    try:
        beside = islice(path.parent.iterdir(), _NAMES_COMPARED)
        names = [found.name for found in beside if found.suffix.lower() == ".pdf" or found.is_dir()]
    except OSError:
        return ""
    close = difflib.get_close_matches(path.name, names, n=1, cutoff=0.75)
    return f" Did you mean {for_shell(str(path.parent / close[0]))}?" if close else ""


def check_reading(source: Storage, uri: StorageUri, *, may_be_empty: bool) -> None:
    """Reads one byte, since an account may list objects that it cannot read. Raises StorageDenied, and UsageError for an empty
    prefix. In a local folder each file has its own permissions."""
    if uri.scheme not in ("gs", "gdrive"):
        return
    entries = iter(source.list())
    first = call(lambda: next(entries, None), policy=PROBING)
    if first is None and uri.prefix and not may_be_empty:
        raise UsageError(f"There are no objects below {uri.display}.", hint="Check the path of the source.")
    denied: StorageError | None = None
    pdfs = (entry for entry in chain([first] if first else [], entries) if entry.name.lower().endswith(".pdf"))
    for entry in islice(pdfs, _READ_FIRST):
        try:
            source.read(entry.name, length=1)
            return
        except StorageDenied as error:
            denied = denied or error
        except StorageError:  # this error affects only this object, or is temporary
            return
    if denied is not None:
        raise denied


def check_reading_file(source: Storage, name: str) -> None:
    """Checks that the file is readable. Raises StorageDenied. Other failures concern the document, and the run reports them."""
    try:
        source.read(name, length=1)
    except StorageDenied:
        raise
    except StorageError:
        return
