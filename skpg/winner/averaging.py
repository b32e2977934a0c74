"""What committees of classifiers and of regressors have in common."""

from __future__ import annotations

import numbers
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from sklearn import get_config
from sklearn.base import BaseEstimator, MetaEstimatorMixin, clone, is_classifier
from sklearn.model_selection import check_cv
from sklearn.utils import Bunch, get_tags, indexable
from sklearn.utils.metadata_routing import MetadataRouter, MethodMapping, process_routing
from sklearn.utils.parallel import Parallel, delayed

from skpg.evaluation.sklearn import HasMethods
from skpg.space.types import FloatArray, Params
from skpg.winner.checks import check_splits
from skpg.winner.members import Member, fit_member
from skpg.winner.votes import Labels


class Averaging(MetaEstimatorMixin, BaseEstimator):
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

    def _checked_target(self, y: Any) -> tuple[NDArray[Any], Labels | None]:
        """Return the target, and the classes of a classifier."""
        raise NotImplementedError

    def _fit(self, X: Any, y: Any, params: Mapping[str, Any]) -> Any:
        self._validate_params()
        y, _ = self._checked_target(y)
        X, y = indexable(X, y)
        splits, fit_params = self._splits(X, y, params)
        return self._fit_folds(X, y, splits, fit_params)

    def _fit_folds(
        self,
        X: Any,
        y: Any,
        splits: Sequence[tuple[Any, Any]],
        fit_params: Mapping[str, Any],
        members: Mapping[int, Sequence[Member]] | None = None,
    ) -> Any:
        """Become the committee of the models of some folds.

        Parameters
        ----------
        X, y : array-like
        splits : sequence of (train, test)
        fit_params : dict
        members : dict of int to sequence of n_folds Members, default=None
            The candidates whose models are fitted already.
        """
        candidates = self._estimators()
        weights = checked_weights(self.weights, len(candidates))
        known = dict(members or {})
        missing = [i for i in range(len(candidates)) if i not in known]
        fitted, _ = self._fit_members([candidates[i] for i in missing], X, y, splits, fit_params)
        known.update(zip(missing, fitted, strict=True))
        self._unite([known[i] for i in range(len(candidates))], weights, X, y)
        return self

    def _fit_members(
        self,
        candidates: Sequence[Any],
        X: Any,
        y: Any,
        splits: Sequence[tuple[Any, Any]],
        fit_params: Mapping[str, Any],
    ) -> tuple[list[list[Member]], list[list[FloatArray]]]:
        """Return the fitted models of candidates, and what they say of new rows, by fold."""
        y, classes = self._checked_target(y)
        fitted = Parallel(n_jobs=self.n_jobs)(
            delayed(fit_member)(clone(candidate), X, y, train, test, classes, fit_params)
            for candidate in candidates
            for train, test in splits
        )
        n = len(splits)
        groups = [fitted[i : i + n] for i in range(0, len(fitted), n)]
        return (
            [[member for member, _ in group] for group in groups],
            [[answers for _, answers in group] for group in groups],
        )

    def _unite(
        self, members: Sequence[Sequence[Member]], weights: FloatArray, X: Any, y: Any
    ) -> None:
        """Become the committee of the candidates that have a weight."""
        shares = weights / weights.sum()
        pairs = [
            (member, share / len(folds))
            for folds, share in zip(members, shares, strict=True)
            for member in folds
            if share > 0
        ]
        self._members = [member for member, _ in pairs]
        self.estimators_ = [member.model for member in self._members]
        self.weights_ = np.array([share for _, share in pairs])
        _, classes = self._checked_target(y)
        if classes is not None:
            self.classes_ = classes
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


def candidate_of(estimator: Any, params: Params | Mapping[str, Any]) -> Any:
    """Return an unfitted clone of an estimator with other hyperparameters."""
    return clone(estimator).set_params(**clone(params, safe=False))


def checked_weights(weights: Any, n_candidates: int) -> NDArray[np.float64]:
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
