"""Predictions and models of the folds that a search keeps."""

import pickle

import joblib
import numpy as np
import pytest
from scipy.stats import randint
from sklearn.base import clone
from sklearn.datasets import load_diabetes, load_iris
from sklearn.exceptions import FitFailedWarning
from sklearn.metrics import accuracy_score
from sklearn.model_selection import (
    KFold,
    RepeatedKFold,
    ShuffleSplit,
    StratifiedKFold,
    cross_val_predict,
)
from sklearn.neighbors import KNeighborsRegressor
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier

from skpg import PolicyGradientSearchCV
from skpg.evaluation.candidate import Candidate
from skpg.evaluation.outcome import Kept, Outcome
from skpg.evaluation.retention import Retention
from skpg.winner.keeping import Keeper

X, y = load_iris(return_X_y=True)
X_NUMBERS, NUMBERS = (part[::3] for part in load_diabetes(return_X_y=True))
TREE = DecisionTreeClassifier(random_state=0)
SPACE = {"max_depth": randint(1, 9), "min_samples_leaf": randint(1, 30)}


def search(estimator=TREE, space=SPACE, **settings):
    settings = {"n_iter": 8, "random_state": 0, "keep": "predictions", **settings}
    return PolicyGradientSearchCV(estimator, space, **settings)


def test_predictions_are_those_of_cross_val_predict():
    found = search().fit(X, y)
    assert found.oof_predictions_.shape == (8, 150, 3)
    assert found.oof_predictions_.dtype == np.float32
    for params, kept in zip(found.cv_results_["params"], found.oof_predictions_, strict=True):
        tree = clone(TREE).set_params(**params)
        expected = cross_val_predict(tree, X, y, method="predict_proba")
        np.testing.assert_array_equal(kept, expected.astype(np.float32))


def test_numbers_are_predicted_as_they_are():
    found = search(KNeighborsRegressor(), {"n_neighbors": [1, 5, 9]}, cv=3).fit(X_NUMBERS, NUMBERS)
    assert found.oof_predictions_.shape == (3, len(NUMBERS))
    for params, kept in zip(found.cv_results_["params"], found.oof_predictions_, strict=True):
        expected = cross_val_predict(KNeighborsRegressor(**params), X_NUMBERS, NUMBERS, cv=3)
        np.testing.assert_array_equal(kept, expected.astype(np.float32))


def test_each_fold_is_kept_as_float32():
    keeper = Keeper(classes=None)
    model = KNeighborsRegressor().fit(X_NUMBERS[20:], NUMBERS[20:])
    kept = keeper(model, X_NUMBERS, NUMBERS, np.arange(20, len(NUMBERS)), np.arange(20))
    assert kept.answers.dtype == np.float32
    assert kept.member is None


def test_rows_that_are_tested_several_times_have_the_mean():
    cv = RepeatedKFold(n_splits=3, n_repeats=2, random_state=0)
    found = search(KNeighborsRegressor(), {"n_neighbors": [5]}, cv=cv).fit(X_NUMBERS, NUMBERS)
    total = np.zeros(len(NUMBERS))
    for train, test in cv.split(X_NUMBERS):
        model = KNeighborsRegressor().fit(X_NUMBERS[train], NUMBERS[train])
        total[test] += model.predict(X_NUMBERS[test])
    np.testing.assert_allclose(found.oof_predictions_[0], total / 2, rtol=1e-6)


def test_rows_that_are_never_tested_have_nan():
    cv = ShuffleSplit(2, test_size=0.2, random_state=0)
    found = search(cv=cv).fit(X, y)
    tested = np.unique(np.concatenate([test for _, test in cv.split(X)]))
    known = np.isfinite(found.oof_predictions_).all(axis=2)
    assert known[:, tested].all()
    assert known.sum() == 8 * len(tested)
    assert found.corrected_score_.method.startswith("BBC")


def test_classifiers_without_probabilities_vote_by_decisions():
    found = search(LinearSVC(), {"C": [0.1, 1.0]}).fit(X, y)
    np.testing.assert_allclose(found.oof_predictions_.sum(axis=2), 1, rtol=1e-5)
    predicted = cross_val_predict(LinearSVC(**found.best_params_), X, y)
    votes = found.oof_predictions_[found.best_index_].argmax(axis=1)
    assert accuracy_score(predicted, votes) == 1


