"""The score of a fold that a search learns from."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from skpg.evaluation.outcome import NAN, Outcome
from skpg.evaluation.settings import SearchSettings
from skpg.evaluation.sklearn import ErrorScore, check_refit


class ScoreOfFold:
    """From an outcome to the score that a search learns from; nan where there is none.

    Parameters
    ----------
    refit : bool, str or callable
        Of several metrics a str names the one that counts; otherwise it is the first.
    error_score : 'raise' or numeric
        What stands for the score of a failure.
    return_train_score : bool
    """

    def __init__(self, refit: Any, error_score: Any, return_train_score: bool):
        self._refit, self._error_score = refit, error_score
        self._return_train_score = return_train_score
        self._metric: str | None = None

    @classmethod
    def of(cls, settings: SearchSettings) -> ScoreOfFold:
        """Return the score that the settings ask for."""
        return cls(settings.refit, settings.error_score, settings.return_train_score)

    def __call__(self, outcome: Outcome) -> float:
        """Return the score of one fold; nan for a failure, whatever `error_score` is.

        An infinite score is a failure, too.
        """
        score = self._score(outcome)
        return score if math.isfinite(score) else NAN

    def is_infinite(self, outcome: Outcome) -> bool:
        """Whether the fit did not fail, and its score is infinite."""
        return math.isinf(self._score(outcome))

    def _score(self, outcome: Outcome) -> float:
        if outcome.fit_error is not None:
            return NAN
        score: Any = outcome.test_scores
        if isinstance(score, Mapping):  # else one metric, or several that could not be computed
            score = score[self._metric_of(score)]
        return NAN if isinstance(score, ErrorScore) else float(score)

    def of_failure(self, error: BaseException) -> Outcome:
        """Return the outcome of a fit that did not return; raise the error if asked to."""
        if self._error_score == "raise":
            raise error
        train = self._error_score if self._return_train_score else None
        message = f"{type(error).__name__}: {error}"
        return Outcome(self._error_score, train, fit_error=message)

    def _metric_of(self, scores: Mapping[str, float]) -> str:
        if self._metric is None:
            # known only now where a callable computes the metrics
            check_refit(self._refit, scores)
            named = isinstance(self._refit, str)
            self._metric = self._refit if named else next(iter(scores))
        return self._metric
