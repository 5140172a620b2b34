"""Reads pictures of single lines. On one thread, each line is read separately at its own width: a batch is no faster (11.6 ms for
320 pixels of width, against 11.8 alone) and pads all lines to the longest. Identical pictures are read once.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import accumulate
from pathlib import Path
from typing import Any, Protocol

from rayocr.engines.rapidocr.recognizer.decoding import BlankKeepingDecoder, LineReading
from rayocr.engines.rapidocr.recognizer.models import TinyModels
from rayocr.engines.rapidocr.recognizer.runtime import Model, load_model, model_levels

_HEIGHT = 48  # in pixels; the line height of the models' training data
_STEP_PX = 8  # width of a step of the model's output
_MULTIPLE_PX = 32  # widths are rounded up to this many pixels, because some runtimes prepare for each new shape
_MOST_PX = 2560  # longer lines are cut at a space: a line of three meters would need a gigabyte
# Short pictures are stretched, since the models lose one of several narrow letters: "xii" was read as "xi", "117" as "17". The
# tiny model read 170 of 306 such pictures in six fonts correctly without stretching, and 248 with it; the small one 265 and 276.
_SHORT, _STRETCH = 2.0, 1.5  # aspect
_TINY_LOST_BLANK = 0.5  # the tiny model gives spaces inside words up to this probability
_CHARACTERS = "character"  # key of the characters in the small model's metadata, one per line


class ReadsLines(Protocol):
    def __call__(self, lines: Sequence[Any]) -> list[LineReading]:
        """Returns the text of each gray picture (rows, columns). Raises the errors of the runtime and of OpenCV."""


class LineRecognizer:
    def __init__(self, model: Model, decoder: BlankKeepingDecoder) -> None:
        self._model = model
        self._decoder = decoder

    @classmethod
    def small(cls, path: Path, **runtime: str) -> LineRecognizer:
        """Creates the small recognizer. `runtime` and errors: as in `load_model`."""
        return cls(load_model(path, **runtime), BlankKeepingDecoder(["", *_characters_of(path), " "]))

    @classmethod
    def tiny(cls, models: TinyModels, **runtime: str) -> LineRecognizer:
        """Creates the tiny recognizer. `runtime` and errors: as in `load_model`."""
        characters = models.characters.read_text("utf-8").replace("\r", "").rstrip("\n").split("\n")
        decoder = BlankKeepingDecoder(["", *characters, " "], lost_blank=_TINY_LOST_BLANK)
        return cls(load_model(models.recognition, **runtime), decoder)

    def __call__(self, lines: Sequence[Any]) -> list[LineReading]:
        parts = [_parts(_scaled(line)) for line in lines]
        pictures = {part.tobytes(): part for of_line in parts for part in of_line}
        read = self._read(pictures)
        return [_joined([_placed(read[part.tobytes()], part.shape[1]) for part in of_line]) for of_line in parts]

    def _read(self, pictures: dict[bytes, Any]) -> dict[bytes, LineReading]:
        """Reads different pictures, grouped by similar widths."""
        ordered = sorted(pictures.items(), key=lambda item: item[1].shape[1])
        read: dict[bytes, LineReading] = {}
        for start in range(0, len(ordered), self._model.batch_size):
            some = ordered[start : start + self._model.batch_size]
            steps = self._model.run(_batch([picture for _, picture in some]))
            read.update((key, self._decoder.decode(line)) for (key, _), line in zip(some, steps, strict=True))
        return read


def _characters_of(path: Path) -> list[str]:
    """Reads the characters from the model's metadata, which only ONNX Runtime exposes."""
    from onnxruntime import InferenceSession

    session = InferenceSession(str(path), providers=["CPUExecutionProvider"])
    return list(session.get_modelmeta().custom_metadata_map[_CHARACTERS].splitlines())


def _scaled(line: Any) -> Any:
    import cv2

    aspect = line.shape[1] / line.shape[0]
    if aspect < _SHORT:
        aspect *= _STRETCH
    return cv2.resize(line, (max(math.ceil(_HEIGHT * aspect), 1), _HEIGHT))


def _batch(pictures: Sequence[Any]) -> Any:
    """Returns the batch (n, 3, height, width) with values from -1 to 1, with gray to the right of the lines."""
    import cv2
    import numpy as np

    widest = max(picture.shape[1] for picture in pictures)
    batch = np.zeros((len(pictures), 3, _HEIGHT, -(-widest // _MULTIPLE_PX) * _MULTIPLE_PX), np.float32)
    for row, picture in zip(batch, pictures, strict=True):
        row[:, :, : picture.shape[1]] = cv2.LUT(picture, model_levels())
    return batch


def _parts(scaled: Any) -> list[Any]:
    """Cuts the picture where it has the least contrast, usually between words."""
    import numpy as np

    parts = []
    start, width = 0, scaled.shape[1]
    while width - start > _MOST_PX:
        contrast = np.ptp(scaled[:, start + _MOST_PX // 2 : start + _MOST_PX].astype(np.int16), axis=0)
        smooth = np.convolve(contrast, np.ones(_HEIGHT // 4), mode="same")
        end = start + _MOST_PX // 2 + int(smooth.argmin())
        parts.append(scaled[:, start:end])
        start = end
    return [*parts, scaled[:, start:]]


def _placed(reading: LineReading, width: int) -> LineReading:
    """Returns the reading with places as shares of the picture's width instead of steps."""
    return reading._replace(places=tuple(_STEP_PX * place / width for place in reading.places))


def _joined(parts: Sequence[LineReading]) -> LineReading:
    if len(parts) == 1:
        return parts[0]
    read = [part for part in parts if part.text.strip()]
    letters = sum(len(part.text) for part in read)
    if not letters:
        return LineReading("", 0.0, 0.0)
    score = sum(part.score * len(part.text) for part in read) / letters
    text = " ".join(part.text.strip() for part in read)
    starts = accumulate((len(part.text.strip()) + 1 for part in read), initial=0)
    weak_digits = tuple(start + n for part, start in zip(read, starts, strict=False) for n in part.weak_digits)
    return LineReading(text, score, min(part.weakest for part in read), weak_digits=weak_digits)
