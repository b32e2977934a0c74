"""The critic: a Gaussian process that predicts the reward of an action.

The prior of the tempered rewards is ``f ~ GP(m, a (k + v phi phi'))`` with noise ``a * noise``.
``m`` is zero, or what earlier searches predict; ``k`` is a Matern-5/2 kernel with one length
scale per hyperparameter, where unordered lists enter one-hot; ``phi`` holds a linear and a
quadratic term per number and the levels of each list. Such main effects are found from few
observations, long before the product kernel can find them. Length scales, ``v`` and ``noise``
maximise the posterior (MAP); the amplitude ``a`` is profiled out.

References
----------
.. [1] C. E. Rasmussen and C. K. I. Williams, "Gaussian Processes for Machine Learning",
   2006, sections 2.7 (explicit basis functions) and 5.4 (model selection).
.. [2] C. Hvarfner et al., "Vanilla Bayesian Optimization Performs Great in High
   Dimensions", ICML 2024. arXiv:2402.02229
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.linalg import lapack
from scipy.optimize import minimize

from skpg.space.features import Features
from skpg.space.scalars import is_positive
from skpg.space.types import FloatArray

JITTER = 1e-8

PriorMean = Callable[[FloatArray], FloatArray]


def zero_mean(x: FloatArray) -> FloatArray:
    """Return zero for each row of a design matrix."""
    return np.zeros(len(x))


@dataclass(frozen=True, eq=False)
class Critic:
    """A Gaussian process conditioned on rewards; made by `condition`.

    Attributes
    ----------
    features : Features
    theta : ndarray of shape (n_groups + 2,)
        Logarithms of the length scales, of ``v`` and of the noise.
    amplitude, noise : float
        The noise variance is ``amplitude * noise``.
    top : float
        The greatest posterior mean at an observation: the best reward, cleaned of noise.
    prior_mean : callable
        From rows of the design matrix to the mean of ``f`` before any reward.
    """

    features: Features
    theta: FloatArray
    scaled: FloatArray
    effects: FloatArray
    weights: FloatArray  # K^-1 y
    whitener: FloatArray  # L^-1
    amplitude: float
    noise: float
    top: float
    prior_mean: PriorMean = zero_mean

    @classmethod
    def condition(
        cls,
        features: Features,
        theta: FloatArray,
        x: FloatArray,
        y: FloatArray,
        prior_mean: PriorMean = zero_mean,
    ) -> Critic:
        """Return the process given rewards `y` at the rows of the design matrix `x`."""
        expected = prior_mean(x)
        residuals, x = y - expected, features.without_inert(x)
        z, phi = _scaled(features, theta, x), features.main_effects(x)
        covariance = _matern(z, z) + np.exp(theta[-2]) * (phi @ phi.T)
        noise = np.exp(theta[-1]) + JITTER
        while True:  # duplicates may make it numerically singular: more noise until it is not
            noisy = covariance.copy()
            np.fill_diagonal(noisy, covariance.diagonal() + noise)
            factor, failed = lapack.dpotrf(noisy, lower=1)
            if not failed:
                break
            noise *= 10
        whitener = np.tril(lapack.dtrtri(factor, lower=1)[0])
        weights = whitener.T @ (whitener @ residuals)
        amplitude = max(float(residuals @ weights) / len(y), 1e-12)
        top = float((y - noise * weights).max())
        return cls(
            features, theta, z, phi, weights, whitener, amplitude, float(noise), top, prior_mean
        )

    def predict(self, x: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return the posterior mean and standard deviation of ``f``, of shape (n,) each."""
        expected = self.prior_mean(x)
        _, phi, cross = self._cross(x)
        white = cross @ self.whitener.T
        prior = 1 + np.exp(self.theta[-2]) * np.einsum("ij,ij->i", phi, phi)
        variance = np.maximum(prior - np.einsum("ij,ij->i", white, white), 1e-10)
        return expected + cross @ self.weights, np.sqrt(self.amplitude * variance)

    def mean(self, x: FloatArray) -> FloatArray:
        """Return the posterior mean of ``f``, of shape (n,)."""
        return np.asarray(self.prior_mean(x) + self._cross(x)[-1] @ self.weights)

    def predict_joint(self, x: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return the posterior mean, of shape (n,), and covariance, of shape (n, n)."""
        z, phi, cross = self._cross(x)
        white = cross @ self.whitener.T
        prior = _matern(z, z) + np.exp(self.theta[-2]) * (phi @ phi.T)
        mean = self.prior_mean(x) + cross @ self.weights
        return mean, self.amplitude * (prior - white @ white.T)

    def after_observing(self, covariance: FloatArray, row: int) -> FloatArray:
        """Return the covariance after an observation of one row; its value does not matter."""
        gain = covariance[:, row] / (covariance[row, row] + self.noise * self.amplitude)
        return np.asarray(covariance - np.outer(gain, covariance[row]))

    def correlation(self, x: FloatArray, others: FloatArray) -> FloatArray:
        """Return the correlation of rows of two design matrices, main effects left out."""
        a, b = (self.features.without_inert(rows) for rows in (x, others))
        z = _scaled(self.features, self.theta, a)
        return _matern(z, _scaled(self.features, self.theta, b))

    def _cross(self, x: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        x = self.features.without_inert(x)
        z, phi = _scaled(self.features, self.theta, x), self.features.main_effects(x)
        kernel = _matern(z, self.scaled)
        return z, phi, kernel + np.exp(self.theta[-2]) * (phi @ self.effects.T)


@dataclass(frozen=True)
class GaussianProcess:
    """Priors of a critic: log-normal, as pairs of the centre and the spread of the logarithm.

    Parameters
    ----------
    length_scale : (float, float), default=(0.5, 1.0)
        On features in [0, 1]. The centre grows with the square root of the number of
        hyperparameters, as distances do (Hvarfner et al. 2024).
    trend : (float, float), default=(0.1, 1.5)
        Variance of the main effects.
    noise : (float, float), default=(1e-3, 1.5)
        Variance of the noise.
    """

    length_scale: tuple[float, float] = (0.5, 1.0)
    trend: tuple[float, float] = (0.1, 1.5)
    noise: tuple[float, float] = (1e-3, 1.5)

    def __post_init__(self) -> None:
        for name in ("length_scale", "trend", "noise"):
            prior = getattr(self, name)
            pair = isinstance(prior, tuple | list) and len(prior) == 2
            if not pair or not all(map(is_positive, prior)):
                raise ValueError(
                    f"{name} must be two positive numbers, a centre and a spread, got {prior!r}."
                )

    def fit(
        self,
        features: Features,
        x: FloatArray,
        y: FloatArray,
        start: FloatArray | None = None,
        max_iter: int = 15,
        prior_mean: PriorMean = zero_mean,
    ) -> Critic:
        """Return the critic of rewards `y` at the rows of the design matrix `x`."""
        d, visible = features.n_groups, features.without_inert(x)
        mean, spread = self._prior(d)
        effects = features.main_effects(visible)
        bounds = [(np.log(0.02), np.log(200.0))] * d
        bounds += [(np.log(1e-6), np.log(10.0)), (np.log(1e-6), 0.0)]
        found = minimize(
            _loss,
            mean if start is None else start,
            (features, visible, y - prior_mean(x), effects @ effects.T, mean, spread),
            jac=True,
            method="L-BFGS-B",
            bounds=bounds,
            options={"maxiter": max_iter, "maxfun": 2 * max_iter},
        )
        return Critic.condition(features, found.x, x, y, prior_mean)

    def _prior(self, d: int) -> tuple[FloatArray, FloatArray]:
        centre = self.length_scale[0] * np.sqrt(max(d, 1) / 3)
        mean = np.log(np.concatenate([np.full(d, centre), [self.trend[0], self.noise[0]]]))
        spread = np.concatenate([np.full(d, self.length_scale[1]), [self.trend[1], self.noise[1]]])
        return mean, spread


def _loss(
    theta: FloatArray,
    features: Features,
    x: FloatArray,
    y: FloatArray,
    trend: FloatArray,
    mean: FloatArray,
    spread: FloatArray,
) -> tuple[float, FloatArray]:
    """Return the negative log posterior, amplitude profiled out, and its gradient."""
    n, z = len(y), _scaled(features, theta, x)
    kernel, slope = _matern_slope(z)
    v, noise = np.exp(theta[-2:])
    solved = _inverse(kernel + v * trend + (noise + JITTER) * np.eye(n))
    if solved is None:
        return 1e10, np.zeros_like(theta)
    inverse, half_log_determinant = solved
    alpha = inverse @ y
    amplitude = max(float(y @ alpha) / n, 1e-12)
    # d loss / dK = (K^-1 - alpha alpha' / a) / 2
    pull = np.outer(alpha, alpha / amplitude) - inverse
    weights = pull * slope
    # sum_ab w_ab (z_a - z_b)^2 of each column, without the n x n x columns array
    columns = 2 * (weights.sum(axis=1) @ (z * z)) - 2 * ((weights @ z) * z).sum(axis=0)
    gradient = np.concatenate(
        [
            np.bincount(features.groups, columns, features.n_groups),
            [-0.5 * v * (pull * trend).sum(), -0.5 * noise * np.trace(pull)],
        ]
    )
    u = (theta - mean) / spread
    loss = 0.5 * n * np.log(amplitude) + half_log_determinant + 0.5 * u @ u
    return float(loss), gradient + u / spread


def _scaled(features: Features, theta: FloatArray, x: FloatArray) -> FloatArray:
    return np.asarray(x * np.exp(-theta[:-2])[features.groups])


def _matern(a: FloatArray, b: FloatArray) -> FloatArray:
    """Return the Matern-5/2 correlation of rows."""
    r = _distances(a, b)
    correlation = r * r  # in place from here on: most of the critic's time is spent here
    correlation /= 3
    correlation += 1 + r
    correlation *= np.exp(np.negative(r, out=r), out=r)
    return correlation


def _matern_slope(a: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the correlation of rows, and its derivative by their squared distances."""
    r = _distances(a, a)
    decay = np.exp(-r)
    linear = 1 + r
    return (linear + r * r / 3) * decay, (-5 / 6) * linear * decay


def _distances(a: FloatArray, b: FloatArray) -> FloatArray:
    """Return the distances of rows, times the square root of five."""
    squared = (a * a).sum(axis=1)[:, None] + (b * b).sum(axis=1)
    squared -= 2 * (a @ b.T)
    np.maximum(squared, 0, out=squared)
    squared *= 5
    return np.sqrt(squared, out=squared)


def _inverse(matrix: FloatArray) -> tuple[FloatArray, float] | None:
    """Return the inverse and half the log determinant; None if not positive definite."""
    factor, failed = lapack.dpotrf(matrix, lower=1)
    if failed:
        return None
    lower = np.tril(lapack.dpotri(factor, lower=1)[0])
    return lower + np.tril(lower, -1).T, float(np.log(np.diag(factor)).sum())
