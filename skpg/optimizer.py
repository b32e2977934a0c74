"""Ask, tell, recommend: the only object of the core that changes."""

from __future__ import annotations

import numbers
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from threadpoolctl import ThreadpoolController

from skpg.admission import (
    LARGEST_GRID,
    MOST_DRAWS,
    Admission,
    allowed_example,
    growing,
    spread,
)
from skpg.completion import complete
from skpg.known_scores import earlier_searches
from skpg.learners import ActorCritic, Earlier, Learner, Memory
from skpg.learners.rewards import replace_failed
from skpg.policy.policy import Policy
from skpg.space.constraint import Constraint
from skpg.space.space import Space
from skpg.space.types import FloatArray, Params

# Batches drawn from the user's distributions before a space whose candidates cannot be listed
# counts as exhausted (a Poisson distribution has infinitely many values, most never drawn).
PRIOR_BATCHES = 20
# Under a constraint each candidate of the first proposal that must be drawn is the farthest from
# the others among about so many.
CONTESTANTS = 5
# The matrices are so small that threads would only wait for each other, most of all beside
# evaluations; and with another number of threads the last digits may differ.
BLAS = ThreadpoolController().select(user_api="blas")


class PolicyGradientOptimizer:
    """Propose candidates, learn from their rewards.

    The engine of `PolicyGradientSearchCV`, for use with any evaluation of one's own.

    Parameters
    ----------
    space : dict, list of dicts or Space
        Hyperparameter names to lists of choices or distributions, as
        the `param_distributions` of `PolicyGradientSearchCV`.
    learner : Learner, default=None
        The rule that improves the policy; None is ``ActorCritic()``.
    warm_start_from : list, default=None
        Earlier searches of the same or a similar space, with other rewards: each a fitted search,
        its ``cv_results_`` as a dict or DataFrame, a study of `load_study`, an Optuna study, or a
        tuple of a list of params and a list of rewards. What lies in the space is learned from.
    constraint : callable, default=None
        From params to True, if they may be asked, or False. Others are never asked nor
        recommended; they may be told.
    random_state : int, numpy Generator, RandomState or None, default=None
        Pass an int for the same candidates in each run. numpy's global state is never
        used.

    Attributes
    ----------
    space : Space
    learner : Learner
    constraint : callable or None
    state : LearnerState
        What the learner has learned so far.
    policy : Policy
        The current policy, ``state.policy``.
    memory : Memory
        All that was told so far.

    Raises
    ------
    TypeError, ValueError
        If an entry of `space` is neither a list nor a distribution, `learner` is not a
        learner, or `constraint` not callable, if the learner cannot use `warm_start_from`, or
        one of these has less than two candidates with a reward in the space.

    Examples
    --------
    >>> from scipy.stats import loguniform
    >>> from skpg import PolicyGradientOptimizer
    >>> def reward(params):
    ...     return -abs(params["C"] - 3) - (params["kernel"] == "linear")
    >>> optimizer = PolicyGradientOptimizer(
    ...     {"C": loguniform(1e-3, 1e3), "kernel": ["linear", "rbf"]}, random_state=0
    ... )
    >>> for _ in range(20):
    ...     batch = optimizer.ask(10)
    ...     optimizer.tell(batch, [reward(params) for params in batch])
    >>> best = optimizer.recommend()
    >>> round(best["C"]), best["kernel"]
    (3, 'rbf')
    """

    def __init__(
        self,
        space: Space | Mapping[str, Any] | Sequence[Mapping[str, Any]],
        *,
        learner: Learner | None = None,
        warm_start_from: Sequence[Any] | None = None,
        constraint: Callable[[Params], bool] | None = None,
        random_state: int | np.random.Generator | np.random.RandomState | None = None,
    ):
        self.space = space if isinstance(space, Space) else Space(space)
        self.learner = ActorCritic() if learner is None else learner
        if not isinstance(self.learner, Learner):
            raise TypeError(f"learner must be a skpg.learners.Learner or None, got {learner!r}.")
        earlier = earlier_searches("warm_start_from", warm_start_from, self.learner, self.space)
        self._constraint = None if constraint is None else Constraint(constraint)
        self._rng = _generator(random_state)
        self._prior = Policy.prior(self.space)
        self.state = self.learner.init(self.space)
        self.memory = Memory.empty(
            len(self.space.dimensions),
            tuple(Earlier(self.space.encode(known.params), known.scores) for known in earlier),
        )
        # the keys of all candidates that were enqueued, asked, expected or told
        self._seen: set[bytes] = set()
        # the actions, by key, of candidates whose rewards are awaited
        self._pending: dict[bytes, FloatArray] = {}
        # candidates to ask next, by key: those of the user, then the rest of the opening
        self._enqueued: dict[bytes, Params] = {}
        self._opening: dict[bytes, Params] = {}
        self._is_open = False
        self._has_asked = False
        # of the constraint: one action that it allows, found by the first `ask`
        self._example = np.empty((0, len(self.space.dimensions)))

    @property
    def policy(self) -> Policy:
        """The current policy, a part of `state`."""
        return self.state.policy

    @property
    def constraint(self) -> Callable[[Params], bool] | None:
        """The condition for candidates, as it was given."""
        return None if self._constraint is None else self._constraint.function

    @property
    def _is_new(self) -> bool:
        """Whether nothing can be lost yet, so that a constraint that fails is an error."""
        return not self._has_asked and not len(self.memory)

    def enqueue(
        self,
        params: Iterable[Mapping[str, Any]],
        *,
        defaults: Mapping[str, Any] | None = None,
        again: bool = False,
    ) -> None:
        """Put candidates in front of the next ones that are asked.

        Parameters
        ----------
        params : iterable of dict
            Values are found in the space and asked as it has them: 15.0 as 15 where there are
            integers only. What a candidate does not name is drawn from the user's distributions,
            as the constraint allows it; of a list of dicts, from one in which its values lie.
        defaults : dict, default=None
            Values for what candidates do not name, in place of drawn ones, where they lie in the
            space. Names that it does not have are ignored.
        again : bool, default=False
            Ask those that were enqueued, asked or told before once more. By default they are
            left out.

        Raises
        ------
        TypeError
            If a candidate is not a dict.
        ValueError
            If a candidate is not in the space, or breaks the constraint.
        """
        random_state = self._rng.bit_generator.state
        try:
            candidates = self._complete(_to_list("params", params), defaults or {})
        except Exception:
            self._rng.bit_generator.state = random_state  # all or nothing
            raise
        for candidate, action in zip(candidates, self.space.encode(candidates), strict=True):
            key = self.space.key(candidate)
            if again or key not in self._seen or self._opening.pop(key, None) is not None:
                self._seen.add(key)
                self._pending.setdefault(key, action)
                self._enqueued[key] = candidate

    def ask(self, n: int = 1) -> list[Params]:
        """Propose candidates.

        Parameters
        ----------
        n : int, default=1

        Returns
        -------
        list of at most n dicts
            All different, and different from all that were asked or told before. Fewer
            than `n` only when the space has no other candidates, or the constraint leaves none
            that are found in 10,000 draws.

        Raises
        ------
        ValueError
            If `n` is not a positive integer. At the first call, unless something was told, also
            if the constraint leaves no candidates, or raises an error.
        TypeError
            At the first call as well, if the constraint does not return a bool. Later on a
            candidate at which it fails is refused, with a warning.

        Notes
        -----
        Before the first reward the learner proposes its `opening` together, also if `n` is
        less: ten candidates that are asked one by one are those that are asked at once.
        """
        if not isinstance(n, numbers.Integral) or n < 1:
            raise ValueError(f"n must be an integer of at least 1, got {n!r}.")
        if self._constraint is not None and self._is_new:
            self._example = allowed_example(self.space, self._constraint)
        if not self._is_open and not len(self.memory):
            self._open(n - len(self._enqueued))
        queued = list((self._enqueued | self._opening).items())[:n]
        self._dequeue(key for key, _ in queued)
        asked = [candidate for _, candidate in queued]
        asked += self._propose(n - len(asked)).values()
        self._has_asked = True
        return asked

    def expect(self, params: Iterable[Mapping[str, Any]]) -> None:
        """Say which candidates are being evaluated, in place of those that were asked.

        For evaluations that share their results with others, or may be lost. Proposals keep
        away from what is expected, and from what is enqueued.

        Parameters
        ----------
        params : iterable of dict

        Raises
        ------
        TypeError
            If a candidate is not a dict.
        ValueError
            If a candidate is not in the space.
        """
        candidates = _to_list("params", params)
        keys = [self.space.key(candidate) for candidate in candidates]
        self._seen.update(keys)
        self._dequeue(keys)
        queued = {key: self._pending[key] for key in self._enqueued | self._opening}
        self._pending = queued | dict(zip(keys, self.space.encode(candidates), strict=True))

    def tell(self, params: Iterable[Mapping[str, Any]], rewards: Iterable[float]) -> None:
        """Learn from rewards, with one update of the policy.

        Parameters
        ----------
        params : iterable of dict
            Candidates that were asked, or others of the space.
        rewards : iterable of float
            Higher is better; nan says that a candidate failed, and is learned from as the
            worst. Infinite rewards, of either sign, mean the same; a warning names the
            candidates.

        Raises
        ------
        ValueError
            If the lengths differ, or a candidate is not in the space.
        TypeError
            If a candidate is not a dict, or a reward is not a number.
        """
        candidates = _to_list("params", params)
        values = np.array([_checked_reward(reward) for reward in _to_list("rewards", rewards)])
        if len(candidates) != len(values):
            raise ValueError(
                f"tell expects one reward per candidate, got {len(candidates)} candidates "
                f"and {len(values)} rewards."
            )
        if not candidates:
            return
        actions = self._take_actions(candidates)
        values = _without_infinite(values, candidates)
        update = self.memory.updates[-1] + 1 if len(self.memory) else 0
        self.memory = replace(
            self.memory,
            actions=np.concatenate([self.memory.actions, actions]),
            rewards=np.concatenate([self.memory.rewards, values]),
            updates=np.concatenate([self.memory.updates, np.full(len(values), update)]),
            pending=self._pending_actions(),
        )
        with BLAS.limit(limits=1):
            self.state = self.learner.update(self.state, self.memory, self._rng)

    def recommend(self) -> Params:
        """Return the params that the learner believes to be the best.

        They need not have been evaluated: policy gradients estimate the best candidate by
        the mode of the policy. Where the constraint forbids them, it is the best one of those
        that were told, and before any a candidate that it allows.
        """
        with BLAS.limit(limits=1):
            action = self.learner.recommend(self.state, self.memory)
        if self._constraint is not None:
            action = self._best_allowed(self._constraint, action)
        return self.space.decode(action[None])[0]

    def _open(self, n: int) -> None:
        """Let a learner that opens with several candidates propose them, at least `n`."""
        self._is_open = True
        opening = self.learner.opening_with(self.memory)
        if opening > 1:
            self._opening = self._propose(max(n, opening))

    def _complete(
        self, given: list[Mapping[str, Any]], defaults: Mapping[str, Any]
    ) -> list[Params]:
        """Return candidates with values for all that is not given in each."""
        candidates: list[Params] = []
        seen = self._seen.copy()
        admission = self._admission(seen)
        for number, params in enumerate(given):
            candidate = complete(self.space, params, defaults, admission, self._rng)
            if self._constraint is not None:
                self._constraint.check(f"params[{number}]", candidate)
            seen.add(self.space.key(candidate))
            candidates.append(candidate)
        return candidates

    def _dequeue(self, keys: Iterable[bytes]) -> None:
        """Ask candidates no more, which are asked now or evaluated elsewhere."""
        for key in keys:
            self._enqueued.pop(key, None)
            self._opening.pop(key, None)

    def _propose(self, n: int) -> dict[bytes, Params]:
        """Return at most `n` new candidates of the learner by key, from then on pending."""
        if n == 0:
            return {}
        memory = replace(self.memory, pending=self._pending_actions())
        admission = self._admission(self._seen)
        with BLAS.limit(limits=1):
            actions = self.learner.propose(self.state, memory, n, self._rng, admission)
        # a learner of one's own need not look
        actions = actions[admission(actions)][:n]
        if len(actions) < n:
            actions = self._fill_up(actions, n, admission)
        keys = admission.keys(actions)
        self._pending.update(zip(keys, actions, strict=True))
        self._seen.update(keys)
        return dict(zip(keys, self.space.decode(actions), strict=True))

    def _take_actions(self, candidates: list[Mapping[str, Any]]) -> FloatArray:
        """Return the actions of candidates, which wait for rewards no longer.

        That is the action that was drawn, and the encoded candidate where none was.
        """
        keys = [self.space.key(candidate) for candidate in candidates]
        self._seen.update(keys)
        self._dequeue(keys)
        drawn = [self._pending.pop(key, None) for key in keys]
        return np.array(
            [
                self.space.encode([candidate])[0] if action is None else action
                for candidate, action in zip(candidates, drawn, strict=True)
            ]
        )

    def _pending_actions(self) -> FloatArray:
        return np.array(list(self._pending.values())).reshape(-1, len(self.space.dimensions))

    def _best_allowed(self, constraint: Constraint, action: FloatArray) -> FloatArray:
        """Return the action if the constraint allows it, or the best one told that it allows."""
        best = np.argsort(-replace_failed(self.memory.rewards), kind="stable")
        actions = np.concatenate([action[None], self.memory.actions[best]])
        allowed = actions[self._admission(set())(actions)]
        return (allowed if len(allowed) else allowed_example(self.space, constraint))[0]

    def _admission(self, seen: set[bytes]) -> Admission:
        return Admission(self.space, seen, self._constraint, strict=self._is_new)

    def _fill_up(self, actions: FloatArray, n: int, admission: Admission) -> FloatArray:
        """Add new actions from the user's distributions, in the end from the grid, up to `n`."""
        # where nothing is refused, a constraint changes nothing
        for _ in range(0 if admission.refused else PRIOR_BATCHES):
            actions = np.concatenate([actions, self._prior.sample_actions(n, self._rng)])
            actions = actions[admission(actions)]
            if len(actions) >= n:
                return actions[:n]
        if admission.refused:
            actions = self._draw_allowed(actions, n, admission)
        if len(actions) < n and self.space.size <= LARGEST_GRID:
            grid = self.space.grid()
            actions = np.concatenate([actions, grid[self._rng.permutation(len(grid))]])
            actions = actions[admission(actions)]
        return actions[:n]

    def _draw_allowed(self, actions: FloatArray, n: int, admission: Admission) -> FloatArray:
        """Add new actions that the constraint allows, up to `n`; before any reward, spread ones."""
        given, spreads = len(actions), not len(self.memory)
        wanted = given + (n - given) * (CONTESTANTS if spreads else 1)
        for size in growing(int(min(MOST_DRAWS, self.space.size))):
            actions = np.concatenate([actions, self._draws(size)])
            actions = actions[admission(actions)]
            if len(actions) >= wanted:
                break
        if len(actions) < n:
            actions = np.concatenate([actions, self._example])
            actions = actions[admission(actions)]
        return spread(self.space, actions, given, n) if spreads else actions[:n]

    def _draws(self, n: int) -> FloatArray:
        """Draw from what was learned and, as it may forget what is allowed, from the prior."""
        if not len(self.memory):
            return self._prior.sample_actions(n, self._rng)
        learned = self.policy.sample_actions(n // 2, self._rng)
        return np.concatenate([learned, self._prior.sample_actions(n - n // 2, self._rng)])


def _generator(
    random_state: int | np.random.Generator | np.random.RandomState | None,
) -> np.random.Generator:
    if isinstance(random_state, np.random.RandomState):
        random_state = int(random_state.randint(2**31))
    try:
        return np.random.default_rng(random_state)
    except (TypeError, ValueError) as error:
        raise type(error)(
            "random_state must be an int of at least 0, a numpy Generator or RandomState, or "
            f"None, got {random_state!r}."
        ) from error


def _to_list(name: str, values: Iterable[Any]) -> list[Any]:
    if isinstance(values, Mapping) or not isinstance(values, Iterable):
        raise TypeError(f"{name} must be a list, got {values!r} of type {type(values).__name__}.")
    return list(values)


def _checked_reward(reward: object) -> float:
    try:
        return float(reward)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        raise TypeError(
            f"rewards must be numbers, nan where a candidate failed; got {reward!r}."
        ) from None


def _without_infinite(rewards: FloatArray, candidates: Sequence[Mapping[str, Any]]) -> FloatArray:
    """Return rewards with nan for those that are infinite, with a warning that names them."""
    pairs = zip(rewards, candidates, strict=True)
    named = [f"{reward} of {dict(params)!r}" for reward, params in pairs if np.isinf(reward)]
    if named:
        message = f"Infinite rewards count as failures, as nan does: {', '.join(named)}."
        warnings.warn(message, UserWarning, stacklevel=3)
    return np.where(np.isinf(rewards), np.nan, rewards)
