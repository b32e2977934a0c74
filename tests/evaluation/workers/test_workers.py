"""Worker processes: whose they are, what they are sent, and what is left of them."""

import contextlib
import os
import random
import signal
import subprocess
import sys
import threading
import time
import warnings
from pathlib import Path

import joblib
import numpy as np
import pytest
from sklearn.datasets import load_iris
from threadpoolctl import threadpool_info, threadpool_limits

from skpg import PolicyGradientSearchCV
from skpg.evaluation.workers import pool
from tests.estimators import Marked, Nowhere, OnlyHere, Scripted, UnpicklableScorer, odd_score
from tests.evaluation.workers.together import fit_overlapping, fit_together

X, y = load_iris(return_X_y=True)
LINUX = pytest.mark.skipif(not os.path.exists("/proc/self/maps"), reason="reads /proc")


def search_of(estimator, n=20, space=None, **settings):
    defaults = {"n_iter": n, "batch_size": 10, "cv": 3, "random_state": 0, "n_jobs": 2}
    space = {"a": list(range(n))} if space is None else space
    return PolicyGradientSearchCV(estimator, space, **(defaults | settings))


def quietly(search):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return search.fit(X, y)


def processes(field, value):
    """The processes that are alive, by their parent (field 1) or session (field 3)."""
    alive = set()
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            state, *fields = path.read_text().rpartition(")")[2].split()
            if int(fields[field - 1]) == value and state != "Z":
                alive.add(int(path.parent.name))
    return alive


def workers():
    return processes(1, os.getpid())


def wait_until(condition, seconds=20):
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.05)
    return condition()


# -- several searches in one process


def assert_each_is_as_alone(makers):
    alone, together = [quietly(make()) for make in makers], [make() for make in makers]
    fit_together(together, X, y)
    for one, other in zip(alone, together, strict=True):
        assert one.cv_results_["params"] == other.cv_results_["params"]
        for name in ("split0_test_score", "mean_test_score", "rank_test_score"):
            np.testing.assert_equal(one.cv_results_[name], other.cv_results_[name])
        assert one.best_params_ == other.best_params_
        assert one.stop_reason_ == other.stop_reason_


def usual():
    return search_of(Scripted(seconds=0.05))


def with_a_killer():
    return search_of(Scripted(act="die", on=(3,), seconds=0.02), n=6)


def with_a_deaf_one():
    return search_of(Scripted(act="deaf", on=(3,)), n=6, candidate_timeout=0.4)


def early(n_jobs=2):
    # its last fits are ended once it has what it wants
    return search_of(Scripted(seconds=0.2), n=6, target_score=0.0, n_jobs=n_jobs)


@pytest.mark.parametrize(
    "other",
    [
        with_a_killer,
        pytest.param(with_a_deaf_one, marks=pytest.mark.slow),
        pytest.param(early, marks=pytest.mark.slow),
        lambda: early(n_jobs=3),
    ],
    ids=["killer", "deaf", "early", "early with more workers"],
)
def test_two_searches_in_threads_do_not_disturb_each_other(other):
    assert_each_is_as_alone([usual, other])


@pytest.mark.slow
def test_four_searches_in_threads_have_the_results_that_they_have_alone():
    assert_each_is_as_alone(
        [
            lambda: search_of(Scripted(seconds=0.01), n=5),
            lambda: search_of(Scripted(act="die", on=(3, 7)), n=12),
            lambda: search_of(Scripted(seconds=0.1), n=20),
            lambda: search_of(Scripted(seconds=0.05), n=40, racing="optimistic"),
        ]
    )


def slowly(value):
    time.sleep(0.1)
    return value


def test_a_search_does_not_disturb_joblib_in_another_thread():
    results = []

    def count():
        results.extend(joblib.Parallel(n_jobs=2)(joblib.delayed(slowly)(k) for k in range(60)))

    thread = threading.Thread(target=count)
    thread.start()
    quietly(with_a_killer())
    thread.join()
    assert results == list(range(60))


