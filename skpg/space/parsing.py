"""From what a user writes to dimensions, with all checks of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from skpg.space.adapting import from_skrub
from skpg.space.dimensions import Branch, Choice, Dimension, Ordered, Unordered
from skpg.space.distributions import from_distribution, is_distribution
from skpg.space.equality import distinct
from skpg.space.lists import Categorical, Ordinal, as_list, is_sequence


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
    where = f"param_distributions[{name!r}]"
    try:
        value = from_skrub(value)
    except ValueError as error:
        raise ValueError(f"{where} is {value!r}: {error}") from error
    if isinstance(value, Categorical):
        return _categorical(name, value, branch)
    if isinstance(value, Ordinal):
        n = len(value)
        return Ordered(name, value.values, np.full(n, 1 / n), branch=branch)
    # a list that can also draw, such as one of the user's own, is still a list
    if is_distribution(value) or (hasattr(value, "rvs") and not is_sequence(value)):
        return from_distribution(name, value, branch)
    if is_sequence(value):
        return _choice(name, value, branch)
    raise TypeError(
        f"{where} must be a list of choices or a distribution, such as a frozen one of "
        f"scipy.stats or an object with the method `rvs`, got {value!r} of type "
        f"{type(value).__name__}."
    )


def _choice(name: str, values: Any, branch: int | None) -> Choice:
    listed = as_list(values, f"param_distributions[{name!r}]")
    choices, indices = distinct(listed)
    return Choice(name, tuple(choices), np.bincount(indices) / len(listed), branch=branch)


def _categorical(name: str, value: Categorical, branch: int | None) -> Unordered:
    """Return the choices that have a probability; what is listed twice has both."""
    choices, indices = distinct(list(value.values))
    weights = np.bincount(indices, weights=value.probabilities)
    weights = weights / weights.sum()
    likely = tuple(c for c, weight in zip(choices, weights, strict=True) if weight > 0)
    return Unordered(name, likely, weights[weights > 0], branch=branch)
