"""Trains the small network that classifies shapes as digits: two hidden layers of 72, Adam, and features with random errors."""

from __future__ import annotations

from typing import Any

import numpy as np

from rayocr.engines.tesseract.native_digits.shapes import SIDE

_HIDDEN, _BATCH = 72, 256
_RATE, _DECAY = 2e-3, 1e-4
_SOFT = 0.03  # share of each target that is spread over all classes
_LOST = 0.05  # share of the features that are set to zero
_PIXELS = SIDE * SIDE


class Network:
    def __init__(self, features: int, classes: int, seed: int) -> None:
        self._dice = np.random.default_rng(seed)
        self._classes = classes
        self.layers: list[Any] = []
        for inputs, outputs, gain in ((features, _HIDDEN, 2), (_HIDDEN, _HIDDEN, 2), (_HIDDEN, classes, 1)):
            weights = self._dice.normal(0, (gain / inputs) ** 0.5, (inputs, outputs))
            self.layers += [weights.astype(np.float32), np.zeros(outputs, np.float32)]

    def probabilities(self, features: Any) -> Any:
        """Returns the probability of each class, (shapes, classes), for features (shapes, features)."""
        return self._forward(features)[2]

    def train(self, features: Any, labels: Any, epochs: int) -> None:
        """`labels`: the numbers of the classes."""
        order, step = np.arange(len(labels)), 0
        steps = len(order) // _BATCH * epochs
        means, squares = ([np.zeros_like(layer) for layer in self.layers] for _ in range(2))
        for _ in range(epochs):
            self._dice.shuffle(order)
            for start in range(0, len(order) - _BATCH + 1, _BATCH):
                some = order[start : start + _BATCH]
                gradients = self._gradients(self._worn(features[some]), labels[some])
                step += 1
                rate = _RATE * (1 - step / (steps + 1))
                for n, gradient in enumerate(gradients):
                    gradient += _DECAY * self.layers[n] * (n % 2 == 0)
                    means[n] = 0.9 * means[n] + 0.1 * gradient
                    squares[n] = 0.999 * squares[n] + 0.001 * gradient**2
                    change = means[n] / (1 - 0.9**step) / (np.sqrt(squares[n] / (1 - 0.999**step)) + 1e-8)
                    self.layers[n] -= (rate * change).astype(np.float32)

    def _worn(self, features: Any) -> Any:
        """Returns the features with a shifted picture, other contrast, noise, another size and place, and some lost."""
        dice, rows = self._dice, len(features)
        worn = features.copy()
        picture, shift = worn[:, :_PIXELS].reshape(-1, SIDE, SIDE), dice.integers(-1, 2, 2)
        if dice.random() < 0.5:
            picture = np.roll(picture, shift, (1, 2))
        contrast, noise = dice.uniform(0.7, 1.2, (rows, 1)), dice.normal(0, 0.05, (rows, _PIXELS))
        worn[:, :_PIXELS] = np.clip(picture.reshape(-1, _PIXELS) * contrast + noise, 0, 1.2)
        worn[:, _PIXELS : _PIXELS + 2] *= dice.uniform(0.65, 1.5, (rows, 1))
        worn[:, _PIXELS + 2] = worn[:, _PIXELS + 2] * dice.uniform(0.65, 1.5, rows) + dice.normal(0, 0.15, rows)
        return (worn * (dice.random(worn.shape) > _LOST)).astype(np.float32)

    def _forward(self, features: Any) -> tuple[Any, Any, Any]:
        first = np.maximum(features @ self.layers[0] + self.layers[1], 0)
        second = np.maximum(first @ self.layers[2] + self.layers[3], 0)
        scores = second @ self.layers[4] + self.layers[5]
        scores = np.exp(scores - scores.max(axis=1, keepdims=True))
        return first, second, scores / scores.sum(axis=1, keepdims=True)

    def _gradients(self, features: Any, labels: Any) -> list[Any]:
        first, second, errors = self._forward(features)
        errors[np.arange(len(labels)), labels] -= 1 - _SOFT
        errors = (errors - _SOFT / self._classes) / len(labels)
        before = errors @ self.layers[4].T * (second > 0)
        start = before @ self.layers[2].T * (first > 0)
        return [features.T @ start, start.sum(0), first.T @ before, before.sum(0), second.T @ errors, errors.sum(0)]
