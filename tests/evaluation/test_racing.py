"""Racing leaves folds out, and never the best candidate."""

import joblib
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import TransformedTargetRegressor
from sklearn.datasets import load_digits, load_iris
from sklearn.ensemble import AdaBoostClassifier, BaggingClassifier
from sklearn.feature_selection import RFE, RFECV
from sklearn.linear_model import (
    LogisticRegression,
    LogisticRegressionCV,
    PoissonRegressor,
    RANSACRegressor,
    Ridge,
    RidgeCV,
)
from sklearn.metrics import (
    accuracy_score,
    check_scoring,
    d2_log_loss_score,
    f1_score,
    get_scorer,
    get_scorer_names,
    make_scorer,
    mean_squared_error,
    r2_score,
)
from sklearn.model_selection import (
    FixedThresholdClassifier,
    GridSearchCV,
    KFold,
    RandomizedSearchCV,
    TunedThresholdClassifierCV,
)
from sklearn.multiclass import OneVsRestClassifier
from sklearn.multioutput import MultiOutputClassifier
from sklearn.neighbors import KernelDensity, KNeighborsClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.semi_supervised import SelfTrainingClassifier
from sklearn.tree import DecisionTreeClassifier

from skpg import PolicyGradientSearchCV
from skpg.evaluation.outcome import Outcome
from skpg.evaluation.racing import Race, comparable_mean
from skpg.evaluation.schedule import Schedule
from skpg.evaluation.score_bounds import score_bound
from skpg.evaluation.workers.executors import Event
from tests.estimators import Scripted

X, y = load_iris(return_X_y=True)
SPACE = {"n_neighbors": stats.randint(1, 100), "p": stats.uniform(1, 4)}

scores = arrays(float, (8, 5), elements=st.floats(0, 1, width=16))


def n_folds(rows, race):
    """Race candidates in their order; return how many folds each needs, and the best."""
    best, needed = None, []
    for row in rows:
        n = race.n_needed(row, range(len(row)), best)
        needed.append(len(row) if n is None else n)
        if needed[-1] == len(row) and (best is None or row.mean() > best.mean()):
            best = row
    return needed, best


@given(scores)
def test_in_a_certain_race_the_first_of_the_best_wins(rows):
    _, best = n_folds(rows, Race(1.0))
    np.testing.assert_array_equal(best, rows[rows.mean(axis=1).argmax()])


@given(scores)
def test_an_optimistic_race_never_needs_more_folds(rows):
    incumbent = rows[0]
    for row in rows[1:]:
        certain = Race(1.0).n_needed(row, range(5), incumbent)
        optimistic = Race(1.0, optimistic=True).n_needed(row, range(5), incumbent)
        assert (optimistic or 5) <= (certain or 5)


def test_a_failed_fold_ends_the_race():
    row = np.array([0.5, np.nan, 0.5])
    assert Race(1.0).n_needed(row, (0, 1, 2), None) == 2
    assert Race(1.0).n_needed(row, (1, 0, 2), None) == 1


def test_the_hardest_folds_come_first():
    assert Race(1.0).order(np.array([0.9, 0.55, 0.65])) == (1, 2, 0)
    assert Race(1.0).order(np.zeros(3)) == (0, 1, 2)


@given(scores)
def test_the_order_is_that_of_the_mean_scores_of_all_complete_candidates(rows):
    # no other order leaves less to be scored, on average over the candidates so far
    means = rows.mean(axis=0)
    schedule = Schedule(5, score=lambda o: o.test_scores, failure=None, race=Race(np.inf))
    for row in [*rows, rows[0]]:
        schedule.add([{}])
        order = schedule._open[schedule.n_asked - 1].order
        while job := schedule.next_job(0):
            schedule.record(Event(job, Outcome(row[job.fold])))
        list(schedule.settle())
    np.testing.assert_array_equal(means[list(order)], np.sort(means))
    # of equal folds the first comes first, so that no result depends on the sort
    assert order == tuple(sorted(range(5), key=lambda fold: (means[fold], fold)))


