"""The default: natural-gradient steps on virtual actions that a Gaussian process judges."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from skpg._critic import Critic, Encoding, GaussianProcess
from skpg._gradients import StepSizes, natural_gradient_step
from skpg._policy import Policy
from skpg._rewards import rank_utilities, replace_failed, temper
from skpg._space import FloatArray
from skpg.learners._base import Admissible, Learner, Memory, check_positive
from skpg.learners._niches import Niches
from skpg.learners._screening import (
    centred,
    design,
    perturb,
    steps_from,
    stratified,
    well_spread,
)

STEPS = StepSizes(0.5, 0.3, 0.3)
GRADIENT_STEPS = 10
VIRTUAL_ACTIONS = 200
# Standard deviations added to the prediction of virtual actions.
OPTIMISM = 2.0
# Actions that a batch is picked from: two parts of draws from the policy, one from the
# user's distributions, four of perturbations of the best candidate, of which two are of the
# best one outside of the niches that were left, if any.
SCREENED = 700
# One candidate of so many is the learner's recommendation.
REFINED = 10
# Of a finite space up to this size every candidate is screened.
LARGEST_GRID = 1000
# A recommendation is found near the best candidate by ever smaller steps, judged by
# a critic of so many of the best.
ELITE = 50
RECOMMENDATION = 0.3 ** np.arange(1, 9)
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
    """

    critic: Critic
    fitted: int
    niches: Niches


