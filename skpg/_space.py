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
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
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
# Bisections of a range of z after which it is as narrow as doubles are.
HALVINGS = 60


class Known:
    """What all dimensions do with a value that a user gave."""

    def find(self, value: object, *, exact: bool = False) -> float:
        """Return what `resolve` makes of the action of `value`; nan where it is unknown.

        Parameters
        ----------
        value : object
        exact : bool, default=False
            Find only what `values` returns. Otherwise also what has lost its type on its way,
            as in a row of a data frame or in JSON, or its last digits.
        """
        raise NotImplementedError

    def refusal(self, value: object) -> str:
        """Say why `value` is unknown."""
        raise NotImplementedError

    def identify(self, value: object) -> float:
        """Return what `resolve` makes of the action of `value`.

        Raises
        ------
        ValueError
            If it is unknown.
        """
        found = self.find(value)
        if np.isnan(found):
            raise ValueError(self.refusal(value))
        return found


@dataclass(frozen=True, eq=False)
class Choice(Known):
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
        # nan comes last; Python's own order has room for integers that no float can hold
        order = sorted(range(len(ranks)), key=lambda k: _place(self.choices[k]))
        ranks[order] = np.arange(len(ranks))
        return (ranks + 0.5) / len(ranks)

    def resolve(self, column: FloatArray) -> FloatArray:
        """Return the indices themselves."""
        return column

    def action(self, resolved: FloatArray) -> FloatArray:
        """Return the indices themselves."""
        return resolved

    def values(self, resolved: FloatArray) -> list[Any]:
        """Return the very objects of the list."""
        return [self.choices[int(index)] for index in resolved]

    def find(self, value: object, *, exact: bool = False) -> float:
        """Return the index of `value`, nan where it is not there.

        The very object comes first, then one of the same type and content; then, unless
        `exact`, one that is equal as numbers and sequences are, a number that is the same but
        for rounding, and None for nan, as data frames write it.
        """
        native = _native(value)
        tests: list[Callable[[Any], bool]] = [
            lambda choice: choice is value,
            lambda choice: same(choice, value),
        ]
        if not exact:
            tests += [
                lambda choice: same(choice, native),
                lambda choice: _alike(choice, native, strict=False),
                lambda choice: _is_close(_float(choice), _float(native)),
                lambda choice: choice is None and _is_nan(native),
            ]
        for test in tests:
            for index, choice in enumerate(self.choices):
                if test(choice):
                    return float(index)
        return float("nan")

    def refusal(self, value: object) -> str:
        """Say that `value` is not there."""
        return f"{self.name}={value!r} is not among the choices {list(self.choices)!r}."


@dataclass(frozen=True, eq=False)
class Branch(Choice):
    """The dict of a list of dicts that a candidate belongs to; the order means nothing."""

    @property
    def ordered(self) -> bool:
        """False: the numbers of the dicts are names."""
        return False


