"""What the fit of one candidate on one fold came to."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

NAN = float("nan")

# One number, or one for each metric.
Scores = float | Mapping[str, float]


@dataclass(frozen=True, eq=False)
class Kept:
    """What is kept of the model of one fold beside its scores.

    Attributes
    ----------
    response : {'predict_proba', 'decision_function', 'predict'}
        What a classifier votes by; 'predict' of regressors.
    answers : ndarray of float32 of shape (n_test_samples,) or (n_test_samples, n_classes)
        What it says of the rows that it was not fitted to.
    member : object or None
        The model, where it is kept, as a committee asks it.
    """

    response: str
    answers: NDArray[np.float32]
    member: Any = None


# From a fitted model, X, y, and the training and test rows.
Keep = Callable[[Any, Any, Any, Any, Any], Kept]


@dataclass(frozen=True)
class Outcome:
    """What the fit and the scores of one candidate on one fold came to.

    Attributes
    ----------
    test_scores : float or dict of str to float
        Of a fit that failed, a number in their place.
    train_scores : float, dict of str to float, or None
        None where they are not wanted.
    fit_time, score_time : float
        Seconds; nan for a fit that did not return.
    n_test_samples : float
    fit_error : str or None
        Why the fit failed.
    overdue : bool
        Whether it went on beyond the time that was left to its candidate.
    asked_to_stop : bool
        Whether a callback of scikit-learn asked to stop.
    begin : float
        When the fit began, in seconds since the epoch; nan where it did not return, or was read
        from a storage, which does not keep it.
    worker : str
        Computer, process and thread that it ran on; empty where `begin` is nan.
    kept : Kept or None
        None where nothing is to be kept, and of a fit that failed.
    """

    test_scores: Scores
    train_scores: Scores | None = None
    fit_time: float = NAN
    score_time: float = NAN
    n_test_samples: float = NAN
    fit_error: str | None = None
    overdue: bool = False
    asked_to_stop: bool = False
    begin: float = NAN
    worker: str = ""
    kept: Kept | None = field(default=None, compare=False)

    @property
    def seconds(self) -> float:
        """Running time; 0 where the fit did not return."""
        total = self.fit_time + self.score_time
        return 0.0 if math.isnan(total) else total
