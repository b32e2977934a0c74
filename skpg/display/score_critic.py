"""What a critic makes of the candidates of a search, in the units of their scores."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from skpg.display.record import SearchRecord
from skpg.learners.actor_critic.constants import CONSTANTS
from skpg.learners.actor_critic.critic import Critic, GaussianProcess
from skpg.learners.actor_critic.switches import switched_off
from skpg.learners.rewards import replace_failed, temper
from skpg.optimizer import BLAS
from skpg.policy.policy import Policy
from skpg.space.features import Features, design
from skpg.space.space import Space
from skpg.space.types import FloatArray

# Candidates that a critic sees: its time grows with their cube.
MOST_CANDIDATES = 250
# The central interval that bands show.
BAND = float(ndtri(0.9))


@dataclass(frozen=True, eq=False)
class ScoreCritic:
    """A Gaussian process of the scores, fitted after the search as the default learner's is.

    It learns from tempered scores, half normal scores of the ranks and half robust z-scores,
    so that hopeless candidates do not matter. This is a monotone function, by whose inverse
    predictions are turned into scores.

    Attributes
    ----------
    space : Space
    critic : Critic
    tempered, scores : ndarray of shape (m,)
        Pairs of what the critic learned from and the score, both increasing.
    """

    space: Space
    critic: Critic
    tempered: FloatArray
    scores: FloatArray

    @classmethod
    def of(
        cls,
        record: SearchRecord,
        rows: NDArray[np.intp] | None = None,
        start: FloatArray | None = None,
    ) -> ScoreCritic:
        """Return the critic of a search.

        Parameters
        ----------
        record : SearchRecord
        rows : ndarray of int, default=None
            The candidates that it sees; None are those of `chosen_rows`.
        start : ndarray, default=None
            The parameters of another critic, to start from.

        Raises
        ------
        ValueError
            If no candidate has a score.
        """
        if not np.isfinite(record.estimates).any():
            raise ValueError("no candidate has a score that a critic could learn from.")
        rows = chosen_rows(record) if rows is None else rows
        scores = record.estimates[rows]
        x = design(record.space, record.actions[rows])
        features = Features.of(record.space)
        features = features.with_off(switched_off(features, x, scores))
        tempered = temper(scores, CONSTANTS.rank_share)
        with BLAS.limit(limits=1):
            critic = GaussianProcess().fit(features, x, tempered, start)
        return cls(record.space, critic, *_pairs(tempered, replace_failed(scores)))

    def predict(self, actions: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return mean and standard deviation of tempered scores, of shape (n,) each."""
        parts = [self.critic.predict(rows) for rows in self._designs(actions)]
        return np.concatenate([m for m, _ in parts]), np.concatenate([s for _, s in parts])

    def expected(self, actions: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return the median score of actions, and the ends of its central 80 %."""
        mean, std = self.predict(actions)
        low, high = self.to_scores(mean - BAND * std), self.to_scores(mean + BAND * std)
        return self.to_scores(mean), low, high

    def draw_scores(
        self, actions: FloatArray, n_draws: int, rng: np.random.Generator
    ) -> FloatArray:
        """Return scores of actions by functions drawn from the critic, noise included.

        Returns
        -------
        ndarray of shape (n_draws, n)
        """
        mean, covariance = self.critic.predict_joint(design(self.space, actions))
        variances, vectors = np.linalg.eigh(covariance)
        root = vectors * np.sqrt(np.maximum(variances, 0.0))
        noise = np.sqrt(self.critic.noise * self.critic.amplitude)
        functions = mean + rng.standard_normal((n_draws, len(mean))) @ root.T
        return self.to_scores(functions + noise * rng.standard_normal(functions.shape))

    def to_scores(self, tempered: FloatArray) -> FloatArray:
        """Return tempered scores as scores; beyond those seen, on a straight line."""
        t, y = self.tempered, self.scores
        if len(t) == 1:
            return np.full(np.shape(tempered), y[0])
        k = len(t) // 4
        low_slope = (y[k + 1] - y[0]) / (t[k + 1] - t[0])
        high_slope = (y[-1] - y[-k - 2]) / (t[-1] - t[-k - 2])
        beyond = low_slope * np.minimum(tempered - t[0], 0.0)
        beyond += high_slope * np.maximum(tempered - t[-1], 0.0)
        return np.asarray(np.interp(tempered, t, y) + beyond)

    def _designs(self, actions: FloatArray) -> list[FloatArray]:
        x = design(self.space, actions)
        return np.array_split(x, max(len(x) // 4000, 1))


def chosen_rows(record: SearchRecord, most: int = MOST_CANDIDATES) -> NDArray[np.intp]:
    """Return the candidates that a critic sees.

    Four fifths are spread over the space: each is the farthest from those before it (Gonzalez
    1985), the first is the best. So the crowd that a long search ends in has no more weight than
    its place in the space. The others are the nearest neighbours of the best: its best rivals
    by score would be those that were lucky.
    """
    n = len(record)
    if n <= most or record.best is None:
        return np.arange(n)[:most]
    x = design(record.space, record.actions)
    from_best = ((x - x[record.best]) ** 2).sum(axis=1)
    rows, distance = [record.best], from_best.copy()
    while len(rows) < most - most // 5:
        rows.append(int(np.argmax(distance)))
        distance = np.minimum(distance, ((x - x[rows[-1]]) ** 2).sum(axis=1))
    near = [i for i in np.argsort(from_best, kind="stable") if i not in set(rows)]
    return np.sort(rows + near[: most - len(rows)])


def prior_actions(space: Space, uniform: FloatArray) -> FloatArray:
    """Return draws of the user's distributions at the given uniform numbers, a column each."""
    actors = Policy.prior(space).actors
    columns = [actor.ppf(u) for actor, u in zip(actors, uniform.T, strict=True)]
    actions = np.stack(columns, axis=1)
    actions[~space.active(actions)] = np.nan
    return actions


def _pairs(tempered: FloatArray, scores: FloatArray) -> tuple[FloatArray, FloatArray]:
    t, first = np.unique(tempered, return_index=True)
    return t, np.maximum.accumulate(scores[first])
