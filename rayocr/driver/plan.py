"""Checks before a run starts: the source exists and is readable, the destination is writable and separate from the source."""

from __future__ import annotations

import contextlib
import glob
import os
import time
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from urllib.request import getproxies

from rayocr.composition import price_table, prompt_text, samples_dir
from rayocr.config import AccessConfig, Mode, RayocrConfig
from rayocr.engines.registry import ChainLink, Stage, parse_chain, stages
from rayocr.errors import ObjectNotFound, StorageDenied, StorageError, UsageError
from rayocr.extras import require
from rayocr.ledger.manifest import DOCUMENTS_PREFIX
from rayocr.limits.deadline import parse_deadline
from rayocr.limits.prices import PriceTable
from rayocr.masking import masked
from rayocr.outputs.base import Output
from rayocr.outputs.registry import parse_outputs, pdf_suffixes
from rayocr.overrides import for_shell, quoted
from rayocr.retry import RetryPolicy, call
from rayocr.storage.base import STATE_PREFIX, Storage
from rayocr.storage.factory import open_storage
from rayocr.storage.local.temp_files import missing_folders
from rayocr.storage.name_patterns import exact_names
from rayocr.storage.os_errors import storage_error
from rayocr.storage.uri import StorageUri, contains, parse_uri, path_below

