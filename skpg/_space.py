"""The space of hyperparameters: what a user may pass, and how it becomes numbers.

An *action* is one row of floats, one column per dimension of the space:

- the index of the choice for a list (a categorical actor draws it),
- a real ``z`` for a distribution with quantile function ``F^-1`` (a Gaussian actor
  draws it); the value is ``F^-1(Phi(z))`` with ``Phi`` the standard normal
  distribution function, so that ``z ~ N(0, 1)`` *is* the user's distribution: equation 12
  (probit) of the user guide,
- nan for a hyperparameter that does not exist in the branch that was drawn (a list of
  dicts has a first column that holds the branch).
"""

from __future__ import annotations

import itertools
import numbers
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats
from scipy.special import ndtr, ndtri

FloatArray = NDArray[np.float64]
Params = dict[str, Any]

# Phi(8) is 1 - 6e-16: beyond it a quantile function only sees 0 or 1.
LARGEST_Z = 8.0
# A discrete distribution with more atoms than this is decoded by its own quantile function.
LARGEST_TABLE = 10_000


@dataclass(frozen=True, eq=False)
class Choice:
    """A list of values; a value that is listed twice is twice as likely at the start.

    Attributes
    ----------
    name : str
    choices : tuple
        The distinct values, in the order of the list.
    weights : ndarray of shape (n_choices,)
        Probabilities at the start.
    branch : int or None
        The dict of a list of dicts that it belongs to; None: to all.
    """

    name: str
    choices: tuple[Any, ...]
    weights: FloatArray
    branch: int | None = None

    @property
    def size(self) -> float:
        """Number of distinct values."""
        return len(self.choices)

    @cached_property
    def ordered(self) -> bool:
        """Whether the values are more than two numbers, so that their order means something."""
        return len(self.choices) > 2 and all(_is_number(value) for value in self.choices)

    @cached_property
    def ranks(self) -> FloatArray:
        """Position of each choice in increasing order, in (0, 1); for ordered choices."""
        ranks = np.empty(len(self.choices))
        ranks[np.argsort(np.array(self.choices, dtype=float))] = np.arange(len(self.choices))
        return (ranks + 0.5) / len(self.choices)

    def resolve(self, column: FloatArray) -> FloatArray:
        """Return the indices themselves."""
        return column

    def action(self, resolved: FloatArray) -> FloatArray:
        """Return the indices themselves."""
        return resolved

    def values(self, resolved: FloatArray) -> list[Any]:
        """Return the very objects of the list."""
        return [self.choices[int(index)] for index in resolved]

    def identify(self, value: object) -> float:
        """Return the index of `value`, found by identity first, then by equality."""
        for index, choice in enumerate(self.choices):
            if choice is value:
                return float(index)
        equal = [k for k, choice in enumerate(self.choices) if _equal(choice, value)]
        for index in equal:  # among 1, True and 1.0 the one of its own type
            if type(self.choices[index]) is type(value):
                return float(index)
        if equal:
            return float(equal[0])
        raise ValueError(f"{self.name}={value!r} is not among the choices {list(self.choices)!r}.")


@dataclass(frozen=True, eq=False)
class Branch(Choice):
    """The dict of a list of dicts that a candidate belongs to; the order means nothing."""

    @property
    def ordered(self) -> bool:
        """False: the numbers of the dicts are names."""
        return False


@dataclass(frozen=True, eq=False)
class Continuous:
    """A continuous distribution, seen through its quantile function."""

    name: str
    distribution: Any
    low: float = -np.inf
    high: float = np.inf
    branch: int | None = None
    size: float = np.inf

    def resolve(self, column: FloatArray) -> FloatArray:
        """Return the values ``F^-1(Phi(z))``."""
        # rounding may step over a bound, and estimators check bounds; + 0.0: no negative zero
        values = np.clip(_quantile(self.distribution, column), self.low, self.high)
        return np.asarray(values + 0.0)

    def values(self, resolved: FloatArray) -> list[Any]:
        """Return native floats."""
        return list(resolved.tolist())

    def identify(self, value: object) -> float:
        """Return `value` as a float, checked to lie in the support."""
        if not _is_number(value) or not self.low <= value <= self.high:  # type: ignore[operator]
            raise ValueError(_outside(self.name, value, self.distribution))
        return float(value) + 0.0  # type: ignore[arg-type]

    def action(self, resolved: FloatArray) -> FloatArray:
        """Return ``Phi^-1(F(x))``, from the nearer tail for the sake of precision."""
        below = ndtri(self.distribution.cdf(resolved))
        if hasattr(self.distribution, "sf"):
            above = -ndtri(self.distribution.sf(resolved))
            below = np.where(below > 0, above, below)
        return np.clip(below, -LARGEST_Z, LARGEST_Z)


