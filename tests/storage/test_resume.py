"""A search that was ended in any way goes on as if it had not been."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
import warnings
from importlib import metadata
from pathlib import Path

import joblib
import numpy as np
import pytest
import sklearn
from scipy import stats
from sklearn.datasets import load_iris
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import f1_score, make_scorer
from sklearn.model_selection import KFold, cross_validate
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler

import skpg
from skpg import PolicyGradientSearchCV, StorageError, StudyInUseError
from skpg.learners import NaturalGradient
from tests.estimators import Scripted

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
X, y = load_iris(return_X_y=True)
SPACE = {"a": stats.randint(0, 100), "seconds": [0.0, 0.0001]}


@pytest.fixture
def path(tmp_path):
    return str(tmp_path / "search.db")


def make(path=None, **settings):
    defaults = {
        "estimator": Scripted(),
        "param_distributions": SPACE,
        "n_iter": 12,
        "batch_size": 4,
        "cv": 3,
        "random_state": 0,
        "learner": NaturalGradient(),
        "storage": path,
    }
    return PolicyGradientSearchCV(**(defaults | settings))


def result(search):
    return repr(
        (
            without_times(search.cv_results_),
            search.best_params_,
            search.history_,
            [actor.theta.tobytes() for actor in search.policy_.actors],
            search.n_fits_,
        )
    )


def without_times(results):
    return {
        name: column.tolist() if hasattr(column, "tolist") else column
        for name, column in results.items()
        if "time" not in name
    }


def n_fits(folder):
    return sum(len((folder / name).read_text().splitlines()) for name in os.listdir(folder))


@pytest.fixture
def counted(tmp_path):
    folder = tmp_path / "fits"
    folder.mkdir()
    return folder


def kill(tmp_path, n_kills, seed, settings):
    done = subprocess.run(
        [sys.executable, "-m", "tests.killing", str(tmp_path), str(n_kills), str(seed),
         json.dumps(settings)],
        capture_output=True, text=True, cwd=ROOT, timeout=1500,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout.splitlines()[-1])
    assert report["kills"] == n_kills
    assert report["fitted_again"] == []
    assert report["not_fitted"] == 0
    return report


@pytest.mark.parametrize(
    ("n_kills", "settings"),
    [
        (6, {"n_jobs": 1}),
        (2, {"n_jobs": 2}),
        (3, {"n_jobs": 1, "racing": "optimistic"}),
        (3, {"n_jobs": 1, "scoring": ["accuracy", "neg_log_loss"], "refit": "neg_log_loss"}),
        pytest.param(20, {"n_jobs": 1, "n_iter": 60}, marks=pytest.mark.slow),
        pytest.param(20, {"n_jobs": 2, "n_iter": 60}, marks=pytest.mark.slow),
        pytest.param(10, {"n_jobs": 2, "racing": True}, marks=pytest.mark.slow),
    ],
)
def test_killed_at_random_moments_it_ends_as_if_it_had_not_been(tmp_path, n_kills, settings):
    report = kill(tmp_path, n_kills, 0, settings)
    assert report["same"]
    if not settings.get("racing"):
        assert report["recorded"] == 3 * settings.get("n_iter", 24)


def test_killed_asynchronous_searches_lose_and_repeat_nothing(tmp_path):
    report = kill(tmp_path, 2, 0, {"n_jobs": 2, "evaluation": "async"})
    assert report["recorded"] == 72


class Killed(Scripted):
    """The process that fits it is killed in its fit number `at`, in the middle of a candidate."""

    def __init__(self, a=0, seconds=0.0, folder=None, at=None):
        super().__init__(a=a, seconds=seconds, folder=folder)
        self.at = at

    def fit(self, X, y):
        super().fit(X, y)
        if self.at is not None and n_fits(Path(self.folder)) == self.at:
            os.kill(os.getpid(), signal.SIGKILL)
        return self


def test_an_expensive_fold_is_safe_before_its_candidate_is_finished(path, counted):
    space = {"a": stats.randint(0, 100), "seconds": [0.06, 0.07]}
    settings = {"param_distributions": space, "n_iter": 2, "batch_size": 2, "refit": False}
    estimator = Killed(folder=str(counted), at=6)
    child = os.fork()
    if not child:
        try:
            make(path, estimator=estimator, **settings).fit(X, y)
        finally:
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
    assert rows_in(path) == 5  # the second candidate has two of its three folds
    # the sixth fit was killed and is run again; that process ends itself no more
    make(path, estimator=estimator, **settings).fit(X, y)
    assert n_fits(counted) == 6 + 1


def abort_after(n):
    def callback(progress):
        if progress.n_candidates == n:
            raise OSError("the power is gone")

    return [callback]


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"racing": "optimistic", "racing_bound": 1.0},
        {"racing": True, "racing_bound": 1.0, "return_train_score": True},
        {"scoring": {"b": "neg_log_loss", "a": "accuracy"}, "refit": "a",
         "estimator": KNeighborsClassifier(),
         "param_distributions": {"n_neighbors": stats.randint(1, 99), "p": stats.uniform(1, 2)}},
        {"estimator": Scripted(act="fail", on=tuple(range(0, 100, 3))), "n_iter": 20},
        {"patience": 4},
        {"target_score": 0.9},
    ],
    ids=lambda settings: "-".join(settings) or "plain",
)  # fmt: skip
@pytest.mark.parametrize("n_jobs", [1, 3])
def test_an_aborted_search_goes_on_where_it_ended(path, settings, n_jobs):
    warnings.simplefilter("ignore")
    expected = make(**settings).fit(X, y)
    with joblib.parallel_config("threading"):
        for n in (1, 3, 6):
            if n < len(expected.cv_results_["params"]):
                with pytest.raises(OSError, match="power"):
                    make(path, callbacks=abort_after(n), n_jobs=n_jobs, **settings).fit(X, y)
        search = make(path, n_jobs=n_jobs, **settings).fit(X, y)
    assert result(search) == result(expected)
    assert search.stop_reason_ == expected.stop_reason_


def test_a_finished_search_returns_with_everything_and_fits_only_the_best(path, counted):
    estimator = Scripted(folder=str(counted))
    first = make(path, estimator=estimator).fit(X, y)
    assert n_fits(counted) == 12 * 3 + 1
    again = make(path, estimator=estimator).fit(X, y)
    assert n_fits(counted) == 12 * 3 + 2
    assert result(again) == result(first)
    np.testing.assert_array_equal(
        again.cv_results_["mean_fit_time"], first.cv_results_["mean_fit_time"]
    )
    assert again.predict(X).shape == y.shape


@pytest.mark.parametrize("evaluation", ["batch", "async"])
@pytest.mark.parametrize("n_first", [6, 8])
def test_a_larger_n_iter_continues(path, counted, evaluation, n_first):
    settings = {"estimator": Scripted(folder=str(counted)), "evaluation": evaluation}
    make(path, n_iter=n_first, **settings).fit(X, y)
    before = n_fits(counted)
    search = make(path, n_iter=20, **settings).fit(X, y)
    assert n_fits(counted) == before + (20 - n_first) * 3 + 1
    assert result(search) == result(make(n_iter=20, evaluation=evaluation).fit(X, y))


def test_a_smaller_n_iter_returns_the_first_candidates(path):
    make(path, n_iter=20).fit(X, y)
    assert result(make(path, n_iter=7).fit(X, y)) == result(make(n_iter=7).fit(X, y))
    assert result(make(path, n_iter=20).fit(X, y)) == result(make(n_iter=20).fit(X, y))


def test_what_only_decides_when_to_stop_may_change(path, counted):
    settings = {"estimator": Scripted(folder=str(counted)), "refit": False, "n_iter": 20}
    assert make(path, target_score=0.5, **settings).fit(X, y).stop_reason_ == "target_score"
    assert make(path, timeout=1e-6, **settings).fit(X, y).stop_reason_ == "timeout"
    with joblib.parallel_config("threading"):
        search = make(path, n_jobs=2, verbose=1, patience=50, **settings).fit(X, y)
    assert len(search.cv_results_["params"]) == 20
    assert n_fits(counted) == 60
    assert len(skpg.studies(path)) == 1


def test_a_timeout_does_not_cut_what_is_known(path):
    make(path, n_iter=20).fit(X, y)
    search = make(path, n_iter=30, timeout=1e-6).fit(X, y)
    assert search.stop_reason_ == "timeout"
    assert len(search.cv_results_["params"]) == 20


def test_callbacks_are_told_what_is_replayed(path):
    make(path, n_iter=8).fit(X, y)
    seen = []
    make(path, callbacks=[lambda progress: seen.append(progress.replayed)]).fit(X, y)
    assert seen == [True] * 8 + [False] * 4


def test_an_asynchronous_search_is_replayed_in_its_order(path):
    estimator = Scripted(seconds=0.001)
    with joblib.parallel_config("threading"):
        settings = {"estimator": estimator, "evaluation": "async", "n_jobs": 3, "n_iter": 20}
        space = {"a": stats.randint(0, 100), "seconds": stats.uniform(0, 0.02)}
        settings["param_distributions"] = space
        with pytest.raises(OSError, match="power"):
            make(path, callbacks=abort_after(9), **settings).fit(X, y)
        first = make(path, **settings).fit(X, y)
        again = make(path, **settings).fit(X, y)
    assert len(first.cv_results_["params"]) == 20
    assert result(again) == result(first)


def test_ctrl_c_and_then_the_same_script(path):
    def interrupt(progress):
        if progress.n_candidates == 5:
            signal.raise_signal(signal.SIGINT)

    with joblib.parallel_config("threading"):
        settings = {"estimator": Scripted(seconds=0.005), "n_jobs": 3, "n_iter": 16}
        search = make(path, callbacks=[interrupt], **settings).fit(X, y)
        assert search.stop_reason_ == "interrupted"
        (study,) = skpg.studies(path)
        assert study.n_candidates == len(search.cv_results_["params"]) < 16
        assert result(make(path, **settings).fit(X, y)) == result(make(**settings).fit(X, y))


def test_candidates_that_were_given_up_are_not_tried_again(path, counted):
    estimator = Scripted(act="sleep", on=tuple(range(0, 100, 2)), folder=str(counted))
    settings = {"estimator": estimator, "candidate_timeout": 0.2, "n_iter": 8}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        first = make(path, **settings).fit(X, y)
        before = n_fits(counted)
        again = make(path, **settings).fit(X, y)
    assert np.isnan(first.cv_results_["mean_test_score"]).any()
    assert result(again) == result(first)
    assert n_fits(counted) == before + 1
    rows = sqlite3.connect(path).execute("SELECT DISTINCT status FROM folds").fetchall()
    # also the fold that was ended itself, and not those only that were not run any more
    assert {status for (status,) in rows} == {"ok", "timeout"}


def test_candidates_that_killed_their_worker_are_named_again(path):
    settings = {"estimator": Scripted(act="die", on=(7,)), "n_jobs": 2, "n_iter": 4, "refit": False}
    settings["initial_params"] = [{"a": a, "seconds": 0.0} for a in (1, 2, 7)]
    for _ in range(2):
        with pytest.warns() as caught:
            make(path, **settings).fit(X, y)
        assert sum("killed their worker" in str(w.message) for w in caught) == 1


# --- one file for many searches


def test_nested_cross_validation_makes_one_study_per_fold(path, counted):
    search = make(path, estimator=Scripted(folder=str(counted)))
    outer = KFold(3, shuffle=True, random_state=0)
    first = cross_validate(search, X, y, cv=outer, return_estimator=True)
    assert [study.n_candidates for study in skpg.studies(path)] == [12, 12, 12]
    rows = (
        sqlite3.connect(path)
        .execute("SELECT study_id, count(*) FROM folds GROUP BY study_id")
        .fetchall()
    )
    assert rows == [(1, 36), (2, 36), (3, 36)]
    assert n_fits(counted) == 3 * (36 + 1)
    second = cross_validate(search, X, y, cv=outer, return_estimator=True)
    assert n_fits(counted) == 3 * (36 + 2)
    assert len(skpg.studies(path)) == 3
    for one, other in zip(first["estimator"], second["estimator"], strict=True):
        assert result(one) == result(other)


@pytest.mark.parametrize("backend", ["threading", "loky"])
def test_many_studies_at_the_same_time(path, backend):
    with joblib.parallel_config(backend, n_jobs=3):
        outer = cross_validate(make(path), X, y, cv=6, return_estimator=True)
    alone = cross_validate(make(), X, y, cv=6, return_estimator=True)
    for one, other in zip(outer["estimator"], alone["estimator"], strict=True):
        assert result(one) == result(other)
    assert [study.n_candidates for study in skpg.studies(path)] == [12] * 6


SECOND = """
import sys
from tests.test_resume import X, make, y
from tests.estimators import Scripted
from skpg import StudyInUseError

