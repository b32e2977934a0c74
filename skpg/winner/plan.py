"""What a search makes of its candidates, beside the refit of the best one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from sklearn.base import is_classifier
from sklearn.utils import column_or_1d
from sklearn.utils.multiclass import check_classification_targets

from skpg.evaluation.beside import FitsBeside
from skpg.evaluation.call_stack import warn
from skpg.evaluation.candidate import Candidate
from skpg.evaluation.cross_validation import CrossValidation
from skpg.evaluation.journal import Journal
from skpg.evaluation.score_bounds import reward_scorer
from skpg.evaluation.settings import SearchSettings
from skpg.evaluation.sklearn import RunningFit
from skpg.winner.checks import (
    INSTEAD,
    check_kind,
    check_precision,
    check_splits,
    check_target,
)
from skpg.winner.confirmation import AS_PASSED, WITHOUT, Confirmation, Confirmed
from skpg.winner.ensemble import Ensemble
from skpg.winner.keeping import Keeper
from skpg.winner.stored import check_scorer
from skpg.winner.votes import Labels

KEEP_NOTHING = "With a search use keep=None."


class BaselineRun(NamedTuple):
    """The estimator as passed where that is asked for, and the seconds until the timeout."""

    candidate: Candidate | None
    n_fits: int
    seconds_left: float | None


@dataclass(frozen=True, eq=False)
class WinnerPlan:
    """What a search is asked to make of its candidates.

    Attributes
    ----------
    search : PolicyGradientSearchCV
    fit : RunningFit
    keeper : Keeper or None
        What to keep of each model.
    confirmation : Confirmation or None
    scorer : callable
        Of the metric that the search learns from.
    """

    search: Any
    fit: RunningFit
    keeper: Keeper | None
    confirmation: Confirmation | None
    scorer: Any

    @classmethod
    def of(
        cls,
        search: Any,
        settings: SearchSettings,
        fit: RunningFit,
        confirmation: Confirmation | None,
    ) -> WinnerPlan:
        """Return the plan, before any fit.

        Raises
        ------
        ValueError, TypeError
            If it cannot be carried out.
        """
        if confirmation and callable(search.refit):
            raise ValueError(
                "confirm chooses the best candidate by its mean score, and refit="
                f"{search.refit!r} in another way. Use one of them."
            )
        averages = search.final != "refit"
        if averages and search.refit is False:
            raise ValueError(f"final={search.final!r} needs refit, got refit=False.")
        if averages:
            check_kind(fit.estimator)
            check_target(fit.y)
            check_splits(fit.splits, search.cv)
        scorer = reward_scorer(settings, fit.keywords["scorer"])
        keeper = _keeper(search, fit, scorer)
        if confirmation is not None:
            confirmation.splits(fit, seed=0)  # with another seed an error would be the same
        return cls(search, fit, keeper, confirmation, scorer)

    @property
    def metric(self) -> str | None:
        """Which metric counts, where `refit` names one of several."""
        return _named_metric(self.search)

    @property
    def classes(self) -> Labels | None:
        """The classes of a classifier, where predictions are kept."""
        return self.keeper.classes if self.keeper else None

    def evaluate_baseline(self, beside: FitsBeside, journal: Journal) -> BaselineRun:
        """Evaluate the estimator as it was passed, if that is asked for."""
        timeout = beside.settings.timeout
        if not self.search.baseline:
            return BaselineRun(None, 0, timeout)
        folds = range(len(self.fit.splits))
        known = journal.beside([AS_PASSED], folds)
        run = beside.run([{}], known, what="the estimator as it was passed", timeout=timeout)
        return BaselineRun(run.settled[0], run.n_fits, run.seconds_left)

    def confirm(self, beside: FitsBeside, journal: Journal, search: CrossValidation) -> Confirmed:
        """Evaluate the best candidates again, if that is asked for and the search may go on."""
        if self.confirmation is None:
            return Confirmed.nothing()
        confirmed = Confirmed.nothing()
        if search.stop_reason not in WITHOUT:
            confirmed = self.confirmation.run(
                beside,
                journal,
                search.settled,
                self.confirmation.splits(self.fit, journal.seed),
                search.seconds_left,
                with_baseline=bool(self.search.baseline),
            )
            journal.finish(confirmed.stop_reason or str(search.stop_reason))
        if "timeout" in (search.stop_reason, confirmed.stop_reason):
            warn(
                f"The time was over after {len(confirmed.repeats)} of the "
                f"{self.confirmation.n_repeats} fresh splits of confirm={self.search.confirm!r}."
            )
        return confirmed


def _named_metric(search: Any) -> str | None:
    return search.refit if isinstance(search.refit, str) else None


def _keeper(search: Any, fit: RunningFit, scorer: Any) -> Keeper | None:
    """Return what to keep of each model: what is asked for, and what an ensemble needs.

    Raises
    ------
    ValueError, TypeError
        If the estimator or the metric is not for it.
    """
    ensemble = isinstance(search.final, Ensemble)
    if search.keep is None and not ensemble:
        return None
    if search.keep is not None:
        instead = f"keep={search.keep!r} is not for it. {KEEP_NOTHING}"
        check_kind(fit.estimator, instead)
        check_target(fit.y, instead)
    classes = None
    if is_classifier(fit.estimator):
        check_classification_targets(fit.y)
        classes = np.unique(column_or_1d(fit.y))
    else:
        check_precision(fit.y, INSTEAD if search.keep is None else KEEP_NOTHING)
    check_scorer(scorer, _named_metric(search), fit.estimator, fit.y)
    return Keeper(classes, models=search.keep == "estimators")
