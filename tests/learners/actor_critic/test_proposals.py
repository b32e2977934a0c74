"""What the candidates of a batch are for, and small steps."""

import numpy as np

from skpg import PolicyGradientOptimizer
from skpg.learners import ActorCriticState
from skpg.learners.actor_critic.constants import CONSTANTS
from skpg.learners.actor_critic.proposals import small_steps, turns_of
from skpg.policy.policy import Policy
from skpg.space.features import design
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
