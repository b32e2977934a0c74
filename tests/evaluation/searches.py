"""What tests of the evaluation search with."""

import warnings

import numpy as np
import pytest
from sklearn.datasets import load_iris

from skpg import PolicyGradientSearchCV

X, y = load_iris(return_X_y=True)
NUMBERED = np.arange(150.0)[:, None]  # rows that tell which fold they belong to


def without_times(results):
    return {
        name: column.tolist() if hasattr(column, "tolist") else column
        for name, column in results.items()
        if "time" not in name and name not in ("iter", "n_folds_evaluated")
    }


def search_of(estimator, n=40, **settings):
    defaults = {"n_iter": n, "batch_size": 10, "cv": 3, "random_state": 0}
    return PolicyGradientSearchCV(estimator, {"a": list(range(n))}, **(defaults | settings))


def check_bad(search, bad):
    """All others have their real scores."""
    a = np.array([params["a"] for params in search.cv_results_["params"]])
    scores = search.cv_results_["mean_test_score"]
    assert sorted(a) == list(range(search.n_iter))
    assert np.isnan(scores[np.isin(a, bad)]).all()
    good = ~np.isin(a, bad)
    np.testing.assert_allclose(scores[good], a[good] / 100)
    assert search.best_params_["a"] == a[good].max()
    assert search.stop_reason_ == "n_iter"


def fit_with_warnings(estimator, **settings):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        search = search_of(estimator, **settings).fit(X, y)
    return search, [str(w.message) for w in caught]


# Of 8 candidates in the default run, of 40 in the slow one: each death costs new workers.
FEW_AND_MANY = pytest.mark.parametrize(
    ("bad", "n"),
    [((3,), 8), pytest.param((3, 11, 12, 25, 39), 40, marks=pytest.mark.slow)],
    ids=["few", "many"],
)
