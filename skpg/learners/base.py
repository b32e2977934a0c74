"""The interface of all learners, and the memory of rewards that they learn from."""

from __future__ import annotations

import numbers
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from skpg.learners.rewards import replace_failed
from skpg.policy.policy import Policy
from skpg.space.scalars import is_positive
from skpg.space.space import Space
from skpg.space.types import FloatArray


class Admissible(Protocol):
    """Tells a learner which actions may be proposed."""

    @property
    def refused(self) -> int:
        """Number of new candidates that the user's constraint has refused so far."""

    def __call__(self, actions: FloatArray, /) -> NDArray[np.bool_]:
        """Return which actions may be proposed; of equal ones only the first."""


@dataclass(frozen=True, eq=False)
class Earlier:
    """What an earlier search of the same space has found out, on other data.

    Its rewards are not those of the running search: only how they differ among each other may
    tell something about it.

    Attributes
    ----------
    actions : ndarray of shape (n, n_dimensions)
    rewards : ndarray of shape (n,)
        At least two of them finite; nan where a candidate failed.
    """

    actions: FloatArray
    rewards: FloatArray


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
    earlier : tuple of Earlier
        Earlier searches that the user wants to be learned from, the same ones at any time.
    """

    actions: FloatArray
    rewards: FloatArray
    updates: NDArray[np.intp]
    pending: FloatArray
    earlier: tuple[Earlier, ...] = ()

    @classmethod
    def empty(cls, n_dimensions: int, earlier: tuple[Earlier, ...] = ()) -> Memory:
        """Return a memory without candidates."""
        nothing = np.empty((0, n_dimensions))
        return cls(nothing, np.empty(0), np.empty(0, dtype=np.intp), nothing, earlier)

    @property
    def best(self) -> FloatArray:
        """The action with the greatest reward, of shape (n_dimensions,)."""
        return np.asarray(self.actions[np.argmax(replace_failed(self.rewards))])

    def __len__(self) -> int:
        return len(self.rewards)

    @property
    def last(self) -> int:
        """Number of candidates in the last update."""
        return int((self.updates == self.updates[-1]).sum()) if len(self) else 0


@dataclass(frozen=True, eq=False)
class LearnerState:
    """What a learner has learned: a policy, and in subclasses further values.

    Attributes
    ----------
    policy : Policy
        The distribution that the next candidates come from.
    """

    policy: Policy

    @property
    def space(self) -> Space:
        """The space of the policy."""
        return self.policy.space


class Learner(ABC):
    """Base class of all learners; a subclass must supply `update` only.

    Subclass it as a frozen dataclass to write a learner of your own. A learner that keeps more
    than a policy subclasses `LearnerState` too, and supplies `init`.

    Attributes
    ----------
    opening : int
        Number of candidates that a search begins with, at least: they are proposed together,
        before the first reward, in however small batches they are evaluated.
    in_flight : int or None
        Candidates in flight with which the learner searches best if each is told at once; None
        where it learns from batches.
    uses_earlier : bool
        Whether it learns from ``memory.earlier``. Otherwise `warm_start_from` is refused.
    """

    opening: ClassVar[int] = 1
    in_flight: ClassVar[int | None] = None
    uses_earlier: ClassVar[bool] = False

    def opening_with(self, memory: Memory) -> int:
        """Return how many candidates a search begins with, given what is known before.

        Parameters
        ----------
        memory : Memory
            Without rewards; ``memory.earlier`` may have earlier searches.

        Returns
        -------
        int
            By default `opening`.
        """
        return self.opening

    def init(self, space: Space) -> LearnerState:
        """Return the state before any reward; by default the user's distributions.

        Parameters
        ----------
        space : Space

        Returns
        -------
        LearnerState
        """
        return LearnerState(Policy.prior(space))

    @abstractmethod
    def update(self, state: Any, memory: Memory, rng: np.random.Generator) -> LearnerState:
        """Return the state after new rewards.

        Parameters
        ----------
        state : LearnerState
            The state before these rewards; ``dataclasses.replace(state, policy=...)``
            returns a state with another policy.
        memory : Memory
            All rewards, the new ones last.
        rng : numpy.random.Generator
            The only source of randomness.

        Returns
        -------
        LearnerState
        """

    def propose(
        self,
        state: Any,
        memory: Memory,
        n: int,
        rng: np.random.Generator,
        admissible: Admissible,
    ) -> FloatArray:
        """Return up to `n` new actions for the next batch.

        Parameters
        ----------
        state : LearnerState
        memory : Memory
        n : int
        rng : numpy.random.Generator
        admissible : callable
            Maps actions of shape (m, n_dimensions) to a mask of those that may be proposed;
            of equal actions only the first. Its attribute `refused` counts those that the user's
            constraint has refused.

        Returns
        -------
        ndarray of shape (m, n_dimensions), m <= n
            If there are fewer, the optimizer adds draws of the user's distributions.
        """
        actions = state.policy.sample_actions(n, rng)
        for _ in range(20):
            actions = actions[admissible(actions)]
            if len(actions) >= n:
                break
            actions = np.concatenate([actions, state.policy.sample_actions(n, rng)])
        return actions[admissible(actions)][:n]

    def recommend(self, state: Any, memory: Memory) -> FloatArray:
        """Return the learner's estimate of the best action; by default the mode of the policy.

        Parameters
        ----------
        state : LearnerState
        memory : Memory

        Returns
        -------
        ndarray of shape (n_dimensions,)
        """
        return state.policy.mode_action()


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
