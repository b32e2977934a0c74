"""The fitted models of several candidates, and what they say of rows that are new to them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skpg.space.types import FloatArray
from skpg.winner.ensemble import Ensemble, ensemble_weights
from skpg.winner.members import Member, Voter
from skpg.winner.stored import StoredClassifier, StoredRegressor, StoredScore
from skpg.winner.votes import Labels


@dataclass(frozen=True, eq=False)
class Library:
    """What an ensemble is chosen from.

    Attributes
    ----------
    members : sequence of Member
        By candidate, then by fold.
    answers : sequence of ndarray
        What each member says of the test rows of its fold.
    tests : list of ndarray of int
        The test rows of the folds.
    y : ndarray of shape (n_samples,)
    classes : ndarray or None
        None of regressors.
    """

    members: Sequence[Member]
    answers: Sequence[FloatArray]
    tests: list[NDArray[np.intp]]
    y: NDArray[Any]
    classes: Labels | None

    @property
    def n_candidates(self) -> int:
        """Number of candidates."""
        return len(self.members) // len(self.tests)

    @property
    def predictions(self) -> FloatArray:
        """What each candidate says of the test rows of all folds, one after the other.

        Of shape (n_candidates, n_rows), or (n_candidates, n_rows, n_classes).
        """
        n = len(self.tests)
        return np.stack(
            [np.concatenate(self.answers[i : i + n]) for i in range(0, len(self.answers), n)]
        )

    def weights(self, scorer: Any, metric: str, settings: Ensemble, rng: Any) -> FloatArray:
        """Return how much of each candidate an ensemble has.

        Parameters
        ----------
        scorer : callable
        metric : str
            Which one, where the scorer computes several.
        settings : Ensemble
        rng : numpy Generator or RandomState

        Returns
        -------
        ndarray of shape (n_candidates,)
        """
        score = StoredScore(scorer, self.y[np.concatenate(self.tests)], metric)
        predictions = self.predictions
        return ensemble_weights(predictions, lambda p: score(self.stored(p)), settings, rng)

    def stored(self, answers: FloatArray) -> Any:
        """Return an estimator that gives these answers."""
        if self.classes is None:
            return StoredRegressor(answers)
        responses = frozenset(m.response for m in self.members if isinstance(m, Voter))
        return StoredClassifier(answers, self.classes, responses)
