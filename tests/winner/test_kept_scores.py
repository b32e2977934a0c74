"""The corrected score agrees with the scores of the search, or is made of them."""

import warnings

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer, load_diabetes
from sklearn.dummy import DummyRegressor
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import FixedThresholdClassifier, KFold, StratifiedKFold
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

from skpg import Ensemble, PolicyGradientSearchCV

X, y = (part[:150] for part in load_breast_cancer(return_X_y=True))
X_NUMBERS, NUMBERS = (part[::3] for part in load_diabetes(return_X_y=True))
TREE = DecisionTreeClassifier(random_state=0)


def search(estimator, space, **settings):
    settings = {"n_iter": 6, "cv": 3, "random_state": 0, "keep": "predictions", **settings}
    return PolicyGradientSearchCV(estimator, space, **settings)


def test_a_probability_of_zero_costs_what_it_costs_the_search():
    found = search(KNeighborsClassifier(), {"n_neighbors": [1]}, scoring="neg_log_loss").fit(X, y)
    assert found.corrected_score_.method.startswith("BBC")
    # the same candidate in each sample: nothing but the noise of the samples is between them
    assert abs(found.corrected_score_.bias) < 0.1 * abs(found.best_score_)


@pytest.mark.parametrize("scoring", ["roc_auc", "neg_log_loss"])
def test_votes_of_labels_do_not_correct_scores_of_probabilities(scoring):
    model = make_pipeline(StandardScaler(), LogisticRegression())
    space = {"estimator__logisticregression__C": [0.01, 0.1, 1, 10]}
    found = search(FixedThresholdClassifier(model, threshold=0.9), space, scoring=scoring)
    found.fit(X, y)
    assert found.corrected_score_.method.startswith("Tibshirani")
    assert 0 <= found.corrected_score_.bias < 0.05


def test_votes_of_labels_correct_scores_of_labels():
    model = make_pipeline(StandardScaler(), LogisticRegression())
    space = {"estimator__logisticregression__C": [0.01, 0.1, 1, 10]}
    found = search(FixedThresholdClassifier(model, threshold=0.9), space).fit(X, y)
    assert found.corrected_score_.method.startswith("BBC")


def test_scores_with_weights_are_not_corrected_by_scores_without():
    # scikit-learn passes weights to scorers from 1.8 on, or where they are routed
    weights = np.where(y == 1, 20.0, 1.0)
    weighted = search(TREE, {"max_depth": [1, 2, 3, 4]}).fit(X, y, sample_weight=weights)
    best = clone(TREE).set_params(**weighted.best_params_)
    plain = [
        best.fit(X[train], y[train], sample_weight=weights[train]).score(X[test], y[test])
        for train, test in StratifiedKFold(3).split(X, y)
    ]
    with_weights = abs(np.mean(plain) - weighted.best_score_) > 0.01
    method = "Tibshirani" if with_weights else "BBC"
    assert weighted.corrected_score_.method.startswith(method)


@pytest.mark.parametrize("settings", [{}, {"keep": None, "final": Ensemble()}])
def test_targets_that_float32_does_not_tell_apart_are_refused(settings):
    found = search(Ridge(), {"alpha": [0.1, 1.0]}, error_score="raise", **settings)
    with pytest.raises(ValueError, match=r"float32, which is too coarse for targets of up to 1.7e"):
        found.fit(X_NUMBERS, 1.7e9 + NUMBERS / NUMBERS.std())
    assert not hasattr(found, "cv_results_")


@pytest.mark.parametrize("numbers", [1e12 + 1e10 * NUMBERS, np.zeros(len(NUMBERS))])
def test_great_targets_and_constant_ones_are_none_of_these(numbers):
    found = search(DummyRegressor(), {"strategy": ["mean", "median"]}, scoring="neg_max_error")
    assert found.fit(X_NUMBERS, numbers).oof_predictions_.shape == (2, len(NUMBERS))


def test_what_a_metric_says_of_drawn_rows_is_not_said():
    rare = np.zeros(60, dtype=int)
    rare[[5, 25, 45]] = 1
    found = search(TREE, {"max_depth": [1, 2, 3]}, scoring="f1", cv=KFold(3))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the search
        found.fit(X[:60], rare)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert np.isfinite(found.corrected_score_.score)


@pytest.mark.parametrize("keep", [None, "predictions"])
def test_several_metrics_without_refit_after_a_confirmation(keep):
    found = search(
        TREE,
        {"max_depth": [1, 2, 3, 4, 5]},
        scoring=["accuracy", "roc_auc"],
        refit=False,
        keep=keep,
        confirm=(2, 1),
    ).fit(X, y)
    score = found.corrected_score_
    expected = found.cv_results_["mean_test_accuracy"].max()
    assert score.score + score.bias == pytest.approx(expected)


def test_candidates_with_the_same_predictions_are_scored_once():
    asked = []

    def right(model, X, y):
        asked.append(len(y))
        return np.mean(model.predict(X) == y)

    one = search(TREE, {"max_depth": [1]}, scoring=right).fit(X, y)
    asked.clear()
    expected, n_asked = one.corrected_score_, len(asked)
    space = {"max_depth": [1], "ccp_alpha": [0.0, 1e-9, 2e-9, 3e-9]}
    found = search(TREE, space, scoring=right).fit(X, y)
    asked.clear()
    assert found.corrected_score_ == expected
    assert len(asked) == n_asked


@pytest.mark.parametrize("regression", [False, True])
def test_without_scoring_the_score_method_counts(regression):
    data = (X_NUMBERS, NUMBERS) if regression else (X, y)
    model = Ridge() if regression else LogisticRegression(solver="liblinear")
    space = {"alpha" if regression else "C": [0.01, 0.1, 1.0]}
    found = search(model, space).fit(*data)
    named = search(model, space, scoring="r2" if regression else "accuracy").fit(*data)
    assert found.corrected_score_ == named.corrected_score_


def test_after_a_second_fit_that_failed_the_first_scores_are_corrected():
    found = search(TREE, {"max_depth": [1, 2, 3]}).fit(X, y)
    with pytest.raises(ValueError, match="fits failed"):
        found.set_params(param_distributions={"max_depth": [-1]}).fit(X, y)
    assert found.corrected_score_.method.startswith("Tibshirani")