@pytest.mark.parametrize("backend", ["loky", "threading", "dask"])
def test_other_backends_bring_the_same(backend):
    expected = search().fit(X, y).oof_predictions_
    if backend == "dask":
        distributed = pytest.importorskip("distributed")
        with (
            distributed.LocalCluster(
                n_workers=2, threads_per_worker=1, processes=False, dashboard_address=None
            ) as cluster,
            distributed.Client(cluster),
            joblib.parallel_backend("dask"),
        ):
            found = search(n_jobs=2).fit(X, y)
    else:
        with joblib.parallel_backend(backend, n_jobs=2):
            found = search(n_jobs=2).fit(X, y)
    np.testing.assert_array_equal(found.oof_predictions_, expected)


def test_models_of_the_ten_best_are_kept():
    found = search(keep="estimators", n_iter=25).fit(X, y)
    assert len(found.fold_estimators_) == 10
    scores = found.cv_results_["mean_test_score"]
    others = np.setdiff1d(np.arange(25), list(found.fold_estimators_))
    assert scores[list(found.fold_estimators_)].min() >= scores[others].max()
    assert found.best_index_ in found.fold_estimators_
    for fold, (train, test) in enumerate(StratifiedKFold(5).split(X, y)):
        model = found.fold_estimators_[found.best_index_][fold]
        assert model.tree_.n_node_samples[0] == len(train)
        column = found.cv_results_[f"split{fold}_test_score"]
        assert model.score(X[test], y[test]) == column[found.best_index_]


def test_nothing_is_kept_unless_it_is_asked_for():
    found = search(keep="estimators").fit(X, y)
    found.set_params(keep=None).fit(X, y)
    assert not hasattr(found, "oof_predictions_")
    assert not hasattr(found, "fold_estimators_")


class Failing(DecisionTreeClassifier):
    def predict_proba(self, X, check_input=True):
        if self.max_depth > 4:
            raise RuntimeError("no probabilities today")
        return super().predict_proba(X)


def test_a_candidate_whose_predictions_cannot_be_had_fails():
    space = {"max_depth": [1, 3, 5, 7]}
    with (
        pytest.warns(FitFailedWarning, match="its predictions cannot be kept"),
        pytest.warns(UserWarning, match="non-finite"),
    ):
        found = search(Failing(random_state=0), space, n_iter=4).fit(X, y)
    assert found.best_params_["max_depth"] in (1, 3)
    failed = [params["max_depth"] > 4 for params in found.cv_results_["params"]]
    np.testing.assert_array_equal(np.isnan(found.cv_results_["mean_test_score"]), failed)


def candidate(number, score, n_bytes):
    outcome = Outcome(score, kept=Kept("predict", np.zeros(n_bytes // 4, np.float32), "model"))
    made = Candidate(number, {}, (0,), np.array([score]), {0: outcome}, {0: "ok"})
    return made


def test_beyond_a_limit_the_predictions_of_the_worst_are_forgotten():
    retention = Retention(n_models=2, n_bytes=400)
    candidates = [candidate(n, score, 100) for n, score in enumerate([3, 1, 5, 2, 4, np.nan, 0])]
    for each in candidates:
        retention.settle(each)
    kept = [each.outcomes[0].kept for each in candidates]
    assert [of_fold is not None for of_fold in kept] == [1, 0, 1, 1, 1, 0, 0]
    models = [of_fold is not None and of_fold.member == "model" for of_fold in kept]
    assert models == [0, 0, 1, 0, 1, 0, 0]
    assert retention.n_forgotten == 2


def test_predictions_are_kept_with_folds_of_any_kind():
    masks = [(train, test) for train, test in KFold(3, shuffle=True, random_state=0).split(X)]
    found = search(cv=masks).fit(X, y)
    assert np.isfinite(found.oof_predictions_).all()


def test_a_class_of_which_no_row_is_tested():
    rows = np.arange(150)
    tests = [rows[0:100:2], rows[1:100:2]]  # of two of the three classes
    cv = [(np.setdiff1d(rows, test), test) for test in tests]
    found = search(cv=cv).fit(X, y)
    assert found.oof_predictions_.shape == (8, 150, 3)
    assert found.corrected_score_.method.startswith("BBC")


def test_a_fitted_search_does_not_have_the_data():
    rng = np.random.default_rng(0)
    wide = rng.normal(size=(600, 200))
    found = search(keep=None, final="committee", confirm=(2, 1), n_iter=6)
    found.fit(wide, wide[:, 0] > 0)
    assert len(pickle.dumps(found)) < 100_000
