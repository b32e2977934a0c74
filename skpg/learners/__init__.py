"""Learners: the rules that turn a policy and a memory of rewards into a better policy.

A learner is an immutable value that holds its settings. Its methods are pure: what they
return depends on their arguments only, so that a search can be replayed to the bit.
"""

from skpg._critic import GaussianProcess
from skpg.learners._actor_critic import ActorCritic
from skpg.learners._base import Learner, Memory
from skpg.learners._natural_gradient import NaturalGradient
from skpg.learners._reinforce import Reinforce
from skpg.learners._zeroth_order import ZerothOrder

__all__ = [
    "ActorCritic",
    "GaussianProcess",
    "Learner",
    "Memory",
    "NaturalGradient",
    "Reinforce",
    "ZerothOrder",
]
