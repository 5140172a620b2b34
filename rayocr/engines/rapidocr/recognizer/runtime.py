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


@cache
def _share_memory() -> None:
    """Lets all models of the process share one arena, which keeps its memory for the next call. Otherwise, a page would take
    20,000 to 35,000 page faults, an eighth of its CPU time. The kept memory is bounded, since windows and lines have a maximum
    size."""
    from onnxruntime import OrtAllocatorType, OrtArenaCfg, OrtMemoryInfo, OrtMemType, create_and_register_allocator

    memory = OrtMemoryInfo("Cpu", OrtAllocatorType.ORT_ARENA_ALLOCATOR, 0, OrtMemType.DEFAULT)
    defaults = {"max_mem": 0, "arena_extend_strategy": 0, "initial_chunk_size_bytes": -1, "max_dead_bytes_per_chunk": -1}
    create_and_register_allocator(memory, OrtArenaCfg(defaults))


class _OnnxModel:
    def __init__(self, path: Path, device: str) -> None:
        from onnxruntime import InferenceSession, SessionOptions, get_available_providers

        options = SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        # A pattern would allocate one block for each shape, which the arena can seldom use for another shape.
        options.enable_cpu_mem_arena, options.enable_mem_pattern = True, False
        options.log_severity_level = 4
        providers = providers_for(device, get_available_providers())
        if providers == [_CPU]:
            _share_memory()
            options.add_session_config_entry("session.use_env_allocators", "1")
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
