"""Candidates that a constraint forbids are neither asked nor recommended."""

import pickle
import time
import warnings

import numpy as np
import pytest
from scipy import stats

from skpg import PolicyGradientOptimizer
from skpg.learners import ActorCritic, Learner, NaturalGradient, Reinforce, ZerothOrder

LEARNERS = [ActorCritic(), NaturalGradient(), Reinforce(), ZerothOrder()]
every_learner = pytest.mark.parametrize("learner", LEARNERS, ids=lambda p: type(p).__name__)

INFINITE = {"x": stats.uniform(), "n": stats.randint(0, 100), "k": list("abc")}
LUMPY = {"n": stats.poisson(5), "m": stats.poisson(5)}
FINITE = {"n": stats.randint(0, 40), "m": list(range(40))}
DICTS = [
    {"n": stats.randint(0, 100), "x": stats.uniform()},
    {"n": stats.randint(0, 60), "l1": stats.uniform()},
    {"n": stats.randint(0, 60), "l1": stats.uniform(0.5, 0.5)},
]
SPACES = [INFINITE, LUMPY, FINITE, DICTS]
every_space = pytest.mark.parametrize(
    "space", SPACES, ids=["infinite", "lumpy", "finite", "list of dicts"]
)


def smaller(params):
    """A border of which every second candidate is on the right side, and the best one on it."""
    other = params["m"] / 100 if "m" in params else params.get("x", params.get("l1"))
    return np.bool_(params["n"] <= 100 * other)


def reward(params):
    return params["n"] - 20 * params.get("x", 0.0) - params.get("m", 0)


def run(optimizer, batch, n):
    asked = []
    while len(asked) < n:
        params = optimizer.ask(batch)
        if not params:
            break
        optimizer.tell(params, [reward(p) for p in params])
        asked += params
    return asked


def always(params):
    return True


@every_learner
@every_space
@pytest.mark.parametrize("batch", [1, 7, 10])
def test_what_is_asked_and_recommended_is_allowed(learner, space, batch):
    optimizer = PolicyGradientOptimizer(space, learner=learner, constraint=smaller, random_state=0)
    asked = run(optimizer, batch, 28)
    assert len(asked) >= 28
    assert all(map(smaller, asked))
    keys = {optimizer.space.key(params) for params in asked}
    assert len(keys) == len(asked)
    assert smaller(optimizer.recommend())
    free = run(PolicyGradientOptimizer(space, learner=learner, random_state=0), batch, 28)
    assert not all(map(smaller, free))


@every_learner
@every_space
@pytest.mark.parametrize("batch", [1, 7])
def test_a_constraint_that_allows_everything_changes_nothing(learner, space, batch):
    pair = [
        PolicyGradientOptimizer(space, learner=learner, constraint=constraint, random_state=3)
        for constraint in (None, always)
    ]
    free, constrained = (run(optimizer, batch, 21) for optimizer in pair)
    assert free == constrained
    np.testing.assert_array_equal(pair[0].policy.theta, pair[1].policy.theta)
    assert pair[0].recommend() == pair[1].recommend()


def corner(params):
    return params["x"] < 0.1 and params["y"] < 0.1


CUBE = {"x": stats.uniform(), "y": stats.uniform(), "z": stats.uniform()}


