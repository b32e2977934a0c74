"""Folds and targets in the less usual forms that scikit-learn's searches take."""

import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_diabetes, load_iris
from sklearn.exceptions import DataConversionWarning
from sklearn.model_selection import KFold, ShuffleSplit
from sklearn.neighbors import KNeighborsRegressor
from sklearn.tree import DecisionTreeClassifier

import skpg
from skpg import Ensemble, PolicyGradientSearchCV

X, y = load_iris(return_X_y=True)
X_NUMBERS, NUMBERS = (part[::3] for part in load_diabetes(return_X_y=True))
TREE = DecisionTreeClassifier(random_state=0)
DEPTHS = {"max_depth": [1, 2, 3, 4, 5]}
CV = KFold(3, shuffle=True, random_state=0)
FINALS = ["committee", Ensemble(size=5, bags=3)]


def search(estimator=TREE, space=DEPTHS, **settings):
    settings = {"n_iter": 4, "cv": CV, "random_state": 0, **settings}
    return PolicyGradientSearchCV(estimator, space, **settings)


def masks(splits):
    return [tuple(np.isin(np.arange(len(X)), rows) for rows in fold) for fold in splits]


@pytest.mark.parametrize("final", FINALS)
@pytest.mark.parametrize("keep", [None, "estimators"])
def test_masks_of_rows(final, keep):
    expected = search(final=final, keep=keep).fit(X, y)
    found = search(final=final, keep=keep, cv=masks(CV.split(X))).fit(X, y)
    np.testing.assert_array_equal(found.predict_proba(X), expected.predict_proba(X))


def test_an_ensemble_of_a_fitted_search_with_masks():
    found = search(cv=masks(CV.split(X))).fit(X, y)
    settings = {"ensemble": Ensemble(size=5), "random_state": 0}
    expected = skpg.committee(found, X, y, cv=CV, **settings)
    ensemble = skpg.committee(found, X, y, **settings)
    np.testing.assert_array_equal(ensemble.predict_proba(X), expected.predict_proba(X))


def test_masks_that_are_ordered_in_time_are_refused():
    rows = np.arange(len(X))
    cv = [(rows < n, (rows >= n) & (rows < n + 20)) for n in (100, 120)]
    with pytest.raises(ValueError, match="ordered in time"):
        search(final="committee", cv=cv).fit(X, y)


@pytest.mark.parametrize("final", FINALS)
def test_the_final_estimator_of_a_generator_of_folds_is_pickled_and_cloned(final):
    found = search(final=final, cv=CV.split(X)).fit(X, y)
    best = found.best_estimator_
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(best)).predict(X), best.predict(X))
    again = clone(best).fit(X, y)
    np.testing.assert_array_equal(again.predict_proba(X), best.predict_proba(X))


@pytest.mark.parametrize(
    "settings",
    [{"keep": "predictions"}, *[{"keep": "estimators", "final": final} for final in FINALS]],
)
def test_a_column_of_numbers_is_one_output(settings):
    neighbours, space = KNeighborsRegressor(), {"n_neighbors": [1, 3, 5, 7]}
    expected = search(neighbours, space, **settings).fit(X_NUMBERS, NUMBERS)
    found = search(neighbours, space, **settings)
    if "final" in settings:
        with pytest.warns(DataConversionWarning):
            found.fit(X_NUMBERS, NUMBERS[:, np.newaxis])
    else:
        found.fit(X_NUMBERS, NUMBERS[:, np.newaxis])
    np.testing.assert_array_equal(found.oof_predictions_, expected.oof_predictions_)
    np.testing.assert_allclose(
        np.ravel(found.predict(X_NUMBERS)), np.ravel(expected.predict(X_NUMBERS))
    )
    if "final" in settings:
        assert found.predict(X_NUMBERS).shape == NUMBERS.shape


def test_fresh_splits_are_known_from_masks():
    fresh = ShuffleSplit(3, random_state=0)
    found = search(cv=masks(CV.split(X)), confirm=(1, 1), confirm_cv=fresh, n_iter=3).fit(X, y)
    assert len(found.confirm_results_["index"]) == 1
