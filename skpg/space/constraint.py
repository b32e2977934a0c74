"""What a user allows of a space."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from skpg.space.types import Params


class Constraint:
    """The condition that candidates must fulfil to be evaluated.

    Parameters
    ----------
    function : callable
        From params to True where they are allowed, and False where not.

    Attributes
    ----------
    function : callable
    has_failed : bool
        Whether a warning has told that it failed.

    Raises
    ------
    TypeError
        If it is not callable.
    """

    def __init__(self, function: Any):
        if not callable(function):
            raise TypeError(f"constraint must be a callable or None, got {function!r}.")
        self.function: Callable[[Params], bool] = function
        self.has_failed = False

    def allows(self, params: Mapping[str, Any]) -> bool:
        """Return whether a candidate may be evaluated.

        Raises
        ------
        ValueError
            If the function raises an error.
        TypeError
            If it returns anything but True or False.
        """
        try:
            answer = self.function(dict(params))  # a function that changes it changes a copy
        except Exception as error:
            raise ValueError(
                f"constraint raised {type(error).__name__}: {error} for {params!r}."
            ) from error
        if not isinstance(answer, bool | np.bool_):
            raise TypeError(
                f"constraint must return True or False, got {answer!r} of type "
                f"{type(answer).__name__} for {params!r}."
            )
        return bool(answer)

    def check(self, name: str, params: Mapping[str, Any]) -> None:
        """Raise an error that names a candidate unless it may be evaluated.

        Raises
        ------
        ValueError
            If it may not.
        ValueError, TypeError
            As `allows`.
        """
        try:
            allowed = self.allows(params)
        except (TypeError, ValueError) as error:
            raise type(error)(f"{name}: {error}") from error
        if not allowed:
            raise ValueError(f"{name}: constraint forbids {params!r}.")
