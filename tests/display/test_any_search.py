"""What holds for all displays, whatever the search."""

import subprocess
import sys

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.figure import Figure
from sklearn.exceptions import NotFittedError

import skpg
from skpg import display
from skpg.display import (
    ConvergenceDisplay,
    ImportanceDisplay,
    PairsDisplay,
    ParallelCoordinatesDisplay,
    PolicyDisplay,
    RacingDisplay,
    Recorder,
    SlicesDisplay,
    TimelineDisplay,
)
from tests.display.searches import KINDS, SPACE, X, fitted, results_of, search, y

DISPLAYS = [
    ConvergenceDisplay,
    ImportanceDisplay,
    PairsDisplay,
    ParallelCoordinatesDisplay,
    PolicyDisplay,
    RacingDisplay,
    SlicesDisplay,
    TimelineDisplay,
]
# What a display needs, which it says in a message.
NEEDS = {
    ImportanceDisplay: {"one candidate": "at least 10 candidates"},
    PairsDisplay: {"one hyperparameter": "need two hyperparameters"},
    PolicyDisplay: {"grid": "GridSearchCV has no policy", "random": "has no policy"},
    TimelineDisplay: {"grid": "ran its fits itself", "random": "ran its fits itself"},
}
quick = {ImportanceDisplay: {"n_refits": 2}}


def make(cls, found, **settings):
    return cls.from_search(found, **quick.get(cls, {}), **settings)


def axes_of(shown):
    return np.atleast_1d(shown.axes_ if hasattr(shown, "axes_") else shown.ax_)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("cls", DISPLAYS)
def test_every_display_draws_every_search_or_says_what_it_needs(cls, kind):
    needs = NEEDS.get(cls, {}).get(kind)
    if needs:
        with pytest.raises((TypeError, ValueError), match=needs):
            make(cls, fitted(kind))
        return
    shown = make(cls, fitted(kind))
    assert shown.plot() is shown
    for ax in axes_of(shown):
        assert ax.figure is shown.figure_
        assert ax.has_data()
        assert np.isfinite([*ax.get_xlim(), *ax.get_ylim()]).all()
        assert ax.get_xlabel() or isinstance(shown, ParallelCoordinatesDisplay)


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("cls", DISPLAYS)
def test_every_display_is_laid_out_without_a_warning(cls, kind, tmp_path):
    if kind not in NEEDS.get(cls, {}):
        make(cls, fitted(kind)).plot().figure_.savefig(tmp_path / "display.svg")


@pytest.mark.parametrize("cls", [c for c in DISPLAYS if c is not TimelineDisplay])
def test_a_stored_study_is_drawn_as_its_search_is(cls, tmp_path):
    path = tmp_path / "search.db"
    search(storage=path, racing="optimistic").fit(X, y)
    stored = skpg.load_study(path, param_distributions=SPACE)
    assert make(cls, stored, param_distributions=SPACE).plot().figure_
    assert make(cls, skpg.load_study(path)).plot().figure_  # with the ranges that were seen


@pytest.mark.parametrize("cls", [c for c in DISPLAYS if c is not TimelineDisplay])
def test_a_search_is_drawn_while_it_runs(cls):
    recorder, drawn = Recorder(), []

    def callback(progress):
        if progress.n_candidates == 15:
            drawn.append(make(cls, recorder).plot())

    search(callbacks=[recorder, callback], n_iter=16).fit(X, y)
    assert len(drawn) == 1


@pytest.mark.parametrize("cls", [c for c in DISPLAYS if c is not TimelineDisplay])
@pytest.mark.slow
def test_five_thousand_candidates_are_drawn(cls, tmp_path):
    settings = {} if cls is RacingDisplay else {"param_distributions": SPACE}
    shown = make(cls, results_of(5000), **settings).plot()
    shown.figure_.savefig(tmp_path / "display.png")


@pytest.mark.parametrize("cls", DISPLAYS)
def test_a_given_axes_is_used_and_its_figure_is_not_one_of_pyplot(cls):
    figure = Figure(layout="constrained")
    ax = figure.add_subplot()
    shown = make(cls, fitted("usual")).plot(ax=ax)
    assert shown.figure_ is figure
    assert not plt.get_fignums()


@pytest.mark.parametrize("cls", [PairsDisplay, PolicyDisplay, SlicesDisplay])
def test_an_array_of_axes_is_used_if_there_are_as_many_as_panels(cls):
    shown = make(cls, fitted("usual"), params=["a", "m", "k"])
    axes = Figure().subplots(1, 3)
    shown.plot(ax=axes)
    assert list(shown.axes_) == list(axes)
    with pytest.raises(ValueError, match="ax must be one Axes or an array of 3, got 2"):
        shown.plot(ax=axes[:2])


@pytest.mark.parametrize("cls", DISPLAYS)
def test_a_search_that_is_not_fitted_is_refused(cls):
    with pytest.raises(NotFittedError):
        cls.from_search(search())


@pytest.mark.parametrize("cls", DISPLAYS)
def test_the_look_of_other_figures_is_left_alone(cls):
    before = dict(plt.rcParams)
    make(cls, fitted("usual")).plot()
    assert dict(plt.rcParams) == before


def test_names_and_choices_with_dollars_are_no_mathematics():
    space = {"a": [0.1, 0.2, 0.7], "kind": ["$\\frac$", "$x_$"], "k": [1, 2]}
    found = search(space, n_iter=12).fit(X, y)
    for cls in (SlicesDisplay, PolicyDisplay, ParallelCoordinatesDisplay, PairsDisplay):
        figure = cls.from_search(found).plot().figure_
        figure.draw_without_rendering()


def test_all_displays_are_exported():
    assert {cls.__name__ for cls in DISPLAYS} == set(display.__all__) - {"Recorder"}


def test_without_matplotlib_numbers_are_there_and_plot_says_how_to_install_it():
    script = """
import sys
import skpg
print("matplotlib" in sys.modules)
sys.modules["matplotlib"] = None  # importing it fails
from tests.display.searches import fitted
shown = skpg.display.ConvergenceDisplay.from_search(fitted("ten candidates"))
print(len(shown.best_so_far))
try:
    shown.plot()
except ImportError as error:
    print(error)
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines() == [
        "False",
        "10",
        "ConvergenceDisplay.plot needs matplotlib. Install it with `pip install matplotlib`.",
    ]
