"""Lines through hyperparameters, folds that were run, and workers over time."""

import numpy as np
import pytest

from skpg.display import ParallelCoordinatesDisplay, RacingDisplay, TimelineDisplay
from tests.display.searches import SPACE, X, fitted, search, y


def test_lines_pass_where_the_values_stand():
    found = fitted("usual")
    shown = ParallelCoordinatesDisplay.from_search(found)
    params = found.cv_results_["params"]
    np.testing.assert_allclose(shown.heights[:, 0], [p["a"] for p in params])
    np.testing.assert_allclose(shown.heights[:, 1], [np.log10(p["m"]) / 6 + 0.5 for p in params])
    places = {"a": 1 / 6, "b": 3 / 6, "c": 5 / 6}
    np.testing.assert_allclose(shown.heights[:, 3], [places[p["kind"]] for p in params])


def test_there_is_a_line_for_each_candidate_and_the_best_is_on_top():
    found = fitted("failures")
    shown = ParallelCoordinatesDisplay.from_search(found).plot()
    failed, known = shown.ax_.collections[:2]
    n_failed = np.isnan(shown.scores).sum()
    assert n_failed > 0
    assert (len(failed.get_segments()), len(known.get_segments())) == (n_failed, 30 - n_failed)
    (best,) = [line for line in shown.ax_.lines if line.get_label() == "best"]
    np.testing.assert_array_equal(best.get_ydata(), shown.heights[found.best_index_])
    assert best.get_zorder() > known.get_zorder()
    assert "failed" in [text.get_text() for text in shown.ax_.texts]


def test_a_hyperparameter_of_another_branch_is_passed_below():
    shown = ParallelCoordinatesDisplay.from_search(fitted("branches")).plot()
    assert np.isnan(shown.heights).any()
    assert "absent" in [text.get_text() for text in shown.ax_.texts]
    segments = shown.ax_.collections[1].get_segments()
    assert min(segment[:, 1].min() for segment in segments) == pytest.approx(-0.1)


def test_axes_are_named_after_hyperparameters_and_the_metric():
    shown = ParallelCoordinatesDisplay.from_search(fitted("several metrics")).plot()
    assert [text.get_text() for text in shown.ax_.get_xticklabels()] == [*SPACE, "up"]


def test_bars_are_the_folds_that_were_run():
    found = fitted("raced")
    shown = RacingDisplay.from_search(found).plot()
    np.testing.assert_array_equal(shown.n_folds_run, found.cv_results_["n_folds_evaluated"])
    assert shown.n_saved == 90 - found.n_fits_ > 0
    heights = {
        c.get_label(): [path.get_extents().height for path in c.get_paths()]
        for c in shown.ax_.collections
    }
    assert heights["lost the race"] == shown.n_folds_run[shown.statuses == "raced"].tolist()
    assert set(heights["all folds"]) == {3}
    assert shown.ax_.get_title(loc="right") == f"{found.n_fits_} of 90 fits run"


def test_without_racing_nothing_is_saved():
    assert RacingDisplay.from_search(fitted("usual")).n_saved == 0


@pytest.mark.parametrize("n_jobs", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_each_fit_stands_in_the_row_of_its_worker(n_jobs):
    found = search(n_jobs=n_jobs, n_iter=8).fit(X, y)
    shown = TimelineDisplay.from_search(found).plot()
    assert len(shown.begins) == found.n_fits_ == 24
    assert shown.begins[0] == 0
    assert (np.diff(shown.begins) >= 0).all()
    assert 1 <= len(shown.worker_names) <= n_jobs
    assert shown.n_unknown == 0
    assert 0 < shown.busy <= 1
    for worker in range(len(shown.worker_names)):  # one fit at a time
        rows = shown.workers == worker
        assert (shown.begins[rows][1:] >= shown.ends[rows][:-1] - 0.01).all()
    n_boxes = sum(len(c.get_paths()) for c in shown.ax_.collections)
    assert n_boxes == 24


def test_threads_are_workers_of_their_own():
    import joblib

    with joblib.parallel_backend("threading"):
        found = search(n_jobs=2, n_iter=12).fit(X, y)
    assert len(TimelineDisplay.from_search(found).worker_names) in (1, 2)


def test_fits_of_an_earlier_run_have_no_place_in_time(tmp_path):
    path = tmp_path / "search.db"
    search(storage=path, n_iter=8).fit(X, y)
    continued = search(storage=path, n_iter=10).fit(X, y)
    shown = TimelineDisplay.from_search(continued)
    assert (shown.n_unknown, len(shown.begins)) == (24, 6)
    known = search(storage=path, n_iter=10).fit(X, y)
    with pytest.raises(ValueError, match="ran its fits itself"):
        TimelineDisplay.from_search(known)
