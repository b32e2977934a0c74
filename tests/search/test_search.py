"""The search as a user meets it."""

import os
import pickle
import tempfile
import warnings

import joblib
import numpy as np
import pytest
from scipy import stats
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.compose import ColumnTransformer
from sklearn.datasets import load_iris
from sklearn.decomposition import PCA
from sklearn.ensemble import StackingClassifier, VotingClassifier
from sklearn.exceptions import FitFailedWarning
from sklearn.feature_selection import SelectKBest
from sklearn.linear_model import RidgeClassifier
from sklearn.model_selection import (
    GroupKFold,
    KFold,
    RandomizedSearchCV,
    cross_val_score,
    cross_validate,
)
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import FeatureUnion, Pipeline
from sklearn.preprocessing import MinMaxScaler, PolynomialFeatures, StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

from skpg import PolicyGradientSearchCV, load_study
from skpg.learners import NaturalGradient, Reinforce, ZerothOrder
from skpg.space.space import Space
from tests.estimators import Scripted
from tests.space.user_distributions import MOVED, OWN

X, y = load_iris(return_X_y=True)
CURRENT = {"n_neighbors": 5, "weights": "uniform"}
SPACE = {"n_neighbors": stats.randint(1, 30), "weights": ["uniform", "distance"]}


def make(**settings):
    defaults = {"n_iter": 12, "batch_size": 4, "cv": 3, "random_state": 0}
    defaults["param_distributions"] = SPACE
    return PolicyGradientSearchCV(KNeighborsClassifier(), **(defaults | settings))


def without_times(search):
    """Everything that must be the same in each run."""
    results = {k: v for k, v in search.cv_results_.items() if "time" not in k}
    return {k: v.tolist() if hasattr(v, "tolist") else v for k, v in results.items()}


def test_it_has_what_randomized_search_has_and_more():
    search = make(return_train_score=True).fit(X, y)
    peer = RandomizedSearchCV(
        KNeighborsClassifier(), SPACE, n_iter=12, cv=3, random_state=0, return_train_score=True
    ).fit(X, y)
    assert set(search.cv_results_) == set(peer.cv_results_) | {"iter"}
    for name, column in peer.cv_results_.items():
        assert type(search.cv_results_[name]) is type(column)
        assert getattr(search.cv_results_[name], "dtype", None) == getattr(column, "dtype", None)
    fitted = {name for name in vars(peer) if name.endswith("_") and not name.startswith("_")}
    assert fitted <= set(vars(search))
    assert search.best_score_ == search.cv_results_["mean_test_score"].max()
    assert search.predict(X).shape == y.shape
    assert search.cv_results_["iter"].tolist() == [0] * 4 + [1] * 4 + [2] * 4


def test_scores_are_those_of_cross_val_score():
    search = make().fit(X, y)
    for params, mean in zip(
        search.cv_results_["params"], search.cv_results_["mean_test_score"], strict=True
    ):
        expected = cross_val_score(KNeighborsClassifier(**params), X, y, cv=3).mean()
        assert mean == pytest.approx(expected)


def test_history_and_policy_describe_the_search():
    search = make().fit(X, y)
    scores = search.cv_results_["mean_test_score"]
    assert [record["n_candidates"] for record in search.history_] == [4, 8, 12]
    for record in search.history_:
        batch = scores[search.cv_results_["iter"] == record["iter"]]
        assert record["mean_reward"] == pytest.approx(batch.mean())
        assert record["best_reward"] == batch.max()
        assert record["best_so_far"] == scores[: record["n_candidates"]].max()
    assert search.history_[-1]["entropy"] == search.policy_.entropy()
    assert set(search.policy_.mode()) == set(SPACE)
    assert len(search.policy_.sample(5)) == 5
    assert search.n_fits_ == 36
    assert search.stop_reason_ == "n_iter"


