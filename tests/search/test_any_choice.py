"""Objects of every kind as choices: evaluated, shown, stored, read back, and resumed."""

import functools
import pickle

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.datasets import load_iris
from sklearn.decomposition import PCA
from sklearn.ensemble import RandomForestClassifier, VotingClassifier
from sklearn.exceptions import FitFailedWarning
from sklearn.gaussian_process.kernels import RBF, Matern
from sklearn.impute import SimpleImputer
from sklearn.model_selection import KFold
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler
from sklearn.svm import SVC, LinearSVC
from sklearn.utils.validation import check_is_fitted

from skpg import Categorical, Ordinal, PolicyGradientOptimizer, PolicyGradientSearchCV, load_study
from skpg.space.equality import same
from skpg.space.wording import written

# of numpy 1.26, which looks for an array in a data frame of pandas 2
pytestmark = pytest.mark.filterwarnings("ignore:(DataFrame|Series)._data is dep:DeprecationWarning")

X, y = load_iris(return_X_y=True)
NAN = float("nan")


class Keeps(ClassifierMixin, BaseEstimator):
    """Takes anything; its score depends on the type and the text of it."""

    n_fits = 0

    def __init__(self, x=0):
        self.x = x

    def fit(self, X, y):
        Keeps.n_fits += 1
        self.classes_ = np.unique(y)
        return self

    def predict(self, X):
        return np.zeros(len(X), dtype=int)

    def score(self, X, y):
        return (len(type(self.x).__name__) + len(repr(self.x))) % 13 / 13


def outer(x):
    return x


def kinds():
    """Lists of each kind of choices, made again by each call."""
    return {
        "none and booleans": [None, True, False],
        "look-alikes": [
            1,
            1.0,
            True,
            "1",
            np.int64(1),
            np.float32(1),
            np.bool_(True),
            b"1",
            1 + 0j,
        ],
        "nan": [NAN, 1.0, None, "nan", (1, NAN), np.float64("nan")],
        "tuples": [(1,), (1, 2), (1.0, 2), ()],
        "nested lists": [[1, [2, 3]], [1, [2, [3]]], [], [(1, [2])]],
        "functions": [np.log1p, len, outer, lambda x: x, lambda x: x + 1, str.lower],
        "partials": [functools.partial(max, 1), functools.partial(max, 2)],
        "classes": [PCA, SVC, int, dict, stats.norm],
        "arrays": [np.arange(3), np.arange(3.0), np.eye(2), np.array([None, "a"]), np.array(3)],
        "arrays of one shape": [np.arange(3), np.arange(1, 4)],
        "frames": [pd.DataFrame({"a": [1]}), pd.DataFrame({"a": [2]}), pd.Series([1])],
        "dicts and sets": [{0: 1, 1: 2}, {0: 2}, {1, 2}, frozenset([1]), "balanced"],
        "ranges": [range(3), range(4), slice(1, 2), ...],
        "estimators": [PCA(1), PCA(2), SVC(), RandomForestClassifier(3), "passthrough", None],
        "pipelines": [
            make_pipeline(PCA(2), SVC()),
            Pipeline([("pca", PCA())]),
            VotingClassifier([("svc", SVC())]),
            [("pca", PCA()), ("svc", SVC())],
        ],
        "kernels": [RBF(1.0), RBF(2.0), Matern()],
        "splitters": [KFold(3), KFold(4)],
        "distributions": [
            stats.uniform(0, 1),
            stats.uniform(0, 2),
            stats.randint(1, 4),
            stats.rv_discrete(values=([1, 2], [0.5, 0.5])),
            {"C": stats.uniform(0, 1)},
            *newer_distributions(),
        ],
        "generators": [np.random.RandomState(0), np.random.default_rng(0), 3],
    }


def newer_distributions():
    if not hasattr(stats, "make_distribution"):  # scipy before 1.15
        return []
    return [
        stats.Uniform(a=0, b=1.5),
        stats.exp(stats.Uniform(a=0, b=1)),
        stats.exp(stats.Uniform(a=0, b=2)),
    ]


WAYS = {"list": list, "categorical": Categorical, "ordinal": Ordinal}


def search_over(values, **settings):
    return PolicyGradientSearchCV(Keeps(), {"x": values}, cv=KFold(2), random_state=0, **settings)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("kind", kinds())
def test_every_choice_is_evaluated_once_and_shown_as_it_is(kind, way):
    choices = kinds()[kind]
    search = search_over(WAYS[way](choices)).fit(X, y)
    assert search.stop_reason_ == "exhausted"
    params = [candidate["x"] for candidate in search.cv_results_["params"]]
    assert len(params) == len(choices)
    for choice in choices:
        assert sum(value is choice for value in params) == 1
    for shown, value in zip(search.cv_results_["param_x"].tolist(), params, strict=True):
        if not hasattr(value, "iloc"):  # numpy 1.26 shows what is inside of a data frame
            # where all are numbers of one kind the column has a dtype of its own
            assert shown is value or same(shown, value) or shown == value
    best = params[search.best_index_]
    assert any(search.best_params_["x"] is choice for choice in choices)
    assert type(search.best_estimator_.x) is type(best)
    assert repr(search.policy_)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("kind", kinds())
