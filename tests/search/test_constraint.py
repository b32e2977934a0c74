"""A search under a constraint evaluates only what it allows."""

import pickle

import numpy as np
import pytest
from scipy import stats
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.model_selection import cross_val_score
from sklearn.neighbors import KNeighborsClassifier

import skpg
from skpg import PolicyGradientSearchCV, StorageError
from skpg.learners import NaturalGradient, Reinforce, ZerothOrder
from tests.estimators import Scripted

X, y = load_iris(return_X_y=True)
SPACE = {"a": stats.randint(0, 100), "seconds": [0.0, 1e-6, 2e-6], "extra": list(range(10))}


def even(params):
    return params["a"] % 2 == 0 and params["a"] + params["extra"] < 80


def other(params):
    return params["a"] % 2 == 0 and params["a"] + params["extra"] < 81


def never(params):
    return False


def search_of(space=SPACE, **settings):
    defaults = {"constraint": even, "n_iter": 24, "cv": 2, "random_state": 0, "refit": False}
    return PolicyGradientSearchCV(Scripted(), space, **(defaults | settings))


def params_of(search):
    return list(search.cv_results_["params"])


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"evaluation": "batch"},
        {"batch_size": 1},
        {"batch_size": 7},
        {"evaluation": "async", "n_jobs": 2},
        {"racing": "optimistic"},
        {"learner": NaturalGradient()},
        {"learner": Reinforce()},
        {"learner": ZerothOrder()},
    ],
    ids=str,
)
def test_forbidden_candidates_are_never_fitted(settings, tmp_path):
    estimator = Scripted(folder=str(tmp_path))
    search = search_of(**settings).set_params(estimator=estimator).fit(X, y)
    assert len(params_of(search)) == 24
    assert all(map(even, params_of(search)))
    fitted = {int(file.name.partition("-")[0]) for file in tmp_path.iterdir()}
    assert fitted
    assert all(a % 2 == 0 and a < 80 for a in fitted)


@pytest.mark.parametrize("evaluation", ["batch", "stream"])
def test_candidates_do_not_depend_on_the_number_of_workers(evaluation):
    one, two = (search_of(evaluation=evaluation, n_jobs=n).fit(X, y) for n in (1, 2))
    assert params_of(one) == params_of(two)


def test_the_search_learns_within_the_constraint():
    search = search_of(n_iter=60).fit(X, y)
    assert search.best_params_["a"] >= 76  # 78 is the best of all


def test_a_constraint_without_effect_changes_nothing():
    free = search_of(constraint=None).fit(X, y)
    assert params_of(search_of(constraint=lambda params: True).fit(X, y)) == params_of(free)


def test_a_list_of_dicts_with_names_that_only_some_have():
    space = [
        {"a": stats.randint(0, 100), "extra": [1, 2, 3]},
        {"a": stats.randint(0, 100)},
    ]

    def allowed(params):
        return params["a"] < 30 * params.get("extra", 1)

    search = search_of(space, constraint=allowed, n_iter=40).fit(X, y)
    assert all(map(allowed, params_of(search)))
    assert search.best_params_["a"] > 80


def test_all_allowed_candidates_of_a_finite_space_are_announced_and_evaluated(capsys):
    space = {"a": list(range(20)), "extra": [1, 2, 3]}
    search = search_of(
        space, constraint=lambda p: p["a"] == 7 * p["extra"], n_iter=1000, verbose=1
    ).fit(X, y)
    assert sorted((p["a"], p["extra"]) for p in params_of(search)) == [(7, 1), (14, 2)]
    assert search.stop_reason_ == "exhausted"
    assert "for each of 2 candidates, totalling 4 fits" in capsys.readouterr().out


@pytest.mark.parametrize("n_iter", [5, 1000])
def test_no_more_are_announced_than_are_wanted_and_allowed(capsys, n_iter):
    space = {"a": list(range(100)), "extra": list(range(40))}
    search_of(space, n_iter=n_iter, constraint=lambda p: p["a"] == 3, verbose=1).fit(X, y)
    assert f"for each of {min(n_iter, 40)} candidates" in capsys.readouterr().out


