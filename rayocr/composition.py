"""Composes a run's configuration: conf/, overridden by the environment (with .env), overridden by the command line.

Every user error is a UsageError of one or two lines.
"""

from __future__ import annotations

import codecs
import functools
import io
import os
import re
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from yaml import YAMLError

from rayocr.config import AccessConfig, Mode, RayocrConfig, Secrets
from rayocr.config.ranges import check_address, choose
from rayocr.errors import CredentialsError, UsageError
from rayocr.overrides import compose_files, list_value

if TYPE_CHECKING:
    from rayocr.limits.prices import PriceTable

PACKAGE = Path(__file__).parent

# Paths, and names of people, bypass Hydra's grammar, which cannot parse their brackets, commas and quotes.
PATH_KEYS = (
    *("source", "dest", "state", "logs.dir", "document", "login.client", "login.token"),
    *("correct.file", "correct.author", "reread.pages", "reread.author"),
    *("storage.source.credentials", "storage.dest.credentials", "storage.state.credentials"),
)

_EXAMPLES = {
    "source": "Name a folder or a PDF, for example source=in/",
    "dest": "Name a folder, for example dest=out/",
    "state": "Name a folder, or leave it out to keep the state in the destination.",
    "document": "Name a document, for example document=2024/a.pdf",
    "reread.pages": "Name pages, for example 2,5-7",
}

# Options that are mappings with keys that the user chooses.
MAPPING_KEYS = ("limits.models", "supabase.columns", "engine.openai.extra_body")

# Variables of the worker that rayocr replaces, with the options that they set, so that its .env keeps working.
_ENVIRONMENT = {
    "MAX_CONCURRENT_FILES": "window.documents",
    "MAX_CONCURRENT_WORKERS": "workers.max",
    "GEMINI_GLOBAL_CONCURRENCY": "limits.max_in_flight",
    "MAX_RETRIES": "retry.max_attempts",
    "POLL_INTERVAL": "poll_interval_s",
    "RAYOCR_LOGS_STDOUT": "logs.stdout",  # set by the image
}
_DECIMAL = {"POLL_INTERVAL"}
_WORDS = {"RAYOCR_LOGS_STDOUT"}


_UNSET = "Correct it in the environment or in .env, or remove it there."

_SDK_ENVIRONMENT = (
    ("GOOGLE_GEMINI_BASE_URL", "engine.gemini.base_url"),
    ("GOOGLE_CLOUD_PROJECT", "engine.gemini.project"),
    ("GOOGLE_CLOUD_LOCATION", "engine.gemini.location"),
    ("OPENAI_BASE_URL", "engine.openai.base_url"),
    ("PUBSUB_EMULATOR_HOST", "watch.endpoint"),
)

# Kind of location -> (environment variable, the access setting that it fills).
_ACCESS_ENVIRONMENT = {"gs": ("STORAGE_EMULATOR_HOST", "endpoint"), "gdrive": ("GOOGLE_DRIVE_CREDENTIALS", "credentials")}

# STORAGE_BACKEND of the worker that rayocr replaces -> its source and destination.
_PLACES = {
    "gcs": ("gs://{GCS_BUCKET_NAME}/{GCS_SOURCE_PREFIX}", "gs://{GCS_BUCKET_NAME}/{GCS_DEST_PREFIX}"),
    "drive": ("gdrive://{DRIVE_SOURCE_FOLDER_ID}", "gdrive://{DRIVE_DEST_FOLDER_ID}"),
}


def conf_dir() -> Path:
    """Returns the folder conf/: inside an installed wheel, or beside the package in a checkout."""
    packaged = PACKAGE / "conf"
    return packaged if packaged.is_dir() else PACKAGE.parent / "conf"


def samples_dir() -> Path:
    """Returns the folder samples/: inside an installed wheel, or beside the package in a checkout."""
    packaged = PACKAGE / "samples"
    return packaged if packaged.is_dir() else PACKAGE.parent / "samples"


def load_dotenv() -> None:
    """Reads .env of the working folder into the environment. Keeps variables that are already set. Raises UsageError."""
    from dotenv import load_dotenv as load

    load(stream=io.StringIO(_dotenv_text()), override=False)