@pytest.mark.parametrize("backend", ["loky", "threading"])
def test_results_do_not_depend_on_jobs_or_backend(backend):
    alone = make().fit(X, y)
    with joblib.parallel_backend(backend):
        together = make(n_jobs=2).fit(X, y)
    assert without_times(alone) == without_times(together)
    assert alone.history_ == together.history_
    assert repr(alone.policy_) == repr(together.policy_)


@pytest.mark.parametrize("evaluation", ["batch", "stream"])
@pytest.mark.parametrize("batch_size", [1, 4, 5])
@pytest.mark.parametrize("learner", [None, Reinforce(), ZerothOrder(), NaturalGradient()])
def test_the_first_candidates_do_not_depend_on_n_iter(batch_size, learner, evaluation):
    settings = {"batch_size": batch_size, "learner": learner, "evaluation": evaluation}
    long = make(n_iter=15, **settings).fit(X, y)
    for n_iter in (1, 4, 7):
        short = make(n_iter=n_iter, **settings).fit(X, y)
        assert short.cv_results_["params"] == long.cv_results_["params"][:n_iter]


def test_a_second_fit_starts_afresh():
    search = make()
    first = without_times(search.fit(X, y))
    assert first == without_times(search.fit(X, y))
    search.fit(X[::2], y[::2])
    assert without_times(search) == without_times(make().fit(X[::2], y[::2]))


def test_the_global_random_state_is_untouched():
    np.random.seed(3)
    before = np.random.get_state()[1].copy()
    make(random_state=None).fit(X, y)
    np.testing.assert_array_equal(np.random.get_state()[1], before)


def test_clone_pickle_and_nested_cross_validation():
    search = clone(make())
    assert without_times(search.fit(X, y)) == without_times(make().fit(X, y))
    again = pickle.loads(pickle.dumps(search))
    np.testing.assert_array_equal(again.predict(X), search.predict(X))
    assert again.policy_.mode() == search.policy_.mode()
    outer = cross_validate(make(), X, y, cv=KFold(3, shuffle=True, random_state=0))
    assert outer["test_score"].min() > 0.85


def test_all_candidates_meet_the_same_folds():
    """A splitter that shuffles without a seed splits anew at each call."""
    seen = []

    class Recorder(KFold):
        def split(self, *args, **kwargs):
            seen.append(1)
            return super().split(*args, **kwargs)

    search = PolicyGradientSearchCV(
        DecisionTreeClassifier(random_state=0),
        {"max_depth": [1, 2, 3], "min_samples_leaf": [1, 2], "class_weight": [None, "balanced"]},
        cv=Recorder(3, shuffle=True),
        batch_size=2,
        n_iter=12,
    ).fit(X, y)
    assert len(seen) == 1
    assert len(search.cv_results_["params"]) == 12


def test_candidates_are_never_repeated_and_the_search_ends_when_exhausted():
    space = {"n_neighbors": [1, 3, 5], "weights": ["uniform", "distance"]}
    search = PolicyGradientSearchCV(
        KNeighborsClassifier(), space, n_iter=50, batch_size=4, random_state=0
    ).fit(X, y)
    assert search.stop_reason_ == "exhausted"
    assert sorted(map(str, search.cv_results_["params"])) == sorted(
        str({"n_neighbors": n, "weights": w})
        for n in space["n_neighbors"]
        for w in space["weights"]
    )


def test_initial_params_come_first_and_exactly():
    given = [{"n_neighbors": 29, "weights": "distance"}, {"n_neighbors": 5, "weights": "uniform"}]
    search = make(initial_params=given).fit(X, y)
    assert search.cv_results_["params"][:2] == given
    assert len(search.cv_results_["params"]) == 12
    only = make(initial_params=given, n_iter=1).fit(X, y)
    assert only.cv_results_["params"] == given[:1]