@dataclass(frozen=True, eq=False)
class Discrete:
    """A discrete distribution; an atom owns the range of ``z`` that its probability covers.

    ``atoms`` and ``cumulative`` (their distribution function) are tabulated where the
    support is small: a look-up is a hundred times faster than scipy's quantile function.
    """

    name: str
    distribution: Any
    atoms: FloatArray | None = None
    cumulative: FloatArray | None = None
    branch: int | None = None

    @property
    def size(self) -> float:
        """Number of atoms, infinite where there are too many to tabulate."""
        return np.inf if self.atoms is None else len(self.atoms)

    def resolve(self, column: FloatArray) -> FloatArray:
        """Return the values ``F^-1(Phi(z))``."""
        if self.atoms is None or self.cumulative is None:
            return np.asarray(_quantile(self.distribution, column), dtype=float) + 0.0
        index = np.searchsorted(self.cumulative[:-1], ndtr(column), side="left")
        return self.atoms[index]

    def values(self, resolved: FloatArray) -> list[Any]:
        """Return native ints (floats where an atom is not whole)."""
        return [int(value) if value.is_integer() else value for value in resolved.tolist()]

    def identify(self, value: object) -> float:
        """Return `value` as a float, checked to be an atom."""
        if _is_number(value):
            resolved = float(value) + 0.0  # type: ignore[arg-type]
            if self.atoms is None:
                known = self.distribution.pmf(resolved) > 0
            else:
                known = resolved in self.atoms
            if known:
                return resolved
        raise ValueError(_outside(self.name, value, self.distribution))

    def action(self, resolved: FloatArray) -> FloatArray:
        """Return the ``z`` of the middle of the atom's range."""
        return np.clip(ndtri(self.middle(resolved)), -LARGEST_Z, LARGEST_Z)

    def middle(self, resolved: FloatArray) -> FloatArray:
        """Return the probability below the middle of the atom."""
        if self.atoms is None or self.cumulative is None:
            cdf, pmf = self.distribution.cdf(resolved), self.distribution.pmf(resolved)
            return np.asarray(cdf - pmf / 2, dtype=float)
        middles = self.cumulative - np.diff(self.cumulative, prepend=0.0) / 2
        return middles[np.searchsorted(self.atoms, resolved)]


Dimension = Choice | Continuous | Discrete


