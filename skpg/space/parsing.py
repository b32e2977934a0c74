"""From what a user writes to dimensions, with all checks of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from skpg.space.adapting import from_skrub
from skpg.space.dimensions import Branch, Choice, Dimension, Ordered, Unordered
from skpg.space.distributions import from_distribution, is_distribution
from skpg.space.equality import distinct
from skpg.space.lists import Categorical, Ordinal, as_list, is_sequence
from skpg.space.wording import written


def parse(
    param_distributions: object,
) -> tuple[tuple[Dimension, ...], tuple[tuple[int, ...], ...]]:
    """Return the dimensions of a space, and those of each dict.

    Parameters
    ----------
    param_distributions : dict or list of dicts
        As `Space` takes it.

    Returns
    -------
    dimensions : tuple of Dimension
        In the order of the dicts; of several dicts the first dimension is a `Branch`. What stands
        in several dicts under one name, with the same values, is one dimension.
    columns : tuple of tuple of int
        For each dict the numbers of its dimensions, in its order.

    Raises
    ------
    TypeError, ValueError
        If an entry is neither a list of choices nor a distribution, naming the
        hyperparameter.
    """
    branches = _listed_branches(param_distributions)
    if len(branches) == 1:
        dimensions = [_dimension(name, value) for name, value in branches[0].items()]
        return tuple(dimensions), (tuple(range(len(dimensions))),)
    equal = np.full(len(branches), 1 / len(branches))
    dimensions = [Branch("branch", tuple(range(len(branches))), equal)]
    columns: list[list[int]] = []
    for number, branch in enumerate(branches):
        columns.append([])
        for name, value in branch.items():
            new = replace(_dimension(name, value), branches=(number,))
            known = [j for j, d in enumerate(dimensions) if _is_one(d, new, branches)]
            if known:
                earlier = dimensions[known[0]]
                both = (*(earlier.branches or ()), number)
                dimensions[known[0]] = replace(earlier, branches=both)
            else:
                dimensions.append(new)
            columns[-1].append(known[0] if known else len(dimensions) - 1)
    return tuple(dimensions), tuple(map(tuple, columns))


def _is_one(known: Dimension, new: Dimension, branches: list[Mapping[str, Any]]) -> bool:
    """Whether a hyperparameter of a branch is one of earlier branches as well.

    It has the same values there, and belongs to the same objects: ``model__alpha`` of two models
    that are choices of ``model`` are two hyperparameters.
    """
    if known.name != new.name or known.branches is None or not known.same_values(new):
        return False
    earlier, later = branches[known.branches[0]], branches[new.branches[0]]  # type: ignore[index]
    parts = new.name.split("__")
    owners = ["__".join(parts[:stop]) for stop in range(1, len(parts))]
    return all(
        owner in earlier
        and owner in later
        and _dimension(owner, earlier[owner]).same_values(_dimension(owner, later[owner]))
        for owner in owners
        if owner in earlier or owner in later
    )


def _listed_branches(param_distributions: object) -> list[Mapping[str, Any]]:
    """Return the dicts, after the checks of all but their values."""
    branches = (
        [param_distributions] if isinstance(param_distributions, Mapping) else param_distributions
    )
    if not isinstance(branches, list | tuple):
        raise TypeError(
            "param_distributions must be a dict or a list of dicts, "
            f"got {written(param_distributions)} of type {type(param_distributions).__name__}."
        )
    for branch in branches:
        if not isinstance(branch, Mapping):
            raise TypeError(
                "param_distributions must be a dict or a list of dicts, "
                f"got an entry {written(branch)} of type {type(branch).__name__}."
            )
        if not all(isinstance(name, str) for name in branch):
            raise TypeError(f"param_distributions must have str keys, got {list(branch)!r}.")
    if not any(branches):
        raise ValueError(
            "param_distributions must name at least one hyperparameter, "
            f"got {written(param_distributions)}."
        )
    return list(branches)


def _dimension(name: str, value: Any) -> Dimension:
    """Turn one entry of the user's dict into a dimension."""
    where = f"param_distributions[{name!r}]"
    try:
        value = from_skrub(value)
    except ValueError as error:
        raise ValueError(f"{where} is {value!r}: {error}") from error
    if isinstance(value, Categorical):
        return _categorical(name, value)
    if isinstance(value, Ordinal):
        n = len(value)
        return Ordered(name, value.values, np.full(n, 1 / n))
    # a list that can also draw, such as one of the user's own, is still a list
    if is_distribution(value) or (hasattr(value, "rvs") and not is_sequence(value)):
        return from_distribution(name, value)
    if is_sequence(value):
        return _choice(name, value)
    raise TypeError(
        f"{where} must be a list of choices or a distribution, which is a frozen one of "
        f"scipy.stats or an object with the methods `ppf` and `rvs`, or with `rvs` alone, got "
        f"{written(value)} of type {type(value).__name__}."
    )


def _choice(name: str, values: Any) -> Choice:
    listed = as_list(values, f"param_distributions[{name!r}]")
    choices, indices = distinct(listed)
    return Choice(name, tuple(choices), np.bincount(indices) / len(listed))


def _categorical(name: str, value: Categorical) -> Unordered:
    """Return the choices that have a probability; what is listed twice has both."""
    choices, indices = distinct(list(value.values))
    weights = np.bincount(indices, weights=value.probabilities)
    weights = weights / weights.sum()
    likely = tuple(c for c, weight in zip(choices, weights, strict=True) if weight > 0)
    return Unordered(name, likely, weights[weights > 0])
