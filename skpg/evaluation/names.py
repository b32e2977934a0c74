"""Whether an estimator accepts what candidates are to set."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import clone

from skpg.space.dimensions import Choice
from skpg.space.space import Space
from skpg.space.types import Params


def check_names(estimator: Any, space: Space) -> None:
    """Raise before any fit is run where the estimator does not accept a candidate.

    The estimator itself is asked, as each fit will do: not all of them list every name in
    `get_params`. Which names there are depends on the choices that hold estimators, such as
    the steps of a pipeline, so each of these is tried.
    """
    for columns in space.columns:
        dimensions = [space.dimensions[j] for j in columns]
        parents = [d for d in dimensions if isinstance(d, Choice) and _holds_estimator(d.choices)]
        others = [d for d in dimensions if d not in parents]
        first = {d.name: d.values(d.resolve(np.zeros(1)))[0] for d in [*parents, *others]}
        names = {d.name for d in parents}
        _check_accepted(estimator, first, names)
        for parent in parents:
            for choice in parent.choices[1:]:
                _check_accepted(estimator, {**first, parent.name: choice}, names)


def _check_accepted(estimator: Any, params: Params, parents: set[str]) -> None:
    """Raise a ValueError that names what the estimator does not accept of a candidate.

    Parameters
    ----------
    estimator : estimator object
    params : dict
        The parents first.
    parents : set of str
        Names whose values decide which others there are.
    """
    if _refusal(estimator, params) is None:
        return
    accepted: Params = {}
    while True:  # one by one, for some are accepted only beside others
        refusals = {
            name: _refusal(estimator, {**accepted, name: params[name]})
            for name in params
            if name not in accepted
        }
        fitting = next((name for name, error in refusals.items() if error is None), None)
        if fitting is None:
            break
        accepted[fitting] = params[fitting]
    name, error = next(iter(refusals.items()))
    beside = {other: params[other] for other in params if other in parents - {name}}
    choices = f" with {beside!r}; write what only some choices have as a list of dicts"
    raise ValueError(
        f"param_distributions names {name!r}, which {type(estimator).__name__} does not accept"
        f"{choices if beside else ''}: {error}"
    ) from error


def _refusal(estimator: Any, params: Params) -> Exception | None:
    """Return the error with which an estimator refuses params."""
    try:
        clone(estimator).set_params(**clone(params, safe=False))
    except (ValueError, TypeError, AttributeError) as error:
        return error
    return None


def _holds_estimator(value: Any) -> bool:
    """Whether a value decides which names of hyperparameters there are."""
    if isinstance(value, list | tuple):
        return any(map(_holds_estimator, value))
    return hasattr(value, "set_params")