def test_initial_params_with_estimators_and_numpy_numbers_survive_cloning():
    pipeline = Pipeline([("scale", StandardScaler()), ("model", KNeighborsClassifier())])
    space = {"scale": [StandardScaler(), MinMaxScaler()], "model__n_neighbors": [1, 3, 5]}
    given = [{"scale": MinMaxScaler(), "model__n_neighbors": np.int64(3)}]
    search = clone(PolicyGradientSearchCV(pipeline, space, n_iter=2, initial_params=given))
    first = search.fit(X, y).cv_results_["params"][0]
    assert isinstance(first["scale"], MinMaxScaler)
    assert type(first["model__n_neighbors"]) is int


class Takes(ClassifierMixin, BaseEstimator):
    """Fails unless `x` is of the type that it takes."""

    def __init__(self, x=None, kind=None):
        self.x, self.kind = x, kind

    def fit(self, X, y):
        if type(self.x) is not self.kind:
            raise TypeError(f"x={self.x!r} is no {self.kind}")
        self.classes_ = np.unique(y)
        return self

    def predict(self, X):
        return np.full(len(X), self.classes_[0])

    def score(self, X, y):
        return len(repr(self.x)) / 1000


@pytest.mark.parametrize(
    ("entry", "given", "kind"),
    [
        *((d, None, float) for d in OWN if d.kind is float),
        *((d, None, int) for d in OWN if d.kind is int),
        (MOVED[0], 12.0, int),
        (MOVED[1], 8.1, float),
        (MOVED[2], 1, float),
        (stats.randint(1, 31), 15.0, int),
        (stats.randint(1, 31), np.float64(15), int),
        (stats.uniform(0.3, 0.6), 0.9, float),
        ([1, 2, 3], 2.0, int),
        ([True, False], 1.0, bool),
        (["a", "b"], np.str_("b"), str),
        ([(1, 2), (3, 4)], [3, 4], tuple),
        ([1.0, float("nan"), 2.0], float("nan"), float),
        ([(1, float("nan")), (2, 2)], (1, float("nan")), tuple),
        pytest.param([1, 10**400, 5], 10**400, int, id="ordered and no float"),
        pytest.param([10**400, -(10**400)], -(10**400), int, id="no float"),
    ],
)
def test_values_reach_the_estimator_as_their_own_type(tmp_path, entry, given, kind):
    """From initial_params, in a copy of the search, and when it is continued."""
    if given is None:
        given = float(Space({"x": entry}).decode(np.array([[0.3]]))[0]["x"])
    search = PolicyGradientSearchCV(
        Takes(kind=kind), {"x": entry}, n_iter=2, batch_size=2, cv=2, random_state=0,
        initial_params=[{"x": given}], error_score="raise", storage=tmp_path / "search.db",
    )  # fmt: skip
    first = pickle.loads(pickle.dumps(search)).fit(X, y).cv_results_["params"]
    assert first[0]["x"] == pytest.approx(given, nan_ok=True) or repr(first[0]["x"]) == repr(
        kind(given)
    )
    longer = clone(search).set_params(n_iter=4).fit(X, y)
    assert repr(longer.cv_results_["params"][:2]) == repr(first)
    stored = load_study(tmp_path / "search.db", param_distributions={"x": entry})
    assert repr(stored["params"]) == repr(longer.cv_results_["params"])
    assert repr(longer.policy_)


class FailsOften(ClassifierMixin, BaseEstimator):
    def __init__(self, a=0, b=0.0):
        self.a, self.b = a, b

    def fit(self, X, y):
        if self.a != 3:
            raise ValueError(f"a={self.a} fails")
        self.classes_ = np.unique(y)
        return self

    def predict(self, X):
        return np.full(len(X), self.classes_[0])

    def score(self, X, y):
        return self.b


def test_a_batch_in_which_every_fit_fails_does_not_end_the_search():
    space = {"a": [0, 1, 2, 3], "b": stats.uniform()}
    search = PolicyGradientSearchCV(
        FailsOften(),
        space,
        n_iter=40,
        batch_size=2,
        cv=2,
        random_state=1,
        initial_params=[{"a": 0, "b": 0.5}, {"a": 1, "b": 0.5}],
    )
    with pytest.warns() as caught:
        search.fit(X, y)
    assert sorted(w.category for w in caught if w.category is FitFailedWarning) == [
        FitFailedWarning
    ]
    assert sum("non-finite" in str(w.message) for w in caught) == 1
    scores = search.cv_results_["mean_test_score"]
    assert len(scores) == 40
    assert np.isnan(scores[:2]).all()
    assert search.best_params_["a"] == 3
    assert search.history_[0]["mean_reward"] != search.history_[0]["mean_reward"]
    # it learned to stay away from what fails
    assert np.isnan(scores[:20]).sum() > np.isnan(scores[20:]).sum()


