"""Numbers of any type: Python's, numpy's, and integers that no float can hold."""

from __future__ import annotations

import numbers
from typing import Any

import numpy as np


def is_number(value: object) -> bool:
    """Whether a value is a real number; booleans are none."""
    return isinstance(value, numbers.Real) and not isinstance(value, bool | np.bool_)


def is_positive(value: object) -> bool:
    """Whether a value is a positive number, and finite."""
    return 0 < to_float(value) < np.inf


def is_nan(value: object) -> bool:
    """Whether a value is the number nan, of any type."""
    return isinstance(value, numbers.Number | np.generic) and bool(value != value)


def to_float(value: Any) -> float:
    """Return a number as a float; nan for all else, and for what no float can hold."""
    try:
        # + 0.0: no negative zero
        return float(value) + 0.0 if is_number(value) else float("nan")
    except OverflowError:
        return float("nan")


def to_native(value: Any) -> Any:
    """Return a scalar of numpy as Python's own, all else as it is."""
    return value.item() if isinstance(value, np.generic) else value


def equal_up_to_rounding(left: float, right: float, *operands: float) -> bool:
    """Whether two numbers differ by no more than the error of rounding.

    Parameters
    ----------
    left, right : float
    *operands : float
        Other numbers that they may have been computed with: the larger these are, the larger
        is the error. Infinite ones are ignored.

    Returns
    -------
    bool
        False if one is nan.
    """
    finite = [abs(number) for number in (left, right, *operands) if not np.isinf(number)]
    return bool(abs(left - right) <= 4 * np.spacing(max(finite, default=0.0)))


def sort_key(number: Any) -> tuple[bool, Any]:
    """Return a key that sorts numbers of any types, nan last.

    Python compares integers and floats exactly, also integers that no float can hold.
    """
    return (True, 0) if is_nan(number) else (False, to_native(number))
