"""Learners: the rules that turn a policy and a memory of rewards into a better policy.

A learner is an immutable value that holds its settings. Its methods are pure functions of their
arguments, so that a search can be replayed to the bit.
"""

from skpg.learners.actor_critic import ActorCritic, ActorCriticState, GaussianProcess
from skpg.learners.base import Earlier, Learner, LearnerState, Memory
from skpg.learners.natural_gradient import NaturalGradient
from skpg.learners.reinforce import Reinforce
from skpg.learners.zeroth_order import ZerothOrder

__all__ = [
    "ActorCritic",
    "ActorCriticState",
    "Earlier",
    "GaussianProcess",
    "Learner",
    "LearnerState",
    "Memory",
    "NaturalGradient",
    "Reinforce",
    "ZerothOrder",
]
