"""Spaces that are inferred from what an objective has asked for so far."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.trial import FrozenTrial
from scipy import stats

from skpg.policy.policy import Policy
from skpg.space.space import Space
from skpg.space.types import FloatArray, Params

# Draws that show which hyperparameters exist together.
FOR_PATTERNS = 200
# A number with more values than this is not taken for what decides whether others exist.
LARGEST_PARENT = 30


@dataclass(frozen=True)
class Condition:
    """A hyperparameter exists only where another one, its parent, has certain values.

    Attributes
    ----------
    parent : str
    values : frozenset
        The values of the parent, as Optuna stores them: numbers, indices of choices.
    """

    parent: str
    values: frozenset[float]


@dataclass(frozen=True)
class Structure:
    """What an objective asks for, as far as its trials tell.

    Attributes
    ----------
    distributions : dict of str to BaseDistribution
    conditions : dict of str to Condition
        Parents come before their children.
    """

    distributions: Mapping[str, BaseDistribution]
    conditions: Mapping[str, Condition]

    def expects(self, params: Mapping[str, Any]) -> set[str]:
        """Return the names that exist in a trial with these values."""
        names = set(self.distributions) - set(self.conditions)
        for name, condition in self.conditions.items():
            if condition.parent in names and condition.parent in params:
                value = self.distributions[condition.parent].to_internal_repr(
                    params[condition.parent]
                )
                names |= {name} if value in condition.values else set()
        return names

    def explains(self, trial: FrozenTrial) -> bool:
        """Whether a trial asked for what was expected of it."""
        known = {n: d for n, d in trial.distributions.items() if not d.single()}
        return all(self.distributions.get(n) == d for n, d in known.items()) and known.keys() == (
            self.expects(trial.params)
        )

    def restricted(self, names: Iterable[str]) -> Structure:
        """Return the structure of some of the hyperparameters."""
        kept = {n: d for n, d in self.distributions.items() if n in set(names)}
        return Structure(
            kept,
            {n: c for n, c in self.conditions.items() if n in kept and c.parent in kept},
        )


def infer_structure(trials: Sequence[FrozenTrial]) -> Structure:
    """Find out what an objective asks for, and when.

    Parameters
    ----------
    trials : sequence of FrozenTrial
        Finished trials in their order.

    Returns
    -------
    Structure
        Of the hyperparameters whose last two distributions agree and which either exist in
        all trials since their first, or exist where a parent has certain values.
    """
    stable: dict[str, BaseDistribution] = {}
    seen: Counter[str] = Counter()
    latest: dict[str, BaseDistribution] = {}
    for trial in trials:
        for name, distribution in trial.distributions.items():
            if seen[name] and latest[name] != distribution:
                stable.pop(name, None)
            else:
                stable[name] = distribution
            latest[name] = distribution
            seen[name] += 1
    varied = {name: d for name, d in stable.items() if not d.single()}
    # parents exist in more trials than their children
    names = sorted(varied, key=lambda name: (-seen[name], name))
    conditions: dict[str, Condition] = {}
    distributions: dict[str, BaseDistribution] = {}
    for name in names:
        parents = [p for p in distributions if seen[p] > seen[name] and _can_decide(varied[p])]
        condition = _condition(name, parents, varied, trials) if seen[name] < len(trials) else None
        if condition is not None:
            conditions[name] = condition
        elif not _since_first(name, trials):
            continue
        distributions[name] = varied[name]
    return Structure(dict(sorted(distributions.items())), conditions)


def _can_decide(distribution: BaseDistribution) -> bool:
    if isinstance(distribution, IntDistribution):
        return (distribution.high - distribution.low) // distribution.step < LARGEST_PARENT
    return isinstance(distribution, CategoricalDistribution)


def _since_first(name: str, trials: Sequence[FrozenTrial]) -> bool:
    """Whether a hyperparameter exists in all trials from the first that has it on."""
    has = [name in trial.params for trial in trials]
    return all(has[has.index(True) :])


def _condition(
    name: str,
    parents: Iterable[str],
    distributions: Mapping[str, BaseDistribution],
    trials: Sequence[FrozenTrial],
) -> Condition | None:
    """Return the condition with the fewest values of a parent that agrees with all trials."""
    found: dict[int, Condition] = {}
    for parent in parents:
        values: dict[bool, set[float]] = {True: set(), False: set()}
        for trial in trials:
            if parent in trial.params:
                value = distributions[parent].to_internal_repr(trial.params[parent])
                values[name in trial.params].add(value)
            elif name in trial.params:
                break
        else:
            if values[True].isdisjoint(values[False]):
                n_values = len(values[True] | values[False])
                found.setdefault(n_values, Condition(parent, frozenset(values[True])))
    return found[min(found)] if found else None


@dataclass(frozen=True, eq=False)
class LogInteger:
    """Integers of a logarithmic scale: the rounded values of a log-uniform distribution.

    It has what a space needs of a frozen `scipy.stats` distribution.
    """

    low: int
    high: int

    def support(self) -> tuple[int, int]:
        """Return the smallest and the greatest value."""
        return self.low, self.high

    def cdf(self, x: FloatArray) -> FloatArray:
        """Return the probability of values up to `x`."""
        low, high = math.log(self.low - 0.5), math.log(self.high + 0.5)
        whole = np.clip(np.floor(x), self.low - 1, self.high)
        return np.asarray((np.log(whole + 0.5) - low) / (high - low))

    def pmf(self, x: FloatArray) -> FloatArray:
        """Return the probability of `x`."""
        x = np.asarray(x, dtype=float)
        inside = (x == np.floor(x)) & (x >= self.low) & (x <= self.high)
        return np.where(inside, self.cdf(x) - self.cdf(x - 1), 0.0)

    def ppf(self, q: FloatArray) -> FloatArray:
        """Return the value at the quantiles `q`."""
        low, high = math.log(self.low - 0.5), math.log(self.high + 0.5)
        return np.clip(np.rint(np.exp(low + np.asarray(q) * (high - low))), self.low, self.high)

    def rvs(self, size: int | None = None, random_state: Any = None) -> NDArray[np.intp]:
        """Draw values."""
        return self.ppf(stats.uniform.rvs(size=size, random_state=random_state)).astype(int)


class DefineByRunSpace(Space):
    """The space of a structure.

    An action has a column per hyperparameter, nan where it does not exist. Numbers with a
    step are held as the number of steps from their lower bound.

    Parameters
    ----------
    structure : Structure
        With at least one hyperparameter.
    """

    def __init__(self, structure: Structure):
        super().__init__({n: _space_entry(d) for n, d in structure.distributions.items()})
        self.structure = structure
        self._column = {d.name: j for j, d in enumerate(self.dimensions)}

    @cached_property
    def _patterns(self) -> NDArray[np.bool_]:
        """Which hyperparameters exist together, of shape (n_parts, n_dimensions)."""
        if not self.structure.conditions:
            return np.ones((1, len(self.dimensions)), dtype=bool)
        draws = Policy.prior(self).sample_actions(FOR_PATTERNS, np.random.default_rng(0))
        return np.unique(self.active(draws), axis=0)

    @property
    def part_sizes(self) -> list[float]:
        """Number of candidates of each part, where the same hyperparameters exist, at least."""
        parents = {condition.parent for condition in self.structure.conditions.values()}
        sizes = [1.0 if d.name in parents else d.size for d in self.dimensions]
        return [float(np.prod(sizes, where=pattern)) for pattern in self._patterns]

    def part_of(self, actions: FloatArray) -> NDArray[np.intp]:
        """Return the number of the part that each row belongs to; -1 where it is unknown."""
        same = (self.active(actions)[:, None] == self._patterns).all(axis=2)
        return np.where(same.any(axis=1), same.argmax(axis=1), -1)

    @cached_property
    def _rules(self) -> list[tuple[int, int, FloatArray]]:
        """Columns of children and parents, and the resolved values of the parents."""
        rules = []
        for name, condition in self.structure.conditions.items():
            parent = self.structure.distributions[condition.parent]
            values = [parent.to_external_repr(value) for value in sorted(condition.values)]
            column = self._column[condition.parent]
            dimension = self.dimensions[column]
            resolved = [dimension.identify(_to_dimension(parent, value)) for value in values]
            rules.append((self._column[name], column, np.array(resolved)))
        return rules

    def active(self, actions: FloatArray) -> NDArray[np.bool_]:
        """Return which hyperparameters exist in each row, of the shape of `actions`."""
        mask = ~np.isnan(actions)
        for child, parent, values in self._rules:
            resolved = self.dimensions[parent].resolve(np.nan_to_num(actions[:, parent]))
            mask[:, child] &= mask[:, parent] & np.isin(resolved, values)
        return mask

    def identify(self, params: Mapping[str, Any]) -> FloatArray:
        """Return the resolved row of a trial; names that the space does not have are ignored.

        Raises
        ------
        ValueError
            If a value is not in the space.
        """
        row = np.full(len(self.dimensions), np.nan)
        for j, dimension in enumerate(self.dimensions):
            if dimension.name in params:
                distribution = self.structure.distributions[dimension.name]
                value = _to_dimension(distribution, params[dimension.name])
                row[j] = dimension.identify(value)
        return row

    def encode(self, params: Iterable[Mapping[str, Any]]) -> FloatArray:
        """Return actions of trials, of shape (n, n_dimensions)."""
        rows = [self.identify(candidate) for candidate in params]
        actions = np.array(rows).reshape(-1, len(self.dimensions))
        for j, dimension in enumerate(self.dimensions):
            known = ~np.isnan(actions[:, j])
            actions[known, j] = dimension.action(actions[known, j])
        return actions

    def decode(self, actions: FloatArray) -> list[Params]:
        """Return what Optuna calls params of each row, without what does not exist in it."""
        active, resolved = self.active(actions), self.resolve(actions)
        return [
            {
                d.name: _from_dimension(
                    self.structure.distributions[d.name], d.values(resolved[[i], j])[0]
                )
                for j, d in enumerate(self.dimensions)
                if active[i, j]
            }
            for i in range(len(actions))
        ]


def _space_entry(distribution: BaseDistribution) -> Any:
    """Return the entry of a space that stands for a distribution of Optuna."""
    if isinstance(distribution, CategoricalDistribution):
        return list(distribution.choices)
    assert isinstance(distribution, FloatDistribution | IntDistribution)
    low, high = distribution.low, distribution.high
    if distribution.log and isinstance(distribution, IntDistribution):
        return LogInteger(int(low), int(high))
    if distribution.log:
        return stats.loguniform(low, high)
    if distribution.step is None:
        return stats.uniform(low, high - low)
    return stats.randint(0, round((high - low) / distribution.step) + 1)


def _has_step(distribution: BaseDistribution) -> bool:
    return (
        isinstance(distribution, FloatDistribution | IntDistribution)
        and not distribution.log
        and distribution.step is not None
    )


def _to_dimension(distribution: BaseDistribution, value: Any) -> Any:
    """Return a value of Optuna's distribution as the dimension has it; ValueError outside."""
    internal = distribution.to_internal_repr(value)
    if isinstance(distribution, CategoricalDistribution):
        return distribution.choices[int(internal)]
    assert isinstance(distribution, FloatDistribution | IntDistribution)
    if _has_step(distribution):
        return round((internal - distribution.low) / distribution.step)  # type: ignore[operator]
    return internal


def _from_dimension(distribution: BaseDistribution, value: Any) -> Any:
    """Return a value of a dimension as Optuna has it, inside the bounds to the last digit."""
    if isinstance(distribution, CategoricalDistribution):
        return value
    assert isinstance(distribution, FloatDistribution | IntDistribution)
    if _has_step(distribution):
        value = distribution.low + value * distribution.step  # type: ignore[operator]
    bounded = min(max(value, distribution.low), distribution.high)
    return int(bounded) if isinstance(distribution, IntDistribution) else float(bounded)
