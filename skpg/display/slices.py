"""The score against each hyperparameter."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from skpg.display.drawing import (
    BLUE,
    GREY,
    SKY,
    dot_size,
    grid_size,
    legend_of_panels,
    mark_below,
    mark_best,
    mark_failures,
    panels,
    plain,
    score_limits,
    set_scale,
    tidy,
)
from skpg.display.record import SearchRecord
from skpg.display.scales import Scale, scales_of
from skpg.display.score_critic import ScoreCritic
from skpg.display.sources import record_of
from skpg.space.types import FloatArray

# Points of a curve.
N_POINTS = 101
# Candidates with a score from which on a critic is fitted.
LEAST_CANDIDATES = 5


@dataclass(frozen=True, eq=False)
class Slice:
    """What a critic expects if one hyperparameter of a candidate changes.

    Attributes
    ----------
    positions : ndarray of shape (m,)
        On the axis: values of a number, places of a choice.
    median, low, high : ndarray of shape (m,)
        Of the expected score, and the ends of its central 80 %.
    """

    positions: FloatArray
    median: FloatArray
    low: FloatArray
    high: FloatArray


class SlicesDisplay:
    """The score of candidates against each hyperparameter, with what a critic expects.

    Make it with :meth:`from_search`. Dots are candidates. The line is what a Gaussian process
    of all of them expects if this hyperparameter of the best candidate changes and the others
    stay; the band is its central 80 %. Dotted lines mark the ends of the range: where the line
    still rises at one, a wider range may have better candidates.

    Parameters
    ----------
    record : SearchRecord
    scales : list of Scale
    critic : ScoreCritic or None, default=None

    Attributes
    ----------
    positions : dict of int to ndarray of shape (n_candidates,)
        For the column in the space of each hyperparameter, where candidates stand on its axis:
        values of numbers, places of choices in the order of `scales`; nan where a candidate
        does not have it.
    scores : ndarray of shape (n_candidates,)
        Of raced candidates what their folds promise; nan for failed ones.
    slices : dict of int to Slice
        By column; empty with less than 5 candidates that have a score.
    scales : list of Scale
    figure_ : matplotlib Figure
    axes_ : ndarray of matplotlib Axes

    Examples
    --------
    >>> from scipy.stats import loguniform
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.svm import SVC
    >>> from skpg import PolicyGradientSearchCV
    >>> from skpg.display import SlicesDisplay
    >>> search = PolicyGradientSearchCV(
    ...     SVC(), {"C": loguniform(1e-3, 1e3)}, n_iter=20, random_state=0
    ... ).fit(*load_iris(return_X_y=True))
    >>> display = SlicesDisplay.from_search(search)
    >>> display.slices[0].median.shape
    (101,)
    >>> display.plot()  # doctest: +SKIP
    """

    def __init__(
        self, record: SearchRecord, scales: Sequence[Scale], critic: ScoreCritic | None = None
    ):
        self.record, self.scales, self.scores = record, list(scales), record.estimates
        self.positions = {s.column: s.positions(record.resolved[:, s.column]) for s in scales}
        self.slices = {} if critic is None else self._slices(critic)

    @classmethod
    def from_search(
        cls,
        search: Any,
        *,
        params: Sequence[str] | None = None,
        metric: str | None = None,
        param_distributions: Any = None,
    ) -> SlicesDisplay:
        """Make the display of a search.

        Parameters
        ----------
        search : fitted search, dict or Recorder
            Of skpg or scikit-learn, what :func:`skpg.load_study` returns, or a
            :class:`Recorder`.
        params : list of str, default=None
            The hyperparameters to show; None is all that have more than one value.
        metric : str, default=None
            Of several metrics the one to show. None is the one that `refit` names, else the
            first.
        param_distributions : dict or list of dicts, default=None
            The space, of a stored study; None is the ranges that its candidates span.

        Returns
        -------
        SlicesDisplay

        Raises
        ------
        NotFittedError, TypeError, ValueError
            If `search` cannot be shown.
        """
        record = record_of(search, metric=metric, param_distributions=param_distributions)
        enough = np.isfinite(record.estimates).sum() >= LEAST_CANDIDATES
        return cls(record, scales_of(record, params), ScoreCritic.of(record) if enough else None)

    @property
    def figsize(self) -> tuple[float, float]:
        """Width and height in inches that a figure of all panels needs."""
        return grid_size(len(self.scales), 4, (2.4, 2.2))

    def plot(self, ax: Any = None) -> SlicesDisplay:
        """Draw the display.

        Parameters
        ----------
        ax : matplotlib Axes or array of them, default=None
            One is divided into as many as there are hyperparameters; None makes a figure.

        Returns
        -------
        SlicesDisplay

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        """
        n = len(self.scales)
        self.figure_, self.axes_ = panels("SlicesDisplay.plot", ax, n, self.figsize, sharey=True)
        for number, (panel, scale) in enumerate(zip(self.axes_, self.scales, strict=True)):
            tidy(panel)
            set_scale(panel, scale)
            self._plot_slice(panel, scale)
            self._plot_candidates(panel, scale)
            if number % 4 == 0:
                panel.set_ylabel(plain(self.record.metric))
        self.axes_[0].set_ylim(*score_limits(self.scores))
        if ax is None:
            legend_of_panels(self.figure_, self.axes_)
        return self

    def _slices(self, critic: ScoreCritic) -> dict[int, Slice]:
        found = {}
        for scale in self.scales:
            base = _best_with(self.record, scale.column)
            if base is None:
                continue
            grid = scale.grid(N_POINTS)
            actions = np.tile(self.record.actions[base], (len(grid), 1))
            actions[:, scale.column] = scale.dimension.action(grid)
            if scale.column == 0 and self.record.space.branches > 1:
                actions = _best_of_branches(self.record, grid)
                grid = grid[~np.isnan(actions[:, 0])]
                actions = actions[~np.isnan(actions[:, 0])]
            found[scale.column] = Slice(scale.positions(grid), *critic.expected(actions))
        return found

    def _plot_slice(self, ax: Any, scale: Scale) -> None:
        for end in scale.ends:
            if end is not None and scale.low <= end <= scale.high:
                ax.axvline(end, color=GREY, lw=1, ls=":", zorder=1, label="end of the range")
        found = self.slices.get(scale.column)
        if found is None:
            return
        if scale.is_list:
            ends = np.maximum([found.median - found.low, found.high - found.median], 0.0)
            ax.errorbar(
                found.positions, found.median, ends, fmt="_", color=BLUE, ms=16, mew=2, lw=5,
                elinewidth=6, ecolor=(*_rgb(SKY), 0.45), zorder=2,
            )  # fmt: skip
        else:
            band = {"color": SKY, "alpha": 0.35, "lw": 0}
            ax.fill_between(found.positions, found.low, found.high, **band)
            label = "best with another value, by a critic"
            ax.plot(found.positions, found.median, color=BLUE, lw=1.8, zorder=4, label=label)

    def _plot_candidates(self, ax: Any, scale: Scale) -> None:
        record, x = self.record, self.positions[scale.column].copy()
        if scale.is_list:  # side by side, where they would hide each other
            x = x + np.random.default_rng(0).uniform(-0.25, 0.25, len(x))
        low, _ = score_limits(self.scores)
        size = dot_size(len(record))
        for rows, face, label in (
            (record.complete, GREY, "candidate"),
            (record.raced, "none", "raced, estimated"),
        ):
            shown = rows & (self.scores >= low) & ~np.isnan(x)
            if shown.any():
                ax.scatter(
                    x[shown], self.scores[shown], s=size, facecolors=face, edgecolors=GREY, lw=0.7,
                    alpha=0.8, zorder=3, rasterized=len(record) > 2000, label=label,
                )  # fmt: skip
        mark_below(ax, x[(self.scores < low) & ~np.isnan(x)], size)
        mark_failures(ax, x[record.failed & ~np.isnan(x)])
        best = record.best
        if best is not None and not np.isnan(x[best]):
            mark_best(ax, self.positions[scale.column][best], self.scores[best])


def _best_with(record: SearchRecord, column: int) -> int | None:
    """Return the best candidate that has a hyperparameter; None where none has a score."""
    scores = np.where(np.isnan(record.actions[:, column]), np.nan, record.estimates)
    best = record.best
    if best is not None and np.isfinite(scores[best]):
        return best
    return int(np.nanargmax(scores)) if np.isfinite(scores).any() else None


def _best_of_branches(record: SearchRecord, branches: FloatArray) -> FloatArray:
    """Return the actions of the best candidate of each branch; nan where there is none."""
    rows = np.full((len(branches), len(record.space.dimensions)), np.nan)
    for row, branch in zip(rows, branches, strict=True):
        scores = np.where(record.actions[:, 0] == branch, record.estimates, np.nan)
        if np.isfinite(scores).any():
            row[:] = record.actions[int(np.nanargmax(scores))]
    return rows


def _rgb(colour: str) -> tuple[float, ...]:
    from matplotlib.colors import to_rgb

    return to_rgb(colour)
