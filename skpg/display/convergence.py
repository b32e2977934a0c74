"""How the best score grew."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from scipy.stats import qmc

from skpg.display.drawing import (
    BLUE,
    COLOURS,
    GREY,
    ORANGE,
    dot_size,
    legend_above,
    mark_below,
    mark_best,
    mark_failures,
    panels,
    plain,
    score_limits,
    tidy,
    whole_numbers,
)
from skpg.display.record import SearchRecord
from skpg.display.score_critic import ScoreCritic, prior_actions
from skpg.display.sources import is_results, record_of
from skpg.space.types import FloatArray

# Draws of the user's distributions, and functions of the critic, by which random search is
# estimated.
N_DRAWS, N_FUNCTIONS = 1024, 64
# Candidates with a score from which on a critic is asked.
LEAST_CANDIDATES = 10
# Points of a mean of several searches at most.
MOST_POINTS = 1000
LABELS = {"candidates": "candidates", "fits": "fits", "seconds": "seconds of all fits together"}


class ConvergenceDisplay:
    """Scores of candidates and the best so far, against candidates, fits or seconds.

    Make it with :meth:`from_search`. It answers: does the search still gain, and what would
    random search have found?

    Parameters
    ----------
    groups : dict of str to list of SearchRecord
        The searches, by label.
    random_search : ndarray of shape (3, n_candidates), default=None

    Attributes
    ----------
    scores : ndarray of shape (n_candidates,)
        Of raced candidates what their folds promise; nan for failed ones. Of several searches
        those of the first, here and below.
    statuses : ndarray of str of shape (n_candidates,)
        ``"complete"``, ``"failed"`` or ``"raced"``.
    best_so_far : ndarray of shape (n_candidates,)
        The best score of a complete candidate; nan before there is one.
    costs : dict of str to ndarray of shape (n_candidates,)
        ``"candidates"``, ``"fits"`` and ``"seconds"`` so far. Seconds are those of all fits and
        scores together, whatever ran side by side.
    random_search : ndarray of shape (3, n_candidates) or None
        The best of as many draws of the user's distributions: its mean, and the ends of the
        interval that it ends up in with a probability of 80 %. Estimated by a critic of the
        candidates, not measured.
    groups : dict of str to list of SearchRecord
    metric : str
    figure_ : matplotlib Figure
    ax_ : matplotlib Axes

    Examples
    --------
    >>> from scipy.stats import loguniform
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.svm import SVC
    >>> from skpg import PolicyGradientSearchCV
    >>> from skpg.display import ConvergenceDisplay
    >>> search = PolicyGradientSearchCV(
    ...     SVC(), {"C": loguniform(1e-3, 1e3)}, n_iter=20, random_state=0
    ... ).fit(*load_iris(return_X_y=True))
    >>> display = ConvergenceDisplay.from_search(search)
    >>> bool(display.best_so_far[-1] == search.best_score_)
    True
    >>> display.plot(x="fits")  # doctest: +SKIP
    """

    def __init__(
        self,
        groups: Mapping[str, Sequence[SearchRecord]],
        random_search: FloatArray | None = None,
    ):
        self.groups = {label: list(records) for label, records in groups.items()}
        record = next(iter(self.groups.values()))[0]
        self.scores, self.statuses = record.estimates, record.statuses
        self.best_so_far, self.costs = record.best_so_far, costs_of(record)
        self.metric = record.metric
        self.random_search = random_search

    @classmethod
    def from_search(
        cls,
        search: Any,
        *,
        metric: str | None = None,
        param_distributions: Any = None,
        random_search: bool = True,
    ) -> ConvergenceDisplay:
        """Make the display of one search, or of several.

        Parameters
        ----------
        search : search, dict, Recorder, list, or dict of these
            A fitted search of skpg or scikit-learn, what :func:`skpg.load_study` returns, or a
            :class:`Recorder`. A list of them is shown as their mean. A dict from labels to
            searches, or to lists of them, compares them.
        metric : str, default=None
            Of several metrics the one to show. None is the one that `refit` names, else the
            first.
        param_distributions : dict or list of dicts, default=None
            The space, of a stored study; None is the ranges that its candidates span. Of a
            search it is known.
        random_search : bool, default=True
            Whether to estimate what random search finds in the same space. This is done for one
            search at a time, with at least 10 candidates, whose candidates were not drawn at
            random themselves.

        Returns
        -------
        ConvergenceDisplay

        Raises
        ------
        NotFittedError, TypeError, ValueError
            If `search` cannot be shown.
        """

        def records(one_or_more: Any) -> list[SearchRecord]:
            several = one_or_more if isinstance(one_or_more, list | tuple) else [one_or_more]
            if not several:
                raise ValueError("search must not be an empty list.")
            return [
                record_of(one, metric=metric, param_distributions=param_distributions)
                for one in several
            ]

        if isinstance(search, Mapping) and not is_results(search):
            if not search:
                raise ValueError("search must not be an empty dict.")
            return cls({str(label): records(found) for label, found in search.items()})
        found = records(search)
        if len(found) > 1:
            return cls({f"mean of {len(found)} searches": found})
        enough = np.isfinite(found[0].estimates).sum() >= LEAST_CANDIDATES
        estimated = random_search and _learns(search) and enough
        return cls({"best so far": found}, expected_best(found[0]) if estimated else None)

    def plot(self, ax: Any = None, *, x: str = "candidates") -> ConvergenceDisplay:
        """Draw the display.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            None makes a figure.
        x : {'candidates', 'fits', 'seconds'}, default='candidates'
            What the search is charged with.

        Returns
        -------
        ConvergenceDisplay

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        ValueError
            If `x` is nothing of the above.
        """
        if x not in LABELS:
            raise ValueError(f"x must be one of {list(LABELS)}, got {x!r}.")
        self.figure_, axes = panels("ConvergenceDisplay.plot", ax, 1, (7.0, 4.0))
        self.ax_ = axes[0]
        if len(self.groups) == 1 and len(next(iter(self.groups.values()))) == 1:
            self._plot_one(x)
        else:
            self._plot_groups(x)
        self.ax_.set_xlabel(LABELS[x])
        if x != "seconds":
            whole_numbers(self.ax_.xaxis)
        self.ax_.set_ylabel(plain(self.metric))
        tidy(self.ax_)
        legend_above(self.ax_)
        return self

    def _plot_one(self, x: str) -> None:
        ax, cost, scores = self.ax_, self.costs[x], self.scores
        low, high = score_limits(np.append(scores, np.nanmin(self.best_so_far, initial=np.inf)))
        size = dot_size(len(scores))
        style: dict[str, Any] = {"s": size, "zorder": 2, "rasterized": len(scores) > 2000}
        shown = scores >= low
        for status, label, face in (
            ("raced", "raced, estimated", "none"),
            ("complete", "candidate", GREY),
        ):
            rows = shown & (self.statuses == status)
            if rows.any():
                ax.scatter(
                    cost[rows], scores[rows], facecolors=face, edgecolors=GREY,
                    linewidths=0.7, label=label, **style,
                )  # fmt: skip
        mark_below(ax, cost[scores < low], size)
        mark_failures(ax, cost[self.statuses == "failed"])
        if np.isfinite(self.best_so_far).any():
            line = {"color": BLUE, "lw": 2, "label": "best so far", "zorder": 4}
            ax.step(cost, self.best_so_far, where="post", **line)
            best = int(np.argmax(self.best_so_far == np.nanmax(self.best_so_far)))
            mark_best(ax, cost[best], scores[best])
        self._plot_random_search(cost)
        ax.set_ylim(low, max(high, score_limits(self._most_of_random_search())[1]))

    def _most_of_random_search(self) -> FloatArray:
        return self.scores if self.random_search is None else self.random_search[0]

    def _plot_random_search(self, cost: FloatArray) -> None:
        if self.random_search is None:
            return
        # random candidates cost as much as those of the search do in the mean
        charged = np.arange(1, len(cost) + 1) * cost[-1] / len(cost)
        middle, low, high = self.random_search
        label = "random search, estimated"
        self.ax_.plot(charged, middle, color=ORANGE, lw=1.5, ls="--", label=label, zorder=3)
        self.ax_.fill_between(charged, low, high, color=ORANGE, alpha=0.12, lw=0, zorder=1)

    def _plot_groups(self, x: str) -> None:
        ends = []
        for number, (label, records) in enumerate(self.groups.items()):
            colour, style = COLOURS[number % len(COLOURS)], ("-", "--", "-.", ":")[number % 4]
            cost, best = curves(records, x)
            mean, std = best.mean(axis=0), best.std(axis=0)
            if len(records) > 1 and len(self.groups) > 1:
                label = f"{label}, mean of {len(records)}"
            line = {"color": colour, "ls": style, "lw": 2, "label": label, "zorder": 4}
            self.ax_.step(cost, mean, where="post", **line)
            if len(records) > 1:
                self.ax_.fill_between(
                    cost, mean - std, mean + std, step="post", color=colour, alpha=0.18, lw=0
                )
            ends.append(best.ravel())
        self.ax_.set_ylim(*score_limits(np.concatenate(ends)))


def costs_of(record: SearchRecord) -> dict[str, FloatArray]:
    """Return what the candidates of a search have cost, from the first to each."""
    return {
        "candidates": np.arange(1.0, len(record) + 1),
        "fits": np.cumsum(record.n_fits).astype(float),
        "seconds": np.cumsum(record.seconds),
    }


def curves(records: Sequence[SearchRecord], x: str) -> tuple[FloatArray, FloatArray]:
    """Return common costs of searches, and the best score of each at these.

    They begin where each search has a score, and go on to the end of the longest; a search that
    has ended keeps its best.

    Returns
    -------
    costs : ndarray of shape (n,)
    best_so_far : ndarray of shape (n_searches, n)
    """
    known = [(costs_of(r)[x], r.best_so_far) for r in records if r.complete.any()]
    if not known:
        raise ValueError("no candidate has a score.")
    start = max(cost[np.isfinite(best)][0] for cost, best in known)
    grid = np.unique(np.concatenate([cost for cost, _ in known]))
    grid = grid[grid >= start]
    if len(grid) > MOST_POINTS:
        grid = grid[np.linspace(0, len(grid) - 1, MOST_POINTS).astype(int)]
    rows = [best[np.searchsorted(cost, grid, side="right") - 1] for cost, best in known]
    return grid, np.array(rows)


def expected_best(record: SearchRecord) -> FloatArray:
    """Estimate the best score of random search after each number of candidates.

    A critic of all candidates is drawn from, as functions: under each the distribution of the
    greatest of k scores follows from the scores of many draws of the user's distributions.

    Returns
    -------
    ndarray of shape (3, n_candidates)
        The mean, and the 10 % and 90 % quantiles.
    """
    rng = np.random.default_rng(0)
    uniform = qmc.Sobol(len(record.space.dimensions), seed=rng).random(N_DRAWS)
    actions = prior_actions(record.space, uniform)
    scores = np.sort(ScoreCritic.of(record).draw_scores(actions, N_FUNCTIONS, rng), axis=1)
    pooled = np.argsort(scores, axis=None)
    values, ranks = scores.ravel()[pooled], pooled % N_DRAWS
    n, below = len(record), np.arange(N_DRAWS + 1) / N_DRAWS
    numbers = np.unique(np.geomspace(1, n, min(n, 100)).round())
    rows = []
    for k in numbers:
        # the probability that the i-th of the sorted scores is the greatest of k draws
        weights = np.diff(below**k)[ranks] / N_FUNCTIONS
        ends = np.searchsorted(np.cumsum(weights), [0.1, 0.9])
        rows.append([values @ weights, *values[np.minimum(ends, len(values) - 1)]])
    curves = np.array(rows).T
    return np.array([np.interp(np.arange(1, n + 1), numbers, curve) for curve in curves])


def _learns(search: Any) -> bool:
    """Whether the candidates of a search were not drawn at random, nor from a grid."""
    return not hasattr(search, "cv_results_") or hasattr(search, "policy_")
