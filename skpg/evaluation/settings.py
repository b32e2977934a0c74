"""What a search is told, as a value."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from typing import Any

from skpg.learners import ActorCritic, Learner

# Candidates of a batch where the user does not say how many, and in flight in a stream where
# neither the user nor the learner does.
BATCH, IN_FLIGHT = 10, 4


@dataclass(frozen=True)
class SearchSettings:
    """The arguments of a search that decide what is evaluated, how, and for how long.

    Attributes
    ----------
    estimator, param_distributions, scoring, refit, error_score, return_train_score, \
    initial_params, warm_start_from, constraint, random_state, n_iter, racing, racing_bound, \
    timeout, target_score, patience, candidate_timeout, callbacks, storage, study_name, verbose, \
confirm_cv
        As the arguments of `PolicyGradientSearchCV` of these names.
    learner : Learner
    batch_size : int
    evaluation : {'batch', 'stream', 'async'}
        As well, with what stands for None and for 'auto'.
    """

    estimator: Any
    param_distributions: Any
    scoring: Any
    refit: Any
    error_score: Any
    return_train_score: bool
    initial_params: Any
    warm_start_from: Sequence[Any] | None
    constraint: Callable[[Any], bool] | None
    random_state: Any
    n_iter: int
    learner: Learner
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
    confirm_cv: Any

    @classmethod
    def of(cls, search: Any) -> SearchSettings:
        """Return the settings of a search, which is not changed."""
        values = {field.name: getattr(search, field.name) for field in fields(cls)}
        if values["learner"] is None:
            values["learner"] = ActorCritic()
        in_flight, batch_size = values["learner"].in_flight, values["batch_size"]
        if values["evaluation"] == "auto":
            told_at_once = batch_size is None and in_flight is not None
            values["evaluation"] = "stream" if told_at_once else "batch"
        if batch_size is None:
            streams = values["evaluation"] == "stream"
            values["batch_size"] = (in_flight or IN_FLIGHT) if streams else BATCH
        return cls(**values)

    @property
    def raced(self) -> bool:
        """Whether folds may be left out."""
        return self.racing is not False
