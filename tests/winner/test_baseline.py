"""The estimator as it was passed, beside the candidates."""

import numpy as np
import pytest
from scipy.stats import randint
from sklearn.base import clone
from sklearn.cluster import KMeans
from sklearn.datasets import load_diabetes, load_iris
from sklearn.linear_model import Ridge
from sklearn.model_selection import KFold, cross_val_score
from sklearn.tree import DecisionTreeClassifier

from skpg import CommitteeRegressor, Ensemble, PolicyGradientSearchCV
from skpg.evaluation.candidate import Candidate
from skpg.evaluation.outcome import Outcome
from skpg.winner.baseline import Baseline
from tests.estimators import Scripted

X, y = load_iris(return_X_y=True)
X_NUMBERS, NUMBERS = (part[::3] for part in load_diabetes(return_X_y=True))
GOOD, BAD = {"alpha": [1e-3, 0.01, 0.1]}, {"alpha": [1e5, 1e6, 1e7]}
FOLDS = KFold(4, shuffle=True, random_state=0)


def search(estimator, space, **settings):
    settings = {"baseline": True, "cv": FOLDS, "random_state": 0, "n_iter": 3, **settings}
    return PolicyGradientSearchCV(estimator, space, **settings)


def test_it_is_the_estimator_exactly_as_it_was_passed():
    ridge = Ridge(alpha=30.0, fit_intercept=False)
    found = search(ridge, {"alpha": [0.001, 0.01]}, n_iter=2).fit(X_NUMBERS, NUMBERS)
    expected = cross_val_score(clone(ridge), X_NUMBERS, NUMBERS, cv=FOLDS)
    np.testing.assert_array_equal(found.baseline_scores_, expected)
    assert len(found.cv_results_["params"]) == 2
    assert found.n_fits_ == 4 + 2 * 4


@pytest.mark.filterwarnings("ignore:The best candidate")
def test_it_does_not_change_what_is_found():
    tree, space = DecisionTreeClassifier(random_state=0), {"max_depth": randint(1, 20)}
    tree.set_params(max_depth=19)
    one, two = (
        search(tree, space, baseline=baseline, n_iter=15).fit(X_NUMBERS, NUMBERS > 150)
        for baseline in (True, False)
    )
    assert one.cv_results_["params"] == two.cv_results_["params"]


def test_a_winner_that_beats_it_is_no_cause_for_a_warning():
    found = search(Ridge(alpha=1e6), GOOD).fit(X_NUMBERS, NUMBERS)
    assert found.beats_baseline_


def test_a_winner_that_does_not_beat_it_is_warned_of():
    with pytest.warns(UserWarning, match=r"best candidate: .*, as passed: .* \+- .*not better"):
        found = search(Ridge(alpha=0.1), BAD).fit(X_NUMBERS, NUMBERS)
    assert not found.beats_baseline_
    assert found.best_estimator_.alpha in BAD["alpha"]


@pytest.mark.parametrize("keep", [None, "estimators"])
@pytest.mark.parametrize("final", ["refit", "committee", Ensemble(size=3)])
def test_the_estimator_as_passed_can_be_preferred(final, keep):
    settings = {"baseline": "prefer", "final": final, "keep": keep}
    with pytest.warns(UserWarning, match="one standard error; best_estimator_ is as passed"):
        found = search(Ridge(alpha=0.1), BAD, **settings).fit(X_NUMBERS, NUMBERS)
    assert found.best_params_["alpha"] == 1e5
    model = found.best_estimator_
    if final != "refit":
        assert isinstance(model, CommitteeRegressor)
        model = model.estimators_[0]
    assert model.alpha == 0.1
    found = search(Ridge(alpha=1e6), GOOD, **settings).fit(X_NUMBERS, NUMBERS)
    model = found.best_estimator_
    if final == "committee":
        model = model.estimators_[0]
    if isinstance(final, Ensemble):
        assert all(params["alpha"] < 1 for params in model.candidates)
    else:
        assert model.alpha == found.best_params_["alpha"]