def test_a_search_whose_every_fit_fails_raises():
    search = PolicyGradientSearchCV(FailsOften(), {"a": [0, 1]}, cv=2)
    with pytest.raises(ValueError, match="All the 4 fits failed"):
        search.fit(X, y)


def test_error_score_raise_ends_with_the_error_of_the_fit():
    search = PolicyGradientSearchCV(FailsOften(), {"a": [0]}, error_score="raise")
    with pytest.raises(ValueError, match="a=0 fails"):
        search.fit(X, y)


def test_several_metrics_learn_from_the_one_that_refit_names():
    search = make(scoring=["accuracy", "neg_log_loss"], refit="neg_log_loss").fit(X, y)
    assert search.multimetric_
    best = search.cv_results_["mean_test_neg_log_loss"].max()
    assert search.best_score_ == best == search.history_[-1]["best_so_far"]


@pytest.mark.parametrize("refit", [False, lambda results: 3])
def test_without_a_name_the_first_metric_is_learned_from(refit):
    search = make(scoring={"b": "neg_log_loss", "a": "accuracy"}, refit=refit).fit(X, y)
    assert search.history_[-1]["best_so_far"] == search.cv_results_["mean_test_b"].max()
    if refit:
        assert search.best_index_ == 3


def argmax(results):
    return np.argmax(results["mean_test_score"])


@pytest.mark.parametrize(
    "settings",
    [
        {"racing": True, "racing_bound": 0.1},
        {"estimator": Scripted(act="fail", on=(3, 4, 9))},
        {"estimator": Scripted(act="fail", on=(3, 4, 9)), "error_score": 5.0},
    ],
    ids=["raced", "nan", "number"],
)
@pytest.mark.filterwarnings("ignore")
def test_a_callable_refit_chooses_among_candidates_with_a_score_on_each_fold(settings):
    seen = []

    def choose(results):
        seen.append(results)
        return argmax(results)

    given = {"estimator": Scripted(), "random_state": 1, "cv": 3} | settings
    space = {"a": list(range(10)), "seconds": [0.0]}
    search = PolicyGradientSearchCV(param_distributions=space, refit=choose, **given).fit(X, y)
    named = PolicyGradientSearchCV(param_distributions=space, refit=True, **given).fit(X, y)
    assert search.best_index_ == named.best_index_
    assert search.best_params_ == named.best_params_
    assert search.best_estimator_.a == search.best_params_["a"]
    (results,) = seen
    n = len(results["params"])
    assert n < len(search.cv_results_["params"]) == 10
    assert results.keys() == search.cv_results_.keys()
    assert {len(column) for column in results.values()} == {n}
    assert [params["a"] for params in results["params"]] == results["param_a"].tolist()
    np.testing.assert_allclose(results["mean_test_score"], results["param_a"].data / 100)


@pytest.mark.filterwarnings("ignore")
def test_a_callable_refit_sees_all_candidates_where_all_failed_or_none():
    lengths = []
    test = np.arange(100, 150)
    search = PolicyGradientSearchCV(
        Scripted(act="large data"),  # fails where there are more than a hundred rows
        {"a": [1, 2]},
        refit=lambda results: lengths.append(len(results["params"])) or 1,
    )
    for sizes in ([100, 120], [100]):
        search.set_params(cv=[(np.arange(size), test) for size in sizes])
        with pytest.raises(MemoryError):  # of the refit
            search.fit(X, y)
        assert search.best_index_ == 1
    assert lengths == [2, 2]


