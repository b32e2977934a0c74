"""What is asked of the distributions that users pass.

A distribution is a frozen one of `scipy.stats`, or any object that has ``ppf`` and ``rvs``;
`skpg.space.adapting` gives these to others.
``isf``, ``cdf`` and ``sf``, ``pmf`` and ``support`` are used where it has them.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.special import ndtr
from scipy.stats import rv_continuous

from skpg.space.types import FloatArray

# Phi(8) is 1 - 6e-16: beyond it a quantile function only sees 0 or 1.
LARGEST_Z = 8.0
# Bisections of a range of z after which it is as narrow as doubles are.
BISECTIONS = 60


def has_cdf(distribution: Any) -> bool:
    """Whether a distribution tells the probabilities below and above a value."""
    return hasattr(distribution, "cdf") and hasattr(distribution, "sf")


def has_pmf(distribution: Any) -> bool:
    """Whether a distribution has all that scipy's discrete ones have."""
    return all(callable(getattr(distribution, name, None)) for name in ("pmf", "cdf", "support"))


def value_at(distribution: Any, z: FloatArray, *, unchecked: bool = False) -> FloatArray:
    """Return ``F^-1(Phi(z))``, from the nearer tail where the distribution offers both.

    Parameters
    ----------
    distribution : object
    z : ndarray
    unchecked : bool, default=False
        Whether `unchecked_is_exact`.
    """
    z = np.minimum(np.maximum(z, -LARGEST_Z), LARGEST_Z)
    if not hasattr(distribution, "isf"):
        return np.asarray(distribution.ppf(ndtr(z)), dtype=float)
    below: Callable[[FloatArray], FloatArray] = distribution.ppf
    beyond: Callable[[FloatArray], FloatArray] = distribution.isf
    if unchecked:
        below, beyond = _without_checks(distribution)
    values, above = np.empty(z.shape), z > 0
    # scipy takes as long for no numbers as for a hundred
    for method, rows in ((below, ~above), (beyond, above)):
        if rows.any():
            values[rows] = method(ndtr(-np.abs(z[rows])))
    return values


def unchecked_is_exact(distribution: Any) -> bool:
    """Whether the formulas of a distribution of scipy give the bits of its public methods.

    They are what a subclass of `scipy.stats.rv_continuous` defines; the checks of arguments
    around them take ten times as long.
    """
    if not isinstance(getattr(distribution, "dist", None), rv_continuous):
        return False
    z = np.linspace(-LARGEST_Z, LARGEST_Z, 41)
    with warnings.catch_warnings():  # of the ends, where some formulas do not converge
        warnings.simplefilter("ignore")
        expected, found = value_at(distribution, z), value_at(distribution, z, unchecked=True)
    return bool(np.array_equal(expected, found))


def _without_checks(
    distribution: Any,
) -> tuple[Callable[[FloatArray], FloatArray], Callable[[FloatArray], FloatArray]]:
    """Return the formulas of the quantile from below and from above."""
    family = distribution.dist
    shapes, loc, scale = family._parse_args(*distribution.args, **distribution.kwds)

    def below(q: FloatArray) -> FloatArray:
        return np.asarray(family._ppf(q, *(np.full(q.shape, s) for s in shapes)) * scale + loc)

    def above(q: FloatArray) -> FloatArray:
        return np.asarray(family._isf(q, *(np.full(q.shape, s) for s in shapes)) * scale + loc)

    return below, above


def greatest_z(value_of: Callable[[FloatArray], FloatArray], values: FloatArray) -> FloatArray:
    """Return the greatest ``z`` whose value is at most the given one, found by bisection.

    Parameters
    ----------
    value_of : callable
        A non-decreasing function from ``z`` to values.
    values : ndarray
    """
    low, high = np.full(values.shape, -LARGEST_Z), np.full(values.shape, LARGEST_Z)
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        below = value_of(middle) <= values
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    return low


def cdf_by_bisection(
    value_of: Callable[[FloatArray], FloatArray], values: FloatArray
) -> FloatArray:
    """Return the probability of at most each value, of a distribution that has no ``cdf``."""
    return np.asarray(ndtr(greatest_z(value_of, values)))


def ends_of_support(distribution: Any) -> tuple[float, float]:
    """Return the ends of a continuous distribution, infinite where it has none."""
    if hasattr(distribution, "support"):
        low, high = distribution.support()
    else:
        with np.errstate(all="ignore"):  # they may be infinite
            low, high = distribution.ppf(np.array([0.0, 1.0]))
    return (-np.inf if np.isnan(low) else float(low)), (np.inf if np.isnan(high) else float(high))


def truncate(values: FloatArray) -> FloatArray:
    """Return values without their fractions, as `int` does, but for errors of rounding."""
    nearest = np.rint(values)
    return np.where(np.isclose(values, nearest, rtol=1e-15, atol=0.0), nearest, np.trunc(values))
