"""The critic: each formula has a witness, and nothing that a search meets breaks it."""

import numpy as np
import pytest
from scipy.optimize import check_grad
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import Matern

from skpg.learners.actor_critic.critic import Critic, GaussianProcess, _loss
from skpg.space.features import Features, design
from tests.learners.actor_critic.problems import SQUARE, critic_and_memory

FEATURES = Features(2, (3, 2))


def data(n=30, seed=0):
    rng = np.random.default_rng(seed)
    numeric = rng.random((n, 2))
    nominal = np.stack([rng.integers(3, size=n), rng.integers(2, size=n)], axis=1)
    x = FEATURES.design(numeric, nominal)
    y = np.sin(5 * numeric[:, 0]) + (nominal[:, 0] == 1) + 0.1 * rng.standard_normal(n)
    return x, y - y.mean()


def test_the_gradient_of_the_marginal_likelihood_is_the_finite_difference():
    x, y = data()
    process = GaussianProcess()
    mean, spread = process._prior(FEATURES.n_groups)
    effects = FEATURES.main_effects(x)
    rest = (FEATURES, x, y, effects @ effects.T, mean, spread)
    for seed in range(5):
        theta = mean + 0.7 * np.random.default_rng(seed).standard_normal(len(mean))
        error = check_grad(lambda t: _loss(t, *rest)[0], lambda t: _loss(t, *rest)[1], theta)
        assert error < 1e-4 * (1 + np.linalg.norm(_loss(theta, *rest)[1]))


def test_predictions_are_those_of_scikit_learn():
    """Without main effects the process is scikit-learn's, up to the profiled amplitude."""
    x, y = data()
    grid = data(10, seed=1)[0]
    theta = np.log([0.4, 0.7, 1.5, 2.0, 1e-12, 0.01])
    critic = Critic.condition(FEATURES, theta, x, y)
    scales = np.exp(theta[:-2])[FEATURES.groups]
    peer = GaussianProcessRegressor(Matern(scales, nu=2.5), alpha=0.01, optimizer=None).fit(x, y)
    mean, std = critic.predict(grid)
    expected_mean, expected = peer.predict(grid, return_cov=True)
    np.testing.assert_allclose(mean, expected_mean, atol=1e-6)
    np.testing.assert_allclose(std**2, critic.amplitude * np.diag(expected), atol=1e-6)
    joint_mean, covariance = critic.predict_joint(grid)
    np.testing.assert_allclose(joint_mean, mean)
    np.testing.assert_allclose(covariance, critic.amplitude * expected, atol=1e-6)


def test_a_fit_finds_what_matters():
    """Length scales of hyperparameters without influence become long."""
    rng = np.random.default_rng(0)
    x = rng.random((80, 4))
    critic = GaussianProcess().fit(Features(4), x, np.sin(8 * x[:, 0]), max_iter=50)
    scales = np.exp(critic.theta[:4])
    assert scales[1:].min() > 2 * scales[0]
    new = rng.random((50, 4))
    assert np.corrcoef(critic.predict(new)[0], np.sin(8 * new[:, 0]))[0, 1] > 0.99


@pytest.mark.parametrize("n", [1, 2, 50])
@pytest.mark.parametrize("rows", ["different", "duplicates"])
@pytest.mark.parametrize("y", ["noise", "constant", "outlier"])
def test_difficult_data_leave_finite_predictions(n, rows, y):
    rng = np.random.default_rng(0)
    x = rng.random((n, 3)) if rows == "different" else np.zeros((n, 3))
    rewards = rng.standard_normal(n) if y != "constant" else np.zeros(n)
    if y == "outlier":
        rewards[0] = 1e6
    critic = GaussianProcess().fit(Features(3), x, rewards - rewards.mean())
    for value in (*critic.predict(rng.random((5, 3))), *critic.predict_joint(x[:5])):
        assert np.isfinite(value).all()


def test_the_best_reward_is_told_without_its_luck():
    """The top is a prediction: of noisy rewards the greatest one was lucky."""
    x, y = data(60)
    y[0] = y.max() + 3
    critic = GaussianProcess(noise=(0.3, 0.1)).fit(FEATURES, x, y)
    assert critic.top == pytest.approx(critic.predict(x)[0].max())
    assert critic.top < y.max() - 1


@pytest.mark.parametrize("name", ["length_scale", "trend", "noise"])
@pytest.mark.parametrize(
    "prior",
    [(-1, 1), (1, 0), (0.1,), (0.1, 1, 1), 0.1, None, "ab", (0.1, np.nan), (np.inf, 1), (1, "1")],
)
def test_priors_that_are_no_pairs_of_positive_numbers_are_refused(name, prior):
    with pytest.raises(ValueError, match=f"{name} must be two positive numbers.* got "):
        GaussianProcess(**{name: prior})


def test_correlations_are_those_of_scikit_learn():
    critic, memory = critic_and_memory([(0.1, 0.2), (0.5, 0.9), (0.3, 0.3)], [1.0, 2.0, 3.0])
    x = design(SQUARE, memory.actions)
    np.testing.assert_allclose(critic.correlation(x, x[:2]), Matern(0.2, nu=2.5)(x, x[:2]))
