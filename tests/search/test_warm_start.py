"""Searches that begin with partial candidates, known scores or earlier searches."""

import copy
import pickle

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, RandomizedSearchCV, cross_val_score
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler
from sklearn.svm import SVC

from skpg import PolicyGradientOptimizer, PolicyGradientSearchCV
from skpg.learners import ActorCritic, NaturalGradient
from tests.estimators import Scripted

X, y = load_iris(return_X_y=True)
NEIGHBORS = {"n_neighbors": stats.randint(1, 40), "p": stats.uniform(1, 3)}
# the scores of `Scripted` are a / 100
OLD = {"params": [{"a": a} for a in (30, 80, 50, 10)], "mean_test_score": [0.3, 0.8, 0.5, 0.1]}


def search(estimator=None, space=None, **settings):
    defaults = {"n_iter": 12, "cv": 3, "random_state": 0}
    return PolicyGradientSearchCV(
        Scripted() if estimator is None else estimator,
        {"a": stats.randint(0, 100)} if space is None else space,
        **(defaults | settings),
    )


def params_of(fitted):
    return fitted.cv_results_["params"]


# partial candidates


def test_what_a_candidate_does_not_name_stays_as_it_is():
    given = [{"n_neighbors": 9}, {"p": 1.5}]
    fitted = search(KNeighborsClassifier(p=2.0), NEIGHBORS, initial_params=given).fit(X, y)
    assert params_of(fitted)[:3] == [
        {"n_neighbors": 9, "p": 2.0},
        {"n_neighbors": 5, "p": 1.5},
        {"n_neighbors": 5, "p": 2.0},  # the estimator as it is
    ]


def test_what_cannot_stay_as_it_is_is_drawn_the_same_for_a_seed():
    space = {"C": stats.loguniform(0.1, 10), "gamma": stats.loguniform(1e-3, 1)}
    settings = {"initial_params": [{"C": 3.0}], "n_iter": 2}  # gamma is "scale"
    first, again, other = (
        params_of(search(SVC(), space, random_state=seed, **settings).fit(X, y))[0]
        for seed in (0, 0, 1)
    )
    assert first == again
    assert first["C"] == other["C"] == 3.0
    assert first["gamma"] != other["gamma"]


def test_a_partial_candidate_is_completed_in_the_branch_of_the_estimator():
    C = stats.loguniform(0.1, 10)
    space = [
        {"kernel": ["linear"], "C": C},
        {"kernel": ["poly"], "C": C, "degree": [2, 3]},
        {"kernel": ["rbf"], "C": C, "gamma": ["scale", "auto"]},
    ]
    given = [{"C": 3.0}, {"degree": 2}]
    first, second = params_of(search(SVC(), space, initial_params=given, n_iter=2).fit(X, y))
    assert first == {"kernel": "rbf", "C": 3.0, "gamma": "scale"}
    assert second == {"kernel": "poly", "C": 1.0, "degree": 2}


def test_the_present_values_of_a_step_are_not_those_of_another_step():
    pipeline = Pipeline([("scale", MinMaxScaler()), ("model", LogisticRegression(C=8.0))])
    space = {
        "scale": [StandardScaler(), MinMaxScaler()],
        "model": [LogisticRegression(), SVC()],
        "model__C": [1.0, 2.0, 4.0, 8.0],
    }
    pipeline.set_params(model__C=8.0)
    given = [{"model": SVC()}] * 3
    fitted = search(pipeline, space, initial_params=given, n_iter=3).fit(X, y)
    assert {type(p["scale"]) for p in params_of(fitted)} == {MinMaxScaler}
    assert len({p["model__C"] for p in params_of(fitted)}) == 3


def test_partial_candidates_keep_the_constraint():
    space = {"a": stats.randint(0, 100), "extra": [1, 2, 3]}

    def allowed(params):
        return params["a"] % 10 == params["extra"]

    given = {"initial_params": [{"extra": 2}], "constraint": allowed}
    first, *_ = params_of(search(Scripted(a=5), space, **given).fit(X, y))
    assert allowed(first)
    assert first["extra"] == 2


