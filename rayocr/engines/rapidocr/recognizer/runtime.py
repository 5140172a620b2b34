"""Runs ONNX models: with ONNX Runtime on one thread or on a GPU, or with OpenVINO.

ONNX Runtime uses one thread, because two threads need 4.3 CPU seconds for work that one thread does in 2.6; rayocr runs one
process per core instead. Both runtimes compute in 32-bit floats, so that results are the same on every machine: otherwise,
OpenVINO would round to 8 bits of mantissa on processors with bfloat16 instructions.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any, Protocol

from rayocr.errors import EngineUnavailable

_CPU = "CPUExecutionProvider"
_GPU = ("TensorrtExecutionProvider", "CUDAExecutionProvider")
_GPU_BATCH = 16  # number of lines; on one CPU thread, a batch is no faster than single lines


class Model(Protocol):
    batch_size: int  # number of pictures to read together for the highest speed

    def run(self, batch: Any) -> Any:
        """Returns the model's first output for a float32 batch (n, channels, height, width); valid until the next call."""


def load_model(path: Path, *, runtime: str = "onnxruntime", device: str = "cpu") -> Model:
    """Loads a model. Raises EngineUnavailable if the device is missing, ImportError, and the runtime's own errors for a damaged
    model."""
    return _OpenVinoModel(path) if runtime == "openvino" else _OnnxModel(path, device)


def providers_for(device: str, available: Sequence[str]) -> list[str]:
    """Returns ONNX Runtime's execution providers for `device` (auto, cpu, cuda), best first. Raises EngineUnavailable."""
    gpu = [provider for provider in _GPU if provider in available] if device != "cpu" else []
    if device == "cuda" and not gpu:
        raise EngineUnavailable(
            f"onnxruntime supports no NVIDIA GPU here (it supports {', '.join(available)}).",
            hint="pip install onnxruntime-gpu, or set engine.rapidocr.device=cpu.",
        )
    return [*gpu, _CPU]


@cache
def model_levels() -> Any:
    """Returns what the models expect for each gray level (256,): -1 to 1."""
    import numpy as np

    return np.arange(256, dtype=np.float32) / np.float32(127.5) - np.float32(1)


class _OnnxModel:
    def __init__(self, path: Path, device: str) -> None:
        from onnxruntime import InferenceSession, SessionOptions, get_available_providers

        options = SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        # The arena keeps its memory for the next call. Without it, a page takes 20,000 to 35,000 page faults, an eighth of its
        # CPU time. Without the pattern, the arena allocates tensor by tensor, which also halves the peak: a pattern is one block
        # per shape. The kept memory is bounded, since windows and lines have a maximum size.
        options.enable_cpu_mem_arena, options.enable_mem_pattern = True, False
        options.log_severity_level = 4
        providers = providers_for(device, get_available_providers())
        self._session = InferenceSession(str(path), options, providers=providers)
        self._input = self._session.get_inputs()[0].name
        # ONNX Runtime silently skips a provider whose libraries are missing.
        self.batch_size = _GPU_BATCH if self._session.get_providers()[0] in _GPU else 1

    def run(self, batch: Any) -> Any:
        return self._session.run(None, {self._input: batch})[0]


class _OpenVinoModel:
    batch_size = 1

    def __init__(self, path: Path) -> None:
        import openvino

        settings = {"INFERENCE_NUM_THREADS": 1, "NUM_STREAMS": "1", "INFERENCE_PRECISION_HINT": "f32"}
        self._request = openvino.Core().compile_model(str(path), "CPU", settings).create_infer_request()

    def run(self, batch: Any) -> Any:
        self._request.infer([batch], share_inputs=True)
        return self._request.get_output_tensor(0).data
