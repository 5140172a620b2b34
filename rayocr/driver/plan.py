"""Checks before a run starts that the source exists and is readable, and that the destination is writable and separate from the
source."""

from __future__ import annotations

import contextlib
import time
from dataclasses import dataclass
from urllib.request import getproxies

from rayocr.composition import price_table, prompt_text
from rayocr.config import Mode, RayocrConfig
from rayocr.driver.places.destination import check_folder, dest_below_source, dest_inside_source, writable
from rayocr.driver.places.source import (
    check_reading,
    check_reading_file,
    existing_source,
    own_results,
    single_file,
    source_folder,
)
from rayocr.engines.registry import ChainLink, Stage, parse_chain, stages
from rayocr.errors import ObjectNotFound, UsageError
from rayocr.extras import require
from rayocr.limits.deadline import parse_deadline
from rayocr.limits.prices import PriceTable
from rayocr.masking import masked
from rayocr.outputs.base import Output
from rayocr.outputs.registry import parse_outputs
from rayocr.overrides import for_shell
from rayocr.storage.base import STATE_PREFIX, Storage
from rayocr.storage.factory import open_storage
from rayocr.storage.local.temp_files import missing_folders
from rayocr.storage.name_patterns import exact_names
from rayocr.storage.uri import local_path, parse_uri


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A run that can start, because everything that the configuration names was found."""

    source: Storage
    dest: Storage
    state: Storage
    only: str | None
    include: tuple[str, ...]
    exclude: tuple[str, ...]
    links: tuple[ChainLink, ...]
    stages: tuple[Stage, ...]
    outputs: tuple[type[Output], ...]
    prompts: dict[str, str]  # prompts by engine
    prices: PriceTable
    new_folders: tuple[str, ...] = ()  # folders of the destination and the state that did not exist before


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """The documents that a run would read, with the engines and prices. Determining the scope writes nothing."""

    source: Storage
    only: str | None  # name of a single file, whose folder is not listed
    include: tuple[str, ...]
    exclude: tuple[str, ...]
    links: tuple[ChainLink, ...]
    prices: PriceTable


def scope(config: RayocrConfig) -> Scope:
    """Determines the scope. Raises UsageError and StorageError, each with a message that contains the next step."""
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
    single = single_file(config)
    source_text, include, exclude = source_folder(config, single)
    if config.mode is Mode.watch and config.watch.subscription and not source_text.startswith("gs://"):
        raise UsageError(
            "watch.subscription announces the objects of a bucket, and the source is not a bucket.",
            hint="Set source=gs://BUCKET/PREFIX, or remove watch.subscription=.",
        )
    if config.mode is Mode.watch and config.watch.subscription:
        require("drive", "watch.subscription")  # Pub/Sub and Drive share Google's client
    source_uri = parse_uri(source_text)
    exclude = [*exclude, *dest_inside_source(config, source_uri, parse_uri(config.dest), single)]
    source = existing_source(source_uri, config.storage.source)
    exclude = exact_names(source, exclude)
    if single is not None:
        check_reading_file(source, single[1])
    else:
        check_reading(source, source_uri, may_be_empty=config.mode is Mode.watch or config.exit.empty == 0)
    return Scope(
        source=source,
        only=single[1] if single else None,
        include=tuple(exact_names(source, include)),
        exclude=tuple(exclude if single else [*exclude, *own_results(source)]),
        links=links,
        prices=_prices(config, links),
    )


def plan(config: RayocrConfig) -> Plan:
    """Does the same as `scope`, and checks that the destination is writable."""
    check_folder(config.dest)
    found = scope(config)
    new_folders = [folder for place in (config.dest, config.state) if place for folder in missing_folders(place)]
    dest = writable(parse_uri(config.dest), config.storage.dest, "dest", outputs_only=config.state is not None)
    exclude = [*found.exclude, *dest_below_source(config, found.source, dest)]
    state = dest if config.state is None else writable(parse_uri(config.state), config.storage.state, "state")
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
    """Returns the prices. Raises UsageError for a budget with a model whose price is unknown, since it cannot be enforced."""
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
    """Raises UsageError for a SOCKS proxy, since the HTTP clients cannot use it and would report it for every page."""
    proxies = [url for scheme, url in getproxies().items() if scheme != "no" and url.lower().startswith("socks")]
    places = [config.source or "", config.dest, config.state or ""]
    remote = any(link.kind == "wait" for link in links) or any("://" in place and "file:" not in place for place in places)
    if proxies and remote:
        raise UsageError(
            f"The environment names a SOCKS proxy ({masked(proxies[0])}), which rayocr's HTTP clients cannot use.",
            hint="Set HTTPS_PROXY and HTTP_PROXY to an HTTP proxy, and unset ALL_PROXY.",
        )


def existing_state(config: RayocrConfig) -> Storage:
    """Returns the location of the state of earlier runs, for modes that only read it. Raises UsageError, and StorageError if it
    cannot be read, for example because there is no such bucket."""
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


def check_results(config: RayocrConfig, state: Storage, *, example: str = "rayocr IN OUT") -> None:
    """Raises UsageError where no run has written anything."""
    if next(iter(state.list(STATE_PREFIX)), None) is None:
        place = parse_uri(config.state or config.dest).display
        near = near_results(config) or f" Name the folder that a run wrote to: {example}"
        raise UsageError(f"{place} holds no results of rayocr.", hint=near.strip())


def sweep_temp_files(plan: Plan) -> None:
    """Removes temporary files of killed processes, if the storage has any. Raises StorageError."""
    for storage in {plan.dest.uri: plan.dest, plan.state.uri: plan.state}.values():
        sweep = getattr(storage, "sweep_temp", None)
        if sweep is not None:
            sweep()


def near_results(config: RayocrConfig) -> str:
    """Returns a hint for a user who names the wrong folder: the folder with results below or beside the named one; "" if there is
    none."""
    place = config.state or config.dest
    folder = local_path(place)
    if "://" in place:
        return ""
    with contextlib.suppress(OSError):
        found = (path.parent for base in (folder, folder.parent) for path in sorted(base.glob(f"*/{STATE_PREFIX}")))
        if (near := next((path for path in found if path != folder), None)) is not None:
            return f" Did you mean {for_shell(str(near))}?"
    return ""
