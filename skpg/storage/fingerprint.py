"""What makes two searches the same: the digests of all that decides their results."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from skpg.evaluation.settings import SearchSettings
from skpg.evaluation.sklearn import RunningFit
from skpg.known_scores import KnownScores
from skpg.space.dimensions import Choice, Dimension, Ordered, Unordered
from skpg.space.dimensions.quantiles import LARGEST_Z
from skpg.space.space import Space
from skpg.storage.digest import WITHOUT_EFFECT, digest, keeps_state, shell_of

# To be raised by each change after which the same search has other candidates or rewards: a
# search that was recorded before such a change is not continued.
RESULT_VERSION = 9
# The name of the part that holds it.
VERSION_PART = "the version of skpg's results"
# How lists are told from plain ones.
KINDS = {Unordered: "categorical", Ordered: "ordinal"}
# Where the quantile functions of distributions are compared.
GRID = np.linspace(-LARGEST_Z, LARGEST_Z, 65)

# By storage: the parts that fits of this process have changed. Only for these a difference
# from an earlier study is warned of: any other was made on purpose, such as the data of a
# nested cross-validation, or another `scoring`.
_changed: dict[Path, set[str]] = {}


def fingerprint_of(
    settings: SearchSettings, fit: RunningFit, space: Space, learner: Any, *, evaluation: str
) -> dict[str, str]:
    """Return the digests of the parts of a search that decide its results.

    Left out is what only decides how long it runs, and how fast: `n_iter`, `timeout`,
    `target_score`, `patience`, `callbacks`, `n_jobs`, `pre_dispatch`, `verbose`, and `refit`
    unless it names the metric to learn from.

    Parameters
    ----------
    settings : SearchSettings
        Whose known scores are read.
    fit : RunningFit
        The data, the splits, and the parameters of `fit`.
    space : Space
    learner : Learner
    evaluation : {'batch', 'stream', 'async'}
        As the backend can do it.

    Returns
    -------
    dict of str to str
        The names of the parts, as an error shows them, and their digests.

    Raises
    ------
    TypeError
        If a part has no digest, such as a parameter that is an open file.
    """
    values: dict[str, Any] = {
        "X": fit.X,
        "y": fit.y,
        "the folds": fit.splits,
        **_parameters("fit parameter", fit.keywords.get("fit_params")),
        **_parameters("score parameter", fit.keywords.get("score_params")),
        **_estimator_parts(settings.estimator),
        "scoring": settings.scoring,
        "refit (the metric)": settings.refit if isinstance(settings.refit, str) else None,
        **_space_parts(space),
        "initial_params": _told(settings.initial_params or []),
        "learner": learner,
        "batch_size": int(settings.batch_size),
        "random_state": settings.random_state,
        "error_score": settings.error_score,
        "return_train_score": bool(settings.return_train_score),
        "racing": [settings.racing, settings.racing_bound if settings.racing else None],
        "candidate_timeout": settings.candidate_timeout,
        "evaluation": evaluation,
        VERSION_PART: RESULT_VERSION,
    }
    if settings.constraint is not None:  # so that studies without one are found as before
        values["constraint"] = settings.constraint
    if settings.confirm_cv is not None:
        values["confirm_cv"] = settings.confirm_cv
    if settings.warm_start_from:
        values["warm_start_from"] = [_told(known) for known in settings.warm_start_from]
    return {name: digest(value) for name, value in values.items()}


def note_changes(
    path: Path, parts: Mapping[str, str], settings: SearchSettings, params: Mapping[str, Any]
) -> None:
    """Take note of the parts that a `fit` has changed, such as a scorer that counts its calls.

    Parameters
    ----------
    path : Path
        The storage.
    parts : dict of str to str
        What the parts were when the search began.
    settings : SearchSettings
        As they are when `fit` ends, in any way.
    params : dict
        What `fit` was given beside the data.
    """
    values = {
        **_parameters("fit parameter", params),
        **_parameters("score parameter", params),
        **_estimator_parts(settings.estimator),
        "scoring": settings.scoring,
    }
    changed = {n for n in values.keys() & parts.keys() if _digest_or_none(values[n]) != parts[n]}
    _changed.setdefault(path.resolve(), set()).update(changed)


def changed_by_fits(path: Path) -> set[str]:
    """Return the parts that fits with this storage have changed, in this process."""
    return _changed.get(path.resolve(), set())


def _digest_or_none(value: Any) -> str | None:
    try:
        return digest(value)
    except Exception:  # it cannot be told any more, or a thread that was given up changes it
        return None


def _told(initial_params: Any) -> Any:
    """Return candidates of the user, or what is known of candidates, for a digest."""
    if isinstance(initial_params, KnownScores):
        return ["known scores", list(initial_params.params), initial_params.scores]
    return list(initial_params)


def _parameters(kind: str, params: Mapping[str, Any] | None) -> dict[str, Any]:
    return {f"{kind} {name!r}": value for name, value in (params or {}).items()}


def _estimator_parts(estimator: Any) -> dict[str, Any]:
    if keeps_state(estimator):
        return {"the estimator": estimator}
    return {
        "the estimator": shell_of(estimator),
        **{
            f"the estimator's {name}": value
            for name, value in estimator.get_params().items()
            if name.rpartition("__")[-1] not in WITHOUT_EFFECT
        },
    }


def _space_parts(space: Space) -> dict[str, Any]:
    parts: dict[str, Any] = {
        # their order is that of the draws
        "the names in param_distributions": [(d.name, d.branches) for d in space.dimensions]
    }
    for dimension in space.dimensions:
        branch = "" if dimension.branches is None else f"[{dimension.branches[0]}]"
        name = f"param_distributions{branch}[{dimension.name!r}]"
        parts[name] = _dimension_part(dimension)
    return parts


def _dimension_part(dimension: Dimension) -> Any:
    """Return what a policy sees of a dimension: choices, or values of a quantile function."""
    if isinstance(dimension, Choice):
        kind = KINDS.get(type(dimension), "list")
        return [kind, dimension.choices, dimension.weights]
    return [type(dimension).__name__, dimension.values(dimension.resolve(GRID))]
