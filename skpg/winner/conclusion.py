"""What has come of a search: its final estimator, and what is known of its candidates."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone, is_classifier
from sklearn.utils import column_or_1d

from skpg.evaluation.candidate import Candidate
from skpg.evaluation.retention import KEPT_MODELS
from skpg.evaluation.sklearn import RunningFit
from skpg.evaluation.wording import score_text
from skpg.space.lists import generator_of
from skpg.space.types import Params
from skpg.winner.averaging import candidate_of
from skpg.winner.baseline import Baseline
from skpg.winner.checks import rows_of
from skpg.winner.committee import CommitteeClassifier, CommitteeRegressor
from skpg.winner.confirmation import Confirmed
from skpg.winner.ensemble import Ensemble
from skpg.winner.keeping import kept_of, members_of, out_of_fold
from skpg.winner.library import Library
from skpg.winner.members import Member
from skpg.winner.plan import WinnerPlan
from skpg.winner.stored import StoredClassifier, StoredRegressor, StoredScore, score_or_nan

# Number of the best candidates whose kept predictions are scored again.
N_COMPARED = 20

# The attributes of a search that has asked for them.
BESIDE = (
    "baseline_scores_",
    "beats_baseline_",
    "confirm_results_",
    "oof_predictions_",
    "fold_estimators_",
)


@dataclass(frozen=True, eq=False)
class Conclusion:
    """What has come of a search.

    Attributes
    ----------
    plan : WinnerPlan
    settled : sequence of Candidate
        As in ``cv_results_``.
    as_passed : Candidate or None
        The estimator as it was passed, where it was evaluated.
    confirmed : Confirmed
    seed : int
    """

    plan: WinnerPlan
    settled: Sequence[Candidate]
    as_passed: Candidate | None
    confirmed: Confirmed
    seed: int

    @property
    def attributes(self) -> dict[str, Any]:
        """What the search has beside scikit-learn's attributes; what was not asked for is not."""
        known: dict[str, Any] = {
            "baseline_scores_": self.baseline and self.baseline.scores,
            "confirm_results_": self.confirmed.results,
            "oof_predictions_": self._out_of_fold(),
        }
        if self._keeps_models and not self._fitted_again:
            known.update(self.models)
        return {name: value for name, value in known.items() if value is not None}

    @property
    def models(self) -> dict[str, Any]:
        """The attribute that has the models; those that are not kept are fitted for it."""
        if not self._keeps_models:
            return {}
        members = self._members.items()
        return {"fold_estimators_": {i: [member.model for member in m] for i, m in members}}

    @property
    def predictions_score_alike(self) -> bool:
        """Whether the predictions that are kept have the scores of the models that made them.

        They do not where scores have weights, nor where a metric of probabilities meets votes of
        labels or decisions. The best candidates tell.
        """
        complete = [c for c in self.settled if kept_of(c.outcomes, self._n_folds) is not None]
        best = sorted(complete, key=lambda candidate: -candidate.score)[:N_COMPARED]
        if not best:
            return False
        scores = np.array([candidate.scores for candidate in best])
        again = np.array([self._scores_of_kept(candidate) for candidate in best])
        if np.isnan(again).all():
            return False
        difference = np.sqrt(np.nanmean((again - scores) ** 2))
        return bool(difference <= 0.1 * scores.std() + 1e-6 * np.abs(scores).max())

    @cached_property
    def baseline(self) -> Baseline | None:
        """What the estimator scores as it was passed, on the folds of the best candidates."""
        if self.as_passed is None:
            return None
        return Baseline.of([self.as_passed, *self.confirmed.baseline])

    def beats_baseline(self, index: int) -> bool:
        """Whether a candidate is more than one standard error better than as passed."""
        score = self.confirmed.score_of(self.settled[index])
        return self.baseline is None or self.baseline.beaten_by(score)

    def comparison(self, index: int) -> str:
        """Return a candidate's score beside the baseline, as a sentence without full stop."""
        score = self.confirmed.score_of(self.settled[index])
        shown = "failed" if np.isnan(score) else score_text(score)
        return f"The best candidate: {shown}, {self.baseline}"

    def take_over_refit(self) -> None:
        """Let this make the ``best_estimator_`` where it is not a plain refit."""
        if self._search.final != "refit" or self._search.baseline == "prefer":
            self._fit.refit_with(self._refit)

    def _refit(self, params: Params, X: Any, y: Any, fit_params: Mapping[str, Any]) -> None:
        """Make and fit the ``best_estimator_`` of the search."""
        index = self._search.best_index_
        as_passed = self._search.baseline == "prefer" and not self.beats_baseline(index)
        estimator = candidate_of(self._fit.estimator, {} if as_passed else params)
        if self._search.final == "refit":
            self._search.best_estimator_ = estimator
            estimator.fit(X, *([] if y is None else [y]), **fit_params)
            return
        y = column_or_1d(y, warn=True)
        if isinstance(self._search.final, Ensemble) and not as_passed:
            committee, members = self._ensemble(y)
        else:
            committee, members = self._committee(estimator), {}
            if index in self._members and not as_passed:
                members = {0: self._members[index]}
        self._search.best_estimator_ = committee
        committee._fit_folds(X, y, self._fit.splits, fit_params, members)

    @property
    def _search(self) -> Any:
        return self.plan.search

    @property
    def _fit(self) -> RunningFit:
        return self.plan.fit

    @property
    def _keeps_models(self) -> bool:
        return self.plan.keeper is not None and self.plan.keeper.models

    @property
    def _n_folds(self) -> int:
        return len(self._fit.splits)

    @property
    def _tests(self) -> list[NDArray[np.intp]]:
        return [rows_of(test) for _, test in self._fit.splits]

    @property
    def _best(self) -> list[Candidate]:
        complete = [candidate for candidate in self.settled if candidate.complete]
        return sorted(complete, key=lambda candidate: -candidate.score)[:KEPT_MODELS]

    @property
    def _fitted_again(self) -> list[Candidate]:
        """The best candidates whose models are not kept."""
        return [c for c in self._best if members_of(c.outcomes, self._n_folds) is None]

    @cached_property
    def _members(self) -> dict[int, list[Member]]:
        """The models of the best candidates by their index; none where they are not kept.

        A storage does not have them: those of an earlier run are fitted again.
        """
        if not self._keeps_models:
            return {}
        best, missing = self._best, self._fitted_again
        found = {c.position: members_of(c.outcomes, self._n_folds) for c in best}
        fitted, _ = self._committee(self._fit.estimator)._fit_members(
            [candidate_of(self._fit.estimator, candidate.params) for candidate in missing],
            self._fit.X,
            column_or_1d(self._fit.y),
            self._fit.splits,
            self._fit.keywords["fit_params"],
        )
        found.update({c.position: members for c, members in zip(missing, fitted, strict=True)})
        return {index: members for index, members in found.items() if members is not None}

    def _out_of_fold(self) -> NDArray[np.float32] | None:
        if self.plan.keeper is None:
            return None
        n_rows = len(np.asarray(self._fit.y))
        return out_of_fold([c.outcomes for c in self.settled], self._tests, n_rows)

    def _scores_of_kept(self, candidate: Candidate) -> list[float]:
        """Return what the kept predictions of a candidate score on each fold."""
        score = StoredScore(self.plan.scorer, column_or_1d(self._fit.y), self.plan.metric)
        scores = []
        for test, fold in zip(
            self._tests, kept_of(candidate.outcomes, self._n_folds) or (), strict=True
        ):
            answers = fold.answers.astype(float)
            said: Any = StoredRegressor(answers)
            if self.plan.classes is not None:
                said = StoredClassifier(answers, self.plan.classes, frozenset({"predict_proba"}))
            scores.append(score_or_nan(score, said, test))
        return scores

    def _committee(self, estimator: Any, **more: Any) -> CommitteeClassifier | CommitteeRegressor:
        kind = CommitteeClassifier if is_classifier(estimator) else CommitteeRegressor
        cv = self._search.cv
        if isinstance(cv, Iterator):  # used up, and cannot be pickled
            cv = self._fit.splits
        return kind(estimator, cv=cv, n_jobs=self._search.n_jobs, **more)

    def _ensemble(self, y: NDArray[Any]) -> tuple[Any, dict[int, list[Member]]]:
        """Return the unfitted ensemble, and those of its models that are fitted already."""
        kept = {
            candidate.position: folds
            for candidate in self.settled
            if (folds := kept_of(candidate.outcomes, self._n_folds)) is not None
        }
        if not kept:
            raise ValueError("No candidate of the search has a score on each fold.")
        library = Library(
            [[fold.answers for fold in folds] for folds in kept.values()],
            self._tests,
            y,
            self.plan.classes,
            frozenset(fold.response for folds in kept.values() for fold in folds),
        )
        weights = library.weights(
            self.plan.scorer, self.plan.metric, self._search.final, generator_of(self.seed)
        )
        chosen = np.array(list(kept))[weights > 0]
        committee = self._committee(
            clone(self._fit.estimator),
            candidates=[self.settled[index].params for index in chosen],
            weights=weights[weights > 0].tolist(),
        )
        known = {
            i: self._members[index] for i, index in enumerate(chosen) if index in self._members
        }
        return committee, known
