"""What all dimensions have in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from skpg.space.types import FloatArray


@dataclass(frozen=True, eq=False)
class BaseDimension(ABC):
    """What all dimensions have in common.

    Parameters
    ----------
    name : str
        Name of the hyperparameter.
    branches : tuple of int or None, default=None
        The dicts of a list of dicts that it belongs to; None: to all.
    """

    name: str
    branches: tuple[int, ...] | None = field(default=None, kw_only=True)

    @property
    def nominal(self) -> bool:
        """Whether the values have no order that means something."""
        return False

    @abstractmethod
    def same_values(self, other: object) -> bool:
        """Whether another dimension has the same values with the same probabilities."""

    @property
    @abstractmethod
    def size(self) -> float:
        """Number of distinct values, ``inf`` where they cannot be listed."""

    @abstractmethod
    def resolve(self, actions: FloatArray) -> FloatArray:
        """Return the resolved numbers of actions, both of shape (n,)."""

    @abstractmethod
    def action(self, resolved: FloatArray) -> FloatArray:
        """Return actions that `resolve` to the given numbers, both of shape (n,)."""

    @abstractmethod
    def values(self, resolved: FloatArray) -> list[Any]:
        """Return the values of resolved numbers, as estimators get them."""

    @abstractmethod
    def all_actions(self) -> FloatArray:
        """Return one action for each value, of shape (size,), where `size` is finite."""

    @abstractmethod
    def find_exact(self, value: object) -> float:
        """Return the resolved number of what `values` returned, or of a copy; else nan."""

    @abstractmethod
    def find(self, value: object) -> float:
        """Return the resolved number of a value that a user gave, nan if it is unknown.

        Finds all that `find_exact` finds, and also what has lost its type on its way, as in a
        row of a data frame or in JSON, or its last digits.
        """

    def identify(self, value: object) -> float:
        """Return what `find` returns.

        Raises
        ------
        ValueError
            If the value is unknown.
        """
        resolved = self.find(value)
        if np.isnan(resolved):
            raise ValueError(self.unknown_message(value))
        return resolved

    @abstractmethod
    def unknown_message(self, value: object) -> str:
        """Return the message of the error that a value is unknown."""


def read_only(array: Any) -> FloatArray:
    """Return a copy that cannot be written to."""
    copy = np.array(array, dtype=float)
    copy.setflags(write=False)
    return copy