# known scores


@pytest.mark.parametrize("evaluation", ["batch", "stream", "async"])
@pytest.mark.parametrize("learner", [ActorCritic(), NaturalGradient()])
@pytest.mark.parametrize("batch_size", [1, 3])
def test_known_scores_are_learned_from_and_only_the_best_is_fitted(
    tmp_path, evaluation, learner, batch_size
):
    fitted = search(
        Scripted(a=10, folder=str(tmp_path)), initial_params=OLD, learner=learner,
        evaluation=evaluation, batch_size=batch_size,
    ).fit(X, y)  # fmt: skip
    asked = [p["a"] for p in params_of(fitted)]
    assert asked[0] == 80
    assert len(set(asked)) == len(asked) == 12
    assert not {30, 50, 10} & set(asked)
    fits = {int(path.name.partition("-")[0]) for path in tmp_path.iterdir()}
    assert fits == set(asked)
    assert fitted.n_fits_ == 36


def test_the_policy_knows_them_and_the_search_is_not_worse_than_what_was_known():
    everything = {"params": [{"a": a} for a in range(60)], "mean_test_score": np.arange(60) / 100}
    known = search(initial_params=everything, n_iter=2).fit(X, y)
    assert known.best_score_ >= 0.59
    entropies = [search(n_iter=2).fit(X, y).policy_.entropy(), known.policy_.entropy()]
    assert entropies[1] < entropies[0] - 0.5


def test_all_counts_are_those_of_this_search():
    progress = []
    fitted = search(
        initial_params=OLD, patience=5, n_iter=50, callbacks=[progress.append],
        space={"a": stats.randint(0, 81)}, batch_size=2,
    ).fit(X, y)  # fmt: skip
    n = len(params_of(fitted))
    assert fitted.stop_reason_ == "patience"
    assert n == 6  # five without a better one than 80
    assert fitted.cv_results_["iter"].tolist() == [0, 0, 1, 1, 2, 2]
    assert [record["iter"] for record in fitted.history_] == [0, 1, 2]
    assert [record["n_candidates"] for record in fitted.history_] == [2, 4, 6]
    assert [record["best_so_far"] for record in fitted.history_] == [pytest.approx(0.8)] * 3
    assert [p.n_candidates for p in progress] == [1, 2, 3, 4, 5, 6]
    assert [p.n_since_best for p in progress] == [0, 1, 2, 3, 4, 5]
    assert progress[0].params == progress[-1].best_params == {"a": 80}


def test_scores_of_other_data_do_not_count_as_results():
    """What was known is said to be better than what it is here."""
    boast = OLD | {"mean_test_score": [0.9, 0.99, 0.9, 0.9]}
    space = {"a": stats.randint(0, 85)}
    fitted = search(space=space, initial_params=boast, target_score=0.95).fit(X, y)
    assert fitted.stop_reason_ == "n_iter"
    assert fitted.best_score_ < 0.85
    assert fitted.history_[-1]["best_so_far"] == pytest.approx(fitted.best_score_)


@pytest.mark.parametrize("n_iter", [3, 100])
@pytest.mark.parametrize("constraint", [None, lambda params: params["a"] != 4])
def test_a_finite_space_has_so_many_candidates_less(capsys, n_iter, constraint):
    space = [{"a": list(range(6))}, {"a": [5, 6, 7]}]  # 5 in both
    old = {"params": [{"a": a} for a in (1, 4, 5, 5.0, 99)], "mean_test_score": [1, 2, 5, 5, 9]}
    fitted = search(
        space=space, initial_params=old, n_iter=n_iter, constraint=constraint, verbose=1
    ).fit(X, y)
    left = [5, 0, 2, 3, 6, 7]
    assert params_of(fitted)[0] == {"a": 5}
    assert {p["a"] for p in params_of(fitted)} <= set(left)
    assert len(params_of(fitted)) == min(n_iter, len(left))
    kept = 4 if constraint is None else 3
    out = capsys.readouterr().out
    assert f"initial_params: {kept} of 5 candidates are learned from" in out
    assert f"for each of {min(n_iter, len(left))} candidates" in out