def workers_of(folder, **settings):
    """The processes in which the fits of a search run."""
    folder.mkdir()
    search_of(Scripted(folder=str(folder), seconds=0.05), n=6, refit=False, **settings).fit(X, y)
    return {int(path.name.split("-")[1]) for path in folder.iterdir()}


def test_the_next_search_takes_over_the_workers_of_the_last(tmp_path):
    first = workers_of(tmp_path / "first")
    assert len(first) == 2
    assert workers_of(tmp_path / "second") == first


def test_another_thread_may_take_the_last_workers_at_the_same_time(monkeypatch):
    class TakenInBetween(list):
        def __bool__(self):
            return True

    monkeypatch.setitem(pool._idle, os.getpid(), TakenInBetween())
    with joblib.Parallel(2) as parallel:
        taken = pool.Pool.take(parallel._backend, 2)
    assert taken.submit(abs, -1).result() == 1
    taken.end()


def test_workers_may_end_right_after_they_were_given_a_job():
    # pytest makes an error in the thread that manages the workers one of this test
    for _ in range(5):
        with joblib.Parallel(2) as parallel:
            taken = pool.Pool.take(parallel._backend, 2)
        taken.submit(abs, -1).result()
        late = taken.submit(time.sleep, 60)
        taken.end()
        assert late.exception()


def test_a_worker_that_has_died_since_the_last_search_is_no_loss(tmp_path):
    os.kill(workers_of(tmp_path / "first").pop(), signal.SIGKILL)
    search = search_of(Scripted(), n=6).fit(X, y)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()


@LINUX
def test_workers_that_are_too_few_or_too_many_for_the_next_search_are_ended(tmp_path):
    first = workers_of(tmp_path / "first")
    assert first <= workers()
    second = workers_of(tmp_path / "second", n_jobs=3)
    assert not first & second
    assert wait_until(lambda: not first & workers())


def limits_of_threads():
    return [library["num_threads"] for library in threadpool_info()]


def in_threads(callbacks):
    with joblib.parallel_config("threading"):
        return SearchInThreads(Scripted(), {"a": list(range(4))}, n_iter=4, n_jobs=2, cv=2,
                               batch_size=1, callbacks=callbacks)  # fmt: skip


class SearchInThreads(PolicyGradientSearchCV):
    def fit(self, X, y):
        with joblib.parallel_config("threading"):
            return super().fit(X, y)


def test_limits_of_threads_hold_during_a_search_and_no_longer():
    seen = []
    with threadpool_limits(3):
        before = limits_of_threads()
        in_threads([lambda progress: seen.append(limits_of_threads())]).fit(X, y)
        assert limits_of_threads() == before
    assert before not in seen


def test_limits_of_threads_are_restored_when_the_last_of_several_searches_ends():
    with threadpool_limits(3):
        before = limits_of_threads()
        fit_overlapping(in_threads, X, y)
        assert limits_of_threads() == before


# -- what is sent


@pytest.mark.parametrize(
    ("backend", "n_jobs"), [("loky", 1), ("loky", 2), ("threading", 2), ("multiprocessing", 2)]
)
def test_a_choice_that_cannot_be_pickled_is_a_failed_candidate(backend, n_jobs):
    check_bad_choice(Nowhere(), "cannot be pickled anywhere", backend, n_jobs)


@pytest.mark.parametrize("backend", ["loky", "multiprocessing"])
def test_a_choice_that_cannot_be_unpickled_is_a_failed_candidate(backend):
    check_bad_choice(OnlyHere(), "cannot be unpickled: RuntimeError: in another process", backend)


def check_bad_choice(choice, message, backend, n_jobs=2):
    space = {"a": [1, 2, 3, 4], "folder": [None, choice]}
    search = search_of(Scripted(), 8, space, n_jobs=n_jobs)
    with warnings.catch_warnings(record=True) as caught, joblib.parallel_config(backend):
        warnings.simplefilter("always")
        search.fit(X, y)
    good = [params["folder"] is None for params in search.cv_results_["params"]]
    scores = search.cv_results_["mean_test_score"]
    assert np.isnan(scores[~np.array(good)]).all()
    np.testing.assert_allclose(np.sort(scores[good]), [0.01, 0.02, 0.03, 0.04])
    assert search.n_fits_ == 24
    assert sum("12 fits failed" in str(w.message) for w in caught) == 1
    assert any(message in str(w.message) for w in caught)


