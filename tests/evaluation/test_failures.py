"""What becomes of candidates that kill their worker, fail, or have no finite score."""

import warnings

import numpy as np
import pytest
from sklearn.model_selection import GridSearchCV, KFold

from skpg import PolicyGradientOptimizer, PolicyGradientSearchCV, load_study
from tests.estimators import Scripted
from tests.evaluation.searches import (
    FEW_AND_MANY,
    NUMBERED,
    X,
    check_bad,
    fit_with_warnings,
    search_of,
    without_times,
    y,
)


@FEW_AND_MANY
@pytest.mark.parametrize("evaluation", ["batch", "stream"])
def test_candidates_that_kill_their_worker_are_found_and_named(bad, n, evaluation):
    search, messages = fit_with_warnings(
        Scripted(act="die", on=bad), n=n, n_jobs=2, evaluation=evaluation
    )
    check_bad(search, bad)
    messages = [message for message in messages if "killed their worker twice" in message]
    assert len(messages) == 1
    assert messages[0].startswith(f"{len(bad)} candidate")
    for a in bad:
        assert f"{{'a': {a}}}" in messages[0]


def test_with_error_score_raise_a_killer_ends_the_search():
    with pytest.raises(Exception, match="worker process died"):
        search_of(Scripted(act="die", on=(3,)), n=8, n_jobs=2, error_score="raise").fit(X, y)


def test_memory_errors_are_failed_fits():
    search, messages = fit_with_warnings(Scripted(act="memory", on=(3, 5)), n=8, n_jobs=2)
    check_bad(search, (3, 5))
    assert any("no memory is left" in message for message in messages)


FAILS = (38, 39)


class Fails(Scripted):
    """Fits of some values of `a` fail, in all folds or in the first one."""

    def fit(self, X, y):
        if self.act == "fail once" and X[0, 0] == 0:  # the first row is in the first test fold
            self.on = ()
        return super().fit(X, y)


def fails_to_score(estimator, X, y):
    if estimator.a in FAILS:
        raise ValueError(f"a={estimator.a} cannot be scored")
    return estimator.a / 100


def fails_to_score_twice(estimator, X, y):
    score = fails_to_score(estimator, X, y)
    return {"score": score, "other": -score}


def always_scores(estimator, X, y):
    return -estimator.a / 100


FAILURES = {
    "a fit": {"estimator": Fails(act="fail", on=FAILS)},
    "one fold of five": {"estimator": Fails(act="fail once", on=FAILS)},
    "a score": {"scoring": fails_to_score},
    "the score that counts": {
        "scoring": {"other": always_scores, "score": fails_to_score},
        "refit": "score",
    },
    "scores of a callable": {"scoring": fails_to_score_twice, "refit": "score"},
    "a fit, several scores": {
        "estimator": Fails(act="fail", on=FAILS),
        "scoring": {"score": fails_to_score, "other": always_scores},
        "refit": "score",
    },
    "a race": {
        "estimator": Fails(act="fail once", on=FAILS), "racing": True, "racing_bound": 1.0
    },
    "training scores": {
        "estimator": Fails(act="fail once", on=FAILS), "return_train_score": True
    },
}  # fmt: skip


def search_with_failures(failure, **settings):
    """Search with a first batch of all that fails and something that does not."""
    given = {"estimator": Fails(), "cv": KFold(5), "n_iter": 20, "batch_size": 4}
    first = [{"a": a} for a in (38, 7, 39, 5)]
    settings = given | {"random_state": 0, "initial_params": first} | FAILURES[failure] | settings
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return PolicyGradientSearchCV(
            param_distributions={"a": list(range(40))}, **settings
        ).fit(NUMBERED, y)  # fmt: skip


