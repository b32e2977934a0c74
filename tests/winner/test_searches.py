"""The committee of any fitted search."""

import numpy as np
import pytest
from joblib import parallel_config
from scipy.stats import loguniform
from sklearn.base import clone
from sklearn.cluster import KMeans
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris
from sklearn.ensemble import IsolationForest
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.linear_model import Ridge
from sklearn.metrics import r2_score
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    HalvingGridSearchCV,
    KFold,
    RandomizedSearchCV,
    StratifiedKFold,
    TimeSeriesSplit,
)
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

import skpg
from skpg import CommitteeClassifier, CommitteeRegressor, Ensemble, PolicyGradientSearchCV
from tests.estimators import Scripted

X, y = load_iris(return_X_y=True)
X_NUMBERS, NUMBERS = load_diabetes(return_X_y=True)
FOLDS = StratifiedKFold(4, shuffle=True, random_state=0)
TREE = DecisionTreeClassifier(random_state=0)
LEAVES = {"max_leaf_nodes": [2, 3, 5, 9], "max_features": [1, 2]}


@pytest.mark.parametrize(
    "search",
    [
        GridSearchCV(TREE, LEAVES, cv=FOLDS),
        RandomizedSearchCV(TREE, LEAVES, n_iter=5, cv=FOLDS, random_state=0),
        HalvingGridSearchCV(TREE, LEAVES, cv=FOLDS, random_state=0),
        PolicyGradientSearchCV(TREE, LEAVES, n_iter=5, cv=FOLDS, random_state=0),
        PolicyGradientSearchCV(TREE, LEAVES, n_iter=8, cv=FOLDS, random_state=0, racing=True),
    ],
)
def test_the_models_of_the_best_candidate_on_the_folds_are_averaged(search):
    fitted = clone(search).fit(X, y)
    committee = skpg.committee(fitted, X, y)
    assert isinstance(committee, CommitteeClassifier)
    models = [clone(fitted.best_estimator_).fit(X[a], y[a]) for a, _ in FOLDS.split(X, y)]
    expected = np.mean([model.predict_proba(X) for model in models], axis=0)
    np.testing.assert_allclose(committee.predict_proba(X), expected)
    again = clone(committee).fit(X, y)
    np.testing.assert_allclose(again.predict_proba(X), expected)
    np.testing.assert_allclose(
        fitted.best_score_,
        np.mean([m.score(X[b], y[b]) for m, (_, b) in zip(models, FOLDS.split(X, y), strict=True)])
        if not isinstance(search, HalvingGridSearchCV) else fitted.best_score_,
    )  # fmt: skip


def test_an_ensemble_is_of_several_candidates_and_does_not_depend_on_workers():
    search = GridSearchCV(KNeighborsRegressor(), {"n_neighbors": range(1, 30), "p": [1, 2]}, cv=3)
    search.fit(X_NUMBERS, NUMBERS)
    with parallel_config(backend="threading"):
        one, two = (
            skpg.committee(
                search, X_NUMBERS, NUMBERS, ensemble=Ensemble(5, 4), n_jobs=n, random_state=3
            )
            for n in (1, 2)
        )
    assert isinstance(one, CommitteeRegressor)
    assert 2 <= len(one.candidates) <= 20
    assert len(one.estimators_) == 3 * len(one.candidates)
    assert one.candidates == two.candidates
    assert (one.weights_ == two.weights_).all()
    assert one.weights_.sum() == pytest.approx(1)
    again = clone(one).fit(X_NUMBERS, NUMBERS)
    np.testing.assert_allclose(again.predict(X_NUMBERS), one.predict(X_NUMBERS))


def test_an_ensemble_of_one_in_one_bag_is_the_best_candidate():
    # the metric of all rows together is the mean over folds of the same size
    X_even, y_even = X[:120], y[:120] % 2
    search = GridSearchCV(TREE, LEAVES, cv=KFold(4, shuffle=True, random_state=0))
    search.fit(X_even, y_even)
    ensemble = skpg.committee(search, X_even, y_even, ensemble=Ensemble(size=1, bags=1))
    assert ensemble.candidates == [search.best_params_]


def test_whole_models_with_probabilities_and_with_decisions_are_selected_together():
    X_two, y_two = load_breast_cancer(return_X_y=True)
    pipeline = make_pipeline(StandardScaler(), SVC())
    space = [
        {"svc": [SVC()], "svc__C": [0.01, 1.0]},
        {"svc": [KNeighborsClassifier()], "svc__n_neighbors": [3, 15]},
    ]
    search = GridSearchCV(pipeline, space, scoring="roc_auc").fit(X_two[::3], y_two[::3])
    ensemble = skpg.committee(search, X_two[::3], y_two[::3], ensemble=Ensemble(), random_state=0)
    assert len({type(candidate["svc"]) for candidate in ensemble.candidates}) == 2
    assert search.scorer_(ensemble, X_two[1::3], y_two[1::3]) > 0.97


def test_only_candidates_with_a_score_on_each_fold_are_selected():
    raced = PolicyGradientSearchCV(
        KNeighborsClassifier(), {"n_neighbors": range(1, 100)}, n_iter=25, cv=FOLDS,
        racing="optimistic", random_state=0,
    ).fit(X, y)  # fmt: skip
    complete = [
        params
        for params, n in zip(
            raced.cv_results_["params"], raced.cv_results_["n_folds_evaluated"], strict=True
        )
        if n == 4
    ]
    assert len(complete) < 25
    ensemble = skpg.committee(raced, X, y, ensemble=Ensemble(), random_state=0)
    assert all(candidate in complete for candidate in ensemble.candidates)


