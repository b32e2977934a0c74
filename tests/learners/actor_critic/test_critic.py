"""The critic: each formula has a witness, and nothing that a search meets breaks it."""

import numpy as np
import pytest
from scipy import stats
from scipy.optimize import check_grad
from scipy.spatial.distance import pdist
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import Matern

from skpg import PolicyGradientOptimizer
from skpg.learners import ActorCritic, ActorCriticState, Memory
from skpg.learners.actor_critic.climbing import climb
from skpg.learners.actor_critic.constants import CONSTANTS
from skpg.learners.actor_critic.critic import Critic, GaussianProcess, _loss
from skpg.learners.actor_critic.explorer import Explorer
from skpg.learners.actor_critic.learner import _remembered
from skpg.learners.actor_critic.niches import Niches
from skpg.learners.actor_critic.picking import pick_one_by_one
from skpg.learners.actor_critic.proposals import small_steps, turns_of
from skpg.learners.actor_critic.sampling import stratified, well_spread
from skpg.learners.rewards import stalled, temper
from skpg.policy.policy import Policy
from skpg.space.features import Features, design, numbers_and_choices
from skpg.space.space import Space

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


def test_two_values_of_a_list_are_at_distance_one():
    x = FEATURES.design(np.zeros((3, 2)), np.array([[0, 0], [1, 0], [2, 1]]))
    np.testing.assert_allclose(np.linalg.norm(x[0] - x[1]), 1)
    np.testing.assert_allclose(np.linalg.norm(x[0] - x[2]), np.sqrt(2))


def test_main_effects_are_centred_and_orthogonal():
    u = (np.arange(1000) + 0.5) / 1000
    effects = Features(1).main_effects(u[:, None])
    np.testing.assert_allclose(effects.mean(axis=0), 0, atol=1e-3)
    np.testing.assert_allclose(effects.T @ effects / 1000, np.eye(2), atol=1e-2)


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


def test_tempered_rewards():
    rewards = np.array([1.0, 2.0, 3.0, 4.0, np.nan, -1e12])
    for share in (0.0, 0.5, 1.0):
        tempered = temper(rewards, share)
        assert tempered.mean() == pytest.approx(0)
        assert np.abs(tempered).max() < 6
        assert (np.diff(tempered[:4]) > 0).all()
        assert tempered[4] == tempered[5] == tempered.min()
        np.testing.assert_allclose(temper(3 * rewards + 1, share), tempered, atol=1e-3)
    assert temper(np.ones(3), 0.5).tolist() == [0, 0, 0]
    assert temper(np.array([np.nan] * 3), 0.5).tolist() == [0, 0, 0]


@pytest.mark.parametrize("outlier", [1e3, 1e9])
def test_outlying_rewards_are_clipped(outlier):
    rewards = np.append(np.linspace(0, 1, 40), [outlier, -outlier])
    assert np.ptp(temper(rewards, 0.0)) == pytest.approx(6 + 2.5)


def test_the_best_reward_is_told_without_its_luck():
    """The top is a prediction: of noisy rewards the greatest one was lucky."""
    x, y = data(60)
    y[0] = y.max() + 3
    critic = GaussianProcess(noise=(0.3, 0.1)).fit(FEATURES, x, y)
    assert critic.top == pytest.approx(critic.predict(x)[0].max())
    assert critic.top < y.max() - 1


def test_the_memory_is_bounded_and_keeps_the_best_and_the_latest():
    rewards = np.random.default_rng(0).standard_normal(5000)
    rows = _remembered(rewards, 200)
    assert len(rows) == len(set(rows)) == 200
    assert set(np.argsort(-rewards)[:100]) <= set(rows)
    assert set(range(4950, 5000)) <= set(rows)


BOWL = {"x": stats.uniform(0, 100), "n": stats.randint(0, 50), "k": list("abcd")}


def bowl(params):
    return (
        -(((params["x"] - 30) / 100) ** 2) - ((params["n"] - 20) / 50) ** 2 - (params["k"] != "c")
    )


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


def test_a_recommendation_tells_apart_what_all_rewards_together_cannot():
    """Among a thousandth of each range the critic of the best still sees the slope."""
    space = {name: stats.uniform(0, 100) for name in "xyz"}
    for seed in range(3):
        optimizer = PolicyGradientOptimizer(space, random_state=seed)
        truth = dict(zip("xyz", np.random.default_rng(seed).uniform(0, 100, 3), strict=True))
        for _ in range(15):
            params = optimizer.ask(10)
            optimizer.tell(params, [-sum((p[k] - truth[k]) ** 2 for k in p) for p in params])
        best = optimizer.recommend()
        assert max(abs(best[name] - truth[name]) for name in space) < 0.05


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