def test_every_choice_is_stored_read_back_and_resumed(kind, way, tmp_path):
    path = str(tmp_path / "search.db")
    choices = kinds()[kind]
    make = WAYS[way]
    search_over(make(choices), n_iter=2, storage=path, study_name="mine", refit=False).fit(X, y)
    np.random.rand()  # the global random state, which distributions of scipy hold, goes on
    before = Keeps.n_fits
    again = kinds()[kind]  # as in another process
    resumed = search_over(make(again), storage=path, study_name="mine", refit=False).fit(X, y)
    assert Keeps.n_fits - before == 2 * (len(choices) - 2)
    expected = search_over(make(choices), refit=False).fit(X, y).cv_results_
    order = [index_of(candidate["x"], choices) for candidate in expected["params"]]
    assert [index_of(c["x"], again) for c in resumed.cv_results_["params"]] == order

    read = load_study(path, "mine", param_distributions={"x": make(choices)})
    assert [index_of(candidate["x"], choices) for candidate in read["params"]] == order
    for candidate, index in zip(load_study(path, "mine")["params"], order, strict=True):
        text, choice = repr(candidate["x"]), choices[index]
        assert text == written(choice)[:200] or same(candidate["x"], choice)


def index_of(value, choices):
    """The place of the very object, else of its copy; generators compare by identity."""
    found = [i for i, choice in enumerate(choices) if choice is value]
    return (found or [i for i, choice in enumerate(choices) if same(choice, value)])[0]


def test_nothing_is_pickled_nor_unpickled(tmp_path, monkeypatch):
    for name in ("dump", "dumps", "Pickler", "load", "loads", "Unpickler"):
        monkeypatch.setattr(pickle, name, lambda *_: pytest.fail("something is pickled"))
    path = str(tmp_path / "search.db")
    everything = [choice for choices in kinds().values() for choice in choices]
    search_over(everything, n_iter=5, storage=path).fit(X, y)
    assert len(load_study(path)["params"]) == 5
    assert len(load_study(path, param_distributions={"x": everything})["params"]) == 5
    assert b"\x80\x04" not in (tmp_path / "search.db").read_bytes()


def test_the_optimizer_proposes_every_choice_once():
    for kind, choices in kinds().items():
        optimizer = PolicyGradientOptimizer({"x": choices, "u": ["only"]}, random_state=0)
        asked = []
        while batch := optimizer.ask(2):
            optimizer.tell(batch, [float(len(asked) + i) for i in range(len(batch))])
            asked += [params["x"] for params in batch]
        assert sorted(index_of(x, choices) for x in asked) == list(range(len(choices))), kind
        assert optimizer.recommend()["x"] is asked[-1], kind


def test_two_jobs_evaluate_what_one_does():
    everything = [choice for choices in kinds().values() for choice in choices]
    results = [
        search_over(everything, n_iter=20, n_jobs=n_jobs, refit=False).fit(X, y).cv_results_
        for n_jobs in (1, 2)
    ]
    one, two = ([index_of(c["x"], everything) for c in r["params"]] for r in results)
    assert one == two


def test_estimators_are_cloned_and_steps_may_be_left_out():
    scalers = [StandardScaler(), MinMaxScaler(), "passthrough", None]
    models = [SVC(), LinearSVC()]
    pipeline = Pipeline([("scale", "passthrough"), ("model", SVC())])
    search = PolicyGradientSearchCV(
        pipeline,
        {"scale": scalers, "model": models, "model__C": [0.1, 1.0, 10.0]},
        n_iter=100,
        cv=2,
        random_state=0,
        error_score="raise",
    ).fit(X, y)
    assert search.stop_reason_ == "exhausted"
    for estimator in (scalers[0], scalers[1], *models):
        assert not hasattr(estimator, "n_features_in_")
        assert estimator.get_params() == type(estimator)().get_params()
    assert search.best_score_ > 0.9
    check_is_fitted(search.best_estimator_)


def test_nan_reaches_the_estimator():
    with_gaps = np.where(np.random.RandomState(0).rand(*X.shape) < 0.1, np.nan, X)
    pipeline = make_pipeline(SimpleImputer(), GaussianNB())
    imputed = {"simpleimputer__missing_values": NAN, "simpleimputer__strategy": "mean"}
    search = PolicyGradientSearchCV(
        pipeline,
        {"simpleimputer__missing_values": [NAN, -1.0], "simpleimputer__strategy": ["mean"]},
        initial_params=[pickle.loads(pickle.dumps(imputed))],
        cv=2,
        random_state=0,
    )
    with pytest.warns(
        (FitFailedWarning, UserWarning), match="fits failed|non-finite"
    ):  # of the fits without imputation
        search.fit(with_gaps, y)
    assert np.isnan(search.cv_results_["params"][0]["simpleimputer__missing_values"])
    assert np.isnan(search.best_params_["simpleimputer__missing_values"])
    assert len(search.cv_results_["params"]) == 2
