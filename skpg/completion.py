"""Candidates of which a user has named a part: in which branch they lie, and what the rest is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from skpg.admission import MOST_DRAWS, Admission, growing
from skpg.policy.policy import Policy
from skpg.space.dimensions import Choice, Continuous, Dimension
from skpg.space.scalars import to_native
from skpg.space.space import Space
from skpg.space.types import FloatArray, Params


def complete(
    space: Space,
    params: Mapping[str, Any],
    defaults: Mapping[str, Any],
    admission: Admission,
    rng: np.random.Generator,
) -> Params:
    """Return a candidate with the given values, and others for what is not given.

    Of several branches in which the given values lie it is the one with the most defaults,
    which must not contradict the values that are fixed in it; among equals it is drawn.

    Parameters
    ----------
    space : Space
    params : dict
        Values of some or all hyperparameters of a branch. With all of them nothing is drawn, and
        the admission is not asked.
    defaults : dict
        What the others have where it lies in the space. The rest is drawn from the user's
        distributions; all others are if the constraint refuses the defaults.
    admission : Admission
        What may be drawn. If all that is drawn was seen before, such a one is returned.
    rng : numpy.random.Generator

    Raises
    ------
    TypeError
        If `params` is not a dict.
    ValueError
        If no branch has these names and values, or the constraint refuses all completions.
    """
    try:
        return space.canonical(params)
    except ValueError:
        branches = branches_with(space, params)
    number, given = _branch(space, branches, defaults, rng)
    known = with_defaults(space, number, given, defaults)
    same = np.array_equal(known, given, equal_nan=True)
    for row in [known] if same else [known, given]:
        found = _first_new(space, number, row, admission, rng)
        if found is not None:
            return found
    raise ValueError(f"constraint refused all completions of {dict(params)!r} that were drawn.")


def branches_with(space: Space, params: Mapping[str, Any]) -> dict[int, FloatArray]:
    """Return by branch the resolved rows of values, nan where none is given.

    Raises
    ------
    ValueError
        If no branch has all of these names and values.
    """
    given = dict(params)
    # what was drawn is found where it was drawn, not where something similar is
    for exact in (True, False):
        rows = {n: _given_in(space, n, given, exact=exact) for n in range(space.branches)}
        found = {number: row for number, row in rows.items() if row is not None}
        if found:
            return found
    reasons = dict.fromkeys(_reason(space, number, given) for number in range(space.branches))
    raise ValueError(f"{given!r} is not in the space. " + " ".join(reasons))


def with_defaults(
    space: Space, number: int, given: FloatArray, defaults: Mapping[str, Any]
) -> FloatArray:
    """Return the resolved row of a branch with defaults where nothing is given, nan elsewhere.

    The parameters of a part, such as ``model__C``, have no default where the part itself is
    another one than by default.
    """
    row = given.copy()
    other_parts = []
    for j in space.columns[number]:
        dimension = space.dimensions[j]
        default = find_default(dimension, defaults)
        if np.isnan(given[j]):
            row[j] = default
        if row[j] != default:  # nan, too, where there is none
            other_parts.append(f"{dimension.name}__")
    for j in space.columns[number]:
        if np.isnan(given[j]) and space.dimensions[j].name.startswith(tuple(other_parts)):
            row[j] = np.nan
    return row


def find_default(dimension: Dimension, defaults: Mapping[str, Any]) -> float:
    """Return the resolved number of a default, nan where the dimension lacks it."""
    if dimension.name not in defaults:
        return float("nan")
    value = to_native(defaults[dimension.name])
    if not isinstance(dimension, Continuous):
        return dimension.find_exact(value)
    # at the end of [0, 1] an int may be a count, and the float of the same value a fraction
    known = type(value) is float or (type(value) is int and dimension.low < value < dimension.high)
    return dimension.find(value) if known else float("nan")


def _given_in(space: Space, number: int, params: Params, *, exact: bool) -> FloatArray | None:
    """Return the resolved row of a branch with the given values, None where it lacks one."""
    row = np.full(len(space.dimensions), np.nan)
    column_of = {space.dimensions[j].name: j for j in space.columns[number]}
    for name, value in params.items():
        if name not in column_of:
            return None
        dimension = space.dimensions[column_of[name]]
        found = dimension.find_exact(value) if exact else dimension.find(value)
        if np.isnan(found):
            return None
        row[column_of[name]] = found
    return row


def _reason(space: Space, number: int, params: Params) -> str:
    """Say why a branch does not have the given values."""
    dimensions = {space.dimensions[j].name: space.dimensions[j] for j in space.columns[number]}
    if not params.keys() <= dimensions.keys():
        return f"Expected values for {list(dimensions)}, got {list(params)}."
    unknown = (name for name in params if np.isnan(dimensions[name].find(params[name])))
    return next(dimensions[name].unknown_message(params[name]) for name in unknown)


def _branch(
    space: Space,
    rows: Mapping[int, FloatArray],
    defaults: Mapping[str, Any],
    rng: np.random.Generator,
) -> tuple[int, FloatArray]:
    """Return the branch that agrees best with the defaults, and its row."""

    def agreement(number: int) -> tuple[bool, int]:
        row = with_defaults(space, number, rows[number], defaults)
        missing = [space.dimensions[j] for j in space.columns[number] if np.isnan(row[j])]
        kept = not any(
            isinstance(d, Choice) and d.size == 1 and d.name in defaults for d in missing
        )
        return kept, int((~np.isnan(row)).sum())

    agreements = {number: agreement(number) for number in rows}
    best = [number for number in rows if agreements[number] == max(agreements.values())]
    number = best[0] if len(best) == 1 else best[int(rng.integers(len(best)))]
    return number, rows[number]


def _first_new(
    space: Space, number: int, row: FloatArray, admission: Admission, rng: np.random.Generator
) -> Params | None:
    """Return the first candidate that is drawn and new, else one that was seen, else None."""
    known = {space.dimensions[j].name: j for j in space.columns[number] if not np.isnan(row[j])}
    # not as `decode` has them: the way to an action and back may change the last digit
    values = {name: space.dimensions[j].values(row[[j]])[0] for name, j in known.items()}
    seen = None
    for actions in _draws(space, number, row, rng):
        for params in space.decode(actions[admission(actions)]):
            candidate = params | values
            if space.key(candidate) not in admission.seen:
                return candidate
            seen = seen or candidate
        before = actions[[key in admission.seen for key in admission.keys(actions)]]
        if len(before):
            seen = seen or space.decode(before[:1])[0] | values
    return seen


def _draws(
    space: Space, number: int, row: FloatArray, rng: np.random.Generator
) -> Iterator[FloatArray]:
    """Yield actions of a branch, drawn from the user's distributions where the row has nan."""
    known = [j for j in space.columns[number] if not np.isnan(row[j])]
    missing = [j for j in space.columns[number] if np.isnan(row[j])]
    action = np.full(len(space.dimensions), np.nan)
    if space.branches > 1:
        action[0] = number
    for j in known:
        action[j] = space.dimensions[j].action(row[[j]])[0]
    actors = Policy.prior(space).actors
    for size in growing(MOST_DRAWS) if missing else (1,):
        actions = np.tile(action, (size, 1))
        uniform = rng.random((size, len(missing)))
        for j, column in zip(missing, uniform.T, strict=True):
            actions[:, j] = actors[j].ppf(column)
        yield actions