@pytest.mark.parametrize(("index", "error"), [(9, IndexError), (-1, IndexError), ("1", TypeError)])
@pytest.mark.filterwarnings("ignore")
def test_a_callable_refit_that_returns_no_index_is_an_error(index, error):
    search = PolicyGradientSearchCV(
        Scripted(act="fail", on=(3,)), {"a": list(range(10))}, refit=lambda results: index
    )
    with pytest.raises(error, match="best_index_"):
        search.fit(X, y)


def many_scores(estimator, X, y):
    accuracy = estimator.score(X, y)
    return {"accuracy": accuracy, "error": 1 - accuracy}


def test_callable_scoring_of_several_metrics():
    search = make(scoring=many_scores, refit="accuracy").fit(X, y)
    assert search.best_score_ == search.cv_results_["mean_test_accuracy"].max()
    with pytest.raises(ValueError, match="refit must be set to a scorer key"):
        make(scoring=many_scores, refit="recall").fit(X, y)


class CountsFits(KNeighborsClassifier):
    """Leaves a mark in the file system for each fit."""

    def __init__(self, folder=None, n_neighbors=5, weights="uniform"):
        super().__init__(n_neighbors=n_neighbors, weights=weights)
        self.folder = folder

    def fit(self, X, y):
        handle, _ = tempfile.mkstemp(dir=self.folder)
        os.close(handle)
        return super().fit(X, y)


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_each_candidate_is_fitted_once_per_fold(tmp_path, n_jobs):
    PolicyGradientSearchCV(
        CountsFits(str(tmp_path)), SPACE, n_iter=7, batch_size=3, cv=4, n_jobs=n_jobs, refit=False
    ).fit(X, y)
    assert len(list(tmp_path.iterdir())) == 7 * 4


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"param_distributions": {}}, "at least one hyperparameter"),
        ({"param_distributions": []}, "at least one hyperparameter"),
        ({"param_distributions": {"n_neighbors": []}}, "'n_neighbors'.*at least one choice"),
        ({"param_distributions": {"n_neighbors": 3}}, "'n_neighbors'.*list of choices"),
        ({"param_distributions": {"n_neighbors": stats.randint}}, "'n_neighbors'.*unfrozen"),
        ({"param_distributions": {"n_neighbors": object()}}, "'n_neighbors'.*`ppf` and `rvs`"),
        ({"param_distributions": {"n_neighbours": [1]}}, "'n_neighbours'.*does not accept"),
        ({"param_distributions": "n_neighbors"}, "'param_distributions' parameter"),
        ({"n_iter": 0}, "'n_iter' parameter.*got 0|'n_iter' parameter.*Got 0"),
        ({"n_iter": 2.5}, "'n_iter' parameter"),
        ({"batch_size": 0}, "'batch_size' parameter.*Got 0"),
        ({"learner": "adam"}, "'learner' parameter.*Got 'adam'"),
        ({"learner": NaturalGradient}, "'learner' parameter"),
        ({"initial_params": {"n_neighbors": 3}}, "initial_params, unless.*has no 'params'"),
        ({"param_distributions": {"n_neighbors": stats.norm([3, 4])}}, "'n_neighbors'.*arrays"),
        ({"initial_params": [{"n_neighbors": 99, "weights": "uniform"}]}, "n_neighbors=99"),
        ({"initial_params": [None]}, r"initial_params\[0\].*must be a dict.*None of type None"),
        ({"initial_params": [CURRENT, "n_neighbors"]}, r"initial_params\[1\].*must be a dict"),
        ({"initial_params": [CURRENT, {**CURRENT, "p": 1}]}, r"initial_params\[1\].*'p'"),
        ({"initial_params": [{**CURRENT, "weights": None}]}, r"initial_params\[0\].*weights=None"),
        ({"scoring": ["accuracy", "recall_macro"]}, "refit must be set to a scorer key"),
        ({"random_state": "seed"}, "'random_state' parameter"),
    ],
)
def test_bad_input_is_refused_by_name_before_any_fit(tmp_path, settings, words):
    search = PolicyGradientSearchCV(CountsFits(str(tmp_path)), SPACE).set_params(**settings)
    with pytest.raises((ValueError, TypeError), match=f"(?s){words}"):
        search.fit(X, y)
    assert not list(tmp_path.iterdir())