def test_a_grid_that_is_known_wholly_leaves_the_best():
    grid = GridSearchCV(Scripted(), {"a": [1, 2, 3]}, cv=2).fit(X, y)
    fitted = search(space={"a": [1, 2, 3]}, initial_params=grid).fit(X, y)
    assert params_of(fitted) == [{"a": 3}]
    assert fitted.stop_reason_ == "exhausted"


def test_values_are_those_of_the_space():
    frame = pd.DataFrame({"params": [{"a": 1.0}, {"a": 2.0}], "mean_test_score": [0.1, 0.2]})
    seen = []
    fitted = search(
        initial_params=frame, n_iter=1, constraint=lambda p: seen.append(p["a"]) or True
    ).fit(X, y)
    assert [type(a) for a in seen] == [int] * len(seen)
    assert type(params_of(fitted)[0]["a"]) is int


def test_with_several_metrics_the_one_that_the_search_refits_by():
    scoring = {"good": many_scores, "bad": lambda e, X, y: -e.a}
    old = GridSearchCV(Scripted(), {"a": [1, 5, 9]}, scoring=scoring, refit="good", cv=2).fit(X, y)
    for refit, first in (("good", 9), ("bad", 1)):
        fitted = search(initial_params=old, scoring=scoring, refit=refit, n_iter=1).fit(X, y)
        assert params_of(fitted) == [{"a": first}]


def many_scores(estimator, X, y):
    return estimator.a


def test_estimators_among_the_values_are_found_again():
    pipeline = Pipeline([("scale", StandardScaler()), ("model", KNeighborsClassifier())])
    space = {"scale": [StandardScaler(), MinMaxScaler()], "model__n_neighbors": list(range(1, 9))}
    old = RandomizedSearchCV(pipeline, space, n_iter=4, random_state=0).fit(X, y)
    fitted = search(pipeline, space, initial_params=old, n_iter=13).fit(X, y)
    assert str(params_of(fitted)[0]) == str(old.best_params_)
    assert len({str(p) for p in params_of(fitted) + old.cv_results_["params"]}) == 16


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"initial_params": {"a": 3}}, "^initial_params, unless it is a list .* has no 'params'"),
        ({"initial_params": "best"}, "^initial_params, unless .* got 'best' of type str"),
        ({"initial_params": GridSearchCV(Scripted(), {"a": [1]})}, "which is not fitted"),
        (
            {"initial_params": {"params": [{"b": 1}], "mean_test_score": [1]}},
            r"initial_params.*none among 1\. The first one:.*Expected values for \['a'\], got",
        ),
        ({"initial_params": ([{"a": 1}], [np.nan])}, "a candidate with a score .* none among 1"),
        (
            {"initial_params": OLD, "constraint": lambda p: p["a"] in (3, 4, 5)},
            "initial_params must have .* keeps the constraint, got none among 0",
        ),
        ({"initial_params": OLD, "constraint": lambda p: p["z"] or True}, "raised KeyError: 'z'"),
        ({"initial_params": [{"b": 1}]}, r"initial_params\[0\]: \{'b': 1\} is not in the space"),
        (
            {"initial_params": [{"a": 1}, {}], "constraint": lambda p: p["a"] == 1},
            None,  # drawn until it keeps the constraint
        ),
        ({"warm_start_from": OLD}, "'warm_start_from' parameter"),
        ({"warm_start_from": [OLD, 3]}, r"^warm_start_from\[1\] must be a fitted search"),
        (
            {"warm_start_from": [OLD], "learner": NaturalGradient()},
            "warm_start_from needs a learner that learns from earlier .*NaturalGradient",
        ),
        ({"warm_start_from": [([{"a": 1}], [1])]}, r"^warm_start_from\[0\] must have at least 2"),
    ],
)
def test_what_cannot_be_used_is_refused_before_any_fit_and_study(tmp_path, settings, words):
    (tmp_path / "fits").mkdir()
    estimator = Scripted(folder=str(tmp_path / "fits"))
    begun = search(estimator, storage=tmp_path / "search.db", n_iter=3, **settings)
    if words is None:
        begun.fit(X, y)
        return
    with pytest.raises((TypeError, ValueError), match=words):
        begun.fit(X, y)
    assert not list((tmp_path / "fits").iterdir())
    assert not (tmp_path / "search.db").exists()


