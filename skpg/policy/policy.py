"""The policy: one actor per dimension of a space, side by side."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

from skpg.policy.actors import Actor, CategoricalActor, GaussianActor
from skpg.space.dimensions import Branch, Choice
from skpg.space.space import Space
from skpg.space.types import FloatArray, Params
from skpg.space.wording import in_one_line

# Central 80 % of a normal distribution: what `rows` shows of a Gaussian actor.
INTERVAL = float(ndtri(0.9))
# Characters of a choice that `rows` shows.
LONGEST_CHOICE = 60


@dataclass(frozen=True, eq=False, repr=False)
class Policy:
    """A distribution over candidates: the product of independent actors.

    In a space of several branches (a list of dicts) the first actor draws the branch and
    only the actors of that branch draw with it.

    Parameters
    ----------
    space : Space
    actors : tuple of CategoricalActor and GaussianActor
        One per dimension of the space.
    note : str, default=""
        A line to print below the hyperparameters. A search says there what the estimator as it
        was scored.

    Notes
    -----
    `sample` and `mode` return params. `sample_actions`, `mode_action`, `log_prob`,
    `grad_log_prob`, `perturbed_modes` and `expected_directions` work on actions, arrays of
    shape (n, n_dimensions). ``policy.space.encode`` maps params to actions and
    ``policy.space.decode`` maps actions to params.

    Examples
    --------
    >>> from scipy.stats import loguniform
    >>> from skpg import Policy, Space
    >>> policy = Policy.prior(Space({"C": loguniform(1e-2, 1e2), "kernel": ["linear", "rbf"]}))
    >>> policy
    Policy(entropy=2.11 nats)
      C       1 [0.02512, 39.81]
      kernel  'linear' 50 %, 'rbf' 50 %
    """

    space: Space
    actors: tuple[Actor, ...]
    note: str = ""

    @classmethod
    def prior(cls, space: Space) -> Policy:
        """Return the policy that draws from the user's own distributions."""
        return cls(
            space,
            tuple(
                CategoricalActor(np.log(dimension.weights))
                if isinstance(dimension, Choice)
                else GaussianActor()
                for dimension in space.dimensions
            ),
        )

    @property
    def theta(self) -> FloatArray:
        """All parameters of all actors, of shape (n_theta,)."""
        return np.concatenate([actor.theta for actor in self.actors])

    def with_theta(self, theta: FloatArray) -> Policy:
        """Return the policy with other parameters, of shape (n_theta,)."""
        stops = np.cumsum([len(actor.theta) for actor in self.actors])
        parts = np.split(theta, stops[:-1])
        return Policy(
            self.space, tuple(a.with_theta(p) for a, p in zip(self.actors, parts, strict=True))
        )

    def with_actors(self, actors: tuple[Actor, ...]) -> Policy:
        """Return the policy with other actors."""
        return Policy(self.space, actors)

    def sample(self, n: int, random_state: int | np.random.Generator | None = None) -> list[Params]:
        """Draw candidates.

        Parameters
        ----------
        n : int
        random_state : int, numpy Generator or None, default=None

        Returns
        -------
        list of n dicts
        """
        return self.space.decode(self.sample_actions(n, np.random.default_rng(random_state)))

    def sample_actions(self, n: int, rng: np.random.Generator) -> FloatArray:
        """Draw actions, of shape (n, n_dimensions); the first rows do not depend on `n`."""
        uniform = rng.random((n, len(self.actors)))
        columns = [actor.ppf(u) for actor, u in zip(self.actors, uniform.T, strict=True)]
        actions = np.stack(columns, axis=1)
        actions[~self.space.active(actions)] = np.nan
        return actions

    def mode(self) -> Params:
        """Return the most probable candidate: the article's estimate of the best one."""
        return self.space.decode(self.mode_action()[None])[0]

    def mode_action(self) -> FloatArray:
        """Return the most probable action, of shape (n_dimensions,)."""
        action = np.array([actor.mode() for actor in self.actors])
        action[~self.space.active(action[None])[0]] = np.nan
        return action

    def log_prob(self, actions: FloatArray) -> FloatArray:
        """Return the log probability of each action.

        Parameters
        ----------
        actions : ndarray of shape (n, n_dimensions)

        Returns
        -------
        ndarray of shape (n,)
            Log density with respect to the counting measure on choices and the Lebesgue
            measure on z.
        """
        active = self.space.active(actions)
        terms = np.zeros(actions.shape)
        for j, actor in enumerate(self.actors):
            rows = active[:, j]
            terms[rows, j] = actor.log_prob(actions[rows, j])
        return np.asarray(terms.sum(axis=1))

    def grad_log_prob(self, actions: FloatArray) -> FloatArray:
        """Return the gradient of `log_prob` by `theta` for each action.

        Parameters
        ----------
        actions : ndarray of shape (n, n_dimensions)

        Returns
        -------
        ndarray of shape (n, n_theta)
            Zero for the actors of branches that were not drawn.
        """
        return self._blocks(actions, lambda actor, column: actor.grad_log_prob(column))

    def perturbed_modes(self, noise: FloatArray) -> FloatArray:
        """Return the mode of each policy with parameters ``theta + noise``.

        Parameters
        ----------
        noise : ndarray of shape (n, n_theta)

        Returns
        -------
        ndarray of shape (n, n_dimensions)
        """
        stops = np.cumsum([len(actor.theta) for actor in self.actors])
        parts = np.split(noise, stops[:-1], axis=1)
        columns = [a.perturbed_modes(part) for a, part in zip(self.actors, parts, strict=True)]
        actions = np.stack(columns, axis=1)
        actions[~self.space.active(actions)] = np.nan
        return actions

    def expected_directions(self, actions: FloatArray, epsilon: float) -> FloatArray:
        r"""Return the expected perturbations of which the actions are the modes.

        :math:`E[u \mid \operatorname{mode}(\theta + \epsilon u) = a]` with normal :math:`u`,
        which is :math:`\epsilon` times the gradient of the log probability of that mode:
        equation 32 (expected-direction).

        Parameters
        ----------
        actions : ndarray of shape (n, n_dimensions)
        epsilon : float

        Returns
        -------
        ndarray of shape (n, n_theta)
            Zero for parameters that the mode does not depend on: the widths of Gaussian
            actors, and the actors of branches that were not drawn.

        References
        ----------
        .. [1] Q. Berthet et al., "Learning with Differentiable Perturbed Optimizers",
           NeurIPS 2020. arXiv:2002.08676
        """
        return self._blocks(
            actions, lambda actor, column: actor.expected_directions(column, epsilon)
        )

    def _blocks(
        self, actions: FloatArray, block_of: Callable[[Actor, FloatArray], FloatArray]
    ) -> FloatArray:
        """Return the blocks of all actors side by side; rows of inactive ones are zero."""
        active = self.space.active(actions)
        blocks = []
        for j, actor in enumerate(self.actors):
            block = np.zeros((len(actions), len(actor.theta)))
            rows = active[:, j]
            block[rows] = block_of(actor, actions[rows, j])
            blocks.append(block)
        return np.concatenate(blocks, axis=1)

    def entropy(self) -> float:
        """Return the entropy in nats: how much is still undecided.

        Entropies of lists are those of probabilities, between 0 and ``log K``;
        entropies of distributions are those of densities over z, which fall without bound
        (by 0.69 each time the standard deviation is halved).
        """
        terms = [actor.entropy() for actor in self.actors]
        return float(self._reach() @ terms)

    def kl_divergence(self, other: Policy) -> float:
        """Return ``KL(self || other)`` in nats, for policies over one space."""
        terms = [
            mine.kl_divergence(its)  # type: ignore[arg-type]
            for mine, its in zip(self.actors, other.actors, strict=True)
        ]
        return float(self._reach() @ terms)

    def _reach(self) -> FloatArray:
        """Return the probability that each actor takes part in a draw."""
        if self.space.branches == 1:
            return np.ones(len(self.actors))
        first = self.actors[0]
        assert isinstance(first, CategoricalActor)
        return np.array(
            [
                1.0 if d.branches is None else first.probabilities[list(d.branches)].sum()
                for d in self.space.dimensions
            ]
        )

    def rows(self) -> Iterator[tuple[str, str]]:
        """Yield for each hyperparameter its name and a readable state.

        A list shows its choices, most probable first; a distribution shows its median and
        its central 80 % interval, in the user's own units.
        """
        for dimension, actor in zip(self.space.dimensions, self.actors, strict=True):
            name, labels = dimension.name, self.space.branch_labels
            if dimension.branches is not None:
                if dimension.size == 1:
                    continue  # a part of the label
                if len(dimension.branches) < len(labels):
                    name = f"{name} ({', '.join(labels[b] for b in dimension.branches)})"
            if isinstance(actor, CategoricalActor) and isinstance(dimension, Choice):
                texts = labels
                if not isinstance(dimension, Branch):
                    texts = tuple(in_one_line(c, LONGEST_CHOICE) for c in dimension.choices)
                order = np.argsort(-actor.probabilities, kind="stable")
                shown = [f"{texts[k]} {100 * actor.probabilities[k]:.0f} %" for k in order]
                more = f", {len(shown) - 5} more" if len(shown) > 5 else ""
                yield name, ", ".join(shown[:5]) + more
            elif isinstance(actor, GaussianActor):
                spread = actor.mu + actor.sigma * np.array([0.0, -INTERVAL, INTERVAL])
                middle, low, high = dimension.values(dimension.resolve(spread))
                yield name, f"{middle:.4g} [{low:.4g}, {high:.4g}]"

    def __repr__(self) -> str:
        rows = list(self.rows())
        width = max(len(name) for name, _ in rows)
        lines = [f"Policy(entropy={self.entropy():.2f} nats)"]
        lines += [f"  {name:<{width}}  {state}" for name, state in rows]
        lines += [f"  {self.note}"] * bool(self.note)
        return "\n".join(lines)
