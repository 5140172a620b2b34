"""The runtime keeps its memory between calls. Uses the real detection model."""

from __future__ import annotations

import resource

import numpy as np
import pytest

from rayocr.engines.rapidocr.recognizer.models import model_file
from rayocr.engines.rapidocr.recognizer.runtime import load_model


@pytest.mark.skipif(not hasattr(resource, "RUSAGE_THREAD"), reason="only Linux counts the page faults of a thread")
def test_the_second_picture_of_a_size_needs_no_new_memory() -> None:
    model, picture = load_model(model_file("det"), device="cpu"), np.zeros((1, 3, 320, 320), np.float32)
    model.run(picture)
    before = resource.getrusage(resource.RUSAGE_THREAD).ru_minflt
    model.run(picture)
    assert resource.getrusage(resource.RUSAGE_THREAD).ru_minflt - before < 500
