"""The best candidates again, on fresh splits."""

from typing import ClassVar

import numpy as np
import pytest
from scipy.stats import randint
from sklearn.base import clone
from sklearn.datasets import load_diabetes, load_iris
from sklearn.exceptions import FitFailedWarning
from sklearn.model_selection import (
    GroupKFold,
    GroupShuffleSplit,
    KFold,
    LeaveOneGroupOut,
    LeaveOneOut,
    PredefinedSplit,
    RepeatedStratifiedKFold,
    ShuffleSplit,
    StratifiedKFold,
    TimeSeriesSplit,
    cross_val_score,
)
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

import skpg
from skpg import PolicyGradientSearchCV
from tests.estimators import Scripted

X, y = load_iris(return_X_y=True)
GROUPS = np.arange(150) % 12
X_NUMBERS, NUMBERS = (part[::3] for part in load_diabetes(return_X_y=True))
TREE = DecisionTreeClassifier(random_state=0)
SPACE = {"max_depth": randint(1, 9), "min_samples_leaf": randint(1, 30)}


def search(estimator=TREE, space=SPACE, **settings):
    settings = {"n_iter": 16, "random_state": 0, "confirm": (3, 2), **settings}
    return PolicyGradientSearchCV(estimator, space, **settings)


def fresh_scores(results):
    return np.array([results[name] for name in results if name.startswith("split")]).T


@pytest.mark.parametrize(("k", "r"), [(1, 1), (1, 3), (3, 2), (6, 1)])
def test_the_best_are_scored_on_fresh_folds_and_fits_are_counted(k, r):
    found = search(confirm=(k, r)).fit(X, y)
    assert len(found.cv_results_["params"]) == 16 - k * r
    results = found.confirm_results_
    means = found.cv_results_["mean_test_score"]
    folds = np.array([found.cv_results_[f"split{j}_test_score"] for j in range(5)]).T
    order, seen = [], []
    for i in np.argsort(-means, kind="stable"):
        if folds[i].tolist() not in seen:  # else the same model
            order.append(i)
            seen.append(folds[i].tolist())
    np.testing.assert_array_equal(results["index"], order[: len(results["index"])])
    k = min(k, len(order))
    assert len(results["index"]) == k
    assert results["params"] == [found.cv_results_["params"][i] for i in results["index"]]
    fresh = fresh_scores(results)
    assert fresh.shape == (k, 5 * r)
    assert found.n_fits_ == 5 * (len(means) + k * r)
    np.testing.assert_allclose(results["mean_test_score"], fresh.mean(axis=1))
    np.testing.assert_allclose(results["std_test_score"], fresh.std(axis=1))
    pooled = (means[results["index"]] + r * fresh.mean(axis=1)) / (1 + r)
    np.testing.assert_allclose(results["pooled_mean_test_score"], pooled)
    assert results["rank_test_score"][pooled.argmax()] == 1
    assert found.best_index_ == results["index"][pooled.argmax()]
    assert found.best_params_ == found.cv_results_["params"][found.best_index_]
    assert found.best_score_ == means[found.best_index_]
    assert found.best_estimator_.get_params()["max_depth"] == found.best_params_["max_depth"]


def test_the_first_candidates_are_those_of_a_search_without():
    with_it, without = search().fit(X, y), search(confirm=None).fit(X, y)
    assert with_it.cv_results_["params"] == without.cv_results_["params"][:10]


def test_another_candidate_may_be_the_best():
    found = search(DecisionTreeRegressor(random_state=0), n_iter=60, confirm=(5, 4))
    found.fit(X_NUMBERS, NUMBERS)
    results = found.confirm_results_
    assert found.best_index_ != results["index"][0]
    assert found.cv_results_["rank_test_score"][found.best_index_] > 1


def test_fresh_scores_are_those_of_shuffled_folds():
    class Noted(KFold):
        seeds: ClassVar[list] = []

        def split(self, X, y=None, groups=None):
            self.seeds.append((self.shuffle, self.random_state))
            return super().split(X, y, groups)

    found = search(cv=Noted(4)).fit(X_NUMBERS, NUMBERS > 150)
    first, second = dict.fromkeys(Noted.seeds[1:])
    assert first[0]
    assert second[0]
    assert first[1] != second[1]
    fresh = fresh_scores(found.confirm_results_)
    tree = clone(TREE).set_params(**found.confirm_results_["params"][0])
    expected = [
        cross_val_score(tree, X_NUMBERS, NUMBERS > 150, cv=KFold(4, shuffle=True, random_state=s))
        for s in (first[1], second[1])
    ]
    np.testing.assert_array_equal(fresh[0], np.concatenate(expected))


