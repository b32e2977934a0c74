"""The default learner: natural-gradient steps on virtual actions, judged by a critic."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from skpg.learners.actor_critic.climbing import climb
from skpg.learners.actor_critic.constants import CONSTANTS
from skpg.learners.actor_critic.critic import Critic, GaussianProcess, zero_mean
from skpg.learners.actor_critic.proposals import propose_batch
from skpg.learners.actor_critic.recommendation import recommend_near_best
from skpg.learners.actor_critic.sampling import at_medians, perturb, stratified, well_spread
from skpg.learners.actor_critic.state import ActorCriticState
from skpg.learners.actor_critic.switches import switched_off
from skpg.learners.actor_critic.transfer import Transfer, warm_opening
from skpg.learners.base import Admissible, Earlier, Learner, Memory, check_integer, check_positive
from skpg.learners.rewards import replace_failed, temper
from skpg.policy.policy import Policy
from skpg.space.features import Features, design
from skpg.space.scalars import is_positive
from skpg.space.space import Space
from skpg.space.types import FloatArray


@dataclass(frozen=True)
class ActorCritic(Learner):
    """Improve the policy on virtual actions that a critic judges, and pick batches by it.

    A Gaussian process, the critic, is fitted to all rewards. After ten of them the policy takes
    natural-gradient steps, inside a trust region, on virtual actions: drawn from it and judged
    by the critic, at no cost in fits. The next batch is picked among draws of the policy, draws
    of the user's distributions, and perturbations of the best candidate, one by one. Each pick
    is the action with the greatest probability of improving on the best candidate by a given
    amount, its ambition, given the uncertainty that the earlier picks leave.

    Candidates with exactly the same reward show which choices of a list switch which
    hyperparameters off, as a linear kernel does with ``gamma``. The critic ignores a
    hyperparameter where it is switched off, and perturbations change others instead.

    A search has stalled when 30 candidates have brought next to no gain. From then on only
    half of the candidates improve on the best one or take small steps from it. The others are
    draws of a second policy, the explorer, which starts from the user's distributions whenever
    the search stalls, and improvements on the best candidate outside of the niches, the
    regions around earlier optima that brought no more gain (sequential niching [5]_).

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

    opening: ClassVar[int] = 10
    in_flight: ClassVar[int | None] = 4
    uses_earlier: ClassVar[bool] = True

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

    def opening_with(self, memory: Memory) -> int:
        """Return the number of candidates to begin with, fewer where earlier searches help."""
        return CONSTANTS.transfer_opening if memory.earlier else self.opening

    def init(self, space: Space) -> ActorCriticState:
        """Return the user's distributions, without a critic."""
        return ActorCriticState(Policy.prior(space))

    def update(
        self, state: ActorCriticState, memory: Memory, rng: np.random.Generator
    ) -> ActorCriticState:
        """Fit the critic; after ten new rewards climb on virtual actions in the trust region."""
        state = self._with_critic(state, memory)
        critic = state.known_critic
        state = replace(state, niches=state.niches.updated(critic, memory, state.space))
        new = len(memory) - state.improved
        if new < CONSTANTS.rewards_per_step:
            return state
        prior, best = Policy.prior(state.space), state.parent(memory.best)
        reach, half = self.trust_region * new, CONSTANTS.virtual_actions // 2

        def around_best(current: Policy) -> FloatArray:
            near = perturb(current, prior, best, half, rng)
            return np.concatenate([stratified(current, half, rng), near])

        return replace(
            state,
            policy=climb(state.policy, critic, around_best, reach),
            improved=len(memory),
            explorer=state.explorer.updated(critic, memory, prior, reach, rng),
        )

    def propose(
        self,
        state: ActorCriticState,
        memory: Memory,
        n: int,
        rng: np.random.Generator,
        admissible: Admissible,
    ) -> FloatArray:
        """Pick a batch by the critic.

        The first batch is spread over the space. It opens with the centre, around which users
        tend to choose their ranges, or with what earlier searches found.
        """
        if state.critic is None:
            actions = well_spread(state.policy, n, rng)
            if memory.earlier and not len(memory):
                earlier = self._earlier_critics(state.space, memory)
                believed = warm_opening(earlier, state.space, memory, admissible)
                actions = np.concatenate([believed, actions])
            elif n >= self.opening and not len(memory):
                actions[0] = at_medians(state.space, actions[0])
            return actions[admissible(actions)][:n]
        actions = propose_batch(state, memory, n, self.ambitions, rng, admissible)
        first = len(memory) + len(memory.pending)
        if any(number % CONSTANTS.refined == 0 for number in range(first, first + n)):
            best = self.recommend(state, memory)[None]
            # in place of the first one
            actions = np.concatenate([best if admissible(best)[0] else actions[:1], actions[1:]])
        return actions[admissible(actions)][:n]

    def recommend(self, state: ActorCriticState, memory: Memory) -> FloatArray:
        """Return the best action according to a critic of the best candidates, or the best one."""
        if state.critic is None:
            return state.policy.mode_action()
        return recommend_near_best(state, memory, self.critic)

    def _with_critic(self, state: ActorCriticState, memory: Memory) -> ActorCriticState:
        """Return the state with a critic of all rewards.

        Its length scales are fitted again when there is 10 % more to learn from.
        """
        features, x, y = self._material(state.space, memory)
        if memory.earlier and not state.earlier:
            state = replace(state, earlier=self._earlier_critics(state.space, memory))
        prior_mean = Transfer.fit(state.earlier, x, y) if state.earlier else zero_mean
        if state.critic is None:
            critic = self.critic.fit(features, x, y, prior_mean=prior_mean)
        elif len(memory) < CONSTANTS.refit_growth * state.fitted:
            critic = Critic.condition(features, state.critic.theta, x, y, prior_mean)
            return replace(state, critic=critic)
        else:
            # with more rewards the optimum moves less, and an evaluation of the loss costs more
            few = len(memory) < CONSTANTS.few_rewards
            steps = CONSTANTS.refit_steps if few else CONSTANTS.refit_steps // 2
            critic = self.critic.fit(features, x, y, state.critic.theta, steps, prior_mean)
        return replace(state, critic=critic, fitted=len(memory))

    def _earlier_critics(self, space: Space, memory: Memory) -> tuple[Critic, ...]:
        """Return a critic of each earlier search."""
        return tuple(self.critic.fit(*self._material(space, search)) for search in memory.earlier)

    def _material(
        self, space: Space, told: Memory | Earlier
    ) -> tuple[Features, FloatArray, FloatArray]:
        """Return what a critic is fitted to: features, the design matrix, tempered rewards."""
        rows = _remembered(told.rewards, self.memory_size)
        x = design(space, told.actions[rows])
        features = Features.of(space)
        features = features.with_off(switched_off(features, x, told.rewards[rows]))
        return features, x, temper(told.rewards, CONSTANTS.rank_share)[rows]


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
