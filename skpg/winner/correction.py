"""The score of the best of many candidates, without the luck of having been chosen."""

from __future__ import annotations

import numbers
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import is_classifier

from skpg.space.lists import generator_of
from skpg.space.types import FloatArray
from skpg.winner.ensemble import first_of_identical
from skpg.winner.stored import (
    StoredClassifier,
    StoredRegressor,
    StoredScore,
    check_own_score,
    score_or_nan,
)
from skpg.winner.votes import votes_of_labels

TIBSHIRANI = "Tibshirani and Tibshirani (2009)"
BOOTSTRAP = "BBC-CV, Tsamardinos et al. (2018)"
COVERAGE = 0.95

# From the predictions of rows, and the rows, to a score.
Score = Callable[[NDArray[Any], NDArray[np.intp]], float]


@dataclass(frozen=True)
class CorrectedScore:
    """What the best candidate of a search is expected to score on new data.

    Attributes
    ----------
    score : float
        The corrected score, in the units of ``best_score_``; higher is better.
    bias : float
        By how much ``best_score_`` is greater.
    method : str
        The method of the correction.
    interval : tuple of two floats, or None
        95 % of the bootstrap samples lie in it; None where only the scores of folds are known.
    """

    score: float
    bias: float
    method: str
    interval: tuple[float, float] | None = None

    def __str__(self) -> str:
        interval = "" if self.interval is None else " [{:.4g}, {:.4g}]".format(*self.interval)
        best = self.score + self.bias
        return f"{self.score:.4g}{interval} ({best:.4g} before correction by {self.method})"


def corrected_score(
    results: Any,
    y: ArrayLike | None = None,
    *,
    metric: str | None = None,
    predictions: ArrayLike | None = None,
    scoring: Any = None,
    n_bootstraps: int = 200,
    random_state: Any = None,
) -> CorrectedScore:
    r"""Correct the best score of a search for the luck of the chosen candidate.

    The best of many noisy scores is too high. Of the scores of folds alone the bias is
    estimated as the mean over the folds of what the best candidate of this fold scores more
    than the best candidate of all folds [1]_. Where the predictions of all candidates are known,
    the choice is repeated on bootstrap samples of the rows, and each time the chosen candidate is
    scored on the rows that are not in the sample [2]_.

    Parameters
    ----------
    results : fitted search, or dict of arrays
        A `GridSearchCV`, `RandomizedSearchCV`, `PolicyGradientSearchCV` or another one with
        ``cv_results_``; or its ``cv_results_``, also as a DataFrame. Scores that are nan, of fits
        that failed or were left out, are passed over.

    y : array-like of shape (n_rows,), default=None
        The targets, with `predictions`.

    metric : str, default=None
        Which of several metrics. None: the only one, or that of the search's ``refit``.

    predictions : array-like of shape (n_candidates, n_rows[, n_classes]), default=None
        What each candidate predicts of the rows that it was not fitted to, in the order of
        ``cv_results_``: what ``predict`` returns, or probabilities of the classes in sorted order.
        Candidates with nan are left out.

    scoring : str or callable, default=None
        The metric of the predictions. None: the scorer of the search.

    n_bootstraps : int, default=200
        Number of bootstrap samples. Each scores all candidates.

    random_state : int, RandomState, Generator or None, default=None
        Of the bootstrap samples.

    Returns
    -------
    CorrectedScore
        With ``score``, ``bias``, ``method`` and ``interval``.

    Raises
    ------
    ValueError
        If no candidate has a score on each fold, if it is not clear which metric is meant, if the
        search has chosen its candidate otherwise than by the best mean score, if `y` or
        `scoring` is missing, or if the metric asks for more than predictions.
    TypeError
        If `results` is neither a fitted search nor a table of results.

    See Also
    --------
    committee : A winner that is better, not only known better.

    Notes
    -----
    With :math:`s_k(c)` the score of candidate :math:`c` on fold :math:`k` of :math:`K` and
    :math:`\hat c` the candidate with the greatest mean, the first method subtracts

    .. math:: \frac{1}{K} \sum_k \left(\max_c s_k(c) - s_k(\hat c)\right).

    References
    ----------
    .. [1] R. J. Tibshirani and R. Tibshirani, "A bias correction for the minimum error rate in
       cross-validation", Annals of Applied Statistics 3(2), 2009. doi:10.1214/08-AOAS224
    .. [2] I. Tsamardinos, E. Greasidou and G. Borboudakis, "Bootstrapping the out-of-sample
       predictions for efficient and accurate cross-validation", Machine Learning 107, 2018.
       doi:10.1007/s10994-018-5714-4

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.model_selection import GridSearchCV
    >>> from sklearn.neighbors import KNeighborsClassifier
    >>> import skpg
    >>> X, y = load_iris(return_X_y=True)
    >>> search = GridSearchCV(KNeighborsClassifier(), {"n_neighbors": range(1, 31)}).fit(X, y)
    >>> print(skpg.corrected_score(search))
    0.9733 (0.98 before correction by Tibshirani and Tibshirani (2009))
    """
    search = results if hasattr(results, "cv_results_") else None
    table = table_of(results)
    metric = metric_of(table, search, metric)
    folds = fold_scores(table, metric)
    best = _best_of(folds, search, metric)
    if predictions is None:
        return _by_folds(folds, best)
    if not isinstance(n_bootstraps, numbers.Integral) or n_bootstraps < 1:
        raise ValueError(f"n_bootstraps must be a positive integer, got {n_bootstraps!r}.")
    if y is None:
        raise ValueError("predictions need their targets y, got y=None.")
    targets = np.asarray(y)
    answers = _checked(predictions, len(folds), len(targets))
    n_columns = answers.shape[2] if answers.ndim == 3 else None
    score = _score_of(search, targets, n_columns, scoring, metric)
    corrected, interval = bootstrapped(
        answers[complete(answers)], score, int(n_bootstraps), generator_of(random_state)
    )
    return CorrectedScore(corrected, float(folds[best].mean()) - corrected, BOOTSTRAP, interval)


