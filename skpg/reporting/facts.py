"""What is known of a search when it is reported on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skpg.display.record import SearchRecord
from skpg.display.sources import record_of
from skpg.policy.policy import Policy
from skpg.present import PresentCandidate
from skpg.space.types import FloatArray
from skpg.winner.baseline import Baseline
from skpg.winner.correction import CorrectedScore, corrected_score


@dataclass(frozen=True, eq=False)
class Facts:
    """A search as values, for texts and pages; all but the record may be unknown.

    Attributes
    ----------
    record : SearchRecord
    estimator : estimator object or None
        As it was passed, not fitted.
    policy : Policy or None
    stop_reason : str or None
    n_iter : int or None
        Number of candidates that were wanted.
    present : int or None
        The candidate that leaves the estimator as it is, if it was evaluated.
    present_text : str
        Its values, as a call of the estimator would have them.
    knows_space : bool
        Whether the ranges are the user's, and not those that the candidates span.
    is_refitted : bool
        Whether the search has a ``best_estimator_``.
    corrected : CorrectedScore or None
        The best score without the luck of having been chosen.
    baseline : Baseline or None
        The estimator exactly as it was passed, where it was evaluated.
    confirmed : dict or None
        The ``confirm_results_``.
    means : dict of str to ndarray of shape (n_candidates,)
        The mean test scores by the other metrics.
    settings : dict of str to object
        The arguments of the search.
    """

    record: SearchRecord
    estimator: Any = None
    policy: Policy | None = None
    stop_reason: str | None = None
    n_iter: int | None = None
    present: int | None = None
    present_text: str = ""
    knows_space: bool = True
    is_refitted: bool = False
    corrected: CorrectedScore | None = None
    baseline: Baseline | None = None
    confirmed: Mapping[str, Any] | None = None
    means: Mapping[str, FloatArray] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)

    @property
    def ranking(self) -> NDArray[np.intp]:
        """The complete candidates, the best first; of ties the earlier first."""
        order = np.argsort(-np.nan_to_num(self.record.scores, nan=-np.inf), kind="stable")
        return order[self.record.complete[order]]


def facts_of(study: Any, *, metric: str | None = None, param_distributions: Any = None) -> Facts:
    """Return what is known of a search.

    Parameters
    ----------
    study : fitted search, dict, Recorder or SearchRecord
        As `skpg.display` takes it.
    metric : str, default=None
        Of several metrics the one to report on; None is the one that `refit` names, else the first.
    param_distributions : dict or list of dicts, default=None
        The space of a stored study.

    Raises
    ------
    NotFittedError, TypeError, ValueError
        If it cannot be shown.
    """
    record = record_of(study, metric=metric, param_distributions=param_distributions)
    if not hasattr(study, "cv_results_"):
        known = param_distributions is not None or not isinstance(study, Mapping)
        results = study if isinstance(study, Mapping) else {}
        return Facts(record, knows_space=known, means=_other_means(results, record.metric))
    present = _present_candidate(study, record)
    return Facts(
        record,
        estimator=study.estimator,
        policy=getattr(study, "policy_", None),
        stop_reason=getattr(study, "stop_reason_", None),
        n_iter=getattr(study, "n_iter", None),
        present=None if present is None else _position(record, present),
        present_text="" if present is None else str(present),
        is_refitted=hasattr(study, "best_estimator_"),
        corrected=_corrected(study, metric),
        baseline=_baseline(study, metric),
        confirmed=getattr(study, "confirm_results_", None),
        means=_other_means(study.cv_results_, record.metric),
        settings=study.get_params(deep=False),
    )


def _corrected(search: Any, metric: str | None) -> CorrectedScore | None:
    """Return what is known of the corrected score, or follows at once from the folds."""
    known: CorrectedScore | None = getattr(search, "_corrected_score", None)
    if known is not None and metric is None:
        return known
    try:
        return corrected_score(search, metric=metric)
    except ValueError:  # of a callable `refit`, or without a score
        return None


def _baseline(search: Any, metric: str | None) -> Baseline | None:
    """Return the baseline, which is by the metric that the search has learned from."""
    known: Baseline | None = getattr(search, "_baseline", None)
    if known is None or metric is None or not isinstance(known.scores, Mapping):
        return known
    counts = search.refit if isinstance(search.refit, str) else next(iter(known.scores))
    return known if metric == counts else None


def _other_means(results: Mapping[str, Any], metric: str) -> dict[str, FloatArray]:
    names = [name for name in results if name.startswith("mean_test_")]
    others = [name for name in names if name not in ("mean_test_score", f"mean_test_{metric}")]
    return {name.removeprefix("mean_test_"): np.asarray(results[name], float) for name in others}


def _present_candidate(search: Any, record: SearchRecord) -> PresentCandidate | None:
    return PresentCandidate.of(record.space, search.estimator.get_params())


def _position(record: SearchRecord, present: PresentCandidate) -> int | None:
    """Return where the present candidate is among those of the record."""
    wanted = record.space.identify(present.params)
    equal = (record.resolved == wanted) | (np.isnan(record.resolved) & np.isnan(wanted))
    found = np.flatnonzero(equal.all(axis=1))
    return int(found[0]) if len(found) else None
