"""The purpose of each of the next candidates, and the actions that serve it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist

from skpg.learners.actor_critic.constants import CONSTANTS
from skpg.learners.actor_critic.picking import Improvement, pick_one_by_one
from skpg.learners.actor_critic.sampling import (
    draw_admissible,
    perturb,
    stratified,
)
from skpg.learners.actor_critic.state import ActorCriticState
from skpg.learners.base import Admissible, Memory
from skpg.policy.policy import Policy
from skpg.space.features import design
from skpg.space.space import Space
from skpg.space.types import FloatArray


class Turn(NamedTuple):
    """The purpose of a candidate, and by how much it is to improve.

    Kinds are "best", an improvement on the best candidate of all; "niche", on the best one
    outside of the niches that were left; "explore", a draw of the explorer; "step", a small step
    from the best candidate; "draw", a draw of the user's distributions; and "part", a candidate of
    the part of the space that was tried least. Parts are the dicts of a list, and what an
    objective of Optuna asks for together.
    """

    kind: str
    ambition: float


def propose_batch(
    state: ActorCriticState,
    memory: Memory,
    n: int,
    ambitions: Sequence[float],
    rng: np.random.Generator,
    admissible: Admissible,
) -> FloatArray:
    """Return actions for the next turns; those that improve on the best come first."""
    turns = turns_of(state, memory, n, ambitions)
    kinds = [turn.kind for turn in turns]
    n_explore, n_step, n_draw, n_part = map(kinds.count, ("explore", "step", "draw", "part"))
    explored = state.explorer.propose(
        state.known_critic, memory.pending, n_explore, rng, admissible
    )
    steps = small_steps(state, memory, n_step, rng, admissible)
    drawn = draws(state, n_draw, rng, admissible) if n_draw else steps[:0]
    neglected = in_neglected_parts(state.space, memory, n_part, rng, admissible)
    elsewhere = np.concatenate([explored, steps, drawn, neglected])
    elsewhere = elsewhere[admissible(elsewhere)]
    aims = [turn for turn in turns if turn.kind in ("best", "niche")]
    aims += [Turn("best", ambitions[0])] * (n - len(aims) - len(elsewhere))
    waiting = np.concatenate([memory.pending, elsewhere])
    aimed = _improvements(state, memory, waiting, aims, ambitions, rng, admissible)
    return np.concatenate([aimed, elsewhere])


def turns_of(
    state: ActorCriticState, memory: Memory, n: int, ambitions: Sequence[float]
) -> list[Turn]:
    """Return the purposes of the next candidates.

    The cycle of turns continues from batch to batch, so that batches of one explore as well.
    """
    turns, cycle = [], CONSTANTS.turns
    missing = int(missing_tries(state.space, memory).sum())
    for i in range(n):
        turn = len(memory) + len(memory.pending) + i
        kind, step = "best", turn
        if state.explorer.policy is not None:
            kind, step = cycle[turn % len(cycle)], turn // 2 + turn // len(cycle)
        if kind == "niche" and state.niches.parent is None:
            kind = "explore"
        if memory.earlier and turn < CONSTANTS.transfer_doubt and turn % 2:
            kind = "draw"
        elif missing and turn % CONSTANTS.turns_of_part == 0:
            kind, missing = "part", missing - 1
        turns.append(Turn(kind, ambitions[step % len(ambitions)]))
    return turns


def small_steps(
    state: ActorCriticState,
    memory: Memory,
    n: int,
    rng: np.random.Generator,
    admissible: Admissible,
) -> FloatArray:
    """Return `n` perturbations of the best candidate, each the best of five by the critic.

    The critic smooths small structure away; random small steps still find gains there.
    """
    prior, contestants = Policy.prior(state.space), CONSTANTS.step_contestants
    best = state.parent(memory.best)
    actions = draw_admissible(
        lambda: perturb(prior, prior, best, 2 * contestants * n, rng), contestants * n, admissible
    )
    actions = actions[: len(actions) // contestants * contestants]
    if not len(actions):
        return actions
    mean, _ = state.known_critic.predict(design(state.space, actions))
    winners = mean.reshape(-1, contestants).argmax(axis=1)
    return actions.reshape(len(winners), contestants, -1)[np.arange(len(winners)), winners][:n]


def draws(
    state: ActorCriticState, n: int, rng: np.random.Generator, admissible: Admissible
) -> FloatArray:
    """Return `n` draws of the user's distributions."""
    prior, size = Policy.prior(state.space), CONSTANTS.screened // 7
    return draw_admissible(lambda: stratified(prior, size, rng), n, admissible)[:n]


def missing_tries(space: Space, memory: Memory) -> NDArray[np.intp]:
    """Return how many candidates each part of a space lacks before it may be left.

    What a family of models is worth shows when it is tuned. Its first draws may all be useless,
    and the critic, which has no others, predicts that all of it is.
    """
    wanted = np.minimum(space.part_sizes, CONSTANTS.tries_of_part).astype(np.intp)
    if len(wanted) == 1:
        return np.zeros(1, dtype=np.intp)
    parts = space.part_of(np.concatenate([memory.actions, memory.pending]))
    return np.maximum(wanted - np.bincount(parts[parts >= 0], minlength=len(wanted)), 0)