@every_learner
def test_a_hundredth_of_the_space_is_enough(learner):
    optimizer = PolicyGradientOptimizer(CUBE, learner=learner, constraint=corner, random_state=0)
    start = time.perf_counter()
    for _ in range(6):
        params = optimizer.ask(10)
        assert len(params) == 10
        assert all(map(corner, params))
        optimizer.tell(params, [p["z"] - p["x"] for p in params])
    assert time.perf_counter() - start < 20  # it takes two


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("batch", [1, 10])
def test_the_critic_still_picks_where_little_is_allowed(batch, seed):
    """On a line in a square: all that the policy proposes near the best one is forbidden."""
    space = {"n": stats.randint(0, 100), "m": stats.randint(0, 100), "z": stats.uniform()}
    optimizer = PolicyGradientOptimizer(
        space, constraint=lambda p: p["n"] + p["m"] == 99, random_state=seed
    )
    rewards = []
    for _ in range(50 // batch):
        params = optimizer.ask(batch)
        assert all(p["n"] + p["m"] == 99 for p in params)
        rewards += [-(((p["n"] - 70) / 100) ** 2) - (p["z"] - 0.8) ** 2 for p in params]
        optimizer.tell(params, rewards[-len(params) :])
    drawn = np.random.default_rng(seed).random((2, 10_000))
    random = -((drawn[0] - 0.7) ** 2) - (drawn[1] - 0.8) ** 2
    assert np.median(rewards[20:]) > np.quantile(random, 0.9)


def test_the_opening_is_spread_within_the_constraint():
    def nearest(actions):
        return min(
            abs(a["x"] - b["x"]) + abs(a["y"] - b["y"])
            for i, a in enumerate(actions)
            for b in actions[:i]
        )

    def triangle(params):
        return params["x"] + params["y"] < 0.5

    space = {"x": stats.uniform(), "y": stats.uniform()}
    rng, spread, drawn = np.random.default_rng(0), [], []
    for seed in range(10):
        optimizer = PolicyGradientOptimizer(space, constraint=triangle, random_state=seed)
        spread.append(nearest(optimizer.ask(10)))
        points = [{"x": x, "y": y} for x, y in rng.random((200, 2)) if x + y < 0.5]
        drawn.append(nearest(points[:10]))
    assert np.mean(spread) > 2 * np.mean(drawn)


@pytest.mark.parametrize("n", [1, 3, 10])
def test_the_opening_is_the_same_however_it_is_asked(n):
    optimizers = [
        PolicyGradientOptimizer(INFINITE, constraint=smaller, random_state=0) for _ in range(2)
    ]
    expected = optimizers[0].ask(10)
    asked = [params for _ in range(-(-10 // n)) for params in optimizers[1].ask(n)]
    assert asked[:10] == expected


@every_learner
@pytest.mark.parametrize("batch", [1, 7])
@pytest.mark.parametrize("space", [FINITE, [{"n": [1, 2, 3], "m": [2]}, {"n": [3], "m": [1, 2]}]])
def test_a_finite_space_is_searched_to_its_last_allowed_candidate(learner, batch, space):
    def allowed(params):
        return params["n"] + params["m"] in (4, 70)

    optimizer = PolicyGradientOptimizer(space, learner=learner, constraint=allowed, random_state=0)
    asked = run(optimizer, batch, 10**6)
    pairs = sorted((p["n"], p["m"]) for p in asked)
    if space is FINITE:
        assert pairs == [(n, s - n) for n in range(40) for s in (4, 70) if 0 <= s - n < 40]
    else:  # both dicts have one that is the same
        assert pairs == [(2, 2), (3, 1)]


def never(params):
    return False


@pytest.mark.parametrize(
    ("space", "tried"),
    [
        (INFINITE, "10000 draws"),
        (FINITE, "1600 candidates of the space"),
        ({"n": stats.randint(0, 300), "m": list(range(100))}, "30000 candidates of the space"),
    ],
)
@every_learner
def test_a_constraint_that_nothing_satisfies_is_an_error(space, tried, learner):
    optimizer = PolicyGradientOptimizer(space, learner=learner, constraint=never, random_state=0)
    with pytest.raises(ValueError, match=f"constraint refused all {tried}"):
        optimizer.ask()


def test_what_is_hardly_ever_drawn_is_asked_and_then_there_is_no_more():
    def rare(params):
        return abs(params["x"] - 0.5) < 1e-4

    space = {"x": stats.uniform()}
    optimizer = PolicyGradientOptimizer(
        space, learner=NaturalGradient(), constraint=rare, random_state=0
    )
    asked = optimizer.ask(50)
    assert 0 < len(asked) < 20
    assert all(map(rare, asked))
    optimizer.tell(asked, [p["x"] for p in asked])
    assert all(map(rare, optimizer.ask(50)))  # perhaps none


def test_later_on_there_may_be_no_candidates_left():
    left = {"any": True}
    optimizer = PolicyGradientOptimizer(
        INFINITE, constraint=lambda params: left["any"], random_state=0
    )
    asked = optimizer.ask(10)
    optimizer.tell(asked, [reward(p) for p in asked])
    left["any"] = False
    assert optimizer.ask(4) == []


def test_who_has_told_something_loses_nothing_to_an_impossible_constraint():
    optimizer = PolicyGradientOptimizer(CUBE, constraint=never, random_state=0)
    optimizer.tell([{"x": 0.5, "y": 0.5, "z": 0.5}], [1.0])
    assert optimizer.ask(3) == []


@pytest.mark.parametrize("n_enqueued", [0, 10])
@every_learner
@pytest.mark.parametrize(
    ("constraint", "error", "message"),
    [
        (lambda p: p["gamma"] > 1, ValueError, "constraint raised KeyError: 'gamma' for {'x': "),
        (lambda p: None, TypeError, "constraint must return True or False, got None of type None"),
        (lambda p: 1, TypeError, "got 1 of type int for {'x': "),
        (lambda p: np.array([True]), TypeError, "of type ndarray"),
    ],
)
def test_a_constraint_that_fails_is_an_error_of_the_first_ask(
    n_enqueued, learner, constraint, error, message
):
    calls = {"first": n_enqueued}

    def after_what_is_enqueued(params):
        calls["first"] -= 1
        return True if calls["first"] >= 0 else constraint(params)

    optimizer = PolicyGradientOptimizer(
        CUBE, learner=learner, constraint=after_what_is_enqueued, random_state=0
    )
    optimizer.enqueue([{"x": i / 10, "y": 0.0, "z": 0.0} for i in range(n_enqueued)])
    with pytest.raises(error) as raised:
        optimizer.ask(4)
    assert message in str(raised.value)


def test_a_constraint_that_fails_rarely_is_an_error_too():
    def constraint(params):
        if params["n"] % 20 == 7:  # of twenty, one
            raise RuntimeError("seven")
        return True

    optimizer = PolicyGradientOptimizer(INFINITE, constraint=constraint, random_state=0)
    with pytest.raises(ValueError, match=r"constraint raised RuntimeError: seven for \{.*27"):
        optimizer.ask(1)


def test_a_constraint_that_fails_later_loses_nothing():
    broken = {"yes": False}

    def constraint(params):
        return "what?" if broken["yes"] and params["x"] < 0.5 else True

    optimizer = PolicyGradientOptimizer(INFINITE, constraint=constraint, random_state=0)
    run(optimizer, 10, 10)
    broken["yes"] = True
    with pytest.warns(RuntimeWarning, match="refused: constraint must return True or False, got"):
        asked = run(optimizer, 10, 10)
    assert len(asked) == 10
    assert min(p["x"] for p in asked) >= 0.5
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # once is enough
        assert len(run(optimizer, 10, 10)) == 10


@pytest.mark.parametrize("constraint", ["x < 1", 3, True, [smaller]])
def test_a_constraint_must_be_callable(constraint):
    with pytest.raises(TypeError, match="constraint must be a callable or None, got"):
        PolicyGradientOptimizer(CUBE, constraint=constraint)


def test_enqueued_candidates_must_keep_it_and_told_ones_need_not():
    optimizer = PolicyGradientOptimizer(CUBE, constraint=corner, random_state=0)
    inside, outside = {"x": 0.05, "y": 0.01, "z": 1.0}, {"x": 0.5, "y": 0.01, "z": 0.0}
    with pytest.raises(ValueError, match=r"params\[1\]: constraint forbids \{'x': 0\.5"):
        optimizer.enqueue([inside, outside])
    optimizer.enqueue([inside])
    assert optimizer.ask(1) == [inside]
    optimizer.tell([outside, inside], [9.0, 1.0])
    assert len(optimizer.memory) == 2
    assert all(map(corner, optimizer.ask(10)))


def test_the_constraint_sees_the_values_of_the_space_and_may_change_its_copy():
    types = set()

    def constraint(params):
        types.add(type(params["n"]))
        params.clear()
        return True

    optimizer = PolicyGradientOptimizer(INFINITE, constraint=constraint, random_state=0)
    optimizer.enqueue([{"x": 0.5, "n": 7.0, "k": "a"}])
    assert optimizer.ask(2)[0] == {"x": 0.5, "n": 7, "k": "a"}
    assert types == {int}


class Believes(Learner):
    """Recommends the centre."""

    def update(self, state, memory, rng):
        return state


def test_a_forbidden_recommendation_gives_way_to_the_best_allowed_candidate():
    optimizer = PolicyGradientOptimizer(CUBE, learner=Believes(), constraint=corner, random_state=0)
    # the centre is forbidden, and nothing told
    first = optimizer.recommend()
    assert corner(first)
    assert optimizer.recommend() == first
    told = [{"x": x, "y": 0.05, "z": 0.5} for x in (0.02, 0.04, 0.06, 0.5)]
    optimizer.tell(told, [1.0, 2.0, float("nan"), 3.0])
    assert optimizer.recommend() == pytest.approx(told[1])


def test_recommending_draws_nothing_from_the_optimizers_generator():
    pair = [
        PolicyGradientOptimizer(CUBE, learner=Believes(), constraint=corner, random_state=0)
        for _ in range(2)
    ]
    pair[0].recommend()
    assert pair[0].ask(5) == pair[1].ask(5)


def test_a_pickled_optimizer_goes_on_the_same():
    optimizer = PolicyGradientOptimizer(CUBE, constraint=corner, random_state=0)
    optimizer.ask(4)
    copy = pickle.loads(pickle.dumps(optimizer))
    assert copy.constraint is corner
    assert optimizer.ask(12) == copy.ask(12)
