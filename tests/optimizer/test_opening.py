"""The opening: the first candidates of a search are one design, however they are asked."""

import pickle
from typing import ClassVar

import numpy as np
import pytest
from scipy import stats

from skpg import PolicyGradientOptimizer
from skpg.learners import ActorCritic, Learner, NaturalGradient

SPACE = {"x": stats.uniform(), "n": stats.randint(0, 50), "k": ["a", "b"]}
MINE = {"x": 0.25, "n": 7, "k": "b"}


class Opens(Learner):
    """Notes for how many it is asked, and what is in flight."""

    opening: ClassVar[int] = 6

    def __init__(self):
        self.asked = []

    def propose(self, state, memory, n, rng, admissible):
        self.asked.append((n, len(memory), len(memory.pending)))
        return super().propose(state, memory, n, rng, admissible)

    def update(self, state, memory, rng):
        return state


def reward(params):
    return -((params["x"] - 0.3) ** 2) - params["n"] / 50


@pytest.mark.parametrize("sizes", [[1] * 10, [3, 3, 3, 1], [4, 6], [9, 1]])
@pytest.mark.parametrize("tell", [False, True])
def test_ten_candidates_are_the_same_however_they_are_asked(sizes, tell):
    expected = PolicyGradientOptimizer(SPACE, random_state=0).ask(10)
    optimizer, asked = PolicyGradientOptimizer(SPACE, random_state=0), []
    for n in sizes:
        params = optimizer.ask(n)
        if tell:
            optimizer.tell(params, [reward(p) for p in params])
        asked += params
    assert asked == expected


@pytest.mark.parametrize(
    ("sizes", "proposals"),
    [
        ([1, 1, 1, 1, 1, 1, 1], [6, 1]),
        ([4, 4], [6, 2]),
        ([6, 6], [6, 6]),
        ([9, 1], [9, 1]),
    ],
)
def test_the_learner_is_asked_once_for_its_opening(sizes, proposals):
    learner = Opens()
    optimizer = PolicyGradientOptimizer(SPACE, learner=learner, random_state=0)
    keys = [optimizer.space.key(params) for n in sizes for params in optimizer.ask(n)]
    assert [n for n, _, _ in learner.asked] == proposals
    assert len(set(keys)) == sum(sizes)


def test_what_is_wanted_beside_the_candidates_of_the_user_is_proposed_together():
    optimizer = PolicyGradientOptimizer(SPACE, learner=(learner := Opens()), random_state=0)
    optimizer.enqueue([MINE])
    assert len(optimizer.ask(9)) == 9
    assert learner.asked == [(8, 0, 1)]
    assert len(optimizer._pending_actions()) == 9


def test_a_learner_without_opening_is_asked_for_what_is_wanted():
    class Learning(Opens):
        opening = 1

    assert Learner.opening == 1
    assert ActorCritic.opening == ActorCritic(trust_region=0.2).opening == 10
    learner = Learning()
    optimizer = PolicyGradientOptimizer(SPACE, learner=learner, random_state=0)
    optimizer.enqueue([MINE])
    optimizer.ask(1)
    assert learner.asked == []
    optimizer.ask(3)
    assert learner.asked == [(3, 0, 1)]


def test_candidates_of_the_user_come_first_and_the_opening_knows_them():
    learner = Opens()
    optimizer = PolicyGradientOptimizer(SPACE, learner=learner, random_state=0)
    optimizer.enqueue([MINE])
    assert optimizer.ask(1) == [MINE]
    # all of it is proposed before the first reward
    assert learner.asked == [(6, 0, 1)]
    optimizer.tell([MINE], [1.0])
    opening = optimizer.ask(2)
    later = {"x": 0.75, "n": 9, "k": "a"}
    optimizer.enqueue([later])
    asked = optimizer.ask(5)
    assert asked[0] == later
    assert len(learner.asked) == 1
    assert len({optimizer.space.key(p) for p in opening + asked}) == 7
    optimizer.ask(1)
    assert learner.asked[1][:2] == (1, 1)


