"""Studies are read back as they were, by name and number."""

import warnings

import numpy as np
import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler

import skpg
from skpg import StorageError
from tests.estimators import Scripted
from tests.storage.searches import X, abort_after, make, result, y


def test_choices_of_any_kind(path):
    pipeline = Pipeline([("scale", None), ("model", KNeighborsClassifier())])
    space = [
        {
            "scale": [StandardScaler(), MinMaxScaler(), None, "passthrough"],
            "model__p": [1, True, 1.5, float("inf")],
            "model__metric_params": [None, {}],
        },
        {"scale": [MinMaxScaler()], "model": [RandomForestClassifier(5, random_state=0)]},
    ]
    settings = {"estimator": pipeline, "param_distributions": space, "n_iter": 30, "refit": False}
    warnings.simplefilter("ignore")
    first = make(path, **settings).fit(X, y)
    with pytest.raises(OSError, match="power"):
        make(path, callbacks=abort_after(9), **settings).fit(X, y)
    again = make(path, **settings).fit(X, y)
    assert repr(again.cv_results_["params"]) == repr(first.cv_results_["params"])
    loaded = skpg.load_study(path, param_distributions=space)
    for mine, its in zip(first.cv_results_["params"], loaded["params"], strict=True):
        assert mine.keys() == its.keys()
        assert all(its[name] is mine[name] or its[name] == mine[name] for name in mine)
    shown = skpg.load_study(path)["params"]
    assert repr(shown) == repr(first.cv_results_["params"])


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"racing": "optimistic", "racing_bound": 1.0, "return_train_score": True},
        {"estimator": Scripted(act="fail", on=tuple(range(0, 100, 3)))},
        {"evaluation": "async"},
        {"evaluation": "stream"},
    ],
)
def test_results_are_read_back_as_they_were(path, settings):
    warnings.simplefilter("ignore")
    search = make(path, n_iter=20, **settings).fit(X, y)
    loaded = skpg.load_study(f"sqlite:///{path}")
    assert list(loaded) == list(search.cv_results_)
    np.testing.assert_equal(loaded, search.cv_results_)


def two_scores(estimator, X, y):
    return {"high": estimator.a, "low": -float(estimator.a == 0)}


def test_scores_of_a_callable_that_fails_now_and_then(path):
    warnings.simplefilter("ignore")
    estimator = Scripted(act="fail", on=tuple(range(1, 100, 2)))
    settings = {"estimator": estimator, "scoring": two_scores, "refit": "low", "n_iter": 16}
    search = make(path, **settings).fit(X, y)
    assert result(make(path, **settings).fit(X, y)) == result(search)
    np.testing.assert_equal(skpg.load_study(path), search.cv_results_)


def test_studies_are_listed(path):
    search = make(path, study_name="first", n_iter=6).fit(X, y)
    with pytest.raises(OSError, match="power"):
        make(path, callbacks=abort_after(5)).fit(X, y)
    first, second = skpg.studies(path)
    assert (first.study_name, first.n_candidates, first.stop_reason) == ("first", 6, "n_iter")
    assert first.best_score == search.best_score_
    assert first.estimator == "tests.estimators.Scripted"
    assert first.versions["skpg"] == skpg.__version__
    assert (second.study_name, second.n_candidates, second.stop_reason) == (None, 4, None)
    with pytest.raises(StorageError, match="exactly one study. Its studies: 'first', 2"):
        skpg.load_study(path)
    with pytest.raises(StorageError, match="a study 'third'"):
        skpg.load_study(path, "third")
    assert len(skpg.load_study(path, 2)["params"]) == 4
    assert len(skpg.load_study(path, "first")["params"]) == 6


def test_an_int_is_the_number_of_a_study_and_a_str_its_name(path):
    for name, n_iter in (("2", 4), ("1", 8), (None, 12)):
        make(path, study_name=name, n_iter=n_iter).fit(X, y)

    def n_candidates(study):
        return len(skpg.load_study(path, study)["params"])

    assert [n_candidates(study) for study in ("2", "1")] == [4, 8]
    assert [n_candidates(study) for study in (1, 2, 3)] == [4, 8, 12]
    assert n_candidates(np.int64(2)) == 8  # as a column of a data frame has them
    with pytest.raises(StorageError, match="a study '3'. Its studies: '2', '1', 3"):
        skpg.load_study(path, "3")
    with pytest.raises(StorageError, match="a study 4"):
        skpg.load_study(path, 4)
    for study in (1.0, True, b"2"):
        with pytest.raises(TypeError, match=f"study must be a str, an int or None; got {study}"):
            skpg.load_study(path, study)
