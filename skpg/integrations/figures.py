"""Figures that trackers store."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from skpg.space.types import FloatArray

# Colours that people with colour blindness can tell apart (Okabe and Ito 2008).
BLUE, ORANGE, GREY = "#0072B2", "#D55E00", "#8A8A8A"


def convergence_figure(scores: FloatArray, statuses: list[str]) -> Figure:
    """Draw the score of each candidate, and the best so far.

    Parameters
    ----------
    scores : ndarray of shape (n_candidates,)
        In the order of evaluation; of raced candidates the mean of the folds that were run,
        nan for failed ones.
    statuses : list of str
        ``"complete"``, ``"failed"`` or ``"raced"`` for each.
    """
    figure = Figure(figsize=(7, 4), layout="constrained", dpi=120)
    axes = figure.add_subplot()
    number, status = np.arange(1, len(scores) + 1), np.array(statuses)
    complete, raced, failed = (status == s for s in ("complete", "raced", "failed"))
    if raced.any():
        label = "raced, folds that were run"
        x, y = number[raced], scores[raced]
        axes.scatter(x, y, s=16, facecolors="none", edgecolors=GREY, label=label, zorder=2)
    if complete.any():
        axes.scatter(number[complete], scores[complete], s=16, c=GREY, label="candidate", zorder=3)
        best = np.maximum.accumulate(np.where(complete, scores, -np.inf))
        best[np.isneginf(best)] = np.nan
        axes.step(number, best, where="post", color=BLUE, lw=2, label="best so far", zorder=4)
    known = scores[np.isfinite(scores)]
    if len(known):
        axes.set_ylim(*_limits(known))
    if failed.any():
        # they have no score: at the lower edge
        x, y = number[failed], np.full(failed.sum(), 0.02)
        edge = axes.get_xaxis_transform()
        axes.scatter(x, y, marker="x", c=ORANGE, label="failed", transform=edge)
    axes.set_xlabel("candidate")
    axes.set_ylabel("mean test score")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.grid(axis="y", color="#E5E5E5")
    axes.spines[["top", "right"]].set_visible(False)
    figure.legend(loc="outside upper center", ncols=4, frameon=False, fontsize="small")
    return figure


def _limits(scores: FloatArray) -> tuple[float, float]:
    """Return limits that leave out hopeless outliers, as a fit that diverges has."""
    low, middle, high = np.quantile(scores, [0.25, 0.5, 1.0])
    bottom = max(float(scores.min()), float(low - 4 * (middle - low) - (high - middle)))
    margin = 0.06 * (high - bottom) or 0.06 * max(abs(high), 1e-3)
    return bottom - margin, high + margin