class Space:
    """The space of hyperparameters: an ordered tuple of dimensions.

    Parameters
    ----------
    param_distributions : dict or list of dicts
        Hyperparameter names to lists of choices (any sequence or one-dimensional array,
        of any objects) or to frozen `scipy.stats` distributions, continuous or discrete.
        Of a list of dicts, a candidate belongs to one dict; at the start each is equally
        likely. An empty dict among others stands for the estimator as it is.

    Attributes
    ----------
    dimensions : tuple
        `Choice`, `Continuous` and `Discrete` values, one per column of an action; of
        several dicts the first one is a `Branch`.
    branches : int
        Number of dicts.
    size : float
        Number of distinct candidates, ``inf`` with a continuous distribution.

    Raises
    ------
    TypeError, ValueError
        Where an entry is not one of the above, naming the hyperparameter.

    Examples
    --------
    >>> import numpy as np
    >>> from scipy.stats import loguniform, randint
    >>> from skpg._space import Space
    >>> space = Space({"weights": ["uniform", "distance"], "n_neighbors": randint(1, 31)})
    >>> space.size
    60.0
    >>> space.decode(np.array([[1.0, 0.0]]))
    [{'weights': 'distance', 'n_neighbors': 15}]
    """

    def __init__(self, param_distributions: Mapping[str, Any] | Sequence[Mapping[str, Any]]):
        branches = _check_branches(param_distributions)
        dimensions: list[Dimension] = []
        if len(branches) > 1:
            weights = np.full(len(branches), 1 / len(branches))
            dimensions.append(Branch("branch", tuple(range(len(branches))), weights))
        for number, branch in enumerate(branches):
            of = number if len(branches) > 1 else None
            dimensions += [_dimension(name, value, of) for name, value in branch.items()]
        self.dimensions = tuple(dimensions)
        self.branches = len(branches)

    @cached_property
    def columns(self) -> tuple[tuple[int, ...], ...]:
        """Columns of the hyperparameters of each branch."""
        first = int(self.branches > 1)
        if not first:
            return (tuple(range(len(self.dimensions))),)
        return tuple(
            tuple(j for j, d in enumerate(self.dimensions) if d.branch == number)
            for number in range(self.branches)
        )

    @cached_property
    def size(self) -> float:
        """Number of distinct candidates; those of two branches count twice."""
        return float(
            sum(np.prod([self.dimensions[j].size for j in columns]) for columns in self.columns)
        )

    def active(self, actions: FloatArray) -> NDArray[np.bool_]:
        """Return which columns exist in the branch of each row, of the shape of `actions`."""
        if self.branches == 1:
            return np.ones(actions.shape, dtype=bool)
        branch = [d.branch for d in self.dimensions]
        everywhere = np.array([b is None for b in branch])
        numbers_ = np.array([-1 if b is None else b for b in branch])
        return np.asarray(everywhere | (numbers_ == actions[:, :1]))

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
                column = dimension.resolve(actions[rows, j])
                if np.isnan(column).any():
                    drawn = actions[rows, j][np.isnan(column)][0]
                    raise ValueError(f"{dimension.name!r} has no value at the action {drawn}.")
                resolved[rows, j] = column
        return resolved

    def keys(self, actions: FloatArray) -> list[bytes]:
        """Return hashable names of candidates: equal if and only if the params are."""
        resolved = self.resolve(actions)
        for earlier, later in self._overlapping:
            rows = np.flatnonzero(resolved[:, 0] == later)
            if len(rows):
                moved = self._moved(resolved[rows], earlier, later)
                known = ~np.isnan(moved[:, list(self.columns[earlier])]).any(axis=1)
                resolved[rows[known]] = moved[known]
        return [row.tobytes() for row in resolved]

    def _moved(self, resolved: FloatArray, earlier: int, later: int) -> FloatArray:
        """Return the same candidates as rows of an earlier branch, nan where it lacks a value."""
        moved = np.full(resolved.shape, np.nan)
        moved[:, 0] = earlier
        places = {self.dimensions[j].name: j for j in self.columns[later]}
        for j in self.columns[earlier]:
            column = places[self.dimensions[j].name]
            moved[:, j] = _identified(
                self.dimensions[j], self.dimensions[column], resolved[:, column]
            )
        return moved

    def key(self, params: Mapping[str, Any]) -> bytes:
        """Return the key of one candidate, the same as that of its action."""
        return self.identify(params).tobytes()

    @cached_property
    def _overlapping(self) -> list[tuple[int, int]]:
        """Pairs of branches, the earlier one first, in which the same params may be drawn."""
        names = [{self.dimensions[j].name for j in columns} for columns in self.columns]
        pairs = itertools.combinations(range(self.branches), 2)
        return [(earlier, later) for earlier, later in pairs if names[earlier] == names[later]]

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
        chosen = resolved[:, 0].astype(int) if self.branches > 1 else np.zeros(len(actions), int)
        return [
            {self.dimensions[j].name: columns[j][i] for j in self.columns[chosen[i]]}
            for i in range(len(actions))
        ]

    def identify(self, params: Mapping[str, Any]) -> FloatArray:
        """Return the resolved row of one candidate, in the first branch that has it.

        Raises
        ------
        ValueError
            If the names are not those of a branch, or a value is not in the space.
        """
        reasons = []
        for number, columns in enumerate(self.columns):
            names = [self.dimensions[j].name for j in columns]
            if set(names) != set(params):
                reasons.append(f"Expected values for {names}, got {list(params)}.")
                continue
            row = np.full(len(self.dimensions), np.nan)
            if self.branches > 1:
                row[0] = number
            try:
                for j in columns:
                    row[j] = self.dimensions[j].identify(params[self.dimensions[j].name])
            except ValueError as error:
                reasons.append(str(error))
                continue
            return row
        raise ValueError(f"{dict(params)!r} is not in the space. " + " ".join(reasons))

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
        ValueError
            As `identify`.
        """
        rows = [self.identify(candidate) for candidate in params]
        resolved = np.array(rows).reshape(-1, len(self.dimensions))
        actions = np.full(resolved.shape, np.nan)
        active = self.active(resolved)
        for j, dimension in enumerate(self.dimensions):
            actions[active[:, j], j] = dimension.action(resolved[active[:, j], j])
        return actions

    def grid(self) -> FloatArray:
        """Return an action for every candidate of a finite space.

        Returns
        -------
        ndarray of shape (size, n_dimensions)
        """
        rows = []
        for number, columns in enumerate(self.columns):
            axes = [_all_actions(self.dimensions[j]) for j in columns]
            for combination in itertools.product(*axes):
                row = np.full(len(self.dimensions), np.nan)
                row[list(columns)] = combination
                if self.branches > 1:
                    row[0] = number
                rows.append(row)
        return np.array(rows)


def _identified(dimension: Dimension, other: Dimension, resolved: FloatArray) -> FloatArray:
    """Return what resolved values of another dimension are in this one, nan where unknown."""

    def place(value: Any) -> float:
        try:
            return dimension.identify(value)
        except ValueError:
            return float("nan")

    if isinstance(other, Choice):
        return np.array([place(choice) for choice in other.choices])[resolved.astype(int)]
    if isinstance(dimension, Continuous):
        within = (dimension.low <= resolved) & (resolved <= dimension.high)
        return np.where(within, resolved, np.nan)
    return np.array([place(value) for value in other.values(resolved)])


def _all_actions(dimension: Dimension) -> FloatArray:
    if isinstance(dimension, Discrete):
        assert dimension.atoms is not None  # the space was said to be finite
        return dimension.action(dimension.atoms)
    return np.arange(dimension.size)


def _check_branches(param_distributions: object) -> list[Mapping[str, Any]]:
    branches = (
        [param_distributions] if isinstance(param_distributions, Mapping) else param_distributions
    )
    if not isinstance(branches, list | tuple):
        raise TypeError(
            "param_distributions must be a dict or a list of dicts, "
            f"got {param_distributions!r} of type {type(param_distributions).__name__}."
        )
    for branch in branches:
        if not isinstance(branch, Mapping):
            raise TypeError(
                "param_distributions must be a dict or a list of dicts, "
                f"got an entry {branch!r} of type {type(branch).__name__}."
            )
        if not all(isinstance(name, str) for name in branch):
            raise TypeError(f"param_distributions must have str keys, got {list(branch)!r}.")
    if not any(branches):
        raise ValueError(
            "param_distributions must name at least one hyperparameter, "
            f"got {param_distributions!r}."
        )
    return list(branches)


def _dimension(name: str, value: Any, branch: int | None) -> Dimension:
    """Turn one entry of the user's dict into a dimension."""
    if _is_complete(value):
        value = value()
    if isinstance(value, stats.rv_continuous | stats.rv_discrete):
        raise ValueError(
            f"param_distributions[{name!r}] is the unfrozen distribution {value.name!r}: "
            f"give it its arguments, as in scipy.stats.{value.name}(...)."
        )
    if callable(getattr(value, "ppf", None)) and callable(getattr(value, "rvs", None)):
        return _distribution(name, value, branch)
    if _is_sequence(value):
        return _choice(name, value, branch)
    raise TypeError(
        f"param_distributions[{name!r}] must be a list of choices or a frozen scipy.stats "
        f"distribution (an object with the methods `ppf` and `rvs`), got {value!r} of type "
        f"{type(value).__name__}."
    )