_READ_FIRST = 5  # objects, at least one of which must be readable
_PROBING = RetryPolicy(max_attempts=3, base_s=1.0, cap_s=5.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A run that can start: everything named in the configuration was found."""

    source: Storage
    dest: Storage
    state: Storage
    only: str | None
    include: tuple[str, ...]
    exclude: tuple[str, ...]
    links: tuple[ChainLink, ...]
    stages: tuple[Stage, ...]
    outputs: tuple[type[Output], ...]
    prompts: dict[str, str]  # by engine
    prices: PriceTable
    new_folders: tuple[str, ...] = ()  # of the destination and the state, which did not exist before


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What would be read, by which engines and at which prices. Determining it writes nothing."""

    source: Storage
    only: str | None  # for a single file: its name; its folder is not listed
    include: tuple[str, ...]
    exclude: tuple[str, ...]
    links: tuple[ChainLink, ...]
    prices: PriceTable


def scope(config: RayocrConfig) -> Scope:
    """Raises UsageError and StorageError, each with a message that says what to do."""
    if config.document is not None and config.mode in (Mode.run, Mode.watch, Mode.estimate):
        raise UsageError(
            "document= is for the commands retry, dismiss and cancel.",
            hint="To read certain files, set include=, a list.",
        )
    links = parse_chain(config.engine.chain)
    _check_batch(config, links)
    if config.deadline is not None:
        parse_deadline(config.deadline, now=time.time())
    _check_proxy(config, links)
    single = _single(config)
    source_text, include, exclude = _source(config, single)
    if config.mode is Mode.watch and config.watch.subscription and not source_text.startswith("gs://"):
        raise UsageError(
            "watch.subscription announces the objects of a bucket, and the source is not a bucket.",
            hint="Set source=gs://BUCKET/PREFIX, or remove watch.subscription=.",
        )
    if config.mode is Mode.watch and config.watch.subscription:
        require("drive", "watch.subscription")  # Pub/Sub and Drive share Google's client
    source_uri = parse_uri(source_text)
    exclude = [*exclude, *_dest_inside_source(config, source_uri, parse_uri(config.dest), single)]
    source = _existing(source_uri, config.storage.source)
    exclude = exact_names(source, exclude)
    if single is not None:
        _check_reading_file(source, single[1])
    else:
        _check_reading(source, source_uri, may_be_empty=config.mode is Mode.watch or config.exit.empty == 0)
    return Scope(
        source=source,
        only=single[1] if single else None,
        include=tuple(exact_names(source, include)),
        exclude=tuple(exclude if single else [*exclude, *_own_results(source)]),
        links=links,
        prices=_prices(config, links),
    )


def plan(config: RayocrConfig) -> Plan:
    """As `scope`, and checks that the destination is writable."""
    _check_folder(config.dest)
    found = scope(config)
    new_folders = [folder for place in (config.dest, config.state) if place for folder in missing_folders(place)]
    dest = _writable(parse_uri(config.dest), config.storage.dest, "dest", outputs_only=config.state is not None)
    exclude = [*found.exclude, *_dest_below_source(config, found.source, dest)]
    state = dest if config.state is None else _writable(parse_uri(config.state), config.storage.state, "state")
    return Plan(
        source=found.source,
        dest=dest,
        state=state,
        only=found.only,
        include=found.include,
        exclude=tuple(exclude),
        links=found.links,
        stages=stages(found.links),
        outputs=parse_outputs(config.outputs),
        prompts={link.name: prompt_text(config, link.name) for link in found.links if link.kind == "wait"},
        prices=found.prices,
        new_folders=tuple(new_folders),
    )


def _check_folder(dest: str) -> None:
    """`rayocr a.pdf a.md` would write a.md/a.md. Raises UsageError."""
    if "://" not in dest and _is_file(Path(dest).expanduser()):
        raise UsageError(
            f"The destination {dest} is a file.",
            hint="Name a folder for the outputs.",
            shell_hint="`-` writes one document to standard output.",
        )
    like_a_file = dest.lower().endswith((".md", ".pdf", ".txt", ".json", ".jsonl", ".parquet"))
    if like_a_file and "://" not in dest and not _exists(Path(dest).expanduser()):
        raise UsageError(
            f"The destination {dest} would be a folder.",
            hint="Name a folder for the outputs.",
            shell_hint=f"To write one document to a file: rayocr a.pdf - > {for_shell(dest)}",
        )


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


def _check_batch(config: RayocrConfig, links: tuple[ChainLink, ...]) -> None:
    if not config.engine.uses_batches and not config.engine.lanes:
        return
    if "gemini" not in {link.name for link in links}:
        if config.engine.lanes:
            raise UsageError(
                f"objective={config.objective} chooses lanes of Gemini, but the chain does not contain gemini.",
                hint="Set engine=gemini.",
            )
        raise UsageError(
            "engine.batch=true uses Gemini's Batch API, but the chain does not contain gemini.",
            hint="Set engine=gemini, or remove engine.batch.",
        )
    names = [link.name for link in links]
    if config.engine.uses_local_lane and not any(link.is_local for link in links[names.index("gemini") + 1 :]):
        raise UsageError(
            "engine.lanes= has the lane local, but engine.chain names no local engine after gemini.",
            hint="For example: engine.chain=[gemini,rapidocr,tesseract?]",
        )
    if config.engine.gemini.vertexai and config.engine.uses_batches and not config.batch.gcs:
        raise UsageError(
            "Vertex AI reads batches from Cloud Storage.",
            hint=(
                "Set batch.gcs=gs://BUCKET/PREFIX, or leave batches out:"
                " engine.batch=false, or engine.lanes=[flex,standard] with an objective."
            ),
        )


def _prices(config: RayocrConfig, links: tuple[ChainLink, ...]) -> PriceTable:
    """Raises UsageError: a budget cannot be enforced for a model without a known price."""
    prices = price_table(config)
    models = config.engine.gemini.ladder if any(link.name == "gemini" for link in links) else ()
    for model in models:
        if config.budget.given and prices.price(model, time.time()) is None:
            raise UsageError(
                f"{config.budget.given} is set, but conf/prices.yaml has no price for {model}.",
                hint="Add one there, or set engine.gemini.input_usd_per_million= and engine.gemini.output_usd_per_million=.",
            )
    return prices


def _check_proxy(config: RayocrConfig, links: tuple[ChainLink, ...]) -> None:
    """Raises UsageError: the HTTP clients cannot use a SOCKS proxy by themselves, and would report it for every page."""
    proxies = [url for scheme, url in getproxies().items() if scheme != "no" and url.lower().startswith("socks")]
    places = [config.source or "", config.dest, config.state or ""]
    remote = any(link.kind == "wait" for link in links) or any("://" in place and "file:" not in place for place in places)
    if proxies and remote:
        raise UsageError(
            f"The environment names a SOCKS proxy ({masked(proxies[0])}), which rayocr's HTTP clients cannot use.",
            hint="Set HTTPS_PROXY and HTTP_PROXY to an HTTP proxy, and unset ALL_PROXY.",
        )


def _check_reading(source: Storage, uri: StorageUri, *, may_be_empty: bool) -> None:
    """Reads one byte: listing may be allowed where reading is denied. Raises StorageDenied, and UsageError for an empty prefix.
    In a local folder each file has its own permissions."""
    if uri.scheme not in ("gs", "gdrive"):
        return
    entries = iter(source.list())
    first = call(lambda: next(entries, None), policy=_PROBING)
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
        except StorageError:  # affects only this object, or is temporary
            return
    if denied is not None:
        raise denied


def _check_reading_file(source: Storage, name: str) -> None:
    """Raises StorageDenied. Other failures concern the document, and the run reports them."""
    try:
        source.read(name, length=1)
    except StorageDenied:
        raise
    except StorageError:
        return


def _single(config: RayocrConfig) -> tuple[str, str] | None:
    """Folder and name of a single file that source= names. Raises UsageError for a file that is not named .pdf."""
    text = config.source
    if text is None:
        return None
    if "://" not in text:
        path = Path(text).expanduser()
        try:
            is_file = path.is_file()
        except OSError as error:  # a folder on the way cannot be searched
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
        call(lambda: storage.stat(name), policy=_PROBING)
    except ObjectNotFound:
        return None  # a prefix that ends in .pdf
    return folder, name


def _source(config: RayocrConfig, single: tuple[str, str] | None) -> tuple[str, list[str], list[str]]:
    """The folder, with its include and exclude filters. A single file becomes its folder with all other files excluded; if
    no source is named, the bundled samples are read without the broken ones, which are for testing."""
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


def _dest_inside_source(config: RayocrConfig, source: StorageUri, dest: StorageUri, single: tuple[str, str] | None) -> list[str]:
    """Globs that exclude our own outputs from the listing. Raises UsageError when source and destination overlap without
    permission."""
    if not contains(source, dest):
        return []
    if single is not None:
        return []  # outputs next to it are not read as sources: only the file itself is read
    if not config.allow_dest_in_source:
        same = contains(dest, source)
        raise UsageError(
            f"dest={config.dest} is {'the same as' if same else 'inside'} the source: outputs would be read as sources.",
            hint="Choose another folder, or set allow_dest_in_source=true.",
        )
    if contains(dest, source):
        return [f"*{suffix}" for suffix in pdf_suffixes()]  # *.md and *.jsonl next to the PDFs are never sources
    return [glob.escape(path_below(source, dest)) + "/*"]


def _dest_below_source(config: RayocrConfig, source: Storage, dest: Storage) -> list[str]:
    """As `_dest_inside_source`, for Drive folders, which have their own ids: only the server knows how they are nested."""
    path = source.path_to(dest)
    if not path:
        return []
    if not config.allow_dest_in_source:
        raise UsageError(
            f"dest={config.dest} is inside the source (as {path}): outputs would be read as sources.",
            hint="Choose another folder, or set allow_dest_in_source=true.",
        )
    return [glob.escape(path) + "/*"]


def _own_results(source: Storage) -> list[str]:
    """Globs of the PDFs that rayocr wrote, for a local folder with results of other runs: IN and OUT may be swapped."""
    if not source.uri.startswith("file:") or next(iter(source.list(DOCUMENTS_PREFIX)), None) is None:
        return []
    return [f"*{suffix}" for suffix in pdf_suffixes()]


def _existing(uri: StorageUri, access: AccessConfig) -> Storage:
    try:
        storage = open_storage(str(uri), access)
    except ObjectNotFound as error:
        hint, shell_hint = _missing_hints(uri.display)
        raise UsageError(f"The source {uri.display} does not exist.", hint=hint, shell_hint=shell_hint) from error
    call(storage.check_readable, policy=_PROBING)
    return storage


def _missing_hints(path: str) -> tuple[str, str | None]:
    """The next step, and its form on the command line. Windows' separators, and a pattern that the shell did not expand, for
    example because it was quoted, have their own."""
    if "\\" in path and Path(other := path.replace("\\", "/")).exists():
        return f"Separate folders with a slash: {for_shell(other)}", None
    folder, _, name = path.rpartition("/")
    if not set(name) & set("*?["):
        return "Check the path of the source.", None
    option = for_shell(f"include=[{quoted(name)}]")
    return "For a pattern, name the folder and set include=.", f"For example: rayocr {for_shell(folder)} OUT {option}"


def _writable(uri: StorageUri, access: AccessConfig, option: str, *, outputs_only: bool = False) -> Storage:
    try:
        storage = open_storage(str(uri), access, create=True)
        call(lambda: storage.check_writable(outputs_only=outputs_only), policy=_PROBING)
    except StorageError as error:
        hint = error.hint or f"Choose another folder ({option}=)."
        if uri.scheme == "local" and isinstance(error, StorageDenied) and not os.access(uri.root, os.W_OK | os.X_OK):
            raise StorageDenied(f"No permission to write {uri.display}.", hint=hint) from error  # not the name of the probe
        error.hint = hint
        raise
    return storage


def source_of(config: RayocrConfig) -> Storage:
    """The source only, for modes that look documents up in it. Raises UsageError."""
    return _existing(parse_uri(_source(config, _single(config))[0]), config.storage.source)


def existing_state(config: RayocrConfig) -> Storage:
    """The location of the state of earlier runs, for modes that only read it. Raises UsageError, and StorageError if it cannot be
    read, for example because there is no such bucket."""
    option = "state" if config.state is not None else "dest"
    uri = parse_uri(config.state or config.dest)
    try:
        storage = open_storage(str(uri), config.storage.state)
        storage.check_readable()
        return storage
    except ObjectNotFound as error:
        raise UsageError(
            f"{uri.display} does not exist, so it holds no results.",
            hint=f"Check the path of the results ({option}=).{near_results(config)}",
        ) from error


def sweep_temp_files(plan: Plan) -> None:
    """Remove temporary files of killed processes, if the storage has any. Raises StorageError."""
    for storage in {plan.dest.uri: plan.dest, plan.state.uri: plan.state}.values():
        sweep = getattr(storage, "sweep_temp", None)
        if sweep is not None:
            sweep()


def near_results(config: RayocrConfig) -> str:
    """For a user who names the wrong folder: the folder with results that is below the named one, or beside it. "" if there is
    none."""
    place = config.state or config.dest
    folder = Path(place).expanduser()
    if "://" in place:
        return ""
    with contextlib.suppress(OSError):
        found = (path.parent for base in (folder, folder.parent) for path in sorted(base.glob(f"*/{STATE_PREFIX}")))
        if (near := next((path for path in found if path != folder), None)) is not None:
            return f" Did you mean {for_shell(str(near))}?"
    return ""