@dataclass(frozen=True)
class ActorCritic(Learner):
    """Improve the policy on virtual actions that a critic judges; screen what it draws.

    Rewards are few, virtual actions are free: a Gaussian process, the critic, is fitted to
    all rewards, and the policy climbs by natural-gradient steps on actions that are drawn
    from it and judged by the critic, inside a trust region. The next batch is picked among
    draws of the policy, of the user's distributions and perturbations of the best
    candidate, one by one: each has the greatest probability of improving on the best by as
    much as it is its turn to aim at, given the uncertainty that the earlier ones leave.

    A search that has won next to nothing for 40 candidates leaves the surroundings of its
    best with every second candidate, and improves on the best of what lies outside (sequential
    niching [5]_).

    Parameters
    ----------
    ambitions : tuple of float, default=(0.1, 0.3, 1.0, 3.0)
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

    ambitions: tuple[float, ...] = (0.1, 0.3, 1.0, 3.0)
    trust_region: float = 0.1
    memory_size: int = 200
    critic: GaussianProcess = field(default_factory=GaussianProcess)

    def __post_init__(self) -> None:
        check_positive(self, "trust_region")
        if not self.ambitions or not all(ambition > 0 for ambition in self.ambitions):
            raise ValueError(
                f"ambitions must have at least one number, all positive, got {self.ambitions!r}."
            )
        if self.memory_size < 10:
            raise ValueError(f"memory_size must be at least 10, got {self.memory_size!r}.")
        if not isinstance(self.critic, GaussianProcess):
            raise TypeError(f"critic must be a GaussianProcess, got {self.critic!r}.")

    def update(self, policy: Policy, memory: Memory, rng: np.random.Generator) -> Policy:
        """Fit the critic, then climb on virtual actions within the trust region."""
        judged = self._judge(policy, memory)
        niches = judged.niches.after(judged.critic, memory, policy.space)
        judged = replace(judged, niches=niches)
        reach = self.trust_region * memory.last
        for _ in range(GRADIENT_STEPS):
            half = VIRTUAL_ACTIONS // 2
            perturbed = perturb(judged, _best(memory), half, rng)
            actions = np.concatenate([stratified(judged, half, rng), perturbed])
            mean, std = judged.critic.predict(design(policy.space, actions))
            utilities = rank_utilities(mean + OPTIMISM * std)
            step = _largest_step(judged, policy, actions, utilities, reach)
            if step is None:
                break
            judged = replace(judged, actors=step.actors)
        return judged

    def propose(
        self,
        policy: Policy,
        memory: Memory,
        n: int,
        rng: np.random.Generator,
        admissible: Admissible,
    ) -> FloatArray:
        """Pick a batch among draws of the policy.

        The first one is spread over the space, but for the candidate that opens the search:
        the centre, around which people tend to lay their ranges.
        """
        if not isinstance(policy, JudgedPolicy):
            actions = well_spread(policy, n, rng)
            if not len(memory) + len(memory.pending):
                actions[0] = centred(policy.space, actions[0])
            return actions[admissible(actions)]
        actions = self._candidates(policy, memory, rng)
        if policy.space.size < 10 * len(memory):  # most of what is screened may have been seen
            actions = actions[admissible(actions)]
        if len(actions) > n:
            actions = actions[self._finalists(policy, design(policy.space, actions), n)]
        actions = actions[admissible(actions)]
        if len(actions) > n:
            actions = actions[self._pick(policy, memory, actions, n)]
        if len(memory) % REFINED == 0:
            best = self.recommend(policy, memory)[None]
            # in place of the first pick, which aims at the least
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
        low, span = x.min(axis=0), np.ptp(x, axis=0)
        unit = np.where((encoding.groups < encoding.n_numeric) & (span > 0), span, 1.0)
        critic = self.critic.fit(encoding, (x - low) / unit, temper(memory.rewards[rows], 0.0))
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

        Its kernel is fitted again when there is 5 % more to learn from.
        """
        rows = _remembered(memory.rewards, self.memory_size)
        encoding, y = Encoding.of(policy.space), temper(memory.rewards, RANK_SHARE)[rows]
        x = design(policy.space, memory.actions[rows])
        if not isinstance(policy, JudgedPolicy):
            critic = self.critic.fit(encoding, x, y)
            niches = Niches(memory.actions[:0])
            return JudgedPolicy(policy.space, policy.actors, critic, len(memory), niches)
        if len(memory) < 1.05 * policy.fitted:
            return replace(policy, critic=Critic.condition(encoding, policy.critic.theta, x, y))
        # the optimum moves less and less, and each evaluation costs more and more
        iterations = 15 if len(memory) < 60 else 5
        critic = self.critic.fit(encoding, x, y, policy.critic.theta, iterations)
        return replace(policy, critic=critic, fitted=len(memory))

    def _candidates(
        self, policy: JudgedPolicy, memory: Memory, rng: np.random.Generator
    ) -> FloatArray:
        """Return the actions that a batch is picked from."""
        if policy.space.size <= LARGEST_GRID:
            return policy.space.grid()
        part, prior, niches = SCREENED // 7, Policy.prior(policy.space), policy.niches
        pool = [
            stratified(policy, 2 * part, rng),
            stratified(prior, part, rng),
            perturb(policy, _best(memory), (4 if niches.parent is None else 2) * part, rng),
        ]
        if (
            niches.parent is not None
        ):  # with the widths of the user's distributions: the policy is elsewhere
            pool.append(perturb(prior, niches.parent, 2 * part, rng))
        return np.concatenate(pool)

    def _aims(self, policy: JudgedPolicy, x: FloatArray) -> list[tuple[float, NDArray[np.bool_]]]:
        """Return what is to be improved on, in turn, and by which rows of the design matrix."""
        critic, niches = policy.critic, policy.niches
        aims = [(critic.top, np.ones(len(x), dtype=bool))]
        outside = niches.outside(critic, x, policy.space)
        if niches.parent is not None and outside.any():
            mean, _ = critic.predict(design(policy.space, niches.parent[None]))
            aims.append((float(mean[0]), outside))
        return aims

    def _finalists(self, policy: JudgedPolicy, x: FloatArray, n: int) -> NDArray[np.intp]:
        """Return the rows that the least, a middling or the greatest ambition likes best."""
        mean, std = policy.critic.predict(x)
        ladder = sorted(self.ambitions)
        best = []
        for top, within in self._aims(policy, x):
            for ambition in {ladder[0], ladder[len(ladder) // 2], ladder[-1]}:
                improvement = np.where(within, (mean - top - ambition) / std, -np.inf)
                best.append(np.argsort(-improvement, kind="stable")[: 40 + n])
        return np.unique(np.concatenate(best))

    def _pick(
        self, policy: JudgedPolicy, memory: Memory, actions: FloatArray, n: int
    ) -> NDArray[np.intp]:
        """Pick rows one by one, each by its probability of improving by what its turn aims at.

        This is Jones's method of many targets [2]_. Near an optimum whose surroundings are
        known all but the smallest ambitions are hopeless, so that the search does not stall
        there, as it does with an upper confidence bound: a certain 0.001 more is a larger
        bound. Each pick is judged with the uncertainty that the others leave, those that
        wait for their rewards first [3]_. Turns go on from batch to batch, so that batches of
        one explore as well.
        """
        critic, waiting = policy.critic, len(memory.pending)
        x = design(policy.space, np.concatenate([memory.pending, actions]))
        mean, covariance = critic.predict_joint(x)
        mean[:waiting] = -np.inf
        aims = self._aims(policy, x)
        picked: list[int] = []
        for i in range(waiting + n):
            turn, aim = divmod(len(memory) + i, len(aims))
            top, within = aims[aim]
            ambition = self.ambitions[turn % len(self.ambitions)]
            std = np.sqrt(np.maximum(np.diag(covariance), 1e-10 * critic.amplitude))
            improvement = np.where(within, (mean - top - ambition) / std, -np.inf)
            row = i if i < waiting else int(np.argmax(improvement))
            picked.append(row)
            mean[row] = -np.inf
            covariance = critic.after(covariance, row)
        return np.array(picked[waiting:]) - waiting


def _best(memory: Memory) -> FloatArray:
    return np.asarray(memory.actions[np.argmax(replace_failed(memory.rewards))])


def _largest_step(
    policy: Policy, origin: Policy, actions: FloatArray, utilities: FloatArray, reach: float
) -> Policy | None:
    """Return the largest halved natural-gradient step inside the trust region, if any."""
    for factor in (1.0, 0.5, 0.25, 0.125):
        step = natural_gradient_step(policy, actions, utilities, STEPS.scaled(factor))
        if step.kl_divergence(origin) <= reach:
            return step
    return None


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