def test_pipelines_with_steps_and_estimators_as_choices():
    pipeline = Pipeline([("scale", StandardScaler()), ("select", SelectKBest()), ("model", SVC())])
    space = [
        {
            "scale": [StandardScaler(), MinMaxScaler(), "passthrough", None],
            "select__k": [1, 2, "all"],
            "model": [SVC()],
            "model__C": stats.loguniform(1e-2, 1e2),
        },
        {
            "scale": ["passthrough"],
            "select__k": [2, "all"],
            "model": [DecisionTreeClassifier(random_state=0)],
            "model__max_depth": stats.randint(1, 9),
        },
    ]
    search = PolicyGradientSearchCV(pipeline, space, n_iter=30, cv=3, random_state=0).fit(X, y)
    assert search.best_score_ > 0.95
    models = {type(params["model"]) for params in search.cv_results_["params"]}
    assert models == {SVC, DecisionTreeClassifier}
    # the user's own objects stay unfitted
    assert not hasattr(space[0]["model"][0], "support_")
    assert search.policy_.mode()["model"] in (space[0]["model"][0], space[1]["model"][0])


RIDGE, NEIGHBORS = RidgeClassifier(), KNeighborsClassifier()
TREE = DecisionTreeClassifier(random_state=0)
SCALED = Pipeline([("scale", StandardScaler()), ("model", RIDGE)])
VOTING = VotingClassifier([("ridge", RIDGE)])
# An estimator, and a space that names what only its choices have.
COMPOSED = {
    "steps": (
        SCALED,
        {
            "pca__n_components": [1, 2],
            "steps": [[("pca", PCA()), ("m", RIDGE)], [("pca", PCA()), ("m", SVC())]],
            "pca": [PCA(), PCA(whiten=True)],
        },
    ),
    "steps of several dicts": (
        SCALED,
        [
            {"steps": [[("m", RIDGE)]], "m__alpha": stats.loguniform(0.1, 10)},
            {"steps": [[("k", NEIGHBORS)]], "k__n_neighbors": stats.randint(1, 9)},
        ],
    ),
    "estimators": (
        VOTING,
        {
            "estimators": [[("r", RIDGE), ("k", NEIGHBORS)], [("k", NEIGHBORS)]],
            "k__n_neighbors": stats.randint(1, 9),
        },
    ),
    "final estimator": (
        StackingClassifier([("r", RIDGE)], cv=2),
        {
            "estimators": [[("k", NEIGHBORS)]],
            "k__n_neighbors": [1, 5],
            "final_estimator": [TREE, NEIGHBORS],
            "passthrough": [True, False],
        },
    ),
    "transformers": (
        Pipeline([("columns", ColumnTransformer([("s", StandardScaler(), [0])])), ("m", RIDGE)]),
        {
            "columns__transformers": [
                [("p", PolynomialFeatures(), [0, 1])],
                [("s", StandardScaler(), [2, 3])],
            ],
            "m__alpha": [0.1, 1.0],
        },
    ),
    "a column transformer": (
        Pipeline([("columns", "passthrough"), ("m", RIDGE)]),
        {
            "columns": [ColumnTransformer([("p", PolynomialFeatures(), [0, 1])])],
            "columns__p__degree": [1, 2],
            "columns__remainder": ["drop", "passthrough"],
        },
    ),
    "transformer list": (
        Pipeline([("union", FeatureUnion([("s", StandardScaler())])), ("m", RIDGE)]),
        {
            "union__transformer_list": [[("p", PCA()), ("k", SelectKBest())]],
            "union__p__n_components": [1, 2],
            "union__k__k": [1, 2],
        },
    ),
    "nested": (
        Pipeline([("vote", VOTING)]),
        {
            "vote__estimators": [[("inner", SCALED)]],
            "vote__inner__steps": [[("z", MinMaxScaler()), ("model", RIDGE)]],
            "vote__inner__z__clip": [True, False],
            "vote__inner__model__alpha": [0.1, 1.0],
        },
    ),
}


