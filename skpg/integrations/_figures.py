"""Figures that trackers store."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from skpg._space import FloatArray

# Colours that people with colour blindness can tell apart (Okabe and Ito 2008).
BLUE, ORANGE, GREY = "#0072B2", "#D55E00", "#9A9A9A"


def convergence_figure(scores: FloatArray, statuses: list[str], metric: str) -> Figure:
    """Draw the score of each candidate, and the best so far.

    Parameters
    ----------
    scores : ndarray of shape (n_candidates,)
        In the order of evaluation; nan where there is none.
    statuses : list of str
        ``"complete"``, ``"failed"`` or ``"raced"`` for each.
    metric : str
    """
    figure = Figure(figsize=(7, 4), layout="constrained", dpi=120)
    axes = figure.add_subplot()
    number = np.arange(1, len(scores) + 1)
    known = np.isfinite(scores)
    axes.scatter(number[known], scores[known], s=16, color=GREY, label="candidate", zorder=2)
    if known.any():
        best = np.fmax.accumulate(np.where(known, scores, -np.inf))
        best[np.isneginf(best)] = np.nan
        axes.step(number, best, where="post", color=BLUE, lw=2, label="best so far", zorder=3)
        axes.set_ylim(*_limits(scores[known]))
    for status, marker, color in (("failed", "x", ORANGE), ("raced", "|", GREY)):
        rows = number[np.array(statuses) == status]
        if len(rows):
            # at the lower edge: these candidates have no score
            axes.scatter(
                rows,
                np.full(len(rows), 0.02),
                s=28,
                marker=marker,
                color=color,
                label=status,
                transform=axes.get_xaxis_transform(),
                zorder=4,
            )
    axes.set_xlabel("candidate")
    axes.set_ylabel(metric)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.grid(axis="y", color="#E5E5E5")
    axes.spines[["top", "right"]].set_visible(False)
    figure.legend(loc="outside upper center", ncols=4, frameon=False, fontsize="small")
    return figure


def _limits(scores: FloatArray) -> tuple[float, float]:
    """Return limits that leave out hopeless outliers, as a diverging fit has."""
    low, middle, high = np.quantile(scores, [0.25, 0.5, 1.0])
    bottom = max(float(scores.min()), float(low - 4 * (middle - low) - (high - middle)))
    margin = 0.06 * (high - bottom) or 0.06 * max(abs(high), 1e-3)
    return bottom - margin, high + margin
