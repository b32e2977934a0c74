"""Committees: estimators that average models of different rows, or of different candidates."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import ClassifierMixin, RegressorMixin, is_classifier, is_regressor
from sklearn.utils import column_or_1d, get_tags
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted

from skpg.space.types import FloatArray
from skpg.winner.averaging import Averaging
from skpg.winner.checks import check_kind, check_target
from skpg.winner.members import SOFT
from skpg.winner.votes import Labels


def _each_has(method: str) -> Callable[[Any], bool]:
    """Return whether each model of a committee has a method."""

    def check(committee: Any) -> bool:
        models = getattr(committee, "estimators_", [committee.estimator])
        return all(hasattr(model, method) for model in models)

    return check


def _decides(committee: Any) -> bool:
    """Whether each model says more than labels, and not all of them probabilities only."""
    if _each_has("decision_function")(committee):
        return True
    members = getattr(committee, "_members", ())
    soft = bool(members) and all(member.response in SOFT for member in members)
    return soft and not _each_has("predict_proba")(committee)


class CommitteeClassifier(ClassifierMixin, Averaging):
    """Average classifiers that were fitted to the training rows of each fold.

    A search has fitted the best candidate once for each fold, and then fits it again to all
    rows. The committee keeps the models of the folds and averages what they say. Each has seen
    less data than a refit, but their errors differ, and cancel in part.

    Models with ``predict_proba`` vote by their probabilities. Those without vote by their
    decisions: ``softmax(d / s)``, where ``d`` is ``decision_function``, less its mean over the
    classes (``(-d, d)`` of two classes), and ``s`` the mean of ``abs(d)`` on the rows that the
    model was not fitted to. Those with neither vote by their labels, and so do models of two
    classes whose labels are not the classes with the greatest probability, as of
    ``FixedThresholdClassifier``. A class that is missing from the training rows of a fold gets no
    votes of its model.

    Parameters
    ----------
    estimator : classifier
        Of one output.

    candidates : list of dict, default=None
        Hyperparameters, set on clones of `estimator`; each candidate is fitted to each fold.
        None: `estimator` as it is.

    weights : array-like of shape (n_candidates,), default=None
        Weights of the candidates, not negative. None: equal ones.

    cv : int, cross-validation generator or iterable, default=None
        The folds, as in :class:`~sklearn.model_selection.RandomizedSearchCV`: None are five,
        stratified. Only their training rows are fitted to. Splits that are ordered in time are
        refused: their models have not seen the latest rows.

    n_jobs : int, default=None
        Number of fits in parallel; None is 1 unless in a :obj:`joblib.parallel_backend` context,
        -1 all processors.

    Attributes
    ----------
    estimators_ : list of estimators
        The fitted models, by candidate, then by fold.

    weights_ : ndarray of shape (n_estimators,)
        The weight of each model; 1 in sum.

    classes_ : ndarray of shape (n_classes,)
        The class labels.

    n_features_in_ : int
        Number of features seen during `fit`. Present only if the models know it.

    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of features seen during `fit`. Present only if the models know them.

    See Also
    --------
    committee : The committee of the best candidate of a fitted search, or an ensemble of several.
    CommitteeRegressor : The same for regressors.
    sklearn.ensemble.BaggingClassifier : Averages models of bootstrap samples.

    Notes
    -----
    Predicting takes as many times longer as there are models, and so does the memory.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> from skpg import CommitteeClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> committee = CommitteeClassifier(DecisionTreeClassifier(random_state=0)).fit(X, y)
    >>> len(committee.estimators_)
    5
    >>> committee.predict_proba(X[50:51]).round(1)
    array([[0., 1., 0.]])
    """

    def _checked_target(self, y: Any) -> tuple[NDArray[Any], Labels | None]:
        if not is_classifier(self.estimator):
            raise TypeError(_of_other_kind(self, "classifier"))
        check_target(y)
        check_classification_targets(y)
        y = column_or_1d(y, warn=True)
        return y, np.unique(y)

    def fit(self, X, y, **params):
        """Fit a model to the training rows of each fold, for each candidate.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or (n_samples, n_samples)
            Training vectors, of any kind that the estimator takes; a precomputed matrix where it
            expects one.

        y : array-like of shape (n_samples,)
            Class labels.

        **params : dict of str -> object
            Arguments of the ``fit`` of the estimator, and ``groups`` for the splitter. What is as
            long as X is cut as X is.

        Returns
        -------
        self : object
            The fitted committee.
        """
        return self._fit(X, y, params)

    def predict(self, X):
        """Return the class with the greatest mean vote, the first of equal ones.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Of a precomputed matrix the columns belong to all training rows.

        Returns
        -------
        ndarray of shape (n_samples,)
        """
        chosen = self._votes(X).argmax(axis=1)
        return self.classes_[chosen]

    @available_if(_each_has("predict_proba"))
    def predict_proba(self, X):
        """Return the mean probabilities. Available if each model has them.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
        """
        check_is_fitted(self)
        return self._mean(lambda member: member.votes("predict_proba", X))

    @available_if(_each_has("predict_proba"))
    def predict_log_proba(self, X):
        """Return the logarithms of the mean probabilities. Available if each model has them.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
        """
        with np.errstate(divide="ignore"):
            return np.log(self.predict_proba(X))

    @available_if(_decides)
    def decision_function(self, X):
        """Return the mean votes; of two classes that of the second less that of the first.

        Available if each model has it, and where some models have probabilities and the others
        decisions.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_classes)
        """
        votes = self._votes(X)
        return votes[:, 1] - votes[:, 0] if len(self.classes_) == 2 else votes

    def _votes(self, X: Any) -> FloatArray:
        check_is_fitted(self)
        return self._mean(lambda member: member.answer(X))

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        inner = get_tags(self.estimator).classifier_tags
        if inner is not None:
            tags.classifier_tags.multi_class = inner.multi_class
            tags.classifier_tags.poor_score = inner.poor_score
        return tags


class CommitteeRegressor(RegressorMixin, Averaging):
    """Average regressors that were fitted to the training rows of each fold.

    A search has fitted the best candidate once for each fold, and then fits it again to all
    rows. The committee keeps the models of the folds and averages their predictions. Each has
    seen less data than a refit, but their errors differ, and cancel in part.

    Parameters
    ----------
    estimator : regressor
        Of one output.

    candidates : list of dict, default=None
        Hyperparameters, set on clones of `estimator`; each candidate is fitted to each fold.
        None: `estimator` as it is.

    weights : array-like of shape (n_candidates,), default=None
        Weights of the candidates, not negative. None: equal ones.

    cv : int, cross-validation generator or iterable, default=None
        The folds, as in :class:`~sklearn.model_selection.RandomizedSearchCV`: None are five. Only
        their training rows are fitted to. Splits that are ordered in time are refused: their
        models have not seen the latest rows.

    n_jobs : int, default=None
        Number of fits in parallel; None is 1 unless in a :obj:`joblib.parallel_backend` context,
        -1 all processors.

    Attributes
    ----------
    estimators_ : list of estimators
        The fitted models, by candidate, then by fold.

    weights_ : ndarray of shape (n_estimators,)
        The weight of each model; 1 in sum.

    n_features_in_ : int
        Number of features seen during `fit`. Present only if the models know it.

    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of features seen during `fit`. Present only if the models know them.

    See Also
    --------
    committee : The committee of the best candidate of a fitted search, or an ensemble of several.
    CommitteeClassifier : The same for classifiers.
    sklearn.ensemble.BaggingRegressor : Averages models of bootstrap samples.

    Notes
    -----
    Predicting takes as many times longer as there are models, and so does the memory.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.neighbors import KNeighborsRegressor
    >>> from skpg import CommitteeRegressor
    >>> X, y = load_diabetes(return_X_y=True)
    >>> committee = CommitteeRegressor(
    ...     KNeighborsRegressor(), candidates=[{"n_neighbors": 5}, {"n_neighbors": 20}], cv=3
    ... ).fit(X, y)
    >>> len(committee.estimators_)
    6
    """

    def _checked_target(self, y: Any) -> tuple[NDArray[Any], Labels | None]:
        if not is_regressor(self.estimator):
            raise TypeError(_of_other_kind(self, "regressor"))
        check_target(y)
        return column_or_1d(y, warn=True), None

    def fit(self, X, y, **params):
        """Fit a model to the training rows of each fold, for each candidate.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or (n_samples, n_samples)
            Training vectors, of any kind that the estimator takes; a precomputed matrix where it
            expects one.

        y : array-like of shape (n_samples,)
            Targets.

        **params : dict of str -> object
            Arguments of the ``fit`` of the estimator, and ``groups`` for the splitter. What is as
            long as X is cut as X is.

        Returns
        -------
        self : object
            The fitted committee.
        """
        return self._fit(X, y, params)

    def predict(self, X):
        """Return the mean of the predictions.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Of a precomputed matrix the columns belong to all training rows.

        Returns
        -------
        ndarray of shape (n_samples,)
        """
        check_is_fitted(self)
        return self._mean(lambda member: member.answer(X))


def _of_other_kind(committee: Any, kind: str) -> str:
    """Return the message about an estimator that is not of a committee's kind."""
    check_kind(committee.estimator)
    return f"{type(committee).__name__} takes a {kind}, got {committee.estimator!r}."
