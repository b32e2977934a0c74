"""What a search prints with verbose=1: lines in a log, one line on a terminal."""

import contextlib
import os
import re
import threading
import warnings

import numpy as np
import pytest
from scipy.stats import randint, uniform
from sklearn.datasets import load_iris

from skpg import PolicyGradientSearchCV
from skpg.evaluation.stopping import Progress
from skpg.evaluation.terminal import ProgressLines
from skpg.evaluation.wording import STOP_REASONS
from tests.estimators import Scripted

X, y = load_iris(return_X_y=True)
NUMBERED = re.compile(r" *(\d+)/(\d+), ")


def search(**settings):
    space = {"a": list(range(100)), "seconds": uniform(1e-7, 1e-6)}
    made = PolicyGradientSearchCV(
        Scripted(a=500), space, n_iter=25, cv=2, random_state=0, verbose=1
    )
    return made.set_params(**settings)


def printed(capsys, **settings):
    """The fitted search and its lines about candidates."""
    fitted = search(**settings).fit(X, y)
    lines = capsys.readouterr().out.splitlines()
    return fitted, [line for line in lines if not line.startswith("Fitting")]


def numbers(lines):
    return [int(match[1]) for line in lines if (match := NUMBERED.match(line))]


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, [10, 20, 25]),
        ({"evaluation": "stream", "batch_size": 3}, [10, 20, 25]),
        ({"evaluation": "batch", "batch_size": 7}, [7, 14, 21, 25]),
        ({"batch_size": 7, "n_iter": 14}, [7, 14]),
        ({"n_iter": 3}, [3]),
        ({"n_iter": 1}, [1]),
    ],
)
def test_there_is_a_line_for_each_batch_or_ten_candidates_and_for_the_rest(
    capsys, settings, expected
):
    _, lines = printed(capsys, **settings)
    assert numbers(lines) == expected
    assert len(lines) == len(expected)


@pytest.mark.parametrize("n_jobs", [1, 2])
@pytest.mark.parametrize("evaluation", ["batch", "stream", "async"])
def test_a_line_has_the_best_score_and_the_best_candidate_if_it_is_new(capsys, evaluation, n_jobs):
    from joblib import parallel_config

    with parallel_config("threading"):
        fitted, lines = printed(capsys, evaluation=evaluation, n_jobs=n_jobs)
    best = np.maximum.accumulate(fitted.cv_results_["mean_test_score"])
    told = 0.0
    for line, n in zip(lines, numbers(lines), strict=True):
        assert line.startswith(f"{n:2}/25, best {best[n - 1]:.4f}")
        assert ("; new best: a=" in line) is bool(best[n - 1] > told)
        if best[n - 1] > told:
            assert f"; new best: a={100 * best[n - 1]:.0f}, seconds=" in line
        told = best[n - 1]
    assert all("left" in line for line in lines[:-1])
    assert "left" not in lines[-1]


def test_without_verbose_nothing_is_printed(capsys):
    assert printed(capsys, verbose=0)[1] == []


def test_failures_are_counted_and_have_no_score(capsys):
    failing = Scripted(act="fail", on=tuple(range(100)))
    with pytest.raises(ValueError, match="All the 20 fits failed"):
        search(estimator=failing, n_iter=10).fit(X, y)
    assert "10/10, no score yet, 10 failed\n" in capsys.readouterr().out
    some = Scripted(act="fail", on=tuple(range(50)))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fitted, lines = printed(capsys, estimator=some)
    n_failed = np.isnan(fitted.cv_results_["mean_test_score"]).sum()
    assert n_failed > 0
    assert f", {n_failed} failed" in lines[-1]


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"patience": 3}, "patience"),
        ({"target_score": 0.0}, "target_score"),
        ({"timeout": 1e-9}, "timeout"),
        ({"callbacks": [lambda progress: progress.n_candidates == 4]}, "callback"),
        ({"param_distributions": {"a": [1, 2, 3]}}, "exhausted"),
    ],
)
def test_the_last_line_says_why_a_search_ended_early(capsys, settings, reason):
    fitted, lines = printed(capsys, **settings)
    assert fitted.stop_reason_ == reason
    assert lines[-1] == f"The search ends here: {STOP_REASONS[reason]}."
    assert numbers(lines)[-1] == len(fitted.cv_results_["params"])


@pytest.mark.parametrize("evaluation", ["batch", "stream", "async"])
def test_candidates_of_an_earlier_run_have_one_line_together(tmp_path, capsys, evaluation):
    settings = {"storage": tmp_path / "s.db", "evaluation": evaluation, "batch_size": 4}
    printed(capsys, **settings, n_iter=23)
    _, lines = printed(capsys, **settings, n_iter=33)
    assert lines[0] == "23 candidates are known from an earlier run"
    assert numbers(lines) == ([23, 24, 28, 32, 33] if evaluation == "batch" else [23, 30, 33])
    assert "; new best: " in lines[1]
    assert "left" not in lines[1]
    _, lines = printed(capsys, **settings, n_iter=20)
    assert numbers(lines) == [20]


def progress(n, **fields):
    given = {
        "params": {"a": n}, "score": 0.5, "n_candidates": n, "n_iter": 100,
        "best_params": {"a": 1}, "best_score": 0.5, "n_since_best": n - 1, "elapsed": 1.0 * n,
        "status": "complete", "fold_scores": (0.5,), "seconds": 1.0, "replayed": False,
    }  # fmt: skip
    return Progress(**(given | fields))


