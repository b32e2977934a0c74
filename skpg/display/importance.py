"""How much each hyperparameter matters."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from skpg.display.drawing import (
    BLUE,
    GREY,
    SKY,
    legend_above,
    legend_of_panels,
    panels,
    plain,
    tidy,
)
from skpg.display.record import SearchRecord
from skpg.display.scales import Scale, scales_of
from skpg.display.score_critic import ScoreCritic, chosen_rows, prior_actions
from skpg.display.sobol import effects_of
from skpg.display.sources import record_of
from skpg.space.types import FloatArray

# Refits, each on a half of the candidates.
N_REFITS = 20
# Candidates with a score from which on a half is enough for a critic.
LEAST_CANDIDATES = 10


class ImportanceDisplay:
    """The share of each hyperparameter in the differences that a critic expects.

    Make it with :meth:`from_search`. A critic is fitted to the candidates, and asked about draws
    of the user's own distributions. The *main effect* of a hyperparameter is the share of the
    variance of its answers that this hyperparameter explains alone, the *total effect* the
    share that is left when all others are known: their difference is what depends on
    combinations (Sobol indices [1]_, by the estimators of Jansen [2]_ on the samples of
    Saltelli et al. [3]_). Functional ANOVA [4]_ is the same idea with a random forest.

    Parameters
    ----------
    scales : list of Scale
        The hyperparameters, in the order of the space.
    main, total : ndarray of shape (n_refits + 1, n_hyperparameters)
        The first row of all candidates, the others of refits.

    Attributes
    ----------
    names : list of str
        The hyperparameters, the greatest total effect first.
    main, total : ndarray of shape (n_hyperparameters,)
        Shares of the variance, in [0, 1].
    main_interval, total_interval : ndarray of shape (2, n_hyperparameters)
        The 10 % and 90 % quantiles over critics that were each fitted to a random half of the
        candidates. Halves without repetition vary as bootstrap samples do [5]_, and do not tell
        the critic that there is no noise, as copies would.
    figure_ : matplotlib Figure
    ax_ : matplotlib Axes

    Notes
    -----
    The variance is that of tempered scores, half normal scores of the ranks and half robust
    z-scores, so that a few hopeless candidates do not decide it. It depends on the ranges: a
    hyperparameter whose good values fill its range has a small share. Of a list of dicts the
    branch is a hyperparameter too, and those of a branch count where it is drawn.

    References
    ----------
    .. [1] I. M. Sobol', "Global sensitivity indices for nonlinear mathematical models and their
       Monte Carlo estimates", Mathematics and Computers in Simulation 55, 2001.
       doi:10.1016/S0378-4754(00)00270-6
    .. [2] M. J. W. Jansen, "Analysis of variance designs for model output", Computer Physics
       Communications 117, 1999. doi:10.1016/S0010-4655(98)00154-4
    .. [3] A. Saltelli et al., "Variance based sensitivity analysis of model output. Design and
       estimator for the total sensitivity index", Computer Physics Communications 181, 2010.
       doi:10.1016/j.cpc.2009.09.018
    .. [4] F. Hutter, H. Hoos and K. Leyton-Brown, "An Efficient Approach for Assessing
       Hyperparameter Importance", ICML 2014.
    .. [5] J. H. Friedman and P. Hall, "On bagging and nonlinear estimation", Journal of
       Statistical Planning and Inference 137, 2007. doi:10.1016/j.jspi.2006.06.002

    Examples
    --------
    >>> from scipy.stats import loguniform
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.svm import SVC
    >>> from skpg import PolicyGradientSearchCV
    >>> from skpg.display import ImportanceDisplay
    >>> search = PolicyGradientSearchCV(
    ...     SVC(), {"C": loguniform(1e-3, 1e3), "shrinking": [True, False]}, random_state=0
    ... ).fit(*load_iris(return_X_y=True))
    >>> ImportanceDisplay.from_search(search).names
    ['C', 'shrinking']
    """

    def __init__(self, scales: list[Scale], main: FloatArray, total: FloatArray):
        order = np.argsort(-total[0], kind="stable")
        self.scales = [scales[j] for j in order]
        self.names = [scale.name for scale in self.scales]
        self.main, self.total = main[0, order], total[0, order]
        refits = slice(1, None) if len(main) > 1 else slice(None)
        self.main_interval = np.quantile(main[refits][:, order], [0.1, 0.9], axis=0)
        self.total_interval = np.quantile(total[refits][:, order], [0.1, 0.9], axis=0)

    @classmethod
    def from_search(
        cls,
        search: Any,
        *,
        metric: str | None = None,
        param_distributions: Any = None,
        n_refits: int = N_REFITS,
    ) -> ImportanceDisplay:
        """Make the display of a search.

        Parameters
        ----------
        search : fitted search, dict or Recorder
            Of skpg or scikit-learn, what :func:`skpg.load_study` returns, or a
            :class:`Recorder`.
        metric : str, default=None
            Of several metrics the one to show. None is the one that `refit` names, else the
            first.
        param_distributions : dict or list of dicts, default=None
            The space, of a stored study; None is the ranges that its candidates span.
        n_refits : int, default=20
            Critics that the intervals come from; 0 draws none.

        Returns
        -------
        ImportanceDisplay

        Raises
        ------
        NotFittedError, TypeError
            If `search` cannot be shown.
        ValueError
            As well, or if fewer than 10 candidates have a score.
        """
        record = record_of(search, metric=metric, param_distributions=param_distributions)
        known = int(np.isfinite(record.estimates).sum())
        if known < LEAST_CANDIDATES:
            raise ValueError(
                f"importance needs at least {LEAST_CANDIDATES} candidates with a score, "
                f"got {known}."
            )
        scales = scales_of(record)
        effects = np.array(list(_effects(record, n_refits)))[:, :, [s.column for s in scales]]
        return cls(scales, effects[:, 0], effects[:, 1])

    @property
    def figsize(self) -> tuple[float, float]:
        """Width and height in inches that a figure needs."""
        return 6.5, 0.42 * len(self.names) + 1.2

    def plot(self, ax: Any = None) -> ImportanceDisplay:
        """Draw the display.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            None makes a figure.

        Returns
        -------
        ImportanceDisplay

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        """
        whole_figure = ax is None
        self.figure_, axes = panels("ImportanceDisplay.plot", ax, 1, self.figsize)
        self.ax_ = ax = axes[0]
        y = np.arange(len(self.names), dtype=float)
        bars = (
            (self.main, self.main_interval, BLUE, y - 0.19, "alone (main effect)"),
            (self.total, self.total_interval, SKY, y + 0.19, "with all others (total effect)"),
        )
        for share, interval, colour, place, label in bars:
            ax.barh(place, share, height=0.36, color=colour, label=label, zorder=2)
            ax.hlines(place, *interval, color=GREY, lw=1.6, zorder=3)
        ax.plot([], [], color=GREY, lw=1.6, label="80 % of refits")
        ax.set_yticks(y, [plain(scale.title.replace("\n", " ")) for scale in self.scales])
        ax.tick_params(axis="y", length=0)
        ax.set_ylim(len(y) - 0.45, -0.55)
        ax.set_xlim(0, 1)
        ax.set_xlabel("share of the variance that a critic expects")
        tidy(ax, "x")
        if whole_figure:
            legend_of_panels(self.figure_, axes)
        else:
            legend_above(ax)
        return self


def most_important(critic: ScoreCritic, scales: list[Scale], n: int) -> list[Scale]:
    """Return the `n` hyperparameters with the greatest total effects, in their order."""
    total = _effects_of(critic)[1][[scale.column for scale in scales]]
    return [scales[k] for k in np.sort(np.argsort(-total, kind="stable")[:n])]


def _effects(record: SearchRecord, n_refits: int) -> Iterator[tuple[FloatArray, FloatArray]]:
    """Yield main and total effects: of all candidates, then of random halves."""
    rows, rng = chosen_rows(record), np.random.default_rng(0)
    critic = ScoreCritic.of(record, rows)
    start = critic.critic.theta
    yield _effects_of(critic)
    for _ in range(n_refits):
        half = np.sort(rng.choice(rows, -(-len(rows) // 2), replace=False))
        if np.isfinite(record.estimates[half]).any():
            yield _effects_of(ScoreCritic.of(record, half, start))


def _effects_of(critic: ScoreCritic) -> tuple[FloatArray, FloatArray]:
    def expected(uniform: FloatArray) -> FloatArray:
        return critic.predict(prior_actions(critic.space, uniform))[0]

    return effects_of(expected, len(critic.space.dimensions))
