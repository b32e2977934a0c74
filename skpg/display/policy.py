"""What the policy learned, and when."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy.special import ndtri

from skpg.display.drawing import (
    BLUE,
    GREY,
    SKY,
    dot_size,
    grid_size,
    legend_of_panels,
    mark_best,
    mark_failures,
    panels,
    plain,
    set_scale,
    shades,
    tidy,
    whole_numbers,
)
from skpg.display.record import SearchRecord
from skpg.display.replay import replayed_thetas
from skpg.display.scales import Scale, scales_of
from skpg.display.sources import record_of
from skpg.learners.base import Learner
from skpg.policy.actors import CategoricalActor, GaussianActor
from skpg.policy.policy import Policy
from skpg.space.types import FloatArray

# Quantiles of a fan: the median between pairs that enclose 50 %, 80 % and 98 %.
PROBABILITIES = (0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 0.99)
# Choices of a list that have a band of their own; the least probable share one.
MOST_BANDS = 8
# Updates that are drawn at most.
MOST_UPDATES = 400


class PolicyDisplay:
    """What the policy would have drawn after each update, one panel per hyperparameter.

    Make it with :meth:`from_search`. Of a distribution a fan shows the median and the central
    50 %, 80 % and 98 %, in the user's units; of a list the height of a band is the probability
    of a choice. Dots are the candidates; the star is the best one.

    Parameters
    ----------
    record : SearchRecord
    scales : list of Scale
        The hyperparameters that are shown.
    thetas : ndarray of shape (n_updates, n_theta)
    n_seen : ndarray of int of shape (n_updates,)
    is_replayed : bool

    Attributes
    ----------
    n_candidates : ndarray of int of shape (n_updates + 1,)
        Candidates that the policy had learned from: 0, then after each update.
    quantiles : dict of int to ndarray of shape (n_updates + 1, 7)
        For the column in the space of each distribution, the values at the probabilities .01,
        .1, .25, .5, .75, .9 and .99.
    probabilities : dict of int to ndarray of shape (n_updates + 1, n_choices)
        For the column of each list, in the order of its choices.
    is_replayed : bool
        Whether the policies are not those of the search, but learned again from its scores.
    figure_ : matplotlib Figure
    axes_ : ndarray of matplotlib Axes

    Examples
    --------
    >>> from scipy.stats import loguniform
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.svm import SVC
    >>> from skpg import PolicyGradientSearchCV
    >>> from skpg.display import PolicyDisplay
    >>> search = PolicyGradientSearchCV(
    ...     SVC(), {"C": loguniform(1e-3, 1e3)}, n_iter=20, random_state=0
    ... ).fit(*load_iris(return_X_y=True))
    >>> display = PolicyDisplay.from_search(search)
    >>> display.quantiles[0][0].round(3).tolist()  # before the first candidate: the user's own
    [0.001, 0.004, 0.032, 1.0, 31.623, 251.189, 870.964]
    >>> display.plot()  # doctest: +SKIP
    """

    def __init__(
        self,
        record: SearchRecord,
        scales: Sequence[Scale],
        thetas: FloatArray,
        *,
        is_replayed: bool = False,
    ):
        self.record, self.scales, self.is_replayed = record, list(scales), is_replayed
        prior = Policy.prior(record.space)
        seen = np.searchsorted(record.updates, np.arange(len(thetas)), side="right")
        rows = np.arange(len(thetas))
        if len(rows) > MOST_UPDATES:
            rows = np.unique(np.linspace(0, len(rows) - 1, MOST_UPDATES).astype(int))
        self.n_candidates = np.concatenate([[0], seen[rows]])
        policies = [prior, *(prior.with_theta(thetas[row]) for row in rows)]
        self.quantiles = {s.column: _quantiles(policies, s) for s in scales if not s.is_list}
        self.probabilities = {
            s.column: _probabilities(policies, s.column) for s in scales if s.is_list
        }

    @classmethod
    def from_search(
        cls,
        search: Any,
        *,
        params: Sequence[str] | None = None,
        metric: str | None = None,
        param_distributions: Any = None,
        learner: Learner | None = None,
    ) -> PolicyDisplay:
        """Make the display of a search.

        Parameters
        ----------
        search : PolicyGradientSearchCV, dict or Recorder
            Fitted, or what :func:`skpg.load_study` returns, or a :class:`Recorder`.
        params : list of str, default=None
            The hyperparameters to show; None is all that have more than one value.
        metric : str, default=None
            Of several metrics the one to show. None is the one that `refit` names, else the
            first.
        param_distributions : dict or list of dicts, default=None
            The space, of a stored study; None is the ranges that its candidates span.
        learner : Learner, default=None
            The one that the policy of a stored or running search is learned with again, which
            does not keep it: from all scores so far, in at most 100 updates. None is
            ``ActorCritic()``. The result is similar to the policy of the search, not equal.

        Returns
        -------
        PolicyDisplay

        Raises
        ------
        NotFittedError, TypeError, ValueError
            If `search` cannot be shown, or has no policy, as the searches of scikit-learn.
        """
        if hasattr(search, "cv_results_") and not hasattr(search, "policy_"):
            raise TypeError(f"{type(search).__name__} has no policy.")
        record = record_of(search, metric=metric, param_distributions=param_distributions)
        scales = scales_of(record, params)
        if record.thetas is not None:
            return cls(record, scales, record.thetas)
        record, thetas = replayed_thetas(record, learner)
        return cls(record, scales, thetas, is_replayed=True)

    @property
    def figsize(self) -> tuple[float, float]:
        """Width and height in inches that a figure of all panels needs."""
        return grid_size(len(self.scales), 3, (2.9, 2.2))

    def plot(self, ax: Any = None) -> PolicyDisplay:
        """Draw the display.

        Parameters
        ----------
        ax : matplotlib Axes or array of them, default=None
            One is divided into as many as there are hyperparameters; None makes a figure.

        Returns
        -------
        PolicyDisplay

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        """
        n = len(self.scales)
        self.figure_, self.axes_ = panels("PolicyDisplay.plot", ax, n, self.figsize, 3)
        for panel, scale in zip(self.axes_, self.scales, strict=True):
            if scale.is_list:
                self._plot_list(panel, scale)
            else:
                self._plot_distribution(panel, scale)
            panel.set_title(plain(scale.title), fontsize="medium", loc="left")
            panel.set_xlim(0, max(len(self.record), 1) * 1.02)
            whole_numbers(panel.xaxis, 5)
            panel.set_xlabel("candidates", fontsize="small")
            panel.tick_params(labelsize="small")
        if ax is None:
            legend_of_panels(self.figure_, self.axes_)
        return self

    def _plot_distribution(self, ax: Any, scale: Scale) -> None:
        tidy(ax)
        set_scale(ax, scale, "y", titled=False)
        fan, n = self.quantiles[scale.column], self.n_candidates
        of = " of the policy learned again" if self.is_replayed else " of the policy"
        for k, share, alpha in ((0, "98 %", 0.22), (1, "80 %", 0.3), (2, "50 %", 0.4)):
            style = {"color": SKY, "alpha": alpha, "lw": 0, "label": f"central {share}"}
            ax.fill_between(n, fan[:, k], fan[:, -1 - k], step="post", **style)
        ax.step(n, fan[:, 3], where="post", color=BLUE, lw=1.5, label=f"median{of}")
        self._plot_candidates(ax, self.record.resolved[:, scale.column])

    def _plot_list(self, ax: Any, scale: Scale) -> None:
        assert scale.order is not None
        shares = self.probabilities[scale.column][:, scale.order]
        bands = _bands(shares, scale)
        labels = ["others" if len(members) > 1 else scale.labels[members[0]] for members in bands]
        heights = np.array([shares[:, members].sum(axis=1) for members in bands])
        tops = np.cumsum(heights, axis=0)
        colours = shades(len(bands))
        for height, top, colour in zip(heights, tops, colours, strict=True):
            style = {"color": colour, "lw": 0, "step": "post"}
            ax.fill_between(self.n_candidates, top - height, top, **style)
            ax.step(self.n_candidates, top, where="post", color="white", lw=0.6)
        ax.set_yticks(tops[:, 0] - heights[:, 0] / 2, [plain(text) for text in labels])
        ax.tick_params(axis="y", length=0)
        ax.set_ylim(0, 1)
        for spine in ax.spines.values():
            spine.set_visible(False)
        band_of = {place: k for k, members in enumerate(bands) for place in members}
        self._plot_candidates(ax, self._centres(scale, heights, tops, band_of))

    def _centres(
        self, scale: Scale, heights: FloatArray, tops: FloatArray, band_of: dict[int, int]
    ) -> FloatArray:
        """Return the middle of the band that each candidate was drawn from."""
        places = scale.positions(self.record.resolved[:, scale.column])
        # the policy before a candidate has learned from the ones before it
        numbers = np.arange(len(self.record))
        rows = np.searchsorted(self.n_candidates, numbers, side="right") - 1
        bands = np.array([band_of.get(int(p), 0) if p == p else 0 for p in places])
        centres = tops[bands, rows] - heights[bands, rows] / 2
        return np.where(np.isnan(places), np.nan, centres)

    def _plot_candidates(self, ax: Any, heights: FloatArray) -> None:
        record, numbers = self.record, np.arange(1, len(self.record) + 1)
        shown = ~np.isnan(heights) & ~record.failed
        style: dict[str, Any] = {"s": dot_size(len(record)), "lw": 0.4, "zorder": 3}
        ax.scatter(
            numbers[shown], heights[shown], color=GREY, edgecolors="white", label="candidate",
            rasterized=len(record) > 2000, **style,
        )  # fmt: skip
        mark_failures(ax, numbers[record.failed & ~np.isnan(heights)])
        if record.best is not None and not np.isnan(heights[record.best]):
            mark_best(ax, numbers[record.best], heights[record.best])


def _quantiles(policies: Sequence[Policy], scale: Scale) -> FloatArray:
    """Return the values at `PROBABILITIES` of each policy."""
    z = ndtri(np.array(PROBABILITIES))
    rows = []
    for policy in policies:
        actor = policy.actors[scale.column]
        assert isinstance(actor, GaussianActor)
        rows.append(actor.mu + actor.sigma * z)
    actions = np.array(rows)
    return scale.dimension.resolve(actions.ravel()).reshape(actions.shape)


def _probabilities(policies: Sequence[Policy], column: int) -> FloatArray:
    rows = []
    for policy in policies:
        actor = policy.actors[column]
        assert isinstance(actor, CategoricalActor)
        rows.append(actor.probabilities)
    return np.array(rows)


def _bands(shares: FloatArray, scale: Scale) -> list[list[int]]:
    """Return the places of the choices of each band: one each, or the rarest together."""
    n = shares.shape[1]
    if n <= MOST_BANDS:
        return [[place] for place in range(n)]
    common = np.sort(np.argsort(-shares.max(axis=0), kind="stable")[: MOST_BANDS - 1])
    return [*([int(place)] for place in common), [p for p in range(n) if p not in common]]
