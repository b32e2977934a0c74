"""Transfer: earlier searches of related data help at once, others do not mislead for long."""

import numpy as np
import pytest
from scipy import stats

from skpg import PolicyGradientOptimizer
from skpg.learners.actor_critic.constants import CONSTANTS
from skpg.learners.actor_critic.critic import Critic, GaussianProcess
from skpg.learners.actor_critic.transfer import Transfer
from skpg.space.features import Features

SPACE = {
    **{name: stats.uniform(0, 1) for name in ("a", "b", "c", "d")},
    "k": ["u", "v", "w"],
}


def reward(params, optimum=0.8):
    distance = sum((params[name] - optimum) ** 2 for name in ("a", "b", "c", "d"))
    return -distance - (params["k"] != "v")


def earlier_search(rewarded, n=60, seed=100):
    optimizer = PolicyGradientOptimizer(SPACE, random_state=seed)
    batch = optimizer.ask(n)
    return batch, [rewarded(params) for params in batch]


def best_after(n, earlier=None, seed=0, window=4, **settings):
    optimizer = PolicyGradientOptimizer(
        SPACE, warm_start_from=earlier, random_state=seed, **settings
    )
    rewards = []
    while len(rewards) < n:
        batch = optimizer.ask(window)
        new = [reward(params) for params in batch]
        optimizer.tell(batch, new)
        rewards += new
    return max(rewards[:n])


def test_a_related_search_saves_half_of_the_first_candidates():
    related = [earlier_search(lambda params: 3 + 2 * reward(params, 0.7))]
    warm = np.mean([best_after(6, related, seed) for seed in range(5)])
    cold = np.mean([best_after(12, None, seed) for seed in range(5)])
    assert warm > cold


def test_a_search_that_misleads_is_made_up_for():
    negated = [earlier_search(lambda params: -reward(params))]
    warm = np.mean([best_after(50, negated, seed) for seed in range(3)])
    cold = np.mean([best_after(50, None, seed) for seed in range(3)])
    assert warm > cold - 0.02


def process_of(y, seed=0):
    x = np.random.default_rng(seed).random((40, 2))
    return GaussianProcess().fit(Features(2), x, y(x) - y(x).mean())


def test_rewards_tell_which_earlier_search_to_believe():
    right = process_of(lambda x: 3 * x[:, 0])
    wrong = process_of(lambda x: -3 * x[:, 0])
    other = process_of(lambda x: np.sin(9 * x[:, 1]))
    x = np.random.default_rng(1).random((12, 2))
    y = 3 * x[:, 0] - 1.5
    slopes = Transfer.fit((right, wrong, other), x, y).slopes
    assert slopes[0] > 2 * max(slopes[1:])
    assert (slopes >= 0).all()
    # with more rewards of its own the search needs them less
    assert (Transfer.fit((right,), *[np.repeat(a, 9, axis=0) for a in (x, y)]).slopes < 0.2).all()


def test_before_it_is_known_better_they_are_believed_in_equal_parts():
    critics = (process_of(lambda x: x[:, 0]), process_of(lambda x: x[:, 1]))
    transfer = Transfer.fit(critics, np.full((1, 2), 0.5), np.zeros(1))
    believed = CONSTANTS.transfer_rewards / (CONSTANTS.transfer_rewards + 1)
    np.testing.assert_allclose(transfer.slopes, believed / 2)
    np.testing.assert_allclose(transfer(np.full((1, 2), 0.5)), 0, atol=1e-12)


def test_a_critic_returns_to_its_prior_mean_far_from_rewards():
    features, x = Features(2), np.full((1, 2), 0.1)
    theta = np.log([0.05, 0.05, 1e-6, 1e-3])

    def prior_mean(rows):
        return 4 * rows[:, 0]

    critic = Critic.condition(features, theta, x, np.array([2.0]), prior_mean)
    points = np.array([[0.1, 0.1], [0.9, 0.9]])
    mean, std = critic.predict(points)
    np.testing.assert_allclose(mean, [2, 3.6], atol=0.01)
    np.testing.assert_allclose(critic.mean(points), mean)
    joint, covariance = critic.predict_joint(points)
    np.testing.assert_allclose(joint, mean)
    np.testing.assert_allclose(np.sqrt(np.diag(covariance)), std, rtol=1e-6)
    assert critic.top == pytest.approx(2, abs=0.01)