def environment_with_dotenv() -> dict[str, str]:
    """Returns the environment and .env of the working folder, for the Python API, which leaves its caller's environment as it is.
    Raises UsageError."""
    from dotenv import dotenv_values

    found = dotenv_values(stream=io.StringIO(_dotenv_text()))
    return {name: value for name, value in found.items() if value is not None} | dict(os.environ)


def _dotenv_text() -> str:
    """Returns the text of .env in the working folder; "" if there is none. Raises UsageError."""
    file = Path(".env")
    if not file.is_file():
        return ""
    try:
        data = file.read_bytes()
        if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) or b"\0" in data:
            raise UsageError("Cannot read .env in the working folder: it is UTF-16 text.", hint="Save it as UTF-8, or remove it.")
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UsageError(
            f"Cannot read .env in the working folder: byte {error.start} is not UTF-8.", hint="Save it as UTF-8, or remove it."
        ) from error
    except OSError as error:
        raise UsageError(f"Cannot read .env in the working folder: {error.strerror}.") from error


def secrets_from_environment(environment: Mapping[str, str] | None = None) -> Secrets:
    environment = os.environ if environment is None else environment
    return Secrets(
        # The SDK prefers GOOGLE_API_KEY when both are set, and a run must use the same key as the SDK.
        gemini_api_key=_key("GOOGLE_API_KEY", environment) or _key("GEMINI_API_KEY", environment),
        openai_api_key=_key("OPENAI_API_KEY", environment),
        redis_url=environment.get("REDIS_URL", "").strip() or None,
        api_token=_key("RAYOCR_API_TOKEN", environment),
        supabase_url=environment.get("SUPABASE_URL", "").strip() or None,
        supabase_api_key=_key("SUPABASE_API_KEY", environment),
    )


def _key(name: str, environment: Mapping[str, str]) -> str | None:
    """Returns a key without white space around it, which files of secrets often end with; None if it is missing or empty. Raises
    CredentialsError for a key that no HTTP header can carry, since each page would fail because of it."""
    key = environment.get(name, "").strip()
    if any(ord(character) < 32 or ord(character) == 127 for character in key):
        raise CredentialsError(
            f"The environment variable {name} contains a line break or another control character.",
            hint="Set it to the key alone, on one line.",
        )
    return key or None


def compose(arguments: Sequence[str], environment: Mapping[str, str] | None = None) -> RayocrConfig:
    """Returns the configuration for these overrides. Raises UsageError."""
    environment = os.environ if environment is None else environment
    paths, overrides = _split_paths(arguments)
    given = {override.partition("=")[0] for override in overrides}
    overrides = [*_environment_overrides(environment), *_lock_overrides(environment, given), *overrides]
    overrides = _resolve_auto_engine(overrides, environment)
    config = compose_files(overrides, conf_dir())
    _apply_environment(config, environment, overrides)
    places = _places(environment)
    for key, value in {**places, **paths}.items():
        _set(config, key, value)
    if {"source", "dest"} <= set(places) - set(paths) and "allow_dest_in_source" not in given:
        config.allow_dest_in_source = _may_lie_inside(places["source"], places["dest"])
    _settle_access(config, environment, given={*paths, *(override.partition("=")[0] for override in overrides)})
    return config


def _settle_access(config: RayocrConfig, environment: Mapping[str, str], given: Collection[str]) -> None:
    """Sets the access to each location: its own options first, then the environment variables for its kind. The state uses the
    access of the destination unless it is of another kind."""
    from rayocr.storage.uri import local_path

    storage = config.storage
    places = {"source": config.source, "dest": config.dest, "state": config.state or config.dest}
    kinds = {name: _kind(place) for name, place in places.items()}
    for name, kind in kinds.items():
        variable, setting = _ACCESS_ENVIRONMENT.get(kind, ("", ""))
        if environment.get(variable) and f"storage.{name}.{setting}" not in given:
            setattr(getattr(storage, name), setting, environment[variable])
    if kinds["state"] == kinds["dest"] and not any(key.startswith("storage.state.") for key in given):
        storage.state = storage.dest
    for access in (storage.source, storage.dest, storage.state):
        if access.credentials:  # workers have other working folders
            access.credentials = str(local_path(access.credentials).absolute())
    if config.mode is Mode.login and config.login.client is None:
        config.login.client = environment.get("GOOGLE_DRIVE_CREDENTIALS") or None


