"""What a model of the rewards sees of actions: the rows of a design matrix.

Distributions and ordered lists are *numeric*: one number in [0, 1]. Unordered lists are
*nominal*: one level per choice. A choice may *switch off* other hyperparameters, as a linear
kernel does with its width; these are then *inert*.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from skpg.space.dimensions import Choice, Discrete
from skpg.space.space import Space
from skpg.space.types import FloatArray


@dataclass(frozen=True, eq=False)
class Features:
    """The columns of a design matrix: numbers in [0, 1], then one-hot levels.

    Each hyperparameter has a *group* of columns: first the numeric ones, then the nominal ones.

    Parameters
    ----------
    n_numeric : int
        Number of distributions and ordered lists.
    levels : tuple of int, default=()
        Number of choices of each unordered list.
    off : ndarray of bool of shape (sum(levels), n_groups) or None, default=None
        Which hyperparameters each choice of an unordered list switches off.
    """

    n_numeric: int
    levels: tuple[int, ...] = ()
    off: NDArray[np.bool_] | None = None

    @classmethod
    def of(cls, space: Space) -> Features:
        """Return the features of a space, in which a branch switches off those of the others."""
        nominal = [d.nominal for d in space.dimensions]
        levels = tuple(int(d.size) for d in space.dimensions if d.nominal)
        features = cls(len(nominal) - len(levels), levels)
        if space.branches == 1:
            return features
        off = np.zeros((sum(levels), features.n_groups), dtype=bool)
        for group, j in enumerate(np.argsort(nominal, kind="stable")):
            branches = space.dimensions[j].branches
            if branches is not None:  # the branch is the first of the lists
                off[: space.branches, group] = ~np.isin(np.arange(space.branches), branches)
        return replace(features, off=off)

    def with_off(self, off: NDArray[np.bool_] | None) -> Features:
        """Return features in which choices switch off more; None where they do not."""
        if off is None:
            return self
        return replace(self, off=off if self.off is None else self.off | off)

    @property
    def n_groups(self) -> int:
        """Number of hyperparameters."""
        return self.n_numeric + len(self.levels)

    @cached_property
    def groups(self) -> NDArray[np.intp]:
        """The hyperparameter of each column of the design matrix."""
        lists = np.repeat(self.n_numeric + np.arange(len(self.levels)), self.levels)
        return np.concatenate([np.arange(self.n_numeric), lists]).astype(np.intp)

    def design(self, numeric: FloatArray, nominal: NDArray[np.intp]) -> FloatArray:
        """Return rows in which two choices of an unordered list are at distance 1.

        Parameters
        ----------
        numeric : ndarray of shape (n, n_numeric)
        nominal : ndarray of int of shape (n, n_nominal)
            As `numbers_and_choices` returns them.

        Returns
        -------
        ndarray of shape (n, n_columns)
            A level that is chosen is ``sqrt(0.5)``, others are 0.
        """
        width = sum(self.levels)
        columns = nominal + np.cumsum(self.levels, dtype=int) - self.levels  # of the choices
        onehot = np.repeat(columns, self.levels, axis=1) == np.arange(width)
        return np.hstack([numeric, onehot * np.sqrt(0.5)])

    def inert(self, x: FloatArray) -> NDArray[np.bool_]:
        """Return which hyperparameters are switched off in each row, of shape (n, n_groups)."""
        if self.off is None:
            return np.zeros((len(x), self.n_groups), dtype=bool)
        return np.asarray((x[:, self.n_numeric :] > 0) @ self.off)

    def without_inert(self, x: FloatArray) -> FloatArray:
        """Return rows in which what is switched off looks like what is inactive.

        That is 0.5 for a number and 0 for all levels of a list.
        """
        if self.off is None:
            return x
        absent = np.where(self.groups < self.n_numeric, 0.5, 0.0)
        return np.where(self.inert(x)[:, self.groups], absent, x)

    def main_effects(self, x: FloatArray) -> FloatArray:
        """Return linear and quadratic terms (Legendre on [0, 1]) and centred levels.

        Those of hyperparameters that are switched off are zero.
        """
        n = self.n_numeric
        u, onehot = 2 * x[:, :n] - 1, np.sqrt(2.0) * x[:, n:]
        centred = onehot - np.repeat([1 / k for k in self.levels], self.levels)
        linear, quadratic = np.sqrt(3.0) * u, np.sqrt(1.25) * (3 * u * u - 1)
        if self.off is not None:
            active = ~self.inert(x)
            linear, quadratic = linear * active[:, :n], quadratic * active[:, :n]
            centred = centred * active[:, self.groups[n:]]
        return np.hstack([linear, quadratic, centred]) / np.sqrt(max(self.n_groups, 1))


def numbers_and_choices(space: Space, actions: FloatArray) -> tuple[FloatArray, NDArray[np.intp]]:
    """Return actions as numbers in [0, 1] and as indices of choices of unordered lists.

    Parameters
    ----------
    space : Space
    actions : ndarray of shape (n, n_dimensions)

    Returns
    -------
    numeric : ndarray of shape (n, n_numeric)
        In [0, 1]: the probability below the *evaluated* value (so that what rounds to
        the same integer is the same), or the position of a choice among ordered
        numbers; 0.5 where inactive.
    nominal : ndarray of int of shape (n, n_nominal)
        Index of the choice; -1 where inactive.
    """
    active = space.active(actions)
    everywhere = active.all()
    n, lists = len(actions), sum(d.nominal for d in space.dimensions)
    numeric = np.full((len(space.dimensions) - lists, n), 0.5)
    nominal = np.full((lists, n), -1, dtype=np.intp)
    units, codes = iter(numeric), iter(nominal)
    for j, dimension in enumerate(space.dimensions):
        rows = slice(None) if everywhere else active[:, j]
        column = actions[rows, j]
        if dimension.nominal:
            next(codes)[rows] = column
        elif isinstance(dimension, Choice):
            next(units)[rows] = dimension.ranks[column.astype(int)]
        elif isinstance(dimension, Discrete):
            next(units)[rows] = dimension.mid_cdf_of_actions(column)
        else:
            next(units)[rows] = ndtr(column)
    return numeric.T, nominal.T


def design(space: Space, actions: FloatArray) -> FloatArray:
    """Return the design matrix of actions, of shape (n, n_columns)."""
    return Features.of(space).design(*numbers_and_choices(space, actions))


def without_inert(features: Features, space: Space, action: FloatArray) -> FloatArray:
    """Return an action with nan for the hyperparameters that its choices switch off.

    Parameters
    ----------
    features : Features
    space : Space
    action : ndarray of shape (n_dimensions,)

    Returns
    -------
    ndarray of shape (n_dimensions,)
    """
    nominal = [d.nominal for d in space.dimensions]
    column_of_group = np.argsort(nominal, kind="stable")
    inert = features.inert(design(space, action[None]))[0]
    remaining = action.copy()
    remaining[column_of_group[inert]] = np.nan
    return remaining
