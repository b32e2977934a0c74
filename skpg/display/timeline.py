"""Which worker ran what when."""

from __future__ import annotations

from typing import Any

import numpy as np

from skpg.display.drawing import (
    AMBER,
    BLUE,
    ORANGE,
    SKY,
    boxes,
    legend_above,
    panels,
    plain,
    tidy,
)
from skpg.display.record import SearchRecord
from skpg.display.sources import record_of

# Workers of which each has its name on the axis; of more only some have.
MOST_NAMES = 16


class TimelineDisplay:
    """The fits of a search as bars, in a row for each worker.

    Make it with :meth:`from_search`. Gaps are what workers waited: for other candidates of a
    batch, for the next proposal, or for data.

    Parameters
    ----------
    record : SearchRecord
        With a log of its fits.

    Attributes
    ----------
    candidates, folds : ndarray of int of shape (n_fits,)
        Of the fits whose times are known.
    begins, ends : ndarray of shape (n_fits,)
        Seconds since the first one began.
    workers : ndarray of int of shape (n_fits,)
        Position in `worker_names`.
    worker_names : list of str
        Computer, process and thread, in the order of their first fits.
    busy : float
        Share of the time of all workers, from the first fit to the end of the last one, in which
        they ran fits.
    n_unknown : int
        Fits whose times are not known: read from a storage, or killed.
    figure_ : matplotlib Figure
    ax_ : matplotlib Axes

    Examples
    --------
    >>> from scipy.stats import loguniform
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.svm import SVC
    >>> from skpg import PolicyGradientSearchCV
    >>> from skpg.display import TimelineDisplay
    >>> search = PolicyGradientSearchCV(
    ...     SVC(), {"C": loguniform(1e-3, 1e3)}, n_iter=10, random_state=0
    ... ).fit(*load_iris(return_X_y=True))
    >>> display = TimelineDisplay.from_search(search)
    >>> len(display.begins), len(display.worker_names)
    (50, 1)
    """

    def __init__(self, record: SearchRecord):
        log = record.fit_log
        if log is None or np.isnan(log.begins).all():
            raise ValueError(
                "a timeline needs a fitted PolicyGradientSearchCV that ran its fits itself: "
                "storages and other searches do not keep when fits began."
            )
        known = np.flatnonzero(~np.isnan(log.begins))
        known = known[np.argsort(log.begins[known], kind="stable")]
        self.candidates, self.folds = log.candidates[known], log.folds[known]
        self.begins = log.begins[known] - log.begins[known[0]]
        self.ends = self.begins + log.seconds[known]
        names = [log.workers[k] for k in known]
        self.worker_names = list(dict.fromkeys(names))
        self.workers = np.array([self.worker_names.index(name) for name in names])
        span = float(self.ends.max()) * len(self.worker_names)
        self.busy = float((self.ends - self.begins).sum() / span) if span > 0 else 1.0
        self.n_unknown = len(log.begins) - len(known)
        self.statuses, self.best = record.statuses[self.candidates], record.best

    @classmethod
    def from_search(
        cls, search: Any, *, metric: str | None = None, param_distributions: Any = None
    ) -> TimelineDisplay:
        """Make the display of a search.

        Parameters
        ----------
        search : PolicyGradientSearchCV
            Fitted. Of a search that was continued from a storage, the fits of this run.
        metric : str, default=None
            Of several metrics the one whose best candidate is shown.
        param_distributions : dict or list of dicts, default=None
            Has no effect here; all displays take it.

        Returns
        -------
        TimelineDisplay

        Raises
        ------
        NotFittedError, TypeError
            If `search` cannot be shown.
        ValueError
            As well, or if it is not known when any of its fits began.
        """
        return cls(record_of(search, metric=metric, param_distributions=param_distributions))

    @property
    def figsize(self) -> tuple[float, float]:
        """Width and height in inches that a figure needs."""
        return 8.0, float(np.clip(0.3 * len(self.worker_names) + 1.4, 1.8, 8.0))

    def plot(self, ax: Any = None) -> TimelineDisplay:
        """Draw the display.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            None makes a figure.

        Returns
        -------
        TimelineDisplay

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        """
        self.figure_, axes = panels("TimelineDisplay.plot", ax, 1, self.figsize)
        self.ax_ = ax = axes[0]
        best = self.candidates == self.best
        # an outline would be wider than a short fit
        edge = "white" if np.median(self.ends - self.begins) > self.ends.max() / 500 else "none"
        for rows, label, colour in (
            ((self.statuses == "complete") & ~best, "complete", BLUE),
            ((self.statuses == "raced") & ~best, "lost the race", SKY),
            ((self.statuses == "failed") & ~best, "failed", ORANGE),
            (best, "best", AMBER),
        ):
            if rows.any():
                place = self.workers[rows].astype(float)
                ends = self.begins[rows], self.ends[rows], place - 0.38, place + 0.38
                boxes(ax, *ends, facecolor=colour, edgecolor=edge, lw=0.3, label=label)
        n = len(self.worker_names)
        places = np.arange(0, n, -(-n // MOST_NAMES))
        ax.set_yticks(places, [plain(text) for text in _short(self.worker_names, places)])
        ax.set_ylim(n - 0.4, -0.6)
        end = float(self.ends.max()) or 1.0
        ax.set_xlim(-0.01 * end, 1.01 * end)
        ax.set_xlabel("seconds since the first fit began")
        ax.set_title(
            f"workers busy {self.busy:.0%}".replace("%", " %"), loc="right", fontsize="small"
        )
        tidy(ax, "x")
        ax.tick_params(axis="y", length=0, labelsize="small")
        legend_above(ax)
        return self


def _short(names: list[str], places: Any) -> list[str]:
    """Return the names of workers without what all have in common."""
    parts = np.array([name.split("/") for name in names])
    differ = [len(set(column)) > 1 for column in parts.T]
    differ[1] |= not any(differ)
    if differ[1]:  # the number of the process tells the number of its only thread
        threads = {tuple(row) for row in parts[:, 1:]}
        differ[2] = len(threads) > len({row[0] for row in threads})
    return ["/".join(parts[k, differ]) for k in places]
