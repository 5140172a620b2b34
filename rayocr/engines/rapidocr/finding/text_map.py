"""Finds text boxes: the detection model marks pixels, and connected marks become rectangles (Differentiable Binarization).

The marks of all windows are merged before rectangles are made, so that a line can span several windows without being cut or found
twice at a seam.
"""

from __future__ import annotations

from typing import Any

from rayocr.engines.rapidocr.finding.windows import windows
from rayocr.engines.rapidocr.recognizer.runtime import Model, model_levels

# These are the settings of PaddleOCR and rapidocr for these models.
_MARKED = 0.3
_UNCLIP = 1.6
_LEAST_SIDE_PX = 3.0
_MULTIPLE_PX = 32  # the sides of the model's input are multiples of this


class TextDetector:
    """Finds text boxes, as `rayocr.engines.rapidocr.finding.detection.Detect`. `least_score` is the minimum score of
    returned boxes."""

    def __init__(self, model: Model, *, least_score: float) -> None:
        self._model = model
        self._least_score = least_score

    def __call__(self, gray: Any) -> tuple[Any, Any]:
        return boxes_of(self._marks(gray), least_score=self._least_score)

    def _marks(self, gray: Any) -> Any:
        """Returns the probability of text, 0..1, for each pixel of the image (height, width)."""
        import numpy as np

        marks = np.zeros(gray.shape, np.float32)
        for down, across in windows(gray):
            seen = self._marks_of(gray[down.start : down.end, across.start : across.end])
            taken = seen[
                down.first - down.start : down.last - down.start, across.first - across.start : across.last - across.start
            ]
            marks[down.first : down.last, across.first : across.last] = taken
        return marks

    def _marks_of(self, window: Any) -> Any:
        import cv2
        import numpy as np

        height, width = window.shape
        padded = cv2.copyMakeBorder(window, 0, -height % _MULTIPLE_PX, 0, -width % _MULTIPLE_PX, cv2.BORDER_REPLICATE)
        batch = np.empty((1, 3, *padded.shape), np.float32)
        batch[0] = cv2.LUT(padded, model_levels())
        return self._model.run(batch)[0, 0, :height, :width]


def boxes_of(marks: Any, *, least_score: float) -> tuple[Any, Any]:
    """Returns the corners (n, 4, 2), clockwise from the top left, and scores (n,) of the rectangles around marked pixels."""
    import cv2
    import numpy as np

    mask = cv2.dilate((marks > _MARKED).astype(np.uint8), np.ones((2, 2), np.uint8))
    contours, _ = cv2.findContours(mask, cv2.RETR_LIST, cv2.CHAIN_APPROX_SIMPLE)
    boxes, scores = [], []
    for contour in contours:
        center, (width, height), angle = cv2.minAreaRect(contour)
        if min(width, height) < _LEAST_SIDE_PX:
            continue
        score = _mean_inside(marks, cv2.boxPoints((center, (width, height), angle)))
        if score < least_score:
            continue
        # Total for both sides, since the model marks only the middle of lines.
        margin = _UNCLIP * width * height / (width + height)
        grown = width + margin, height + margin
        if min(grown) >= _LEAST_SIDE_PX + 2:
            boxes.append(_clockwise(cv2.boxPoints((center, grown, angle))))
            scores.append(score)
    if not boxes:
        return np.zeros((0, 4, 2), np.float32), np.zeros(0, np.float32)
    limits = np.array([marks.shape[1] - 1, marks.shape[0] - 1], np.float32)
    return np.clip(np.array(boxes, np.float32), 0, limits), np.array(scores, np.float32)


def _mean_inside(marks: Any, corners: Any) -> float:
    import cv2
    import numpy as np

    height, width = marks.shape
    x0, y0 = np.clip(np.floor(corners.min(axis=0)).astype(int), 0, (width - 1, height - 1))
    x1, y1 = np.clip(np.ceil(corners.max(axis=0)).astype(int), 0, (width - 1, height - 1))
    inside = np.zeros((y1 - y0 + 1, x1 - x0 + 1), np.uint8)
    cv2.fillPoly(inside, [(corners - (x0, y0)).astype(np.int32)], 1)
    return float(cv2.mean(marks[y0 : y1 + 1, x0 : x1 + 1], inside)[0])


def _clockwise(corners: Any) -> Any:
    """Orders the corners from the top left. The two left corners are found first, since lines of text are wide or upright."""
    by_x = corners[corners[:, 0].argsort(kind="stable")]
    left, right = by_x[:2], by_x[2:]
    top_left, bottom_left = left[left[:, 1].argsort(kind="stable")]
    top_right, bottom_right = right[right[:, 1].argsort(kind="stable")]
    import numpy as np

    return np.array([top_left, top_right, bottom_right, bottom_left], np.float32)