@dataclass(frozen=True, eq=False)
class Continuous(Known):
    """A continuous distribution, seen through its quantile function."""

    name: str
    distribution: Any
    low: float = -np.inf
    high: float = np.inf
    branch: int | None = None
    size: float = np.inf

    @property
    def kind(self) -> type:
        """The type of the values."""
        return float

    @property
    def _tells(self) -> bool:
        """Whether the distribution tells the probability below and above a value."""
        return hasattr(self.distribution, "cdf") and hasattr(self.distribution, "sf")

    @cached_property
    def reach(self) -> tuple[float, float]:
        """The ends of what is drawn; the support may go on."""
        low, high = self.resolve(np.array([-LARGEST_Z, LARGEST_Z])).tolist()
        return low, high

    def resolve(self, column: FloatArray) -> FloatArray:
        """Return the values ``F^-1(Phi(z))``."""
        # rounding may step over a bound, and estimators check bounds; + 0.0: no negative zero
        values = np.clip(_quantile(self.distribution, column), self.low, self.high)
        return np.asarray(values + 0.0)

    def values(self, resolved: FloatArray) -> list[Any]:
        """Return native floats."""
        return list(resolved.tolist())

    def find(self, value: object, *, exact: bool = False) -> float:
        """Return `value` as a float of the support; nan outside of it.

        An end of the support may have been rounded: ``0.3 + 0.6 < 0.9``.
        """
        number = _float(value)
        nearest = min(max(number, self.low), self.high)
        if exact:
            known = type(value) is self.kind and bool(self.draws(np.array([number]))[0])
        else:
            known = _is_close(nearest, number, self.low, self.high)
            known = known and (self._tells or bool(self.draws(np.array([nearest]))[0]))
        return nearest if known else float("nan")

    def draws(self, values: FloatArray) -> NDArray[np.bool_]:
        """Return which values are drawn; the support may go on where that is next to never."""
        if self._tells:
            return np.asarray((self.reach[0] <= values) & (values <= self.reach[1]))
        # a quantile function alone may have steps
        return np.isclose(self.resolve(self.action(values)), values, rtol=1e-9, atol=1e-12)

    def refusal(self, value: object) -> str:
        """Say that `value` is outside of the support."""
        return _outside(self.name, value, self.distribution)

    def action(self, resolved: FloatArray) -> FloatArray:
        """Return ``Phi^-1(F(x))``, from the nearer tail for the sake of precision."""
        if not self._tells:
            return _greatest_z(self.resolve, resolved)
        below = ndtri(self.distribution.cdf(resolved))
        above = -ndtri(self.distribution.sf(resolved))
        return np.clip(np.where(below > 0, above, below), -LARGEST_Z, LARGEST_Z)


