"""The space of hyperparameters: candidates to actions and back."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skpg.space.dimensions import Branch, Choice, Dimension
from skpg.space.parsing import parse
from skpg.space.types import FloatArray, Params
from skpg.space.wording import written

# Characters of a value that a label shows.
LONGEST_LABEL = 30


class Space:
    """The space of hyperparameters: an ordered tuple of dimensions.

    Parameters
    ----------
    param_distributions : dict or list of dicts
        Hyperparameter names to lists of choices (any sequence or one-dimensional array,
        of any objects), `Categorical` and `Ordinal` lists, frozen `scipy.stats` distributions,
        continuous or discrete, `logrange`, or other objects with ``rvs(random_state=...)``, best
        with ``ppf``, which takes arrays. Values are int where ``rvs`` draws integers.
        Of a list of dicts, a candidate belongs to one dict; at the start each is equally
        likely. An empty dict among others stands for the estimator as it is. What stands in
        several dicts under one name, with the same values, is one hyperparameter; but not
        parameters of a part, such as ``model__alpha``, where the part itself differs.

    Attributes
    ----------
    dimensions : tuple
        `Choice` and its kinds, `Continuous` and `Discrete` values, one per column of an
        action; of several dicts the first one is a `Branch`.
    columns : tuple of tuple of int
        Columns of the hyperparameters of each branch, in the order of its dict.
    branches : int
        Number of dicts.
    size : float
        Number of distinct candidates, ``inf`` with a continuous distribution.

    Raises
    ------
    TypeError, ValueError
        Where an entry is not one of the above, naming the hyperparameter.

    Notes
    -----
    An *action* is one row of floats, one column per dimension: the index of the choice for a
    list, a real ``z`` for a distribution, nan for a hyperparameter of another branch. Many
    actions may stand for one candidate. They *resolve* to one row: the index of each choice,
    and the value itself for a distribution.

    Examples
    --------
    >>> import numpy as np
    >>> from scipy.stats import loguniform, randint
    >>> from skpg.space.space import Space
    >>> space = Space({"weights": ["uniform", "distance"], "n_neighbors": randint(1, 31)})
    >>> space.size
    60.0
    >>> space.decode(np.array([[1.0, 0.0]]))
    [{'weights': 'distance', 'n_neighbors': 15}]
    >>> space.resolve(np.array([[1.0, 0.0], [1.0, 0.01]]))
    array([[ 1., 15.],
           [ 1., 16.]])
    """

    def __init__(self, param_distributions: Mapping[str, Any] | Sequence[Mapping[str, Any]]):
        self.dimensions, self.columns = parse(param_distributions)
        first = self.dimensions[0]
        self.branches = len(first.choices) if isinstance(first, Branch) else 1

    @cached_property
    def branch_labels(self) -> tuple[str, ...]:
        """What distinguishes each branch: the lists of one choice that not all have.

        The number of the branch where nothing does.
        """
        fixed = [
            [d for j in columns if isinstance(d := self.dimensions[j], Choice) and d.size == 1]
            for columns in self.columns
        ]
        labels = [
            ", ".join(f"{d.name}={_short(d.choices[0])}" for d in of_branch if d.branches)
            for of_branch in fixed
        ]
        return tuple(
            label if label and labels.count(label) == 1 else f"branch {number}"
            for number, label in enumerate(labels)
        )

    @cached_property
    def size(self) -> float:
        """Number of distinct candidates; those of two branches count twice."""
        return float(sum(self.part_sizes))

    @property
    def part_sizes(self) -> list[float]:
        """Number of candidates of each part, which is a dict."""
        return [
            float(np.prod([self.dimensions[j].size for j in columns])) for columns in self.columns
        ]

    def part_of(self, actions: FloatArray) -> NDArray[np.intp]:
        """Return the number of the part that each row belongs to; -1 where it is unknown."""
        if self.branches == 1:
            return np.zeros(len(actions), dtype=np.intp)
        return actions[:, 0].astype(np.intp)

    def active(self, actions: FloatArray) -> NDArray[np.bool_]:
        """Return which columns exist in the branch of each row, of the shape of `actions`."""
        if self.branches == 1:
            return np.ones(actions.shape, dtype=bool)
        return self._exists[np.nan_to_num(actions[:, 0]).astype(int)]

    def resolve(self, actions: FloatArray) -> FloatArray:
        """Reduce actions to what is evaluated.

        Parameters
        ----------
        actions : ndarray of shape (n, n_dimensions)

        Returns
        -------
        ndarray of shape (n, n_dimensions)
            Index of the choice, or the value itself; nan where inactive.

        Raises
        ------
        ValueError
            If an active hyperparameter has no value.
        """
        resolved = np.full(actions.shape, np.nan)
        active = self.active(actions)
        for j, dimension in enumerate(self.dimensions):
            rows = active[:, j]
            if rows.any():
                resolved[rows, j] = dimension.resolve(actions[rows, j])
        for j, i in np.argwhere((active & np.isnan(resolved)).T):
            name = self.dimensions[j].name
            raise ValueError(f"{name!r} has no value at the action {actions[i, j]}.")
        return resolved

    def decode(self, actions: FloatArray) -> list[Params]:
        """Return the params of actions, a list of n dicts of native Python values."""
        resolved = self.resolve(actions)
        active = self.active(actions)
        columns = []
        for j, dimension in enumerate(self.dimensions):
            column = np.empty(len(actions), dtype=object)
            rows = np.flatnonzero(active[:, j])
            # element by element: numpy would unpack choices that are arrays or tuples
            for i, value in zip(rows, dimension.values(resolved[rows, j]), strict=True):
                column[i] = value
            columns.append(column)
        return [
            {self.dimensions[j].name: columns[j][i] for j in self.columns[self._branch_of(row)]}
            for i, row in enumerate(resolved)
        ]

    def encode(self, params: Iterable[Mapping[str, Any]]) -> FloatArray:
        """Return actions whose `decode` is `params`.

        Parameters
        ----------
        params : iterable of dict

        Returns
        -------
        ndarray of shape (n, n_dimensions)

        Raises
        ------
        TypeError, ValueError
            As `identify`.
        """
        rows = [self.identify(candidate) for candidate in params]
        resolved = np.array(rows).reshape(-1, len(self.dimensions))
        actions = np.full(resolved.shape, np.nan)
        active = self.active(resolved)
        for j, dimension in enumerate(self.dimensions):
            actions[active[:, j], j] = dimension.action(resolved[active[:, j], j])
        return actions

    def identify(self, params: Mapping[str, Any]) -> FloatArray:
        """Return the resolved row of one candidate, in the first branch that has it.

        Parameters
        ----------
        params : dict or row of a data frame

        Returns
        -------
        ndarray of shape (n_dimensions,)

        Raises
        ------
        TypeError
            If the candidate is not a dict.
        ValueError
            If the names are not those of a branch, or a value is not in the space.
        """
        candidate = _as_dict(params)
        # what was drawn is found where it was drawn, not where something similar is
        for find in (_find_exact, _find):
            for number in range(self.branches):
                row = self._row(number, candidate, find)
                if row is not None:
                    return row
        reasons = [self._unknown_message(number, candidate) for number in range(self.branches)]
        raise ValueError(f"{written(candidate)} is not in the space. " + " ".join(reasons))

    def canonical(self, params: Mapping[str, Any]) -> Params:
        """Return the candidate with the values that `decode` returns for it.

        A candidate of a data frame, of JSON or typed in may have 15.0 for 15, and 1 for True.

        Raises
        ------
        TypeError, ValueError
            As `identify`.
        """
        row = self.identify(params)
        return {
            self.dimensions[j].name: self.dimensions[j].values(row[j : j + 1])[0]
            for j in self.columns[self._branch_of(row)]
        }

    def keys(self, actions: FloatArray) -> list[bytes]:
        """Return hashable names of candidates: equal if and only if the params are."""
        resolved = self.resolve(actions)
        for earlier, later in self._branches_with_equal_names:
            rows = np.flatnonzero(resolved[:, 0] == later)
            if len(rows):
                moved = self._to_branch(earlier, resolved[rows], later)
                found = ~np.isnan(moved[:, list(self.columns[earlier])]).any(axis=1)
                resolved[rows[found]] = moved[found]
        return [row.tobytes() for row in resolved]

    def key(self, params: Mapping[str, Any]) -> bytes:
        """Return the key of one candidate, the same as that of its action."""
        return self.identify(params).tobytes()

    def grid(self) -> FloatArray:
        """Return an action for every candidate of a finite space.

        Returns
        -------
        ndarray of shape (size, n_dimensions)
        """
        rows = []
        for number, columns in enumerate(self.columns):
            axes = [self.dimensions[j].all_actions() for j in columns]
            for combination in itertools.product(*axes):
                row = self._empty_row(number)
                row[list(columns)] = combination
                rows.append(row)
        return np.array(rows)

    def _empty_row(self, number: int) -> FloatArray:
        """Return a row of nan but for the number of the branch."""
        row = np.full(len(self.dimensions), np.nan)
        if self.branches > 1:
            row[0] = number
        return row

    def _branch_of(self, row: FloatArray) -> int:
        return int(row[0]) if self.branches > 1 else 0

    def _row(
        self, number: int, params: Params, find: Callable[[Dimension, object], float]
    ) -> FloatArray | None:
        """Return the resolved row of a candidate in one branch; None where it is unknown."""
        columns = self.columns[number]
        if {self.dimensions[j].name for j in columns} != set(params):
            return None
        row = self._empty_row(number)
        for j in columns:
            row[j] = find(self.dimensions[j], params[self.dimensions[j].name])
            if np.isnan(row[j]):
                return None
        return row

    def _unknown_message(self, number: int, params: Params) -> str:
        """Say why a branch does not have a candidate."""
        dimensions = [self.dimensions[j] for j in self.columns[number]]
        names = [d.name for d in dimensions]
        if set(names) != set(params):
            return f"Expected values for {names}, got {list(params)}."
        unknown = (d for d in dimensions if np.isnan(d.find(params[d.name])))
        return next(d.unknown_message(params[d.name]) for d in unknown)

    @cached_property
    def _exists(self) -> NDArray[np.bool_]:
        """Which columns exist in each branch."""
        exists = np.zeros((self.branches, len(self.dimensions)), dtype=bool)
        exists[:, 0] = True  # the branch itself
        for number, columns in enumerate(self.columns):
            exists[number, list(columns)] = True
        return exists

    @cached_property
    def _branches_with_equal_names(self) -> list[tuple[int, int]]:
        """Pairs of branches, the earlier one first, in which the same params may be drawn."""
        names = [{self.dimensions[j].name for j in columns} for columns in self.columns]
        pairs = itertools.combinations(range(self.branches), 2)
        return [(earlier, later) for earlier, later in pairs if names[earlier] == names[later]]

    def _to_branch(self, target: int, resolved: FloatArray, source: int) -> FloatArray:
        """Return resolved rows of one branch as rows of another, nan where it lacks a value."""
        moved = np.full(resolved.shape, np.nan)
        moved[:, 0] = target
        column_of = {self.dimensions[j].name: j for j in self.columns[source]}
        for j in self.columns[target]:
            column = column_of[self.dimensions[j].name]
            moved[:, j] = _converted(
                resolved[:, column], self.dimensions[column], self.dimensions[j]
            )
        return moved


def _short(value: object) -> str:
    """Return a value in a few characters: an estimator by its class."""
    name = type(value).__name__
    if hasattr(value, "get_params"):
        return name if not isinstance(value, type) else value.__name__
    return written(value) if len(written(value)) <= LONGEST_LABEL else name


def _find_exact(dimension: Dimension, value: object) -> float:
    return dimension.find_exact(value)


def _find(dimension: Dimension, value: object) -> float:
    return dimension.find(value)


def _converted(resolved: FloatArray, source: Dimension, target: Dimension) -> FloatArray:
    """Return resolved numbers of one dimension as those of another, nan where it has none."""
    if isinstance(source, Choice):
        found = [target.find_exact(choice) for choice in source.choices]
        return np.array(found)[resolved.astype(int)]
    if isinstance(target, Choice):
        unique, inverse = np.unique(resolved, return_inverse=True)
        found = [target.find_exact(value) for value in source.values(unique)]
        return np.array(found)[inverse]
    if source.value_type is not target.value_type:
        return np.full(len(resolved), np.nan)
    return np.where(target.is_drawn(resolved), resolved, np.nan)


def _as_dict(params: Any) -> Params:
    """Return a candidate as a dict; a row of a data frame is as good as a dict."""
    if isinstance(params, Mapping) or (hasattr(params, "keys") and hasattr(params, "iloc")):
        return dict(params)
    raise TypeError(
        "A candidate must be a dict from names of hyperparameters to values, "
        f"got {written(params)} of type {type(params).__name__}."
    )