def _is_complete(value: object) -> bool:
    """Whether an unfrozen distribution carries its own data and needs no arguments."""
    return isinstance(value, stats.rv_histogram) or (
        isinstance(value, stats.rv_discrete) and hasattr(value, "xk")
    )


def _is_sequence(value: object) -> bool:
    return (
        hasattr(value, "__len__")
        and hasattr(value, "__getitem__")
        and hasattr(value, "__iter__")
        and not isinstance(value, str | bytes | Mapping)
    )


def _choice(name: str, values: Any, branch: int | None) -> Choice:
    if getattr(values, "ndim", 1) != 1:
        raise ValueError(
            f"param_distributions[{name!r}] must be one-dimensional, got an array of shape "
            f"{values.shape}."
        )
    # tolist turns numpy's scalars into native numbers; objects stay what they are
    listed = values.tolist() if isinstance(values, np.ndarray) else list(values)
    if not listed:
        raise ValueError(f"param_distributions[{name!r}] must have at least one choice, got none.")
    distinct: list[Any] = []
    counts: list[int] = []
    places: dict[tuple[type, object], int] = {}
    for value in listed:
        # only plain values are compared: other objects may not be hashed, nor have an equality
        plain = value is None or isinstance(value, str | bool | numbers.Real)
        key = (type(value), value if plain else id(value))
        if key in places:
            counts[places[key]] += 1
            continue
        places[key] = len(distinct)
        distinct.append(value)
        counts.append(1)
    return Choice(name, tuple(distinct), np.array(counts) / len(listed), branch)


