"""The zeroth-order gradient of the policy's mode."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from skpg.learners.base import Admissible, Learner, LearnerState, Memory, check_bool, check_positive
from skpg.learners.gradients import baseline_value, zeroth_order_gradient
from skpg.learners.rewards import normalize, replace_failed
from skpg.policy.actors import GaussianActor
from skpg.policy.policy import Policy
from skpg.space.space import Space
from skpg.space.types import FloatArray

# In standard deviations. This learner did not draw what lies farther off: it comes from the
# user's `initial_params`, was told without being asked, or is the rest of a finite space.
FARTHEST_DIRECTION = 5.0
# Candidates from which an update takes a full step: an estimate from one is mostly noise.
WHOLE_BATCH = 10


@dataclass(frozen=True)
class ZerothOrder(Learner):
    r"""The zeroth-order gradient: perturb the parameters and evaluate the mode.

    Each candidate is the *mode* of a perturbed policy, of parameters
    :math:`\theta + \epsilon u` with :math:`u \sim N(0, I)`. After each batch, ``theta +=
    learning_rate * gradient`` with the estimate of
    :math:`E[(r(\theta + \epsilon u) - b)\, u / \epsilon]`, the gradient of the reward of the
    mode, smoothed over :math:`\epsilon`: equation 25 (zeroth-order) of the user guide.

    The direction :math:`u` is not stored. For a distribution it follows from the mode. For a
    list the mode only shows which choice came first, and the expectation of :math:`u` given
    that choice is used, equation 32 (expected-direction), which reduces the variance of the
    estimate and keeps its expectation. So it also learns from candidates that it never
    proposed.

    It is a local method, for comparison with `Reinforce`: it begins at the medians of the
    distributions and takes steps of `epsilon` standard deviations.

    Parameters
    ----------
    epsilon : float, default=0.3
        Length of the perturbations: for a distribution in standard deviations of the user's
        distribution in probit space, for a list in nats of its logits.
    baseline : {"current", "optimal"} or None, default="current"
        What is subtracted from the rewards. "current" is the reward of the mode itself,
        which is evaluated as the first candidate after each update, unless its reward is
        known; "optimal" is :math:`E[r \|u\|^2]/E[\|u\|^2]` over the batch.
    antithetic : bool, default=True
        Draw perturbations in pairs of opposite directions.
    learning_rate : float, default=0.1
        For an update with ten candidates; with fewer it shrinks in proportion.
    normalize : bool, default=True
        Subtract from the rewards the mean of all so far, and divide them by their standard
        deviation plus 1e-5. Steps become smaller as the batches become more alike.

    References
    ----------
    .. [1] J. Su, "Policy gradient and zeroth-order optimisation lead to the same place", 2020.
    .. [2] Y. Nesterov and V. Spokoiny, "Random Gradient-Free Minimization of Convex
       Functions", Foundations of Computational Mathematics 17, 2017.
       doi:10.1007/s10208-015-9296-2

    Examples
    --------
    >>> from scipy.stats import uniform
    >>> from skpg import PolicyGradientOptimizer
    >>> from skpg.learners import ZerothOrder
    >>> optimizer = PolicyGradientOptimizer(
    ...     {"x": uniform(0, 100)}, learner=ZerothOrder(epsilon=0.1), random_state=0
    ... )
    >>> for _ in range(10):
    ...     batch = optimizer.ask(10)
    ...     optimizer.tell(batch, [-((params["x"] - 73) ** 2) for params in batch])
    >>> abs(optimizer.recommend()["x"] - 73) < 1
    True
    """

    epsilon: float = 0.3
    baseline: Literal["current", "optimal"] | None = "current"
    antithetic: bool = True
    learning_rate: float = 0.1
    normalize: bool = True

    def __post_init__(self) -> None:
        check_positive(self, "epsilon")
        check_positive(self, "learning_rate")
        check_bool(self, "antithetic")
        check_bool(self, "normalize")
        if self.baseline not in ("current", "optimal", None):
            raise ValueError(
                f"baseline must be 'current', 'optimal' or None, got {self.baseline!r}."
            )

    def init(self, space: Space) -> LearnerState:
        """Return the prior with distributions as narrow as the perturbed modes spread."""
        prior = Policy.prior(space)
        narrow = tuple(
            GaussianActor(actor.mu, float(np.log(self.epsilon)))
            if isinstance(actor, GaussianActor)
            else actor
            for actor in prior.actors
        )
        return LearnerState(prior.with_actors(narrow))

    def update(self, state: LearnerState, memory: Memory, rng: np.random.Generator) -> LearnerState:
        """Take one step along the estimated gradient."""
        policy, rewards = state.policy, replace_failed(memory.rewards)
        if self.normalize:
            rewards = normalize(rewards)
        at_mode = _at_mode(policy, memory)
        new = np.arange(len(memory)) >= len(memory) - memory.last
        if self.baseline == "current":
            new &= ~at_mode  # the candidate that was not perturbed is the baseline
        directions = policy.expected_directions(memory.actions[new], self.epsilon)
        near = (np.abs(directions) <= FARTHEST_DIRECTION).all(axis=1)
        if not near.any():
            return state
        directions, drawn = directions[near], rewards[new][near]
        baseline = self._baseline(drawn, directions, rewards[at_mode])
        gradient = zeroth_order_gradient(drawn, directions, self.epsilon, baseline)
        step = self.learning_rate * min(1.0, memory.last / WHOLE_BATCH)
        return replace(state, policy=policy.with_theta(policy.theta + step * gradient))

    def propose(
        self,
        state: LearnerState,
        memory: Memory,
        n: int,
        rng: np.random.Generator,
        admissible: Admissible,
    ) -> FloatArray:
        """Return modes of perturbed policies; first the mode itself, if it is the baseline."""
        policy = state.policy
        actions = policy.mode_action()[None]
        if self.baseline != "current":
            actions = actions[:0]
        for _ in range(20):
            actions = actions[admissible(actions)]
            if len(actions) >= n:
                break
            noise = self.epsilon * self._directions(n, len(policy.theta), rng)
            actions = np.concatenate([actions, policy.perturbed_modes(noise)])
        return actions[admissible(actions)][:n]

    def _baseline(self, rewards: FloatArray, directions: FloatArray, current: FloatArray) -> float:
        if self.baseline != "current":
            return baseline_value(rewards, directions, self.baseline)
        if len(current):
            return float(current[-1])
        return float(rewards.mean())  # the mode still waits for its reward

    def _directions(self, n: int, n_theta: int, rng: np.random.Generator) -> FloatArray:
        """Draw at least `n` standard normal directions, opposite ones side by side."""
        if not self.antithetic:
            return rng.standard_normal((n, n_theta))
        half = rng.standard_normal(((n + 1) // 2, n_theta))
        return np.stack([half, -half], axis=1).reshape(-1, n_theta)


def _at_mode(policy: Policy, memory: Memory) -> NDArray[np.bool_]:
    """Return which candidates are the mode of the policy."""
    mode = policy.space.resolve(policy.mode_action()[None])
    resolved = policy.space.resolve(memory.actions)
    return np.asarray(((resolved == mode) | (np.isnan(resolved) & np.isnan(mode))).all(axis=1))