@pytest.mark.parametrize(
    ("timeout", "n_replayed", "n", "left"),
    [
        (None, 0, 20, "1 min 20 s"),
        (None, 10, 20, "2 min 40 s"),
        (1000, 0, 20, "1 min 20 s"),
        (60, 0, 20, "40 s"),
        (5, 0, 20, "0.0 s"),
    ],
)
def test_the_time_that_is_left_is_estimated_from_this_run(capsys, timeout, n_replayed, n, left):
    lines = ProgressLines(100, every=20, timeout=timeout, mode="plain")
    for k in range(1, n + 1):
        known = k <= n_replayed
        lines(progress(k, replayed=known, elapsed=0.0 if known else 1.0 * k))
    assert f", about {left} left" in capsys.readouterr().out.splitlines()[-1]


def on_terminal(run):
    """What was written to a real terminal while a function ran."""
    controller, ours = os.openpty()
    written = []

    def listen():
        with contextlib.suppress(OSError):  # closed
            while part := os.read(controller, 1000):
                written.append(part)

    listener = threading.Thread(target=listen)
    listener.start()
    with os.fdopen(ours, "w") as stdout, contextlib.redirect_stdout(stdout):
        run()
    listener.join()
    os.close(controller)
    return b"".join(written).decode().replace("\r\n", "\n")


def shown(text):
    """The lines as they stand on a terminal in the end."""
    screen = []
    for line in text.split("\n"):
        cells = ""
        for part in line.split("\r"):
            cells = part + cells[len(part) :]
        screen.append(cells.rstrip())
    return screen


def test_on_a_terminal_there_is_one_line_that_is_written_anew_with_each_candidate(monkeypatch):
    monkeypatch.setenv("COLUMNS", "50")
    fitted = search(patience=20, n_iter=60)
    text = on_terminal(lambda: fitted.fit(X, y))
    n = len(fitted.cv_results_["params"])
    assert sorted(set(numbers(text.replace("\r", "\n").split("\n")))) == list(range(1, n + 1))
    screen = shown(text)
    assert len(screen) == 4
    assert screen[1].startswith(f"{n}/60, best {fitted.best_score_:.4f}")
    assert f"; best: a={fitted.best_params_['a']}" in screen[1]
    assert screen[2:] == [f"The search ends here: {STOP_REASONS['patience']}.", ""]
    assert max(len(part) for part in text.split("\n")[1].split("\r")) == 49


def test_other_lines_do_not_mix_with_the_live_one():
    given = search(n_iter=2, initial_params=[{"a": 7, "seconds": 2e-7}], estimator__a=3)
    screen = shown(on_terminal(lambda: given.fit(X, y)))
    assert screen[1] == "The estimator as it is (a=3; others at their medians): 0.0300"
    assert screen[2].startswith("2/2, best 0.0700; best: a=7")
    assert screen[3:] == [""]


def test_what_callbacks_print_stands_above_the_live_line():
    def note(progress):
        print("so far", progress.n_candidates)

    text = on_terminal(lambda: search(n_iter=5, callbacks=[note]).fit(X, y))
    screen = shown(text)
    assert screen[0].startswith("Fitting")
    assert screen[1:6] == [f"so far {n}" for n in range(1, 6)]
    assert screen[6].startswith("5/5, best ")
    assert screen[7:] == [""]
    assert set(numbers(text.replace("\r", "\n").split("\n"))) == {1, 2, 3, 4, 5}


def test_a_message_of_a_fit_is_written_over_the_live_line():
    message = "a message that is longer than the live line was, as those of warnings are " * 2

    def score(estimator, X, y):
        print(message)
        return estimator.a / 100

    screen = shown(on_terminal(lambda: search(n_iter=5, scoring=score).fit(X, y)))
    assert screen[1:11] == [message.rstrip()] * 10
    assert screen[11].startswith("5/5, best ")
    assert screen[12:] == [""]


def test_beside_a_progress_bar_there_are_plain_lines():
    progress = pytest.importorskip("rich.progress")
    console = pytest.importorskip("rich.console").Console

    def run():
        with progress.Progress(console=console(force_terminal=True)):
            search().fit(X, y)

    text = on_terminal(run)
    assert text.count("/25, best") == 3


def test_an_error_ends_the_live_line():
    def fail(progress):
        if progress.n_candidates == 2:
            raise RuntimeError("mine")

    def run():
        with pytest.raises(RuntimeError, match="mine"):
            search(callbacks=[fail]).fit(X, y)

    screen = shown(on_terminal(run))
    assert screen[1].startswith(" 1/25, best")
    assert screen[2:] == [""]


def test_with_messages_of_each_fit_a_terminal_has_plain_lines():
    text = on_terminal(lambda: search(verbose=2, n_iter=2).fit(X, y))
    assert "\r" not in text
    assert numbers(text.split("\n")) == [2]


def test_a_line_is_not_longer_than_the_values_of_a_candidate_allow(capsys):
    space = {"a": randint(1, 9), "extra": ["x" * 500, "y" * 500]}
    _, lines = printed(capsys, param_distributions=space, n_iter=3)
    assert max(map(len, lines)) < 120
