"""What a search is told, as a value."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from typing import Any


@dataclass(frozen=True)
class SearchSettings:
    """The arguments of a search that decide what is evaluated, how, and for how long.

    Attributes
    ----------
    estimator, param_distributions, scoring, refit, error_score, return_train_score, \
    initial_params, random_state, n_iter, batch_size, evaluation, racing, racing_bound, \
    timeout, target_score, patience, candidate_timeout, callbacks, storage, study_name, verbose
        As the arguments of `PolicyGradientSearchCV` of these names.
    """

    estimator: Any
    param_distributions: Any
    scoring: Any
    refit: Any
    error_score: Any
    return_train_score: bool
    initial_params: Sequence[Any] | None
    random_state: Any
    n_iter: int
    batch_size: int
    evaluation: str
    racing: bool | str
    racing_bound: float | None
    timeout: float | None
    target_score: float | None
    patience: int | None
    candidate_timeout: float | None
    callbacks: Sequence[Callable[[Any], Any]] | None
    storage: Any
    study_name: str | None
    verbose: int

    @classmethod
    def of(cls, search: Any) -> SearchSettings:
        """Return the settings of a search."""
        return cls(**{field.name: getattr(search, field.name) for field in fields(cls)})

    @property
    def raced(self) -> bool:
        """Whether folds may be left out."""
        return self.racing is not False
