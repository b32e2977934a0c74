"""How many folds each candidate was given."""

from __future__ import annotations

from typing import Any

import numpy as np

from skpg.display.drawing import (
    BLUE,
    ORANGE,
    SKY,
    boxes,
    legend_above,
    panels,
    tidy,
    whole_numbers,
)
from skpg.display.record import SearchRecord
from skpg.display.sources import record_of


class RacingDisplay:
    """The number of folds that were run of each candidate.

    Make it with :meth:`from_search`. What is blank above a bar is what racing saved. A search
    without racing has bars of full height.

    Parameters
    ----------
    record : SearchRecord

    Attributes
    ----------
    n_folds_run : ndarray of int of shape (n_candidates,)
    statuses : ndarray of str of shape (n_candidates,)
        ``"complete"``, ``"failed"`` or ``"raced"``.
    n_folds : int
        Number of folds.
    n_saved : int
        Number of fits that were left out.
    figure_ : matplotlib Figure
    ax_ : matplotlib Axes

    Examples
    --------
    >>> from scipy.stats import loguniform
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.svm import SVC
    >>> from skpg import PolicyGradientSearchCV
    >>> from skpg.display import RacingDisplay
    >>> search = PolicyGradientSearchCV(
    ...     SVC(), {"C": loguniform(1e-3, 1e3)}, n_iter=20, racing=True, random_state=0
    ... ).fit(*load_iris(return_X_y=True))
    >>> display = RacingDisplay.from_search(search)
    >>> display.n_saved == 20 * 5 - search.n_fits_
    True
    """

    def __init__(self, record: SearchRecord):
        self.n_folds_run, self.statuses, self.n_folds = (
            record.n_fits,
            record.statuses,
            record.n_folds,
        )
        self.n_saved = int(len(record) * record.n_folds - record.n_fits.sum())

    @classmethod
    def from_search(
        cls, search: Any, *, metric: str | None = None, param_distributions: Any = None
    ) -> RacingDisplay:
        """Make the display of a search.

        Parameters
        ----------
        search : fitted search, dict or Recorder
            Of skpg or scikit-learn, what :func:`skpg.load_study` returns, or a
            :class:`Recorder`.
        metric : str, default=None
            Of several metrics the one whose failures are shown.
        param_distributions : dict or list of dicts, default=None
            Has no effect here; all displays take it.

        Returns
        -------
        RacingDisplay

        Raises
        ------
        NotFittedError, TypeError, ValueError
            If `search` cannot be shown.
        """
        return cls(record_of(search, metric=metric, param_distributions=param_distributions))

    def plot(self, ax: Any = None) -> RacingDisplay:
        """Draw the display.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            None makes a figure.

        Returns
        -------
        RacingDisplay

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        """
        self.figure_, axes = panels("RacingDisplay.plot", ax, 1, (7.0, 2.8))
        self.ax_ = ax = axes[0]
        numbers = np.arange(1, len(self.n_folds_run) + 1)
        gap = 0.1 if len(numbers) <= 200 else 0.0
        for status, label, colour in (
            ("complete", "all folds", BLUE),
            ("raced", "lost the race", SKY),
            ("failed", "failed", ORANGE),
        ):
            rows = self.statuses == status
            if rows.any():
                left, top = numbers[rows] - 0.5, self.n_folds_run[rows]
                style = {"facecolor": colour, "edgecolor": "none", "label": label}
                boxes(ax, left + gap / 2, left + 1 - gap / 2, 0.0 * top, 1.0 * top, **style)
        ax.set_xlim(0.5, len(numbers) + 0.5)
        ax.set_ylim(0, self.n_folds * 1.04)
        whole_numbers(ax.xaxis)
        whole_numbers(ax.yaxis, 6)
        ax.set_xlabel("candidates")
        ax.set_ylabel("folds that were run")
        total = len(numbers) * self.n_folds
        ax.set_title(
            f"{total - self.n_saved:,} of {total:,} fits run", loc="right", fontsize="small"
        )
        tidy(ax)
        legend_above(ax)
        return self