@pytest.mark.parametrize("n_jobs", [1, 2])
@pytest.mark.parametrize(
    "cv", [5, StratifiedKFold(3, shuffle=True, random_state=1), ShuffleSplit(4, random_state=0)]
)
def test_it_is_the_same_each_time(cv, n_jobs):
    one = search(cv=cv).fit(X, y).confirm_results_
    two = search(cv=cv, n_jobs=n_jobs).fit(X, y).confirm_results_
    np.testing.assert_array_equal(fresh_scores(one), fresh_scores(two))


def test_another_seed_of_the_search_has_other_splits():
    settings = {"space": {"max_depth": [3]}, "n_iter": 2, "confirm": (1, 1)}
    one, two = (search(random_state=seed, **settings).fit(X, y) for seed in (0, 1))
    assert fresh_scores(one.confirm_results_).tolist() != (
        fresh_scores(two.confirm_results_).tolist()
    )


@pytest.mark.parametrize(
    "cv",
    [
        TimeSeriesSplit(3),
        PredefinedSplit(np.arange(150) % 3),
        list(KFold(3).split(X)),
        LeaveOneGroupOut(),
        GroupKFold(12, shuffle=True, random_state=0),
    ],
)
def test_splitters_without_fresh_splits_are_refused(cv):
    with pytest.raises(ValueError, match=r"confirm needs fresh splits.* as confirm_cv"):
        search(cv=cv).fit(X, y, **({"groups": GROUPS} if "Group" in type(cv).__name__ else {}))


def test_leave_one_out_is_refused():
    with pytest.raises(ValueError, match="confirm needs fresh splits"):
        search(cv=LeaveOneOut()).fit(X[::10], y[::10])


def test_other_splits_can_be_given():
    found = search(cv=TimeSeriesSplit(3), confirm=(2, 1), confirm_cv=KFold(4)).fit(X, y)
    tree = clone(TREE).set_params(**found.confirm_results_["params"][1])
    random = np.random.SeedSequence([0, 0]).generate_state(1)[0]
    folds = KFold(4, shuffle=True, random_state=random)
    expected = cross_val_score(tree, X, y, cv=folds)
    np.testing.assert_array_equal(fresh_scores(found.confirm_results_)[1], expected)
    only = list(KFold(4).split(X))
    found = search(cv=TimeSeriesSplit(3), confirm=(2, 1), confirm_cv=only).fit(X, y)
    expected = cross_val_score(tree, X, y, cv=only)
    np.testing.assert_array_equal(fresh_scores(found.confirm_results_)[1], expected)
    with pytest.raises(ValueError, match="confirm_cv=.* does not have 2 different splits"):
        search(cv=TimeSeriesSplit(3), confirm_cv=only).fit(X, y)


def test_groups_are_passed_on():
    for cv in (GroupShuffleSplit(3, random_state=0), GroupKFold(4)):
        if isinstance(cv, GroupKFold) and not hasattr(cv, "shuffle"):
            continue
        found = search(cv=cv).fit(X, y, groups=GROUPS)
        assert np.isfinite(fresh_scores(found.confirm_results_)).all()


def test_repeated_splitters_have_others():
    found = search(cv=RepeatedStratifiedKFold(n_splits=2, n_repeats=2, random_state=0)).fit(X, y)
    assert fresh_scores(found.confirm_results_).shape == (3, 8)


def test_the_metric_that_counts_is_pooled():
    found = search(scoring=["accuracy", "neg_log_loss"], refit="neg_log_loss").fit(X, y)
    assert (found.confirm_results_["mean_test_score"] < 0).all()
    found = search(scoring=["accuracy", "neg_log_loss"], refit=False).fit(X, y)
    assert (found.confirm_results_["mean_test_score"] > 0).all()
    assert not hasattr(found, "best_index_")


def test_fewer_complete_candidates_than_are_wanted():
    space = {"a": [1, 2, 3], "on": [(2, 3)]}
    with (
        pytest.warns(FitFailedWarning, match="fits failed"),
        pytest.warns(UserWarning, match="non-finite"),
    ):
        found = search(Scripted(act="value"), space, n_iter=9, cv=3).fit(X, y)
    assert found.confirm_results_["params"] == [{"a": 1, "on": (2, 3)}]


def test_a_candidate_that_fails_on_fresh_folds_is_not_the_best():
    class Unlucky(Scripted):
        def fit(self, X, y):
            known = {tuple(row) for row in X}
            if self.a == 3 and not any(known >= rows for rows in ROWS):
                raise ValueError("another fold")
            return super().fit(X, y)

    folds = list(StratifiedKFold(3).split(X, y))
    global ROWS
    ROWS = [{tuple(row) for row in X[train]} for train, _ in folds]
    found = search(Unlucky(), {"a": [1, 2, 3]}, n_iter=9, cv=StratifiedKFold(3))
    with pytest.warns(UserWarning, match="on fresh splits failed, the first .*: another fold"):
        found.fit(X, y)
    assert found.cv_results_["rank_test_score"][found.best_index_] == 2
    assert found.best_params_ == {"a": 2}
    assert np.isnan(found.confirm_results_["pooled_mean_test_score"]).sum() == 1