def source_accesses(config: RayocrConfig, environment: Mapping[str, str] | None = None) -> dict[str, AccessConfig]:
    """Returns how to access sources on record, by kind of location (gs, gdrive), for commands that do not name the source: like
    the destination if that is of the same kind, otherwise with the variables of the environment. Returns an empty dict if source=
    or storage.source.* is set."""
    if config.source is not None or config.storage.source != AccessConfig():
        return {}
    environment = os.environ if environment is None else environment
    found = {
        kind: AccessConfig(**{setting: environment[variable]})  # type: ignore[arg-type]
        for kind, (variable, setting) in _ACCESS_ENVIRONMENT.items()
        if environment.get(variable)
    }
    return found | {_kind(config.dest): config.storage.dest}


def _kind(place: str | None) -> str:
    return place.partition("://")[0].lower() if place and "://" in place else ""


def _set(config: RayocrConfig, key: str, value: str | None) -> None:
    target: Any = config
    *parents, leaf = key.split(".")
    for parent in parents:
        target = getattr(target, parent)
    setattr(target, leaf, value)


def _places(environment: Mapping[str, str]) -> dict[str, str]:
    """Returns source= and dest= for STORAGE_BACKEND. Raises UsageError."""
    backend = environment.get("STORAGE_BACKEND", "").strip().lower()
    if not backend:
        return {}
    if backend not in _PLACES:
        raise UsageError(
            f"The environment variable STORAGE_BACKEND={backend} is unknown.",
            hint=choose(backend, _PLACES),
        )
    found = {}
    for key, form in zip(("source", "dest"), _PLACES[backend], strict=True):
        names = re.findall(r"{(\w+)}", form)
        if environment.get(names[0], "").strip():  # both prefixes of a bucket may be empty
            place = form.format_map({name: environment.get(name, "").strip().strip("/") for name in names})
            found[key] = place.removesuffix("/")
    return found


def _may_lie_inside(source: str, dest: str) -> bool:
    """Returns whether the destination may lie inside the source, as in the worker rayocr replaces (a bucket and one prefix).
    Returns False if both are the same, or if the source is inside the destination."""
    from rayocr.storage.uri import contains, parse_uri

    try:
        return not contains(parse_uri(dest), parse_uri(source))
    except UsageError:  # modes that use the location report its errors
        return False


def _apply_environment(config: RayocrConfig, environment: Mapping[str, str], overrides: Sequence[str]) -> None:
    """Applies the variables that the SDKs would read, so that a run uses the same servers. The driver reads them, because workers
    do not have the user's environment."""
    given = {override.partition("=")[0] for override in overrides}
    for name, key in _SDK_ENVIRONMENT:
        if environment.get(name) and key not in given:
            if key.endswith(".base_url"):
                check_address(name, environment[name])
            _set(config, key, environment[name])
    if "engine.gemini.vertexai" not in given and environment.get("GOOGLE_GENAI_USE_VERTEXAI", "").lower() in ("1", "true"):
        config.engine.gemini.vertexai = True


def prompt_text(config: RayocrConfig, engine: str = "gemini") -> str:
    """Returns the text of the prompt that `engine.<engine>.prompt` names (a file in conf/prompts/, or a path), with
    {target_language} filled in. Raises UsageError."""
    settings = getattr(config.engine, engine)
    name = settings.prompt
    own = Path(name)
    path = own if own.suffix else conf_dir() / "prompts" / f"{name}.md"
    try:
        # Not str.format, because a prompt may contain braces.
        return path.read_text(encoding="utf-8").strip().replace("{target_language}", settings.target_language)
    except OSError as error:
        known = choose(name, sorted(p.stem for p in (conf_dir() / "prompts").glob("*.md")))
        raise UsageError(
            f"Cannot read the prompt {name!r} ({error.strerror}).",
            hint=f"{known[:-1]}, or set the path of a file.",
        ) from error