@dataclass(frozen=True, eq=False)
class Discrete(Known):
    """A discrete distribution; an atom owns the range of ``z`` that its probability covers.

    ``atoms`` and ``cumulative`` (their distribution function) are tabulated where the
    support is small: a look-up is a hundred times faster than scipy's quantile function.
    The values are ints if ``whole``, else floats, as those that the distribution draws.
    """

    name: str
    distribution: Any
    atoms: FloatArray | None = None
    cumulative: FloatArray | None = None
    branch: int | None = None
    whole: bool = True

    @property
    def kind(self) -> type:
        """The type of the values: that of what the distribution draws."""
        return int if self.whole else float

    @cached_property
    def _tells(self) -> bool:
        """Whether the distribution tells the probabilities of what it draws."""
        methods = ("pmf", "cdf", "support")
        if not all(callable(getattr(self.distribution, method, None)) for method in methods):
            return False
        # scipy draws integers also where a fraction was added to them
        return not self.whole or float(self.distribution.ppf(0.5)).is_integer()

    @property
    def size(self) -> float:
        """Number of atoms, infinite where there are too many to tabulate."""
        return np.inf if self.atoms is None else len(self.atoms)

    def resolve(self, column: FloatArray) -> FloatArray:
        """Return the values ``F^-1(Phi(z))``."""
        if self.atoms is None or self.cumulative is None:
            values = _quantile(self.distribution, column)
            return np.asarray(_truncated(values) if self.whole else values) + 0.0
        index = np.searchsorted(self.cumulative[:-1], ndtr(column), side="left")
        return self.atoms[index]

    def values(self, resolved: FloatArray) -> list[Any]:
        """Return native ints, or floats where the distribution draws floats."""
        if not self.whole:
            return list(resolved.tolist())
        return [int(value) if value.is_integer() else value for value in resolved.tolist()]

    def find(self, value: object, *, exact: bool = False) -> float:
        """Return `value` as an atom; nan where it is none."""
        number = _float(value)
        if exact:
            known = type(value) is self.kind and self.draws(np.array([number]))[0]
        elif self.atoms is None:
            known = self._has(np.array([number]))[0]
        else:
            given, number = number, float(self.atoms[np.argmin(np.abs(self.atoms - number))])
            known = _is_close(given, number, *self.atoms[[0, -1]])
        return number if known else float("nan")

    def draws(self, values: FloatArray) -> NDArray[np.bool_]:
        """Return which values are drawn; those of next to no probability are not."""
        if self.atoms is None:
            known, atoms = self._has(values), values
        else:
            places = np.searchsorted(self.atoms, values)
            atoms = self.atoms[np.minimum(places, len(self.atoms) - 1)]
            known = atoms == values
        return np.asarray(known & (np.abs(ndtri(self.middle(atoms))) <= LARGEST_Z))

    def refusal(self, value: object) -> str:
        """Say that `value` is not an atom."""
        return _outside(self.name, value, self.distribution)

    def action(self, resolved: FloatArray) -> FloatArray:
        """Return the ``z`` of the middle of the atom's range."""
        return np.clip(ndtri(self.middle(resolved)), -LARGEST_Z, LARGEST_Z)

    def middle(self, resolved: FloatArray) -> FloatArray:
        """Return the probability below the middle of the atom."""
        if self.atoms is not None and self.cumulative is not None:
            middles = self.cumulative - np.diff(self.cumulative, prepend=0.0) / 2
            return middles[np.searchsorted(self.atoms, resolved)]
        if self._tells:
            cdf, pmf = self.distribution.cdf(resolved), self.distribution.pmf(resolved)
            return np.asarray(cdf - pmf / 2, dtype=float)
        return (self._below(resolved - 1) + self._below(resolved)) / 2

    def tabulated(self) -> Discrete:
        """Return the same with a table of its atoms, where there are not too many."""
        values = getattr(getattr(self.distribution, "dist", None), "xk", None)
        if values is not None:  # of `rv_discrete`; they need not be whole, and may be moved
            p = np.asarray(self.distribution.dist.pk)
            cumulative = np.cumsum(p)[p > 0]
            atoms = np.asarray(self.distribution.ppf(cumulative - p[p > 0] / 2), dtype=float)
            return replace(self, atoms=atoms, cumulative=cumulative)
        if self._tells:
            low, high = self.distribution.support()
        else:
            low, high = self.resolve(np.array([-LARGEST_Z, LARGEST_Z]))
        if high - low >= LARGEST_TABLE:
            return self
        atoms = np.arange(low, high + 1).astype(float)
        if self._tells:
            atoms = atoms[self.distribution.pmf(atoms) > 0]
            cumulative = np.asarray(self.distribution.cdf(atoms), dtype=float)
            return replace(self, atoms=atoms, cumulative=cumulative)
        cumulative = self._below(atoms)
        some = np.diff(cumulative, prepend=0.0) > 0
        return replace(self, atoms=atoms[some], cumulative=cumulative[some])

    def _has(self, values: FloatArray) -> NDArray[np.bool_]:
        """Return which values are atoms, without a table."""
        if self._tells:
            return np.asarray(self.distribution.pmf(values) > 0)
        return np.asarray(self.resolve(self.action(values)) == values)

    def _below(self, resolved: FloatArray) -> FloatArray:
        """Return the probability of values up to each, told by the quantiles alone."""
        return np.asarray(ndtr(_greatest_z(self.resolve, resolved)))


Dimension = Choice | Continuous | Discrete


