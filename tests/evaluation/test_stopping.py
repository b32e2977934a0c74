"""A search that stops early is a fitted search."""

import dataclasses
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import joblib
import numpy as np
import pytest
from joblib.externals.loky import get_reusable_executor
from scipy import stats
from sklearn.datasets import load_iris
from sklearn.model_selection import GridSearchCV, cross_val_score, cross_validate
from sklearn.multiclass import OneVsRestClassifier
from sklearn.multioutput import ClassifierChain
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from skpg import PolicyGradientSearchCV
from skpg.evaluation.stopping import Clock, Progress, StoppingRule
from tests.estimators import Scripted

X, y = load_iris(return_X_y=True)
GRID = {"a": list(range(40))}


def make(estimator=None, **settings):
    defaults = {"n_iter": 40, "batch_size": 4, "cv": 3, "random_state": 0}
    return PolicyGradientSearchCV(estimator or Scripted(), GRID, **(defaults | settings))


def check_fitted(search):
    n = len(search.cv_results_["params"])
    assert all(len(column) == n for column in search.cv_results_.values())
    assert search.best_score_ == search.cv_results_["mean_test_score"].max()
    assert search.predict(X).shape == y.shape
    assert search.n_fits_ == 3 * n
    assert search.history_[-1]["n_candidates"] == n
    return n


@pytest.mark.parametrize("n_jobs", [1, 2])
@pytest.mark.parametrize("evaluation", ["batch", "stream", "async"])
def test_it_stops_at_the_first_candidate_that_reaches_the_target(n_jobs, evaluation):
    with joblib.parallel_config("threading"):
        search = make(target_score=0.3, n_jobs=n_jobs, evaluation=evaluation).fit(X, y)
    n = check_fitted(search)
    assert search.stop_reason_ == "target_score"
    reached = search.cv_results_["mean_test_score"] >= 0.3
    assert n < 40
    assert reached.any()
    if evaluation != "async":
        assert not reached[:-1].any()


@pytest.mark.parametrize("evaluation", ["batch", "stream"])
@pytest.mark.parametrize("settings", [{"target_score": 0.3}, {"patience": 3}])
def test_where_it_stops_does_not_depend_on_the_number_of_workers(settings, evaluation):
    alone = make(evaluation=evaluation, **settings).fit(X, y)
    with joblib.parallel_config("threading"):
        together = make(n_jobs=3, evaluation=evaluation, **settings).fit(X, y)
    assert alone.cv_results_["params"] == together.cv_results_["params"]
    np.testing.assert_array_equal(alone.policy_.theta, together.policy_.theta)
    assert alone.stop_reason_ == together.stop_reason_ == next(iter(settings))


def test_patience_counts_candidates_after_the_best():
    search = make(patience=5).fit(X, y)
    n = check_fitted(search)
    assert search.stop_reason_ == "patience"
    assert n - 1 - search.best_index_ == 5


@pytest.mark.parametrize("n_jobs", [1, 2])
@pytest.mark.parametrize("evaluation", ["batch", "stream", "async"])
def test_timeout_keeps_what_is_finished(n_jobs, evaluation):
    with joblib.parallel_config("threading"):
        search = make(Scripted(seconds=0.1), timeout=1.0, n_jobs=n_jobs, evaluation=evaluation)
        search.fit(X, y)
    assert 1 <= check_fitted(search) < 40
    assert search.stop_reason_ == "timeout"


def test_timeout_leaves_time_for_one_candidate():
    search = make(Scripted(seconds=0.1), timeout=0.01).fit(X, y)
    assert check_fitted(search) == 1


