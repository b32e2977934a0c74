"""Estimates of the gradient of the expected reward from a batch of drawn actions.

All estimates point uphill: they are to be *added* to the parameters of the policy. Equation
numbers and labels refer to the user guide, "The mathematics".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from skpg.policy.actors import Actor, CategoricalActor, GaussianActor
from skpg.policy.policy import Policy
from skpg.space.dimensions.quantiles import LARGEST_Z
from skpg.space.types import FloatArray

Baseline = Literal["mean", "optimal"] | None

# A Gaussian actor narrower than this draws equal doubles in any practical space.
SMALLEST_LOG_SIGMA = -12.0
LARGEST_LOG_SIGMA = 0.0  # never wider than the user's own distribution


def baseline_value(rewards: FloatArray, scores: FloatArray, baseline: Baseline) -> float:
    r"""Return the constant to subtract from the rewards, which keeps the expected gradient.

    Parameters
    ----------
    rewards : ndarray of shape (n,)
    scores : ndarray of shape (n, n_theta)
        What the rewards are to be multiplied by: :math:`\nabla_\theta \log p_\theta(a)` of
        each action, or the directions of a zeroth-order estimate, equation 27
        (zeroth-order-baseline).
    baseline : {"mean", "optimal"} or None
        "mean" is :math:`E[r]`; "optimal" is
        :math:`E[r \|\nabla \log p\|^2] / E[\|\nabla \log p\|^2]`, which minimises the
        variance of the estimate: equation 7 (optimal-baseline).

    References
    ----------
    .. [1] E. Greensmith, P. L. Bartlett and J. Baxter, "Variance Reduction Techniques for
       Gradient Estimates in Reinforcement Learning", JMLR 5, 2004.
    """
    if baseline is None:
        return 0.0
    if baseline == "mean":
        return float(rewards.mean())
    weights = (scores**2).sum(axis=1)
    total = weights.sum()
    return float(rewards @ weights / total) if total > 0 else float(rewards.mean())


def policy_gradient(
    policy: Policy, actions: FloatArray, rewards: FloatArray, baseline: Baseline = "mean"
) -> FloatArray:
    r"""Return REINFORCE's estimate :math:`\frac1n \sum_i (r_i - b) \nabla \log p(a_i)`.

    Equation 5 (baseline).

    Parameters
    ----------
    policy : Policy
    actions : ndarray of shape (n, n_dimensions)
        Drawn from `policy`.
    rewards : ndarray of shape (n,)
        Finite.
    baseline : {"mean", "optimal"} or None, default="mean"

    Returns
    -------
    ndarray of shape (n_theta,)

    References
    ----------
    .. [1] R. J. Williams, "Simple statistical gradient-following algorithms for
       connectionist reinforcement learning", Machine Learning 8, 1992.
       doi:10.1007/BF00992696
    """
    scores = policy.grad_log_prob(actions)
    advantages = rewards - baseline_value(rewards, scores, baseline)
    return np.asarray(advantages @ scores / len(rewards))


def drawn_values_gradient(
    policy: Policy, actions: FloatArray, rewards: FloatArray, baseline: Baseline = "mean"
) -> FloatArray:
    """Return the estimate of the article: in a list only the drawn values move.

    For Gaussian actors it is `policy_gradient`. For categorical actors the logit of each
    value that was drawn moves by the mean over *its own* draws of
    ``(r - b) * (1 - p_k)``; the others stay. Equation 10 (drawn-values).

    Parameters and returned array are those of `policy_gradient`.

    References
    ----------
    .. [1] F. Odom, "Hyperparameter tuning with policy gradients", 2020.
    """
    scores = policy.grad_log_prob(actions)
    advantages = rewards - baseline_value(rewards, scores, baseline)
    gradient = advantages @ scores / len(rewards)
    active = policy.space.active(actions)
    stop = 0
    for j, actor in enumerate(policy.actors):
        start, stop = stop, stop + len(actor.theta)
        if isinstance(actor, CategoricalActor):
            drawn = actions[active[:, j], j].astype(int)
            sums = np.bincount(drawn, advantages[active[:, j]], minlength=stop - start)
            counts = np.bincount(drawn, minlength=stop - start)
            gradient[start:stop] = sums / np.maximum(counts, 1) * (1 - actor.probabilities)
    return np.asarray(gradient)


def zeroth_order_gradient(
    rewards: FloatArray, directions: FloatArray, epsilon: float, baseline: float = 0.0
) -> FloatArray:
    r"""Return the zeroth-order estimate :math:`\frac1n \sum_i (r_i - b) u_i / \epsilon`.

    Equation 25 (zeroth-order).

    Parameters
    ----------
    rewards : ndarray of shape (n,)
        Of the function at :math:`\theta + \epsilon u_i`; finite.
    directions : ndarray of shape (n, n_theta)
        The standard normal :math:`u_i`, or their expectation given what the rewards depend
        on: `Policy.expected_directions`.
    epsilon : float
    baseline : float, default=0.0
        Any constant leaves the expectation unchanged.

    Returns
    -------
    ndarray of shape (n_theta,)

    References
    ----------
    .. [1] Y. Nesterov and V. Spokoiny, "Random Gradient-Free Minimization of Convex
       Functions", Foundations of Computational Mathematics 17, 2017.
       doi:10.1007/s10208-015-9296-2
    """
    return np.asarray((rewards - baseline) @ directions / (len(rewards) * epsilon))


@dataclass(frozen=True)
class StepSizes:
    """Step sizes of the natural gradient.

    Parameters
    ----------
    mean : float
        Of the mean of a Gaussian actor, in units of its standard deviation.
    scale : float
        Of the logarithm of its standard deviation.
    probability : float
        Of the probabilities of a categorical actor.
    """

    mean: float
    scale: float
    probability: float

    def scaled(self, factor: float) -> StepSizes:
        """Return all three multiplied by `factor`."""
        return StepSizes(self.mean * factor, self.scale * factor, self.probability * factor)


def natural_gradient_step(
    policy: Policy, actions: FloatArray, utilities: FloatArray, steps: StepSizes
) -> Policy:
    r"""Return the policy after one step along the natural gradient.

    With :math:`\epsilon = (z - \mu) / \sigma`, one-hot rows :math:`e_a`, and utilities
    :math:`w` that sum to zero:

    .. math::
        \mu \mathrel{+}= \eta_\mu \sigma \sum_i w_i \epsilon_i, \quad
        \log \sigma \mathrel{+}= \tfrac{\eta_\sigma}2 \sum_i w_i (\epsilon_i^2 - 1), \quad
        p \mathrel{+}= \eta_p \sum_i w_i (e_{a_i} - p)

    and then a floor on the probabilities: equation 16 (natural-step) and equation 17 (floor).
    The inverse Fisher matrix is :math:`\mathrm{diag}(\sigma^2, 1/2)` for the Gaussian, which
    is where :math:`\sigma` and :math:`1/2` come from: equation 14 (gaussian-fisher).

    Parameters
    ----------
    policy : Policy
    actions : ndarray of shape (n, n_dimensions)
    utilities : ndarray of shape (n,)
        Sum to zero; higher is better.
    steps : StepSizes

    References
    ----------
    .. [1] S. Amari, "Natural gradient works efficiently in learning", Neural Computation
       10, 1998. doi:10.1162/089976698300017746
    .. [2] D. Wierstra et al., "Natural Evolution Strategies", JMLR 15, 2014.
    .. [3] Y. Ollivier et al., "Information-geometric optimization algorithms", JMLR 18,
       2017.
    .. [4] R. Hamano et al., "CatCMA: Stochastic optimization for mixed-category problems",
       GECCO 2024. arXiv:2405.09962
    """
    active = policy.space.active(actions)
    everywhere = active.all()
    centred = utilities - utilities.mean()
    lists = sum(isinstance(actor, CategoricalActor) for actor in policy.actors)
    actors = []
    for j, actor in enumerate(policy.actors):
        column, weights = actions[:, j], centred
        if not everywhere:  # in a branch, against the others of that branch
            column, weights = actions[active[:, j], j], utilities[active[:, j]]
            if not len(column):
                actors.append(actor)
                continue
            weights = weights - weights.mean()
        if isinstance(actor, CategoricalActor):
            actors.append(_categorical_step(actor, column, weights, steps.probability, lists))
        else:
            actors.append(_gaussian_step(actor, column, weights, steps))
    return policy.with_actors(tuple(actors))


def _gaussian_step(
    actor: GaussianActor, column: FloatArray, weights: FloatArray, steps: StepSizes
) -> Actor:
    standard = actor.standardize(column)
    mu = actor.mu + steps.mean * actor.sigma * (weights @ standard)
    log_sigma = actor.log_sigma + steps.scale / 2 * (weights @ (standard**2 - 1))
    return GaussianActor(
        float(np.clip(mu, -LARGEST_Z, LARGEST_Z)),
        float(np.clip(log_sigma, SMALLEST_LOG_SIGMA, LARGEST_LOG_SIGMA)),
    )


def _categorical_step(
    actor: CategoricalActor, column: FloatArray, weights: FloatArray, step: float, lists: int
) -> Actor:
    size = len(actor.logits)
    if size == 1:
        return actor
    # sum_i w_i (e_a - p) is the weighted histogram, since the weights sum to zero
    moved = actor.probabilities + step * np.bincount(column.astype(int), weights, minlength=size)
    # CatCMA's floor: some value other than its favourite is drawn now and then in any list
    floor = (1 - 0.73 ** (1 / lists)) / (size - 1)
    raised = np.maximum(moved, floor)
    # take what the floor gave away from those that can afford it
    excess = raised - floor
    room = 1 - floor * size
    return actor.with_probabilities(
        floor + excess * room / excess.sum() if excess.sum() > 0 else np.full(size, 1 / size)
    )
