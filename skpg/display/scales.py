"""Hyperparameters as axes: where their values stand, and what is written there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from skpg.display.labels import short_names, value_labels
from skpg.display.record import SearchRecord
from skpg.space.dimensions import Branch, Choice, Continuous, Dimension, Discrete
from skpg.space.dimensions.quantiles import LARGEST_Z
from skpg.space.space import Space
from skpg.space.types import FloatArray

# Probabilities beyond which a range without ends, or with remote ones, is not shown unless a
# candidate lies there.
TAIL = 1e-3
# The ratio of the 90 % quantile to the 10 % quantile from which on an axis may be logarithmic.
LEAST_RATIO = 8.0


@dataclass(frozen=True, eq=False)
class Scale:
    """One hyperparameter as an axis.

    Attributes
    ----------
    name : str
        Of the hyperparameter.
    title : str
        The name in few characters, with its branches where not all have it.
    column : int
        Of the actions.
    dimension : Dimension
    logarithmic : bool
    low, high : float
        Range of the axis.
    ends : tuple of float or None
        The least and the greatest value of the user's range; None where it has no end.
    labels : tuple of str
        Of the choices, in the order in which they stand on the axis; empty for numbers.
    order : ndarray of int or None
        The choice at each place; None for numbers.
    """

    name: str
    title: str
    column: int
    dimension: Dimension
    logarithmic: bool
    low: float
    high: float
    ends: tuple[float | None, float | None] = (None, None)
    labels: tuple[str, ...] = ()
    order: NDArray[np.intp] | None = None

    @property
    def is_list(self) -> bool:
        """Whether it is a list of choices."""
        return self.order is not None

    @property
    def whole(self) -> bool:
        """Whether values are integers."""
        return isinstance(self.dimension, Discrete) and self.dimension.whole

    def positions(self, resolved: FloatArray) -> FloatArray:
        """Return where resolved numbers stand on the axis, nan for nan."""
        if self.order is None:
            return resolved
        places = np.append(np.argsort(self.order).astype(float), np.nan)
        return places[np.where(np.isnan(resolved), -1, resolved).astype(int)]

    def fractions(self, positions: FloatArray) -> FloatArray:
        """Return positions as fractions of the length of the axis."""
        low, high = self.low, self.high
        if self.logarithmic:
            low, high, positions = np.log(low), np.log(high), np.log(positions)
        return np.asarray((positions - low) / (high - low or 1.0))

    def grid(self, n: int) -> FloatArray:
        """Return at most about `n` resolved numbers from one end of the axis to the other."""
        if self.order is not None:
            return np.asarray(self.order, dtype=float)
        numbers = (np.geomspace if self.logarithmic else np.linspace)(self.low, self.high, n)
        if isinstance(self.dimension, Continuous):
            return np.asarray(numbers)
        atoms = getattr(self.dimension, "atoms", None)
        if atoms is None:  # too many to list: those that are drawn
            atoms = np.unique(self.dimension.resolve(np.linspace(-LARGEST_Z, LARGEST_Z, 20 * n)))
        return np.unique(atoms[np.minimum(np.searchsorted(atoms, numbers), len(atoms) - 1)])


def scales_of(record: SearchRecord, names: Sequence[str] | None = None) -> list[Scale]:
    """Return the axes of a record: of all hyperparameters, or of those with the given names.

    Those that have one value only are left out, unless nothing else is there.

    Raises
    ------
    TypeError
        If `names` is a str.
    ValueError
        If there is no hyperparameter of a name.
    """
    space = record.space
    known = {dimension.name for dimension in space.dimensions}
    if isinstance(names, str):
        raise TypeError(f"params must be a list of names, got {names!r}.")
    unknown = [name for name in names or () if name not in known]
    if unknown:
        raise ValueError(f"params must be names of hyperparameters, {sorted(known)}, got {unknown}")
    columns = [j for j, d in enumerate(space.dimensions) if names is None or d.name in names]
    if names is None:
        columns = [j for j in columns if space.dimensions[j].size > 1] or columns
    titles = _titles(space, columns)
    return [_scale(record, j, title) for j, title in zip(columns, titles, strict=True)]


def _titles(space: Space, columns: Sequence[int]) -> list[str]:
    """Return the names of hyperparameters, with branches where two have the same name."""
    dimensions = [space.dimensions[j] for j in columns]
    names = ["branch" if isinstance(d, Branch) else d.name for d in dimensions]
    short = dict(zip(dict.fromkeys(names), short_names(list(dict.fromkeys(names))), strict=True))
    titles = []
    for name, dimension in zip(names, dimensions, strict=True):
        title = short[name]
        if names.count(name) > 1 and dimension.branches is not None:
            labels = value_labels([branch_names(space)[b] for b in dimension.branches])
            title = f"{title}\n({', '.join(labels)})"
        titles.append(title)
    return titles


def branch_names(space: Space) -> list[str]:
    """Return the labels of branches, without the name that all of them begin with."""
    labels = space.branch_labels
    names = {label.partition("=")[0] for label in labels}
    single = len(names) == 1 and all("=" in label and ", " not in label for label in labels)
    return [label.partition("=")[2] if single else label for label in labels]


def _scale(record: SearchRecord, column: int, title: str) -> Scale:
    dimension = record.space.dimensions[column]
    if isinstance(dimension, Choice):
        branch = isinstance(dimension, Branch)
        choices = branch_names(record.space) if branch else dimension.choices
        order = np.argsort(dimension.ranks) if dimension.ordered else np.arange(len(choices))
        labels = value_labels([choices[k] for k in order])
        high = len(choices) - 0.5
        return Scale(
            dimension.name, title, column, dimension, False, -0.5, high,
            labels=tuple(labels), order=order,
        )  # fmt: skip
    seen = record.resolved[:, column]
    logarithmic = _is_logarithmic(dimension)
    low, high = _span(dimension, seen[~np.isnan(seen)], logarithmic)
    ends = _ends(dimension)
    return Scale(dimension.name, title, column, dimension, logarithmic, low, high, ends)


def _span(
    dimension: Continuous | Discrete, seen: FloatArray, logarithmic: bool
) -> tuple[float, float]:
    """Return the range of an axis: that of the user, without tails where nothing was seen."""
    low, high = dimension.resolve(ndtri(np.array([TAIL, 1 - TAIL])))
    least, greatest = _ends(dimension)
    if logarithmic and not (least is not None and least > 0):
        least = None
    if least is not None and low - least <= 0.5 * (high - low):
        low = least
    if greatest is not None and greatest - high <= 0.5 * (high - low):
        high = greatest
    seen = seen[np.isfinite(seen)]
    if len(seen):
        low, high = min(low, seen.min()), max(high, seen.max())
    if low == high:
        low, high = low - 0.5, high + 0.5
    return float(low), float(high)


def _ends(dimension: Continuous | Discrete) -> tuple[float | None, float | None]:
    """Return the ends of the user's range, None where values go on."""
    if isinstance(dimension, Continuous):
        low, high = dimension.low, dimension.high
    elif hasattr(dimension.distribution, "support"):
        low, high = dimension.distribution.support()
    else:
        low, high = dimension.resolve(np.array([-LARGEST_Z, LARGEST_Z]))
    return (
        float(low) if np.isfinite(low) else None,
        float(high) if np.isfinite(high) else None,
    )


def _is_logarithmic(dimension: Continuous | Discrete) -> bool:
    """Whether the quantiles of a distribution are more symmetric on a logarithmic axis."""
    below, middle, above = dimension.resolve(ndtri(np.array([0.1, 0.5, 0.9])))
    if not (below > 0 and above / below >= LEAST_RATIO):
        return False
    linear = abs(np.log((above - middle) / max(middle - below, 1e-300)))
    logarithmic = abs(np.log(np.log(above / middle) / max(np.log(middle / below), 1e-300)))
    return bool(logarithmic < linear)