@pytest.mark.parametrize("evaluation", ["batch", "stream"])
@pytest.mark.parametrize("n_jobs", [1, 2])
def test_callbacks_see_each_candidate_in_order_and_may_stop(n_jobs, evaluation):
    seen = []

    def callback(progress):
        seen.append(progress)
        return progress.n_candidates == 6

    with joblib.parallel_config("threading"):
        search = make(callbacks=[callback], n_jobs=n_jobs, evaluation=evaluation).fit(X, y)
    n = check_fitted(search)
    assert search.stop_reason_ == "callback"
    assert 6 <= n <= (8 if evaluation == "batch" else 9)  # what is in flight
    assert [progress.params for progress in seen] == search.cv_results_["params"]
    assert [progress.n_candidates for progress in seen] == list(range(1, n + 1))
    last = seen[-1]
    assert (last.best_params, last.best_score) == (search.best_params_, search.best_score_)
    assert last.n_since_best == n - 1 - search.best_index_
    with pytest.raises(dataclasses.FrozenInstanceError):
        last.score = 1.0


def test_a_callback_that_returns_true_of_numpy_stops_the_search():
    search = make(callbacks=[lambda progress: np.mean(progress.fold_scores) >= 0]).fit(X, y)
    assert check_fitted(search) == 1
    assert search.stop_reason_ == "callback"


@pytest.mark.parametrize("evaluation", ["batch", "stream", "async"])
def test_callbacks_that_write_into_params_change_nothing(evaluation):
    def write(progress):
        for params in (progress.params, progress.best_params):
            params["note"] = "mine"
            params["a"] = -1

    seen = []
    settings = {"n_iter": 16, "evaluation": evaluation}
    expected = make(**settings).fit(X, y)
    search = make(callbacks=[write, seen.append], **settings).fit(X, y)
    assert search.cv_results_["params"] == expected.cv_results_["params"]
    assert search.best_params_ == expected.best_params_
    assert [progress.params for progress in seen] == expected.cv_results_["params"]


def test_callbacks_need_not_be_picklable():
    lock = __import__("threading").Lock()
    search = make(n_jobs=2, n_iter=4, callbacks=[lambda progress: lock is None]).fit(X, y)
    assert search.stop_reason_ == "n_iter"


def test_callbacks_of_scikit_learn_may_stop_it():
    pytest.importorskip("sklearn.callback")

    class Stop:
        def setup(self, estimator, context): ...

        def teardown(self, estimator, context): ...

        def on_fit_task_begin(self, estimator, context): ...

        def on_fit_task_end(self, estimator, context):
            return context.task_name == "candidate-split-evaluation" and context.task_id == 8

    search = make()
    search.set_callbacks(Stop())
    search.fit(X, y)
    assert check_fitted(search) == 3
    assert search.stop_reason_ == "callback"


def test_ctrl_c_raised_by_a_fit_keeps_what_is_finished():
    estimator = Scripted(act="ctrl-c", on=(17,))
    search = make(estimator, initial_params=[{"a": 3}, {"a": 5}, {"a": 17}]).fit(X, y)
    assert search.cv_results_["params"] == [{"a": 3}, {"a": 5}]
    assert search.stop_reason_ == "interrupted"
    with pytest.raises(KeyboardInterrupt):
        make(estimator, initial_params=[{"a": 17}]).fit(X, y)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


@dataclasses.dataclass
class PressesCtrlC:
    """A callback that sends a process, here its own, a Ctrl-C after so many candidates.

    The file counts those of all searches together, also in other processes.
    """

    file: str
    after: int = 3
    process: int | None = None

    def __call__(self, progress):
        with open(self.file, "a") as file:
            file.write(".")
            file.flush()
            number = file.tell()
        if number == self.after:
            os.kill(self.process or os.getpid(), signal.SIGINT)


def interrupted(tmp_path, **settings):
    """Return a search of ten candidates that is interrupted, and the file that counts them."""
    file = tmp_path / "candidates"
    return make(n_iter=10, cv=2, callbacks=[PressesCtrlC(str(file), **settings)]), file


def in_two_processes(search):
    get_reusable_executor().shutdown()  # workers of earlier searches ignore Ctrl-C
    cross_validate(search, X, y, cv=3, n_jobs=2, pre_dispatch=1)


