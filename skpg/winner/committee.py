"""Committees: estimators that average models of different rows, or of different candidates."""

from __future__ import annotations

import numbers
from collections.abc import Callable, Mapping
from copy import deepcopy
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from sklearn import get_config
from sklearn.base import (
    BaseEstimator,
    ClassifierMixin,
    MetaEstimatorMixin,
    RegressorMixin,
    clone,
    is_classifier,
    is_regressor,
)
from sklearn.model_selection import check_cv
from sklearn.utils import Bunch, column_or_1d, get_tags, indexable
from sklearn.utils.metadata_routing import MetadataRouter, MethodMapping, process_routing
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.parallel import Parallel, delayed
from sklearn.utils.validation import check_is_fitted

from skpg.evaluation.sklearn import HasMethods
from skpg.space.types import FloatArray, Params
from skpg.winner.checks import check_kind, check_splits, check_target
from skpg.winner.library import Library
from skpg.winner.members import SOFT, fit_member
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


class _Committee(MetaEstimatorMixin, BaseEstimator):
    """What committees of classifiers and of regressors have in common."""

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "estimator": [HasMethods(["fit", "predict"])],
        "candidates": [list, tuple, None],
        "weights": ["array-like", None],
        "cv": ["cv_object"],
        "n_jobs": [numbers.Integral, None],
    }

    # scikit-learn's HTML representation links to the documentation of a class by these
    _doc_link_module = "skpg"
    _doc_link_template = (
        "https://skpg.readthedocs.io/en/latest/generated/{estimator_module}.{estimator_name}.html"
    )

    def __init__(self, estimator, *, candidates=None, weights=None, cv=None, n_jobs=None):
        self.estimator = estimator
        self.candidates = candidates
        self.weights = weights
        self.cv = cv
        self.n_jobs = n_jobs

    def get_metadata_routing(self):
        """Return where the arguments of `fit` go: to the estimator, and to the splitter.

        Returns
        -------
        MetadataRouter
        """
        return (
            MetadataRouter(owner=type(self).__name__)
            .add(
                estimator=self.estimator,
                method_mapping=MethodMapping().add(caller="fit", callee="fit"),
            )
            .add(
                splitter=self.cv,
                method_mapping=MethodMapping().add(caller="fit", callee="split"),
            )
        )

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        inner = get_tags(self.estimator)
        tags.input_tags = deepcopy(inner.input_tags)
        tags.non_deterministic = inner.non_deterministic
        tags.target_tags.positive_only = inner.target_tags.positive_only
        return tags

    def _fit(self, X: Any, y: Any, params: Mapping[str, Any]) -> Any:
        library = self._fit_library(X, y, params)
        self._unite(library, _checked_weights(self.weights, library.n_candidates), X)
        return self

    def _fit_library(self, X: Any, y: Any, params: Mapping[str, Any]) -> Library:
        """Return the fitted models of all candidates, and what they say of new rows."""
        self._validate_params()
        y, classes = self._checked_target(y)
        X, y = indexable(X, y)
        estimators = self._estimators()
        _checked_weights(self.weights, len(estimators))
        splits, fit_params = self._splits(X, y, params)
        fitted = Parallel(n_jobs=self.n_jobs)(
            delayed(fit_member)(clone(estimator), X, y, train, test, classes, fit_params)
            for estimator in estimators
            for train, test in splits
        )
        members, answers = zip(*fitted, strict=True)
        return Library(members, answers, [test for _, test in splits], y, classes)

    def _unite(self, library: Library, weights: FloatArray, X: Any) -> None:
        """Become the committee of the candidates that have a weight."""
        n_folds = len(library.tests)
        shares = np.repeat(weights / weights.sum() / n_folds, n_folds)
        self._members = [m for m, share in zip(library.members, shares, strict=True) if share > 0]
        self.estimators_ = [member.model for member in self._members]
        self.weights_ = shares[shares > 0]
        if library.classes is not None:
            self.classes_ = library.classes
        for name in ("n_features_in_", "feature_names_in_"):
            if hasattr(self.estimators_[0], name):
                setattr(self, name, getattr(self.estimators_[0], name))
        if any(member.columns is not None for member in self._members):
            self.n_features_in_ = X.shape[1]

    def _estimators(self) -> list[Any]:
        """Return an unfitted estimator for each candidate."""
        if self.candidates is None:
            return [self.estimator]
        if not len(self.candidates) or not all(isinstance(c, Mapping) for c in self.candidates):
            raise ValueError(
                "candidates must be None or a list of dicts of hyperparameters, at least one, got "
                f"{self.candidates!r}."
            )
        return [candidate_of(self.estimator, params) for params in self.candidates]

    def _splits(
        self, X: Any, y: Any, params: Mapping[str, Any]
    ) -> tuple[list[tuple[Any, Any]], Mapping[str, Any]]:
        """Return the folds, and the arguments of the estimator's ``fit``."""
        routed = self._routed(params)
        splitter = check_cv(self.cv, y, classifier=is_classifier(self.estimator))
        splits = list(splitter.split(X, y, **routed.splitter.split))
        check_splits(splits, self.cv)
        return splits, routed.estimator.fit

    def _routed(self, params: Mapping[str, Any]) -> Any:
        """Return the arguments of `fit` by where they go."""
        if get_config()["enable_metadata_routing"]:
            return process_routing(self, "fit", **params)
        fit = dict(params)
        split = {"groups": fit.pop("groups", None)}
        return Bunch(estimator=Bunch(fit=fit), splitter=Bunch(split=split))

    def _mean(self, answers: Callable[[Any], FloatArray]) -> FloatArray:
        """Return the weighted mean of what the members answer."""
        return np.asarray(
            sum(w * answers(m) for w, m in zip(self.weights_, self._members, strict=True))
        )


class CommitteeClassifier(ClassifierMixin, _Committee):
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


class CommitteeRegressor(RegressorMixin, _Committee):
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


def candidate_of(estimator: Any, params: Params | Mapping[str, Any]) -> Any:
    """Return an unfitted clone of an estimator with other hyperparameters."""
    return clone(estimator).set_params(**clone(params, safe=False))


def _of_other_kind(committee: Any, kind: str) -> str:
    """Return the message about an estimator that is not of a committee's kind."""
    check_kind(committee.estimator)
    return f"{type(committee).__name__} takes a {kind}, got {committee.estimator!r}."


def _checked_weights(weights: Any, n_candidates: int) -> NDArray[np.float64]:
    """Return the weights of candidates.

    Raises
    ------
    ValueError
        If they are not as many as the candidates, negative, or all zero.
    """
    if weights is None:
        return np.ones(n_candidates)
    checked = np.asarray(weights, dtype=float)
    if checked.shape != (n_candidates,):
        raise ValueError(
            f"weights must be one for each of the {n_candidates} candidates, got an array of "
            f"shape {checked.shape}."
        )
    if not np.isfinite(checked).all() or (checked < 0).any() or not checked.any():
        raise ValueError(
            f"weights must be finite, not negative and not all 0, got {list(weights)!r}."
        )
    return checked
