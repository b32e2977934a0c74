"""Integers on a logarithmic scale."""

from __future__ import annotations

import numbers
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from skpg.space.lists import generator_of

# Up to here each integer is a float.
LARGEST = 2**53


@dataclass(frozen=True)
class LogRange:
    r"""The integers from `low` to `high`, each as likely as its share of a logarithmic scale.

    .. math:: P(k) = \log \frac{k + 1}{k} \Big/ \log \frac{high + 1}{low}

    That is the distribution of the integer part of a log-uniform number between `low` and
    ``high + 1``. It has the methods of a frozen distribution of `scipy.stats` that searches use,
    in skpg as in scikit-learn.

    Parameters
    ----------
    low, high : int
        ``1 <= low <= high``; both are included.
    """

    low: int
    high: int

    def __post_init__(self) -> None:
        for name in ("low", "high"):
            value = getattr(self, name)
            if not isinstance(value, numbers.Integral) or isinstance(value, bool):
                raise TypeError(f"{name} of logrange must be an int, got {value!r}.")
            object.__setattr__(self, name, int(value))
        if not 1 <= self.low <= self.high <= LARGEST:
            raise ValueError(
                "logrange must have 1 <= low <= high <= 2**53, got "
                f"low={self.low} and high={self.high}."
            )

    def __repr__(self) -> str:
        return f"logrange({self.low}, {self.high})"

    @cached_property
    def _total(self) -> float:
        return float(np.log1p((self.high + 1 - self.low) / self.low))

    def support(self) -> tuple[int, int]:
        """Return `low` and `high`."""
        return self.low, self.high

    def pmf(self, k: Any) -> Any:
        """Return the probability of each `k`, 0 where it is none of the integers."""
        k = np.asarray(k, dtype=float)
        known = (k >= self.low) & (k <= self.high) & (k == np.floor(k))
        return np.where(known, np.log1p(1 / np.where(known, k, 1.0)) / self._total, 0.0)[()]

    def cdf(self, k: Any) -> Any:
        """Return the probability of at most each `k`."""
        k = np.clip(np.floor(np.asarray(k, dtype=float)), self.low - 1, self.high)
        return (np.log1p((k + 1 - self.low) / self.low) / self._total)[()]

    def sf(self, k: Any) -> Any:
        """Return the probability of more than each `k`."""
        return 1 - self.cdf(k)

    def ppf(self, q: Any) -> Any:
        """Return the least integer whose `cdf` is at least each `q`, nan outside of [0, 1]."""
        q = np.asarray(q, dtype=float)
        with np.errstate(invalid="ignore"):
            valid = (q >= 0) & (q <= 1)
        k = np.ceil(self.low * np.exp(np.where(valid, q, 0.0) * self._total)) - 1
        k = np.where(self.cdf(k - 1) >= q, k - 1, k)  # the exponential was rounded
        k = np.where(self.cdf(k) < q, k + 1, k)
        return np.where(valid, np.clip(k, self.low, self.high), np.nan)[()]

    def rvs(self, size: Any = None, random_state: Any = None) -> Any:
        """Return an int, or an array of ints of shape `size`.

        Parameters
        ----------
        size : int or tuple of int, default=None
        random_state : int, numpy Generator, RandomState or None, default=None
            None draws others each time; numpy's global state is never used.
        """
        drawn = self.ppf(generator_of(random_state).uniform(size=size))
        return int(drawn) if size is None else drawn.astype(np.int64)


def logrange(low: int, high: int) -> LogRange:
    """Return the distribution of integers on a logarithmic scale, both ends included.

    Each integer has the probability of its share of the scale, proportional to
    ``log((k + 1) / k)``: 1 to 10 is about as likely as 10 to 100. It is to `randint` what
    `loguniform` is to `uniform`, for hyperparameters such as the number of trees.

    Parameters
    ----------
    low, high : int
        ``1 <= low <= high``.

    Returns
    -------
    LogRange
        A frozen distribution with the methods ``rvs``, ``pmf``, ``cdf``, ``sf``, ``ppf`` and
        ``support``, as those of `scipy.stats` have them. `RandomizedSearchCV` takes it as well.

    Raises
    ------
    TypeError, ValueError
        If they are not such ints.

    Examples
    --------
    >>> from skpg import logrange
    >>> trees = logrange(1, 1000)
    >>> trees
    logrange(1, 1000)
    >>> trees.ppf([0.25, 0.5, 0.75])
    array([  5.,  31., 177.])
    >>> trees.rvs(random_state=0)
    81
    """
    return LogRange(low, high)
