"""Scores, times and reasons in the words of everything that is printed."""

from __future__ import annotations

import math

# Why a search ended, as the end of a sentence that begins with "It stopped because".
STOP_REASONS = {
    "n_iter": "all candidates were evaluated",
    "timeout": "the seconds of timeout were over",
    "target_score": "a candidate reached target_score",
    "patience": "no better candidate came for as long as patience allows",
    "callback": "a callback asked to stop",
    "interrupted": "it was interrupted",
    "exhausted": "no other candidates were left",
}


def score_text(score: float) -> str:
    """Return a score with four decimals, or with four digits where these would not show it.

    Examples
    --------
    >>> from skpg.evaluation.wording import score_text
    >>> score_text(0.97333), score_text(-1234.5), score_text(2.5e-05), score_text(-3e9)
    ('0.9733', '-1234.5000', '2.5e-05', '-3e+09')
    """
    if score == 0 or not math.isfinite(score) or 1e-3 <= abs(score) < 1e6:
        return f"{score:.4f}"
    return f"{score:.4g}"


def duration(seconds: float) -> str:
    """Return a time in the two greatest units that it has.

    Examples
    --------
    >>> from skpg.evaluation.wording import duration
    >>> duration(0.24), duration(8.2), duration(75), duration(7380), duration(200_000)
    ('0.2 s', '8 s', '1 min 15 s', '2 h 3 min', '2 d 7 h')
    """
    if seconds < 0.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    for size, unit, part, smaller in (
        (86_400, "d", 3600, "h"),
        (3600, "h", 60, "min"),
        (60, "min", 1, "s"),
    ):
        if whole >= size:
            rest = whole % size // part
            return f"{whole // size} {unit}" + (f" {rest} {smaller}" if rest else "")
    return f"{whole} s"