def _distribution(name: str, value: Any, branch: int | None) -> Continuous | Discrete:
    if not np.isfinite(value.ppf(0.5)):
        raise ValueError(
            f"param_distributions[{name!r}] is a distribution whose median is not finite: "
            f"{_described(value)}. Are its arguments valid?"
        )
    if not callable(getattr(value, "pmf", None)):
        low, high = value.support() if hasattr(value, "support") else (-np.inf, np.inf)
        return Continuous(name, value, float(low), float(high), branch)
    low, high = value.support()
    if high - low >= LARGEST_TABLE:
        return Discrete(name, value, branch=branch)
    own = getattr(getattr(value, "dist", None), "xk", None)  # atoms need not be whole
    atoms = np.arange(low, high + 1) if own is None else np.sort(np.asarray(own, dtype=float))
    atoms = atoms[value.pmf(atoms) > 0].astype(float)
    return Discrete(name, value, atoms, np.asarray(value.cdf(atoms), dtype=float), branch)


def _quantile(distribution: Any, z: FloatArray) -> FloatArray:
    """Return ``F^-1(Phi(z))``, from the nearer tail where the distribution offers both."""
    z = np.clip(z, -LARGEST_Z, LARGEST_Z)
    values = distribution.ppf(ndtr(np.minimum(z, 0.0) if hasattr(distribution, "isf") else z))
    if hasattr(distribution, "isf") and (z > 0).any():
        values = np.where(z > 0, distribution.isf(ndtr(-np.maximum(z, 0.0))), values)
    return np.asarray(values, dtype=float)


def _is_number(value: object) -> bool:
    return isinstance(value, numbers.Real) and not isinstance(value, bool | np.bool_)


def _equal(left: object, right: object) -> bool:
    """Compare two choices; estimators by their class and parameters, for cloning copies them."""
    try:
        if bool(left == right):
            return True
    except (ValueError, TypeError):  # arrays compare element by element
        pass
    if isinstance(left, np.ndarray) and isinstance(right, np.ndarray):
        return np.array_equal(left, right)
    if type(left) is not type(right) or not hasattr(left, "get_params"):
        return False
    mine, its = left.get_params(), right.get_params()  # type: ignore[attr-defined]
    return mine.keys() == its.keys() and all(_equal(mine[name], its[name]) for name in mine)


def _described(distribution: Any) -> str:
    name = getattr(getattr(distribution, "dist", None), "name", type(distribution).__name__)
    arguments = [repr(a) for a in getattr(distribution, "args", ())]
    arguments += [f"{k}={v!r}" for k, v in getattr(distribution, "kwds", {}).items()]
    return f"{name}({', '.join(arguments)})"


def _outside(name: str, value: object, distribution: Any) -> str:
    return f"{name}={value!r} has probability zero under {_described(distribution)}."