@pytest.mark.parametrize("case", COMPOSED)
def test_choices_may_bring_the_names_of_others(tmp_path, case):
    estimator, space = COMPOSED[case]
    RandomizedSearchCV(estimator, space, n_iter=4, cv=2, random_state=0).fit(X, y)

    def search(n_iter):
        return PolicyGradientSearchCV(
            estimator, space, n_iter=n_iter, batch_size=2, cv=2, random_state=0,
            storage=tmp_path / "search.db", error_score="raise",
        ).fit(X, y)  # fmt: skip

    first, longer = search(2), search(4)
    assert repr(longer.cv_results_["params"][:2]) == repr(first.cv_results_["params"])
    stored = load_study(tmp_path / "search.db", param_distributions=space)
    assert repr(stored["params"]) == repr(longer.cv_results_["params"])
    again = clone(longer).set_params(initial_params=[longer.best_params_], storage=None)
    assert repr(again.fit(X, y).cv_results_["params"][0]) == repr(longer.best_params_)


@pytest.mark.parametrize(
    ("space", "words"),
    [
        ({"stepz": [[("m", RIDGE)]]}, "'stepz'.*not accept"),
        ({"steps": [[("m", RIDGE)]], "n__alpha": [1]}, "'n__alpha'.*not accept"),
        ({"steps": [[("m", RIDGE)]], "m__alfa": [1]}, "'m__alfa'.*'alfa' for estimator Ridge"),
        # it is there no longer
        ({"scale__with_std": [True], "steps": [[("m", RIDGE)]]}, "'scale__with_std'.*not accept"),
        # some choices have it, and others do not
        (
            {"steps": [[("m", RIDGE)], [("k", NEIGHBORS)]], "m__alpha": [1]},
            "'m__alpha'.*'steps': .*KNeighbors.*list of dicts",
        ),
        ({"model__alpha": [1], "model": [RIDGE, NEIGHBORS]}, "'model__alpha'.*KNeighbors"),
        ({"model": [RIDGE, "passthrough"], "model__alpha": [1]}, "'model__alpha'.*passthrough"),
        (
            {"model": [VOTING], "model__k": [TREE], "model__estimators": [[("k", RIDGE)]],
             "model__k__max_dept": [1]},
            "'model__k__max_dept'.*not accept",
        ),
        (
            [{"model": [RIDGE], "model__alpha": [1]}, {"model": [TREE], "model__alpha": [1]}],
            "'model__alpha'.*Tree",
        ),
    ],
)  # fmt: skip
def test_a_name_that_a_choice_does_not_bring_is_refused_before_any_fit(tmp_path, space, words):
    pipeline = Pipeline([*SCALED.steps[:-1], ("model", CountsFits(str(tmp_path)))])
    with pytest.raises(ValueError, match=f"(?s){words}"):
        PolicyGradientSearchCV(pipeline, space, n_iter=20, cv=2).fit(X, y)
    assert not list(tmp_path.iterdir())


class Choosy(KNeighborsClassifier):
    """Refuses a value when it is set, as a pipeline refuses what its step does not have."""

    def set_params(self, **params):
        if params.get("n_neighbors") == 3:
            raise ValueError("three is refused")
        return super().set_params(**params)


@pytest.mark.filterwarnings("ignore:One or more of the test scores")
@pytest.mark.parametrize("n_jobs", [1, 2])
def test_a_candidate_that_the_estimator_does_not_take_is_a_failed_one(n_jobs):
    search = PolicyGradientSearchCV(Choosy(), {"n_neighbors": [1, 2, 3, 4]}, cv=3, n_jobs=n_jobs)
    with pytest.warns(FitFailedWarning, match="the hyperparameters cannot be set.* three"):
        search.fit(X, y)
    scores = search.cv_results_["mean_test_score"]
    refused = [params["n_neighbors"] == 3 for params in search.cv_results_["params"]]
    np.testing.assert_array_equal(np.isnan(scores), refused)
    with pytest.raises(Exception, match="the hyperparameters cannot be set"):
        search.set_params(error_score="raise").fit(X, y)