def test_what_is_passed_to_fit_reaches_the_preferred_estimator():
    weight = np.linspace(0, 1, len(NUMBERS))
    found = search(Ridge(alpha=0.1), BAD, baseline="prefer")
    with pytest.warns(UserWarning, match="best_estimator_ is as passed"):
        found.fit(X_NUMBERS, NUMBERS, sample_weight=weight)
    expected = Ridge(alpha=0.1).fit(X_NUMBERS, NUMBERS, sample_weight=weight)
    np.testing.assert_array_equal(found.best_estimator_.coef_, expected.coef_)


def baseline(*scores):
    outcomes = {fold: Outcome(score) for fold, score in enumerate(scores)}
    return Baseline.of([Candidate(0, {}, (0, 1, 2), np.array(scores), outcomes)])


def test_one_standard_error_decides():
    known = baseline(0.7, 0.8, 0.9)
    error = 0.1 / 3**0.5
    assert known.standard_error == pytest.approx(error)
    assert not known.beaten_by(0.8 + error - 1e-9)
    assert known.beaten_by(0.8 + error + 1e-9)
    assert str(known) == "as passed: 0.8000 +- 0.0577"


def test_other_splits_of_the_same_rows_bring_no_independent_folds():
    scores = np.array([0.6, 0.7, 0.8, 0.9, 0.6, 0.9])
    known = Baseline(scores, scores, n_repeats=2)
    assert known.standard_error == pytest.approx(scores.std(ddof=1) / 3**0.5)


def test_a_single_fold_has_no_standard_error():
    known = baseline(0.5)
    assert known.standard_error == 0
    assert not known.beaten_by(0.5)
    assert known.beaten_by(0.6)
    assert str(known) == "as passed: 0.5000"


def test_what_failed_is_beaten_by_anything_that_did_not():
    failed = baseline(0.5, np.nan, 0.5)
    assert failed.beaten_by(-1.0)
    assert not failed.beaten_by(np.nan)
    assert str(failed) == "as passed: failed"
    assert not baseline(0.5, 0.6, 0.7).beaten_by(np.nan)


def test_an_estimator_that_fails_as_passed_does_not_end_the_search():
    found = search(Scripted(a=7, act="value", on=[7]), {"a": [1, 2]}, n_iter=2)
    with pytest.warns(UserWarning, match=r"fits of the estimator as it was passed failed.*Error: "):
        found.fit(X, y)
    assert np.isnan(found.baseline_scores_).all()
    assert found.beats_baseline_
    assert found.best_params_ == {"a": 2}


def test_several_metrics_have_one_array_each():
    metrics = ["accuracy", "f1_macro"]
    tree = DecisionTreeClassifier(max_depth=1, random_state=0)
    found = search(tree, {"max_depth": [2, 3]}, n_iter=2, scoring=metrics, refit="f1_macro")
    found.fit(X, y)
    assert list(found.baseline_scores_) == metrics
    for metric in metrics:
        expected = cross_val_score(clone(tree), X, y, cv=FOLDS, scoring=metric)
        np.testing.assert_array_equal(found.baseline_scores_[metric], expected)
    assert found.beats_baseline_


def test_estimators_without_a_target_have_a_baseline():
    centres = KMeans(n_clusters=2, n_init=1, random_state=0)
    found = search(centres, {"n_clusters": [3, 4]}, n_iter=2, baseline="prefer").fit(X)
    assert found.beats_baseline_
    assert found.best_estimator_.n_clusters == 4


def test_it_is_said_while_the_search_runs(capsys):
    search(Ridge(alpha=1e6), GOOD, verbose=1).fit(X_NUMBERS, NUMBERS)
    printed = capsys.readouterr().out
    assert "The best candidate: 0.4" in printed
    assert ", as passed: -0.0" in printed


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_it_counts_for_the_timeout(n_jobs):
    slow = Scripted(a=0, seconds=0.3)
    found = search(slow, {"a": randint(1, 100)}, n_iter=50, timeout=1.0, n_jobs=n_jobs)
    found.fit(X, y)
    assert found.stop_reason_ == "timeout"
    assert len(found.baseline_scores_) == 4
    assert len(found.cv_results_["params"]) < 4


def test_what_it_takes_is_not_there_for_the_candidates():
    space = {"a": randint(1, 100), "seconds": [0.05]}
    found = search(Scripted(seconds=0.4), space, cv=2, n_iter=50, timeout=1.0).fit(X, y)
    assert found.stop_reason_ == "timeout"
    assert len(found.cv_results_["params"]) <= 4
