"""A callback that keeps what displays need, so that they can be drawn while a search runs."""

from __future__ import annotations

from typing import Any

import numpy as np

from skpg.display.record import SearchRecord
from skpg.evaluation.stopping import Progress
from skpg.space.space import Space


class Recorder:
    """A callback of a search that displays take in place of the search, while it runs.

    Attributes
    ----------
    progress : list
        What the callback received, a candidate each.

    Notes
    -----
    Candidates appear in the order in which the search tells of them. With
    ``PolicyGradientSearchCV(storage=...)`` no recorder is needed: displays take what
    :func:`skpg.load_study` returns, in this process or another.

    Examples
    --------
    >>> from scipy.stats import loguniform
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.svm import SVC
    >>> from skpg import PolicyGradientSearchCV
    >>> from skpg.display import ConvergenceDisplay, Recorder
    >>> recorder = Recorder()
    >>> def every_tenth(progress):
    ...     if progress.n_candidates % 10 == 0:
    ...         display = ConvergenceDisplay.from_search(recorder, random_search=False)
    ...         print(len(display.scores), display.best_so_far[-1] == progress.best_score)
    >>> search = PolicyGradientSearchCV(
    ...     SVC(), {"C": loguniform(1e-3, 1e3)}, n_iter=20, callbacks=[recorder, every_tenth]
    ... ).fit(*load_iris(return_X_y=True))
    10 True
    20 True
    """

    def __init__(self) -> None:
        self.progress: list[Progress] = []
        self._distributions: Any = None
        self._metric = "score"

    def on_search_begin(self, search: Any) -> None:
        """Forget an earlier search."""
        self.progress = []
        self._distributions = search.param_distributions
        named = (name for name in (search.refit, search.scoring) if isinstance(name, str))
        self._metric = next(named, "score")

    def __call__(self, progress: Progress) -> None:
        """Keep a candidate."""
        self.progress.append(progress)

    def to_record(self) -> SearchRecord:
        """Return the candidates so far.

        Raises
        ------
        ValueError
            If there are none yet.
        """
        if self._distributions is None or not self.progress:
            raise ValueError("the recorder has seen no candidate of a search yet.")
        seen = list(self.progress)  # the search may go on in another thread
        folds = np.array([progress.fold_scores for progress in seen])
        statuses = np.array([progress.status for progress in seen])
        n_run = np.isfinite(folds).sum(axis=1)
        return SearchRecord(
            space=Space(self._distributions),
            params=tuple(dict(progress.params) for progress in seen),
            fold_scores=folds,
            statuses=statuses,
            n_fits=np.where(statuses == "raced", n_run, folds.shape[1]),
            seconds=np.array([progress.seconds for progress in seen]),
            updates=np.arange(len(seen)),
            metric=self._metric,
        )
