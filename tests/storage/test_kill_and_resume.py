"""A search that was ended in any way goes on as if it had not been."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import warnings
from pathlib import Path

import joblib
import numpy as np
import pytest
from scipy import stats
from sklearn.neighbors import KNeighborsClassifier

import skpg
from skpg import StorageError
from tests.estimators import Scripted
from tests.storage.searches import X, abort_after, make, n_fits, result, rows_in, y

ROOT = Path(__file__).parents[2]


def kill(tmp_path, n_kills, seed, settings):
    done = subprocess.run(
        [sys.executable, "-m", "tests.storage.killing", str(tmp_path), str(n_kills), str(seed),
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
        (4, {"n_jobs": 1, "evaluation": "stream"}),
        (2, {"n_jobs": 2, "evaluation": "stream", "racing": "optimistic"}),
        (3, {"n_jobs": 1, "scoring": ["accuracy", "neg_log_loss"], "refit": "neg_log_loss"}),
        (3, {"n_jobs": 1, "keep": "predictions"}),
        (3, {"n_jobs": 2, "n_iter": 28, "baseline": True, "confirm": (2, 2)}),
        pytest.param(20, {"n_jobs": 1, "n_iter": 60}, marks=pytest.mark.slow),
        pytest.param(20, {"n_jobs": 2, "n_iter": 60}, marks=[pytest.mark.slow, pytest.mark.long]),
        pytest.param(10, {"n_jobs": 2, "racing": True}, marks=pytest.mark.slow),
        pytest.param(
            20,
            {"n_jobs": 2, "evaluation": "stream", "n_iter": 60},
            marks=[pytest.mark.slow, pytest.mark.long],
        ),
        pytest.param(
            10, {"n_jobs": 2, "evaluation": "stream", "racing": True}, marks=pytest.mark.slow
        ),
    ],
)
def test_killed_at_random_moments_it_ends_as_if_it_had_not_been(tmp_path, n_kills, settings):
    report = kill(tmp_path, n_kills, 0, settings)
    assert report["same"]
    if not settings.get("racing"):
        n_candidates = 24 if "confirm" in settings else settings.get("n_iter", 24)
        assert report["recorded"] == 3 * n_candidates


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
        {"evaluation": "stream"},
        {"evaluation": "stream", "racing": "optimistic", "racing_bound": 1.0},
        {"evaluation": "stream", "racing": True, "racing_bound": 1.0, "learner": None},
        {"evaluation": "stream", "patience": 4},
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


@pytest.mark.parametrize("evaluation", ["batch", "stream", "async"])
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


@pytest.mark.parametrize("evaluation", ["batch", "stream"])
def test_a_timeout_does_not_cut_what_is_known(path, evaluation):
    make(path, n_iter=20, evaluation=evaluation).fit(X, y)
    search = make(path, n_iter=30, timeout=1e-6, evaluation=evaluation).fit(X, y)
    assert search.stop_reason_ == "timeout"
    assert len(search.cv_results_["params"]) == 20


@pytest.mark.parametrize("evaluation", ["batch", "stream"])
def test_callbacks_are_told_what_is_replayed(path, evaluation):
    make(path, n_iter=8, evaluation=evaluation).fit(X, y)
    seen = []
    note = [lambda progress: seen.append(progress.replayed)]
    make(path, callbacks=note, evaluation=evaluation).fit(X, y)
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


@pytest.mark.parametrize("evaluation", ["batch", "stream"])
def test_ctrl_c_and_then_the_same_script(path, evaluation):
    def interrupt(progress):
        if progress.n_candidates == 5:
            signal.raise_signal(signal.SIGINT)

    with joblib.parallel_config("threading"):
        settings = {"estimator": Scripted(seconds=0.005), "n_jobs": 3, "n_iter": 16}
        settings["evaluation"] = evaluation
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


def test_another_proposal_than_the_recorded_one_is_an_error(path):
    make(path).fit(X, y)
    with sqlite3.connect(path) as connection:
        connection.execute(
            "UPDATE scores SET test_score = 0.99 WHERE number = "
            "(SELECT number FROM candidates WHERE iter = 0 ORDER BY score LIMIT 1)"
        )
    with pytest.raises(StorageError, match="as candidate ., but the search now proposes"):
        make(path).fit(X, y)
