"""Scores of predictions that are kept, by the scorers of scikit-learn."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin, is_classifier
from sklearn.metrics import get_scorer
from sklearn.utils import column_or_1d
from sklearn.utils.metaestimators import available_if

from skpg.evaluation.score_bounds import ACCURACY_OR_R2
from skpg.winner.quick import quick_metric
from skpg.winner.votes import Labels, votes_of_labels

# One of those is no R squared, but the share of deviance explained.
PLAIN_SCORES = {name for name in ACCURACY_OR_R2 if "GeneralizedLinear" not in name}


class StoredRegressor(RegressorMixin, BaseEstimator):
    """Says what was predicted, whatever it is asked."""

    def __init__(self, predictions: NDArray[Any]):
        self.predictions = predictions

    def predict(self, X: Any) -> NDArray[Any]:
        """Return the predictions."""
        return self.predictions


class StoredClassifier(ClassifierMixin, BaseEstimator):
    """Says how was voted, whatever it is asked.

    Parameters
    ----------
    votes : ndarray of shape (n_samples, n_classes)
    classes : ndarray of shape (n_classes,)
    responses : set of str
        What the votes were made of: ``"predict_proba"``, ``"decision_function"``, ``"predict"``.
    """

    def __init__(self, votes: NDArray[Any], classes: Labels, responses: frozenset[str]):
        self.votes, self.classes_, self.responses = votes, classes, responses

    def predict(self, X: Any) -> NDArray[Any]:
        """Return the classes with the greatest votes."""
        return np.asarray(self.classes_[self.votes.argmax(axis=1)])

    @available_if(lambda self: self.responses == {"predict_proba"})
    def predict_proba(self, X: Any) -> NDArray[Any]:
        """Return the votes."""
        return self.votes

    @available_if(lambda self: "predict" not in self.responses)
    def decision_function(self, X: Any) -> NDArray[Any]:
        """Return the votes; of two classes that of the second less that of the first."""
        if len(self.classes_) == 2:
            return np.asarray(self.votes[:, 1] - self.votes[:, 0])
        return self.votes


class StoredScore:
    """From predictions of known rows to their score.

    Parameters
    ----------
    scorer : str or callable
        As `scoring` of one metric.
    y : ndarray of shape (n_rows,)
        The targets of the rows.
    metric : str or None
        Which one, where the scorer computes several.
    """

    def __init__(self, scorer: Any, y: NDArray[Any], metric: str | None = None):
        self._scorer = get_scorer(scorer) if isinstance(scorer, str) else scorer
        self._quick = quick_metric(self._scorer)
        self._y, self._metric = y, metric

    def __call__(self, stored: Any, rows: Any = slice(None)) -> float:
        """Return the score of a stored estimator, which answers for `rows`.

        Raises
        ------
        ValueError
            If the scorer asks for more than predictions.
        """
        quick = self._quick and self._quick(stored, self._y[rows])
        if quick is not None:
            return quick
        try:
            # it has no data: a scorer that looks at them fails here
            score = self._scorer(stored, None, self._y[rows])
        except (AttributeError, TypeError, IndexError) as error:
            raise ValueError(
                f"{self._scorer!r} cannot score predictions that are kept, as it asks for "
                f"more than they say: {error}"
            ) from error
        if isinstance(score, Mapping):
            score = score[next(iter(score)) if self._metric is None else self._metric]
        return float(score)


def score_or_nan(score: Callable[[Any, Any], float], said: Any, rows: Any) -> float:
    """Return the score of some rows; nan where they are not enough, as if a class is missing.

    What a metric warns of is about these rows, which nobody has chosen.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return score(said, rows)
        except ValueError:
            return float("nan")


def check_scorer(scorer: Any, metric: str | None, estimator: Any, y: Any) -> None:
    """Raise where a scorer asks for more than predictions.

    Parameters
    ----------
    scorer : callable
    metric : str or None
        Which one, where it computes several.
    estimator : estimator object
    y : array-like of shape (n_rows,)

    Raises
    ------
    ValueError
        If it does, as far as perfect predictions of `y` tell.
    """
    check_own_score(scorer, estimator)
    y = column_or_1d(y)
    perfect: Any = StoredRegressor(y)
    if is_classifier(estimator):
        classes = np.unique(y)
        votes = votes_of_labels(y, classes)
        perfect = StoredClassifier(votes, classes, frozenset({"predict_proba"}))
    StoredScore(scorer, y, metric)(perfect)


def check_own_score(scorer: Any, estimator: Any) -> None:
    """Raise where the score is one that an estimator computes in a way of its own.

    Parameters
    ----------
    scorer : callable
    estimator : estimator object
        One that the scorer is to be used on.

    Raises
    ------
    ValueError
        If there is no `scoring`, and ``estimator.score`` is neither accuracy nor R squared.
    """
    if type(scorer).__name__ != "_PassthroughScorer":
        return
    own = estimator
    while hasattr(own, "steps"):
        own = own.steps[-1][1]
    function = getattr(type(own), "score", None)
    if f"{getattr(function, '__module__', '')}.{getattr(function, '__qualname__', '')}" not in (
        PLAIN_SCORES
    ):
        raise ValueError(
            f"The score method of {type(own).__name__} may ask for more than predictions. Choose "
            "a metric by `scoring`."
        )