def test_with_error_score_raise_a_choice_that_cannot_be_pickled_ends_the_search():
    space = {"a": [1, 2], "folder": [Nowhere(), None]}
    with pytest.raises(Exception, match="cannot be pickled anywhere"):
        search_of(Scripted(), 4, space, error_score="raise").fit(X, y)


def test_a_score_that_cannot_be_pickled_is_one_of_a_failed_candidate():
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        search = search_of(Scripted(), 6, scoring=odd_score).fit(X, y)
    scores = search.cv_results_["mean_test_score"]
    assert [p["a"] for p in np.array(search.cv_results_["params"])[np.isnan(scores)]] == [3]
    assert any("the scores cannot be pickled: TypeError: odd" in str(w.message) for w in caught)


def test_an_error_that_cannot_be_unpickled_is_told_all_the_same():
    with pytest.raises(RuntimeError, match="TwoArgumentsError: one and two"):
        search_of(Scripted(act="odd error", on=(1, 2)), 3, error_score="raise").fit(X, y)


def test_large_choices_are_pickled_once(tmp_path):
    choices = [Marked(tmp_path / str(k), 500_000) for k in range(2)]
    search_of(Scripted(), 8, {"a": [1, 2, 3, 4], "seconds": [0.0], "extra": choices}).fit(X, y)
    assert [path.read_text() for path in sorted(tmp_path.iterdir())] == ["pickled\n"] * 2


def test_small_choices_are_sent_with_their_jobs_as_they_are_then():
    choices = [(1,), (2,)]
    search = search_of(Scripted(), 4, {"a": [1, 2], "extra": choices}).fit(X, y)
    assert all(params["extra"] in choices for params in search.cv_results_["params"])


def test_what_a_fit_has_left_is_not_sent_with_the_next(tmp_path):
    search = search_of(Scripted(folder=None, extra=str(tmp_path / "model")), n=4)
    search.fit(X, y)
    assert isinstance(search.best_estimator_.model_, Marked)
    search.fit(X, y)
    assert not (tmp_path / "model").exists()


