"""Studies with and without names, and warnings where one is not found."""

from importlib import metadata

import numpy as np
import pytest
from sklearn.metrics import f1_score, make_scorer
from sklearn.model_selection import cross_validate

import skpg
from skpg import StorageError
from tests.estimators import Scripted
from tests.storage.searches import X, abort_after, make, n_fits, y


def test_a_name_needs_a_storage():
    with pytest.raises(ValueError, match="study_name='mine' needs a storage"):
        make(study_name="mine").fit(X, y)


def test_bad_input_leaves_no_study(path):
    make(path, n_iter=2).fit(X, y)
    for settings in ({"initial_params": [{"b": 1}]}, {"racing": True}):
        with pytest.raises(ValueError, match="Expected values for|racing_bound"):
            make(path, **settings).fit(X, y)
    assert len(skpg.studies(path)) == 1


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


def test_a_copy_of_the_sources_can_be_used_without_installing_it(path, monkeypatch):
    monkeypatch.setattr(metadata.Distribution, "discover", lambda **_: iter(()))
    make(path, n_iter=2).fit(X, y)
    assert skpg.studies(path)[0].versions["skpg"] == skpg.__version__