class Space:
    """The space of hyperparameters: an ordered tuple of dimensions.

    Parameters
    ----------
    param_distributions : dict or list of dicts
        Hyperparameter names to lists of choices (any sequence or one-dimensional array,
        of any objects), to frozen `scipy.stats` distributions, continuous or discrete, or to
        other objects with the methods ``rvs(random_state=...)`` and ``ppf``, which takes
        arrays. Values are int where ``rvs`` draws integers.
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
        TypeError
            If the candidate is not a dict.
        ValueError
            If the names are not those of a branch, or a value is not in the space.
        """
        candidate = _as_dict(params)
        # what was drawn is found where it was drawn, not where something similar is
        for exact in (True, False):
            for number in range(self.branches):
                row = self._find(number, candidate, exact=exact)
                if row is not None:
                    return row
        reasons = [self._refusal(number, candidate) for number in range(self.branches)]
        raise ValueError(f"{candidate!r} is not in the space. " + " ".join(reasons))

    def _find(self, number: int, params: Params, *, exact: bool) -> FloatArray | None:
        """Return the resolved row of a candidate in one branch; None where it has not got it."""
        dimensions = [self.dimensions[j] for j in self.columns[number]]
        if {d.name for d in dimensions} != set(params):
            return None
        row = np.full(len(self.dimensions), np.nan)
        if self.branches > 1:
            row[0] = number
        for j, dimension in zip(self.columns[number], dimensions, strict=True):
            row[j] = dimension.find(params[dimension.name], exact=exact)
            if np.isnan(row[j]):
                return None
        return row

    def _refusal(self, number: int, params: Params) -> str:
        dimensions = [self.dimensions[j] for j in self.columns[number]]
        names = [d.name for d in dimensions]
        if set(names) != set(params):
            return f"Expected values for {names}, got {list(params)}."
        unknown = (d for d in dimensions if np.isnan(d.find(params[d.name])))
        return next(d.refusal(params[d.name]) for d in unknown)

    def native(self, params: Mapping[str, Any]) -> Params:
        """Return params with the values that `decode` returns for them.

        A candidate of a data frame, of JSON or typed in may have 15.0 for 15, and 1 for True.

        Raises
        ------
        TypeError, ValueError
            As `identify`.
        """
        row = self.identify(params)
        columns = self.columns[int(row[0]) if self.branches > 1 else 0]
        return {
            self.dimensions[j].name: self.dimensions[j].values(row[j : j + 1])[0] for j in columns
        }

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

    def features(self, actions: FloatArray) -> tuple[FloatArray, NDArray[np.intp]]:
        """Return what a model of the rewards looks at.

        Parameters
        ----------
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
        active = self.active(actions)
        everywhere = active.all()
        numeric, nominal = [], []
        for j, dimension in enumerate(self.dimensions):
            rows = slice(None) if everywhere else active[:, j]
            column = actions[rows, j]
            if isinstance(dimension, Choice) and not dimension.ordered:
                codes = np.full(len(actions), -1, dtype=np.intp)
                codes[rows] = column
                nominal.append(codes)
                continue
            unit = np.full(len(actions), 0.5)
            if isinstance(dimension, Choice):
                unit[rows] = dimension.ranks[column.astype(int)]
            elif isinstance(dimension, Discrete):
                unit[rows] = dimension.middle(dimension.resolve(column))
            else:
                unit[rows] = ndtr(column)
            numeric.append(unit)
        n = len(actions)
        return (
            np.array(numeric, dtype=float).reshape(len(numeric), n).T,
            np.array(nominal, dtype=np.intp).reshape(len(nominal), n).T,
        )

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
    if isinstance(other, Choice):
        places = [dimension.find(choice, exact=True) for choice in other.choices]
        return np.array(places)[resolved.astype(int)]
    if isinstance(dimension, Choice):
        unique, inverse = np.unique(resolved, return_inverse=True)
        places = [dimension.find(value, exact=True) for value in other.values(unique)]
        return np.array(places)[inverse]
    if dimension.kind is not other.kind:
        return np.full(len(resolved), np.nan)
    return np.where(dimension.draws(resolved), resolved, np.nan)


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
        content = "nan" if _is_nan(value) else value
        key = (type(value), content if plain else id(value))
        if key in places:
            counts[places[key]] += 1
            continue
        places[key] = len(distinct)
        distinct.append(value)
        counts.append(1)
    return Choice(name, tuple(distinct), np.array(counts) / len(listed), branch)


def _distribution(name: str, value: Any, branch: int | None) -> Continuous | Discrete:
    whole = isinstance(_draw(name, value), numbers.Integral)
    if not whole and not isinstance(getattr(value, "dist", None), stats.rv_discrete):
        return Continuous(name, value, *_support(value), branch)
    return Discrete(name, value, branch=branch, whole=whole).tabulated()


def _draw(name: str, value: Any) -> Any:
    """Return a value that is drawn as `RandomizedSearchCV` draws it.

    Raises
    ------
    ValueError
        If a distribution does not have single numbers as quantiles and values.
    """
    where = f"param_distributions[{name!r}]"

    def ask(method: str, *args: Any, **kwargs: Any) -> Any:
        try:
            return getattr(value, method)(*args, **kwargs)
        except Exception as error:
            raise ValueError(
                f"{where} is a distribution whose `{method}` fails: {_described(value)}, "
                f"{type(error).__name__}: {error}."
            ) from error

    median = np.asarray(ask("ppf", 0.5))
    if not median.ndim and not np.isfinite(_float(median.item())):
        raise ValueError(
            f"{where} is a distribution whose median is not finite: "
            f"{_described(value)}. Are its arguments valid?"
        )
    drawn = median if median.ndim else ask("rvs", random_state=np.random.RandomState(0))
    if np.ndim(drawn):
        raise ValueError(
            f"{where} must be a distribution of single numbers, got one of arrays: "
            f"{_described(value)}. Are its arguments arrays?"
        )
    if np.shape(ask("ppf", np.array([0.25, 0.5, 0.75]))) != (3,):
        raise ValueError(f"{where} must have a `ppf` that takes arrays, got {_described(value)}.")
    return np.asarray(drawn).item()


def _support(distribution: Any) -> tuple[float, float]:
    """Return the ends of a continuous distribution."""
    if hasattr(distribution, "support"):
        low, high = distribution.support()
    else:
        with np.errstate(all="ignore"):  # they may be infinite
            low, high = distribution.ppf(np.array([0.0, 1.0]))
    return (-np.inf if np.isnan(low) else float(low)), (np.inf if np.isnan(high) else float(high))


def _quantile(distribution: Any, z: FloatArray) -> FloatArray:
    """Return ``F^-1(Phi(z))``, from the nearer tail where the distribution offers both."""
    z = np.clip(z, -LARGEST_Z, LARGEST_Z)
    values = distribution.ppf(ndtr(np.minimum(z, 0.0) if hasattr(distribution, "isf") else z))
    if hasattr(distribution, "isf") and (z > 0).any():
        values = np.where(z > 0, distribution.isf(ndtr(-np.maximum(z, 0.0))), values)
    return np.asarray(values, dtype=float)


def _greatest_z(resolve: Callable[[FloatArray], FloatArray], resolved: FloatArray) -> FloatArray:
    """Return the greatest ``z`` whose value is at most `resolved`, found by halving."""
    low, high = np.full(resolved.shape, -LARGEST_Z), np.full(resolved.shape, LARGEST_Z)
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        below = resolve(middle) <= resolved
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    return low


def _truncated(values: FloatArray) -> FloatArray:
    """Return values without their fractions, as `int` does, but for errors of rounding."""
    whole = np.rint(values)
    return np.where(np.isclose(values, whole, rtol=1e-15, atol=0.0), whole, np.trunc(values))


def _is_number(value: object) -> bool:
    return isinstance(value, numbers.Real) and not isinstance(value, bool | np.bool_)


def is_positive(value: object) -> bool:
    """Whether a setting is a positive number, and finite."""
    return 0 < _float(value) < np.inf


def _is_nan(value: object) -> bool:
    return isinstance(value, numbers.Number | np.generic) and bool(value != value)


def _float(value: Any) -> float:
    """Return a number as a float; nan for all else, and for what no float can hold."""
    try:
        return float(value) + 0.0 if _is_number(value) else float("nan")
    except OverflowError:
        return float("nan")


def _is_close(left: float, right: float, *near: float) -> bool:
    """Whether two numbers are the same but for rounding, there or in computations with others."""
    finite = [abs(number) for number in (left, right, *near) if not np.isinf(number)]
    return bool(abs(left - right) <= 4 * np.spacing(max(finite, default=0.0)))


def _native(value: Any) -> Any:
    """Return a scalar of numpy as Python's own."""
    return value.item() if isinstance(value, np.generic) else value


