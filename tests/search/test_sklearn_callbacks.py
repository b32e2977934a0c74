"""Callbacks of scikit-learn, in this process and in workers."""

import warnings

import numpy as np
import pytest
from sklearn.base import ClassifierMixin
from sklearn.datasets import load_iris
from sklearn.model_selection import RandomizedSearchCV

from skpg import PolicyGradientSearchCV
from tests.estimators import Scripted

pytest.importorskip("sklearn.callback", reason="since scikit-learn 1.9")
# Private: a callback that sends what it hears, and its context, to the process of the search.
helpers = pytest.importorskip("sklearn.callback.tests._utils")

X, y = load_iris(return_X_y=True)


class Nested(ClassifierMixin, helpers.MaxIterEstimator):
    """A classifier that reports to callbacks itself, one task per iteration."""

    def score(self, X, y):
        return self.n_iter_ / 100


def search_of(search_class=PolicyGradientSearchCV, estimator=None, n=6, **settings):
    estimator = Scripted() if estimator is None else estimator
    name = "max_iter" if isinstance(estimator, Nested) else "a"
    defaults = {"n_iter": n, "cv": 3, "random_state": 0}
    return search_class(estimator, {name: list(range(1, n + 1))}, **(defaults | settings))


def root(callback):
    (setup,) = (told for told in callback.record if told["name"] == "setup")
    return setup["context"]


def place(context):
    """The task and those above it."""
    names = []
    while context is not None:
        # a task of an estimator that has taken the place of one of the search says so
        names.append((context.source_task_name or context.task_name, context.task_id))
        context = context.parent
    return str(names)


def heard_and_seen(search, callback):
    """The calls of each hook, and the tree of tasks after the search, in any order."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # not all estimators support callbacks
        search.set_callbacks(callback).fit(X, y)
    heard = sorted((told["name"], place(told["context"])) for told in callback.record)
    seen = sorted(place(task) for task in root(callback))
    # which candidate has how many iterations depends on the order in which they were drawn
    return [[item for item in items if "iteration" not in str(item)] for items in (heard, seen)]


@pytest.mark.parametrize("n_jobs", [1, 2])
@pytest.mark.parametrize(
    "kind", [helpers.RecordingCallback, helpers.RecordingAutoPropagatedCallback]
)
@pytest.mark.parametrize("estimator", [Nested(), Scripted()], ids=["nested", "plain"])
def test_callbacks_hear_and_see_the_same_as_in_a_search_of_scikit_learn(estimator, kind, n_jobs):
    theirs, ours = (
        heard_and_seen(search_of(search_class, estimator, n_jobs=n_jobs), kind())
        for search_class in (RandomizedSearchCV, PolicyGradientSearchCV)
    )
    assert ours[0] == theirs[0]
    assert ours[1] == theirs[1]


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_the_tree_of_tasks_has_a_leaf_for_each_fit(n_jobs):
    callback = helpers.RecordingCallback()
    search = search_of(n=9, n_iter=7, cv=5, n_jobs=n_jobs)
    search.set_callbacks(callback).fit(X, y)
    leaves = [task for task in root(callback) if task.task_name == "candidate-split-evaluation"]
    assert sorted(leaf.task_id for leaf in leaves) == list(range(35))
    assert {leaf.parent.task_name for leaf in leaves} == {"search"}


@pytest.mark.parametrize("n_jobs", [1, 2])
@pytest.mark.parametrize("n_iter", [7, 4])
def test_the_task_of_a_resumed_search_has_the_fits_that_are_left(n_iter, n_jobs, tmp_path):
    settings = {"n": 9, "storage": tmp_path / "search.db", "n_jobs": n_jobs}
    search_of(**settings, n_iter=4).fit(X, y)
    callback = helpers.RecordingCallback()
    search_of(**settings, n_iter=n_iter).set_callbacks(callback).fit(X, y)
    (task,) = (task for task in root(callback) if task.task_name == "search")
    leaves = [task for task in root(callback) if task.task_name == "candidate-split-evaluation"]
    assert task.max_subtasks == len(leaves) == 3 * (n_iter - 4)


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_a_real_progress_bar_of_a_resumed_search_ends_full(n_jobs, tmp_path, capsys):
    module = pytest.importorskip("sklearn.callback")
    pytest.importorskip("rich")
    settings = {"n": 9, "storage": tmp_path / "search.db", "n_jobs": n_jobs}
    for n_iter in (4, 7, 7):
        bar = module.ProgressBar(max_propagation_depth=0)
        search_of(**settings, n_iter=n_iter).set_callbacks(bar).fit(X, y)
        assert "100%" in capsys.readouterr().out


def test_a_fit_that_is_run_again_keeps_its_leaf():
    callback = helpers.RecordingCallback()
    search = search_of(estimator=Scripted(act="die", on=(3,)), n_jobs=2)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        search.set_callbacks(callback).fit(X, y)
    assert np.isfinite(search.cv_results_["mean_test_score"]).sum() == 5
    leaves = [task for task in root(callback) if task.task_name == "candidate-split-evaluation"]
    # folds that were not begun when their candidate was given up have none
    assert 16 <= len(leaves) <= 18


class Stop(helpers.RecordingCallback):
    def on_fit_task_end(self, estimator, context):
        super().on_fit_task_end(estimator, context)
        return context.task_name == "candidate-split-evaluation" and context.task_id == 8


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_a_callback_that_asks_to_stop_in_a_worker_is_heard(n_jobs):
    search = search_of(n=40, n_jobs=n_jobs)
    search.set_callbacks(Stop()).fit(X, y)
    assert search.stop_reason_ == "callback"
    assert len(search.cv_results_["params"]) in (3, 4)


class Narrow(helpers.RecordingCallback):
    """Fails the fit where it sees the tasks of others."""

    def on_fit_task_begin(self, estimator, context):
        if context.task_name == "candidate-split-evaluation":
            tree = context
            while tree.parent is not None:
                tree = tree.parent
            assert [task.task_name for task in tree] == ["fit", "search", context.task_name]
            assert not hasattr(estimator, "best_estimator_")


def test_what_is_sent_with_a_fit_does_not_grow_with_the_search():
    search = search_of(n=20, n_jobs=2).set_callbacks(Narrow())
    for _ in range(2):
        search.fit(X, y)
        assert np.isfinite(search.cv_results_["mean_test_score"]).all()
