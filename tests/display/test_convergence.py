"""The best score so far, of one search and of several."""

import numpy as np
import pytest
from matplotlib.figure import Figure

from skpg.display import ConvergenceDisplay
from skpg.display.convergence import curves
from skpg.display.sources import record_of
from tests.display.searches import SPACE, X, fitted, results_of, search, y


def line_of(shown, label):
    (line,) = [line for line in shown.ax_.lines if line.get_label() == label]
    return line


@pytest.mark.parametrize(
    ("x", "end"), [("candidates", 30), ("fits", fitted("raced").n_fits_), ("seconds", None)]
)
def test_the_line_is_the_best_score_against_what_it_cost(x, end):
    found = fitted("raced")
    shown = ConvergenceDisplay.from_search(found).plot(x=x)
    line = line_of(shown, "best so far")
    np.testing.assert_array_equal(line.get_xdata(), shown.costs[x])
    np.testing.assert_array_equal(line.get_ydata(), shown.best_so_far)
    assert shown.best_so_far[-1] == found.best_score_
    assert shown.costs[x][-1] == (end if end else found._fit_log.seconds.sum())


def test_another_unit_is_refused():
    with pytest.raises(ValueError, match=r"x must be one of \['candidates', 'fits', 'seconds'\]"):
        ConvergenceDisplay.from_search(fitted("usual")).plot(x="time")


def test_candidates_failures_and_the_best_are_marked():
    found = fitted("failures")
    shown = ConvergenceDisplay.from_search(found).plot()
    dots = {c.get_label(): c.get_offsets() for c in shown.ax_.collections}
    n_failed = int((shown.statuses == "failed").sum())
    assert n_failed > 0
    assert len(dots["failed"]) == n_failed
    n_below = len(dots.get("below the axis", ()))
    assert len(dots["candidate"]) + n_below == len(shown.scores) - n_failed
    assert dots["best"].tolist() == [[found.best_index_ + 1, found.best_score_]]


def test_the_axis_is_named_after_the_metric():
    found = search(scoring="neg_mean_squared_error", n_iter=3).fit(X, y)
    assert ConvergenceDisplay.from_search(found).plot().ax_.get_ylabel() == "neg_mean_squared_error"


def test_random_search_is_estimated_as_what_it_finds():
    estimate = ConvergenceDisplay.from_search(fitted("usual")).random_search
    draws = np.sort(record_of(results_of(4000), param_distributions=SPACE).scores)
    below = np.arange(4001) / 4000
    truth = np.array([draws @ np.diff(below**k) for k in (5, 10, 20, 30)])
    np.testing.assert_allclose(estimate[0, [4, 9, 19, 29]], truth, atol=0.05)
    mean, low, high = estimate
    assert (np.diff(mean) >= 0).all()
    assert ((low <= high) & (low <= mean)).all()
    shown = ConvergenceDisplay.from_search(fitted("usual")).plot()
    assert line_of(shown, "random search, estimated")


@pytest.mark.parametrize(
    ("found", "settings"),
    [
        ("random", {}),
        ("grid", {}),
        ("one candidate", {}),
        ("usual", {"random_search": False}),
    ],
)
def test_random_search_is_not_estimated_where_it_is_not_asked_for_or_known(found, settings):
    assert ConvergenceDisplay.from_search(fitted(found), **settings).random_search is None


def test_a_list_of_searches_is_their_mean_and_spread():
    several = [fitted("usual"), fitted("raced")]
    shown = ConvergenceDisplay.from_search(several).plot()
    best = np.array([ConvergenceDisplay.from_search(s).best_so_far for s in several])
    line = line_of(shown, "mean of 2 searches")
    np.testing.assert_allclose(line.get_ydata(), best.mean(axis=0))
    assert len(shown.ax_.collections) == 1  # the band


def test_a_dict_compares_searches():
    groups = {"ours": [fitted("usual"), fitted("raced")], "random": fitted("random")}
    shown = ConvergenceDisplay.from_search(groups).plot(x="fits")
    assert [line.get_label() for line in shown.ax_.lines] == ["ours, mean of 2", "random"]
    assert list(shown.groups) == ["ours", "random"]
    assert len(shown.groups["ours"]) == 2


def test_a_search_that_has_ended_keeps_its_best():
    short, whole = record_of(fitted("ten candidates")), record_of(fitted("usual"))
    costs, best = curves([short, whole], "candidates")
    assert costs[-1] == 30
    assert best[0, -1] == short.best_so_far[-1]
    assert best[1, -1] == whole.best_so_far[-1]


@pytest.mark.parametrize("width", [3, 5, 9])
def test_the_legend_is_no_wider_than_its_axes(width):
    figure = Figure(figsize=(width, 4), layout="constrained")
    groups = {"a search with a long name": fitted("usual"), "another one": fitted("random")}
    groups |= {"a third search": fitted("raced")}
    shown = ConvergenceDisplay.from_search(groups).plot(ax=figure.add_subplot())
    figure.draw_without_rendering()
    legend = shown.ax_.get_legend().get_window_extent()
    assert legend.width <= figure.bbox.width
    assert shown.ax_.get_window_extent().width > 0.7 * figure.bbox.width


@pytest.mark.parametrize("nothing", [[], {}])
def test_no_search_is_refused(nothing):
    with pytest.raises(ValueError, match="search must not be an empty"):
        ConvergenceDisplay.from_search(nothing)


def test_a_study_in_which_everything_failed_is_drawn_without_a_line():
    results = results_of(3)
    for name in results:
        if "score" in name and "time" not in name:
            results[name] = np.full(3, np.nan)
    shown = ConvergenceDisplay.from_search(results).plot()
    assert [c.get_label() for c in shown.ax_.collections] == ["failed"]
    assert not shown.ax_.lines
