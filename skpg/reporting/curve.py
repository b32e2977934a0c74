"""A small curve of scores as SVG, which needs no other package."""

from __future__ import annotations

from html import escape

import numpy as np
from numpy.typing import ArrayLike

from skpg.display.record import SearchRecord
from skpg.evaluation.wording import score_text
from skpg.space.types import FloatArray

WIDTH, HEIGHT = 320, 96
LEFT, RIGHT, TOP, BOTTOM = 6, 58, 10, 18
# Dots at most; of longer searches a part is drawn, the best so far as it is.
MOST_DOTS = 400


def convergence_svg(record: SearchRecord) -> str:
    """Return the scores of the candidates and the best so far, in the colour of the text.

    Scores far below the others lie at the lower edge. Empty where no candidate has a score.
    """
    scores = record.scores
    known = np.flatnonzero(np.isfinite(scores))
    if not len(known):
        return ""
    low, high = _limits(scores[known])
    n = len(scores)

    def x(i: ArrayLike) -> FloatArray:
        return LEFT + np.asarray(i, dtype=float) * (WIDTH - LEFT - RIGHT) / max(n - 1, 1)

    def y(score: ArrayLike) -> FloatArray:
        share = np.clip((np.asarray(score, dtype=float) - low) / (high - low), 0.0, 1.0)
        return TOP + (1 - share) * (HEIGHT - TOP - BOTTOM)

    dots = known[:: -(-len(known) // MOST_DOTS)]
    circles = "".join(
        f'<circle cx="{cx:.1f}" cy="{cy:.1f}" r="1.6"/>'
        for cx, cy in zip(x(dots), y(scores[dots]), strict=True)
    )
    best = record.best_so_far
    steps = np.flatnonzero(np.diff(best, prepend=-np.inf) > 0)
    steps = known[:1] if not len(steps) else steps
    path = f"M{x(steps[0]):.1f},{y(best[steps[0]]):.1f}"
    path += "".join(f"H{x(i):.1f}V{y(best[i]):.1f}" for i in steps[1:])
    path += f"H{x(n - 1):.1f}"
    end = y(best[known[-1]])
    label = escape(score_text(float(best[known[-1]])))
    return (
        f'<svg class="skpg-curve" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" role="img" '
        f'aria-label="Best score so far over {n} candidates, {label} at the end" '
        f'xmlns="http://www.w3.org/2000/svg">'
        f'<g fill="currentColor" fill-opacity="0.35">{circles}</g>'
        f'<path d="{path}" fill="none" stroke="currentColor" stroke-width="1.8"/>'
        f'<g fill="currentColor" font-size="10" font-family="inherit">'
        f'<text x="{WIDTH - RIGHT + 6}" y="{end + 3.5:.1f}">{label}</text>'
        f'<text x="{LEFT}" y="{HEIGHT - 4}" fill-opacity="0.7">1</text>'
        f'<text x="{WIDTH - RIGHT}" y="{HEIGHT - 4}" text-anchor="end" fill-opacity="0.7">'
        f"{n:,} candidate{'s' * (n > 1)}</text></g></svg>"
    )


def _limits(scores: FloatArray) -> tuple[float, float]:
    """Return limits that leave out scores far below the others."""
    low, middle, high = np.quantile(scores, [0.25, 0.5, 1.0])
    bottom = max(float(scores.min()), float(low - 4 * (middle - low) - (high - middle)))
    return bottom, float(high) if high > bottom else bottom + 1.0
