"""All candidates as lines through their hyperparameters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from skpg.display.drawing import (
    GREY,
    MOST_TICKS,
    ORANGE,
    panels,
    plain,
    score_limits,
    score_map,
)
from skpg.display.record import SearchRecord
from skpg.display.scales import Scale, scales_of
from skpg.display.sources import record_of
from skpg.space.types import FloatArray

# Where lines pass a hyperparameter that a candidate does not have, and where failures end.
ABSENT = -0.1


class ParallelCoordinatesDisplay:
    """Candidates as lines: one axis per hyperparameter, the last one the score.

    Make it with :meth:`from_search`. The colour is the score, the best candidate a thick line.
    A line that passes below an axis does not have that hyperparameter; one that ends below the
    score has failed.

    Parameters
    ----------
    record : SearchRecord
    scales : list of Scale

    Attributes
    ----------
    heights : ndarray of shape (n_candidates, n_hyperparameters + 1)
        Of each line on each axis: 0 is its lower end, 1 its upper end; nan where a candidate
        does not have the hyperparameter, or no score.
    scores : ndarray of shape (n_candidates,)
        Of raced candidates what their folds promise; nan for failed ones.
    scales : list of Scale
    figure_ : matplotlib Figure
    ax_ : matplotlib Axes

    Examples
    --------
    >>> from scipy.stats import loguniform
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.svm import SVC
    >>> from skpg import PolicyGradientSearchCV
    >>> from skpg.display import ParallelCoordinatesDisplay
    >>> search = PolicyGradientSearchCV(
    ...     SVC(), {"C": loguniform(1e-3, 1e3), "kernel": ["rbf", "linear"]}, n_iter=20
    ... ).fit(*load_iris(return_X_y=True))
    >>> ParallelCoordinatesDisplay.from_search(search).heights.shape
    (20, 3)
    """

    def __init__(self, record: SearchRecord, scales: Sequence[Scale]):
        self.record, self.scales, self.scores = record, list(scales), record.estimates
        columns = [s.fractions(s.positions(record.resolved[:, s.column])) for s in scales]
        self.score_limits = score_limits(self.scores)
        low, high = self.score_limits
        columns.append(np.clip((self.scores - low) / (high - low), 0.0, 1.0))
        self.heights = np.stack(columns, axis=1)

    @classmethod
    def from_search(
        cls,
        search: Any,
        *,
        params: Sequence[str] | None = None,
        metric: str | None = None,
        param_distributions: Any = None,
    ) -> ParallelCoordinatesDisplay:
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
        ParallelCoordinatesDisplay

        Raises
        ------
        NotFittedError, TypeError, ValueError
            If `search` cannot be shown.
        """
        record = record_of(search, metric=metric, param_distributions=param_distributions)
        return cls(record, scales_of(record, params))

    @property
    def figsize(self) -> tuple[float, float]:
        """Width and height in inches that a figure needs."""
        return max(1.05 * (len(self.scales) + 1) + 0.6, 5.0), 4.0

    def plot(self, ax: Any = None) -> ParallelCoordinatesDisplay:
        """Draw the display.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            None makes a figure.

        Returns
        -------
        ParallelCoordinatesDisplay

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        """
        caller = "ParallelCoordinatesDisplay.plot"
        self.figure_, axes = panels(caller, ax, 1, self.figsize)
        self.ax_ = axes[0]
        self._plot_lines()
        self._plot_axes()
        return self

    def _plot_lines(self) -> None:
        from matplotlib.collections import LineCollection

        n, m = self.heights.shape
        heights = np.where(np.isnan(self.heights), ABSENT, self.heights)
        lines = np.stack([np.broadcast_to(np.arange(m), (n, m)), heights], axis=2)
        known = np.flatnonzero(np.isfinite(self.scores))
        known = known[np.argsort(self.scores[known], kind="stable")]  # the best on top
        alpha = float(np.clip(30.0 / np.sqrt(n), 0.15, 1.0) ** 0.5)
        style: dict[str, Any] = {"rasterized": n > 500, "capstyle": "round"}
        collection = LineCollection(
            list(lines[known]), array=self.scores[known], cmap=score_map(), lw=1.0, alpha=alpha,
            **style,
        )  # fmt: skip
        low, high = self.score_limits
        collection.set_clim(low, high)
        failed = self.record.failed
        self.ax_.add_collection(
            LineCollection(list(lines[failed]), colors=GREY, lw=0.8, ls=":", alpha=alpha, **style)
        )
        self.ax_.add_collection(collection)
        best = self.record.best
        if best is not None:
            self.ax_.plot(*lines[best].T, color=ORANGE, lw=2.4, zorder=5, label="best")

    def _plot_axes(self) -> None:
        ax, last = self.ax_, len(self.scales)
        for place, scale in enumerate(self.scales):
            self._plot_axis(place, *_ticks(scale))
        low, high = self.score_limits
        values = _between(low, high, logarithmic=False, whole=False)
        self._plot_axis(last, (values - low) / (high - low), [f"{v:.4g}" for v in values])
        titles = [plain(s.title) for s in self.scales] + [plain(self.record.metric)]
        turned = max(map(len, titles)) > 12
        turn = {"rotation": 25, "ha": "left", "rotation_mode": "anchor"} if turned else {}
        ax.set_xticks(range(last + 1), titles, **turn)
        ax.xaxis.tick_top()
        ax.tick_params(axis="x", length=0)
        ax.set_yticks([])
        for spine in ax.spines.values():
            spine.set_visible(False)
        ax.set_xlim(-0.1, last + 0.55)
        absent = np.isnan(self.heights)
        ax.set_ylim(ABSENT - 0.04 if absent.any() else -0.04, 1.03)
        if absent[:, :-1].any():
            ax.text(-0.08, ABSENT, "absent", fontsize="x-small", ha="right", va="center")
        if self.record.failed.any():
            ax.text(last + 0.06, ABSENT, "failed", fontsize="x-small", va="center")

    def _plot_axis(self, place: int, heights: FloatArray, labels: Sequence[str]) -> None:
        from matplotlib.patheffects import withStroke

        background = self.ax_.get_facecolor()
        self.ax_.vlines(place, 0, 1, color=GREY, lw=1.2, zorder=6)
        for height, label in zip(heights, labels, strict=True):
            self.ax_.plot([place, place + 0.04], [height, height], color=GREY, lw=1.2, zorder=6)
            text = self.ax_.text(
                place + 0.06, height, plain(label), fontsize="x-small", va="center", zorder=7
            )
            text.set_path_effects([withStroke(linewidth=2.5, foreground=background)])


def _ticks(scale: Scale) -> tuple[FloatArray, list[str]]:
    """Return the heights of ticks and what is written there."""
    if scale.is_list:
        places = np.arange(0, len(scale.labels), -(-len(scale.labels) // MOST_TICKS))
        return scale.fractions(places.astype(float)), [scale.labels[k] for k in places]
    values = _between(scale.low, scale.high, logarithmic=scale.logarithmic, whole=scale.whole)
    return scale.fractions(values), [f"{value:.4g}" for value in values]


def _between(low: float, high: float, *, logarithmic: bool, whole: bool) -> FloatArray:
    """Return round numbers between two ends."""
    from matplotlib.ticker import LogLocator, MaxNLocator

    locator: Any = MaxNLocator(5, integer=whole)
    if logarithmic:
        subs = (1.0,) if high / low >= 100 else (1.0, 2.0, 5.0)
        locator = LogLocator(subs=subs, numticks=6)
    values = np.asarray(locator.tick_values(low, high), dtype=float)
    return (
        values[(values >= low * (1 - 1e-9)) & (values <= high)]
        if low > 0
        else values[(values >= low) & (values <= high)]
    )
