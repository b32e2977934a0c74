"""What the best estimator of a search is."""

import pickle

import numpy as np
import pytest
from scipy.stats import randint
from sklearn import config_context
from sklearn.base import clone
from sklearn.cluster import KMeans
from sklearn.datasets import load_diabetes, load_iris
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.exceptions import FitFailedWarning
from sklearn.metrics import accuracy_score
from sklearn.model_selection import KFold, StratifiedKFold, TimeSeriesSplit, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

import skpg
from skpg import CommitteeClassifier, CommitteeRegressor, Ensemble, PolicyGradientSearchCV
from tests.estimators import Scripted

X, y = load_iris(return_X_y=True)
NAMES = np.array(["setosa", "versicolor", "virginica"])[y]
X_NUMBERS, NUMBERS = (part[::3] for part in load_diabetes(return_X_y=True))
TREE = DecisionTreeClassifier(random_state=0)
SPACE = {"max_depth": randint(1, 9), "min_samples_leaf": randint(1, 30)}
FINALS = ["committee", Ensemble(size=5, bags=3)]


def search(estimator=TREE, space=SPACE, **settings):
    return PolicyGradientSearchCV(estimator, space, **{"n_iter": 8, "random_state": 0, **settings})


def test_a_committee_has_the_models_of_the_folds_of_the_best_candidate():
    cv = StratifiedKFold(4, shuffle=True, random_state=3)
    found = search(cv=cv, final="committee").fit(X, NAMES)
    plain = search(cv=cv).fit(X, NAMES)
    assert found.best_params_ == plain.best_params_
    assert found.best_score_ == plain.best_score_
    committee = found.best_estimator_
    assert isinstance(committee, CommitteeClassifier)
    models = [
        clone(TREE).set_params(**found.best_params_).fit(X[train], NAMES[train])
        for train, _ in cv.split(X, NAMES)
    ]
    expected = np.mean([model.predict_proba(X) for model in models], axis=0)
    np.testing.assert_allclose(found.predict_proba(X), expected)
    assert list(found.classes_) == ["setosa", "versicolor", "virginica"]
    assert found.n_features_in_ == 4
    assert found.refit_time_ > 0


def test_a_splitter_that_draws_others_each_time_is_asked_once():
    rng = np.random.RandomState(0)
    cv = KFold(3, shuffle=True, random_state=rng)
    found = search(cv=cv, final="committee", keep="estimators")
    found.fit(X, y)
    kept = found.fold_estimators_[found.best_index_]
    assert found.best_estimator_.estimators_ == kept


def test_an_ensemble_averages_candidates_by_their_predictions():
    settings = {"cv": 3, "final": Ensemble(size=5, bags=1)}
    found = search(DecisionTreeRegressor(random_state=0), **settings).fit(X_NUMBERS, NUMBERS)
    ensemble = found.best_estimator_
    assert isinstance(ensemble, CommitteeRegressor)
    assert len(ensemble.candidates) > 1
    assert sum(ensemble.weights) == pytest.approx(1)
    assert len(ensemble.estimators_) == 3 * len(ensemble.candidates)
    predicted = np.zeros(len(NUMBERS))
    for train, test in KFold(3).split(X_NUMBERS):
        for params, weight in zip(ensemble.candidates, ensemble.weights, strict=True):
            tree = DecisionTreeRegressor(random_state=0, **params)
            tree.fit(X_NUMBERS[train], NUMBERS[train])
            predicted[test] += weight * tree.predict(X_NUMBERS[test])
    errors = [(NUMBERS - each) ** 2 for each in (predicted, *found.oof_predictions_)]
    assert np.mean(errors[0]) < min(np.mean(error) for error in errors[1:])


@pytest.mark.parametrize("final", FINALS)
def test_it_is_the_same_for_any_number_of_workers_and_again(final):
    one, two = (search(final=final, n_jobs=n).fit(X, y) for n in (1, 2))
    np.testing.assert_array_equal(one.predict_proba(X), two.predict_proba(X))
    copied = pickle.loads(pickle.dumps(one))
    np.testing.assert_array_equal(copied.predict_proba(X), one.predict_proba(X))
    again = clone(one).fit(X, y)
    np.testing.assert_array_equal(again.predict_proba(X), one.predict_proba(X))
    assert "Committee" in one._repr_html_()


