"""Warnings point at the line of the user."""

import warnings

import joblib
import pytest
from sklearn.datasets import load_iris
from sklearn.model_selection import KFold, cross_validate
from sklearn.pipeline import Pipeline

from skpg import PolicyGradientSearchCV
from skpg.evaluation.call_stack import warn
from skpg.evaluation.workers.executors import Serial, WorkersLostError
from skpg.integrations.tracking import Record, Tracker
from tests.estimators import Scripted

X, y = load_iris(return_X_y=True)


def search_of(**settings):
    defaults = {"estimator": Scripted(), "n_iter": 4, "cv": 3, "random_state": 0}
    space = {"a": list(range(8))}
    return PolicyGradientSearchCV(param_distributions=space, **(defaults | settings))


class FailingRecord(Record):
    def begin(self, search):
        raise OSError("the disk is full")

    add = end = begin


class FailingTracker(Tracker):
    def _new_record(self):
        return FailingRecord()


def lose_workers(monkeypatch):
    """Let the workers be lost in the second fit, as those of a cluster may be."""
    wait, calls = Serial.wait, []

    def lost(self, seconds):
        calls.append(seconds)
        if len(calls) > 4:
            raise WorkersLostError("the cluster has no workers")
        return wait(self, seconds)

    monkeypatch.setattr(Serial, "wait", lost)


@pytest.mark.parametrize(
    ("words", "settings"),
    [
        ("draws other folds", {"cv": KFold(3, shuffle=True), "storage": "search.db"}),
        ("records nothing more", {"callbacks": [FailingTracker()]}),
        ("whole batches only", {"evaluation": "async", "n_jobs": 2}),
        ("search ends here", {}),
        ("killed their worker", {"estimator": Scripted(act="die", on=(3,)), "n_jobs": 2}),
    ],
)
@pytest.mark.parametrize("around", ["alone", "pipeline"])
def test_warnings_point_at_the_line_that_called_fit(tmp_path, monkeypatch, words, settings, around):
    monkeypatch.chdir(tmp_path)
    if words == "search ends here":
        lose_workers(monkeypatch)
    search = search_of(**settings).set_params(initial_params=[{"a": a} for a in (0, 3)])
    estimator = search if around == "alone" else Pipeline([("search", search)])
    backend = "multiprocessing" if words == "whole batches only" else "loky"
    with joblib.parallel_config(backend), warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        estimator.fit(X, y)
    (warning,) = [warning for warning in caught if words in str(warning.message)]
    assert warning.category is UserWarning
    assert warning.filename == __file__
    with open(__file__) as file:
        assert "estimator.fit(X, y)" in file.readlines()[warning.lineno - 1]


def test_in_a_cross_validation_they_point_at_its_line():
    with pytest.warns(UserWarning, match="records nothing more") as caught:
        cross_validate(search_of(callbacks=[FailingTracker()]), X, y, cv=2)
    assert {warning.filename for warning in caught} == {__file__}


def test_without_a_caller_outside_the_warning_is_shown_nevertheless():
    with pytest.warns(UserWarning, match="lost"), joblib.parallel_config("threading"):
        joblib.Parallel(2)(joblib.delayed(warn)("lost") for _ in range(2))