if __name__ == "__main__":
    try:
        make(sys.argv[1], study_name=sys.argv[2] or None).fit(X, y)
    except StudyInUseError as error:
        print(error)
    else:
        print("done")
"""


def second_process(tmp_path, path, name=""):
    script = tmp_path / "second.py"
    script.write_text(SECOND)
    done = subprocess.run(
        [sys.executable, str(script), path, name],
        capture_output=True, text=True, env={**os.environ, "PYTHONPATH": ROOT}, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_second_search_on_a_study_is_refused_at_once(tmp_path, path):
    """In another process, in another thread; not after the first has ended."""
    said = []

    def meanwhile(progress):
        if progress.n_candidates == 5:
            said.append(second_process(tmp_path, path))
            said.append(second_process(tmp_path, path, "another"))
            with pytest.raises(StudyInUseError, match="Study 1 in .* is in use"):
                make(path).fit(X, y)

    make(path, callbacks=[meanwhile]).fit(X, y)
    assert "Study 1 in" in said[0]
    assert "is in use" in said[0]
    assert said[1] == "done\n"
    assert second_process(tmp_path, path) == "done\n"


def test_the_lock_dies_with_its_process(tmp_path, path):
    child = os.fork()
    if not child:
        try:
            make(path, callbacks=[lambda _: time.sleep(600)]).fit(X, y)
        finally:
            os._exit(1)
    try:
        while not os.path.exists(path) or not rows_in(path):
            assert os.waitpid(child, os.WNOHANG) == (0, 0)
            time.sleep(0.01)
        with pytest.raises(StudyInUseError):
            make(path).fit(X, y)
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    assert result(make(path).fit(X, y)) == result(make().fit(X, y))


def rows_in(path):
    try:
        return sqlite3.connect(path).execute("SELECT count(*) FROM folds").fetchone()[0]
    except sqlite3.OperationalError:
        return 0


def test_threads_of_one_process_do_not_lose_each_others_locks(path):
    """POSIX drops all locks on a file when one descriptor of it is closed."""
    started, ended = threading.Event(), threading.Event()

    def wait(progress):
        started.set()
        assert ended.wait(60)

    thread = threading.Thread(
        target=make(path, study_name="one", callbacks=[wait]).fit, args=(X, y)
    )
    thread.start()
    try:
        assert started.wait(60)
        make(path, study_name="two").fit(X, y)  # opens and closes the same files
        child = os.fork()
        if not child:
            try:
                make(path, study_name="one").fit(X, y)
            except StudyInUseError:
                os._exit(0)
            os._exit(1)
        assert os.waitpid(child, 0)[1] == 0
    finally:
        ended.set()
        thread.join()


# --- what makes a search the same


def other_y():
    changed = y.copy()
    changed[0] = 2
    return changed


class Other(Scripted):
    """The same parameters."""


CHANGES = {
    "y": {"y": other_y()},
    "X": {"X": X + np.eye(150, 4)},
    "the estimator's seconds": {"estimator": Scripted(seconds=1e-5)},
    "the estimator": {"estimator": Other()},
    "scoring": {"scoring": "accuracy"},
    "param_distributions['seconds']": {"param_distributions": {**SPACE, "seconds": [0.0, 0.0002]}},
    "param_distributions['a']": {"param_distributions": {**SPACE, "a": stats.randint(0, 101)}},
    "the folds": {"cv": KFold(3, shuffle=True, random_state=0)},
    "learner": {"learner": NaturalGradient(0.5)},
    "batch_size": {"batch_size": 5},
    "random_state": {"random_state": 1},
    "error_score": {"error_score": 0.0},
    "return_train_score": {"return_train_score": True},
    "initial_params": {"initial_params": [{"a": 3, "seconds": 0.0}]},
    "racing": {"racing": "optimistic"},
    "candidate_timeout": {"candidate_timeout": 9},
    "evaluation": {"evaluation": "async"},
    "fit parameter 'sample_weight'": {"sample_weight": np.ones(150)},
}


@pytest.mark.filterwarnings("ignore:The scoring:UserWarning")  # Scripted takes no weights
@pytest.mark.parametrize("part", CHANGES)
def test_a_named_study_refuses_another_search_and_names_the_change(path, part):
    settings = {"study_name": "mine", "n_iter": 2, "cv": KFold(3)}
    make(path, **settings).fit(X, y)
    before = sqlite3.connect(path).execute("SELECT * FROM studies").fetchall()
    change = dict(CHANGES[part])
    data = {"X": change.pop("X", X), "y": change.pop("y", y)}
    weight = {"sample_weight": change.pop("sample_weight")} if "sample_weight" in change else {}
    with pytest.raises(StorageError, match="Study 'mine'") as error:
        make(path, **(settings | change)).fit(**data, **weight)
    named = str(error.value).partition("Not the same: ")[2].partition(". Undo")[0].split(", ")
    assert part in named
    assert named == [part]
    assert sqlite3.connect(path).execute("SELECT * FROM studies").fetchall() == before


def test_without_a_name_another_search_has_a_study_of_its_own(path):
    make(path).fit(X, y)
    make(path).fit(X, other_y())
    make(path, scoring="accuracy").fit(X, y)
    assert [study.n_candidates for study in skpg.studies(path)] == [12, 12, 12]


def test_the_same_numbers_of_another_type_are_another_search(path):
    for numbers in ([1, 2, 3], [1.0, 2.0, 3.0]):
        space = {"a": stats.rv_discrete(values=(numbers, np.full(3, 1 / 3)))}
        make(path, param_distributions=space).fit(X, y)
    assert [study.n_candidates for study in skpg.studies(path)] == [3, 3]


class Counting:
    """Counts its calls, as a scorer or as a callback of a booster."""

    def __init__(self):
        self.n_calls = 0

    def __call__(self, estimator, X, y):
        self.n_calls += 1
        return estimator.a / 100

    def __sklearn_clone__(self):
        return self


class Calling(Scripted):
    """Calls what its `fit` is given."""

    def fit(self, X, y, callbacks=()):
        for callback in callbacks:
            callback(self, X, y)
        return super().fit(X, y)


def test_a_fit_that_changes_its_own_scorer_is_warned_of(path, counted):
    settings = {"estimator": Scripted(folder=str(counted)), "n_iter": 4, "refit": False}
    search = make(path, scoring=Counting(), **settings).fit(X, y)
    with pytest.warns(UserWarning, match=r"study 1 in .* differs only in: scoring\. An earlier"):
        search.set_params(n_iter=8).fit(X, y)
    assert [study.n_candidates for study in skpg.studies(path)] == [4, 8]
    before = n_fits(counted)
    # what the warning advises
    make(path, scoring=Counting(), **{**settings, "n_iter": 8}).fit(X, y)
    assert n_fits(counted) == before + 4 * 3
    assert len(skpg.studies(path)) == 2


@pytest.mark.parametrize("act", ["aborted", "scored again"])
def test_the_warning_comes_whatever_happened_since(path, act):
    scorer = Counting()
    if act == "aborted":
        with pytest.raises(OSError, match="power"):
            make(path, scoring=scorer, callbacks=abort_after(3)).fit(X, y)
    else:
        make(path, scoring=scorer).fit(X, y).score(X, y)
    with pytest.warns(UserWarning, match="differs only in: scoring"):
        make(path, scoring=scorer).fit(X, y)


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_a_fit_that_changes_a_parameter_of_fit_is_warned_of(path, n_jobs):
    callbacks = [Counting()]
    search = make(path, estimator=Calling(), n_jobs=n_jobs, n_iter=2)
    search.fit(X, y, callbacks=callbacks)  # of workers only the refit changes it here
    with pytest.warns(UserWarning, match="differs only in: fit parameter 'callbacks'"):
        search.fit(X, y, callbacks=callbacks)


def test_a_named_study_says_that_a_fit_has_changed_its_scorer(path):
    search = make(path, study_name="mine", scoring=Counting()).fit(X, y)
    words = "Not the same: scoring. .* An earlier fit has changed scoring: to go on"
    with pytest.raises(StorageError, match=words):
        search.fit(X, y)


def test_nobody_is_warned_of_what_was_changed_on_purpose(path):
    """Warnings are errors here."""
    scorer = Counting()
    search = make(path, scoring=scorer, n_iter=2).fit(X, y)
    for change in ({"batch_size": 5}, {"random_state": 1}, {"estimator__seconds": 1e-5}):
        search.set_params(**change).fit(X, y)
    search.set_params(scoring="accuracy", param_distributions={"a": [1, 2, 3]}).fit(X, y)
    other = path + "-other"
    random_state = np.random.RandomState(0)
    for scoring in ("accuracy", make_scorer(f1_score, average="macro"), None):
        make(other, scoring=scoring, n_iter=2, random_state=random_state).fit(X, y)
    cross_validate(make(other, scoring=scorer, n_iter=2), X, y, cv=3)
    assert len(skpg.studies(path)) == 5
    assert len(skpg.studies(other)) == 6


def test_an_int_a_seed_once_drawn_and_a_random_state(path):
    none = make(path, random_state=None).fit(X, y)
    assert result(make(path, random_state=None).fit(X, y)) == result(none)
    other = make(path, random_state=None, study_name="other").fit(X, y)
    assert result(other) != result(none)
    seed = next(s.seed for s in skpg.studies(path) if s.study_name == "other")
    assert result(make(random_state=seed).fit(X, y)) == result(other)

    expected = make(random_state=np.random.RandomState(5)).fit(X, y)
    for _ in range(2):
        random_state = np.random.RandomState(5)
        search = make(path, random_state=random_state).fit(X, y)
        assert result(search) == result(expected)
    assert result(make(path, random_state=random_state).fit(X, y)) != result(expected)
    assert len(skpg.studies(path)) == 4


ON_DEVICES = """
import sys
import array_api_strict as xp
import sklearn
from scipy import stats
from sklearn.datasets import load_diabetes
from sklearn.linear_model import Ridge
import skpg

