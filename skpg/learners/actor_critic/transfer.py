"""Transfer: what earlier searches of the space, on other data, tell about this one.

Each earlier search has a critic of its own. What these critics predict, each times a slope, is
the prior mean of the critic of the running search, which so learns how its own rewards deviate.
The slopes come from a ridge regression of the rewards on the predictions, and shrink as the search
finds out more by itself.

References
----------
.. [1] M. Feurer et al., "Practical Transfer Learning for Bayesian Optimization", 2018.
   arXiv:1802.02219
.. [2] D. Golovin et al., "Google Vizier: A Service for Black-Box Optimization", KDD 2017.
   doi:10.1145/3097983.3098043
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from skpg.learners.actor_critic.constants import CONSTANTS
from skpg.learners.actor_critic.critic import Critic
from skpg.learners.base import Admissible, Memory
from skpg.space.features import design
from skpg.space.space import Space
from skpg.space.types import FloatArray


@dataclass(frozen=True, eq=False)
class Transfer:
    """A prior mean: an offset and the predictions of earlier critics, each times a slope.

    Attributes
    ----------
    critics : sequence of Critic
        At least one.
    slopes : ndarray of shape (n_critics,)
        At least 0: an earlier search that misleads is ignored, and not believed in reverse.
    offset : float
    """

    critics: Sequence[Critic]
    slopes: FloatArray
    offset: float

    @classmethod
    def fit(cls, critics: Sequence[Critic], x: FloatArray, y: FloatArray) -> Transfer:
        """Return the prior mean for rewards `y` at the rows of the design matrix `x`.

        Before a reward tells otherwise, the earlier searches are believed in equal parts.
        """
        k, n = len(critics), len(y)
        predicted = _predicted(critics, x)
        centre = predicted.mean(axis=0)
        m, prior = predicted - centre, np.full(k, 1 / k)
        precision = m.T @ m / CONSTANTS.transfer_noise + np.eye(k)
        slopes = prior + np.linalg.solve(
            precision, m.T @ (y - y.mean() - m @ prior) / CONSTANTS.transfer_noise
        )
        believed = CONSTANTS.transfer_rewards / (CONSTANTS.transfer_rewards + n)
        slopes = believed * np.maximum(slopes, 0.0)
        return cls(critics, slopes, float(y.mean() - centre @ slopes))

    def __call__(self, x: FloatArray) -> FloatArray:
        """Return the prior mean of rows of the design matrix, of shape (n,)."""
        return np.asarray(_predicted(self.critics, x) @ self.slopes + self.offset)


def _predicted(critics: Sequence[Critic], x: FloatArray) -> FloatArray:
    """Return what each critic predicts for each row, of shape (n, n_critics)."""
    return np.stack([critic.mean(x) for critic in critics], axis=1)


def warm_opening(
    critics: Sequence[Critic], space: Space, memory: Memory, admissible: Admissible
) -> FloatArray:
    """Return candidates of the earlier searches that their critics together believe in.

    Few, and no two alike.
    """
    actions = np.concatenate([search.actions for search in memory.earlier])
    x = design(space, actions)
    mean, free = _predicted(critics, x).mean(axis=1), admissible(actions)
    picked: list[int] = []
    while free.any() and len(picked) < CONSTANTS.transfer_believed:
        picked.append(int(np.argmax(np.where(free, mean, -np.inf))))
        alike = np.max([critic.correlation(x, x[picked[-1:]])[:, 0] for critic in critics], axis=0)
        free &= alike < CONSTANTS.transfer_correlation
    return np.asarray(actions[picked])
