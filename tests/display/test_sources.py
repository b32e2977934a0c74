"""What displays know of a search, from whatever they are given."""

import numpy as np
import pytest
from sklearn.exceptions import FitFailedWarning, NotFittedError

import skpg
from skpg.display import Recorder
from skpg.display.sources import record_of
from skpg.space.dimensions import Branch
from tests.display.searches import SPACE, Hill, X, fitted, results_of, search, y


def same_candidates(left, right):
    assert left.params == right.params
    np.testing.assert_array_equal(left.fold_scores, right.fold_scores)
    np.testing.assert_array_equal(left.statuses, right.statuses)
    np.testing.assert_array_equal(left.n_fits, right.n_fits)
    np.testing.assert_array_equal(left.scores, right.scores)


def assert_located(record):
    """Each candidate is where its values are, as numbers and as actions."""
    space, resolved = record.space, record.resolved
    np.testing.assert_allclose(space.resolve(record.actions), resolved, rtol=1e-12, atol=1e-12)
    for row, params in zip(resolved, record.params, strict=True):
        dimensions = [
            d for d, number in zip(space.dimensions, row, strict=True) if number == number
        ]
        numbers = row[~np.isnan(row)]
        found = {
            d.name: d.values(numbers[k : k + 1])[0]
            for k, d in enumerate(dimensions)
            if not isinstance(d, Branch)
        }
        assert found == params


@pytest.mark.parametrize("kind", ["usual", "branches", "several metrics", "grid", "random"])
def test_a_fitted_search_gives_its_scores_and_its_best_candidate(kind):
    found, record = fitted(kind), record_of(fitted(kind))
    metric = "up" if kind == "several metrics" else "score"
    np.testing.assert_array_equal(record.scores, found.cv_results_[f"mean_test_{metric}"])
    assert record.best == found.best_index_
    assert record.best_so_far[-1] == found.best_score_
    assert_located(record)


def test_metric_names_another_one_of_several():
    record = record_of(fitted("several metrics"), metric="down")
    np.testing.assert_array_equal(
        record.scores, fitted("several metrics").cv_results_["mean_test_down"]
    )
    with pytest.raises(ValueError, match=r"metric must be one of \['up', 'down'\], got 'accuracy'"):
        record_of(fitted("several metrics"), metric="accuracy")


def test_the_metric_has_the_name_that_scoring_gives_it():
    found = search(scoring="neg_mean_squared_error", n_iter=2).fit(X, y)
    assert record_of(found).metric == "neg_mean_squared_error"


def test_a_number_as_error_score_does_not_hide_a_failure():
    found = search(estimator=Hill(cliff=0.5), error_score=9.0)
    with pytest.warns(FitFailedWarning):
        found.fit(X, y)
    record = record_of(found)
    failed = np.array([params["a"] > 0.5 for params in record.params])
    assert failed.any()
    np.testing.assert_array_equal(record.failed, failed)
    assert np.isnan(record.scores[failed]).all()
    assert not failed[record.best]


def test_a_callable_refit_chooses_the_best_candidate():
    found = search(refit=lambda results: 3, n_iter=8).fit(X, y)
    assert record_of(found).best == 3


def test_raced_candidates_are_compared_on_the_folds_that_were_run():
    record = record_of(fitted("raced"))
    assert record.raced.any()
    assert np.isnan(record.scores[record.raced]).all()
    truth = np.array([1 - (p["a"] - 0.7) ** 2 - 0.1 * np.log10(p["m"]) ** 2 for p in record.params])
    truth -= [0.2 * (p["kind"] != "b") for p in record.params]
    difference = record.estimates - truth  # the folds add the same to all candidates
    assert np.ptp(difference) < 1e-9


def test_seconds_of_raced_candidates_are_those_that_they_took():
    found = fitted("raced")
    record = record_of(found)
    assert np.isfinite(record.seconds).all()
    assert record.n_fits.sum() == found.n_fits_ == len(record.fit_log.begins)


def test_a_stored_study_gives_the_same_candidates(tmp_path):
    path = tmp_path / "search.db"
    found = search(storage=path, racing="optimistic").fit(X, y)
    stored = record_of(skpg.load_study(path, param_distributions=SPACE), param_distributions=SPACE)
    same_candidates(stored, record_of(found))
    np.testing.assert_array_equal(stored.updates, record_of(found).updates)


def test_a_stored_study_without_its_space_spans_its_candidates(tmp_path):
    path = tmp_path / "search.db"
    search(storage=path).fit(X, y)
    record = record_of(skpg.load_study(path))
    assert_located(record)
    assert [d.name for d in record.space.dimensions] == list(SPACE)


def test_a_continued_search_gives_what_an_uninterrupted_one_does(tmp_path):
    path = tmp_path / "search.db"
    search(storage=path, n_iter=12).fit(X, y)
    continued, whole = record_of(search(storage=path).fit(X, y)), record_of(fitted("usual"))
    same_candidates(continued, whole)
    np.testing.assert_array_equal(continued.thetas, whole.thetas)
    assert np.isnan(continued.fit_log.begins[:36]).all()
    assert np.isfinite(continued.fit_log.begins[36:]).all()


def test_a_recorder_gives_the_candidates_so_far_while_the_search_runs():
    recorder, seen = Recorder(), []

    def callback(progress):
        seen.append(record_of(recorder))

    found = search(callbacks=[recorder, callback], racing="optimistic").fit(X, y)
    assert [len(record) for record in seen] == list(range(1, 31))
    same_candidates(seen[-1], record_of(found))


def test_a_recorder_forgets_an_earlier_search():
    recorder = Recorder()
    for n_iter in (5, 3):
        search(callbacks=[recorder], n_iter=n_iter).fit(X, y)
    assert len(record_of(recorder)) == 3


def test_a_recorder_without_candidates_says_so():
    with pytest.raises(ValueError, match="no candidate of a search yet"):
        record_of(Recorder())


def test_what_is_not_fitted_or_not_a_search_is_refused():
    with pytest.raises(NotFittedError):
        record_of(search())
    with pytest.raises(TypeError, match=r"a fitted search, a dict like cv_results_.*type list"):
        record_of([1, 2])


def test_five_thousand_candidates_are_read_whole():
    record = record_of(results_of(5000), param_distributions=SPACE)
    assert len(record) == 5000
    assert_located(record)
