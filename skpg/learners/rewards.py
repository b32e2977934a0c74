"""From rewards to advantages and utilities; the one place that gives failures a meaning."""

from __future__ import annotations

import numpy as np
from scipy.special import ndtri
from scipy.stats import rankdata

from skpg.space.types import FloatArray


def replace_failed(rewards: FloatArray) -> FloatArray:
    """Give failed candidates the worst finite reward.

    Parameters
    ----------
    rewards : ndarray of shape (n,)
        Those that are not finite mean failed.

    Returns
    -------
    ndarray of shape (n,)
        All finite; all zero where every candidate failed.
    """
    known = np.isfinite(rewards)
    worst = rewards[known].min() if known.any() else 0.0
    return np.where(known, rewards, worst)


def finite(rewards: FloatArray) -> FloatArray:
    """Return `replace_failed`, scaled down if differences of huge rewards would overflow."""
    replaced = replace_failed(rewards)
    return replaced / max(1.0, float(np.abs(replaced).max()))


def normalize(rewards: FloatArray) -> FloatArray:
    """Return ``(r - mean) / (std + 1e-5)``, so that scaling the rewards changes nothing.

    Equation 19 (normalize) of the user guide.
    """
    unit = max(1.0, float(np.abs(rewards).max()))  # the squares of huge rewards would overflow
    scaled = rewards / unit
    return np.asarray((scaled - scaled.mean()) / (scaled.std() + 1e-5 / unit))


def rank_utilities(rewards: FloatArray) -> FloatArray:
    """Return utilities that depend on the ranks only and sum to zero.

    ``w_i = max(0, log(n/2 + 1) - log(rank_i))``, scaled to sum to one, minus ``1/n``; equal
    rewards share the mean of their utilities. Equation 18 (rank-utilities) of the user guide.

    Parameters
    ----------
    rewards : ndarray of shape (n,)
        Higher is better; those that are not finite rank last.

    Returns
    -------
    ndarray of shape (n,)

    References
    ----------
    .. [1] D. Wierstra et al., "Natural Evolution Strategies", JMLR 15, 2014.

    Examples
    --------
    >>> import numpy as np
    >>> from skpg.learners.rewards import rank_utilities
    >>> rank_utilities(np.array([0.9, np.nan, 0.3, 0.9])).round(3)
    array([ 0.25, -0.25, -0.25,  0.25])
    """
    n = len(rewards)
    ladder = np.maximum(0.0, np.log(n / 2 + 1) - np.log(np.arange(1, n + 1)))
    ladder = ladder / ladder.sum() if n > 1 else np.ones(n)
    comparable = np.where(np.isfinite(rewards), rewards, -np.inf)
    _, group, size = np.unique(-comparable, return_inverse=True, return_counts=True)
    stop = np.cumsum(size)
    total = np.concatenate([[0.0], np.cumsum(ladder)])
    shared = (total[stop] - total[stop - size]) / size  # mean utility of equal rewards
    return np.asarray(shared[group] - 1 / n)


def spread_of(rewards: FloatArray) -> float:
    """Return a robust standard deviation of finite rewards: 0 where all are equal."""
    low, high = np.quantile(rewards, [0.25, 0.75])
    return float((high - low) / 1.35 or rewards.std())


def stalled(rewards: FloatArray, patience: int, gain: float) -> bool:
    """Whether the last `patience` rewards exceed the best one before by at most `gain`."""
    before = rewards[: max(len(rewards) - patience, 0)]
    return bool(len(before) and rewards.max() - before.max() <= gain)


def temper(rewards: FloatArray, rank_share: float) -> FloatArray:
    """Bring rewards to a scale on which a Gaussian process can model them.

    A mixture of the normal scores of the ranks, which ignore by how much the best is better,
    and of robust z-scores (median, interquartile range), clipped to [-2.5, 6], which are
    sensitive to outliers.

    Parameters
    ----------
    rewards : ndarray of shape (n,)
        nan means failed.
    rank_share : float in [0, 1]
        The share of the normal scores.

    Returns
    -------
    ndarray of shape (n,)
        With mean zero; all zero where all rewards are equal.
    """
    y = finite(rewards)
    spread = spread_of(y)
    if not spread > 0:
        return np.zeros(len(y))
    scores = ndtri((rankdata(y) - 0.5) / len(y))
    z = np.clip((y - np.median(y)) / spread, -2.5, 6)
    tempered = rank_share * scores + (1 - rank_share) * z
    return np.asarray(tempered - tempered.mean())
