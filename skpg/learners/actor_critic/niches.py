"""Niches: regions that a search has left because they brought no more gain."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from skpg.learners.actor_critic.constants import CONSTANTS
from skpg.learners.actor_critic.critic import Critic
from skpg.learners.base import Memory
from skpg.learners.rewards import finite, spread_of, stalled
from skpg.space.features import design
from skpg.space.space import Space
from skpg.space.types import FloatArray


@dataclass(frozen=True, eq=False)
class Niches:
    """The niches that a search has left, and the best candidate outside of them.

    Sequential niching [1]_: the policy narrows onto one optimum, and the critic predicts
    little elsewhere, where it has seen untuned values only. So when a niche brings no more
    gain, some of the candidates leave it and improve on the best candidate outside of it. All
    niches share one critic.

    Attributes
    ----------
    left : tuple of ndarray of shape (n_dimensions,)
        The best action of each niche that was left.
    since : int
        Number of rewards when the last one was left.
    parent : ndarray of shape (n_dimensions,) or None
        The best action outside of them; None if no niche was left yet, or if no candidate lies
        outside.

    References
    ----------
    .. [1] D. Beasley, D. R. Bull and R. R. Martin, "A Sequential Niche Technique for
       Multimodal Function Optimization", Evolutionary Computation 1(2), 1993.
       doi:10.1162/evco.1993.1.2.101
    """

    left: tuple[FloatArray, ...] = ()
    since: int = 0
    parent: FloatArray | None = None

    def outside(self, critic: Critic, x: FloatArray, space: Space) -> NDArray[np.bool_]:
        """Return which rows of the design matrix `x` lie in none of the niches."""
        if not self.left:
            return np.ones(len(x), dtype=bool)
        return np.asarray(
            critic.correlation(x, design(space, np.array(self.left))).max(axis=1)
            < CONSTANTS.niche_correlation
        )

    def updated(self, critic: Critic, memory: Memory, space: Space) -> Niches:
        """Return the niches after new rewards: one more if there was no gain."""
        rewards = finite(memory.rewards)
        outside = self.outside(critic, design(space, memory.actions), space)
        there = np.where(outside, rewards, -np.inf)
        n, best = len(there), memory.actions[np.argmax(there)]
        waited = n - self.since >= CONSTANTS.niche_patience
        if not outside.any():
            return Niches(self.left[1:], n) if waited else Niches(self.left, self.since)
        if not (
            waited and stalled(there, CONSTANTS.niche_patience, CONSTANTS.gain * spread_of(rewards))
        ):
            return Niches(self.left, self.since, best if self.left else None)
        left = (*self.left, best)[-CONSTANTS.most_niches :]
        return Niches(left, n).updated(critic, memory, space)