ALL_OF_THEM = {
    "cross_validate": lambda search: cross_validate(search, X, y, cv=3),
    "cross_val_score": lambda search: cross_val_score(
        Pipeline([("search", search)]), X, y, cv=3, error_score=0.0
    ),
    "two processes": in_two_processes,
    "a loop of joblib": lambda search: joblib.Parallel()(
        joblib.delayed(search.fit)(X, y) for _ in range(3)
    ),
    "a grid": lambda search: GridSearchCV(
        Pipeline([("search", search)]), {"search__n_iter": [10, 9]}, cv=3
    ).fit(X, y),
    "one against the rest": lambda search: OneVsRestClassifier(search).fit(X, y),
    "a loop without joblib": lambda search: ClassifierChain(search).fit(
        X, np.column_stack([y == 0, y == 1])
    ),
}


@pytest.mark.parametrize("outer", ALL_OF_THEM)
def test_ctrl_c_in_an_inner_search_ends_the_outer_fit(tmp_path, outer):
    search, file = interrupted(tmp_path)
    with pytest.raises(KeyboardInterrupt):
        ALL_OF_THEM[outer](search)
    assert file.stat().st_size == 3
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_ctrl_c_in_a_search_of_searches_keeps_what_is_finished(tmp_path, n_jobs):
    # in the second candidate of the outer one, each of which has two folds
    inner, file = interrupted(tmp_path, after=33, process=os.getpid())
    space = {"random_state": list(range(9))}
    outer = PolicyGradientSearchCV(inner, space, cv=2, batch_size=1, n_jobs=n_jobs).fit(X, y)
    assert outer.stop_reason_ == "interrupted"
    assert len(outer.cv_results_["params"]) == 2
    # no score is that of an inner search that was cut short
    assert file.stat().st_size == 2 * 2 * 10 + 10
    assert len(outer.best_estimator_.cv_results_["params"]) == 10


@pytest.mark.parametrize(
    "around",
    [
        lambda search: search,
        lambda search: Pipeline([("scale", StandardScaler()), ("search", search)]),
        lambda search: Pipeline([("one", Pipeline([("search", search)]))]),
    ],
    ids=["alone", "pipeline", "pipelines"],
)
def test_ctrl_c_in_a_search_that_nothing_goes_on_after_keeps_what_is_finished(tmp_path, around):
    search, file = interrupted(tmp_path)
    around(search).fit(X, y)
    assert search.stop_reason_ == "interrupted"
    assert len(search.cv_results_["params"]) == file.stat().st_size == 3
    assert search.predict(X).shape == y.shape


def test_results_outlive_a_refit_that_fails():
    folds = [(np.arange(100), np.arange(100, 150))]
    search = make(Scripted(act="large data"), cv=folds, n_iter=8)
    with pytest.raises(MemoryError):
        search.fit(X, y)
    assert len(search.cv_results_["params"]) == 8
    assert search.cv_results_["mean_test_score"][search.best_index_] == search.best_score_
    assert search.policy_.mode() in [{"a": a} for a in GRID["a"]]


SCRIPT = """
import os, signal, sys, threading, time
from sklearn.datasets import load_iris
from skpg import PolicyGradientSearchCV
from tests.estimators import Scripted

if __name__ == "__main__":
    X, y = load_iris(return_X_y=True)
    n_jobs, after, twice = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3] == "twice"
    seconds = 300.0 if twice else 0.2

    def interrupt():
        time.sleep(0.5 if twice else 0.0)  # until the next fit runs
        os.killpg(0, signal.SIGINT)  # as a terminal does: the workers get it too
        if twice:
            time.sleep(0.3)
            os.killpg(0, signal.SIGINT)

    def callback(progress):
        if progress.n_candidates == after:
            threading.Thread(target=interrupt).start()

    search = PolicyGradientSearchCV(
        Scripted(), {"a": list(range(200)), "seconds": [seconds, 0.2]}, n_iter=200, cv=3,
        n_jobs=n_jobs, random_state=0, callbacks=[callback],
        initial_params=[{"a": a, "seconds": 0.2 if a == 1 else seconds} for a in (1, 2, 3)],
    )
    if after == 0:
        threading.Timer(0.3, interrupt).start()
    search.fit(X, y)
    print("kept", len(search.cv_results_["params"]), search.stop_reason_)
    print("predicts", search.predict(X[:2]).shape)
"""


