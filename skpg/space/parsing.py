"""From what a user writes to dimensions, with all checks of it."""

from __future__ import annotations

import numbers
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from scipy import stats

from skpg.space.dimensions import Branch, Choice, Continuous, Dimension, Discrete
from skpg.space.dimensions.quantiles import (
    LARGEST_Z,
    cdf_by_bisection,
    describe,
    ends_of_support,
)
from skpg.space.scalars import is_nan, to_float

# A discrete distribution with more atoms than this is evaluated by its own quantile function.
LARGEST_TABLE = 10_000


def parse(param_distributions: object) -> tuple[Dimension, ...]:
    """Return the dimensions of a space.

    Parameters
    ----------
    param_distributions : dict or list of dicts
        As `Space` takes it.

    Returns
    -------
    tuple of Dimension
        In the order of the dicts; of several dicts the first dimension is a `Branch`.

    Raises
    ------
    TypeError, ValueError
        If an entry is neither a list of choices nor a distribution, naming the
        hyperparameter.
    """
    branches = _listed_branches(param_distributions)
    if len(branches) == 1:
        return tuple(_dimension(name, value, None) for name, value in branches[0].items())
    equal = np.full(len(branches), 1 / len(branches))
    dimensions: list[Dimension] = [Branch("branch", tuple(range(len(branches))), equal)]
    for number, branch in enumerate(branches):
        dimensions += [_dimension(name, value, number) for name, value in branch.items()]
    return tuple(dimensions)


def _listed_branches(param_distributions: object) -> list[Mapping[str, Any]]:
    """Return the dicts, after the checks of all but their values."""
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
    if _needs_no_arguments(value):
        value = value()
    if isinstance(value, stats.rv_continuous | stats.rv_discrete):
        raise ValueError(
            f"param_distributions[{name!r}] is the unfrozen distribution {value.name!r}: "
            f"give it its arguments, as in scipy.stats.{value.name}(...)."
        )
    if callable(getattr(value, "ppf", None)) and callable(getattr(value, "rvs", None)):
        return _from_distribution(name, value, branch)
    if _is_sequence(value):
        return _choice(name, value, branch)
    raise TypeError(
        f"param_distributions[{name!r}] must be a list of choices or a frozen scipy.stats "
        f"distribution (an object with the methods `ppf` and `rvs`), got {value!r} of type "
        f"{type(value).__name__}."
    )


def _needs_no_arguments(value: object) -> bool:
    """Whether an unfrozen distribution carries its own data."""
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
    distinct, counts = _counted(listed)
    return Choice(name, tuple(distinct), np.array(counts) / len(listed), branch=branch)


def _counted(listed: list[Any]) -> tuple[list[Any], list[int]]:
    """Return the distinct values of a list, and how often each is listed."""
    distinct: list[Any] = []
    counts: list[int] = []
    index_of: dict[tuple[type, object], int] = {}
    for value in listed:
        # only plain values are compared: other objects may not be hashed, nor have an equality
        plain = value is None or isinstance(value, str | bool | numbers.Real)
        content = "nan" if is_nan(value) else value
        key = (type(value), content if plain else id(value))
        if key in index_of:
            counts[index_of[key]] += 1
            continue
        index_of[key] = len(distinct)
        distinct.append(value)
        counts.append(1)
    return distinct, counts


def _from_distribution(name: str, value: Any, branch: int | None) -> Continuous | Discrete:
    whole = isinstance(_draw(name, value), numbers.Integral)
    if whole or isinstance(getattr(value, "dist", None), stats.rv_discrete):
        return _with_table(Discrete(name, value, whole=whole, branch=branch))
    low, high = ends_of_support(value)
    return Continuous(name, value, low, high, branch=branch)


def _draw(name: str, distribution: Any) -> Any:
    """Return a value that is drawn as `RandomizedSearchCV` draws it.

    Raises
    ------
    ValueError
        If a distribution does not have single numbers as quantiles and values.
    """
    where = f"param_distributions[{name!r}]"
    median = np.asarray(_call(where, distribution, "ppf", 0.5))
    if not median.ndim and not np.isfinite(to_float(median.item())):
        raise ValueError(
            f"{where} is a distribution whose median is not finite: "
            f"{describe(distribution)}. Are its arguments valid?"
        )
    drawn: Any = median
    if not median.ndim:
        drawn = _call(where, distribution, "rvs", random_state=np.random.RandomState(0))
    if np.ndim(drawn):
        raise ValueError(
            f"{where} must be a distribution of single numbers, got one of arrays: "
            f"{describe(distribution)}. Are its arguments arrays?"
        )
    if np.shape(_call(where, distribution, "ppf", np.array([0.25, 0.5, 0.75]))) != (3,):
        raise ValueError(
            f"{where} must have a `ppf` that takes arrays, got {describe(distribution)}."
        )
    return np.asarray(drawn).item()


def _call(where: str, distribution: Any, method: str, *args: Any, **kwargs: Any) -> Any:
    """Return what a method of the user's distribution returns; an error says which."""
    try:
        return getattr(distribution, method)(*args, **kwargs)
    except Exception as error:
        raise ValueError(
            f"{where} is a distribution whose `{method}` fails: {describe(distribution)}, "
            f"{type(error).__name__}: {error}."
        ) from error


def _with_table(dimension: Discrete) -> Discrete:
    """Return a discrete dimension with a table of its atoms, unless there are too many."""
    distribution = dimension.distribution
    if getattr(getattr(distribution, "dist", None), "xk", None) is not None:
        # of `rv_discrete(values=...)`: atoms need not be whole, and `loc` may have moved them
        p = np.asarray(distribution.dist.pk)
        cumulative = np.cumsum(p)[p > 0]
        atoms = np.asarray(distribution.ppf(cumulative - p[p > 0] / 2), dtype=float)
        return replace(dimension, atoms=atoms, cumulative=cumulative)
    if dimension.pmf_is_known:
        low, high = distribution.support()
    else:
        low, high = dimension.resolve(np.array([-LARGEST_Z, LARGEST_Z]))
    if high - low >= LARGEST_TABLE:
        return dimension
    atoms = np.arange(low, high + 1).astype(float)
    if dimension.pmf_is_known:
        atoms = atoms[distribution.pmf(atoms) > 0]
        cumulative = np.asarray(distribution.cdf(atoms), dtype=float)
        return replace(dimension, atoms=atoms, cumulative=cumulative)
    cumulative = cdf_by_bisection(dimension.resolve, atoms)
    probable = np.diff(cumulative, prepend=0.0) > 0
    return replace(dimension, atoms=atoms[probable], cumulative=cumulative[probable])
