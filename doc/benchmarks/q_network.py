"""A small network with its gradient, and Adam, on one vector of weights in numpy."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


class QNetwork:
    """Layers of rectified linear units, from states to the values of both actions.

    All weights are one vector, of which the layers are views: a step of the optimiser or a copy
    is then a few passes over one array. Inputs end in a column of ones, so that the last row of
    each layer is its bias.

    Parameters
    ----------
    hidden : sequence of int
        Units of the hidden layers; none for a linear network.
    rng : Generator
        Draws the weights from U(-1/sqrt(n), 1/sqrt(n)) for n inputs, as PyTorch does.
    dtype : type, default=numpy.float32
    """

    def __init__(self, hidden: Sequence[int], rng: np.random.Generator, dtype: type = np.float32):
        sizes = [4, *hidden, 2]
        self.shapes = [(n + 1, m) for n, m in itertools.pairwise(sizes)]
        bound = np.concatenate([np.full(n * m, 1 / math.sqrt(n - 1)) for n, m in self.shapes])
        self._hold(rng.uniform(-bound, bound).astype(dtype))

    def _hold(self, weights: Array) -> None:
        self.weights, self.layers = weights, self._views(weights)
        self.gradient = np.zeros_like(weights)
        self._layer_gradients = self._views(self.gradient)
        self._reserve(1)

    def __getstate__(self) -> dict[str, Any]:
        return {"shapes": self.shapes, "weights": self.weights}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.shapes = state["shapes"]
        self._hold(state["weights"])

    def _views(self, vector: Array) -> list[Array]:
        parts = np.split(vector, np.cumsum([n * m for n, m in self.shapes])[:-1])
        return [part.reshape(shape) for part, shape in zip(parts, self.shapes, strict=True)]

    def _reserve(self, n: int) -> None:
        self._hidden = [np.ones((n, m + 1), self.weights.dtype) for _, m in self.shapes[:-1]]
        self._capacity = n

    def values(self, inputs: Array) -> Array:
        """Return values of shape (n, 2) for inputs of shape (n, 5)."""
        return self._forward(inputs)[-1]

    def _forward(self, inputs: Array) -> list[Array]:
        n = len(inputs)
        if n > self._capacity:
            self._reserve(n)
        outputs = [inputs]
        for layer, memory in zip(self.layers[:-1], self._hidden, strict=True):
            hidden = memory[:n]
            np.matmul(outputs[-1], layer, out=hidden[:, :-1])
            outputs.append(np.maximum(hidden, 0, out=hidden))
        return [*outputs, outputs[-1] @ self.layers[-1]]

    def gradient_of_loss(self, inputs: Array, actions: Array, targets: Array) -> Array:
        """Return the gradient of ``mean((value of the action - target)**2)``, which is reused."""
        *outputs, values = self._forward(inputs)
        rows = np.arange(len(inputs))
        error = np.zeros_like(values)
        error[rows, actions] = (values[rows, actions] - targets) * (2 / len(inputs))
        for k in range(len(self.layers) - 1, -1, -1):
            np.matmul(outputs[k].T, error, out=self._layer_gradients[k])
            if k:
                error = error @ self.layers[k][:-1].T
                error *= outputs[k][:, :-1] > 0
        return self.gradient


class Adam:
    """Adam on one vector: Kingma and Ba (2015), arXiv:1412.6980, with a limit on the gradient.

    The moments are kept without their factors ``1 - beta``, which go into the step size.
    """

    BETA_1, BETA_2, EPSILON = 0.9, 0.999, 1e-8
    # The moments of units that are never active would decay to subnormal numbers, which cost the
    # processor ten times as much as others.
    NEARLY_ZERO = 1e-18

    def __init__(self, weights: Array, learning_rate: float, max_grad_norm: float):
        self.weights, self.learning_rate = weights, learning_rate
        self.max_grad_norm = max_grad_norm
        self._first, self._second = np.zeros_like(weights), np.zeros_like(weights)
        self._scratch = np.empty_like(weights)
        self._n = 0

    def step(self, gradient: Array) -> None:
        """Move the weights against the gradient, in place; the gradient is overwritten."""
        self._n += 1
        norm = math.sqrt(float(gradient @ gradient))
        if norm > self.max_grad_norm:
            gradient *= self.max_grad_norm / norm
        gradient += self.NEARLY_ZERO
        self._first *= self.BETA_1
        self._first += gradient
        gradient *= gradient
        self._second *= self.BETA_2
        self._second += gradient
        first = (1 - self.BETA_1) / (1 - self.BETA_1**self._n)
        second = math.sqrt((1 - self.BETA_2) / (1 - self.BETA_2**self._n))
        move = np.sqrt(self._second, out=self._scratch)
        move += self.EPSILON / second
        np.divide(self._first, move, out=move)
        move *= self.learning_rate * first / second
        self.weights -= move