def run_script(tmp_path, *arguments):
    script = tmp_path / "script.py"
    script.write_text(textwrap.dedent(SCRIPT))
    root = Path(__file__).parents[2]
    return subprocess.run(
        [sys.executable, str(script), *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, "PYTHONPATH": root},
        start_new_session=True,
    )


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_ctrl_c_keeps_all_finished_candidates(tmp_path, n_jobs):
    done = run_script(tmp_path, n_jobs, 5, "once")
    assert done.returncode == 0, done.stderr
    _, n, reason = done.stdout.splitlines()[0].split()
    assert 5 <= int(n) < 20
    assert reason == "interrupted"
    assert "predicts (2,)" in done.stdout


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_a_second_ctrl_c_interrupts_the_running_fits(tmp_path, n_jobs):
    done = run_script(tmp_path, n_jobs, 1, "twice")  # gives up long before the fits end
    assert "KeyboardInterrupt" in done.stderr
    assert done.returncode != 0


def test_ctrl_c_before_any_candidate_is_finished_raises(tmp_path):
    done = run_script(tmp_path, 1, 0, "once")
    assert "KeyboardInterrupt" in done.stderr
    assert done.returncode != 0


def progress(**values):
    defaults = {
        "params": {},
        "score": 0.5,
        "n_candidates": 5,
        "n_iter": 10,
        "best_params": {},
        "best_score": 0.5,
        "n_since_best": 2,
        "elapsed": 1.0,
        "status": "complete",
        "fold_scores": (0.4, 0.6),
        "seconds": 0.1,
        "replayed": False,
    }
    return Progress(**(defaults | values))


@pytest.mark.parametrize(
    ("rule", "reason"),
    [
        (StoppingRule(), None),
        (StoppingRule(target_score=0.5), "target_score"),
        (StoppingRule(target_score=0.51), None),
        (StoppingRule(patience=2), "patience"),
        (StoppingRule(patience=3), None),
        (StoppingRule(callbacks=(lambda _: True,)), "callback"),
        (StoppingRule(callbacks=(lambda _: np.True_,)), "callback"),
        (StoppingRule(callbacks=(lambda _: np.float64(2.0) > 1,)), "callback"),
        (StoppingRule(callbacks=(lambda _: np.False_,)), None),
        (StoppingRule(callbacks=(lambda _: "yes",)), None),
        (StoppingRule(callbacks=(lambda _: 1,)), None),
        (StoppingRule(callbacks=(lambda _: np.ones(3),)), None),
        (StoppingRule(callbacks=(lambda _: np.True_, lambda _: None)), "callback"),
        (StoppingRule(target_score=0.1, patience=1), "target_score"),
    ],
)
def test_reasons(rule, reason):
    assert rule.reason_to_stop(progress()) == reason


def test_the_clock_never_shows_less_than_nothing():
    assert Clock(None).left is None
    clock = Clock(1e-9)
    clock.start()
    time.sleep(1e-3)
    assert clock.left == 0


def test_the_clock_waits_for_its_start_and_starts_once():
    clock = Clock(10.0)
    time.sleep(0.01)
    assert (clock.elapsed, clock.left) == (0, 10)
    clock.start()
    time.sleep(0.01)
    clock.start()
    assert 0.01 <= clock.elapsed == pytest.approx(10 - clock.left, abs=0.01)


