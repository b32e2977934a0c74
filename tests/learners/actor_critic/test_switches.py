"""Ties tell which choices switch which hyperparameters off."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from skpg import PolicyGradientOptimizer
from skpg.learners.actor_critic.critic import Critic
from skpg.learners.actor_critic.sampling import perturb
from skpg.learners.actor_critic.switches import switched_off
from skpg.policy.policy import Policy
from skpg.space.features import Features, design, without_inert
from skpg.space.space import Space

CHOICES = {
    "scaler": ["standard", "robust"],
    "gamma": stats.loguniform(1e-4, 10),
    "C": stats.loguniform(1e-2, 1e3),
    "kernel": ["linear", "rbf", "poly"],
    "degree": [2, 3, 4, 5],
}
SPACE = Space(CHOICES)
# In the order of the critic: numbers (gamma, C, degree), then unordered lists (scaler, kernel);
# and a row for each choice of scaler and kernel.
GAMMA, DEGREE = 0, 2
LINEAR = 2


def machine(params):
    """Score a support vector machine: a linear kernel has no gamma, and only poly a degree."""
    score = -((np.log10(params["C"]) - 1) ** 2) + 0.2 * (params["scaler"] == "robust")
    if params["kernel"] != "linear":
        score -= (np.log10(params["gamma"]) + 2) ** 2
    if params["kernel"] == "poly":
        score -= (params["degree"] - 3) ** 2
    return score


def svm(kernel, scaler="robust", C=1.0, gamma=0.1, degree=3):
    return {"scaler": scaler, "gamma": gamma, "C": C, "kernel": kernel, "degree": degree}


def found(candidates, rewards=None):
    rewards = [machine(c) for c in candidates] if rewards is None else rewards
    features = Features.of(SPACE)
    return switched_off(features, design(SPACE, SPACE.encode(candidates)), np.array(rewards))


def test_a_tie_shows_what_a_choice_switches_off():
    ties = [
        svm("linear", scaler, gamma=gamma, degree=degree)
        for scaler in ("standard", "robust")
        for gamma, degree in ((0.1, 3), (5.0, 2))
    ]
    off = found([*ties, svm("rbf"), svm("poly")])
    expected = np.zeros((5, 5), dtype=bool)
    expected[LINEAR, [GAMMA, DEGREE]] = True
    np.testing.assert_array_equal(off, expected)


def test_of_two_lists_the_one_that_explains_more_is_the_reason():
    """Each tie has a scaler of its own, and both the linear kernel."""
    ties = [svm("linear", scaler, gamma=g) for scaler in ("standard", "robust") for g in (1, 5)]
    others = [svm("rbf"), svm("rbf", C=9), svm("poly", C=8)]
    np.testing.assert_array_equal(np.argwhere(found(ties + others)), [[LINEAR, GAMMA]])


def test_different_rewards_refute():
    tie = [svm("rbf"), svm("rbf", gamma=5.0)]
    assert found(tie, [1.0, 1.0])[:, GAMMA].any()
    assert found([*tie, svm("rbf", gamma=0.5)], [1.0, 1.0, 2.0]) is None


def test_a_tie_is_no_evidence_where_most_ties_have_no_explanation():
    """Accuracies on few samples are equal by chance."""
    tie = [svm("linear"), svm("linear", gamma=5.0)]
    chance = [svm("rbf", "standard", 2.0, 1.0), svm("poly", "robust", 7.0, 2.0, 5)]
    more = [svm("poly", "standard", 3.0, 0.2), svm("linear", "robust", 8.0, 0.2)]
    assert found([*tie, *chance], [1.0, 1.0, 2.0, 2.0]) is not None
    assert found([*tie, *chance, *more], [1.0, 1.0, 2.0, 2.0, 3.0, 3.0]) is None


@pytest.mark.parametrize(("n", "shown"), [(5, True), (6, False)])
def test_a_tie_of_candidates_that_differ_in_many_shows_nothing(n, shown):
    """Few others agree with both in the rest, so nothing would contradict."""
    space = Space({"kind": ["a", "b"], **{f"x{k}": stats.uniform() for k in range(n)}})
    one, other = ({"kind": "a", **{f"x{k}": u for k in range(n)}} for u in (0.2, 0.7))
    third = {**one, "kind": "b"}
    x = design(space, space.encode([one, other, third]))
    off = switched_off(Features.of(space), x, np.array([1.0, 1.0, 0.0]))
    assert (off is not None) == shown
    if shown:
        assert off[0].tolist() == [True] * n + [False]


def test_failures_are_no_ties():
    assert found([svm("linear"), svm("linear", gamma=5.0)], [np.nan, np.nan]) is None


def test_without_unordered_lists_nothing_is_switched_off():
    space = Space({"x": stats.uniform(), "k": [1, 2, 3]})
    actions = space.encode([{"x": 0.5, "k": 1}, {"x": 0.5, "k": 2}])
    assert switched_off(Features.of(space), design(space, actions), np.zeros(2)) is None


@settings(deadline=None, max_examples=60)
@given(seed=st.integers(0, 2**32), n=st.integers(2, 60), decimals=st.integers(-1, 3))
def test_what_is_found_is_never_refuted_by_the_data(seed, n, decimals):
    rng = np.random.default_rng(seed)
    actions = np.round(Policy.prior(SPACE).sample_actions(n, rng), 0)
    rewards = np.round([machine(params) for params in SPACE.decode(actions)], decimals)
    features = Features.of(SPACE)
    x = design(SPACE, actions)
    off = switched_off(features, x, rewards)
    if off is None:
        return
    for choice, inert in zip(x[:, features.n_numeric :].T > 0, off, strict=True):
        if not inert.any():
            continue
        rows = x[choice][:, ~inert[features.groups]]
        for row in rows:
            assert len(set(rewards[choice][(rows == row).all(axis=1)])) == 1


def test_the_critic_does_not_look_at_what_is_switched_off():
    candidates = [svm("linear"), svm("linear", gamma=5.0), svm("rbf"), svm("rbf", gamma=5.0)]
    x = design(SPACE, SPACE.encode(candidates))
    off = np.zeros((5, 5), dtype=bool)
    off[LINEAR, [GAMMA, DEGREE]] = True
    features = Features(3, (2, 3), off)
    theta = np.log([0.3, 0.3, 0.3, 1.0, 1.0, 0.1, 1e-3])
    critic = Critic.condition(features, theta, x, np.array([1.0, 1.0, 2.0, 0.0]))
    mean, std = critic.predict(x)
    assert mean[0] == mean[1]
    assert std[0] == std[1]
    assert mean[2] > mean[3] + 0.5
    correlation = critic.correlation(x, x)
    assert correlation[0, 1] == 1
    assert correlation[2, 3] < 0.9


def test_what_is_switched_off_is_drawn_and_the_rest_is_changed():
    off = np.zeros((5, 5), dtype=bool)
    off[LINEAR, [GAMMA, DEGREE]] = True
    best = SPACE.encode([svm("linear"), svm("rbf")])
    linear, rbf = (without_inert(Features(3, (2, 3), off), SPACE, action) for action in best)
    np.testing.assert_array_equal(np.isnan(linear), [False, True, False, False, True])
    np.testing.assert_array_equal(rbf, best[1])
    prior = Policy.prior(SPACE)
    near = perturb(prior, prior, linear, 300, np.random.default_rng(0))
    assert not np.isnan(near).any()
    assert len(np.unique(near[:, 1])) > 250  # the ends of the range are drawn again
    kept = (near[:, [0, 2, 3]] == best[0][[0, 2, 3]]).all(axis=1)
    assert kept.mean() < 0.35  # lists may draw what they had


BOOSTERS = {
    "booster": ["linear", "tree"],
    "rate": stats.uniform(0, 1),
    **{f"tree_{i}": stats.uniform(0, 1) for i in range(8)},
}


def boost(params):
    """Score trees above a linear booster, once they are tuned."""
    if params["booster"] == "linear":
        return 0.6 - (params["rate"] - 0.3) ** 2
    tuned = sum((params[f"tree_{i}"] - (0.1, 0.9)[i % 2]) ** 2 for i in range(8))
    return 1 - (params["rate"] - 0.3) ** 2 / 4 - tuned


@pytest.mark.parametrize("batch", [1, 10])
def test_a_search_does_not_tune_what_makes_no_difference(batch):
    """Of 40 searches 30 and 12 find the trees in 60 candidates; without ties one and none."""

    def search(noise):
        trees = repeated = 0
        for seed in range(10):
            optimizer = PolicyGradientOptimizer(BOOSTERS, random_state=seed)
            rng = np.random.default_rng(seed)
            while len(optimizer.memory) < 60:
                asked = optimizer.ask(batch)
                optimizer.tell(asked, [boost(params) + noise * rng.normal() for params in asked])
            params = optimizer.space.decode(optimizer.memory.actions)
            rewards = np.array([boost(p) for p in params])
            trees += params[rewards.argmax()]["booster"] == "tree"
            repeated += len(rewards) - len(np.unique(rewards))
        return trees, repeated

    (trees, repeated), (fewer_trees, more_repeated) = search(0.0), search(1e-9)
    assert trees >= 3
    assert fewer_trees <= 1
    assert repeated < 0.5 * more_repeated
