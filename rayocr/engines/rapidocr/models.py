"""The models in rapidocr's wheel, found without importing it."""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec
from pathlib import Path

from rayocr.errors import EngineUnavailable


def model_file(task: str) -> Path:
    """`task`: det or rec. Raises EngineUnavailable."""
    spec = find_spec("rapidocr")
    if spec is None or spec.origin is None:
        raise EngineUnavailable("rapidocr is not installed.", hint="pip install rapidocr onnxruntime")
    found = sorted(Path(spec.origin).parent.glob(f"models/*_{task}_*.onnx"))
    if not found:
        raise EngineUnavailable(f"rapidocr's wheel brings no {task} model.", hint="pip install 'rapidocr>=3.10,<4'")
    return found[-1]


@cache
def model_family() -> str:
    return model_file("rec").stem.replace("_rec", "").replace("_", "-")
