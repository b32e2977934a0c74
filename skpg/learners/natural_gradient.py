"""The natural gradient, without a critic."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from skpg.learners.base import Learner, LearnerState, Memory, check_integer, check_positive
from skpg.learners.gradients import StepSizes, natural_gradient_step
from skpg.learners.rewards import rank_utilities


@dataclass(frozen=True)
class NaturalGradient(Learner):
    r"""The natural gradient of rank utilities, which does not depend on the scale of rewards.

    The gradient is preconditioned by the inverse of the Fisher matrix, which is known in
    closed form for both kinds of actors: equation 16 (natural-step) of the user guide. Its
    steps do not depend on the units of a hyperparameter, nor on how narrow the policy has
    become. Each update learns from at least the last `window` candidates, so that it also
    works when candidates are told one at a time.

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
            check_positive(self, name)
        check_integer(self, "window", 2)

    def update(self, state: LearnerState, memory: Memory, rng: np.random.Generator) -> LearnerState:
        """Take one step along the natural gradient."""
        learned = min(len(memory), max(memory.last, self.window))
        recent = slice(len(memory) - learned, None)
        steps = StepSizes(self.mean_step, self.scale_step, self.probability_step)
        climbed = natural_gradient_step(
            state.policy,
            memory.actions[recent],
            rank_utilities(memory.rewards[recent]),
            steps.scaled(min(1.0, memory.last / self.window)),
        )
        return replace(state, policy=climbed)