def in_neglected_parts(
    space: Space, memory: Memory, n: int, rng: np.random.Generator, admissible: Admissible
) -> FloatArray:
    """Return `n` actions where most is missing, each far from what was tried in its part.

    Of some draws of the user's distributions the farthest is taken. The critic has no say: what
    it knows of these parts is why they are neglected.
    """
    missing, prior = missing_tries(space, memory), Policy.prior(space)
    tried = np.concatenate([memory.actions, memory.pending])
    for _ in range(n):
        part = int(missing.argmax())
        missing[part] -= 1
        draw = partial(_drawn_in, prior, part, rng)
        actions = draw_admissible(draw, 1, admissible)
        if len(actions):
            known = design(space, tried[space.part_of(tried) == part])
            distances = cdist(design(space, actions), known).min(axis=1, initial=np.inf)
            tried = np.concatenate([tried, actions[[distances.argmax()]]])
    return tried[len(memory.actions) + len(memory.pending) :]


def _drawn_in(prior: Policy, part: int, rng: np.random.Generator) -> FloatArray:
    """Return a few draws of the user's distributions in one part of a space."""
    actions = stratified(prior, CONSTANTS.screened, rng)
    return actions[prior.space.part_of(actions) == part][: CONSTANTS.step_contestants]


def _improvements(
    state: ActorCriticState,
    memory: Memory,
    waiting: FloatArray,
    turns: list[Turn],
    ambitions: Sequence[float],
    rng: np.random.Generator,
    admissible: Admissible,
) -> FloatArray:
    """Pick actions one by one, each by its probability of improving by its ambition.

    This is Jones's method of many targets (2001). Near an optimum whose surroundings are
    known, all but the smallest ambitions are hopeless, so that large ones leave it. An upper
    confidence bound does not: there a certain gain of 0.001 raises the bound.
    """
    if not turns:
        return waiting[:0]
    pool = _screened(state, memory, rng)
    if state.space.size < 10 * len(memory):  # most of these actions may have been evaluated
        pool = pool[admissible(pool)]
    actions = _finalists(state, pool, len(turns), ambitions)
    actions = actions[admissible(actions)]
    if admissible.refused and len(actions) < CONSTANTS.finalists:
        pool = _allowed(state, memory, pool, rng, admissible)
        actions = _finalists(state, pool, len(turns), ambitions)
    if len(actions) <= len(turns):
        return actions
    x = design(state.space, np.concatenate([waiting, actions]))
    aims = _aims(state, x)
    scores = [Improvement(*aims[turn.kind], turn.ambition) for turn in turns]
    return actions[pick_one_by_one(state.known_critic, x, len(waiting), scores)]


def _screened(state: ActorCriticState, memory: Memory, rng: np.random.Generator) -> FloatArray:
    """Return the actions that a batch is picked from."""
    if state.space.size <= CONSTANTS.largest_grid:
        return state.space.grid()
    policy, prior = state.policy, Policy.prior(state.space)
    part, outside = CONSTANTS.screened // 7, state.niches.parent
    best = state.parent(memory.best)
    pool = [stratified(policy, 2 * part, rng), stratified(prior, part, rng)]
    if outside is None:
        pool.append(perturb(policy, prior, best, 4 * part, rng))
    else:
        pool.append(perturb(policy, prior, best, 2 * part, rng))
        # with the widths of the user's distributions: the policy is elsewhere
        pool.append(perturb(prior, prior, state.parent(outside), 2 * part, rng))
    return np.concatenate(pool)


def _allowed(
    state: ActorCriticState,
    memory: Memory,
    pool: FloatArray,
    rng: np.random.Generator,
    admissible: Admissible,
) -> FloatArray:
    """Return what a constraint leaves of a pool, and of others where that is little."""
    pool = pool[admissible(pool)]
    if state.space.size <= CONSTANTS.largest_grid or len(pool) >= CONSTANTS.finalists:
        return pool
    more = draw_admissible(
        lambda: _screened(state, memory, rng), CONSTANTS.finalists - len(pool), admissible
    )
    pool = np.concatenate([pool, more])
    return pool[admissible(pool)]


def _aims(state: ActorCriticState, x: FloatArray) -> dict[str, tuple[float, NDArray[np.bool_]]]:
    """Return the reward to exceed, and the rows of the design matrix that may, by kind."""
    critic, niches = state.known_critic, state.niches
    aims = {"best": (critic.top, np.ones(len(x), dtype=bool))}
    if niches.parent is not None:
        mean, _ = critic.predict(design(state.space, niches.parent[None]))
        aims["niche"] = (float(mean[0]), niches.outside(critic, x, state.space))
    return aims


def _finalists(
    state: ActorCriticState, actions: FloatArray, n: int, ambitions: Sequence[float]
) -> FloatArray:
    """Return the actions with the best scores for the least or the greatest ambition."""
    if len(actions) <= n:
        return actions
    x = design(state.space, actions)
    mean, std = state.known_critic.predict(x)
    best = []
    for top, within in _aims(state, x).values():
        for ambition in {min(ambitions), max(ambitions)}:
            scores = Improvement(top, within, ambition)(mean, std)
            best.append(np.argsort(-scores, kind="stable")[: CONSTANTS.finalists + n])
    return actions[np.unique(np.concatenate(best))]