@pytest.mark.parametrize("n", [1, 2, 10])
def test_the_first_batch_is_stratified_and_well_spread(n):
    prior = Policy.prior(Space({"x": stats.uniform(), "y": stats.uniform()}))
    unit = stats.norm.cdf(well_spread(prior, n, np.random.default_rng(0)))
    np.testing.assert_array_equal(np.sort(np.floor(unit * n), axis=0).T, [np.arange(n)] * 2)
    if n == 10:
        draws = [stratified(prior, n, np.random.default_rng(i)) for i in range(20)]
        nearest = [pdist(stats.norm.cdf(actions)).min() for actions in draws]
        assert pdist(unit).min() > np.quantile(nearest, 0.75)


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


def test_a_batch_explores_as_well_as_exploits():
    """Some of a batch is near the best candidate, some is far from all that was tried."""
    optimizer = PolicyGradientOptimizer(
        {"x": stats.uniform(), "y": stats.uniform(), "z": stats.uniform()}, random_state=0
    )
    for _ in range(10):
        params = optimizer.ask(10)
        optimizer.tell(params, [-sum(np.cos(9 * v) for v in p.values()) for p in params])
    tried = numbers_and_choices(optimizer.space, optimizer.memory.actions)[0]
    best = tried[np.argmax(optimizer.memory.rewards)]
    new = numbers_and_choices(optimizer.space, optimizer.space.encode(optimizer.ask(10)))[0]
    assert np.linalg.norm(new - best, axis=1).min() < 0.1
    assert np.linalg.norm(new[:, None] - tried, axis=2).min(axis=1).max() > 0.2


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


@pytest.mark.parametrize("name", ["length_scale", "trend", "noise"])
@pytest.mark.parametrize(
    "prior",
    [(-1, 1), (1, 0), (0.1,), (0.1, 1, 1), 0.1, None, "ab", (0.1, np.nan), (np.inf, 1), (1, "1")],
)
def test_priors_that_are_no_pairs_of_positive_numbers_are_refused(name, prior):
    with pytest.raises(ValueError, match=f"{name} must be two positive numbers.* got "):
        GaussianProcess(**{name: prior})


SQUARE = Space({"x": stats.uniform(0, 1), "y": stats.uniform(0, 1)})


def judged(points, rewards):
    """Return a critic of the rewards of points of the unit square, and the memory of them."""
    actions = SQUARE.encode([{"x": x, "y": y} for x, y in points])
    memory = Memory(actions, np.array(rewards), np.zeros(len(points), int), actions[:0])
    theta = np.log([0.2, 0.2, 0.1, 1e-3])
    features = Features.of(SQUARE)
    critic = Critic.condition(features, theta, design(SQUARE, actions), temper(memory.rewards, 0.5))
    return critic, memory


def test_correlations_are_those_of_scikit_learn():
    critic, memory = judged([(0.1, 0.2), (0.5, 0.9), (0.3, 0.3)], [1.0, 2.0, 3.0])
    x = design(SQUARE, memory.actions)
    np.testing.assert_allclose(critic.correlation(x, x[:2]), Matern(0.2, nu=2.5)(x, x[:2]))


@pytest.mark.parametrize("won", [0.0, 1.0])
def test_a_niche_is_left_when_nothing_more_is_won_in_it(won):
    """Its best stays in memory, and what lies elsewhere is improved from then on."""
    rng = np.random.default_rng(0)
    points = np.concatenate(
        [[(0.25, 0.25)], rng.random((CONSTANTS.niche_patience + 9, 2)), [(0.27, 0.25)]]
    )
    rewards = np.concatenate([[3.0], -rng.random(CONSTANTS.niche_patience + 9), [3.0 + won]])
    critic, memory = judged(points, rewards)
    niches = Niches().updated(critic, memory, SQUARE)
    if won:
        assert len(niches.left) == 0
        assert niches.parent is None
        return
    np.testing.assert_array_equal(niches.left, memory.actions[:1])
    assert niches.since == len(memory)
    outside = niches.outside(critic, design(SQUARE, memory.actions), SQUARE)
    assert not outside[0]
    assert not outside[-1]  # as near as this it is the same niche
    assert outside.mean() > 0.5
    best = memory.actions[np.argmax(np.where(outside, rewards, -np.inf))]
    np.testing.assert_array_equal(niches.parent, best)