@pytest.mark.parametrize("final", FINALS)
def test_it_can_be_fitted_to_other_rows(final):
    found = search(final=final).fit(X[::2], y[::2])
    other = clone(found.best_estimator_).fit(X[1::2], y[1::2])
    assert other.score(X[::2], y[::2]) > 0.8
    assert cross_val_score(found, X, y, cv=2).min() > 0.8


@pytest.mark.parametrize("final", FINALS)
def test_it_agrees_with_the_same_made_from_the_fitted_search(final):
    found = search(final=final).fit(X, y)
    ensemble = None if final == "committee" else final
    made = skpg.committee(found, X, y, ensemble=ensemble, random_state=0)
    if ensemble is None:
        np.testing.assert_allclose(made.predict_proba(X), found.predict_proba(X))
    else:  # other bags
        assert abs(made.score(X, y) - found.score(X, y)) < 0.05


@pytest.mark.parametrize("final", FINALS)
@pytest.mark.parametrize("racing", [False, "optimistic"])
@pytest.mark.parametrize("spaces", [1, 2, 3, 6])
def test_lists_of_dicts_and_races(final, racing, spaces):
    space = [{"criterion": ["gini", "entropy"], **SPACE}] * spaces
    found = search(space=space, final=final, racing=racing, n_iter=12, batch_size=7).fit(X, y)
    assert found.score(X, y) > 0.9
    if final != "committee":
        complete = np.isfinite(found.cv_results_["mean_test_score"])
        kept = np.isfinite(found.oof_predictions_).all(axis=(1, 2))
        np.testing.assert_array_equal(kept, complete)


def test_feature_names_and_data_frames():
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame(X, columns=list("abcd"))
    found = search(final="committee").fit(frame, pd.Series(NAMES))
    assert list(found.feature_names_in_) == list("abcd")
    assert found.predict(frame).shape == (150,)


def test_sample_weights_and_routed_metadata_reach_the_models():
    weight = np.where(np.arange(150) % 3, 1.0, 0.0)
    found = search(final="committee").fit(X, y, sample_weight=weight)
    best = found.best_params_
    train, _ = next(StratifiedKFold(5).split(X, y))
    first = clone(TREE).set_params(**best).fit(X[train], y[train], sample_weight=weight[train])
    np.testing.assert_array_equal(
        found.best_estimator_.estimators_[0].predict_proba(X), first.predict_proba(X)
    )
    with config_context(enable_metadata_routing=True):
        tree = clone(TREE).set_fit_request(sample_weight=True)
        tree.set_score_request(sample_weight=False)
        routed = search(tree, final="committee").fit(X, y, sample_weight=weight)
        if routed.best_params_ == best:
            np.testing.assert_array_equal(
                routed.best_estimator_.estimators_[0].predict_proba(X), first.predict_proba(X)
            )


def test_pipelines_and_decisions():
    pipeline = make_pipeline(StandardScaler(), SVC())
    found = search(pipeline, {"svc__C": [0.1, 1, 10]}, final=Ensemble(), scoring="f1_macro")
    found.fit(X, y)
    assert found.score(X, y) > 0.9
    assert found.decision_function(X).shape == (150, 3)
    assert not hasattr(found, "predict_proba")


def test_several_metrics_count_as_refit_says():
    found = search(final=Ensemble(), scoring=["accuracy", "neg_log_loss"], refit="neg_log_loss")
    found.fit(X, y)
    assert isinstance(found.best_estimator_, CommitteeClassifier)
    assert found.best_score_ == found.cv_results_["mean_test_neg_log_loss"].max()


def test_a_callable_refit_chooses_whose_committee_it_is():
    found = search(final="committee", refit=lambda results: 3).fit(X, y)
    assert found.best_index_ == 3
    assert (
        found.best_estimator_.estimators_[0].get_params()["max_depth"]
        == (found.cv_results_["params"][3]["max_depth"])
    )


def test_failed_candidates_are_not_in_an_ensemble():
    space = {"max_depth": [1, 2, 3, -1], "min_samples_leaf": [1, 5]}
    with pytest.warns(FitFailedWarning, match="fits failed"):
        found = search(space=space, final=Ensemble(), error_score=0.0, n_iter=8).fit(X, y)
    assert all(params["max_depth"] > 0 for params in found.best_estimator_.candidates)
    failed = [params["max_depth"] < 0 for params in found.cv_results_["params"]]
    np.testing.assert_array_equal(np.isnan(found.oof_predictions_).all(axis=(1, 2)), failed)


