"""Actors: the distribution of one hyperparameter's action, and its derivatives.

Equation numbers and labels refer to the user guide, "The mathematics".
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.special import log_ndtr, ndtr, ndtri

from skpg.space.dimensions.base import read_only
from skpg.space.types import FloatArray

# The grid on which the perturbation of a drawn choice is integrated; its weight is analytic
# and wider than the spacing, so that the plain sum is exact to the last digits.
PERTURBATIONS = np.arange(-8.0, 14.0, 0.25)
# In standard deviations: a choice that is farther behind is never drawn.
FARTHEST = 40.0


@dataclass(frozen=True, eq=False)
class CategoricalActor:
    r"""A categorical distribution over the indices ``0 .. K-1``.

    .. math:: p_k = e^{\theta_k} / \sum_j e^{\theta_j}, \qquad
              \partial \log p_a / \partial \theta_k = [a = k] - p_k.

    Equation 9 (categorical-gradient).

    Parameters
    ----------
    logits : array-like of shape (K,)
        Unnormalised log probabilities; any finite size, the softmax does not overflow.

    Examples
    --------
    >>> import numpy as np
    >>> from skpg.policy.actors import CategoricalActor
    >>> actor = CategoricalActor(np.log([0.2, 0.8]))
    >>> actor.grad_log_prob(np.array([1.0])).round(2)
    array([[-0.2,  0.2]])
    """

    logits: FloatArray

    def __post_init__(self) -> None:
        object.__setattr__(self, "logits", read_only(self.logits))

    @property
    def theta(self) -> FloatArray:
        """The logits, of shape (K,)."""
        return self.logits

    def with_theta(self, theta: FloatArray) -> CategoricalActor:
        """Return the actor with other logits."""
        return CategoricalActor(theta)

    @cached_property
    def log_probabilities(self) -> FloatArray:
        """Log probabilities, of shape (K,); nothing overflows."""
        # a hundred times a batch: scipy's log_softmax takes ten times as long on short lists
        shifted = self.logits - self.logits.max()
        return np.asarray(shifted - np.log(np.exp(shifted).sum()))

    @cached_property
    def probabilities(self) -> FloatArray:
        """Probabilities, of shape (K,)."""
        return np.asarray(np.exp(self.log_probabilities))

    def with_probabilities(self, probabilities: FloatArray) -> CategoricalActor:
        """Return the actor with the given positive probabilities."""
        return CategoricalActor(np.log(probabilities))

    @cached_property
    def bounds(self) -> FloatArray:
        """Quantiles at which the choice changes, of shape (K - 1,)."""
        return np.asarray(np.cumsum(self.probabilities)[:-1])

    def ppf(self, u: FloatArray) -> FloatArray:
        """Return the actions at the quantiles `u` in [0, 1)."""
        return np.asarray(self.bounds.searchsorted(u, side="right"), dtype=float)

    def log_prob(self, actions: FloatArray) -> FloatArray:
        """Return the log probability of `actions` of shape (n,), of shape (n,)."""
        return np.asarray(self.log_probabilities[actions.astype(int)])

    def grad_log_prob(self, actions: FloatArray) -> FloatArray:
        """Return the gradient of `log_prob` by `theta`, of shape (n, K)."""
        return np.eye(len(self.logits))[actions.astype(int)] - self.probabilities

    def entropy(self) -> float:
        """Return the entropy in nats, between 0 and ``log K``."""
        return float(-self.probabilities @ self.log_probabilities)

    def kl_divergence(self, other: CategoricalActor) -> float:
        """Return ``KL(self || other)`` in nats."""
        return float(self.probabilities @ (self.log_probabilities - other.log_probabilities))

    def mode(self) -> float:
        """Return the index of the most probable choice."""
        return float(np.argmax(self.logits))

    def perturbed_modes(self, noise: FloatArray) -> FloatArray:
        """Return the modes under ``theta + noise``, of shape (n,), for noise of (n, K)."""
        return np.asarray(np.argmax(self.logits + noise, axis=1), dtype=float)

    def expected_directions(self, actions: FloatArray, epsilon: float) -> FloatArray:
        r"""Return ``E[u]`` given that the mode under ``theta + epsilon u`` is the action.

        Equation 35 (categorical-direction). The sum over the perturbation `t` of the drawn
        choice replaces an integral: given `t`, every other one is a normal draw that stayed
        below, whose mean is minus the inverse Mills ratio.

        Parameters
        ----------
        actions : ndarray of shape (n,)
        epsilon : float

        Returns
        -------
        ndarray of shape (n, K)
            Rows sum to zero.
        """
        chosen, row = np.unique(actions.astype(int), return_inverse=True)
        table = np.empty((len(chosen), len(self.logits)))
        for i, k in enumerate(chosen):
            lead = np.clip((self.logits[k] - self.logits) / epsilon, -FARTHEST, FARTHEST)
            bound = PERTURBATIONS[:, None] + lead
            below = log_ndtr(bound)
            below[:, k] = 0.0
            log_weights = below.sum(axis=1) - PERTURBATIONS**2 / 2
            weights = np.exp(log_weights - log_weights.max())
            weights /= weights.sum()
            mills = np.exp(-(bound**2) / 2 - 0.5 * np.log(2 * np.pi) - below)
            table[i] = -weights @ mills
            table[i, k] = weights @ PERTURBATIONS
        return table[row]


@dataclass(frozen=True, eq=False)
class GaussianActor:
    r"""A normal distribution ``N(mu, sigma^2)`` in probit space.

    .. math:: \partial \log p / \partial \mu = (a - \mu) / \sigma^2, \qquad
              \partial \log p / \partial \log \sigma = (a - \mu)^2 / \sigma^2 - 1.

    Equation 11 (gaussian-gradient).

    Parameters
    ----------
    mu : float, default=0.0
        Mean; 0 is the median of the user's distribution.
    log_sigma : float, default=0.0
        Logarithm of the standard deviation; ``N(0, 1)`` is the user's distribution.

    Examples
    --------
    >>> import numpy as np
    >>> from skpg.policy.actors import GaussianActor
    >>> GaussianActor(mu=1.0).grad_log_prob(np.array([3.0]))
    array([[2., 3.]])
    """

    mu: float = 0.0
    log_sigma: float = 0.0

    @property
    def theta(self) -> FloatArray:
        """``(mu, log_sigma)``, of shape (2,)."""
        return np.array([self.mu, self.log_sigma])

    def with_theta(self, theta: FloatArray) -> GaussianActor:
        """Return the actor with another ``(mu, log_sigma)``."""
        return GaussianActor(float(theta[0]), float(theta[1]))

    @cached_property
    def sigma(self) -> float:
        """Standard deviation."""
        return float(np.exp(self.log_sigma))

    def standardize(self, actions: FloatArray) -> FloatArray:
        """Return ``(a - mu) / sigma``."""
        return (actions - self.mu) / self.sigma

    def ppf(self, u: FloatArray) -> FloatArray:
        """Return the actions at the quantiles `u` in [0, 1)."""
        # random() may return 0 exactly, whose quantile is -inf
        return np.asarray(self.mu + self.sigma * ndtri(np.maximum(u, 2.0**-54)))

    def cdf(self, actions: FloatArray) -> FloatArray:
        """Return the probability below `actions`."""
        return np.asarray(ndtr(self.standardize(actions)))

    def log_prob(self, actions: FloatArray) -> FloatArray:
        """Return the log density of `actions` of shape (n,), of shape (n,)."""
        return np.asarray(
            -0.5 * (self.standardize(actions) ** 2 + np.log(2 * np.pi)) - self.log_sigma
        )

    def grad_log_prob(self, actions: FloatArray) -> FloatArray:
        """Return the gradient of `log_prob` by `theta`, of shape (n, 2)."""
        standard = self.standardize(actions)
        return np.stack([standard / self.sigma, standard**2 - 1], axis=1)

    def entropy(self) -> float:
        """Return the differential entropy in nats; 1.42 at the start."""
        return float(0.5 * np.log(2 * np.pi * np.e) + self.log_sigma)

    def kl_divergence(self, other: GaussianActor) -> float:
        """Return ``KL(self || other)`` in nats."""
        variance_ratio = np.exp(2 * (self.log_sigma - other.log_sigma))
        distance = (self.mu - other.mu) / other.sigma
        return float(0.5 * (variance_ratio + distance**2 - 1) - (self.log_sigma - other.log_sigma))

    def mode(self) -> float:
        """Return the mean."""
        return self.mu

    def perturbed_modes(self, noise: FloatArray) -> FloatArray:
        """Return the modes under ``theta + noise``, of shape (n,), for noise of (n, 2)."""
        return self.mu + noise[:, 0]

    def expected_directions(self, actions: FloatArray, epsilon: float) -> FloatArray:
        """Return ``E[u]`` given that the mode under ``theta + epsilon u`` is the action.

        Equation 34 (gaussian-direction): exact for the mean; the mode does not depend on the
        perturbation of ``log_sigma``, whose expectation is zero.

        Parameters
        ----------
        actions : ndarray of shape (n,)
        epsilon : float

        Returns
        -------
        ndarray of shape (n, 2)
        """
        return np.stack([(actions - self.mu) / epsilon, np.zeros(len(actions))], axis=1)


Actor = CategoricalActor | GaussianActor
