"""Picking a batch among many actions by the predictions of a critic."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from skpg.learners.actor_critic.critic import Critic
from skpg.space.types import FloatArray

Score = Callable[[FloatArray, FloatArray], FloatArray]


@dataclass(frozen=True, eq=False)
class Improvement:
    """The score of actions that are to exceed a reward by an ambition.

    It is ``(mean - top - ambition) / std``, which grows with the probability of doing so.

    Attributes
    ----------
    top : float
        The reward to exceed.
    within : ndarray of bool of shape (n,)
        The actions that qualify.
    ambition : float
    """

    top: float
    within: NDArray[np.bool_]
    ambition: float

    def __call__(self, mean: FloatArray, std: FloatArray) -> FloatArray:
        """Return the score of each action; those that do not qualify come last."""
        scores = (mean - self.top - self.ambition) / std
        return np.asarray(np.where(self.within, scores, scores - 1e9))


def pick_one_by_one(
    critic: Critic, x: FloatArray, waiting: int, scores: Sequence[Score]
) -> NDArray[np.intp]:
    """Pick a row for each score, given the uncertainty that the earlier picks leave.

    Parameters
    ----------
    critic : Critic
    x : ndarray of shape (m, n_columns)
        Rows of the design matrix; the first `waiting` are being evaluated.
    waiting : int
    scores : sequence of callables
        Map the means and standard deviations of all rows to their scores.

    Returns
    -------
    ndarray of shape (len(scores),)
        Rows, counted from the first that is not being evaluated; fewer if there are fewer.

    References
    ----------
    .. [1] T. Desautels, A. Krause and J. W. Burdick, "Parallelizing Exploration-Exploitation
       Tradeoffs in Gaussian Process Bandit Optimization", JMLR 15, 2014.
    """
    mean, covariance = critic.predict_joint(x)
    for row in range(waiting):
        covariance = critic.after_observing(covariance, row)
    free = np.arange(len(x)) >= waiting
    picked = []
    for score in scores[: len(x) - waiting]:
        std = np.sqrt(np.maximum(np.diag(covariance), 1e-10 * critic.amplitude))
        row = int(np.argmax(np.where(free, score(mean, std), -np.inf)))
        picked.append(row - waiting)
        free[row] = False
        covariance = critic.after_observing(covariance, row)
    return np.array(picked, dtype=np.intp)
