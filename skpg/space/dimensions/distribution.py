"""Distributions, continuous and discrete."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from skpg.space.dimensions.base import BaseDimension, read_only
from skpg.space.dimensions.quantiles import (
    LARGEST_Z,
    cdf_by_bisection,
    greatest_z,
    has_cdf,
    has_pmf,
    truncate,
    unchecked_is_exact,
    value_at,
)
from skpg.space.scalars import equal_up_to_rounding, to_float
from skpg.space.types import FloatArray
from skpg.space.wording import describe


@dataclass(frozen=True, eq=False)
class FromDistribution(BaseDimension):
    """What `Continuous` and `Discrete` have in common.

    Parameters
    ----------
    name : str
    distribution : object
        With ``ppf`` and ``rvs``, as `skpg.space.dimensions.quantiles` describes.
    branches : tuple of int or None, default=None
    """

    distribution: Any

    def same_values(self, other: object) -> bool:
        """Whether another distribution has the same quantiles."""
        z = np.linspace(-LARGEST_Z, LARGEST_Z, 65)
        return (
            isinstance(other, FromDistribution)
            and type(other) is type(self)
            and other.value_type is self.value_type
            and np.array_equal(self.resolve(z), other.resolve(z))
        )

    @property
    @abstractmethod
    def value_type(self) -> type:
        """The type of the values."""

    @abstractmethod
    def is_drawn(self, resolved: FloatArray) -> NDArray[np.bool_]:
        """Return which numbers some action resolves to.

        The support of a distribution may go on where actions do not reach: there is next to
        no probability.
        """

    def find_exact(self, value: object) -> float:
        """Return `value` as a float if it has the type of the values and can be drawn."""
        number = to_float(value)
        known = type(value) is self.value_type and self.is_drawn(np.array([number]))[0]
        return number if known else float("nan")

    def unknown_message(self, value: object) -> str:
        """Say that `value` is outside of the support."""
        return f"{self.name}={value!r} has probability zero under {describe(self.distribution)}."


@dataclass(frozen=True, eq=False)
class Continuous(FromDistribution):
    """A continuous distribution; its values are floats.

    Parameters
    ----------
    name : str
    distribution : object
    low, high : float, default=-inf, inf
        The ends of its support.
    branches : tuple of int or None, default=None
    """

    low: float = -np.inf
    high: float = np.inf

    def __post_init__(self) -> None:
        if not self.low <= self.high:
            raise ValueError(
                f"the support of {self.name!r} must not end before it begins, got "
                f"[{self.low}, {self.high}]."
            )

    @property
    def size(self) -> float:
        """Infinity."""
        return np.inf

    @property
    def value_type(self) -> type:
        """`float`."""
        return float

    @cached_property
    def drawn_range(self) -> tuple[float, float]:
        """The least and the greatest value that some action resolves to."""
        low, high = self.resolve(np.array([-LARGEST_Z, LARGEST_Z])).tolist()
        return low, high

    @cached_property
    def _unchecked(self) -> bool:
        return unchecked_is_exact(self.distribution)

    def resolve(self, actions: FloatArray) -> FloatArray:
        """Return the values ``F^-1(Phi(z))``."""
        values = value_at(self.distribution, actions, unchecked=self._unchecked)
        # rounding may step over a bound, and estimators check bounds; + 0.0: no negative zero
        values = np.maximum(values, self.low)
        return np.asarray(np.minimum(values, self.high) + 0.0)

    def action(self, resolved: FloatArray) -> FloatArray:
        """Return ``Phi^-1(F(x))``, from the nearer tail for the sake of precision."""
        if not has_cdf(self.distribution):
            return greatest_z(self.resolve, resolved)
        below = ndtri(self.distribution.cdf(resolved))
        above = -ndtri(self.distribution.sf(resolved))
        return np.clip(np.where(below > 0, above, below), -LARGEST_Z, LARGEST_Z)

    def values(self, resolved: FloatArray) -> list[Any]:
        """Return native floats."""
        return list(resolved.tolist())

    def all_actions(self) -> FloatArray:
        """Raise a ValueError: there are infinitely many."""
        raise ValueError(f"the values of {self.name!r} cannot be listed.")

    def find_exact(self, value: object) -> float:
        """Return `value` if it is a float that can be drawn."""
        return self._clipped(super().find_exact(value))

    def find(self, value: object) -> float:
        """Return `value` as a float of the support, nan outside of it.

        An end of the support may have been rounded: ``0.3 + 0.6 < 0.9``.
        """
        number = to_float(value)
        nearest = self._clipped(number)
        known = equal_up_to_rounding(nearest, number, self.low, self.high)
        if not has_cdf(self.distribution):  # it may have gaps
            known = known and bool(self.is_drawn(np.array([nearest]))[0])
        return nearest if known else float("nan")

    def is_drawn(self, resolved: FloatArray) -> NDArray[np.bool_]:
        """Return which numbers some action resolves to."""
        if has_cdf(self.distribution):
            low, high = self.drawn_range
            return np.asarray((low <= resolved) & (resolved <= high))
        # a quantile function alone may have steps
        return np.isclose(self.resolve(self.action(resolved)), resolved, rtol=1e-9, atol=1e-12)

    def _clipped(self, number: float) -> float:
        """Return the nearest number of the support, nan for nan."""
        return min(max(number, self.low), self.high)


@dataclass(frozen=True, eq=False)
class Discrete(FromDistribution):
    """A discrete distribution; an atom owns the range of ``z`` that its probability covers.

    Parameters
    ----------
    name : str
    distribution : object
    atoms : ndarray of shape (n_atoms,) or None, default=None
        The values that have a probability, in increasing order; None: too many to list.
        With this table a look-up is a hundred times faster than scipy's quantile function.
    cumulative : ndarray of shape (n_atoms,) or None, default=None
        The probability of at most each atom.
    whole : bool, default=True
        Whether values are ints, as those that the distribution draws, and not floats.
    branches : tuple of int or None, default=None
    """

    atoms: FloatArray | None = None
    cumulative: FloatArray | None = None
    whole: bool = True

    def __post_init__(self) -> None:
        if self.atoms is None and self.cumulative is None:
            return
        if (
            self.atoms is None
            or self.cumulative is None
            or self.atoms.shape != self.cumulative.shape
        ):
            raise ValueError(
                f"{self.name!r} must have one cumulative probability per atom, got the atoms "
                f"{self.atoms} and the cumulative probabilities {self.cumulative}."
            )
        for table in ("atoms", "cumulative"):
            object.__setattr__(self, table, read_only(getattr(self, table)))

    @cached_property
    def pmf_is_known(self) -> bool:
        """Whether the distribution tells the probabilities of what it draws."""
        if not has_pmf(self.distribution):
            return False
        # scipy draws integers also where a fraction was added to them
        return not self.whole or float(self.distribution.ppf(0.5)).is_integer()

    @property
    def size(self) -> float:
        """Number of atoms, infinite where there are too many to list."""
        return np.inf if self.atoms is None else len(self.atoms)

    @property
    def value_type(self) -> type:
        """`int` or `float`."""
        return int if self.whole else float

    def resolve(self, actions: FloatArray) -> FloatArray:
        """Return the values ``F^-1(Phi(z))``."""
        if self.atoms is None or self.cumulative is None:
            values = value_at(self.distribution, actions)
            return np.asarray(truncate(values) if self.whole else values) + 0.0
        return self.atoms[self._index(actions)]

    def action(self, resolved: FloatArray) -> FloatArray:
        """Return the ``z`` of the middle of the atom's range."""
        return np.clip(ndtri(self.mid_cdf(resolved)), -LARGEST_Z, LARGEST_Z)

    def mid_cdf(self, resolved: FloatArray) -> FloatArray:
        """Return ``P(X < x) + P(X = x) / 2`` of atoms: the middle of the range of each."""
        if self.atoms is not None:
            return self._middles[np.searchsorted(self.atoms, resolved)]
        if self.pmf_is_known:
            cdf, pmf = self.distribution.cdf(resolved), self.distribution.pmf(resolved)
            return np.asarray(cdf - pmf / 2, dtype=float)
        before = cdf_by_bisection(self.resolve, resolved - 1)
        return (before + cdf_by_bisection(self.resolve, resolved)) / 2

    def mid_cdf_of_actions(self, actions: FloatArray) -> FloatArray:
        """Return ``mid_cdf(resolve(actions))``."""
        if self.atoms is None:
            return self.mid_cdf(self.resolve(actions))
        return self._mid_cdf_of_atoms[self._index(actions)]

    @cached_property
    def _middles(self) -> FloatArray:
        assert self.cumulative is not None
        return self.cumulative - np.diff(self.cumulative, prepend=0.0) / 2

    @cached_property
    def _mid_cdf_of_atoms(self) -> FloatArray:
        assert self.atoms is not None
        return self.mid_cdf(self.atoms)

    def _index(self, actions: FloatArray) -> NDArray[np.intp]:
        """Return the positions of actions in the table."""
        assert self.cumulative is not None
        return self.cumulative[:-1].searchsorted(ndtr(actions))

    def values(self, resolved: FloatArray) -> list[Any]:
        """Return native ints, or floats where the distribution draws floats."""
        if not self.whole:
            return list(resolved.tolist())
        return [int(value) if value.is_integer() else value for value in resolved.tolist()]

    def all_actions(self) -> FloatArray:
        """Return the actions of all atoms."""
        if self.atoms is None:
            raise ValueError(f"the values of {self.name!r} cannot be listed.")
        return self.action(self.atoms)

    def find(self, value: object) -> float:
        """Return the atom that equals `value` up to rounding, nan where there is none."""
        number = to_float(value)
        if self.atoms is None:
            return number if self._is_atom(np.array([number]))[0] else float("nan")
        nearest = float(self.atoms[np.argmin(np.abs(self.atoms - number))])
        known = equal_up_to_rounding(number, nearest, *self.atoms[[0, -1]])
        return nearest if known else float("nan")

    def is_drawn(self, resolved: FloatArray) -> NDArray[np.bool_]:
        """Return which numbers some action resolves to."""
        if self.atoms is None:
            known, atoms = self._is_atom(resolved), resolved
        else:
            index = np.searchsorted(self.atoms, resolved)
            atoms = self.atoms[np.minimum(index, len(self.atoms) - 1)]
            known = atoms == resolved
        return np.asarray(known & (np.abs(ndtri(self.mid_cdf(atoms))) <= LARGEST_Z))

    def _is_atom(self, resolved: FloatArray) -> NDArray[np.bool_]:
        """Return which numbers have a probability; for distributions without a table."""
        if self.pmf_is_known:
            return np.asarray(self.distribution.pmf(resolved) > 0)
        return np.asarray(self.resolve(self.action(resolved)) == resolved)
