"""What every learner is, and what it learns from."""

from __future__ import annotations

import numbers
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from skpg._policy import Policy
from skpg._space import FloatArray, is_positive

Admissible = Callable[[FloatArray], NDArray[np.bool_]]


@dataclass(frozen=True, eq=False)
class Memory:
    """Everything that was told to a search, in the order in which it was told.

    Attributes
    ----------
    actions : ndarray of shape (n, n_dimensions)
    rewards : ndarray of shape (n,)
        nan where a candidate failed.
    updates : ndarray of int of shape (n,)
        The update of the policy that each belongs to, from 0.
    pending : ndarray of shape (m, n_dimensions)
        Actions that were asked and not told yet.
    """

    actions: FloatArray
    rewards: FloatArray
    updates: NDArray[np.intp]
    pending: FloatArray

    @classmethod
    def empty(cls, n_dimensions: int) -> Memory:
        """Return a memory of nothing."""
        nothing = np.empty((0, n_dimensions))
        return cls(nothing, np.empty(0), np.empty(0, dtype=np.intp), nothing)

    def __len__(self) -> int:
        return len(self.rewards)

    @property
    def last(self) -> int:
        """Number of candidates in the last update."""
        return int((self.updates == self.updates[-1]).sum()) if len(self) else 0


class Learner(ABC):
    """What every learner can do; only `update` must be supplied.

    Subclass it as a frozen dataclass to bring a rule of your own.
    """

    def initial_policy(self, prior: Policy) -> Policy:
        """Return the policy that draws the first batch; the user's distributions as a rule."""
        return prior

    @abstractmethod
    def update(self, policy: Policy, memory: Memory, rng: np.random.Generator) -> Policy:
        """Return the policy after the last update's rewards.

        Parameters
        ----------
        policy : Policy
            The policy before the rewards.
        memory : Memory
            All rewards, the new ones last.
        rng : numpy.random.Generator
            The only source of randomness.
        """

    def propose(
        self,
        policy: Policy,
        memory: Memory,
        n: int,
        rng: np.random.Generator,
        admissible: Admissible,
    ) -> FloatArray:
        """Return up to `n` new actions for the next batch.

        Parameters
        ----------
        policy : Policy
        memory : Memory
        n : int
        rng : numpy.random.Generator
        admissible : callable
            From actions of shape (m, n_dimensions) to a mask of those that may be proposed
            and differ from each other.

        Returns
        -------
        ndarray of shape (m, n_dimensions), m <= n
            Where it returns fewer, the optimizer fills up from the user's distributions.
        """
        actions = policy.sample_actions(n, rng)
        for _ in range(20):
            actions = actions[admissible(actions)]
            if len(actions) >= n:
                break
            actions = np.concatenate([actions, policy.sample_actions(n, rng)])
        return actions[admissible(actions)][:n]

    def recommend(self, policy: Policy, memory: Memory) -> FloatArray:
        """Return the action that the learner believes to be the best; the mode as a rule."""
        return policy.mode_action()


def check_positive(learner: Learner, name: str) -> None:
    """Raise a ValueError unless a setting is a positive, finite number."""
    value = getattr(learner, name)
    if not is_positive(value):
        raise ValueError(f"{name} must be a positive number, got {value!r}.")


def check_integer(learner: Learner, name: str, least: int) -> None:
    """Raise a ValueError unless a setting is an integer of at least `least`."""
    value = getattr(learner, name)
    if not isinstance(value, numbers.Integral) or isinstance(value, bool):
        raise ValueError(f"{name} must be an integer, got {value!r}.")
    if value < least:
        raise ValueError(f"{name} must be at least {least}, got {value!r}.")


def check_bool(learner: Learner, name: str) -> None:
    """Raise a ValueError unless a setting is True or False."""
    value = getattr(learner, name)
    if not isinstance(value, bool | np.bool_):
        raise ValueError(f"{name} must be True or False, got {value!r}.")
