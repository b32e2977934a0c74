"""The default learner: its settings, its memory, and what a whole search with it does."""

import numpy as np
import pytest
from scipy import stats

from skpg import PolicyGradientOptimizer
from skpg.learners import ActorCritic
from skpg.learners.actor_critic.learner import _remembered
from skpg.policy.policy import Policy
from skpg.space.features import numbers_and_choices
from skpg.space.space import Space
from tests.learners.actor_critic.problems import BOWL, bowl


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"trust_region": 0}, "trust_region must be a positive number, got 0"),
        ({"ambitions": ()}, "ambitions must have at least one number"),
        ({"ambitions": (-1.0,)}, "ambitions must .* all positive"),
        ({"ambitions": (np.inf,)}, "ambitions must .* all positive"),
        ({"ambitions": 0.3}, "ambitions must .* got 0.3"),
        ({"ambitions": "ab"}, "ambitions must .* got 'ab'"),
        ({"ambitions": (0.3, None)}, r"ambitions must .* got \(0.3, None\)"),
        ({"trust_region": np.nan}, "trust_region must be a positive number, got nan"),
        ({"memory_size": 3}, "memory_size must be at least 10, got 3"),
        ({"memory_size": 20.5}, "memory_size must be an integer, got 20.5"),
        ({"memory_size": "20"}, "memory_size must be an integer, got '20'"),
        ({"critic": "GP"}, "critic must be a GaussianProcess, got 'GP'"),
    ],
)
def test_bad_settings_are_refused(settings, words):
    with pytest.raises((ValueError, TypeError), match=words):
        ActorCritic(**settings)


def test_the_memory_is_bounded_and_keeps_the_best_and_the_latest():
    rewards = np.random.default_rng(0).standard_normal(5000)
    rows = _remembered(rewards, 200)
    assert len(rows) == len(set(rows)) == 200
    assert set(np.argsort(-rewards)[:100]) <= set(rows)
    assert set(range(4950, 5000)) <= set(rows)


def test_a_search_opens_with_the_centre_of_the_space():
    space = {
        "x": stats.loguniform(1e-2, 1e2),
        "n": stats.randint(0, 11),
        "even": [8, 1, 4, 2],
        "heavy": [1, 2, 3, 3, 3, 3],
        "k": ["a", "b"],
    }
    first = PolicyGradientOptimizer(space, random_state=0).ask(10)[0]
    assert first.pop("k") in ("a", "b")
    assert first.pop("x") == pytest.approx(1)
    assert first == {"n": 5, "even": 2, "heavy": 3}


def test_a_search_of_branches_opens_with_the_centre_of_one():
    branches = [{"x": stats.uniform(0, 100)}, {"y": stats.uniform(0, 10)}]
    first = PolicyGradientOptimizer(branches, random_state=0).ask(10)[0]
    assert first in ({"x": pytest.approx(50)}, {"y": pytest.approx(5)})


