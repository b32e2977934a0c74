"""What the candidates of a batch are for, and small steps."""

from collections import Counter

import numpy as np
import pytest
from scipy import stats

from skpg import PolicyGradientOptimizer
from skpg.learners import ActorCriticState, Memory
from skpg.learners.actor_critic.constants import CONSTANTS
from skpg.learners.actor_critic.proposals import missing_tries, small_steps, turns_of
from skpg.policy.policy import Policy
from skpg.space.features import design
from skpg.space.space import Space
from tests.learners.actor_critic.problems import SQUARE, critic_and_memory


def waves(params):
    return np.cos(12 * params["x"]) - params["x"] + np.cos(12 * params["y"])


def test_before_it_stalls_every_candidate_improves_on_the_best():
    optimizer = PolicyGradientOptimizer(SQUARE, random_state=0)
    for _ in range(2):
        asked = optimizer.ask(10)
        optimizer.tell(asked, [waves(p) for p in asked])
    turns = turns_of(optimizer.state, optimizer.memory, 4, (0.3, 1.0))
    assert [turn.kind for turn in turns] == ["best"] * 4
    assert [turn.ambition for turn in turns] == [0.3, 1.0, 0.3, 1.0]


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


class FirstFour:
    """Admits four actions of any, as where the others were evaluated."""

    refused = 0

    def __call__(self, actions):
        return np.arange(len(actions)) < 4


def test_small_steps_change_little_and_the_critic_chooses_among_five():
    rng = np.random.default_rng(0)
    points = rng.random((60, 2))
    critic, memory = critic_and_memory(points, -((points - 0.7) ** 2).sum(axis=1))
    state = ActorCriticState(Policy.prior(SQUARE), critic)
    best = memory.actions[np.argmax(memory.rewards)]
    steps = small_steps(state, memory, 40, rng, lambda actions: np.ones(len(actions), dtype=bool))
    assert steps.shape == (40, 2)
    assert ((steps == best).any(axis=1)).mean() > 0.2  # one of the two is as it was
    distance = np.linalg.norm(design(SQUARE, steps) - design(SQUARE, best[None]), axis=1)
    prior = design(SQUARE, Policy.prior(SQUARE).sample_actions(400, rng))
    others = np.linalg.norm(prior - design(SQUARE, best[None]), axis=1)
    assert np.median(distance) < np.median(others) / 3
    assert len(small_steps(state, memory, 3, rng, FirstFour())) == 0


# of the first family three fifths of the candidates are useless; others are the best of all
FAMILIES = [
    {"family": [name], f"x of {name}": stats.uniform(), f"y of {name}": stats.uniform()}
    for name in ("needs tuning", "b", "c", "d", "e", "f")
]


def worth(params):
    x, y = params[f"x of {params['family']}"], params[f"y of {params['family']}"]
    if params["family"] == "needs tuning":
        return 1 - abs(x - 0.9) - abs(y - 0.5) / 9 if x > 0.6 else -1
    return 0.7 - (x - 0.3) ** 2 - (y - 0.5) ** 2


def families_tried(n, batch, seed):
    optimizer, best = PolicyGradientOptimizer(FAMILIES, random_state=seed), -np.inf
    names = []
    while len(names) < n:
        asked = optimizer.ask(batch)
        rewards = [worth(params) for params in asked]
        names += [params["family"] for params in asked]
        best = max(best, *rewards)
        optimizer.tell(asked, rewards)
    return names, best


@pytest.mark.parametrize("batch", [1, 4, 10])
def test_each_dict_is_tried_five_times_before_it_is_left(batch):
    names, _ = families_tried(70, batch, 0)
    assert min(Counter(names).values()) >= CONSTANTS.tries_of_part == 5


def test_meanwhile_two_of_three_candidates_are_where_they_promise_most():
    optimizer = PolicyGradientOptimizer(FAMILIES, random_state=0)
    asked = optimizer.ask(10)
    optimizer.tell(asked, [worth(params) for params in asked])
    kinds = [turn.kind for turn in turns_of(optimizer.state, optimizer.memory, 60, (0.3, 1.0))]
    assert kinds[:6] == ["best", "best", "part"] * 2
    assert kinds.count("part") == 20  # six dicts need thirty, and ten were asked
    assert kinds.count("best") == 40


def test_a_dict_whose_first_candidates_are_bad_may_win(monkeypatch):
    def share():
        return np.mean([families_tried(50, 5, seed)[1] > 0.7 for seed in range(8)])

    assert share() >= 0.85
    monkeypatch.setitem(CONSTANTS.__dict__, "tries_of_part", 0)
    assert share() <= 0.65


def test_what_is_missing_is_at_most_what_a_dict_has():
    space = Space([{"k": ["a"]}, {"k": ["b"], "n": [1, 2, 3]}, {"k": ["c"], "x": stats.uniform()}])
    memory = Memory.empty(len(space.dimensions))
    assert missing_tries(space, memory).tolist() == [1, 3, 5]
    known = space.encode([{"k": "b", "n": 1}, {"k": "c", "x": 0.5}])
    told = Memory(known[:1], np.zeros(1), np.zeros(1, int), known[1:])
    assert missing_tries(space, told).tolist() == [1, 2, 4]  # pending ones count
    assert missing_tries(SQUARE, Memory.empty(2)).tolist() == [0]


def test_dicts_of_few_candidates_are_tried_wholly_and_then_no_more():
    space = [{"k": ["a"]}, {"k": ["b"]}, {"k": ["c"], "x": stats.uniform()}]
    optimizer = PolicyGradientOptimizer(space, random_state=0)
    for _ in range(20):
        asked = optimizer.ask(2)
        assert len(asked) == 2
        optimizer.tell(asked, [p.get("x", 0.0) for p in asked])
    assert missing_tries(optimizer.space, optimizer.memory).tolist() == [0, 0, 0]
