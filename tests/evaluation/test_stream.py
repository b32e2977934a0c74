"""A window of candidates in flight: the same candidates for any number of workers."""

import threading
import time
from itertools import pairwise

import joblib
import numpy as np
import pytest
from scipy import stats
from sklearn.datasets import load_iris
from sklearn.neighbors import KNeighborsClassifier

from skpg import PolicyGradientSearchCV
from skpg.evaluation.outcome import Outcome
from skpg.evaluation.racing import Race
from skpg.evaluation.schedule import Schedule
from skpg.evaluation.workers.executors import Event
from skpg.learners import Learner, NaturalGradient
from tests.estimators import Scripted

X, y = load_iris(return_X_y=True)
SPACE = {"n_neighbors": stats.randint(1, 60), "weights": ["uniform", "distance"]}
ONE_FOLD = [(np.arange(100), np.arange(100, 150))]


def result(search):
    columns = {
        name: column.tolist() if hasattr(column, "tolist") else column
        for name, column in search.cv_results_.items()
        if "time" not in name
    }
    return repr((columns, search.history_, search.policy_, search.n_fits_, search.stop_reason_))


def stream(**settings):
    defaults = {"n_iter": 24, "batch_size": 3, "cv": 3, "random_state": 0}
    return PolicyGradientSearchCV(
        KNeighborsClassifier(), SPACE, evaluation="stream", **(defaults | settings)
    )


@pytest.mark.parametrize("batch_size", [1, 3, 7])
@pytest.mark.parametrize("racing", [False, True, "optimistic"])
def test_a_stream_is_the_same_for_any_number_of_workers(batch_size, racing):
    settings = {"batch_size": batch_size, "racing": racing}
    alone = stream(**settings).fit(X, y)
    for n_jobs in (2, 3):
        with joblib.parallel_config("threading"):
            together = stream(n_jobs=n_jobs, **settings).fit(X, y)
        assert result(together) == result(alone)
    # one update with each candidate
    assert alone.cv_results_["iter"].tolist() == list(range(24))
    assert [record["n_candidates"] for record in alone.history_] == list(range(1, 25))


@pytest.mark.parametrize("backend", ["loky", "multiprocessing"])
@pytest.mark.parametrize("racing", [False, "optimistic"])
def test_a_stream_is_the_same_for_any_backend(backend, racing):
    alone = stream(racing=racing).fit(X, y)
    with joblib.parallel_config(backend):
        together = stream(racing=racing, n_jobs=2).fit(X, y)
    assert result(together) == result(alone)


def test_of_one_candidate_in_flight_it_is_a_search_in_batches_of_one():
    assert result(stream(batch_size=1).fit(X, y)) == result(
        stream(batch_size=1).set_params(evaluation="batch").fit(X, y)
    )


class Told(Learner):
    """Notes how much it has been told, and what is in flight, when it proposes."""

    def __init__(self):
        self.told = []

    def __deepcopy__(self, memo):
        return self

    def propose(self, state, memory, n, rng, admissible):
        self.told += [(len(memory), len(memory.pending))] * n
        return super().propose(state, memory, n, rng, admissible)

    def update(self, state, memory, rng):
        return state


@pytest.mark.parametrize("racing", [False, "optimistic"])
@pytest.mark.parametrize("batch_size", [1, 3, 7])
@pytest.mark.parametrize("n_jobs", [1, 4])
def test_a_candidate_is_proposed_once_the_one_a_window_before_it_is_told(
    n_jobs, batch_size, racing
):
    learner, a_moment = Told(), stats.uniform(0, 0.005)
    with joblib.parallel_config("threading"):
        search = PolicyGradientSearchCV(
            Scripted(), {"a": stats.randint(0, 1000), "seconds": a_moment}, learner=learner,
            n_iter=20, batch_size=batch_size, evaluation="stream", n_jobs=n_jobs, cv=3,
            racing=racing, racing_bound=10.0, random_state=0,
        ).fit(X, y)  # fmt: skip
    # one candidate is the estimator as it is
    assert learner.told[batch_size - 1 :] == [
        (n_told, batch_size - 1) for n_told in range(1, 21 - batch_size)
    ]
    assert all(n_told == 0 for n_told, _ in learner.told[: batch_size - 1])
    assert len(search.cv_results_["params"]) == 20


def test_a_slow_candidate_lets_the_others_of_its_window_go_on():
    """While the first one takes a second the other worker runs those of its window, no more."""
    started, lock = [], threading.Lock()

    class Noting(Scripted):
        def fit(self, X, y):
            with lock:
                started.append((self.a, time.monotonic()))
            return super().fit(X, y)

    space = {"a": list(range(12)), "seconds": [0.0, 1.0]}
    given = [{"a": 0, "seconds": 1.0}] + [{"a": a, "seconds": 0.0} for a in range(1, 12)]
    told = []
    with joblib.parallel_config("threading"):
        PolicyGradientSearchCV(
            Noting(), space, initial_params=given, n_iter=12, batch_size=5, cv=ONE_FOLD, n_jobs=2,
            evaluation="stream", refit=False, learner=NaturalGradient(),
            callbacks=[lambda progress: told.append((progress.params["a"], time.monotonic()))],
        ).fit(X, y)  # fmt: skip
    assert [a for a, _ in told] == list(range(12))
    first_told = told[0][1]
    assert [a for a, moment in started if moment < first_told] == [0, 1, 2, 3, 4]
    # they did not wait for it
    assert started[4][1] < first_told - 0.5


