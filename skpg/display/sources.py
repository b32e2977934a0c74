"""Records of what users have: fitted searches, stored studies, searches that run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.validation import check_is_fitted

from skpg.display.inference import inferred_space
from skpg.display.record import SearchRecord
from skpg.display.recorder import Recorder
from skpg.space.space import Space
from skpg.space.types import FloatArray


def record_of(
    search: Any, *, metric: str | None = None, param_distributions: Any = None
) -> SearchRecord:
    """Return what is known of a search.

    Parameters
    ----------
    search : fitted search, dict, Recorder or SearchRecord
        A `PolicyGradientSearchCV`, `GridSearchCV` or other search of scikit-learn that is
        fitted, or its ``cv_results_``, such as `skpg.load_study` returns.
    metric : str, default=None
        Of several metrics the one to show. None is the one that `refit` names, else the first.
    param_distributions : dict or list of dicts, default=None
        The space. None is that of the search; of a dict the ranges that its candidates span.

    Returns
    -------
    SearchRecord

    Raises
    ------
    NotFittedError
        If `search` is a search that is not fitted.
    TypeError
        If it is nothing of the above.
    ValueError
        If there is no such metric, no candidate yet, or one that is not in the space.
    """
    if isinstance(search, SearchRecord):
        return search
    if isinstance(search, Recorder):
        return search.to_record()
    if is_results(search):
        return _of_results(search, _metric_of(search, None, metric), param_distributions)
    if hasattr(search, "fit") and hasattr(search, "get_params"):
        check_is_fitted(search, "cv_results_")
        return _of_search(search, metric, param_distributions)
    raise TypeError(
        "search must be a fitted search, a dict like cv_results_, as skpg.load_study returns it, "
        f"or a skpg.display.Recorder, got an object of type {type(search).__name__}."
    )


def is_results(search: Any) -> bool:
    """Whether this is a dict like ``cv_results_``."""
    return isinstance(search, Mapping) and "params" in search


def _of_results(results: Mapping[str, Any], metric: str, space: Any) -> SearchRecord:
    params, folds = tuple(results["params"]), _fold_scores(results, metric)
    all_folds = np.full(len(params), folds.shape[1])
    n_fits = np.asarray(results.get("n_folds_evaluated", all_folds), dtype=np.intp)
    return SearchRecord(
        space=inferred_space(params) if space is None else Space(space),
        params=params,
        fold_scores=folds,
        statuses=_statuses(folds, n_fits),
        n_fits=n_fits,
        seconds=_seconds(results, n_fits),
        updates=np.asarray(results.get("iter", np.arange(len(params))), dtype=np.intp),
        metric=metric,
    )


def _of_search(search: Any, metric: str | None, space: Any) -> SearchRecord:
    if space is None:
        space = getattr(search, "param_distributions", getattr(search, "param_grid", None))
    key = _metric_of(search.cv_results_, search.refit, metric)
    record = _of_results(search.cv_results_, key, space)
    chooses = callable(search.refit) or hasattr(search, "confirm_results_")
    named = key == "score" and isinstance(search.scoring, str)
    record = replace(
        record,
        metric=search.scoring if named else key,
        # not seen in the scores, where a number as error_score stands for failures
        statuses=np.array(getattr(search, "_statuses", record.statuses)),
        thetas=getattr(search, "_thetas", None),
        fit_log=getattr(search, "_fit_log", None),
        chosen=int(search.best_index_) if chooses else None,
    )
    log = record.fit_log
    if log is None:
        return record
    # cv_results_ does not have the times of raced candidates
    seconds = np.bincount(log.candidates, log.seconds, len(record)).astype(float)
    return replace(record, seconds=seconds)


def _metric_of(results: Mapping[str, Any], refit: Any, metric: str | None) -> str:
    """Return the metric that is asked for, else the one that `refit` names, else the first."""
    names = [name.removeprefix("mean_test_") for name in results if name.startswith("mean_test_")]
    wanted = refit if metric is None and isinstance(refit, str) and refit in names else metric
    if wanted is None and names:
        return names[0]
    if wanted not in names:
        raise ValueError(f"metric must be one of {names}, got {wanted!r}.")
    return wanted


def _fold_scores(results: Mapping[str, Any], metric: str) -> FloatArray:
    columns: list[FloatArray] = []
    while (name := f"split{len(columns)}_test_{metric}") in results:
        columns.append(np.asarray(results[name], dtype=float))
    return np.stack(columns, axis=1)


def _statuses(folds: FloatArray, n_fits: NDArray[np.intp]) -> NDArray[np.str_]:
    n_scores = np.isfinite(folds).sum(axis=1)
    unraced = np.where(n_scores == folds.shape[1], "complete", "failed")
    return np.where((n_scores == n_fits) & (n_fits < folds.shape[1]), "raced", unraced)


def _seconds(results: Mapping[str, Any], n_fits: NDArray[np.intp]) -> FloatArray:
    """Return the seconds of each candidate, of raced ones the median per fold times the folds."""
    of_fold = np.asarray(results["mean_fit_time"] + results["mean_score_time"], dtype=float)
    known = np.isfinite(of_fold)
    usual = float(np.median(of_fold[known])) if known.any() else 0.0
    return np.where(known, of_fold, usual) * n_fits