# earlier searches


class Noting(ActorCritic):
    """Notes what it is handed of earlier searches."""

    def init(self, space):
        SEEN.clear()
        return super().init(space)

    def update(self, state, memory, rng):
        SEEN.append([e.rewards.tolist() for e in memory.earlier])
        return super().update(state, memory, rng)


SEEN = []


def test_earlier_searches_reach_the_learner_and_are_no_results():
    fitted = search(warm_start_from=[OLD, ([{"a": 1}, {"a": 2}], [7, 8])], learner=Noting()).fit(
        X, y
    )
    assert [[0.3, 0.8, 0.5, 0.1], [7.0, 8.0]] in SEEN
    assert all(seen == SEEN[0] for seen in SEEN)
    assert len(params_of(fitted)) == 12
    assert fitted.history_[0]["n_candidates"] == 1


def test_the_same_search_by_ask_and_tell():
    fitted = search(warm_start_from=[OLD], batch_size=3, n_iter=9).fit(X, y)
    optimizer = PolicyGradientOptimizer(
        {"a": stats.randint(0, 100)}, warm_start_from=[OLD], random_state=0
    )
    optimizer.enqueue([{"a": 0}])  # the estimator as it is
    for _ in range(3):
        batch = optimizer.ask(3)
        optimizer.tell(batch, [p["a"] / 100 for p in batch])
    assert params_of(fitted) == optimizer.space.decode(optimizer.memory.actions)


@pytest.mark.parametrize("name", ["initial_params", "warm_start_from"])
def test_fitted_searches_stay_fitted_in_clones_and_copies(name):
    old = RandomizedSearchCV(Scripted(), {"a": range(50)}, n_iter=5, cv=2, random_state=0).fit(X, y)
    begun = search(**{name: old if name == "initial_params" else [old]}, n_iter=3)
    expected = params_of(copy.deepcopy(begun).fit(X, y))
    for make in (
        clone,
        copy.copy,
        lambda s: pickle.loads(pickle.dumps(s)),
        lambda s: clone(clone(s)),
    ):
        assert params_of(make(begun).fit(X, y)) == expected
    cross_val_score(begun, X, y, cv=2, error_score="raise")
    fitted = begun.fit(X, y)
    assert not hasattr(clone(fitted), "cv_results_")
    assert "RandomizedSearchCV" in repr(begun)
    assert begun._repr_html_()


def test_candidates_in_clones_are_copies():
    begun = search(initial_params=[{"a": 3}])
    clone(begun).initial_params[0]["a"] = 4
    assert begun.initial_params == [{"a": 3}]


def test_results_do_not_depend_on_the_number_of_workers():
    settings = {"initial_params": OLD, "warm_start_from": [OLD], "n_iter": 8}
    one, two = (search(n_jobs=n, **settings).fit(X, y) for n in (1, 2))
    assert params_of(one) == params_of(two)


@pytest.mark.parametrize("n_iter", [1, 4, 9])
def test_the_first_candidates_do_not_depend_on_how_many_there_will_be(n_iter):
    settings = {"initial_params": OLD, "warm_start_from": [OLD]}
    longer = params_of(search(n_iter=12, **settings).fit(X, y))
    assert params_of(search(n_iter=n_iter, **settings).fit(X, y)) == longer[:n_iter]
