"""The state of the default learner."""

from __future__ import annotations

from dataclasses import dataclass, field

from skpg.learners.actor_critic.critic import Critic
from skpg.learners.actor_critic.explorer import Explorer
from skpg.learners.actor_critic.niches import Niches
from skpg.learners.base import LearnerState
from skpg.space.features import without_inert
from skpg.space.types import FloatArray


@dataclass(frozen=True, eq=False)
class ActorCriticState(LearnerState):
    """A policy with the critic that improved it.

    Attributes
    ----------
    critic : Critic or None
        None before the first rewards.
    fitted : int
        Number of rewards when the length scales of the critic were last fitted.
    improved : int
        Number of rewards when the policy last took its steps.
    niches : Niches
    explorer : Explorer
    earlier : tuple of Critic
        One of each earlier search; empty before the first rewards.
    """

    critic: Critic | None = None
    fitted: int = 0
    improved: int = 0
    niches: Niches = field(default_factory=Niches)
    explorer: Explorer = field(default_factory=Explorer)
    earlier: tuple[Critic, ...] = ()

    @property
    def known_critic(self) -> Critic:
        """The critic; there are rewards."""
        assert self.critic is not None
        return self.critic

    def parent(self, action: FloatArray) -> FloatArray:
        """Return an action to perturb: nan for hyperparameters that are switched off."""
        return without_inert(self.known_critic.features, self.space, action)
