"""The estimator exactly as it was passed, on the folds of the search."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from skpg.evaluation.candidate import Candidate
from skpg.evaluation.wording import score_text
from skpg.space.types import FloatArray


@dataclass(frozen=True, eq=False)
class Baseline:
    """What the estimator scores as it was passed.

    Attributes
    ----------
    folds : ndarray of shape (n_folds,)
        By the metric that the search learns from; nan where a fit failed.
    scores : ndarray of shape (n_folds,), or dict of str to such
        As users see them: of several metrics, by name.
    n_repeats : int
        How many splits of the same rows the folds are of.
    """

    folds: FloatArray
    scores: FloatArray | dict[str, FloatArray]
    n_repeats: int = 1

    @classmethod
    def of(cls, evaluations: Sequence[Candidate]) -> Baseline:
        """Return the baseline of the estimator as it was evaluated, on one split or several."""
        folds = np.concatenate([candidate.scores for candidate in evaluations])
        found = [
            candidate.outcomes[fold].test_scores
            for candidate in evaluations
            for fold in sorted(candidate.outcomes)
        ]
        by_metric = [scores for scores in found if isinstance(scores, Mapping)]
        if not by_metric:
            return cls(folds, folds, len(evaluations))
        # where a callable computes several metrics, a fit that failed has one number
        scores = {
            metric: np.array([s[metric] if isinstance(s, Mapping) else s for s in found], float)
            for metric in by_metric[0]
        }
        return cls(folds, scores, len(evaluations))

    @property
    def standard_error(self) -> float:
        """Of the mean over the folds of one split; 0 of a single fold.

        Other splits of the same rows bring no independent folds.
        """
        n = len(self.folds)
        return float(self.folds.std(ddof=1) / (n / self.n_repeats) ** 0.5) if n > 1 else 0.0

    def beaten_by(self, score: float) -> bool:
        """Whether a mean score is more than one standard error better.

        One that is not known is not better, and anything is better than one that failed.
        """
        mean = float(self.folds.mean())
        return not np.isnan(score) and not score <= mean + self.standard_error

    def __str__(self) -> str:
        if np.isnan(self.folds).any():
            return "as passed: failed"
        error = f" +- {score_text(self.standard_error)}" if len(self.folds) > 1 else ""
        return f"as passed: {score_text(float(self.folds.mean()))}{error}"
