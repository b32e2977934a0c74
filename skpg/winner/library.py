"""What the models of several candidates say of rows that are new to them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skpg.space.types import FloatArray
from skpg.winner.ensemble import Ensemble, ensemble_weights
from skpg.winner.stored import StoredClassifier, StoredRegressor, StoredScore
from skpg.winner.votes import Labels


@dataclass(frozen=True, eq=False)
class Library:
    """What an ensemble is chosen from.

    Attributes
    ----------
    answers : sequence of sequence of ndarray
        By candidate, then by fold, what the model says of the test rows.
    tests : list of ndarray of int
        The test rows of the folds.
    y : ndarray of shape (n_samples,)
    classes : ndarray or None
        None of regressors.
    responses : frozenset of str
        What the models were asked.
    """

    answers: Sequence[Sequence[NDArray[Any]]]
    tests: list[NDArray[np.intp]]
    y: NDArray[Any]
    classes: Labels | None
    responses: frozenset[str]

    @property
    def predictions(self) -> FloatArray:
        """What each candidate says of the test rows of all folds, one after the other.

        Of shape (n_candidates, n_rows), or (n_candidates, n_rows, n_classes).
        """
        return np.stack([np.concatenate(list(folds)) for folds in self.answers])

    def weights(self, scorer: Any, metric: str | None, settings: Ensemble, rng: Any) -> FloatArray:
        """Return how much of each candidate an ensemble has.

        Parameters
        ----------
        scorer : callable
        metric : str or None
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
        return StoredClassifier(answers, self.classes, self.responses)