def test_the_estimator_as_it_is_comes_first_only_where_it_is_allowed():
    space = {"a": list(range(10)), "seconds": [0.0]}
    for a in (4, 5):
        search = search_of(space, constraint=lambda p: p["a"] % 2 == 0, n_iter=3)
        search.set_params(estimator__a=a).fit(X, y)
        assert ("The estimator as it is" in str(search.policy_)) is (a == 4)
        assert all(p["a"] % 2 == 0 for p in params_of(search))


class Unfittable(Scripted):
    def fit(self, X, y):
        raise AssertionError("nothing may be fitted")


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({"constraint": never}, ValueError, "constraint refused all 3000 candidates of the space"),
        ({"constraint": lambda p: p["b"] > 1}, ValueError, "constraint raised KeyError: 'b' for"),
        ({"constraint": lambda p: "yes"}, TypeError, "constraint must return True or False, got"),
        ({"constraint": "a < 3"}, ValueError, "The 'constraint' parameter of PolicyGradientSea"),
        (
            {
                "initial_params": [
                    {"a": 2, "seconds": 0.0, "extra": 1},
                    {"a": 3.0, "seconds": 0.0, "extra": 1},
                ]
            },
            ValueError,
            r"initial_params\[1\]: constraint forbids \{'a': 3, 'seconds'",
        ),
    ],
)
def test_what_is_wrong_is_said_before_any_fit_and_study(settings, error, message, tmp_path):
    path = tmp_path / "search.db"
    search = search_of(storage=path, study_name="mine", error_score="raise", **settings)
    with pytest.raises(error, match=message):
        search.set_params(estimator=Unfittable()).fit(X, y)
    assert not path.exists()  # else the corrected search could not have this name


def test_initial_params_that_keep_it_come_first():
    mine = {"a": 14, "seconds": 0.0, "extra": 9}
    assert params_of(search_of(initial_params=[mine], n_iter=2).fit(X, y))[0] == mine


def test_a_search_is_resumed_with_the_same_constraint_only(tmp_path):
    path = tmp_path / "search.db"
    whole = search_of().fit(X, y)
    search_of(storage=path, study_name="mine", n_iter=9).fit(X, y)
    with pytest.raises(StorageError, match=r"Not the same: constraint\. Undo"):
        search_of(storage=path, study_name="mine", constraint=other).fit(X, y)
    with pytest.raises(StorageError, match=r"Not the same: constraint\. Undo"):
        search_of(storage=path, study_name="mine", constraint=None).fit(X, y)
    resumed = search_of(storage=path, study_name="mine").fit(X, y)
    assert params_of(resumed) == params_of(whole)
    assert [study.n_candidates for study in skpg.studies(path)] == [24]


def test_lambdas_are_told_apart_by_their_content(tmp_path):
    path = tmp_path / "search.db"
    for limit in (50, 50, 60):
        search_of(storage=path, n_iter=2, constraint=lambda p, at_most=limit: p["a"] < at_most).fit(
            X, y
        )
    search_of(storage=path, n_iter=2, constraint=None).fit(X, y)
    assert len(skpg.studies(path)) == 3


def test_searches_with_a_constraint_are_cloned_pickled_and_nested():
    search = PolicyGradientSearchCV(
        KNeighborsClassifier(),
        {"n_neighbors": list(range(1, 20)), "p": [1, 2]},
        constraint=few,
        n_iter=4,
        random_state=0,
        cv=2,
    )
    assert search.get_params()["constraint"] is few
    assert clone(search).constraint is few
    fitted = pickle.loads(pickle.dumps(clone(search).fit(X, y)))
    assert fitted.constraint is few
    assert all(map(few, params_of(fitted)))
    assert np.isfinite(cross_val_score(search, X, y, cv=2, n_jobs=2)).all()


def few(params):
    return params["n_neighbors"] * params["p"] < 9