def _place(number: Any) -> tuple[bool, Any]:
    """Return what numbers of any type are sorted by; nan comes last."""
    return (True, 0) if _is_nan(number) else (False, _native(number))


def _as_dict(params: Any) -> Params:
    """Return a candidate as a dict; a row of a data frame is as good as a dict."""
    if isinstance(params, Mapping) or (hasattr(params, "keys") and hasattr(params, "iloc")):
        return dict(params)
    raise TypeError(
        "A candidate must be a dict from names of hyperparameters to values, "
        f"got {params!r} of type {type(params).__name__}."
    )


def same(left: object, right: object) -> bool:
    """Whether two choices have the same type and content, as a copy has; nan is nan.

    Estimators are told by class and parameters, for cloning copies them.
    """
    return _alike(left, right, strict=True)


def _alike(left: Any, right: Any, *, strict: bool) -> bool:
    """Compare two choices; types count if `strict`, also inside of lists."""
    if left is right:
        return True
    if strict and type(left) is not type(right):
        return False
    if isinstance(left, list | tuple) and isinstance(right, list | tuple):
        pairs = zip(left, right, strict=False)
        return len(left) == len(right) and all(_alike(a, b, strict=strict) for a, b in pairs)
    if isinstance(left, Mapping) and isinstance(right, Mapping):
        return left.keys() == right.keys() and all(
            _alike(left[key], right[key], strict=strict) for key in left
        )
    if isinstance(left, np.ndarray) and isinstance(right, np.ndarray):
        return _alike_arrays(left, right, strict=strict)
    if (_is_nan(left) and _is_nan(right)) or _equal(left, right):
        return True
    return type(left) is type(right) and _alike_state(left, right, strict=strict)


