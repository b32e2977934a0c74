"""REINFORCE, as in the articles."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from skpg.learners.base import Learner, LearnerState, Memory, check_bool, check_positive
from skpg.learners.gradients import Baseline, drawn_values_gradient
from skpg.learners.rewards import normalize, replace_failed


@dataclass(frozen=True)
class Reinforce(Learner):
    r"""REINFORCE as in F. Odom's articles, which this project started from.

    After each batch, ``theta += learning_rate * gradient`` with the estimate of
    :math:`E[r \nabla_\theta \log p_\theta(a)]`. Gaussian actors average
    :math:`(r - b) \nabla \log p` over the batch; in a list only the drawn values move, each by
    the average over its own draws.

    It is meant for reading and for comparisons: `NaturalGradient` needs several times fewer
    candidates.

    Parameters
    ----------
    learning_rate : float, default=0.1
    baseline : {"mean", "optimal"} or None, default="mean"
        What is subtracted from the rewards; the optimal one is
        :math:`E[r \|\nabla\log p\|^2]/E[\|\nabla\log p\|^2]` over the batch, equation 7
        (optimal-baseline) of the user guide.
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
        check_positive(self, "learning_rate")
        check_bool(self, "normalize")
        if self.baseline not in ("mean", "optimal", None):
            raise ValueError(f"baseline must be 'mean', 'optimal' or None, got {self.baseline!r}.")

    def update(self, state: LearnerState, memory: Memory, rng: np.random.Generator) -> LearnerState:
        """Take one step along the estimated gradient."""
        policy, new = state.policy, slice(len(memory) - memory.last, None)
        rewards = replace_failed(memory.rewards[new])
        if self.normalize:
            rewards = normalize(rewards)
        gradient = drawn_values_gradient(policy, memory.actions[new], rewards, self.baseline)
        climbed = policy.with_theta(policy.theta + self.learning_rate * gradient)
        return replace(state, policy=climbed)
