"""Lists of choices."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from skpg.space.dimensions.base import BaseDimension, read_only
from skpg.space.equality import equal_content, same
from skpg.space.scalars import (
    equal_up_to_rounding,
    is_nan,
    is_number,
    sort_key,
    to_float,
    to_native,
)
from skpg.space.types import FloatArray
from skpg.space.wording import written


@dataclass(frozen=True, eq=False)
class Choice(BaseDimension):
    """A list of values, of any type.

    Parameters
    ----------
    name : str
    choices : tuple
        The distinct values, in the order of the list.
    weights : ndarray of shape (n_choices,)
        Probabilities at the start: a value that is listed twice is twice as likely.
    branches : tuple of int or None, default=None
    """

    choices: tuple[Any, ...]
    weights: FloatArray

    def __post_init__(self) -> None:
        weights = read_only(self.weights)
        if not self.choices or weights.shape != (len(self.choices),):
            raise ValueError(
                f"{self.name!r} must have one weight for each of at least one choice, got "
                f"{len(self.choices)} choices and weights of shape {weights.shape}."
            )
        if not ((weights > 0).all() and np.isclose(weights.sum(), 1.0)):
            raise ValueError(
                f"the weights of {self.name!r} must be positive and sum to 1, got {weights}."
            )
        object.__setattr__(self, "weights", weights)

    def same_values(self, other: object) -> bool:
        """Whether another list has the same choices, in the same order, as likely."""
        return (
            type(other) is type(self)
            and len(other.choices) == len(self.choices)
            and all(map(same, self.choices, other.choices))
            and np.array_equal(self.weights, other.weights)
        )

    @property
    def size(self) -> float:
        """Number of distinct values."""
        return len(self.choices)

    @cached_property
    def ordered(self) -> bool:
        """Whether the values are more than two numbers, so that their order means something."""
        return len(self.choices) > 2 and all(is_number(value) for value in self.choices)

    @cached_property
    def nominal(self) -> bool:
        """Whether the values have no order that means something."""
        return not self.ordered

    @cached_property
    def median(self) -> int:
        """Index of the median of ordered choices."""
        order = np.argsort(self.ranks)
        below = np.cumsum(self.weights[order])
        return int(order[np.searchsorted(below, 0.5 - 1e-9)])

    @cached_property
    def ranks(self) -> FloatArray:
        """Position of each choice in increasing order, in (0, 1); for ordered choices."""
        ranks = np.empty(len(self.choices))
        order = sorted(range(len(ranks)), key=lambda k: sort_key(self.choices[k]))
        ranks[order] = np.arange(len(ranks))
        return (ranks + 0.5) / len(ranks)

    def resolve(self, actions: FloatArray) -> FloatArray:
        """Return the indices themselves."""
        return actions

    def action(self, resolved: FloatArray) -> FloatArray:
        """Return the indices themselves."""
        return resolved

    def values(self, resolved: FloatArray) -> list[Any]:
        """Return the very objects of the list."""
        return [self.choices[int(index)] for index in resolved]

    def all_actions(self) -> FloatArray:
        """Return all indices."""
        return np.arange(self.size)

    def find_exact(self, value: object) -> float:
        """Return the index of the very object, else of one of the same type and content."""
        return self._index_of(
            lambda choice: choice is value,
            lambda choice: same(choice, value),
        )

    def find(self, value: object) -> float:
        """Return the index of what `find_exact` finds, else of the most similar choice.

        That is one that is equal as numbers and sequences are, then a number that is the same
        up to rounding, then None for nan, which data frames write for it.
        """
        native = to_native(value)
        return self._index_of(
            lambda choice: choice is value,
            lambda choice: same(choice, value),
            lambda choice: same(choice, native),
            lambda choice: equal_content(choice, native),
            lambda choice: equal_up_to_rounding(to_float(choice), to_float(native)),
            lambda choice: choice is None and is_nan(native),
        )

    def _index_of(self, *tests: Callable[[Any], bool]) -> float:
        """Return the first index for the first of the tests that some choice passes, else nan."""
        for test in tests:
            for index, choice in enumerate(self.choices):
                if test(choice):
                    return float(index)
        return float("nan")

    def unknown_message(self, value: object) -> str:
        """Say that `value` is not in the list."""
        choices = written(list(self.choices))
        return f"{self.name}={written(value)} is not among the choices {choices}."


@dataclass(frozen=True, eq=False)
class Unordered(Choice):
    """A list of values whose order means nothing, even if they are numbers."""

    @property
    def ordered(self) -> bool:
        """False."""
        return False


@dataclass(frozen=True, eq=False)
class Ordered(Choice):
    """A list of values, of any type, in an order that means something."""

    @property
    def ordered(self) -> bool:
        """True."""
        return True

    @cached_property
    def ranks(self) -> FloatArray:
        """Position of each choice in the list, in (0, 1)."""
        return (np.arange(len(self.choices)) + 0.5) / len(self.choices)


@dataclass(frozen=True, eq=False)
class Branch(Unordered):
    """Which dict of a list of dicts a candidate belongs to; the choices are their numbers."""
