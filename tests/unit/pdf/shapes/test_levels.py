from __future__ import annotations

import numpy as np
import pytest

from rayocr.pdf.shapes.levels import levels


@pytest.mark.parametrize("shape", [(1, 1), (1, 2), (7, 5), (40, 300)])
def test_levels_are_numpys_percentiles(shape):
    gray = np.random.default_rng(shape[1]).integers(0, 256, shape).astype(np.uint8)
    wanted = (0, 2, 15, 50, 80, 99.5, 100)
    assert levels(gray, *wanted) == pytest.approx(np.percentile(gray, wanted).tolist())


def test_levels_of_a_slice():
    gray = np.random.default_rng(3).integers(0, 256, (60, 60)).astype(np.uint8)
    assert levels(gray[5:50:2, 7:31], 30) == pytest.approx([np.percentile(gray[5:50:2, 7:31], 30)])
