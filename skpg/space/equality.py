"""Whether two choices of a list are the same.

Choices are objects of any kind: data frames and arrays whose ``==`` has no single answer,
estimators that compare by identity, nan.
"""

from __future__ import annotations

import numbers
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skpg.space.scalars import is_nan


def same(left: object, right: object) -> bool:
    """Whether two choices have the same type and content, as a copy has; nan equals nan.

    Estimators are compared by class and parameters, since `clone` copies these.

    Examples
    --------
    >>> from skpg.space.equality import equal_content, same
    >>> same((1, 2), (1, 2)), same((1, 2), [1.0, 2.0]), equal_content((1, 2), [1.0, 2.0])
    (True, False, True)
    """
    return _equal(left, right, check_types=True)


def equal_content(left: object, right: object) -> bool:
    """Whether two choices are equal as numbers and sequences are, whatever their types."""
    return _equal(left, right, check_types=False)


def distinct(values: list[Any]) -> tuple[list[Any], list[int]]:
    """Return the distinct values of a list, and the index among them of each value.

    Only plain values are compared, by type and content, nan as equal to nan. Other objects may
    not be hashed, nor have an equality: these are told apart by identity.

    Examples
    --------
    >>> from skpg.space.equality import distinct
    >>> distinct([1, 1.0, True, "1", 1])
    ([1, 1.0, True, '1'], [0, 1, 2, 3, 0])
    """
    found: list[Any] = []
    indices: list[int] = []
    index_of: dict[tuple[type, object], int] = {}
    for value in values:
        plain = value is None or isinstance(value, str | bool | numbers.Real)
        content = "nan" if is_nan(value) else value
        index = index_of.setdefault((type(value), content if plain else id(value)), len(found))
        indices.append(index)
        if index == len(found):
            found.append(value)
    return found, indices


def quantiles_of(value: Any) -> list[Any] | None:
    """Return what identifies a distribution that has an ``icdf``; None for all else.

    What a copy of one of scipy's is made from depends on what was asked of it before.
    """
    if isinstance(value, type) or not callable(getattr(value, "icdf", None)):
        return None
    # one by one: it may be a distribution of arrays
    return [repr(value), *(np.asarray(value.icdf(q)) for q in np.linspace(0.05, 0.95, 19))]


def copied(value: Any) -> Any:
    """Return what `copy` would make a copy from, without what scipy's distributions add to it.

    These hold numpy's global random state, which changes, and a method that holds them.
    """
    reduced = value.__reduce_ex__(4)
    of_scipy = any(base.__module__.partition(".")[0] == "scipy" for base in type(value).__mro__)
    if not of_scipy or not isinstance(reduced, tuple) or not isinstance(reduced[2], dict):
        return reduced
    left_out = {"_random_state", "vecentropy"}
    state = {name: part for name, part in reduced[2].items() if name not in left_out}
    return (*reduced[:2], state, *reduced[3:])


def _equal(left: Any, right: Any, *, check_types: bool) -> bool:
    """Compare two choices, and if asked their types, also inside of containers."""
    if left is right:
        return True
    if check_types and type(left) is not type(right):
        return False
    if isinstance(left, list | tuple) and isinstance(right, list | tuple):
        return len(left) == len(right) and all(
            _equal(a, b, check_types=check_types) for a, b in zip(left, right, strict=True)
        )
    if isinstance(left, Mapping) and isinstance(right, Mapping):
        return left.keys() == right.keys() and all(
            _equal(left[key], right[key], check_types=check_types) for key in left
        )
    if isinstance(left, np.ndarray) and isinstance(right, np.ndarray):
        return _equal_arrays(left, right, check_types=check_types)
    if (is_nan(left) and is_nan(right)) or _equal_by_operator(left, right):
        return True
    return type(left) is type(right) and _equal_copies(left, right, check_types=check_types)


def _equal_arrays(left: NDArray[Any], right: NDArray[Any], *, check_types: bool) -> bool:
    if left.shape != right.shape or (check_types and left.dtype != right.dtype):
        return False
    if left.dtype.hasobject or right.dtype.hasobject:
        return _equal(left.tolist(), right.tolist(), check_types=check_types)
    floats = left.dtype.kind in "fc" and right.dtype.kind in "fc"
    return np.array_equal(left, right, equal_nan=floats)


def _equal_by_operator(left: Any, right: Any) -> bool:
    """Return ``left == right``, False where it has no single answer."""
    try:
        return bool(left == right)
    except Exception:  # that of data frames, or of a class of the user
        return False


def _equal_copies(left: Any, right: Any, *, check_types: bool) -> bool:
    """Compare two objects of one type by what copies of them are made from."""
    try:
        if isinstance(left, type):
            return False
        if hasattr(left, "get_params"):
            ours, theirs = left.get_params(deep=False), right.get_params(deep=False)
        elif quantiles_of(left) is not None:
            ours, theirs = quantiles_of(left), quantiles_of(right)
        elif type(left).__eq__ is object.__eq__:  # type: ignore[comparison-overlap]
            ours, theirs = copied(left), copied(right)
        else:  # the class defines an equality, and it said no
            return False
    except Exception:  # what cannot be copied equals no copy
        return False
    # a str is the name of a global, such as a function, of which there is only one
    return not isinstance(ours, str) and _equal(ours, theirs, check_types=check_types)
