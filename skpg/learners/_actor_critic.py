"""The default: natural-gradient steps on virtual actions that a Gaussian process judges."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from skpg._critic import Critic, Encoding, GaussianProcess
from skpg._policy import Policy
from skpg._rewards import replace_failed, temper
from skpg._space import FloatArray, is_positive
from skpg.learners._base import Admissible, Learner, Memory, check_integer, check_positive
from skpg.learners._climbing import VIRTUAL_ACTIONS, Explorer, climb
from skpg.learners._niches import Niches
from skpg.learners._screening import (
    centred,
    design,
    perturb,
    pick_one_by_one,
    steps_from,
    stratified,
    well_spread,
    without_inert,
)
from skpg.learners._switches import switched_off

# Actions that a batch is picked from: two parts of draws from the policy, one from the
# user's distributions, four of perturbations of the best candidate, of which two are of the
# best one outside of the niches that were left, if any.
SCREENED = 490
# What candidates are for, in turn, once a search has stalled: to improve on the best, or on
# the best outside of the niches that were left; to draw from the explorer; small steps.
CYCLE = ("best", "explore", "best", "niche", "best", "explore", "step", "explore")
# A small step is the best of so many.
CONTESTANTS = 5
# One candidate of so many is the learner's recommendation.
REFINED = 10
# Of a finite space up to this size every candidate is screened.
LARGEST_GRID = 1000
# A recommendation is found near the best candidate by ever smaller steps, judged by
# a critic of so many of the best.
ELITE = 50
RECOMMENDATION = 0.2 ** np.arange(1, 7)
# Rewards are half ranks and half z-scores; a recommendation is judged by z-scores alone.
RANK_SHARE = 0.5


@dataclass(frozen=True, eq=False, repr=False)
class JudgedPolicy(Policy):
    """A policy with the critic that improved it.

    Attributes
    ----------
    critic : Critic
    fitted : int
        Number of rewards when its kernel was fitted.
    niches : Niches
    explorer : Explorer
    """

    critic: Critic
    fitted: int
    niches: Niches
    explorer: Explorer

    def parent(self, action: FloatArray) -> FloatArray:
        """Return an action to perturb: nan for what makes no difference to it."""
        return without_inert(self.critic.encoding, self.space, action)


@dataclass(frozen=True)
class ActorCritic(Learner):
    """Improve the policy on virtual actions that a critic judges; screen what it draws.

    Rewards are few, virtual actions are free: a Gaussian process, the critic, is fitted to
    all rewards, and the policy climbs by natural-gradient steps on actions that are drawn
    from it and judged by the critic, inside a trust region. The next batch is picked among
    draws of the policy, of the user's distributions and perturbations of the best
    candidate, one by one: each has the greatest probability of improving on the best by as
    much as it is its turn to aim at, given the uncertainty that the earlier ones leave.

    Candidates with the very same reward tell which choices of a list switch which
    hyperparameters off, as a linear kernel does with ``gamma``. The critic does not look at
    what is switched off, and perturbations change something else.

    A search that has won next to nothing for 30 candidates has stalled. From then on only
    half of the candidates improve on the best, or take small steps from it. The others are
    draws of a second policy, the explorer, which starts again from the user's
    distributions whenever the search stalls, and improvements on the best candidate outside
    of the niches in which nothing more was won (sequential niching [5]_).

    Parameters
    ----------
    ambitions : tuple of float, default=(0.3, 1.0)
        Improvements that candidates aim at, in turn, in robust standard deviations of the
        rewards. Small ones refine the best candidate, large ones explore.
    trust_region : float, default=0.1
        Greatest Kullback-Leibler divergence, in nats per new reward, between the policy
        after an update and before it.
    memory_size : int, default=200
        Number of candidates that the critic sees: the best, the latest, and others spread
        over the search.
    critic : GaussianProcess, default=GaussianProcess()
        The priors of the critic.

    References
    ----------
    .. [1] V. R. Konda and J. N. Tsitsiklis, "Actor-Critic Algorithms", NIPS 1999.
    .. [2] D. R. Jones, "A Taxonomy of Global Optimization Methods Based on Response
       Surfaces", Journal of Global Optimization 21, 2001. doi:10.1023/A:1012771025575
    .. [3] T. Desautels, A. Krause and J. W. Burdick, "Parallelizing Exploration-Exploitation
       Tradeoffs in Gaussian Process Bandit Optimization", JMLR 15, 2014.
    .. [4] J. Schulman et al., "Trust Region Policy Optimization", ICML 2015.
       arXiv:1502.05477
    .. [5] D. Beasley, D. R. Bull and R. R. Martin, "A Sequential Niche Technique for
       Multimodal Function Optimization", Evolutionary Computation 1(2), 1993.
       doi:10.1162/evco.1993.1.2.101

    Examples
    --------
    >>> from scipy.stats import uniform
    >>> from skpg import PolicyGradientOptimizer
    >>> from skpg.learners import ActorCritic
    >>> optimizer = PolicyGradientOptimizer(
    ...     {"x": uniform(0, 100), "k": list("abc")}, learner=ActorCritic(), random_state=0
    ... )
    >>> for _ in range(5):
    ...     batch = optimizer.ask(10)
    ...     optimizer.tell(batch, [-((p["x"] - 73) ** 2) - 99 * (p["k"] != "b") for p in batch])
    >>> best = optimizer.recommend()
    >>> round(best["x"]), best["k"]
    (73, 'b')
    """

    ambitions: tuple[float, ...] = (0.3, 1.0)
    trust_region: float = 0.1
    memory_size: int = 200
    critic: GaussianProcess = field(default_factory=GaussianProcess)

    def __post_init__(self) -> None:
        check_positive(self, "trust_region")
        ambitions = self.ambitions if isinstance(self.ambitions, tuple | list) else ()
        if not ambitions or not all(map(is_positive, ambitions)):
            raise ValueError(
                f"ambitions must have at least one number, all positive, got {self.ambitions!r}."
            )
        check_integer(self, "memory_size", 10)
        if not isinstance(self.critic, GaussianProcess):
            raise TypeError(f"critic must be a GaussianProcess, got {self.critic!r}.")

    def update(self, policy: Policy, memory: Memory, rng: np.random.Generator) -> Policy:
        """Fit the critic, then climb on virtual actions within the trust region."""
        judged, space = self._judge(policy, memory), policy.space
        prior = Policy.prior(space)
        reach, half = self.trust_region * memory.last, VIRTUAL_ACTIONS // 2
        best = judged.parent(_best(memory))

        def around_best(current: Policy) -> FloatArray:
            near = perturb(current, prior, best, half, rng)
            return np.concatenate([stratified(current, half, rng), near])

        return replace(
            judged,
            actors=climb(judged, judged.critic, around_best, reach).actors,
            niches=judged.niches.after(judged.critic, memory, space),
            explorer=judged.explorer.after(judged.critic, memory, prior, reach, rng),
        )

    def propose(
        self,
        policy: Policy,
        memory: Memory,
        n: int,
        rng: np.random.Generator,
        admissible: Admissible,
    ) -> FloatArray:
        """Pick a batch by the critic.

        The first one is spread over the space, but for the candidate that opens the search:
        the centre, around which people tend to lay their ranges.
        """
        if not isinstance(policy, JudgedPolicy):
            actions = well_spread(policy, n, rng)
            if not len(memory) + len(memory.pending):
                actions[0] = centred(policy.space, actions[0])
            return actions[admissible(actions)]
        turns = self._turns(policy, memory, n)
        kinds = [turn.kind for turn in turns]
        elsewhere = np.concatenate(
            [
                policy.explorer.propose(
                    policy.critic, memory.pending, kinds.count("explore"), rng, admissible
                ),
                _steps(policy, memory, kinds.count("step"), rng, admissible),
            ]
        )
        elsewhere = elsewhere[admissible(elsewhere)]
        aims = [turn for turn in turns if turn.kind in ("best", "niche")]
        aims += [Turn("best", self.ambitions[0])] * (n - len(aims) - len(elsewhere))
        waiting = np.concatenate([memory.pending, elsewhere])
        actions = self._aimed(policy, memory, waiting, aims, rng, admissible)
        actions = np.concatenate([actions, elsewhere])
        if len(memory) % REFINED == 0:
            best = self.recommend(policy, memory)[None]
            # in place of the first one
            actions = np.concatenate([best if admissible(best)[0] else actions[:1], actions[1:]])
        return actions[admissible(actions)][:n]

    def recommend(self, policy: Policy, memory: Memory) -> FloatArray:
        """Return the best action by a critic of the best candidates only, near the best one.

        Among all rewards the differences between the best are too small to be modelled; on
        the ranges that the best span they are not. Outside of these the critic of the best
        knows nothing, and what it is less sure of by more than is won is not recommended: where the
        best are crowded its mean has peaks that are none.
        """
        if not isinstance(policy, JudgedPolicy):
            return policy.mode_action()
        rows = np.argsort(-replace_failed(memory.rewards), kind="stable")[:ELITE]
        encoding, x = Encoding.of(policy.space), design(policy.space, memory.actions[rows])
        if not encoding.n_numeric:  # unordered choices have no neighbours
            return np.asarray(memory.actions[rows[0]])
        low, span = x.min(axis=0), np.ptp(x, axis=0)
        unit = np.where((encoding.groups < encoding.n_numeric) & (span > 0), span, 1.0)
        theta = policy.critic.theta.copy()  # length scales in the new units
        theta[: encoding.n_numeric] -= np.log(unit[: encoding.n_numeric])
        y = temper(memory.rewards[rows], 0.0)
        critic = self.critic.fit(encoding, (x - low) / unit, y, theta, max_iter=5)
        best, rng = memory.actions[rows[0]], np.random.default_rng(0)
        for size in RECOMMENDATION:
            changed = rng.random((VIRTUAL_ACTIONS, len(best))) < 0.5
            steps = size * rng.standard_normal(changed.shape)
            parents = np.tile(best, (len(changed), 1))
            near = np.where(changed, steps_from(policy, parents, steps, in_rank=True), parents)
            actions = np.concatenate([best[None], near])
            new = design(policy.space, actions) - low
            mean, _ = critic.predict(new / unit)
            known = ((new >= 0) & (new <= span)).all(axis=1)
            best = actions[np.argmax(np.where(known, mean, -np.inf))]
        found = np.stack([memory.actions[rows[0]], best])
        mean, std = critic.predict((design(policy.space, found) - low) / unit)
        return np.asarray(found[np.argmax(mean - std)])

    def _judge(self, policy: Policy, memory: Memory) -> JudgedPolicy:
        """Return the policy with a critic of all rewards.

        Its kernel is fitted again when there is 10 % more to learn from.
        """
        rows = _remembered(memory.rewards, self.memory_size)
        encoding, y = Encoding.of(policy.space), temper(memory.rewards, RANK_SHARE)[rows]
        x = design(policy.space, memory.actions[rows])
        encoding = replace(encoding, off=switched_off(encoding, x, memory.rewards[rows]))
        if not isinstance(policy, JudgedPolicy):
            critic, nowhere = self.critic.fit(encoding, x, y), Niches(memory.actions[:0])
            return JudgedPolicy(
                policy.space, policy.actors, critic, len(memory), nowhere, Explorer()
            )
        if len(memory) < 1.1 * policy.fitted:
            return replace(policy, critic=Critic.condition(encoding, policy.critic.theta, x, y))
        # the optimum moves less and less, and each evaluation costs more and more
        iterations = 10 if len(memory) < 60 else 5
        critic = self.critic.fit(encoding, x, y, policy.critic.theta, iterations)
        return replace(policy, critic=critic, fitted=len(memory))

    def _turns(self, policy: JudgedPolicy, memory: Memory, n: int) -> list[Turn]:
        """Return what the next candidates are for.

        Turns go on from batch to batch, so that batches of one explore as well.
        """
        turns = []
        for i in range(n):
            turn = len(memory) + len(memory.pending) + i
            kind, step = "best", turn
            if policy.explorer.policy is not None:
                kind, step = CYCLE[turn % len(CYCLE)], turn // 2 + turn // len(CYCLE)
            if kind == "niche" and policy.niches.parent is None:
                kind = "explore"
            turns.append(Turn(kind, self.ambitions[step % len(self.ambitions)]))
        return turns

    def _aimed(
        self,
        policy: JudgedPolicy,
        memory: Memory,
        waiting: FloatArray,
        turns: list[Turn],
        rng: np.random.Generator,
        admissible: Admissible,
    ) -> FloatArray:
        """Pick actions one by one, each by its probability of improving by its ambition.

        This is Jones's method of many targets [2]_. Near an optimum whose surroundings are
        known all but the smallest ambitions are hopeless, so that the search does not stall
        there, as it does with an upper confidence bound: a certain 0.001 more is a larger
        bound.
        """
        if not turns:
            return waiting[:0]
        actions = self._candidates(policy, memory, rng)
        if policy.space.size < 10 * len(memory):  # most of what is screened may have been seen
            actions = actions[admissible(actions)]
        if len(actions) > len(turns):
            x = design(policy.space, actions)
            actions = actions[self._finalists(policy, x, len(turns))]
        actions = actions[admissible(actions)]
        if len(actions) <= len(turns):
            return actions
        x = design(policy.space, np.concatenate([waiting, actions]))
        aims = self._aims(policy, x)
        scores = [Improvement(*aims[turn.kind], turn.ambition) for turn in turns]
        return actions[pick_one_by_one(policy.critic, x, len(waiting), scores)]

    def _candidates(
        self, policy: JudgedPolicy, memory: Memory, rng: np.random.Generator
    ) -> FloatArray:
        """Return the actions that a batch is picked from."""
        if policy.space.size <= LARGEST_GRID:
            return policy.space.grid()
        part, prior, niches = SCREENED // 7, Policy.prior(policy.space), policy.niches
        best = policy.parent(_best(memory))
        pool = [stratified(policy, 2 * part, rng), stratified(prior, part, rng)]
        if niches.parent is None:
            pool.append(perturb(policy, prior, best, 4 * part, rng))
        else:
            pool.append(perturb(policy, prior, best, 2 * part, rng))
            # with the widths of the user's distributions: the policy is elsewhere
            pool.append(perturb(prior, prior, policy.parent(niches.parent), 2 * part, rng))
        return np.concatenate(pool)

    def _aims(
        self, policy: JudgedPolicy, x: FloatArray
    ) -> dict[str, tuple[float, NDArray[np.bool_]]]:
        """Return what is to be improved on, and by which rows of the design matrix."""
        critic, niches = policy.critic, policy.niches
        aims = {"best": (critic.top, np.ones(len(x), dtype=bool))}
        if niches.parent is not None:
            mean, _ = critic.predict(design(policy.space, niches.parent[None]))
            aims["niche"] = (float(mean[0]), niches.outside(critic, x, policy.space))
        return aims

    def _finalists(self, policy: JudgedPolicy, x: FloatArray, n: int) -> NDArray[np.intp]:
        """Return the rows that the least or the greatest ambition likes best."""
        mean, std = policy.critic.predict(x)
        best = []
        for top, within in self._aims(policy, x).values():
            for ambition in {min(self.ambitions), max(self.ambitions)}:
                scores = Improvement(top, within, ambition)(mean, std)
                best.append(np.argsort(-scores, kind="stable")[: 40 + n])
        return np.unique(np.concatenate(best))


class Turn(NamedTuple):
    """What a candidate is for, and by how much it is to improve on that."""

    kind: str
    ambition: float


@dataclass(frozen=True, eq=False)
class Improvement:
    """By how many of its standard deviations an action is expected to miss its aim."""

    top: float
    within: NDArray[np.bool_]
    ambition: float

    def __call__(self, mean: FloatArray, std: FloatArray) -> FloatArray:
        """Return the score of each action; those elsewhere come after all others."""
        scores = (mean - self.top - self.ambition) / std
        return np.asarray(np.where(self.within, scores, scores - 1e9))


def _steps(
    policy: JudgedPolicy,
    memory: Memory,
    n: int,
    rng: np.random.Generator,
    admissible: Admissible,
) -> FloatArray:
    """Return `n` perturbations of the best candidate, each the best of five by the critic.

    Where the critic has smoothed away what is left to win, small steps at random still win:
    one in ten, once the picks of the critic have stalled.
    """
    prior = Policy.prior(policy.space)
    actions = perturb(prior, prior, policy.parent(_best(memory)), 2 * CONTESTANTS * n, rng)
    actions = actions[admissible(actions)]
    actions = actions[: len(actions) // CONTESTANTS * CONTESTANTS]
    if not len(actions):
        return actions
    mean, _ = policy.critic.predict(design(policy.space, actions))
    winners = mean.reshape(-1, CONTESTANTS).argmax(axis=1)
    return actions.reshape(len(winners), CONTESTANTS, -1)[np.arange(len(winners)), winners][:n]


def _best(memory: Memory) -> FloatArray:
    return np.asarray(memory.actions[np.argmax(replace_failed(memory.rewards))])


def _remembered(rewards: FloatArray, size: int) -> NDArray[np.intp]:
    """Return the rows that the critic sees.

    The best half, the latest quarter, and the rest evenly spread over the search.
    """
    n = len(rewards)
    if n <= size:
        return np.arange(n)
    keep = np.zeros(n, dtype=bool)
    keep[np.argsort(-replace_failed(rewards), kind="stable")[: size // 2]] = True
    keep[n - size // 4 :] = True
    others = np.flatnonzero(~keep)
    keep[others[np.linspace(0, len(others) - 1, size - keep.sum()).astype(int)]] = True
    return np.flatnonzero(keep)