def corrected_by(search: Any, y: NDArray[Any] | None, seed: int) -> CorrectedScore:
    """Return the corrected score of a search of ours, by its predictions where they are kept.

    Parameters
    ----------
    search : PolicyGradientSearchCV
        Fitted.
    y : ndarray of shape (n_rows,) or None
        The targets, where it has ``oof_predictions_``.
    seed : int
    """
    metrics = [
        name.removeprefix("mean_test_") for name in search.cv_results_ if "mean_test_" in name
    ]
    metric = search.refit if search.refit in metrics else metrics[0]
    if y is None:
        return corrected_score(search, metric=metric)
    predictions = search.oof_predictions_
    rows = ~np.isnan(predictions).all(axis=(0, *range(2, predictions.ndim)))
    if predictions.ndim == 3:  # a class of which no row was tested has no place
        predictions = predictions[:, :, np.isin(np.unique(y), y[rows])]
    return corrected_score(
        search, y[rows], metric=metric, predictions=predictions[:, rows], random_state=seed
    )


def bootstrapped(
    predictions: NDArray[Any],
    score: Score,
    n_bootstraps: int,
    rng: Any,
) -> tuple[float, tuple[float, float]]:
    """Return the mean score of candidates on the rows on which they were not chosen.

    Parameters
    ----------
    predictions : ndarray of shape (n_candidates, n_rows, ...)
    score : callable
        From the predictions of some rows, and the rows, to a score; nan where there is none.
    n_bootstraps : int
    rng : numpy Generator or RandomState

    Returns
    -------
    score : float
    interval : tuple of two floats
    """
    if predictions.dtype.kind == "f":  # of identical ones the first is chosen
        predictions = predictions[first_of_identical(predictions)]
    rows = np.arange(predictions.shape[1])
    score(predictions[0], rows)  # what is wrong with all samples is said
    scores = []
    for _ in range(n_bootstraps):
        drawn = rng.choice(rows, len(rows))
        chosen = [score_or_nan(score, answers[drawn], drawn) for answers in predictions]
        if not np.isnan(chosen).all():
            best = predictions[np.nanargmax(chosen)]
            new = np.setdiff1d(rows, drawn)
            scores.append(score_or_nan(score, best[new], new))
    if np.isnan(scores).all():
        raise ValueError("No bootstrap sample of the rows has a score.")
    tails = [(1 - COVERAGE) / 2, (1 + COVERAGE) / 2]
    low, high = np.nanquantile(scores, tails)
    return float(np.nanmean(scores)), (float(low), float(high))


def _by_folds(folds: FloatArray, best: int) -> CorrectedScore:
    bias = float((np.nanmax(folds, axis=0) - folds[best]).mean())
    return CorrectedScore(float(folds[best].mean()) - bias, bias, TIBSHIRANI)


def table_of(results: Any) -> Mapping[str, Any]:
    """Return the table of results, in which halving searches keep earlier rounds as well."""
    table = getattr(results, "cv_results_", results)
    if not hasattr(table, "keys"):
        raise TypeError(
            f"results must be a fitted search or its cv_results_, got {type(results).__name__}."
        )
    return table