@pytest.mark.parametrize("failure", FAILURES)
@pytest.mark.parametrize("error_score", [1.0, 0, -1.0])
def test_a_number_as_error_score_does_not_change_the_search(tmp_path, failure, error_score):
    expected = search_with_failures(failure)
    storage = tmp_path / "search.db"
    for _ in range(2):  # the second one reads what the first has stored
        told = []
        search = search_with_failures(
            failure, error_score=error_score, callbacks=[told.append], storage=storage
        )
        assert search.cv_results_["params"] == expected.cv_results_["params"]
        assert search.history_ == expected.history_
        assert search.best_params_ == expected.best_params_ == told[-1].best_params
        assert search.best_score_ == expected.best_score_ == told[-1].best_score
        bad = np.array([params["a"] in FAILS for params in search.cv_results_["params"]])
        assert [progress.status == "failed" for progress in told] == bad.tolist()
        ranks = search.cv_results_["rank_test_score"]
        assert search.best_index_ == ranks.argmin()
        complete = np.array([progress.status == "complete" for progress in told])
        assert ranks[~complete].min() > ranks[complete].max()
        np.testing.assert_array_equal(ranks, expected.cv_results_["rank_test_score"])
        np.testing.assert_equal(load_study(storage), search.cv_results_)


def test_the_error_score_stands_for_failures_in_the_results_as_in_scikit_learn():
    for failure in ("a fit", "one fold of five", "a score", "the score that counts"):
        ours = search_with_failures(failure, error_score=-1)
        settings = {"estimator": Fails(), "cv": KFold(5), "error_score": -1}
        settings |= FAILURES[failure] | {"refit": False}
        grid = {"a": [params["a"] for params in ours.cv_results_["params"]]}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            theirs = GridSearchCV(param_grid=grid, **settings).fit(NUMBERED, y)
        results = without_times(theirs.cv_results_)
        for name in {"mean_test_score", "std_test_score", "split0_test_score", "params"}:
            np.testing.assert_equal(without_times(ours.cv_results_)[name], results[name])


def test_where_all_candidates_failed_the_best_is_that_of_scikit_learn():
    search = search_with_failures("one fold of five", error_score=0.0, n_iter=1)
    assert (search.best_params_, search.stop_reason_) == ({"a": 38}, "n_iter")
    space = {"initial_params": [{"a": 38}, {"a": 39}], "n_iter": 2}
    search = search_with_failures("one fold of five", error_score=0.0, **space)
    assert search.best_params_ == {"a": 39}
    assert search.cv_results_["rank_test_score"].tolist() == [2, 1]


@pytest.mark.parametrize("failure", ["a fit", "a score"])
def test_failures_with_a_number_do_not_reach_a_target_and_try_patience(failure):
    settings = {"error_score": 1.0, "n_iter": 40}
    search = search_with_failures(failure, target_score=0.36, **settings)
    assert search.best_params_["a"] in (36, 37)
    search = search_with_failures(failure, patience=2, **settings)
    assert search.stop_reason_ == "patience"
    assert search.cv_results_["params"] == [{"a": 38}, {"a": 7}, {"a": 39}, {"a": 5}]
    assert search.best_params_ == {"a": 7}


@pytest.mark.filterwarnings("ignore:One or more of the test scores")
@pytest.mark.parametrize("evaluation", ["stream", "batch", "async"])
@pytest.mark.parametrize("infinite", [np.inf, -np.inf])
def test_an_infinite_score_is_a_failure_with_a_warning(infinite, evaluation, tmp_path):
    """And not the best one; also when it is read from a storage."""
    told, heard = [], []

    class Noting(PolicyGradientOptimizer):
        def tell(self, params, rewards):
            told.extend(zip([p["a"] for p in params], rewards, strict=True))
            super().tell(params, rewards)

    search = PolicyGradientSearchCV(
        Scripted(),
        {"a": [1, 2, 3, 4]},
        cv=3,
        scoring=lambda estimator, X, y: infinite if estimator.a == 3 else estimator.a,
        evaluation=evaluation,
        callbacks=[heard.append],
        storage=str(tmp_path / "s.db"),
        random_state=0,
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("skpg.preparation.PolicyGradientOptimizer", Noting)
        for _ in range(2):  # the second time nothing is fitted
            with pytest.warns(UserWarning, match=r"an infinite score.*failed: \[{'a': 3}\]"):
                search.fit(X, y)
            assert search.best_params_ == {"a": 4}
            assert np.isnan(dict(told)[3])
            assert dict(told)[4] == 4
            failed = [p for p in heard if p.params["a"] == 3][-1]
            assert failed.status == "failed"
            assert np.isnan(failed.fold_scores).all()
            # as scikit-learn has it
            place = search.cv_results_["params"].index({"a": 3})
            assert search.cv_results_["mean_test_score"][place] == infinite
            assert search.cv_results_["rank_test_score"][place] == 4