def test_where_the_refit_fails_the_results_are_there():
    with pytest.raises(MemoryError):
        search(Scripted(act="large data"), {"a": [1, 2, 3]}, baseline="prefer", cv=3, n_iter=3).fit(
            X, y
        )  # 100 rows are fitted to in each fold
    found = search(Scripted(act="large data"), {"a": [1, 2, 3]}, baseline="prefer", cv=3, n_iter=3)
    with pytest.raises(MemoryError):
        found.fit(X, y)
    assert found.best_params_ == {"a": 3}
    assert len(found.baseline_scores_) == 3


@pytest.mark.parametrize(
    ("settings", "data", "error", "message"),
    [
        ({"final": "commitee"}, {}, ValueError, "'final' parameter"),
        ({"final": 3}, {}, ValueError, "'final' parameter"),
        ({"final": "committee", "refit": False}, {}, ValueError, "final='committee' needs refit"),
        (
            {"final": "committee", "estimator": KMeans(), "param_distributions": {"tol": [1]}},
            {},
            TypeError,
            "final='refit'",
        ),
        ({"final": "committee", "cv": TimeSeriesSplit(3)}, {}, ValueError, "ordered in time"),
        ({"final": Ensemble()}, {"y": np.eye(3, dtype=int)[y]}, ValueError, "one output"),
        (
            {"final": Ensemble(), "scoring": lambda model, X, y: float(X.mean())},
            {},
            ValueError,
            "cannot score predictions that are kept",
        ),
        ({"keep": "models"}, {}, ValueError, "'keep' parameter"),
        (
            {"keep": "predictions", "estimator": KMeans(), "param_distributions": {"tol": [1]}},
            {},
            TypeError,
            "keep=None",
        ),
        (
            {"keep": "predictions", "scoring": lambda model, X, y: float(X.mean())},
            {},
            ValueError,
            "cannot score predictions that are kept",
        ),
        ({"baseline": "yes"}, {}, ValueError, "'baseline' parameter"),
        ({"confirm": (0, 1)}, {}, ValueError, "confirm must be .* at least 1. Got \\(0, 1\\)"),
        ({"confirm": (1, 2, 3)}, {}, TypeError, "confirm must be"),
        ({"confirm": 3}, {}, TypeError, "confirm must be"),
        ({"confirm": (1.5, 2)}, {}, TypeError, "confirm must be"),
        ({"confirm": (2, 4)}, {}, ValueError, "takes the fits of 8 candidates out of n_iter=8"),
        ({"confirm_cv": 3}, {}, ValueError, "confirm_cv=3 needs confirm"),
        (
            {"confirm": (1, 1), "refit": lambda results: 0},
            {},
            ValueError,
            "confirm chooses the best candidate",
        ),
        ({"confirm": (1, 1), "cv": TimeSeriesSplit(3)}, {}, ValueError, "confirm_cv"),
    ],
)
def test_bad_input_is_refused_before_any_fit(tmp_path, settings, data, error, message):
    class Fitted(DecisionTreeClassifier):
        def fit(self, X, y, sample_weight=None, check_input=True):
            raise AssertionError("fitted")

    wanted = {"estimator": Fitted(), "param_distributions": SPACE, "n_iter": 8, **settings}
    found = PolicyGradientSearchCV(
        wanted.pop("estimator"), wanted.pop("param_distributions"), error_score="raise", **wanted
    )
    with pytest.raises(error, match=message):
        found.fit(**{"X": X, "y": y, **data})


def test_an_ensemble_of_no_size_is_refused():
    with pytest.raises(ValueError, match="size of an Ensemble must be at least 1"):
        Ensemble(size=0)


def test_a_scorer_that_asks_for_the_model_is_refused():
    def by_model(model, X, y):
        return accuracy_score(y, model.predict(X)) - 0.01 * model.get_depth()

    with pytest.raises(ValueError, match="asks for more than they say"):
        search(final=Ensemble(), scoring=by_model).fit(X, y)
    assert search(scoring=by_model).fit(X, y).best_score_ > 0.8


def test_models_without_feature_counts():
    found = search(LinearDiscriminantAnalysis(), {"tol": [1e-4, 1e-3]}, final="committee").fit(X, y)
    assert found.n_features_in_ == 4