def test_where_no_candidate_lies_outside_the_first_niche_is_forgotten():
    critic, memory = judged(
        [(0.5, 0.5)] * (CONSTANTS.niche_patience + 1), np.ones(CONSTANTS.niche_patience + 1)
    )
    niches = Niches(tuple(memory.actions[:2])).updated(critic, memory, SQUARE)
    assert len(niches.left) == 1
    assert niches.parent is None


def test_what_has_become_part_of_a_niche_is_no_longer_improved_on():
    critic, memory = judged([(0.5, 0.5)] * 5, np.ones(5))
    niches = Niches(tuple(memory.actions[:1]), parent=memory.actions[1]).updated(
        critic, memory, SQUARE
    )
    assert niches.parent is None


def test_niches_survive_huge_rewards():
    rng = np.random.default_rng(0)
    rewards = np.where(rng.random(CONSTANTS.niche_patience + 9) < 0.5, -1.7e308, 1.7e308)
    critic, memory = judged(rng.random((CONSTANTS.niche_patience + 9, 2)), rewards)
    assert len(Niches().updated(critic, memory, SQUARE).left) == 1


def test_niches_are_bounded():
    rng = np.random.default_rng(0)
    critic, memory = judged(
        rng.random((CONSTANTS.niche_patience + 60, 2)), np.zeros(CONSTANTS.niche_patience + 60)
    )
    niches = Niches(tuple(memory.actions[: CONSTANTS.most_niches])).updated(critic, memory, SQUARE)
    assert len(niches.left) == CONSTANTS.most_niches
    np.testing.assert_array_equal(niches.left[:-1], memory.actions[1 : CONSTANTS.most_niches])


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


def waves(params):
    return np.cos(12 * params["x"]) - params["x"] + np.cos(12 * params["y"])


def test_once_stalled_a_batch_improves_steps_leaves_and_explores():
    optimizer = PolicyGradientOptimizer(SQUARE, random_state=0)
    assert optimizer.learner.ambitions == (0.3, 1.0)
    while len(optimizer.memory) < 120:
        asked = optimizer.ask(10)
        optimizer.tell(asked, [waves(p) for p in asked])
    state, memory, cycle = optimizer.state, optimizer.memory, CONSTANTS.turns
    assert state.explorer.policy is not None
    assert state.niches.parent is not None
    turns = turns_of(state, memory, 16, (0.3, 1.0))
    first = len(memory) % len(cycle)
    assert [turn.kind for turn in turns] == list((cycle[first:] + 3 * cycle)[:16])
    for kind in ("best", "niche"):
        ambitions = [turn.ambition for turn in turns if turn.kind == kind]
        assert set(ambitions) == {0.3, 1.0}
    assert turns_of(state, memory, 1, (0.3, 1.0)) == turns[:1]


def test_before_it_stalls_every_candidate_improves_on_the_best():
    optimizer = PolicyGradientOptimizer(SQUARE, random_state=0)
    for _ in range(2):
        asked = optimizer.ask(10)
        optimizer.tell(asked, [waves(p) for p in asked])
    turns = turns_of(optimizer.state, optimizer.memory, 4, (0.3, 1.0))
    assert [turn.kind for turn in turns] == ["best"] * 4
    assert [turn.ambition for turn in turns] == [0.3, 1.0, 0.3, 1.0]


def test_stalled():
    won = np.array([0.0, 1.0, 0.5, 0.2, 0.1, 0.3])
    assert stalled(won, 4, 0.01)
    assert not stalled(won, 5, 0.01)  # the second one has won
    assert stalled(won, 5, 2.0)  # but no more than this
    assert not stalled(won, 6, 0.01)  # nothing to compare with


