"""Composes overrides with the files of conf/, as Hydra does."""

from __future__ import annotations

import contextlib
import copy
import functools
import pickle
from pathlib import Path
from typing import TYPE_CHECKING

from rayocr.config import RayocrConfig
from rayocr.overrides.mistakes import check_name_of, explain, not_one_name, unparsable
from rayocr.overrides.options import CONFIG_GROUPS

if TYPE_CHECKING:
    from hydra.core.override_parser.types import Override
    from omegaconf import DictConfig


_Files = tuple[tuple[str, int], ...]


def compose_files(overrides: list[str], conf: Path) -> RayocrConfig:
    """Returns the configuration of the files in the folder `conf` with these overrides. Raises UsageError."""
    has_variables = any("${" in override for override in overrides)  # such as ${oc.env:HOME}, which may change
    compose = _config.__wrapped__ if has_variables else _config
    return copy.deepcopy(compose(tuple(overrides), conf, _files(conf)))


def _files(conf: Path) -> _Files:
    """Paths and times of the files in conf/, so that a changed file is read again."""
    return tuple((str(path), path.stat().st_mtime_ns) for path in sorted(conf.rglob("*.yaml")))


@functools.lru_cache(maxsize=64)
def _config(overrides: tuple[str, ...], conf: Path, files: _Files) -> RayocrConfig:
    """Callers copy the result. Raises UsageError."""
    from hydra.core.override_parser.overrides_parser import OverridesParser
    from hydra.errors import HydraException
    from omegaconf import OmegaConf
    from omegaconf.errors import OmegaConfBaseException

    parser = OverridesParser.create()
    parsed = []
    for override in overrides:
        try:
            parsed.append(parser.parse_override(override))
        except HydraException as error:
            raise unparsable(override) from error
        check_name_of(parsed[-1].key_or_group, override)
        if parsed[-1].key_or_group in CONFIG_GROUPS and isinstance(parsed[-1].value(), list):
            raise not_one_name(override)  # Hydra would merge the files of the list
    try:
        config = OmegaConf.to_object(_composed(list(overrides), parsed, conf))
    except (HydraException, OmegaConfBaseException) as error:
        raise explain(error, list(overrides), conf) from error
    assert isinstance(config, RayocrConfig)
    return config


def _composed(overrides: list[str], parsed: list[Override], conf: Path) -> DictConfig:
    """Composes these overrides like Hydra. Hydra itself composes the selected files only once in a process, because this takes
    most of the time. Options are set like in Hydra. Raises HydraException and OmegaConfBaseException."""
    from hydra.errors import HydraException
    from omegaconf import OmegaConf
    from omegaconf.errors import OmegaConfBaseException

    groups = tuple(override for override, read in zip(overrides, parsed, strict=True) if read.key_or_group in CONFIG_GROUPS)
    options = [read for read in parsed if read.key_or_group not in CONFIG_GROUPS]
    if not any(read.package or read.is_add() or read.is_delete() or read.is_sweep_override() for read in options):
        with contextlib.suppress(HydraException, OmegaConfBaseException):  # Hydra raises the error again, with its own message
            config: DictConfig = pickle.loads(_composed_files(groups, conf, _files(conf)))  # noqa: S301 - our own bytes
            for read in options:
                OmegaConf.update(config, read.key_or_group, read.value(), merge=True, force_add=read.is_force_add())
            return config
    return _composed_by_hydra(overrides, conf)


@functools.lru_cache(maxsize=32)
def _composed_files(groups: tuple[str, ...], conf: Path, files: _Files) -> bytes:
    """Composes the files. Pickled, because OmegaConf's own deep copy takes six times as long as a copy by pickle."""
    return pickle.dumps(_composed_by_hydra(list(groups), conf))


def _composed_by_hydra(overrides: list[str], conf: Path) -> DictConfig:
    from hydra import compose as hydra_compose
    from hydra import initialize_config_dir
    from hydra.core.global_hydra import GlobalHydra

    _store_schema()
    GlobalHydra.instance().clear()
    with initialize_config_dir(str(conf.resolve()), version_base="1.3"):
        composed: DictConfig = hydra_compose("config", overrides=overrides)
    return composed


@functools.cache
def _store_schema() -> None:
    """Stores the schema once for each process, since this takes a third of the time of a composition."""
    from hydra.core.config_store import ConfigStore

    ConfigStore.instance().store(name="rayocr_schema", node=RayocrConfig)