def test_a_candidate_of_the_opening_that_a_user_enqueues_is_asked_next_and_once():
    expected = PolicyGradientOptimizer(SPACE, random_state=0).ask(10)
    optimizer = PolicyGradientOptimizer(SPACE, random_state=0)
    optimizer.ask(1)
    action = optimizer._pending[optimizer.space.key(expected[5])]
    optimizer.enqueue([expected[5]])
    asked = optimizer.ask(9)
    assert asked == [expected[5], *expected[1:5], *expected[6:]]
    optimizer.tell(asked[:1], [1.0])
    np.testing.assert_array_equal(optimizer.memory.actions, [action])  # the drawn one


def test_candidates_of_the_opening_that_are_evaluated_elsewhere_are_not_asked():
    expected = PolicyGradientOptimizer(SPACE, random_state=0).ask(10)
    optimizer = PolicyGradientOptimizer(SPACE, random_state=0)
    optimizer.enqueue([MINE])
    optimizer.ask(1)
    optimizer.tell([expected[3]], [1.0])
    optimizer.expect([expected[4]])
    # those that are still to be asked are kept away from, as what is expected is
    waiting = [*expected[:3], *expected[5:], expected[4]]
    assert optimizer.space.decode(optimizer._pending_actions()) == waiting
    assert optimizer.ask(8) == [*expected[:3], *expected[5:]]
    assert optimizer.ask(1)[0] not in expected


def test_the_queue_is_pending_for_the_learner():
    learner = Opens()
    optimizer = PolicyGradientOptimizer(SPACE, learner=learner, random_state=0)
    optimizer.expect([MINE])
    optimizer.ask(2)
    optimizer.expect([MINE])
    assert len(optimizer._pending_actions()) == 1 + 4
    optimizer.ask(6)
    assert learner.asked == [(6, 0, 1), (2, 0, 5)]


def test_who_tells_first_has_no_opening():
    optimizer = PolicyGradientOptimizer(SPACE, learner=(learner := Opens()), random_state=0)
    optimizer.tell([MINE], [1.0])
    optimizer.ask(2)
    assert learner.asked == [(2, 1, 0)]


def test_an_optimizer_that_is_pickled_in_its_opening_goes_on_the_same():
    optimizer = PolicyGradientOptimizer(SPACE, random_state=0)
    optimizer.ask(3)
    copy = pickle.loads(pickle.dumps(optimizer))
    assert optimizer.ask(9) == copy.ask(9)


@pytest.mark.parametrize("learner", [None, NaturalGradient()])
@pytest.mark.parametrize("n", [1, 2])
def test_a_space_of_fewer_candidates_is_searched_once_and_wholly(learner, n):
    optimizer = PolicyGradientOptimizer({"a": list(range(5))}, learner=learner, random_state=0)
    optimizer.enqueue([{"a": 3}])
    asked = []
    while params := optimizer.ask(n):
        asked += params
        optimizer.tell(params, [p["a"] for p in params])
    assert asked[0] == {"a": 3}
    assert sorted(p["a"] for p in asked) == list(range(5))


@pytest.mark.parametrize("n", [1, 4, 10])
def test_the_opening_begins_with_the_centre_also_after_candidates_of_the_user(n):
    space = {"x": stats.uniform(0, 10), "y": stats.randint(0, 21), "k": list("abcdefgh")}
    optimizer = PolicyGradientOptimizer(space, random_state=0)
    mine = {"x": 1.0, "y": 1, "k": "a"}
    optimizer.enqueue([mine])
    asked = [params for _ in range(20 // n) for params in optimizer.ask(n)]
    assert asked[0] == mine
    assert asked[1] == {"x": pytest.approx(5.0), "y": 10, "k": asked[1]["k"]}
    # once: not again, with another choice, in what is asked before the first reward
    assert sum(params["x"] == pytest.approx(5.0) for params in asked) == 1


def test_the_opening_is_spread_whatever_the_batch_size():
    """Each tenth of a range has one of the ten candidates, but for the centre."""
    for seed in range(5):
        optimizer = PolicyGradientOptimizer(SPACE, random_state=seed)
        asked = []
        for _ in range(10):
            params = optimizer.ask(1)
            optimizer.tell(params, [reward(params[0])])
            asked += params
        tenths = {int(10 * params["x"]) for params in asked[1:]}
        assert len(tenths) == 9
