"""ONNX Runtime sends nothing to its maker."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import rayocr

_LOAD = "from rayocr.engines.rapidocr.recognizer.runtime import load_model; load_model(__import__('pathlib').Path('none.onnx'))"


def test_onnxruntime_starts_without_telemetry(tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if name not in ("ORT_DISABLE_TELEMETRY", "XDG_CACHE_HOME")}
    environment |= {"HOME": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", _LOAD], env=environment, capture_output=True, text=True)
    assert "NoSuchFile" in done.stderr  # ONNX Runtime has started
    assert list(tmp_path.rglob("*")) == []  # its telemetry would leave an id of this device


def test_onnxruntime_is_imported_only_in_the_package_that_turns_its_telemetry_off() -> None:
    package = Path(rayocr.__file__).parent
    imports = re.compile(r"^\s*(import|from) onnxruntime\b", re.MULTILINE)
    found = {path.parent.relative_to(package).as_posix() for path in package.rglob("*.py") if imports.search(path.read_text())}
    assert found == {"engines/rapidocr/recognizer"}
