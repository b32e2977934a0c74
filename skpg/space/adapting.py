"""Distributions of other kinds, with the methods that dimensions ask for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import stats

from skpg.space.logrange import logrange
from skpg.space.types import FloatArray
from skpg.space.wording import describe

# Where it is told whether a quantile function has steps at whole numbers.
PROBABILITIES = np.linspace(0.005, 0.995, 100)


@dataclass(frozen=True, eq=False, repr=False)
class Quantiles:
    """A distribution with an ``icdf``, as scipy has them since 1.15, under the older names.

    These have neither ``ppf`` nor ``rvs``, and those that are discrete draw floats: here they
    draw ints.

    Parameters
    ----------
    distribution : object
        With ``icdf``; ``cdf``, ``pmf`` and ``support`` are used where it has them. What it has
        for the upper tail is not: in scipy 1.17 it fails for some.
    """

    distribution: Any

    def __post_init__(self) -> None:
        _restore(self.distribution)

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        _restore(self.distribution)

    def __getattr__(self, name: str) -> Any:
        if name == "sf":
            cdf = self.cdf
            return lambda x: 1 - cdf(x)
        if name not in ("cdf", "pmf", "support"):
            raise AttributeError(name)
        return getattr(self.distribution, name)

    def __repr__(self) -> str:
        return describe(self.distribution)

    def ppf(self, q: FloatArray) -> FloatArray:
        """Return the quantiles."""
        return np.asarray(self.distribution.icdf(q), dtype=float)

    def rvs(self, random_state: Any) -> float | int:
        """Return a draw, an int where all quantiles are whole."""
        drawn, steps = self.ppf(random_state.uniform()), self.ppf(PROBABILITIES)
        return int(drawn) if (steps == np.floor(steps)).all() else float(drawn)


@dataclass(frozen=True, eq=False, repr=False)
class Draws:
    """The empirical distribution of draws from an object that has nothing but ``rvs``.

    Parameters
    ----------
    source : object
    values : ndarray of shape (n,)
        Different floats, in increasing order. The quantiles between are interpolated.
    """

    source: Any
    values: FloatArray

    @property
    def _probabilities(self) -> FloatArray:
        return np.linspace(0.0, 1.0, len(self.values))

    def __repr__(self) -> str:
        return f"the draws of {describe(self.source)}"

    def support(self) -> tuple[float, float]:
        """Return the least and the greatest draw."""
        return float(self.values[0]), float(self.values[-1])

    def ppf(self, q: FloatArray) -> FloatArray:
        """Return the empirical quantiles."""
        return np.interp(q, self._probabilities, self.values)

    def cdf(self, x: FloatArray) -> FloatArray:
        """Return the probability below values."""
        return np.interp(x, self.values, self._probabilities)

    def sf(self, x: FloatArray) -> FloatArray:
        """Return the probability above values."""
        return 1 - self.cdf(x)


def from_skrub(value: Any) -> Any:
    """Return a choice of skrub as a list or a distribution, all else as it is.

    Only public fields are read, so that skrub need not be there.

    Raises
    ------
    ValueError
        If a choice is among the outcomes of another: the inner one would reach the estimator.
    """
    if isinstance(value, type):
        return value
    if all(hasattr(value, field) for field in ("outcomes", "outcome_names")):
        inner = next((o for o in value.outcomes if from_skrub(o) is not o), None)
        if inner is not None:
            raise ValueError(f"it has {inner!r} among its outcomes; choices cannot be nested.")
        return list(value.outcomes)
    if not all(hasattr(value, field) for field in ("low", "high", "log", "to_int")):
        return value
    if hasattr(value, "grid"):  # with n_steps
        return np.asarray(value.grid)
    if value.to_int:
        low, high = int(value.low), int(value.high)
        return logrange(low, high) if value.log else stats.randint(low, high + 1)
    if value.log:
        return stats.loguniform(value.low, value.high)
    return stats.uniform(value.low, value.high - value.low)


def _restore(distribution: Any) -> None:
    """Make of a copy of one of scipy's distributions what it was copied from.

    Of ``Normal(mu=..., sigma=...)``, also inside of others, scipy 1.15 to 1.17 makes a standard
    normal distribution when it is copied, as `clone` does, or pickled; the copy still holds the
    parameters.
    """
    parts = [*getattr(distribution, "__dict__", {}).values()]
    parts += getattr(distribution, "components", [])  # of a mixture
    for part in parts:
        if hasattr(type(part), "icdf"):
            _restore(part)
    if type(distribution).__name__ == "StandardNormal" and "mu=" in repr(distribution):
        distribution.__class__ = stats.Normal
    if hasattr(distribution, "reset_cache"):  # it holds methods of the wrong class
        distribution.reset_cache()
