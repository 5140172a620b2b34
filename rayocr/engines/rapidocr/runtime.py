"""Runs ONNX models on one thread: with OpenVINO where it is installed, else with ONNX Runtime.

One thread, because two threads of ONNX Runtime burn 4.3 CPU seconds on what one does in 2.6: there is one process per core
instead. Both runtimes compute in 32-bit floats, so that a page reads the same on every machine: on processors with bfloat16
instructions OpenVINO would otherwise round to 8 bits of mantissa.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal, Protocol

Runtime = Literal["openvino", "onnxruntime"]


class Model(Protocol):
    def run(self, batch: Any) -> Any:
        """The model's first output for a float32 batch (n, channels, height, width); valid until the next call."""


def default_runtime() -> Runtime:
    return "openvino" if find_spec("openvino") is not None else "onnxruntime"


def load_model(path: Path, *, runtime: Runtime | None = None) -> Model:
    """Raises ImportError, and whatever the runtime raises for a damaged model."""
    return _OpenVinoModel(path) if (runtime or default_runtime()) == "openvino" else _OnnxModel(path)


class _OnnxModel:
    def __init__(self, path: Path) -> None:
        from onnxruntime import InferenceSession, SessionOptions

        options = SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.enable_cpu_mem_arena = False  # the arena keeps the memory of the largest page for good
        options.log_severity_level = 4
        self._session = InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        self._input = self._session.get_inputs()[0].name

    def run(self, batch: Any) -> Any:
        return self._session.run(None, {self._input: batch})[0]


class _OpenVinoModel:
    def __init__(self, path: Path) -> None:
        import openvino

        settings = {"INFERENCE_NUM_THREADS": 1, "NUM_STREAMS": "1", "INFERENCE_PRECISION_HINT": "f32"}
        self._request = openvino.Core().compile_model(str(path), "CPU", settings).create_infer_request()

    def run(self, batch: Any) -> Any:
        self._request.infer([batch], share_inputs=True)
        return self._request.get_output_tensor(0).data
