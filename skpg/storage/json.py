"""Candidates and spaces as JSON."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from skpg.space.dimensions import Choice, Dimension
from skpg.space.dimensions.quantiles import LARGEST_Z
from skpg.space.space import Space
from skpg.space.types import Params
from skpg.space.wording import written

# Choices of these types are JSON; all others are stored by their index.
PLAIN = (type(None), bool, int, float, str)
# Characters of a choice that the description of a space shows.
LONGEST_TEXT = 200


def encode(space: Space, params: Mapping[str, Any]) -> str:
    """Return a candidate as JSON, without loss.

    Examples
    --------
    >>> from scipy.stats import uniform
    >>> from skpg import Space
    >>> from skpg.storage.json import encode
    >>> space = Space({"C": uniform(), "kernel": ["rbf", len]})
    >>> encode(space, {"C": 0.1, "kernel": "rbf"}), encode(space, {"C": 0.5, "kernel": len})
    ('{"C": 0.1, "kernel": "rbf"}', '{"C": 0.5, "kernel": {"choice": 1}}')
    """
    row = space.identify(params)
    branch = int(row[0]) if space.branches > 1 else 0
    encoded = {}
    for j in space.columns[branch]:
        dimension = space.dimensions[j]
        value = dimension.values(row[j : j + 1])[0]
        if isinstance(dimension, Choice) and type(value) not in PLAIN:
            value = {"choice": int(row[j])}
            if space.branches > 1:
                value["branch"] = branch
        elif isinstance(value, float) and not math.isfinite(value):
            value = {"float": repr(value)}
        encoded[dimension.name] = value
    return json.dumps(encoded)


def decode(text: str, choice: Callable[[str, int, int], Any]) -> Params:
    """Return a candidate from JSON.

    Parameters
    ----------
    text : str
    choice : callable
        Returns the choice for the name of a hyperparameter, an index and a branch.
    """
    return {name: _value(name, value, choice) for name, value in json.loads(text).items()}


def _value(name: str, value: Any, choice: Callable[[str, int, int], Any]) -> Any:
    if not isinstance(value, dict):
        return value
    if "float" in value:
        return float(value["float"])
    return choice(name, value["choice"], value.get("branch", 0))


def choice_of(space: Space, name: str, index: int, branch: int) -> Any:
    """Return a choice by its index.

    Raises
    ------
    ValueError
        If the space does not have it.
    """
    columns = space.columns[branch] if 0 <= branch < len(space.columns) else ()
    for dimension in (space.dimensions[j] for j in columns):
        if dimension.name != name:
            continue
        if isinstance(dimension, Choice) and 0 <= index < len(dimension.choices):
            return dimension.choices[index]
    raise ValueError(f"param_distributions has no choice {index} of {name!r}")


def describe(space: Space) -> list[dict[str, Any]]:
    """Return a description of a space that JSON can hold, for people to read."""
    return [
        {"name": d.name, "branch": number if space.branches > 1 else None, **_description(d)}
        for number, columns in enumerate(space.columns)
        for d in (space.dimensions[j] for j in columns)
    ]


def _description(dimension: Dimension) -> dict[str, Any]:
    if isinstance(dimension, Choice):
        return {"choices": [written(choice)[:LONGEST_TEXT] for choice in dimension.choices]}
    low, median, high = dimension.values(dimension.resolve(np.array([-LARGEST_Z, 0.0, LARGEST_Z])))
    return {"from": repr(low), "median": repr(median), "to": repr(high)}