@pytest.mark.parametrize("batch", [1, 10, 30])
def test_sixty_candidates_find_the_bottom_of_a_bowl(batch):
    found = []
    for seed in range(5):
        optimizer = PolicyGradientOptimizer(BOWL, random_state=seed)
        for _ in range(60 // batch):
            params = optimizer.ask(batch)
            optimizer.tell(params, [bowl(p) for p in params])
        found.append(-bowl(optimizer.recommend()))
    assert np.median(found) < 1e-3


def test_the_policy_gathers_around_the_best_candidates_and_its_entropy_falls():
    optimizer = PolicyGradientOptimizer(BOWL, random_state=0)
    start = optimizer.policy.entropy()
    for _ in range(20):
        params = optimizer.ask(10)
        optimizer.tell(params, [bowl(p) for p in params])
    assert optimizer.policy.entropy() < start - 2
    drawn = [bowl(p) for p in optimizer.policy.sample(200, 0)]
    prior = [bowl(p) for p in Policy.prior(Space(BOWL)).sample(200, 0)]
    assert np.median(drawn) > np.quantile(prior, 0.95)


@pytest.mark.parametrize("batch", [1, 4, 10, 25])
def test_nine_of_ten_updates_move_the_policy(batch):
    """The policy takes its steps once there are ten new rewards, however they come."""
    optimizer = PolicyGradientOptimizer(BOWL, random_state=0)
    since, moved = 0, []
    for _ in range(200 // batch):
        before, params = optimizer.policy, optimizer.ask(batch)
        optimizer.tell(params, [bowl(p) for p in params])
        since += len(params)
        if since < 10:
            assert optimizer.policy is before
        else:
            moved.append((optimizer.policy.theta != before.theta).any())
            assert optimizer.policy.kl_divergence(before) <= 0.1 * since
            since = 0
    assert np.mean(moved) >= 0.9


def test_a_batch_explores_as_well_as_exploits():
    """Some of a batch is near the best candidate, some is far from all that was tried."""
    far = []
    for seed in range(4):
        optimizer = PolicyGradientOptimizer({n: stats.uniform() for n in "xyz"}, random_state=seed)
        for _ in range(10):
            params = optimizer.ask(10)
            optimizer.tell(params, [-sum(np.cos(9 * v) for v in p.values()) for p in params])
        tried = numbers_and_choices(optimizer.space, optimizer.memory.actions)[0]
        best = tried[np.argmax(optimizer.memory.rewards)]
        new = numbers_and_choices(optimizer.space, optimizer.space.encode(optimizer.ask(10)))[0]
        assert np.linalg.norm(new - best, axis=1).min() < 0.1
        far.append(np.linalg.norm(new[:, None] - tried, axis=2).min(axis=1).max())
    assert np.mean(far) > 0.2


def deceive(params):
    """An easy hill, and a higher one that is narrow, under the other choice of a list."""
    place = np.array([params[name] for name in "wxyz"])
    if params["kind"] == "easy":
        return 1 - ((place - 0.3) ** 2).sum()
    return 1.3 * np.exp(-((place - 0.7) ** 2).sum() / (2 * 0.18**2))


@pytest.mark.parametrize("batch", [pytest.param(1, marks=pytest.mark.slow), 10])
def test_a_search_leaves_the_hill_that_it_has_climbed(batch):
    """Six and four of six find the higher one; of searches that never leave, two and none."""
    found = 0
    for seed in range(6):
        space = {**{name: stats.uniform(0, 1) for name in "wxyz"}, "kind": ["easy", "hard"]}
        optimizer = PolicyGradientOptimizer(space, random_state=seed)
        while len(optimizer.memory) < 250:
            asked = optimizer.ask(batch)
            optimizer.tell(asked, [deceive(params) for params in asked])
        found += optimizer.memory.rewards.max() > 1.1
    assert found >= 3


@pytest.mark.parametrize("batch", [1, 4, 7, 10])
@pytest.mark.parametrize("window", [False, True])
def test_one_candidate_of_each_ten_is_a_recommendation(batch, window):
    """Whatever the batch size, and whether all of a batch is told before the next is asked."""
    recommended = []

    class Noting(ActorCritic):
        def recommend(self, state, memory):
            recommended.append(len(memory) + len(memory.pending))
            return super().recommend(state, memory)

    optimizer = PolicyGradientOptimizer(BOWL, learner=Noting(), random_state=0)
    waiting = optimizer.ask(10)
    optimizer.tell(waiting, [bowl(p) for p in waiting])
    asked, waiting = 10, []
    while asked < 60:
        waiting += optimizer.ask(batch)
        asked += batch
        done = 1 if window and len(waiting) > 3 else 0 if window else len(waiting)
        if done:
            optimizer.tell(waiting[:done], [bowl(p) for p in waiting[:done]])
            waiting = waiting[done:]
    starts = range(10, asked, batch)
    due = [first for first in starts if any(k % 10 == 0 for k in range(first, first + batch))]
    assert recommended == due
