"""Whether two choices of a list are the same.

Choices are objects of any kind: data frames and arrays whose ``==`` has no single answer,
estimators that compare by identity, nan.
"""

from __future__ import annotations

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
        elif type(left).__eq__ is object.__eq__:  # type: ignore[comparison-overlap]
            ours, theirs = left.__reduce_ex__(4), right.__reduce_ex__(4)
        else:  # the class defines an equality, and it said no
            return False
    except Exception:  # what cannot be copied equals no copy
        return False
    # a str is the name of a global, such as a function, of which there is only one
    return not isinstance(ours, str) and _equal(ours, theirs, check_types=check_types)
