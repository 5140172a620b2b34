"""rapidocr's recognition model alone, on one thread: reads pictures of single lines.

Without rapidocr's own code, whose import takes 0.8 s of CPU: every worker that asks a server may want to read a few lines.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rayocr.engines.rapidocr.decoding import BlankKeepingDecoder

_HEIGHT = 48  # pixels, of the lines that the model was trained on
_WIDTH = 320  # at least
_CHARACTERS = "character"  # of the model's metadata, one a line


class LineRecognizer:
    def __init__(self, model: Path) -> None:
        """Raises ImportError."""
        from onnxruntime import InferenceSession, SessionOptions

        options = SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 4
        self._session = InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
        self._input = self._session.get_inputs()[0].name
        characters = self._session.get_modelmeta().custom_metadata_map[_CHARACTERS].splitlines()
        self._decoder = BlankKeepingDecoder(["", *characters, " "])  # as the model counts them: 0 is no sign

    def __call__(self, lines: Sequence[Any]) -> list[tuple[str, float]]:
        """Text and score, 0..1, of each picture (rows, columns, BGR). Raises whatever ONNX Runtime and OpenCV raise."""
        return [self._decoder.decode(self._session.run(None, {self._input: _normal(line)})[0][0]) for line in lines]


def _normal(line: Any) -> Any:
    """(1, 3, height, width) from -1 to 1, with nothing to the right of short lines."""
    import cv2
    import numpy as np

    width = math.ceil(_HEIGHT * line.shape[1] / line.shape[0])
    scaled = cv2.resize(line, (width, _HEIGHT)).astype(np.float32).transpose(2, 0, 1) / 127.5 - 1
    padded = np.zeros((1, 3, _HEIGHT, max(width, _WIDTH)), np.float32)
    padded[0, :, :, :width] = scaled
    return padded
