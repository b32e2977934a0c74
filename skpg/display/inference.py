"""The space of candidates whose space is not known."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy.stats import loguniform, randint, uniform

from skpg.space.equality import same
from skpg.space.logrange import logrange
from skpg.space.scalars import is_number, to_native
from skpg.space.space import Space
from skpg.space.types import Params

# Numbers of which there are no more are shown as a list.
FEW = 5
# The ratio of the greatest to the least number from which on a scale is taken as logarithmic.
LOGARITHMIC = 50.0


def inferred_space(params: Sequence[Params]) -> Space:
    """Return a space that has the candidates: lists of what occurs, and ranges of numbers.

    Candidates with other hyperparameters than others have are of another dict.

    Parameters
    ----------
    params : sequence of dict
    """
    branches: dict[tuple[str, ...], list[Params]] = {}
    for candidate in params:
        branches.setdefault(tuple(sorted(candidate)), []).append(candidate)
    names = dict.fromkeys(name for candidate in params for name in candidate)
    ranges = {name: _range([c[name] for c in params if name in c]) for name in names}
    spaces = [
        {
            name: _list([c[name] for c in members]) if ranges[name] is None else ranges[name]
            for name in members[0]
        }
        for members in branches.values()
    ]
    return Space(spaces[0] if len(spaces) == 1 else spaces)


def _range(values: list[Any]) -> Any:
    """Return a distribution over the numbers that occur; None where a list shows them better."""
    if not all(is_number(value) and np.isfinite(value) for value in values):
        return None
    numbers = [to_native(value) for value in values]
    if len(set(numbers)) <= FEW:
        return None
    low, high = min(numbers), max(numbers)
    logarithmic = low > 0 and high / low >= LOGARITHMIC
    if all(isinstance(number, int) for number in numbers):
        return logrange(low, high) if logarithmic else randint(low, high + 1)
    return loguniform(low, high) if logarithmic else uniform(low, high - low)


def _list(values: list[Any]) -> list[Any]:
    found: list[Any] = []
    for value in values:
        if not any(value is known or same(value, known) for known in found):
            found.append(value)
    return found
