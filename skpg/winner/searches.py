"""From a fitted search to a committee."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from sklearn.base import is_classifier
from sklearn.utils import column_or_1d, indexable

from skpg.space.lists import generator_of
from skpg.winner.averaging import candidate_of
from skpg.winner.checks import check_kind, check_target, rows_of
from skpg.winner.committee import CommitteeClassifier, CommitteeRegressor
from skpg.winner.correction import complete, fold_scores, metric_of, table_of
from skpg.winner.ensemble import Ensemble
from skpg.winner.library import Library
from skpg.winner.stored import check_scorer


def committee(
    search: Any,
    X: Any,
    y: Any,
    *,
    ensemble: Ensemble | None = None,
    cv: Any = None,
    n_jobs: int | None = None,
    random_state: Any = None,
    **params: Any,
) -> CommitteeClassifier | CommitteeRegressor:
    """Return the committee of a fitted search.

    The models of the best candidate on the training rows of the search's folds are averaged, in
    place of a refit. A search keeps neither the data nor these models, so they are fitted again.

    Parameters
    ----------
    search : fitted search
        A `GridSearchCV`, `RandomizedSearchCV`, `PolicyGradientSearchCV` or another one with
        ``cv_results_`` and ``best_params_``. It is not changed.

    X, y : array-like
        The data that the search was fitted to.

    ensemble : Ensemble, default=None
        Averages several candidates instead of the best one: those that together predict the rows
        best that they were not fitted to. That takes as many fits as the search, of all
        candidates that have a score on each fold, and keeps their models until the choice is
        made.

    cv : int, cross-validation generator or iterable, default=None
        The folds. None: those of the search; of a splitter that draws others each time, such.

    n_jobs : int, default=None
        Number of fits in parallel. None: as in the search.

    random_state : int, RandomState, Generator or None, default=None
        Of the bags of an ensemble.

    **params : dict of str -> object
        What was passed to the ``fit`` of the search: arguments of the ``fit`` of the estimator,
        and ``groups`` for the splitter.

    Returns
    -------
    CommitteeClassifier or CommitteeRegressor
        Fitted. Its parameters are the estimator, the candidates and weights that were chosen, and
        the folds, so that it can be cloned and fitted to other data.

    Raises
    ------
    ValueError, TypeError
        Before anything is fitted: if the search is not fitted, or has no best candidate; if
        predictions have no average, as of outlier detectors, clusterers, transformers, and with
        several outputs; if the splits are ordered in time; if the metric of an ensemble asks for
        more than predictions.

    See Also
    --------
    corrected_score : How much of the best score is luck.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.model_selection import GridSearchCV
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> import skpg
    >>> X, y = load_iris(return_X_y=True)
    >>> tree = DecisionTreeClassifier(random_state=0)
    >>> search = GridSearchCV(tree, {"max_depth": [1, 2, 3], "max_features": [1, 2]}).fit(X, y)
    >>> len(skpg.committee(search, X, y).estimators_)
    5
    >>> ensemble = skpg.committee(search, X, y, ensemble=skpg.Ensemble(), random_state=0)
    >>> len(ensemble.candidates), float(ensemble.weights_.sum().round(6))
    (5, 1.0)
    """
    if not hasattr(search, "cv_results_"):
        raise ValueError(f"search must be a fitted search, got {search!r}.")
    if ensemble is not None and not isinstance(ensemble, Ensemble):
        raise TypeError(f"ensemble must be an Ensemble or None, got {ensemble!r}.")
    check_kind(search.estimator)
    kind = CommitteeClassifier if is_classifier(search.estimator) else CommitteeRegressor
    settings = {
        "cv": search.cv if cv is None else cv,
        "n_jobs": search.n_jobs if n_jobs is None else n_jobs,
    }
    if ensemble is None:
        return kind(_best_candidate(search), **settings).fit(X, y, **params)
    check_target(y)
    scorer, metric = _scorer_of(search, y)
    candidates = _complete(search)
    all_of_them = kind(search.estimator, candidates=candidates, **settings)
    X, y = indexable(X, column_or_1d(y, warn=True))
    splits, fit_params = all_of_them._splits(X, y, params)
    members, answers = all_of_them._fit_members(all_of_them._estimators(), X, y, splits, fit_params)
    library = Library(
        answers,
        [rows_of(test) for _, test in splits],
        y,
        np.unique(y) if is_classifier(search.estimator) else None,
        frozenset(member.response for folds in members for member in folds),
    )
    weights = library.weights(scorer, metric, ensemble, generator_of(random_state))
    chosen = np.flatnonzero(weights)
    united = kind(
        search.estimator,
        candidates=[candidates[i] for i in chosen],
        weights=weights[chosen],
        **settings,
    )
    united._unite([members[i] for i in chosen], weights[chosen], X, y)
    return united


def _best_candidate(search: Any) -> Any:
    """Return an unfitted estimator with the best hyperparameters."""
    if not hasattr(search, "best_params_"):
        raise ValueError(
            f"search must have best_params_, which several metrics with refit={search.refit!r} "
            "do not give. Set refit to the metric that counts."
        )
    return candidate_of(search.estimator, search.best_params_)


def _complete(search: Any) -> list[dict[str, Any]]:
    """Return the candidates that have a score on each fold, as far as the results tell."""
    table = table_of(search)
    folds = fold_scores(table, metric_of(table, search, None))
    if not complete(folds).any():
        raise ValueError("No candidate of the search has a score on each fold.")
    return [params for params, kept in zip(table["params"], complete(folds), strict=True) if kept]


def _scorer_of(search: Any, y: Any) -> tuple[Any, str]:
    """Return the scorer of the search, and its metric.

    Raises
    ------
    ValueError
        If it asks for more than predictions.
    """
    metric = metric_of(table_of(search), search, None)
    scorer = search.scorer_[metric] if isinstance(search.scorer_, Mapping) else search.scorer_
    check_scorer(scorer, metric, search.estimator, y)
    return scorer, metric
