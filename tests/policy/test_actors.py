"""Actors: each formula has a witness."""

import numpy as np
import pytest
from scipy import integrate, stats

from skpg.policy.actors import CategoricalActor, GaussianActor

ACTORS = {
    "even": CategoricalActor(np.zeros(4)),
    "uneven": CategoricalActor(np.array([0.3, -2.0, 1.5])),
    "extreme": CategoricalActor(np.array([1000.0, 0.0, 995.0])),
    "one choice": CategoricalActor(np.zeros(1)),
    "prior": GaussianActor(),
    "narrow": GaussianActor(1.5, -2.0),
    "wide": GaussianActor(-0.7, 0.8),
}
every_actor = pytest.mark.parametrize("actor", ACTORS.values(), ids=ACTORS.keys())


def draw(actor, n=200_000, seed=0):
    return actor.ppf(np.random.default_rng(seed).random(n))


def reference(actor):
    if isinstance(actor, GaussianActor):
        return stats.norm(actor.mu, actor.sigma)
    return stats.rv_discrete(values=(range(len(actor.logits)), actor.probabilities))


@every_actor
def test_log_prob_is_that_of_scipy(actor):
    actions = np.unique(draw(actor, 50))
    distribution = reference(actor)
    log_prob = distribution.logpdf if isinstance(actor, GaussianActor) else distribution.logpmf
    np.testing.assert_allclose(actor.log_prob(actions), log_prob(actions), rtol=1e-9, atol=1e-12)


@every_actor
def test_draws_follow_log_prob(actor):
    actions = draw(actor)
    if isinstance(actor, GaussianActor):
        assert stats.kstest(actions, reference(actor).cdf).pvalue > 1e-3
        return
    frequencies = np.bincount(actions.astype(int), minlength=len(actor.logits)) / len(actions)
    np.testing.assert_allclose(frequencies, actor.probabilities, atol=0.005)


@every_actor
def test_grad_log_prob_is_the_finite_difference(actor):
    actions, step = draw(actor, 20), 1e-6
    for k, e in enumerate(np.eye(len(actor.theta))):
        up = actor.with_theta(actor.theta + step * e).log_prob(actions)
        down = actor.with_theta(actor.theta - step * e).log_prob(actions)
        np.testing.assert_allclose(
            actor.grad_log_prob(actions)[:, k], (up - down) / (2 * step), rtol=1e-4, atol=1e-4
        )


@every_actor
def test_the_expected_score_is_zero(actor):
    scores = actor.grad_log_prob(draw(actor))
    error = scores.std(axis=0) / np.sqrt(len(scores)) + 1e-12
    assert (np.abs(scores.mean(axis=0)) < 5 * error).all()


@every_actor
def test_the_fisher_matrix_is_the_one_that_the_natural_gradient_inverts(actor):
    scores = actor.grad_log_prob(draw(actor))
    fisher = scores.T @ scores / len(scores)
    if isinstance(actor, GaussianActor):
        expected = np.diag([1 / actor.sigma**2, 2.0])
    else:
        p = actor.probabilities
        expected = np.diag(p) - np.outer(p, p)
    np.testing.assert_allclose(fisher, expected, atol=0.02 * max(1, expected.max()))


@every_actor
def test_entropy_is_minus_the_expected_log_prob(actor):
    log_prob = actor.log_prob(draw(actor))
    assert actor.entropy() == pytest.approx(-log_prob.mean(), abs=0.01)
    assert actor.entropy() == pytest.approx(reference(actor).entropy(), abs=1e-9)


@pytest.mark.parametrize(
    ("p", "q"),
    [
        (ACTORS["narrow"], ACTORS["wide"]),
        (ACTORS["wide"], ACTORS["prior"]),
        (ACTORS["prior"], ACTORS["prior"]),
    ],
)
def test_gaussian_kl_divergence_is_the_integral(p, q):
    def integrand(z):
        a = np.array([z])
        return np.exp(p.log_prob(a)[0]) * (p.log_prob(a)[0] - q.log_prob(a)[0])

    low, high = p.mu - 12 * p.sigma, p.mu + 12 * p.sigma
    expected, _ = integrate.quad(integrand, low, high, limit=200)
    assert p.kl_divergence(q) == pytest.approx(expected, abs=1e-8)


def test_categorical_kl_divergence_is_the_sum():
    p, q = CategoricalActor(np.array([0.1, 2.0, -1.0])), CategoricalActor(np.zeros(3))
    expected = stats.entropy(p.probabilities, q.probabilities)
    assert p.kl_divergence(q) == pytest.approx(expected)
    assert p.kl_divergence(p) == 0


@every_actor
def test_the_mode_has_the_greatest_log_prob(actor):
    assert (actor.log_prob(np.array([actor.mode()])) >= actor.log_prob(draw(actor, 1000))).all()


def test_huge_logits_do_not_overflow():
    actor = CategoricalActor(np.array([1e300, -1e300, 0.0]))
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        assert actor.probabilities.tolist() == [1, 0, 0]
        assert actor.entropy() == 0
        assert np.isfinite(actor.grad_log_prob(np.array([0.0]))).all()


def test_a_uniform_number_of_zero_gives_a_finite_action():
    assert np.isfinite(GaussianActor().ppf(np.array([0.0, np.nextafter(1, 0)]))).all()


def test_logits_are_read_only():
    mine = np.zeros(3)
    actor = CategoricalActor(mine)
    mine[0] = 5
    assert actor.logits[0] == 0
    with pytest.raises(ValueError, match="read-only"):
        actor.logits[0] = 1