HARDNESS = np.array([0.0, 0.3, 0.1, 0.5, 0.2])


class KnowsItsFold(Scripted):
    """Scores less on hard folds, which it knows by the first row."""

    def score(self, X, y):
        return self.a / 100 - HARDNESS[int(X[0, 0]) // 30]


@pytest.mark.parametrize("n_jobs", [1, 3])
def test_candidates_that_lose_were_run_on_the_hardest_folds(n_jobs):
    with joblib.parallel_config("threading"):
        search = PolicyGradientSearchCV(
            KnowsItsFold(), {"a": list(range(100))}, initial_params=[{"a": 99}], n_iter=20,
            batch_size=1, cv=KFold(5), racing=True, racing_bound=0.99, n_jobs=n_jobs,
            random_state=0,
        ).fit(np.arange(150.0)[:, None], y)  # fmt: skip
    n = search.cv_results_["n_folds_evaluated"]
    assert n[0] == 5
    assert {1, 2, 3} <= set(n[1:])
    splits = np.column_stack([search.cv_results_[f"split{k}_test_score"] for k in range(5)])
    order = np.argsort(-HARDNESS)
    for row, n_run in zip(splits, n, strict=True):
        assert np.isfinite(row[order[:n_run]]).all()
        assert np.isnan(row[order[n_run:]]).all()


@given(scores)
def test_the_comparable_mean_of_all_folds_is_the_mean(rows):
    fold_means = rows[1:].mean(axis=0)
    assert comparable_mean(rows[0], fold_means, np.inf) == pytest.approx(rows[0].mean())


def test_the_comparable_mean_knows_that_folds_differ():
    fold_means = np.array([0.3, 0.9])
    on_hard_fold = comparable_mean(np.array([0.4, np.nan]), fold_means, 1.0)
    assert on_hard_fold == pytest.approx(0.7)
    assert comparable_mean(np.array([0.4, np.nan]), fold_means, 0.65) == 0.65


def settled(n, race):
    """Return a schedule of `n` settled candidates, and the last of them."""
    schedule = Schedule(5, score=lambda outcome: outcome.test_scores, failure=None, race=race)
    rng = np.random.default_rng(0)
    for _ in range(n):
        schedule.add([{}])
        while job := schedule.next_job(0):
            schedule.record(Event(job, Outcome(rng.random(), fit_time=0.0, score_time=0.0)))
        (candidate,) = schedule.settle()
    return schedule, candidate


@pytest.mark.parametrize("race", [None, Race(1.0), Race(1.0, optimistic=True)])
def test_a_reward_does_not_go_through_all_settled_candidates(race):
    class Endless(list):
        def __iter__(self):
            raise AssertionError("thousands of candidates, for each reward")

    schedule, candidate = settled(50, race)
    before = schedule.rewards([candidate])
    schedule.settled = Endless(schedule.settled)
    assert schedule.rewards([candidate]) == before


@pytest.mark.parametrize("race", [Race(1.0), Race(1.0, optimistic=True)])
def test_a_reward_compares_with_the_candidates_that_were_settled_before(race):
    schedule, candidate = settled(60, race)
    complete = np.array([c.scores for c in schedule.settled if c.complete])
    while candidate.complete:
        schedule, candidate = settled(len(schedule.settled) - 1, race)
        complete = np.array([c.scores for c in schedule.settled if c.complete])
    run = ~np.isnan(candidate.scores)
    lead = (candidate.scores[run] - complete[:, run].mean(axis=0)).mean()
    upper = min(race.upper(candidate.scores, schedule.best.scores), schedule.best.score)
    expected = min(complete.mean() + lead, upper)
    assert schedule.rewards([candidate]) == [pytest.approx(expected)]
    assert expected < upper


def race(racing, **settings):
    defaults = {"n_iter": 30, "cv": 5, "random_state": 0, "racing": racing}
    return PolicyGradientSearchCV(KNeighborsClassifier(), SPACE, **(defaults | settings))


def test_results_of_a_race():
    search = race(True).fit(X, y)
    results = search.cv_results_
    n = results["n_folds_evaluated"]
    assert search.n_fits_ == n.sum() < 30 * 5
    splits = np.column_stack([results[f"split{k}_test_score"] for k in range(5)])
    np.testing.assert_array_equal((~np.isnan(splits)).sum(axis=1), n)
    assert np.isnan(results["mean_test_score"][n < 5]).all()
    assert results["rank_test_score"][n < 5].min() > results["rank_test_score"][n == 5].max()
    assert n[search.best_index_] == 5
    # what was told to the policy
    for record in search.history_:
        assert np.isfinite(record["mean_reward"])
        assert record["best_reward"] <= search.best_score_
    assert search.history_[-1]["best_so_far"] == search.best_score_


def test_several_metrics_and_train_scores_in_a_race():
    search = race(
        True, scoring=["accuracy", "neg_log_loss"], refit="neg_log_loss", return_train_score=True
    ).fit(X, y)
    n = search.cv_results_["n_folds_evaluated"]
    assert (n < 5).any()
    for name in ("mean_test_accuracy", "mean_train_neg_log_loss"):
        np.testing.assert_array_equal(np.isnan(search.cv_results_[name]), n < 5)


def test_failed_candidates_of_a_race_are_told_apart_from_lost_ones():
    search = PolicyGradientSearchCV(
        Scripted(act="fail", on=(3, 4)), {"a": list(range(10))}, cv=3, random_state=0,
        racing=True, racing_bound=1.0,
    )  # fmt: skip
    with pytest.warns() as caught:
        search.fit(X, y)
    assert sum("non-finite" in str(w.message) for w in caught) == 1
    assert sum("2 fits failed out of a total of" in str(w.message) for w in caught) == 1
    failed = [params["a"] in (3, 4) for params in search.cv_results_["params"]]
    assert search.cv_results_["n_folds_evaluated"][failed].tolist() == [1, 1]


@pytest.mark.parametrize("evaluation", ["batch", "stream", "async"])
@pytest.mark.parametrize("n_jobs", [1, 2])
def test_the_best_is_complete_whatever_the_evaluation(evaluation, n_jobs):
    with joblib.parallel_config("threading"):
        search = race("optimistic", evaluation=evaluation, n_jobs=n_jobs).fit(X, y)
    assert search.cv_results_["n_folds_evaluated"][search.best_index_] == 5
    assert search.n_fits_ < 150


def same_candidates(estimator, space, racing, seed, X, y, n=30):
    """Race a fixed list of candidates in a random order."""
    draws = PolicyGradientSearchCV(estimator, space, n_iter=n, cv=10, random_state=0)
    from skpg import PolicyGradientOptimizer

    candidates = PolicyGradientOptimizer(space, random_state=0).ask(n)
    order = np.random.default_rng(seed).permutation(n)
    return draws.set_params(initial_params=[candidates[i] for i in order], racing=racing).fit(X, y)


@pytest.mark.parametrize("racing", [True, "optimistic"])
def test_on_digits_the_best_of_the_same_candidates_is_the_same(racing):
    data, target = load_digits(return_X_y=True)
    data, target = data[:500], target[:500]
    space = {"max_depth": stats.randint(2, 12), "min_samples_leaf": stats.randint(1, 30)}
    tree = DecisionTreeClassifier(random_state=0)
    for seed in range(2):
        full = same_candidates(tree, space, False, seed, data, target)
        raced = same_candidates(tree, space, racing, seed, data, target)
        assert raced.best_params_ == full.best_params_
        assert raced.n_fits_ < 0.8 * full.n_fits_


@pytest.mark.parametrize(
    ("scorer", "bound"),
    [
        ("accuracy", 1.0),
        ("roc_auc_ovr", 1.0),
        ("r2", 1.0),
        ("matthews_corrcoef", 1.0),
        ("neg_mean_squared_error", 0.0),
        ("neg_log_loss", 0.0),
        ("neg_mean_poisson_deviance", 0.0),
        ("neg_negative_likelihood_ratio", 0.0),
        ("positive_likelihood_ratio", None),
        ("mutual_info_score", None),
        (make_scorer(f1_score, average="macro"), 1.0),
        (make_scorer(mean_squared_error, greater_is_better=False), 0.0),
        (make_scorer(r2_score, greater_is_better=False), None),
        (make_scorer(d2_log_loss_score, greater_is_better=False), None),
        (make_scorer(accuracy_score, normalize=False), None),
        (make_scorer(lambda y, p: 5.0), None),
        (lambda estimator, X, y: 5.0, None),
    ],
)
def test_bounds_of_scorers(scorer, bound):
    scorer = get_scorer(scorer) if isinstance(scorer, str) else scorer
    assert score_bound(scorer, None) == bound


def test_few_scorers_of_scikit_learn_are_without_bound():
    without = {n for n in get_scorer_names() if score_bound(get_scorer(n), None) is None}
    assert without <= {"positive_likelihood_ratio", "mutual_info_score"}


def profit(estimator, X, y):
    return 100 * np.mean(estimator.predict(X) == y)


class Profitable(LogisticRegression):
    score = profit


class ProfitablePipeline(Pipeline):
    score = profit


LOGISTIC = LogisticRegression()
GRID = {"C": [0.1, 1.0]}


@pytest.mark.parametrize(
    ("estimator", "bound"),
    [
        (KNeighborsClassifier(), 1.0),
        (Ridge(), 1.0),
        (PoissonRegressor(), 1.0),
        (RidgeCV(scoring=profit), 1.0),  # which it chooses alpha by, and does not score with
        (KernelDensity(), None),
        (Scripted(), None),
        (Profitable(), None),
        (make_pipeline(StandardScaler(), Ridge()), 1.0),
        (make_pipeline(StandardScaler(), Profitable()), None),
        (make_pipeline(StandardScaler(), "passthrough"), None),
        (ProfitablePipeline([("model", LOGISTIC)]), None),
        (LogisticRegressionCV(), 1.0),
        (LogisticRegressionCV(scoring="neg_log_loss"), 0.0),
        (LogisticRegressionCV(scoring=profit), None),
        (make_pipeline(StandardScaler(), LogisticRegressionCV(scoring=profit)), None),
        (GridSearchCV(LOGISTIC, GRID), 1.0),
        (GridSearchCV(LOGISTIC, GRID, scoring="neg_log_loss"), 0.0),
        (GridSearchCV(LOGISTIC, GRID, scoring=profit), None),
        (GridSearchCV(LOGISTIC, GRID, scoring=["accuracy", "recall"], refit="recall"), None),
        (GridSearchCV(LOGISTIC, GRID, scoring=make_scorer(accuracy_score)), 1.0),
        (GridSearchCV(Profitable(), GRID), None),
        (GridSearchCV(Pipeline([("m", LOGISTIC)]), [{"m": [LOGISTIC]}, {"m__C": [1]}]), 1.0),
        (GridSearchCV(Pipeline([("m", LOGISTIC)]), {"m": [LOGISTIC, Profitable()]}), None),
        (RandomizedSearchCV(LOGISTIC, {"C": stats.uniform()}), 1.0),
        (PolicyGradientSearchCV(LOGISTIC, GRID, scoring=profit), None),
        (GridSearchCV(GridSearchCV(LOGISTIC, GRID, scoring=profit), {"refit": [True]}), None),
        (TunedThresholdClassifierCV(LOGISTIC, scoring=profit), 1.0),  # as RidgeCV
        (FixedThresholdClassifier(LOGISTIC), 1.0),
        (RFECV(LOGISTIC, scoring=profit), None),
        (RFE(LOGISTIC), 1.0),
        (RFE(Profitable()), None),
        (SelfTrainingClassifier(LOGISTIC), 1.0),
        (SelfTrainingClassifier(Profitable()), None),
        (RANSACRegressor(Ridge()), 1.0),
        # these predict with what they hold, and score the predictions
        (OneVsRestClassifier(Profitable()), 1.0),
        (BaggingClassifier(Profitable()), 1.0),
        (AdaBoostClassifier(Profitable()), 1.0),
        (CalibratedClassifierCV(Profitable()), 1.0),
        (MultiOutputClassifier(Profitable()), 1.0),
        (TransformedTargetRegressor(Ridge()), 1.0),
    ],
)
def test_bounds_of_estimators_own_scores(estimator, bound):
    assert score_bound(OWN_SCORE, estimator) == bound


OWN_SCORE = check_scoring(LOGISTIC)
SEARCH = GridSearchCV(LOGISTIC, GRID)
PIPELINE = Pipeline([("model", LOGISTIC)])
SEARCHES = Pipeline([("model", SEARCH)])


@pytest.mark.parametrize(
    ("estimator", "space", "bound"),
    [
        (PIPELINE, {"model__C": stats.uniform()}, 1.0),
        (PIPELINE, {"model": [LOGISTIC, KNeighborsClassifier()]}, 1.0),
        (PIPELINE, {"model": [LOGISTIC, Profitable()]}, None),
        (PIPELINE, [{"model": [Ridge()]}, {"model": [Profitable()]}], None),
        (PIPELINE, {"model": [SEARCH], "model__scoring": ["f1_macro", profit]}, None),
        (PIPELINE, {"model": [SEARCH], "model__scoring": ["neg_log_loss", "f1_macro"]}, 1.0),
        (PIPELINE, {"steps": [[("model", LOGISTIC)]]}, None),
        (Pipeline([("model", "passthrough")]), {"model": [LOGISTIC]}, 1.0),
        (Pipeline([("model", None)]), [{"model": [LOGISTIC]}, {"model": [Ridge()]}], 1.0),
        (SEARCHES, {"model__estimator": [LOGISTIC, Profitable()]}, None),
        (SEARCHES, {"model__param_grid": [GRID, {"C": [1.0]}]}, None),
        (SEARCHES, {"model__scoring": [profit, None]}, None),
        (SEARCHES, {"model__scoring": ["accuracy", None]}, 1.0),
        (RFE(LOGISTIC), {"estimator": [Profitable()]}, None),
        (LogisticRegressionCV(), {"scoring": [None, profit]}, None),
    ],
)
def test_bounds_of_scores_that_candidates_change(estimator, space, bound):
    assert score_bound(OWN_SCORE, estimator, space) == bound


@pytest.mark.parametrize(
    ("estimator", "space"),
    [
        (GridSearchCV(LOGISTIC, GRID, cv=3, scoring=profit), {"estimator__tol": [1e-4, 1.0]}),
        (PIPELINE, {"model": [LOGISTIC, Profitable()]}),
    ],
)
def test_a_score_that_may_exceed_the_bound_is_never_raced_with_it(estimator, space):
    with pytest.raises(ValueError, match="(?s)score method of .* racing_bound"):
        PolicyGradientSearchCV(estimator, space, racing=True).fit(X, y)


def test_an_unknown_bound_is_asked_for():
    search = PolicyGradientSearchCV(Scripted(), {"a": [1, 2]}, racing=True)
    with pytest.raises(ValueError, match="racing_bound"):
        search.fit(X, y)
    assert search.set_params(racing_bound=0.4).fit(X, y).best_params_ == {"a": 2}
    assert search.set_params(racing="optimistic", racing_bound=None).fit(X, y)
