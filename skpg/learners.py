"""Learners: the rules that turn a policy and a memory of rewards into a better policy.

A learner is an immutable value that holds its settings. Its methods are pure: what they
return depends on their arguments only, so that a search can be replayed to the bit.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from skpg._gradients import Baseline, StepSizes, drawn_values_gradient, natural_gradient_step
from skpg._policy import Policy
from skpg._rewards import normalize, rank_utilities, replace_failed
from skpg._space import FloatArray

__all__ = ["Learner", "Memory", "NaturalGradient", "Reinforce"]

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


@dataclass(frozen=True)
class Reinforce(Learner):
    r"""The seed of this project: REINFORCE as in F. Odom's articles.

    After each batch, ``theta += learning_rate * gradient`` with the estimate of
    :math:`E[r \nabla_\theta \log p_\theta(a)]`. Gaussian actors average
    :math:`(r - b) \nabla \log p` over the batch; of a list, only the values that were drawn
    move, each by the average over its own draws.

    It is here to be read and to be compared with. `NaturalGradient` needs several times
    fewer candidates.

    Parameters
    ----------
    learning_rate : float, default=0.1
    baseline : {"mean", "optimal"} or None, default="mean"
        What is subtracted from the rewards; the optimal one is
        :math:`E[r \|\nabla\log p\|^2]/E[\|\nabla\log p\|^2]`.
    normalize : bool, default=True
        Divide rewards by their standard deviation in the batch (plus 1e-5), after
        subtracting their mean.

    References
    ----------
    .. [1] R. J. Williams, "Simple statistical gradient-following algorithms for
       connectionist reinforcement learning", Machine Learning 8, 1992.
       doi:10.1007/BF00992696
    .. [2] F. Odom, "Hyperparameter tuning with policy gradients", 2020.

    Examples
    --------
    >>> from skpg import PolicyGradientOptimizer
    >>> from skpg.learners import Reinforce
    >>> optimizer = PolicyGradientOptimizer(
    ...     {"depth": [1, 2, 3]}, learner=Reinforce(learning_rate=1.0), random_state=0
    ... )
    >>> batch = optimizer.ask(3)
    >>> optimizer.tell(batch, [params["depth"] for params in batch])
    >>> optimizer.policy.mode()
    {'depth': 3}
    """

    learning_rate: float = 0.1
    baseline: Baseline = "mean"
    normalize: bool = True

    def __post_init__(self) -> None:
        _check_positive(self, "learning_rate")
        if self.baseline not in ("mean", "optimal", None):
            raise ValueError(f"baseline must be 'mean', 'optimal' or None, got {self.baseline!r}.")

    def update(self, policy: Policy, memory: Memory, rng: np.random.Generator) -> Policy:
        """Take one step along the estimated gradient."""
        new = slice(len(memory) - memory.last, None)
        rewards = replace_failed(memory.rewards[new])
        if self.normalize:
            rewards = normalize(rewards)
        gradient = drawn_values_gradient(policy, memory.actions[new], rewards, self.baseline)
        return policy.with_theta(policy.theta + self.learning_rate * gradient)


@dataclass(frozen=True)
class NaturalGradient(Learner):
    r"""The natural gradient of rank utilities: no scale of rewards, no factor of 1000.

    The gradient is preconditioned by the inverse of the Fisher matrix, which is known in
    closed form for both kinds of actors. Its steps are the same whatever the units of a
    hyperparameter and however narrow the policy has become. Each update learns from the
    last `window` candidates at least, so that it also works when candidates are told one
    at a time.

    Parameters
    ----------
    mean_step : float, default=0.7
        Step size of the mean of a Gaussian actor, in units of its standard deviation.
    scale_step : float, default=0.5
        Step size of the logarithm of its standard deviation.
    probability_step : float, default=0.5
        Step size of the probabilities of a list.
    window : int, default=10
        Least number of candidates to learn from. When fewer are new, the step sizes shrink
        in proportion.

    References
    ----------
    .. [1] S. Amari, "Natural gradient works efficiently in learning", Neural Computation
       10, 1998. doi:10.1162/089976698300017746
    .. [2] D. Wierstra et al., "Natural Evolution Strategies", JMLR 15, 2014.
    .. [3] R. Hamano et al., "CatCMA: Stochastic optimization for mixed-category problems",
       GECCO 2024. arXiv:2405.09962

    Examples
    --------
    >>> from scipy.stats import uniform
    >>> from skpg import PolicyGradientOptimizer
    >>> from skpg.learners import NaturalGradient
    >>> optimizer = PolicyGradientOptimizer(
    ...     {"x": uniform(0, 100)}, learner=NaturalGradient(), random_state=0
    ... )
    >>> for _ in range(20):
    ...     batch = optimizer.ask(10)
    ...     optimizer.tell(batch, [-((params["x"] - 73) ** 2) for params in batch])
    >>> round(optimizer.recommend()["x"])
    73
    """

    mean_step: float = 0.7
    scale_step: float = 0.5
    probability_step: float = 0.5
    window: int = 10

    def __post_init__(self) -> None:
        for name in ("mean_step", "scale_step", "probability_step"):
            _check_positive(self, name)
        if self.window < 2:
            raise ValueError(f"window must be at least 2, got {self.window!r}.")

    def update(self, policy: Policy, memory: Memory, rng: np.random.Generator) -> Policy:
        """Take one step along the natural gradient."""
        learned = min(len(memory), max(memory.last, self.window))
        recent = slice(len(memory) - learned, None)
        steps = StepSizes(self.mean_step, self.scale_step, self.probability_step)
        return natural_gradient_step(
            policy,
            memory.actions[recent],
            rank_utilities(memory.rewards[recent]),
            steps.scaled(min(1.0, memory.last / self.window)),
        )


def _check_positive(learner: Learner, name: str) -> None:
    value = getattr(learner, name)
    if not isinstance(value, int | float) or isinstance(value, bool) or not value > 0:
        raise ValueError(f"{name} must be a positive number, got {value!r}.")
