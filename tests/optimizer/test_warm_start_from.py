"""What is read of earlier searches, and how it reaches the learner."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sklearn.datasets import load_iris
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.model_selection import GridSearchCV, HalvingGridSearchCV, RandomizedSearchCV

import skpg
from skpg import PolicyGradientOptimizer, PolicyGradientSearchCV
from skpg.known_scores import KnownScores
from skpg.learners import ActorCritic, NaturalGradient, Reinforce, ZerothOrder
from tests.estimators import Scripted

X, y = load_iris(return_X_y=True)
SPACE = {"x": stats.uniform(), "k": ["a", "b"]}
PARAMS = [{"x": 0.2, "k": "a"}, {"x": 0.3, "k": "b"}, {"x": 0.4, "k": "b"}]
RESULTS = {"params": PARAMS, "mean_test_score": np.array([0.5, np.nan, 0.7])}
OLD = {"a": [1, 2, 3]}


class Noting(ActorCritic):
    """Notes the memories that it is handed."""

    memories: list

    def update(self, state, memory, rng):
        self.memories.append(memory)
        return super().update(state, memory, rng)

    def propose(self, state, memory, n, rng, admissible):
        self.memories.append(memory)
        return super().propose(state, memory, n, rng, admissible)


def earlier_of(*sources, space=SPACE):
    optimizer = PolicyGradientOptimizer(space, warm_start_from=list(sources))
    return [
        (optimizer.space.decode(earlier.actions), earlier.rewards.tolist())
        for earlier in optimizer.memory.earlier
    ]


def test_every_method_of_the_learner_sees_them_at_any_time():
    learner = Noting()
    object.__setattr__(learner, "memories", [])
    optimizer = PolicyGradientOptimizer(
        SPACE, learner=learner, warm_start_from=[(PARAMS, [1, 2, 3]), RESULTS], random_state=0
    )
    for _ in range(3):
        batch = optimizer.ask(10)
        optimizer.tell(batch, [p["x"] for p in batch])
    assert len(learner.memories) == 6
    for memory in learner.memories:
        assert memory.earlier is optimizer.memory.earlier
    first, second = optimizer.memory.earlier
    assert optimizer.space.decode(first.actions) == [
        {"x": pytest.approx(p["x"]), "k": p["k"]} for p in PARAMS
    ]
    np.testing.assert_array_equal(first.rewards, [1, 2, 3])
    np.testing.assert_array_equal(second.rewards, [0.5, np.nan, 0.7])


def test_they_are_not_told():
    optimizer = PolicyGradientOptimizer(
        {"k": ["a", "b"]}, warm_start_from=[([{"k": "a"}] * 2, [1, 2])]
    )
    assert len(optimizer.memory) == 0
    assert len(optimizer.ask(5)) == 2  # what was good elsewhere is still to be tried here
    assert PolicyGradientOptimizer(SPACE).memory.earlier == ()


def test_dicts_and_data_frames_of_results_are_the_same():
    assert str(earlier_of(RESULTS)) == str(earlier_of(pd.DataFrame(RESULTS)))


def test_what_does_not_lie_in_the_space_is_left_out():
    params = [
        *PARAMS,
        {"x": 0.2},
        {"x": 0.2, "k": "z"},
        {"x": 2.0, "k": "a"},
        {**PARAMS[0], "y": 1},
    ]
    ((kept, rewards),) = earlier_of((params, range(7)))
    assert [p["k"] for p in kept] == ["a", "b", "b"]
    assert rewards == [0, 1, 2]


@pytest.mark.parametrize("search", [GridSearchCV, RandomizedSearchCV, PolicyGradientSearchCV])
def test_fitted_searches(search):
    fitted = search(Scripted(), OLD, cv=2, **({} if search is GridSearchCV else {"n_iter": 3}))
    fitted.fit(X, y)
    for source in (fitted, fitted.cv_results_):
        ((params, rewards),) = earlier_of(source, space={"a": [1, 2, 3, 4]})
        assert sorted(zip((p["a"] for p in params), rewards, strict=True)) == [
            (1, 0.01), (2, 0.02), (3, 0.03)
        ]  # fmt: skip


@pytest.mark.filterwarnings("ignore:The total space:UserWarning")
def test_of_halving_only_what_had_all_resources():
    halving = HalvingGridSearchCV(
        Scripted(), {"a": list(range(8))}, cv=2, factor=2, min_resources=30, random_state=0
    ).fit(X, y)
    known = KnownScores.of(halving)
    assert 0 < len(known) < 8
    assert len(known) == len({p["a"] for p in known.params})


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.FitFailedWarning")
@pytest.mark.filterwarnings("ignore:One or more of the test scores:UserWarning")
@pytest.mark.parametrize("error_score", [np.nan, 0.9])
def test_of_our_own_search_failures_are_failures_and_what_lost_a_race_is_left_out(error_score):
    search = PolicyGradientSearchCV(
        Scripted(act="fail", on=(5,)), {"a": list(range(10))}, cv=3, racing=True, racing_bound=0.1,
        initial_params=[{"a": 5}, {"a": 9}], error_score=error_score, random_state=0,
    ).fit(X, y)  # fmt: skip
    known = KnownScores.of(search)
    assert [p["a"] for p in known.params] == [5, 9]
    np.testing.assert_allclose(known.scores, [np.nan, 0.09])
    if np.isnan(error_score):
        np.testing.assert_array_equal(KnownScores.of(search.cv_results_).scores, known.scores)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.FitFailedWarning")
def test_the_number_that_stands_for_the_score_of_a_failure_is_none():
    search = PolicyGradientSearchCV(
        Scripted(act="fail", on=(2,)), OLD, cv=3, error_score=0.9, random_state=0
    ).fit(X, y)
    known = KnownScores.of(search)
    assert known.best == {"a": 3}
    assert {p["a"] for p in known.where(np.isnan(known.scores)).params} == {2}


def test_studies_of_a_storage(tmp_path):
    search = PolicyGradientSearchCV(
        Scripted(), {"a": [1, 2, 3]}, cv=2, storage=tmp_path / "search.db", random_state=0
    ).fit(X, y)
    study = skpg.load_study(tmp_path / "search.db")
    assert str(earlier_of(study, space=OLD)) == str(earlier_of(search, space=OLD))


@pytest.mark.parametrize(
    ("columns", "metric", "refit", "column"),
    [
        (["score"], None, True, "score"),
        (["score"], "auc", True, "score"),  # the only one, whatever its name was
        (["f1"], "auc", True, "f1"),
        (["f1", "auc"], "auc", "f1", "auc"),  # what counts in the new search
        (["f1", "auc"], None, "auc", "auc"),  # what counted in the old one
        (["f1", "auc"], None, False, "f1"),  # as in a search: the first
    ],
)
def test_of_several_metrics_the_one_that_counts(columns, metric, refit, column):
    results = {f"mean_test_{name}": [len(name), 1.0] for name in columns}
    results = {"params": PARAMS[:2], "mean_fit_time": [7.0, 7.0]} | results
    search = SimpleNamespace(cv_results_=results, refit=refit)
    assert KnownScores.of(search, metric).scores[0] == len(column)


def test_studies_of_optuna():
    optuna = pytest.importorskip("optuna")
    optuna.logging.set_verbosity(optuna.logging.CRITICAL)

    def objective(trial):
        x = trial.suggest_float("x", 0, 1)
        trial.suggest_categorical("k", ["a", "b"])
        trial.report(x, 0)
        if trial.number == 1:
            raise optuna.TrialPruned
        trial.set_constraint("c", 1.0 if trial.number == 3 else -1.0)
        return float("nan") if trial.number == 2 else x

    for direction, sign in (("minimize", -1), ("maximize", 1)):
        study = optuna.create_study(direction=direction)
        study.optimize(objective, n_trials=5)
        study.ask()  # one that is running
        known = KnownScores.of(study)
        assert list(known.params) == [study.trials[i].params for i in (0, 2, 3, 4)]
        values = [sign * study.trials[i].params["x"] for i in (0, 4)]
        np.testing.assert_array_equal(known.scores, [values[0], np.nan, np.nan, values[1]])
    two = optuna.create_study(directions=["minimize", "maximize"])
    with pytest.raises(ValueError, match="must have one objective, got 2 directions"):
        KnownScores.of(two)


UNFITTED = GridSearchCV(Scripted(), OLD)


@pytest.mark.parametrize(
    ("sources", "error", "words"),
    [
        (RESULTS, TypeError, r"warm_start_from must be a list of earlier searches, got \{'params'"),
        (3, TypeError, "warm_start_from must be a list .* got 3 of type int"),
        ([RESULTS, "study"], TypeError, r"warm_start_from\[1\] must be a fitted search, its cv_re"),
        ([PARAMS], TypeError, r"warm_start_from\[0\] must be .* of type list"),
        ([UNFITTED], ValueError, r"warm_start_from\[0\] .*got GridSearchCV.*is not fitted"),
        ([{"k": "a"}], ValueError, r"got \{'k': 'a'\}, which has no 'params'"),
        ([{"params": PARAMS}], ValueError, r"a column 'mean_test_score', got the columns"),
        ([(PARAMS, [1])], ValueError, "one score per candidate, got 3 candidates and 1 scores"),
        ([(PARAMS, [1, "x", 2])], TypeError, r"numbers as scores, got \[1, 'x', 2\]"),
        ([([1, 2], [1, 2])], TypeError, "dicts .* as params, got 1 of type int"),
        ([([], [])], ValueError, r"lie in the space, got none among 0\.$"),
        (
            [([{"x": 0.5, "k": "z"}, {"z": 1}], [1, 2])],
            ValueError,
            r"warm_start_from\[0\] must have candidates that lie in the space, got none among 2\. "
            r"The first one: .*k='z' is not among the choices",
        ),
        (
            [RESULTS, (PARAMS[:2], [1, np.nan])],
            ValueError,
            r"warm_start_from\[1\] must have at least 2 candidates with a score .*, got 1",
        ),
        ([(PARAMS[:2], [1, np.inf])], ValueError, "at least 2 candidates with a score"),
    ],
)  # fmt: skip
def test_what_cannot_be_learned_from_is_refused_by_name(sources, error, words):
    with pytest.raises(error, match=words):
        PolicyGradientOptimizer(SPACE, warm_start_from=sources)


@pytest.mark.parametrize("learner", [Reinforce(), ZerothOrder(), NaturalGradient()])
def test_learners_that_would_ignore_them_refuse_them(learner):
    PolicyGradientOptimizer(SPACE, learner=learner, warm_start_from=[])
    with pytest.raises(
        ValueError, match=f"warm_start_from needs a learner .*{type(learner).__name__}"
    ):
        PolicyGradientOptimizer(SPACE, learner=learner, warm_start_from=[RESULTS])


def test_ambiguous_metrics_are_refused():
    results = {"params": PARAMS, "mean_test_f1": [1, 2, 3], "mean_test_auc": [1, 2, 3]}
    with pytest.raises(
        ValueError, match=r"must have a column 'mean_test_acc', got \['mean_test_f1"
    ):
        KnownScores.of(results, "acc")
