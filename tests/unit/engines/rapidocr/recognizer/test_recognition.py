"""Which lines go to which model, in which batches, on which device. The models are fakes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from rayocr.engines.rapidocr.recognizer.cascade import CascadeRecognizer
from rayocr.engines.rapidocr.recognizer.decoding import BlankKeepingDecoder, LineReading
from rayocr.engines.rapidocr.recognizer.recognition import LineRecognizer
from rayocr.engines.rapidocr.recognizer.runtime import providers_for
from rayocr.errors import EngineUnavailable


class CountsWidth:
    """A recognition model that reads an "a" for every 48 pixels of ink."""

    def __init__(self, batch_size: int = 1) -> None:
        self.batch_size = batch_size
        self.shapes: list[tuple[int, ...]] = []

    def run(self, batch: Any) -> Any:
        self.shapes.append(batch.shape)
        steps = np.zeros((len(batch), batch.shape[3] // 24, 3), np.float32)
        steps[:, :, 0] = 0.9
        for row, line in zip(steps, batch, strict=True):
            inked = (line[0] < 0).any(axis=0)
            for step in range(1, len(row), 2):
                if inked[24 * step - 24 : 24 * step + 24].all():
                    row[step] = (0.05, 0.95, 0.0)
        return steps


def recognizer(model: CountsWidth) -> LineRecognizer:
    return LineRecognizer(model, BlankKeepingDecoder(["", "a", " "]))


def line_of(letters: int, *, ink: int = 0) -> Any:
    return np.full((48, 48 * letters), ink, np.uint8)


def test_lines_are_read_at_their_own_width_on_a_cpu() -> None:
    model = CountsWidth()
    assert [read.text for read in recognizer(model)([line_of(2), line_of(4)])] == ["aa", "aaaa"]
    assert model.shapes == [(1, 3, 48, 96), (1, 3, 48, 192)]


def test_lines_of_similar_widths_go_together_on_a_gpu_and_come_back_in_their_order() -> None:
    model = CountsWidth(batch_size=2)
    read = recognizer(model)([line_of(6), line_of(2), line_of(8), line_of(2, ink=10)])
    assert [len(reading.text) for reading in read] == [6, 2, 8, 2]
    assert model.shapes == [(2, 3, 48, 96), (2, 3, 48, 384)]


def test_short_lines_are_stretched_because_the_models_lose_narrow_letters() -> None:
    model = CountsWidth()
    recognizer(model)([np.full((32, 40), 0, np.uint8)])
    assert model.shapes == [(1, 3, 48, 96)]  # 90 pixels instead of 60, rounded up


def test_identical_lines_are_read_once() -> None:
    model = CountsWidth()
    assert [read.text for read in recognizer(model)([line_of(2)] * 5)] == ["aa"] * 5
    assert len(model.shapes) == 1


def test_a_line_of_ten_meters_is_read_in_parts_of_bounded_width() -> None:
    model = CountsWidth()
    (read,) = recognizer(model)([line_of(300)])
    assert max(shape[3] for shape in model.shapes) <= 2560
    assert read.text.replace(" ", "").count("a") > 280


class Reads:
    def __init__(self, *readings: LineReading) -> None:
        self.readings = readings
        self.asked = 0

    def __call__(self, lines: Sequence[Any]) -> list[LineReading]:
        self.asked += len(lines)
        return list(self.readings[: len(lines)])


def cascaded(reading: LineReading, *, speed: str = "auto", letters: int = 4) -> tuple[str, int]:
    small = Reads(LineReading("small", 0.9, 0.5))
    (read,) = CascadeRecognizer(Reads(reading), small, speed=speed)([line_of(letters)])
    return read.text, small.asked


def test_a_clean_line_is_left_to_the_tiny_model() -> None:
    assert cascaded(LineReading("Clean “print” of 1897 – with é, ș and €", 0.99, 0.97)) == (
        "Clean “print” of 1897 – with é, ș and €",
        0,
    )


@pytest.mark.parametrize(
    "reading",
    [
        pytest.param(LineReading("bicócle", 0.98, 0.4), id="one uncertain letter"),
        pytest.param(LineReading("blurred", 0.85, 0.7), id="uncertain in all"),
        pytest.param(LineReading("", 0.0, 0.0), id="nothing"),
        pytest.param(LineReading("東京", 0.99, 0.99), id="Chinese"),
        pytest.param(LineReading("λόγος", 0.99, 0.99), id="Greek"),
    ],
)
def test_what_the_tiny_model_is_unsure_of_or_does_not_know_is_read_by_the_small_one(reading: LineReading) -> None:
    assert cascaded(reading) == ("small", 1)


def test_a_long_line_of_which_next_to_nothing_came_back_is_read_again() -> None:
    assert cascaded(LineReading(". ,", 0.99, 0.99), letters=30) == ("small", 1)


def test_best_reads_more_lines_again_than_auto_and_auto_more_than_fast() -> None:
    asked = {speed: cascaded(LineReading("print", 0.95, 0.5), speed=speed)[1] for speed in ("best", "auto", "fast")}
    assert asked == {"best": 1, "auto": 1, "fast": 0}
    assert cascaded(LineReading("print", 0.95, 0.7), speed="best")[1] == 1
    assert cascaded(LineReading("print", 0.95, 0.7), speed="auto")[1] == 0


ALL = ("TensorrtExecutionProvider", "CUDAExecutionProvider", "AzureExecutionProvider", "CPUExecutionProvider")


def test_a_gpu_is_used_where_onnxruntime_supports_one() -> None:
    assert providers_for("auto", ALL) == ["TensorrtExecutionProvider", "CUDAExecutionProvider", "CPUExecutionProvider"]
    assert providers_for("cuda", ALL[1:]) == ["CUDAExecutionProvider", "CPUExecutionProvider"]
    assert providers_for("auto", ALL[2:]) == ["CPUExecutionProvider"]
    assert providers_for("cpu", ALL) == ["CPUExecutionProvider"]


def test_a_gpu_that_was_asked_for_and_is_not_there_is_an_error() -> None:
    with pytest.raises(EngineUnavailable, match="supports no NVIDIA GPU"):
        providers_for("cuda", ALL[2:])


@pytest.mark.parametrize(
    ("tiny", "small", "kept", "is_lost"),
    [
        (("76.5", 0.94), ("765", 0.99), "76.5", True),
        (("0.010", 0.92), ("0010", 0.95), "0.010", True),
        (("1.401", 0.9), ("1401", 0.97), "1401", True),
        (("0", 0.96), ("à", 0.32), "0", False),
        (("55.3", 0.96), ("553", 0.84), "55.3", True),
        (("765", 0.94), ("76.5", 0.93), "76.5", False),
        (("0", 0.59), ("o", 0.88), "o", False),
        (("res", 0.96), ("yes", 0.8), "yes", False),
    ],
)
def test_of_two_readings_of_a_number_the_surer_one_is_kept_and_no_decimal_point_is_lost(
    tiny: tuple[str, float], small: tuple[str, float], kept: str, is_lost: bool
) -> None:
    one, other = (Reads(LineReading(text, score, 0.5)) for text, score in (tiny, small))
    (read,) = CascadeRecognizer(one, other, speed="best")([line_of(2)])
    assert (read.text, read.lost) == (kept, is_lost)