def test_the_search_begins_with_what_earlier_searches_believe_in_together():
    batch, rewards = earlier_search(reward)
    again = batch, [2 * r for r in rewards]
    best = batch[int(np.argmax(rewards))]
    for earlier in ([(batch, rewards)], [(batch, rewards), again]):
        optimizer = PolicyGradientOptimizer(SPACE, warm_start_from=earlier, random_state=0)
        opening = optimizer.ask(CONSTANTS.transfer_opening)
        known = [params for params in opening if params in batch]
        assert len(known) == CONSTANTS.transfer_believed
        assert reward(known[0]) > np.quantile(rewards, 0.9)
        assert any(reward(params) >= reward(best) - 0.1 for params in known)


def test_the_constraint_holds_for_what_earlier_searches_believe_in():
    related = [earlier_search(reward)]
    optimizer = PolicyGradientOptimizer(
        SPACE, warm_start_from=related, constraint=lambda params: params["k"] != "v", random_state=0
    )
    for _ in range(3):
        batch = optimizer.ask(4)
        assert all(params["k"] != "v" for params in batch)
        optimizer.tell(batch, list(map(reward, batch)))


@pytest.mark.parametrize("value", [lambda params: 1.0, lambda params: np.round(params["a"])])
def test_earlier_searches_of_ties_and_failures_do_no_harm(value):
    def failing(params):
        return np.nan if params["b"] > 0.5 else value(params)

    assert np.isfinite(best_after(20, [earlier_search(failing)]))


def test_long_earlier_searches_are_remembered_in_part():
    batch, rewards = earlier_search(reward, n=400)
    optimizer = PolicyGradientOptimizer(SPACE, warm_start_from=[(batch, rewards)], random_state=0)
    first = optimizer.ask(4)
    optimizer.tell(first, list(map(reward, first)))
    assert len(optimizer.state.earlier[0].weights) == optimizer.learner.memory_size


def test_every_second_of_the_first_candidates_doubts_the_earlier_searches():
    optimizer = PolicyGradientOptimizer(
        SPACE, warm_start_from=[earlier_search(reward)], random_state=0
    )
    distances = []
    for _ in range(CONSTANTS.transfer_doubt):
        params = optimizer.ask(1)[0]
        optimizer.tell([params], [reward(params)])
        distances.append(-reward(params))
    doubting = distances[CONSTANTS.transfer_opening :: 2]
    believing = distances[CONSTANTS.transfer_opening + 1 :: 2]
    assert np.median(doubting) > 3 * np.median(believing)


def test_of_candidates_that_are_alike_the_search_begins_with_one():
    batch, rewards = earlier_search(reward)
    best = batch[int(np.argmax(rewards))]
    twins = [{**best, "a": best["a"] + shift} for shift in (1e-6, 2e-6, 3e-6)]
    earlier = batch + twins, rewards + [max(rewards) + 0.1] * len(twins)
    optimizer = PolicyGradientOptimizer(SPACE, warm_start_from=[earlier], random_state=0)
    opening = optimizer.ask(CONSTANTS.transfer_opening)
    assert sum(abs(params["a"] - best["a"]) < 1e-5 for params in opening) == 1
    assert sum(params in earlier[0] for params in opening) == CONSTANTS.transfer_believed


def test_the_search_learns_from_its_own_rewards_after_five_candidates():
    related = [earlier_search(reward)]

    def seventh(sign):
        optimizer = PolicyGradientOptimizer(SPACE, warm_start_from=related, random_state=0)
        for _ in range(CONSTANTS.transfer_opening + 1):
            params = optimizer.ask(1)[0]
            optimizer.tell([params], [sign * reward(params)])
        return optimizer.ask(1)[0]

    assert seventh(1) != seventh(-1)