if __name__ == "__main__":
    space = {"alpha": stats.loguniform(0.1, 10)}
    search = skpg.PolicyGradientSearchCV(
        Ridge(solver="svd"), space, n_iter=4, cv=3, random_state=0, storage=sys.argv[1]
    )
    with sklearn.config_context(array_api_dispatch=True):
        for name in ("CPU_DEVICE", "device1", "device2"):
            device = xp.Device(name)
            data = load_diabetes(return_X_y=True)
            search.fit(*(xp.asarray(array, device=device) for array in data))
            assert search.best_estimator_.coef_.device == device
    print(len(skpg.studies(sys.argv[1])))
"""


@pytest.mark.skipif(
    tuple(map(int, sklearn.__version__.split(".")[:2])) < (1, 7),
    reason="scikit-learn 1.6 needs another package for it",
)
def test_data_on_another_device_are_the_same_data(tmp_path, path):
    pytest.importorskip("array_api_strict")
    script = tmp_path / "devices.py"
    script.write_text(ON_DEVICES)
    done = subprocess.run(
        [sys.executable, str(script), path], capture_output=True, text=True, timeout=300,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "SCIPY_ARRAY_API": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout == "1\n"


def test_tensors_find_their_study_again(path, counted):
    torch = pytest.importorskip("torch")
    settings = {"estimator": Scripted(folder=str(counted)), "cv": KFold(3)}
    for _ in range(2):
        make(path, **settings).fit(torch.tensor(X), y)
    assert n_fits(counted) == 12 * 3 + 2
    assert len(skpg.studies(path)) == 1


def test_a_splitter_without_seed_is_warned_of(path):
    with pytest.warns(UserWarning, match="Give it a random_state"):
        make(path, cv=KFold(3, shuffle=True)).fit(X, y)


def test_another_proposal_than_the_recorded_one_is_an_error(path):
    make(path).fit(X, y)
    with sqlite3.connect(path) as connection:
        connection.execute(
            "UPDATE scores SET test_score = 0.99 WHERE number = "
            "(SELECT number FROM candidates WHERE iter = 0 ORDER BY score LIMIT 1)"
        )
    with pytest.raises(StorageError, match="as candidate ., but the search now proposes"):
        make(path).fit(X, y)


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


def test_a_copy_of_the_sources_can_be_used_without_installing_it(path, monkeypatch):
    monkeypatch.setattr(metadata.Distribution, "discover", lambda **_: iter(()))
    make(path, n_iter=2).fit(X, y)
    assert skpg.studies(path)[0].versions["skpg"] == skpg.__version__


def test_a_name_needs_a_storage():
    with pytest.raises(ValueError, match="study_name='mine' needs a storage"):
        make(study_name="mine").fit(X, y)


def test_bad_input_leaves_no_study(path):
    make(path, n_iter=2).fit(X, y)
    for settings in ({"initial_params": [{"a": 1}]}, {"racing": True}):
        with pytest.raises(ValueError, match="Expected values for|racing_bound"):
            make(path, **settings).fit(X, y)
    assert len(skpg.studies(path)) == 1