def test_a_search_that_uses_up_its_time_has_no_confirmation():
    slow = Scripted(seconds=0.1)
    with pytest.warns(UserWarning, match=r"after 0 of the 2 fresh splits of confirm=\(3, 2\)"):
        found = search(slow, {"a": randint(0, 100)}, cv=2, n_iter=50, timeout=0.5).fit(X, y)
    assert found.stop_reason_ == "timeout"
    assert not hasattr(found, "confirm_results_")
    assert found.best_index_ == found.cv_results_["rank_test_score"].argmin()


def test_a_callback_that_stops_the_search_stops_before_it():
    found = search(callbacks=[lambda progress: progress.n_candidates == 4]).fit(X, y)
    assert found.stop_reason_ == "callback"
    assert not hasattr(found, "confirm_results_")


def test_patience_and_targets_do_not_stop_it():
    settings = {"cv": 3, "n_iter": 46}
    found = search(Scripted(), {"a": randint(0, 100)}, target_score=0.97, **settings).fit(X, y)
    assert found.stop_reason_ == "target_score"
    assert fresh_scores(found.confirm_results_).shape == (3, 6)
    found = search(Scripted(), {"a": randint(0, 100)}, patience=3, **settings).fit(X, y)
    assert found.stop_reason_ == "patience"
    assert fresh_scores(found.confirm_results_).shape == (3, 6)


def test_it_is_said_while_the_search_runs(capsys):
    search(verbose=1).fit(X, y)
    assert "The 3 best candidates again on 2 fresh splits: number" in capsys.readouterr().out


def test_the_report_is_on_the_confirmed_candidate(tmp_path):
    found = search(DecisionTreeRegressor(random_state=0), n_iter=60, confirm=(5, 4))
    found.fit(X_NUMBERS, NUMBERS)
    page = found.report(tmp_path / "report.html").read_text()
    assert f"number {found.best_index_ + 1:,}" in page
    assert skpg.display.ConvergenceDisplay.from_search(found)
    corrected = found.corrected_score_
    assert corrected.score + corrected.bias == pytest.approx(found.best_score_)


def test_the_estimator_as_passed_is_evaluated_on_fresh_folds_too():
    tree = DecisionTreeRegressor(random_state=0)
    cv = KFold(4)
    found = search(tree, cv=cv, baseline=True).fit(X_NUMBERS, NUMBERS)
    seeds = [np.random.SeedSequence([0, repeat]).generate_state(1)[0] for repeat in range(2)]
    splits = [cv, *(KFold(4, shuffle=True, random_state=seed) for seed in seeds)]
    expected = [cross_val_score(tree, X_NUMBERS, NUMBERS, cv=folds) for folds in splits]
    np.testing.assert_array_equal(found.baseline_scores_, np.concatenate(expected))
    assert found.n_fits_ == 4 * (16 + 3)
    pooled = found.confirm_results_["pooled_mean_test_score"].max()
    error = found.baseline_scores_.std(ddof=1) / 2
    assert found.beats_baseline_ == (pooled > found.baseline_scores_.mean() + error)
    assert fresh_scores(found.confirm_results_).shape == (3, 8)


def test_an_error_on_fresh_folds_loses_nothing():
    class Once(Scripted):
        """Fails on rows that the folds of the search do not have together."""

        def fit(self, X, y):
            if {tuple(row) for row in X} not in KNOWN:
                raise ValueError("another fold")
            return super().fit(X, y)

    global KNOWN
    KNOWN = [{tuple(row) for row in X[train]} for train, _ in StratifiedKFold(3).split(X, y)]
    found = search(Once(), {"a": [1, 2, 3]}, n_iter=9, cv=3, error_score="raise")
    with pytest.raises(ValueError, match="another fold"):
        found.fit(X, y)
    assert len(found.cv_results_["params"]) == 3
    assert len(found.history_) == 3
    assert found.policy_.mode()


class SlowElsewhere(Scripted):
    """Takes its time on rows that the folds of the search do not have together."""

    def fit(self, X, y):
        known = [{tuple(row) for row in ROWS_OF_TWO[half]} for half in (0, 1)]
        self.seconds = 0.0 if {tuple(row) for row in X} in known else 0.3
        return super().fit(X, y)


ROWS_OF_TWO = [X[train] for train, _ in StratifiedKFold(2).split(X, y)]


def test_a_repeat_that_is_cut_short_does_not_count():
    space = {"a": randint(0, 100)}
    found = search(SlowElsewhere(), space, n_iter=12, confirm=(3, 2), cv=2, timeout=1.0)
    with pytest.warns(UserWarning, match="after 0 of the 2 fresh splits"):
        found.fit(X, y)
    assert found.stop_reason_ == "timeout"
    assert not hasattr(found, "confirm_results_")
    assert found.best_score_ == found.cv_results_["mean_test_score"].max()
