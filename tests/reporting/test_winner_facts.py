"""What the report says of the baseline, the confirmation and the corrected score."""

import numpy as np
import pytest
from scipy.stats import randint
from sklearn.datasets import load_diabetes
from sklearn.model_selection import GridSearchCV
from sklearn.tree import DecisionTreeRegressor

from skpg import PolicyGradientSearchCV
from skpg.reporting.facts import facts_of
from skpg.reporting.verdict import (
    confirmation_finding,
    present_finding,
    score_finding,
    verdict_of,
)

X, y = (part[::3] for part in load_diabetes(return_X_y=True))
SPACE = {"max_depth": randint(1, 9), "min_samples_leaf": randint(1, 30)}


def search(tree=None, **settings):
    settings = {"n_iter": 10, "random_state": 0, **settings}
    tree = tree or DecisionTreeRegressor(random_state=0)
    return PolicyGradientSearchCV(tree, SPACE, **settings).fit(X, y)


def test_the_estimator_as_passed_is_compared_fold_by_fold():
    found = search(baseline=True)
    said = present_finding(facts_of(found))
    better = found.cv_results_["params"] and sum(
        found.cv_results_[f"split{k}_test_score"][found.best_index_] > found.baseline_scores_[k]
        for k in range(5)
    )
    mean, error = found.baseline_scores_.mean(), found.baseline_scores_.std(ddof=1) / 5**0.5
    assert f"The best candidate: {found.best_score_:.4f}, as passed: {mean:.4f}" in said
    assert f"+- {error:.4f}. It is better on {better} of 5 folds" in said
    assert "not better" not in said


@pytest.mark.parametrize("baseline", [True, "prefer"])
def test_a_winner_that_is_not_better_is_said_not_to_be(baseline):
    best = search(n_iter=60).best_params_
    tree = DecisionTreeRegressor(random_state=0, **best)
    with pytest.warns(UserWarning, match="not better by more than one standard error"):
        found = search(tree, baseline=baseline)
    said = present_finding(facts_of(found))
    assert "That is not better by more than one standard error." in said
    assert ("the best estimator is the one that was passed" in said) == (baseline == "prefer")
    assert "not better by more than one standard error" in found._repr_html_()


def test_the_confirmation_is_told():
    found = search(confirm=(3, 2), n_iter=20)
    said = confirmation_finding(facts_of(found))
    best = np.flatnonzero(found.confirm_results_["index"] == found.best_index_)[0]
    mean = found.confirm_results_["mean_test_score"][best]
    assert said.startswith("The 3 best candidates were evaluated again on 10 fresh folds. Number")
    assert said.endswith(f"on the fresh ones it scored {mean:.4f}.")
    assert "On fresh splits" in dict(verdict_of(facts_of(found)).findings)
    assert confirmation_finding(facts_of(search())) == ""


def test_the_corrected_score_is_told_also_of_searches_of_scikit_learn():
    found = search()
    said = score_finding(facts_of(found))
    assert f"is about {found.corrected_score_.score:.4f}, by Tibshirani" in said
    grid = GridSearchCV(DecisionTreeRegressor(random_state=0), {"max_depth": [1, 2, 3]}).fit(X, y)
    assert "Without the luck of being the best of 3" in score_finding(facts_of(grid))
    callable_refit = search(refit=lambda results: 0)
    assert "Without the luck" not in score_finding(facts_of(callable_refit))


def test_metrics_have_their_own_baselines():
    found = search(baseline=True, scoring=["r2", "neg_mean_absolute_error"], refit="r2")
    for metric in (None, "r2"):
        facts = facts_of(found, metric=metric)
        np.testing.assert_array_equal(facts.baseline.folds, found.baseline_scores_["r2"])
    assert facts_of(found, metric="neg_mean_absolute_error").baseline is None


def test_with_a_confirmation_all_folds_are_compared():
    found = search(baseline=True, confirm=(2, 2), n_iter=20)
    said = present_finding(facts_of(found))
    assert len(found.baseline_scores_) == 15
    assert "of 15 folds" in said
    pooled = found.confirm_results_["pooled_mean_test_score"].max()
    assert (
        f"The best candidate: {pooled:.4f}, as passed: {found.baseline_scores_.mean():.4f}" in said
    )


def test_where_the_best_differ_by_chance_other_ways_to_a_winner_are_offered():
    advice = " ".join(verdict_of(facts_of(search(n_iter=30))).advice)
    assert "compare them on fresh splits (confirm=(5, 4)), or average them" in advice
    grid = GridSearchCV(DecisionTreeRegressor(random_state=0), {"min_samples_leaf": range(9, 40)})
    advice = " ".join(verdict_of(facts_of(grid.fit(X, y))).advice)
    assert "largely chance" in advice
    assert "confirm" not in advice
