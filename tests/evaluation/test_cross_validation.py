"""The engine beside scikit-learn's own loop."""

from collections import Counter

import numpy as np
import pytest
import sklearn
from scipy import sparse
from sklearn.metrics import accuracy_score, f1_score, make_scorer
from sklearn.model_selection import GridSearchCV, GroupKFold, KFold
from sklearn.neighbors import KNeighborsClassifier
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

from skpg import PolicyGradientSearchCV
from tests.estimators import Scripted
from tests.evaluation.searches import (
    X,
    search_of,
    without_times,
    y,
)

NEIGHBORS = [1, 3, 5, 8, 13]


def assert_same_as_grid_search(estimator, grid, X=X, y=y, fit_params=None, **settings):
    """The same candidates through the engine and through `evaluate_candidates`."""
    ((name, values),) = grid.items()
    theirs = GridSearchCV(estimator, grid, **settings).fit(X, y, **(fit_params or {}))
    candidates = [{name: value} for value in values]
    for n_jobs, evaluation in ((1, "batch"), (2, "batch"), (2, "stream")):
        ours = PolicyGradientSearchCV(
            estimator, grid, initial_params=candidates, batch_size=2, n_jobs=n_jobs,
            evaluation=evaluation, **settings,
        ).fit(X, y, **(fit_params or {}))  # fmt: skip
        np.testing.assert_equal(without_times(ours.cv_results_), without_times(theirs.cv_results_))
        assert ours.multimetric_ == theirs.multimetric_
        if hasattr(theirs, "best_index_"):
            assert ours.best_index_ == theirs.best_index_


def two_scores(estimator, X, y):
    predicted = estimator.predict(X)
    return {"f1": f1_score(y, predicted, average="macro"), "accuracy": accuracy_score(y, predicted)}


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"scoring": ["accuracy", "neg_log_loss"], "refit": "neg_log_loss"},
        {"scoring": two_scores, "refit": "f1"},
        {"scoring": make_scorer(f1_score, average="macro"), "return_train_score": True},
        {"scoring": two_scores, "refit": False, "return_train_score": True},
        {"cv": KFold(4, shuffle=True, random_state=3), "refit": lambda results: 2},
    ],
    ids=["score", "several", "callable", "scorer", "train", "refit"],
)
def test_results_are_those_of_scikit_learns_own_loop(settings):
    assert_same_as_grid_search(KNeighborsClassifier(), {"n_neighbors": NEIGHBORS}, **settings)


def test_fit_parameters_and_groups_are_the_same():
    assert_same_as_grid_search(
        DecisionTreeClassifier(random_state=0),
        {"max_depth": [1, 2, 3]},
        cv=GroupKFold(5),
        fit_params={
            "groups": np.repeat(np.arange(10), 15),
            "sample_weight": np.linspace(0.1, 1, len(y)),
        },
    )


def test_routed_metadata_are_the_same():
    with sklearn.config_context(enable_metadata_routing=True):
        scorer = make_scorer(accuracy_score).set_score_request(sample_weight=True)
        assert_same_as_grid_search(
            DecisionTreeClassifier(random_state=0).set_fit_request(sample_weight=True),
            {"max_depth": [1, 2, 3]},
            cv=GroupKFold(5),
            scoring=scorer,
            fit_params={
                "groups": np.repeat(np.arange(10), 15),
                "sample_weight": np.linspace(0.1, 1, len(y)),
            },
        )


def test_sparse_data_frames_and_precomputed_kernels_are_the_same():
    pandas = pytest.importorskip("pandas")
    grid = {"C": [0.1, 1.0, 10.0]}
    assert_same_as_grid_search(SVC(), grid, X=sparse.csr_matrix(X))
    assert_same_as_grid_search(SVC(), grid, X=pandas.DataFrame(X), y=pandas.Series(y))
    assert_same_as_grid_search(SVC(kernel="precomputed"), grid, X=X @ X.T)


def test_each_fold_is_fitted_once(tmp_path):
    search_of(Scripted(folder=str(tmp_path)), n_jobs=2, refit=False).fit(X, y)
    fits = Counter()
    for path in tmp_path.iterdir():
        fits[path.name.split("-")[0]] += len(path.read_text().splitlines())
    assert set(fits.values()) == {3}