def _alike_arrays(left: NDArray[Any], right: NDArray[Any], *, strict: bool) -> bool:
    if left.shape != right.shape or (strict and left.dtype != right.dtype):
        return False
    if left.dtype.hasobject or right.dtype.hasobject:
        return _alike(left.tolist(), right.tolist(), strict=strict)
    floats = left.dtype.kind in "fc" and right.dtype.kind in "fc"
    return np.array_equal(left, right, equal_nan=floats)


def _equal(left: Any, right: Any) -> bool:
    try:
        return bool(left == right)
    except Exception:  # data frames have no single answer, and objects of users may have none
        return False


def _alike_state(left: Any, right: Any, *, strict: bool) -> bool:
    """Compare two objects of one type by what a copy is made from."""
    try:
        if isinstance(left, type):
            return False
        if hasattr(left, "get_params"):
            mine, its = left.get_params(deep=False), right.get_params(deep=False)
        elif type(left).__eq__ is object.__eq__:  # type: ignore[comparison-overlap]
            mine, its = left.__reduce_ex__(4), right.__reduce_ex__(4)
        else:  # it has been asked
            return False
    except Exception:  # what cannot be copied is no copy
        return False
    return _alike(mine, its, strict=strict)


def _described(distribution: Any) -> str:
    name = getattr(getattr(distribution, "dist", None), "name", type(distribution).__name__)
    arguments = [repr(a) for a in getattr(distribution, "args", ())]
    arguments += [f"{k}={v!r}" for k, v in getattr(distribution, "kwds", {}).items()]
    return f"{name}({', '.join(arguments)})"


def _outside(name: str, value: object, distribution: Any) -> str:
    return f"{name}={value!r} has probability zero under {_described(distribution)}."
