"""What a search begins with: candidates of the user, known scores, earlier searches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from skpg.admission import Admission
from skpg.completion import complete
from skpg.evaluation.settings import SearchSettings
from skpg.known_scores import KnownScores, earlier_searches, is_pair
from skpg.optimizer import PolicyGradientOptimizer
from skpg.space.constraint import Constraint
from skpg.space.space import Space
from skpg.space.types import Params


def resolve(
    settings: SearchSettings,
    space: Space,
    constraint: Constraint | None,
    defaults: Mapping[str, Any],
) -> SearchSettings:
    """Return settings whose known scores are read, as far as they lie in the space.

    Parameters
    ----------
    settings : SearchSettings
    space : Space
    constraint : Constraint or None
    defaults : dict
        What stands for values that candidates of the user do not name.

    Returns
    -------
    SearchSettings
        `initial_params` is a list of candidates or a `KnownScores`, `warm_start_from` a tuple of
        `KnownScores`.

    Raises
    ------
    TypeError, ValueError
        If one of them cannot be used, naming it.
    """
    metric = _metric_of(settings)
    given = settings.initial_params
    if has_scores(given):
        initial: Any = _known_of(given, space, constraint, metric)
    else:
        initial = list(given or ())
        for number, params in enumerate(initial):
            _check(f"initial_params[{number}]", params, space, constraint, defaults)
    earlier = earlier_searches(
        "warm_start_from", settings.warm_start_from, settings.learner, space, metric
    )
    if settings.verbose > 0:
        _announce("initial_params", initial)
        for number, known in enumerate(earlier):
            _announce(f"warm_start_from[{number}]", known)
    return replace(settings, initial_params=initial, warm_start_from=earlier)


def begin(
    optimizer: PolicyGradientOptimizer,
    initial_params: list[Any] | KnownScores,
    defaults: Mapping[str, Any],
) -> int:
    """Tell an optimizer what is known, and let it ask for what is to be evaluated first.

    Parameters
    ----------
    optimizer : PolicyGradientOptimizer
        New.
    initial_params : list or KnownScores
        As `resolve` leaves them.
    defaults : dict

    Returns
    -------
    int
        The number of candidates that were told.
    """
    if not isinstance(initial_params, KnownScores):
        optimizer.enqueue(initial_params, defaults=defaults)
        return 0
    optimizer.tell(initial_params.params, initial_params.scores)
    # `cv_results_` has what this search evaluated: with the best, the search is no worse
    optimizer.enqueue([initial_params.best], again=True)
    return len(initial_params)


def n_not_evaluated(initial_params: list[Any] | KnownScores, space: Space) -> int:
    """Return how many candidates are never evaluated, because their scores are known."""
    if not isinstance(initial_params, KnownScores):
        return 0
    return len(set(map(space.key, initial_params.params))) - 1  # but for the best


def has_scores(initial_params: object) -> bool:
    """Whether `initial_params` is not a list of candidates."""
    listed = isinstance(initial_params, list | tuple) or initial_params is None
    return is_pair(initial_params) or not listed


def _known_of(
    source: Any, space: Space, constraint: Constraint | None, metric: str | None
) -> KnownScores:
    """Read known scores of candidates that may be evaluated, with the values of the space."""
    name = "initial_params"
    try:
        known = KnownScores.of(source, metric).inside(space)
        known = replace(known, params=tuple(map(space.canonical, known.params)))
        if constraint is not None:
            known = known.where(np.array([constraint.allows(params) for params in known.params]))
    except (TypeError, ValueError) as error:
        raise type(error)(f"{name}, unless it is a list of dicts, {error}") from error
    if not known.n_complete:
        raise ValueError(
            f"{name} must have a candidate with a score that lies in the space and keeps the "
            f"constraint, got none among {len(known)}."
        )
    return known


def _check(
    name: str,
    params: Any,
    space: Space,
    constraint: Constraint | None,
    defaults: Mapping[str, Any],
) -> Params:
    """Raise where a candidate of the user is not in the space, or breaks the constraint."""
    try:
        admission = Admission(space, set(), constraint)
        candidate = complete(space, params, defaults, admission, np.random.default_rng(0))
    except (TypeError, ValueError) as error:
        raise type(error)(f"{name}: {error}") from None
    if constraint is not None:
        constraint.check(name, candidate)
    return candidate


def _metric_of(settings: SearchSettings) -> str | None:
    """Return the name of the metric that a search learns from, None where none is known."""
    if isinstance(settings.refit, str):
        return settings.refit
    scoring = settings.scoring
    if isinstance(scoring, Mapping | Sequence) and not isinstance(scoring, str):
        return str(next(iter(scoring), None))
    return scoring if isinstance(scoring, str) else None


def _announce(name: str, known: list[Any] | KnownScores) -> None:
    """Print how many candidates are learned from: those of a slightly other space are not."""
    if isinstance(known, KnownScores):
        total = len(known) + known.n_left_out
        print(f"{name}: {len(known)} of {total} candidates are learned from")
