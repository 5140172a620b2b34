from __future__ import annotations

import cv2
import numpy as np

from rayocr.pdf.shapes.components import components


def test_components_are_those_of_the_whole_picture():
    dice = np.random.default_rng(5)
    ink = np.zeros((400, 300), np.uint8)
    for _ in range(60):
        x, y, width, height = dice.integers(0, 280), dice.integers(0, 390), dice.integers(1, 40), dice.integers(1, 8)
        ink[y : y + height, x : x + width] = 255
    stats, centers = components(ink)
    _, _, expected, middles = cv2.connectedComponentsWithStats(ink, connectivity=8)
    order, other = np.lexsort(stats.T), np.lexsort(expected[1:].T)
    assert np.array_equal(stats[order], expected[1:][other])
    assert np.allclose(centers[order], middles[1:][other])


def test_white_picture_has_no_components():
    stats, centers = components(np.zeros((40, 30), np.uint8))
    assert stats.shape == (0, 5)
    assert centers.shape == (0, 2)


def test_raster_with_more_shapes_than_16_bits_count():
    ink = np.zeros((600, 600), np.uint8)
    ink[::2, ::2] = 255
    assert len(components(ink)[0]) == 90_000
