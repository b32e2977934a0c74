"""The default learner: a critic fitted to all rewards, and a policy that climbs on it."""

from skpg.learners.actor_critic.critic import GaussianProcess
from skpg.learners.actor_critic.learner import ActorCritic
from skpg.learners.actor_critic.state import ActorCriticState

__all__ = ["ActorCritic", "ActorCriticState", "GaussianProcess"]