def r2_and_nothing(estimator, X, y):
    return {"nothing": 0.0, "r2": r2_score(y, estimator.predict(X))}


@pytest.mark.parametrize("scoring", [["neg_mean_absolute_error", "r2"], r2_and_nothing])
@pytest.mark.parametrize("ensemble", [None, Ensemble(3, 2)])
def test_of_several_metrics_that_of_refit_counts(scoring, ensemble):
    search = GridSearchCV(
        DecisionTreeRegressor(random_state=0), {"max_depth": [1, 2, 4]}, scoring=scoring, refit="r2"
    ).fit(X_NUMBERS, NUMBERS)
    committee = skpg.committee(search, X_NUMBERS, NUMBERS, ensemble=ensemble, random_state=0)
    assert committee.score(X_NUMBERS, NUMBERS) > 0.4
    several = GridSearchCV(Ridge(), {}, scoring=["r2", "neg_mean_squared_error"], refit=False)
    several.fit(X_NUMBERS, NUMBERS)
    with pytest.raises(ValueError, match=r"best_params_.*refit=False|metric must be one of"):
        skpg.committee(several, X_NUMBERS, NUMBERS, ensemble=ensemble)


def test_a_search_without_refit_has_a_committee():
    search = RandomizedSearchCV(SVC(), {"C": loguniform(1e-2, 1e2)}, n_iter=3, refit=False)
    assert skpg.committee(search.fit(X, y), X, y).score(X, y) > 0.9


def test_what_was_passed_to_the_fit_of_the_search_is_passed_on():
    groups, weight = np.arange(150) % 5, np.linspace(0, 1, 150)
    search = GridSearchCV(TREE, LEAVES, cv=GroupKFold(3))
    search.fit(X, y, groups=groups, sample_weight=weight)
    committee = skpg.committee(search, X, y, groups=groups, sample_weight=weight)
    train = next(iter(GroupKFold(3).split(X, y, groups)))[0]
    alone = clone(search.best_estimator_).fit(X[train], y[train], sample_weight=weight[train])
    assert (committee.estimators_[0].predict_proba(X) == alone.predict_proba(X)).all()


def test_splits_that_are_used_up_are_named_and_others_can_be_given():
    search = GridSearchCV(TREE, LEAVES, cv=FOLDS.split(X, y)).fit(X, y)
    with pytest.raises(ValueError, match="can be used only once"):
        skpg.committee(search, X, y)
    assert len(skpg.committee(search, X, y, cv=3).estimators_) == 3


class NoFit(Scripted):
    """Fails when it is fitted, once it is told to."""

    closed = False

    def fit(self, X, y):
        assert not NoFit.closed
        return super().fit(X, y)


@pytest.fixture
def nothing_fitted():
    yield
    NoFit.closed = False


@pytest.mark.usefixtures("nothing_fitted")
@pytest.mark.parametrize(
    ("settings", "arguments", "error", "words"),
    [
        ({}, {"ensemble": 5}, TypeError, "ensemble must be an Ensemble or None, got 5"),
        ({}, {"ensemble": Ensemble()}, ValueError, "score method of NoFit.*by `scoring`"),
        (
            {"scoring": lambda estimator, X, y: X[0, 0] + estimator.a},
            {"ensemble": Ensemble()},
            ValueError,
            "cannot score predictions that are kept",
        ),
        ({"cv": TimeSeriesSplit(2)}, {}, ValueError, "ordered in time.*final='refit'"),
        (
            {"cv": TimeSeriesSplit(2), "scoring": "accuracy"},
            {"ensemble": Ensemble()},
            ValueError,
            "ordered in time.*final='refit'",
        ),
    ],
)
def test_what_is_refused_is_refused_before_anything_is_fitted(settings, arguments, error, words):
    shuffled = np.random.default_rng(0).permutation(150)
    search = GridSearchCV(NoFit(), {"a": [1, 2]}, **settings).fit(X[shuffled], y[shuffled])
    NoFit.closed = True
    with pytest.raises(error, match=words):
        skpg.committee(search, X[shuffled], y[shuffled], **arguments)


def test_searches_of_what_has_no_average_are_refused():
    for estimator, scoring in [
        (KMeans(), None),
        (IsolationForest(n_estimators=2), lambda estimator, X, y=None: 1.0),
    ]:
        search = GridSearchCV(estimator, {"random_state": [0, 1]}, scoring=scoring).fit(X)
        with pytest.raises(TypeError, match="have no average.*final='refit'"):
            skpg.committee(search, X, None)
    several = GridSearchCV(Ridge(), {}).fit(X_NUMBERS, X_NUMBERS[:, :2])
    for ensemble in (None, Ensemble()):
        with pytest.raises(ValueError, match="one output.*final='refit'"):
            skpg.committee(several, X_NUMBERS, X_NUMBERS[:, :2], ensemble=ensemble)


def test_a_search_that_is_not_fitted_is_refused():
    for search in (GridSearchCV(SVC(), {}), SVC(), None):
        with pytest.raises(ValueError, match="search must be a fitted search"):
            skpg.committee(search, X, y)