def test_free_workers_are_given_folds_before_the_next_candidate_is_learned_from():
    """Four candidates wait behind a slow one; those that replace them start one by one."""
    seconds = 0.1

    class Slow(NaturalGradient):
        def update(self, state, memory, rng):
            time.sleep(seconds)
            return super().update(state, memory, rng)

    started = {}

    class Noting(Scripted):
        def fit(self, X, y):
            started[self.a] = time.monotonic()
            return super().fit(X, y)

    space = {"a": list(range(10)), "seconds": [0.0, 0.3]}
    given = [{"a": a, "seconds": 0.3 if a == 0 else 0.0} for a in range(10)]
    with joblib.parallel_config("threading"):
        PolicyGradientSearchCV(
            Noting(), space, initial_params=given, n_iter=10, batch_size=5, cv=ONE_FOLD, n_jobs=5,
            evaluation="stream", refit=False, learner=Slow(),
        ).fit(X, y)  # fmt: skip
    starts = [started[a] for a in range(5, 10)]
    assert all(later - earlier > seconds / 2 for earlier, later in pairwise(starts))


@pytest.mark.parametrize("settings", [{"target_score": 0.09}, {"patience": 1}])
def test_what_was_finished_behind_the_candidate_that_ends_it_is_left_out(settings):
    """While the second one takes half a second, those behind it are evaluated in vain."""
    space = {"a": list(range(12)), "seconds": [0.0, 0.5]}
    order = (8, 9, 0, 1, 2) if "target_score" in settings else (9, 8, 0, 1, 2)
    given = [{"a": a, "seconds": 0.5 * (n == 1)} for n, a in enumerate(order)]
    with joblib.parallel_config("threading"):
        search = PolicyGradientSearchCV(
            Scripted(), space, initial_params=given, batch_size=5, cv=ONE_FOLD, n_jobs=2,
            evaluation="stream", **settings,
        ).fit(X, y)  # fmt: skip
    assert search.cv_results_["params"] == given[:2]
    assert len(search.history_) == 2


@pytest.mark.parametrize(
    "settings", [{"callbacks": [lambda progress: progress.n_candidates == 6]}, {"patience": 5}]
)
def test_nothing_is_proposed_any_more_once_there_is_a_reason_to_stop(settings):
    learner, given = Told(), [{"a": 999, "seconds": 0.0}]
    PolicyGradientSearchCV(
        Scripted(), {"a": stats.randint(0, 1000), "seconds": [0.0, 0.001]}, learner=learner,
        initial_params=given, batch_size=3, evaluation="stream", cv=3, random_state=0, **settings,
    ).fit(X, y)  # fmt: skip
    # of all that were asked before the sixth was told, two were given and not proposed
    assert len(learner.told) == 5 + 3 - 2


def test_a_finite_space_ends_it():
    space = {"n_neighbors": [1, 3, 5], "weights": ["uniform", "distance"]}
    search = stream(n_iter=50).set_params(param_distributions=space).fit(X, y)
    assert search.stop_reason_ == "exhausted"
    assert len({str(params) for params in search.cv_results_["params"]}) == 6


def test_a_timeout_leaves_the_first_candidates_of_the_whole_search():
    whole = stream(n_iter=30).fit(X, y).cv_results_["params"]
    short = stream(n_iter=30, timeout=0.1).fit(X, y).cv_results_["params"]
    assert whole[: len(short)] == short


def scores_of(number, fold):
    return 0.5 + 0.1 * np.sin(7 * number + fold) - 0.02 * fold


@pytest.mark.parametrize("race", [Race(0.62), Race(1.0, optimistic=True)])
@pytest.mark.parametrize("seed", range(5))
def test_in_a_window_it_makes_no_difference_in_which_order_folds_end(race, seed):
    """What is settled, and which folds are run in which order, against one fold at a time."""

    def run(rng, slots, window=4, n=40):
        schedule = Schedule(5, score=lambda o: o.test_scores, failure=None, race=race)
        schedule.add([{}] * window)
        running, told = [], []
        while schedule.n_asked < n or schedule._open:
            for candidate in schedule.settle():
                told.append((candidate.number, candidate.order, candidate.scores.tobytes()))
                told[-1] += tuple(schedule.rewards([candidate]))
                schedule.add([{}] if schedule.n_asked < n else [])
            while len(running) < slots and (job := schedule.next_job(len(running))):
                running.append(job)
            if running:
                job = running.pop(rng.integers(len(running)))
                score = scores_of(job.candidate, job.fold)
                schedule.record(Event(job, Outcome(score, fit_time=0.0, score_time=0.0)))
        return told

    expected = run(np.random.default_rng(0), slots=1)
    assert run(np.random.default_rng(seed), slots=2 + seed) == expected
    assert any(np.isnan(np.frombuffer(scores)).any() for _, _, scores, _ in expected)
