"""A running search as a study of Optuna."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from typing import Any

import optuna

from skpg.evaluation.stopping import Progress
from skpg.integrations.optuna.export import FinishedCandidate, TrialTranslator, new_study
from skpg.integrations.tracking import Record, Tracker


class OptunaCallback(Tracker):
    """Record a running search in a study, so that optuna-dashboard shows it.

    Pass it in the `callbacks` of `PolicyGradientSearchCV`. The trials are those of
    `export_study`, each added when its candidate is finished. If the storage fails, a
    warning says so and the search goes on without it.

    Parameters
    ----------
    storage : str or optuna storage
        Such as ``"sqlite:///studies.db"``.
    study_name : str, default=None
        A name that the storage has already gets a number, so that each `fit` is a study of
        its own. None is a name that Optuna makes up.

    Attributes
    ----------
    study : optuna.Study or None
        The study of the search that began last.

    Examples
    --------
    >>> import optuna
    >>> from scipy.stats import loguniform
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.svm import SVC
    >>> from skpg import PolicyGradientSearchCV
    >>> from skpg.integrations.optuna import OptunaCallback
    >>> optuna.logging.set_verbosity(optuna.logging.ERROR)
    >>> callback = OptunaCallback(optuna.storages.InMemoryStorage(), "iris")
    >>> search = PolicyGradientSearchCV(
    ...     SVC(), {"C": loguniform(1e-3, 1e3)}, n_iter=10, callbacks=[callback]
    ... ).fit(*load_iris(return_X_y=True))
    >>> callback.study.study_name, len(callback.study.trials)
    ('iris', 10)
    """

    def __init__(self, storage: Any, study_name: str | None = None):
        self.storage = storage
        self.study_name = study_name
        self.study: optuna.Study | None = None

    def _new_record(self) -> Record:
        self.study = None
        return _StudyOfSearch(self)


class _StudyOfSearch(Record):
    """The study that a callback fills while a search runs."""

    def __init__(self, callback: OptunaCallback):
        self._callback = callback

    def begin(self, search: Any) -> None:
        self._translator = TrialTranslator(search.param_distributions)
        storage = self._callback.storage
        for name in self._free_names():
            with suppress(optuna.exceptions.DuplicatedStudyError):  # taken in this instant
                self._study = self._callback.study = new_study(search, storage, name)
                return

    def add(self, progress: Progress) -> None:
        candidate = FinishedCandidate(
            progress.params,
            progress.score,
            progress.status,
            progress.fold_scores,
            progress.seconds,
            ended=datetime.now(),
        )
        self._study.add_trial(self._translator.trial(candidate))

    def end(self, search: Any, error: BaseException | None) -> None:
        reason = search.stop_reason_ if error is None else f"{type(error).__name__}: {error}"
        self._study.set_user_attr("stop_reason", reason)

    def _free_names(self) -> Iterator[str | None]:
        wanted = self._callback.study_name
        taken = set(optuna.get_all_study_names(self._callback.storage))
        numbered = (wanted and f"{wanted} {n}" for n in itertools.count(2))
        return (name for name in itertools.chain([wanted], numbered) if name not in taken)