def price_table(config: RayocrConfig) -> PriceTable:
    """Returns the prices in conf/prices.yaml, overridden by those of the command line. Raises UsageError."""
    from omegaconf.errors import OmegaConfBaseException

    from rayocr.limits.prices import Price, parse_prices

    gemini = config.engine.gemini
    own = Price(input_usd=gemini.input_usd_per_million, output_usd=gemini.output_usd_per_million)
    path = conf_dir() / "prices.yaml"
    try:
        data = _loaded(path, path.stat().st_mtime_ns)
    except (OSError, ValueError, OmegaConfBaseException, YAMLError) as error:
        raise UsageError(f"Cannot read {path}: {error}") from error
    return parse_prices(data, override=own if own.input_usd or own.output_usd else None)


@functools.lru_cache(maxsize=4)
def _loaded(path: Path, changed_ns: int) -> Any:
    """Loads a YAML file, which takes 4 ms, only when it has changed. Callers do not change the result."""
    from omegaconf import OmegaConf

    return OmegaConf.to_container(OmegaConf.load(path))


def _split_paths(arguments: Sequence[str]) -> tuple[dict[str, str | None], list[str]]:
    paths: dict[str, str | None] = {}
    overrides = []
    for argument in arguments:
        key, equals, value = argument.partition("=")
        key = key.lstrip("+")  # Hydra's prefix for adding a key; the schema is closed, so the key must exist
        argument = argument.lstrip("+")
        if not equals or not key or key.startswith(("-", "~")):
            raise UsageError(f"Cannot parse {argument!r}.", hint="Write options as key=value, for example: source=in/ dest=out/")
        if key not in PATH_KEYS:
            of_mapping = any(key == name or key.startswith(f"{name}.") for name in MAPPING_KEYS)
            overrides.append(f"++{argument}" if of_mapping else list_value(argument))  # Hydra's prefix for keys that may be new
            continue
        is_null = value == "null" and key != "dest"
        if len(value) >= 2 and value[0] == value[-1] and value[0] in "'\"":
            value = value[1:-1]
        if not value:
            raise UsageError(f"{key}= is empty.", hint=_EXAMPLES.get(key, "Give a value, or leave it out."))
        paths[key] = None if is_null else value
    return paths, overrides


def _environment_overrides(environment: Mapping[str, str]) -> list[str]:
    overrides = []
    for name, key in _ENVIRONMENT.items():
        value = environment.get(name, "").strip()
        if not value:
            continue
        if name in _WORDS:
            overrides.append(f"{key}={value}")
            continue
        if name in _DECIMAL:
            if not re.fullmatch(r"\d+(\.\d*)?|\.\d+", value):
                raise UsageError(f"The environment variable {name} is {value!r}; it must be a positive number.", hint=_UNSET)
            overrides.append(f"{key}={float(value)}")
            continue
        if not value.isdecimal():
            raise UsageError(f"The environment variable {name} is {value!r}; it must be a whole number.", hint=_UNSET)
        # The replaced worker counted retries without the first attempt, so 0 means one attempt.
        overrides.append(f"{key}={max(1, int(value)) if name == 'MAX_RETRIES' else value}")
    return overrides


def _lock_overrides(environment: Mapping[str, str], given: Collection[str]) -> list[str]:
    """Selects Redis locks if REDIS_URL is set in .env, like the worker that rayocr replaces."""
    of_old = environment.get("STORAGE_BACKEND", "").strip() and environment.get("REDIS_URL", "").strip()
    return ["locks=redis"] if of_old and not {"locks", "locks.backend"} & set(given) else []


def _resolve_auto_engine(overrides: list[str], environment: Mapping[str, str]) -> list[str]:
    chosen = [o for o in overrides if o.startswith("engine=")]
    if chosen and chosen[-1] != "engine=auto":
        return overrides
    name = "gemini" if secrets_from_environment(environment).gemini_api_key else "local"
    return [f"engine={name}", *(o for o in overrides if not o.startswith("engine="))]