# -- what is left


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Where searches of this test put what their workers need."""
    monkeypatch.setenv("JOBLIB_TEMP_FOLDER", str(tmp_path / "temporary"))
    return tmp_path / "temporary"


def seen_in(folder, **settings):
    """Return what there was of a search in a folder after each of its candidates."""
    seen = []
    settings = {"n": 4, "callbacks": [lambda progress: seen.append(list(folder.glob("skpg-*")))]}
    quietly(search_of(Scripted(), **settings))
    return seen


def test_a_folder_that_is_not_there_is_made_and_what_is_in_it_removed(folder):
    assert [len(paths) for paths in seen_in(folder)] == [1] * 4
    assert not list(folder.glob("skpg-*"))


def test_the_folder_that_joblib_is_told_of_is_used(folder, tmp_path):
    told = tmp_path / "told"
    with joblib.parallel_config(temp_folder=str(told)):
        assert [len(paths) for paths in seen_in(told)] == [1] * 4
    assert not list(told.glob("skpg-*"))
    assert not list(folder.glob("skpg-*"))


@pytest.mark.skipif(os.name != "posix", reason="reads file modes")
def test_nobody_else_can_read_the_data(folder):
    modes = []
    look = [lambda p: modes.extend(path.stat().st_mode & 0o77 for path in folder.glob("skpg-*"))]
    search_of(Scripted(), n=3, callbacks=look).fit(X, y)
    assert modes == [0] * 3


def test_a_search_that_cannot_be_sent_leaves_nothing(folder):
    with pytest.raises(TypeError, match="this scorer"):
        search_of(Scripted(), n=3, scoring=UnpicklableScorer()).fit(X, y)
    assert not list(folder.glob("skpg-*"))


def mapped():
    """The workers that have a file of a search in their memory."""
    found = set()
    for pid in workers():
        with contextlib.suppress(OSError):
            if "skpg-" in Path(f"/proc/{pid}/maps").read_text():
                found.add(pid)
    return found


@LINUX
def test_idle_workers_let_go_of_the_data():
    during = set()
    search_of(Scripted(), n=6, callbacks=[lambda p: during.update(mapped())]).fit(X, y)
    assert during
    assert wait_until(lambda: not mapped())
    assert during <= workers()  # they live


@LINUX
def test_workers_let_go_of_the_data_of_a_search_that_an_error_has_ended():
    assert wait_until(lambda: not mapped())
    folds = [(np.arange(100), np.arange(100, 150))]
    search = search_of(Scripted(act="raise", on=(0,)), n=1, cv=folds, error_score="raise")
    with pytest.raises(ValueError, match="a=0 fails") as raised:
        search.fit(X, y)
    assert "In the worker:\nTraceback" in raised.value.__notes__[0]
    assert wait_until(lambda: not mapped())


def ignores_interrupts(_):
    return signal.getsignal(signal.SIGINT) is signal.SIG_IGN


def test_workers_of_joblib_still_hear_ctrl_c_after_a_search():
    search_of(Scripted(), n=3).fit(X, y)
    parallel = joblib.Parallel(n_jobs=2)
    assert not any(parallel(joblib.delayed(ignores_interrupts)(k) for k in range(8)))


CHILD = """
import sys
import numpy as np
from skpg import PolicyGradientSearchCV
from tests.estimators import Scripted

X, y = np.zeros((20_000, 10)), np.arange(20_000) % 2
search = PolicyGradientSearchCV(
    Scripted(seconds=0.05), {"a": list(range(1000))}, n_iter=1000, cv=3, n_jobs=int(sys.argv[1])
)
print("begins", flush=True)
search.fit(X, y)
"""


@contextlib.contextmanager
def running_search(n_jobs):
    command = [sys.executable, "-c", CHILD, str(n_jobs)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True
    ) as child:
        assert child.stdout.readline() == b"begins\n"
        try:
            yield child
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)


def check_nothing_is_left(child, folder):
    assert wait_until(lambda: not processes(3, child.pid), 60)
    assert not list(folder.glob("skpg-*"))


@LINUX
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_a_search_that_is_killed_leaves_no_data_and_no_workers(folder, how):
    with running_search(2) as child:
        assert wait_until(lambda: list(folder.glob("skpg-*/task")))
        assert wait_until(lambda: len(processes(1, child.pid)) >= 3)  # two and a tracker
        child.send_signal(how)
        child.wait()
        check_nothing_is_left(child, folder)


@LINUX
def test_the_next_search_removes_what_one_has_left_that_was_killed_with_all_its_processes(folder):
    with running_search(2) as dead:
        assert wait_until(lambda: list(folder.glob("skpg-*/task")))
        os.killpg(dead.pid, signal.SIGKILL)
    (left,) = folder.glob("skpg-*")
    with running_search(2) as alive:
        assert wait_until(lambda: len(list(folder.glob("skpg-*/task"))) == 2)
        for path in folder.glob("skpg-*"):
            os.utime(path, (0, 0))
        search_of(Scripted(), n=3).fit(X, y)
        assert not left.exists()
        assert len(list(folder.glob("skpg-*/task"))) == 1
        assert alive.poll() is None


@LINUX
@pytest.mark.slow
@pytest.mark.parametrize("n_jobs", [1, 2])
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_searches_killed_at_any_moment_leave_no_data_and_no_workers(folder, how, n_jobs):
    rng = random.Random(int(how))
    for _ in range(5):
        with running_search(n_jobs) as child:
            time.sleep(rng.uniform(0, 4))
            child.send_signal(how)
            child.wait()
            check_nothing_is_left(child, folder)
