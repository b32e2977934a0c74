"""From a distribution to a dimension, with all checks of it."""

from __future__ import annotations

import numbers
from dataclasses import replace
from typing import Any

import numpy as np
from scipy import stats

from skpg.space.adapting import Draws, Quantiles
from skpg.space.dimensions import Choice, Continuous, Dimension, Discrete
from skpg.space.dimensions.quantiles import (
    LARGEST_Z,
    cdf_by_bisection,
    ends_of_support,
)
from skpg.space.equality import same
from skpg.space.scalars import to_float, to_native
from skpg.space.wording import describe

# A discrete distribution with more atoms than this is evaluated by its own quantile function.
LARGEST_TABLE = 10_000
# An object that has nothing but `rvs` stands for so many draws of it, always the same ones.
DRAWS = 4000
DRAWING_SEED = 0
# With fewer repetitions than this among them, floats are taken for continuous.
REPEATED = 0.01
# Where it does not draw numbers, the choices are the first of so many draws, at most.
DRAWS_OF_OBJECTS = 1000
MOST_CHOICES = 50


def is_distribution(value: object) -> bool:
    """Whether a value tells quantiles, or is one of scipy's without its arguments."""
    if isinstance(value, stats.rv_continuous | stats.rv_discrete):
        return True
    if callable(getattr(value, "icdf", None)):
        return True
    return callable(getattr(value, "ppf", None)) and callable(getattr(value, "rvs", None))


def from_distribution(name: str, value: Any) -> Dimension:
    """Return the dimension of a distribution.

    Parameters
    ----------
    name : str
    value : object
        With ``rvs`` and ``ppf``, with ``icdf``, or with ``rvs`` alone.

    Raises
    ------
    ValueError
        If it is not a distribution of single numbers, or one of its methods fails.
    """
    where = f"param_distributions[{name!r}]"
    if _needs_no_arguments(value):
        value = value()
    if isinstance(value, stats.rv_continuous | stats.rv_discrete):
        raise ValueError(
            f"{where} is the unfrozen distribution {value.name!r}: "
            f"give it its arguments, as in scipy.stats.{value.name}(...)."
        )
    if isinstance(value, type):
        raise ValueError(f"{where} is the class {value.__name__!r}: give it its arguments.")
    if not is_distribution(value):
        return _from_draws(name, value)
    if not callable(getattr(value, "ppf", None)):
        value = Quantiles(value)
    whole = isinstance(_draw(name, value), numbers.Integral)
    if whole or isinstance(getattr(value, "dist", None), stats.rv_discrete):
        return _with_table(Discrete(name, value, whole=whole))
    low, high = ends_of_support(value)
    return Continuous(name, value, low, high)


def _needs_no_arguments(value: object) -> bool:
    """Whether an unfrozen distribution carries its own data."""
    return isinstance(value, stats.rv_histogram) or (
        isinstance(value, stats.rv_discrete) and hasattr(value, "xk")
    )


def _from_draws(name: str, source: Any) -> Dimension:
    """Return the dimension of what an object draws that has nothing but ``rvs``.

    Whole numbers, and floats that repeat, keep to what was drawn. Between floats that do not
    repeat all others may be.
    """
    where = f"param_distributions[{name!r}]"
    rng = np.random.RandomState(DRAWING_SEED)
    draws = [_native(_call(where, source, "rvs", random_state=rng)) for _ in range(DRAWS)]
    kinds = {type(draw) for draw in draws}
    # floats, and integers that a float can hold
    if kinds not in ({int}, {float}) or not all(abs(draw) <= 2.0**53 for draw in draws):
        return _from_objects(name, draws[:DRAWS_OF_OBJECTS])
    atoms, counts = np.unique(np.array(draws, dtype=float) + 0.0, return_counts=True)
    drawn = Draws(source, atoms)
    if kinds == {float} and len(atoms) > max((1 - REPEATED) * DRAWS, 1):
        return Continuous(name, drawn, *drawn.support())
    cumulative = np.cumsum(counts) / DRAWS
    return Discrete(name, drawn, atoms, cumulative, whole=kinds == {int})


def _from_objects(name: str, draws: list[Any]) -> Choice:
    """Return the first different draws as choices, as likely as they were drawn."""
    choices: list[Any] = []
    counts: list[int] = []
    for draw in draws:
        index = next((i for i, choice in enumerate(choices) if same(choice, draw)), len(choices))
        if index == len(choices) < MOST_CHOICES:
            choices.append(draw)
            counts.append(0)
        if index < len(choices):
            counts[index] += 1
    return Choice(name, tuple(choices), np.array(counts) / sum(counts))


def _native(value: Any) -> Any:
    """Return a number of numpy, or an array of no dimension, as Python's own."""
    if isinstance(value, np.ndarray) and value.ndim == 0:
        return value.item()
    return to_native(value)


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