def test_an_explorer_starts_again_where_the_search_stalls():
    rng = np.random.default_rng(0)
    prior = Policy.prior(SQUARE)
    rewards = -rng.random(CONSTANTS.explorer_patience + 1)
    rewards[0] = 3.0
    critic, memory = judged(rng.random((len(rewards), 2)), rewards)
    explorer = Explorer().updated(critic, memory, prior, 0.5, rng)
    assert explorer.since == len(memory)
    assert 0 < explorer.policy.kl_divergence(prior) <= 0.5
    again = explorer.updated(critic, memory, prior, 0.5, rng)
    assert again.since == explorer.since  # not twice for the same rewards
    assert again.policy.kl_divergence(prior) > explorer.policy.kl_divergence(prior)
    rewards[-1] = 4.0
    critic, memory = judged(rng.random((len(rewards), 2)), rewards)
    assert Explorer().updated(critic, memory, prior, 0.5, rng).policy is None


def test_an_explorer_proposes_what_is_new_and_keeps_away_from_what_waits():
    rng = np.random.default_rng(0)
    critic, _ = judged(rng.random((30, 2)), -rng.random(30))
    explorer = Explorer(Policy.prior(SQUARE))
    waiting = SQUARE.encode([{"x": 0.5, "y": 0.5}])

    def left(actions):
        return actions[:, 0] < 0  # the left half: z, not x

    proposed = explorer.propose(critic, waiting, 6, rng, left)
    assert proposed.shape == (6, 2)
    assert left(proposed).all()
    assert pdist(design(SQUARE, np.concatenate([waiting, proposed]))).min() > 0.01
    assert len(explorer.propose(critic, waiting, 0, rng, left)) == 0
    assert len(Explorer().propose(critic, waiting, 6, rng, left)) == 0


def test_climbing_improves_what_is_drawn_within_reach():
    rng = np.random.default_rng(0)
    points = rng.random((40, 2))
    critic, _ = judged(points, -((points - 0.7) ** 2).sum(axis=1))
    prior = Policy.prior(SQUARE)
    climbed = climb(prior, critic, lambda policy: policy.sample_actions(200, rng), 1.0)
    assert 0.2 < climbed.kl_divergence(prior) <= 1.0
    drawn, before = (p.sample_actions(500, np.random.default_rng(1)) for p in (climbed, prior))
    means = [critic.predict(design(SQUARE, actions))[0].mean() for actions in (drawn, before)]
    assert means[0] > means[1]


def test_each_pick_lowers_the_uncertainty_around_it():
    critic, _ = judged([(0.1, 0.1)] * 3, [1.0, 2.0, 3.0])
    near = [{"x": 0.8, "y": 0.8}, {"x": 0.81, "y": 0.8}, {"x": 0.8, "y": 0.2}]
    x = design(SQUARE, SQUARE.encode(near))
    uncertain = [lambda mean, std: std] * 5
    assert set(pick_one_by_one(critic, x, 0, uncertain[:2])) in ({0, 2}, {1, 2})
    assert sorted(pick_one_by_one(critic, x, 0, uncertain)) == [0, 1, 2]


def test_picks_keep_away_from_what_is_in_flight():
    critic, _ = judged([(0.1, 0.1)] * 3, [1.0, 2.0, 3.0])
    free = [{"x": 0.9, "y": 0.9}, {"x": 0.6, "y": 0.2}]  # the first is the least certain one
    uncertain = [lambda mean, std: std]
    x = design(SQUARE, SQUARE.encode(free))
    assert pick_one_by_one(critic, x, 0, uncertain) == [0]
    in_flight = design(SQUARE, SQUARE.encode([{"x": 0.9, "y": 0.88}]))
    assert pick_one_by_one(critic, np.concatenate([in_flight, x]), 1, uncertain) == [1]


def test_small_steps_change_little_and_the_critic_chooses_among_five():
    rng = np.random.default_rng(0)
    points = rng.random((60, 2))
    critic, memory = judged(points, -((points - 0.7) ** 2).sum(axis=1))
    state = ActorCriticState(Policy.prior(SQUARE), critic)
    best = memory.actions[np.argmax(memory.rewards)]
    steps = small_steps(state, memory, 40, rng, lambda actions: np.ones(len(actions), dtype=bool))
    assert steps.shape == (40, 2)
    assert ((steps == best).any(axis=1)).mean() > 0.2  # one of the two is as it was
    distance = np.linalg.norm(design(SQUARE, steps) - design(SQUARE, best[None]), axis=1)
    prior = design(SQUARE, Policy.prior(SQUARE).sample_actions(400, rng))
    others = np.linalg.norm(prior - design(SQUARE, best[None]), axis=1)
    assert np.median(distance) < np.median(others) / 3
    assert len(small_steps(state, memory, 3, rng, lambda a: np.arange(len(a)) < 4)) == 0