@pytest.mark.parametrize("evaluation", ["batch", "stream", "async"])
def test_the_replay_of_an_earlier_run_is_not_counted(tmp_path, evaluation):
    """Here it takes longer than the timeout, by callbacks; it might as well by a learner."""
    settings = {"storage": tmp_path / "search.db", "evaluation": evaluation}
    make(n_iter=8, **settings).fit(X, y)
    told = []

    def slowly(progress):
        told.append(progress)
        time.sleep(0.15 if progress.replayed else 0.01)

    search = make(timeout=1.0, callbacks=[slowly], **settings).fit(X, y)
    assert check_fitted(search) > 8
    assert [progress.elapsed for progress in told if progress.replayed] == [0] * 8
    assert all(progress.elapsed > 0 for progress in told[8:])


@pytest.mark.parametrize(
    "settings",
    [
        {"timeout": 0},
        {"timeout": "1h"},
        {"target_score": "high"},
        {"patience": 0},
        {"candidate_timeout": -1},
        {"racing": "certain"},
        {"racing_bound": "one"},
        {"evaluation": "parallel"},
        {"callbacks": print},
    ],
)
def test_bad_settings_are_refused_by_name(settings):
    with pytest.raises(ValueError, match=f"'{next(iter(settings))}' parameter"):
        make(**settings).fit(X, y)


@pytest.mark.parametrize("callback", ["x", None, Scripted()])
def test_a_callback_that_cannot_be_called_is_refused_before_any_fit(tmp_path, callback):
    heard = Diary()
    search = make(Scripted(folder=str(tmp_path)), callbacks=[heard, callback])
    with pytest.raises(TypeError, match="(?s)'callbacks' parameter.*list of callables. Got "):
        search.fit(X, y)
    assert heard.lines == []
    assert not list(tmp_path.iterdir())


def test_a_search_that_stops_early_has_the_first_candidates_of_a_longer_one():
    space = {"n_neighbors": stats.randint(1, 50), "p": stats.uniform(1, 3)}
    long = PolicyGradientSearchCV(
        KNeighborsClassifier(), space, n_iter=30, cv=3, random_state=0
    ).fit(X, y)
    target = np.sort(long.cv_results_["mean_test_score"])[-1]
    short = PolicyGradientSearchCV(
        KNeighborsClassifier(), space, n_iter=30, cv=3, random_state=0, target_score=target
    ).fit(X, y)
    n = len(short.cv_results_["params"])
    assert n == long.best_index_ + 1
    assert short.cv_results_["params"] == long.cv_results_["params"][:n]


class Diary:
    """A callback that writes down what it is told."""

    def __init__(self):
        self.lines = []

    def on_search_begin(self, search):
        self.lines.append("begin")

    def __call__(self, progress):
        self.lines.append((progress.status, progress.fold_scores))

    def on_search_end(self, search, error):
        self.lines.append(("end", error, hasattr(search, "best_estimator_")))


def small_search(**options):
    space = {"a": [1, 2, 3]}
    return PolicyGradientSearchCV(Scripted(), space, n_iter=3, cv=2, random_state=0, **options)


def test_callbacks_hear_of_the_begin_the_folds_and_the_end():
    diary = Diary()
    search = small_search(callbacks=[diary, lambda progress: None]).fit(X, y)
    begin, *candidates, end = diary.lines
    assert (begin, end) == ("begin", ("end", None, True))
    results = search.cv_results_
    folds = zip(results["split0_test_score"], results["split1_test_score"], strict=True)
    assert candidates == [("complete", tuple(scores)) for scores in folds]


def test_callbacks_hear_of_an_error_all_of_them_and_not_of_what_cannot_begin():
    def fail(progress):
        raise RuntimeError("enough")

    diaries = [Diary(), Diary()]
    with pytest.raises(RuntimeError, match="enough"):
        small_search(callbacks=[*diaries, fail]).fit(X, y)
    for diary in diaries:
        name, error, fitted = diary.lines[-1]
        assert (name, str(error), fitted) == ("end", "enough", False)
    silent = Diary()
    with pytest.raises(ValueError, match="n_iter"):
        small_search(callbacks=[silent]).set_params(n_iter=0).fit(X, y)
    assert silent.lines == []