def metric_of(table: Mapping[str, Any], search: Any, metric: str | None) -> str:
    """Return the metric whose best score is corrected."""
    names = [name.removeprefix("mean_test_") for name in table if name.startswith("mean_test_")]
    refit = getattr(search, "refit", None)
    if metric is None and isinstance(refit, str) and refit in names:
        metric = refit
    if metric is None and len(names) == 1:
        return names[0]
    if metric not in names:
        raise ValueError(f"metric must be one of {names}, got {metric!r}.")
    return metric


def fold_scores(table: Mapping[str, Any], metric: str) -> FloatArray:
    """Return an array of shape (n_candidates, n_folds), of the last round of a halving search."""
    of_fold = re.compile(rf"split\d+_test_{re.escape(metric)}")
    columns = [np.asarray(table[n], dtype=float) for n in table if of_fold.fullmatch(n)]
    if not columns:
        raise ValueError(f"The results have no scores of folds for the metric {metric!r}.")
    folds = np.stack(columns, axis=1)
    if "n_resources" in table:
        rounds = np.asarray(table["iter"])
        folds[rounds != rounds.max()] = np.nan
    return np.where(np.isfinite(folds), folds, np.nan)


def _best_of(folds: FloatArray, search: Any, metric: str) -> int:
    """Return the candidate with the greatest mean score."""
    if search is not None and callable(search.refit):
        raise ValueError(
            f"The search has chosen its candidate by refit={search.refit!r}; the correction is for "
            "the one with the best mean score. Pass its cv_results_ to correct that score."
        )
    # several metrics with refit=False have none
    if hasattr(search, "confirm_results_") and hasattr(search, "best_index_"):
        return int(search.best_index_)
    known = np.flatnonzero(complete(folds))
    if not len(known):
        raise ValueError(f"No candidate has a score on each fold for the metric {metric!r}.")
    return int(known[folds[known].mean(axis=1).argmax()])


def complete(values: NDArray[Any]) -> NDArray[np.bool_]:
    """Return which candidates have no nan."""
    if values.dtype.kind != "f":
        return np.ones(len(values), dtype=bool)
    return ~np.isnan(values).any(axis=tuple(range(1, values.ndim)))


def _checked(predictions: ArrayLike, n_candidates: int, n_rows: int) -> NDArray[Any]:
    """Return predictions as an array.

    Raises
    ------
    ValueError
        If they are not of all candidates and rows, or none is complete.
    """
    answers = np.asarray(predictions)
    if answers.ndim not in (2, 3) or answers.shape[:2] != (n_candidates, n_rows):
        raise ValueError(
            f"predictions must be of {n_candidates} candidates and {n_rows} rows, got an array of "
            f"shape {answers.shape}."
        )
    if not complete(answers).any():
        raise ValueError("predictions of each candidate have nan among them.")
    return answers


def _score_of(
    search: Any, y: NDArray[Any], n_columns: int | None, scoring: Any, metric: str
) -> Score:
    """Return the function from predictions of rows, and the rows, to their score.

    Parameters
    ----------
    search : fitted search or None
    y : ndarray of shape (n_rows,)
    n_columns : int or None
        Number of classes of probabilities; None of labels and numbers.
    scoring : str, callable or None
    metric : str
    """
    scorer = getattr(search, "scorer_", None) if scoring is None else scoring
    if isinstance(scorer, Mapping):
        scorer = scorer[metric]
    if scorer is None:
        raise ValueError("predictions need a scoring, got scoring=None.")
    estimator = getattr(search, "estimator", None)
    check_own_score(scorer, estimator)
    of_labels = estimator is not None and is_classifier(estimator)
    classes, score = np.unique(y), StoredScore(scorer, y, metric)
    if n_columns not in (None, len(classes)):
        raise ValueError(
            f"predictions must be of the {len(classes)} classes of y, got {n_columns}."
        )

    def score_of_rows(answers: NDArray[Any], rows: NDArray[np.intp]) -> float:
        if answers.dtype.kind == "f":  # the metrics of single precision differ, as in log_loss
            answers = answers.astype(float)
        if answers.ndim == 2:
            said = StoredClassifier(answers, classes, frozenset({"predict_proba"}))
        elif of_labels:
            votes = votes_of_labels(answers, classes)
            said = StoredClassifier(votes, classes, frozenset({"predict"}))
        else:
            said = StoredRegressor(answers)
        return score(said, rows)

    return score_of_rows
