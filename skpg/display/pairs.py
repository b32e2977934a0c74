"""What a critic expects of two hyperparameters together."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import Any

import numpy as np

from skpg.display.drawing import (
    ORANGE,
    dot_size,
    grid_size,
    mark_best,
    panels,
    plain,
    score_map,
    set_scale,
)
from skpg.display.importance import most_important
from skpg.display.record import SearchRecord
from skpg.display.scales import Scale, scales_of
from skpg.display.score_critic import ScoreCritic
from skpg.display.sources import record_of
from skpg.space.dimensions import Branch
from skpg.space.types import FloatArray

# Hyperparameters that are shown unless others are asked for.
N_SHOWN = 4
# Points of a surface along a hyperparameter.
N_POINTS = 40


class PairsDisplay:
    """The score that a critic expects, over each pair of hyperparameters.

    Make it with :meth:`from_search`. The other hyperparameters are those of the best candidate
    that has both. Dots are all candidates, whatever their other hyperparameters; crosses are
    failed ones; the star is the best one. Where a ridge runs aslant, the good values of one
    depend on the other.

    Parameters
    ----------
    record : SearchRecord
    scales : list of Scale
    critic : ScoreCritic

    Attributes
    ----------
    scales : list of Scale
        The hyperparameters that are shown.
    pairs : list of (int, int)
        Positions in `scales`: of the horizontal axis, of the vertical one.
    surfaces : dict of (int, int) to ndarray of shape (n_y, n_x)
        The median of the expected score. A pair of different branches has none.
    grids : list of ndarray
        The positions along the axis of each hyperparameter.
    figure_ : matplotlib Figure
    axes_ : ndarray of matplotlib Axes
        One per pair.

    Examples
    --------
    >>> from scipy.stats import loguniform
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.svm import SVC
    >>> from skpg import PolicyGradientSearchCV
    >>> from skpg.display import PairsDisplay
    >>> search = PolicyGradientSearchCV(
    ...     SVC(), {"C": loguniform(1e-3, 1e3), "gamma": loguniform(1e-4, 1e1)}, n_iter=30
    ... ).fit(*load_iris(return_X_y=True))
    >>> PairsDisplay.from_search(search).surfaces[0, 1].shape
    (40, 40)
    """

    def __init__(self, record: SearchRecord, scales: Sequence[Scale], critic: ScoreCritic):
        self.record, self.scales = record, list(scales)
        resolved = [scale.grid(N_POINTS) for scale in scales]
        self.grids = [s.positions(grid) for s, grid in zip(scales, resolved, strict=True)]
        self.pairs = [
            pair for pair in combinations(range(len(scales)), 2)
            if _base(record, [scales[k].column for k in pair]) is not None
        ]  # fmt: skip
        self.surfaces = {
            (i, j): _surface(record, critic, (scales[i], scales[j]), (resolved[i], resolved[j]))
            for i, j in self.pairs
        }

    @classmethod
    def from_search(
        cls,
        search: Any,
        *,
        params: Sequence[str] | None = None,
        metric: str | None = None,
        param_distributions: Any = None,
    ) -> PairsDisplay:
        """Make the display of a search.

        Parameters
        ----------
        search : fitted search, dict or Recorder
            Of skpg or scikit-learn, what :func:`skpg.load_study` returns, or a
            :class:`Recorder`.
        params : list of str, default=None
            At least two hyperparameters; None is the four with the greatest total effects (see
            :class:`ImportanceDisplay`).
        metric : str, default=None
            Of several metrics the one to show. None is the one that `refit` names, else the
            first.
        param_distributions : dict or list of dicts, default=None
            The space, of a stored study; None is the ranges that its candidates span.

        Returns
        -------
        PairsDisplay

        Raises
        ------
        NotFittedError, TypeError
            If `search` cannot be shown.
        ValueError
            As well, or if there are not two hyperparameters that some candidate has together.
        """
        record = record_of(search, metric=metric, param_distributions=param_distributions)
        critic = ScoreCritic.of(record)
        # a candidate of another branch has other hyperparameters, which a pair cannot show
        scales = [s for s in scales_of(record, params) if not isinstance(s.dimension, Branch)]
        if params is None and len(scales) > N_SHOWN:
            scales = most_important(critic, scales, N_SHOWN)
        display = cls(record, scales, critic)
        if not display.pairs:
            raise ValueError(
                "pairs need two hyperparameters that a candidate has together, got "
                f"{[scale.name for scale in scales]}."
            )
        return display

    @property
    def figsize(self) -> tuple[float, float]:
        """Width and height in inches that a figure of all panels needs."""
        return grid_size(len(self.pairs), 3, (3.0, 2.6), margin=(0.8, 0.2))

    def plot(self, ax: Any = None) -> PairsDisplay:
        """Draw the display.

        Parameters
        ----------
        ax : matplotlib Axes or array of them, default=None
            One is divided into as many as there are pairs; None makes a figure.

        Returns
        -------
        PairsDisplay

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        """
        n = len(self.pairs)
        self.figure_, self.axes_ = panels("PairsDisplay.plot", ax, n, self.figsize, 3)
        surfaces = np.concatenate([s.ravel() for s in self.surfaces.values()])
        # hopeless corners do not take up the colours
        low, high = np.quantile(surfaces, 0.1), surfaces.max()
        for panel, pair in zip(self.axes_, self.pairs, strict=True):
            image = self._plot_pair(panel, pair, low, high)
        self.figure_.colorbar(
            image, ax=list(self.axes_), label=plain(f"{self.record.metric}, by a critic"),
            extend="min", shrink=0.8, aspect=30,
        )  # fmt: skip
        return self

    def _plot_pair(self, ax: Any, pair: tuple[int, int], low: float, high: float) -> Any:
        i, j = pair
        x, y, record = self.scales[i], self.scales[j], self.record
        image = ax.pcolormesh(
            _edges(self.grids[i], x), _edges(self.grids[j], y), self.surfaces[pair],
            cmap=score_map(), vmin=low, vmax=high, rasterized=True,
        )  # fmt: skip
        limits = ax.get_xlim(), ax.get_ylim()
        set_scale(ax, x, "x")
        set_scale(ax, y, "y")
        ax.set(xlim=limits[0], ylim=limits[1])
        places = _spread([x, y], record)
        size = 0.6 * dot_size(len(record))
        shown = ~record.failed
        ax.scatter(
            *places[:, shown], s=size, color="black", edgecolors="white", lw=0.4, alpha=0.7,
            rasterized=len(record) > 2000,
        )  # fmt: skip
        ax.scatter(*places[:, record.failed], s=14, marker="x", color=ORANGE, lw=1.0)
        if record.best is not None and not np.isnan(places[:, record.best]).any():
            x_best, y_best = places[:, record.best]
            mark_best(ax, x_best, y_best, "white", "black")
        return image


def _base(record: SearchRecord, columns: Sequence[int]) -> int | None:
    """Return the best candidate that has all of some hyperparameters; None where none has."""
    has = np.asarray(~np.isnan(record.actions[:, list(columns)]).any(axis=1))
    scores = np.where(has, record.estimates, np.nan)
    if record.best is not None and has[record.best]:
        return record.best
    return int(np.nanargmax(scores)) if np.isfinite(scores).any() else None


def _surface(
    record: SearchRecord,
    critic: ScoreCritic,
    scales: tuple[Scale, Scale],
    grids: tuple[FloatArray, FloatArray],
) -> FloatArray:
    x, y = (s.dimension.action(grid) for s, grid in zip(scales, grids, strict=True))
    base = _base(record, [s.column for s in scales])
    actions = np.tile(record.actions[base], (len(x) * len(y), 1)).reshape(len(y), len(x), -1)
    actions[:, :, scales[0].column] = x
    actions[:, :, scales[1].column] = y[:, None]
    return critic.expected(actions.reshape(len(x) * len(y), -1))[0].reshape(len(y), len(x))


def _edges(positions: FloatArray, scale: Scale) -> FloatArray:
    """Return the borders of cells around positions."""
    if len(positions) == 1:
        return np.array([scale.low, scale.high])
    places = np.log(positions) if scale.logarithmic else positions
    middles = (places[1:] + places[:-1]) / 2
    edges = np.concatenate([
        [2 * places[0] - middles[0]], middles, [2 * places[-1] - middles[-1]],
    ])  # fmt: skip
    return np.asarray(np.exp(edges) if scale.logarithmic else edges)


def _spread(scales: Sequence[Scale], record: SearchRecord) -> FloatArray:
    """Return the positions of candidates, those of one choice side by side."""
    rng, rows = np.random.default_rng(0), []
    for scale in scales:
        places = scale.positions(record.resolved[:, scale.column])
        rows.append(places + rng.uniform(-0.3, 0.3, len(places)) * scale.is_list)
    return np.array(rows)