def test_metadata_reaches_fit_score_and_split():
    groups = np.repeat(np.arange(10), 15)
    search = PolicyGradientSearchCV(
        DecisionTreeClassifier(random_state=0),
        {"max_depth": [1, 2, 3]},
        cv=GroupKFold(5),
    )
    search.fit(X, y, groups=groups, sample_weight=np.where(y == 0, 1e-9, 1.0))
    assert search.n_splits_ == 5
    # class 0 weighs nothing: a tree of depth one tells the other two apart
    assert (search.best_estimator_.predict(X[y > 0]) > 0).all()


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_the_progress_bar_of_scikit_learn_moves_with_each_fit(n_jobs, monkeypatch):
    module = pytest.importorskip("sklearn.callback._progressbar")
    pytest.importorskip("rich")
    done = []

    class Monitor(module.RichProgressMonitor):
        def _on_task_end(self, task_info):
            super()._on_task_end(task_info)
            bar = self.root_rich_task.children[0]  # of the search
            done.append(round(bar.progress * bar.total))

    monkeypatch.setattr(module, "RichProgressMonitor", Monitor)
    search = make(n_jobs=n_jobs)
    search.set_callbacks(module.ProgressBar(max_propagation_depth=0))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        search.fit(X, y)
    assert done[:36] == list(range(1, 37))


def test_verbose_prints_the_number_of_fits_once(capsys):
    search = make(verbose=1).fit(X, y)
    score = search.cv_results_["mean_test_score"][0]
    lines = capsys.readouterr().out.splitlines()
    assert lines[:2] == [
        "Fitting 3 folds for each of 12 candidates, totalling 36 fits",
        f"The estimator as it is (n_neighbors=5, weights='uniform'): {score:.4f}",
    ]
    assert sum("fits" in line for line in lines) == 1


@pytest.mark.parametrize(
    ("space", "n"),
    [
        ({"n_neighbors": [1, 2, 3], "weights": ["uniform", "distance"]}, 6),
        ({"n_neighbors": stats.randint(1, 6)}, 5),
        ([{"n_neighbors": [1, 2]}, {"n_neighbors": [2, 3], "weights": ["distance"]}], 4),
        ([{"n_neighbors": [1, 2]}, {"n_neighbors": [2, 3]}], 3),
        ([{"n_neighbors": [1, 2]}, {"n_neighbors": stats.randint(1, 30)}], 20),
        ({"n_neighbors": stats.randint(1, 30), "leaf_size": stats.randint(1, 30)}, 20),
        ({"n_neighbors": [1, 2], "p": stats.uniform(1, 2)}, 20),
    ],
)
def test_verbose_announces_as_many_candidates_as_there_are(capsys, space, n):
    search = make(param_distributions=space, n_iter=20, verbose=10).fit(X, y)
    assert len(search.cv_results_["params"]) == n
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"Fitting 3 folds for each of {n} candidates, totalling {3 * n} fits"
    assert f"; {n}/{n}]" in [line for line in lines if line.startswith("[CV")][-1]
    assert any(line.startswith(f"{n}/{n}, best ") for line in lines)


def test_html_representation_names_fitted_attributes():
    def shown(search):
        return search._repr_html_().replace("\n", "").replace(" ", "")

    search = make()
    assert ">best_params_<" not in shown(search)
    search.fit(X, y)
    if not hasattr(search, "set_callbacks"):
        pytest.skip("scikit-learn shows them from 1.9 on")
    for name in ("best_params_", "policy_", "history_", "stop_reason_", "n_fits_"):
        assert f">{name}<" in shown(search)
