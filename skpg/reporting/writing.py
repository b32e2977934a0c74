"""Reports on searches, as files."""

from __future__ import annotations

import os
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from skpg.reporting.facts import facts_of
from skpg.reporting.figures import figures_of
from skpg.reporting.page import page
from skpg.reporting.verdict import verdict_of

WITHOUT_MATPLOTLIB = (
    "The figures need matplotlib: install it with `pip install matplotlib`, and write the report "
    "again."
)


def report(
    study: Any,
    path: str | os.PathLike[str] = "report.html",
    *,
    metric: str | None = None,
    param_distributions: Any = None,
) -> Path:
    """Write a report on a search: one HTML file with a verdict, figures and all candidates.

    The file works offline, on paper, and in light and dark. It says in words what the best
    hyperparameters are and how they scored, against the estimator as it was, how sure the policy
    is, what racing saved, why the search stopped and what to do next; it has the figures of
    :mod:`skpg.display`, a table of candidates that sorts and filters, and the winner in code.

    Parameters
    ----------
    study : fitted search, dict or Recorder
        A `PolicyGradientSearchCV` or a search of scikit-learn that is fitted, what
        :func:`load_study` returns, or a :class:`skpg.display.Recorder` of a search that runs.
    path : str or path-like, default="report.html"
        The file to write. One of this name is replaced.
    metric : str, default=None
        Of several metrics the one to report on. None is the one that `refit` names, else the
        first.
    param_distributions : dict or list of dicts, default=None
        The space of a stored study, which :func:`load_study` is to be given as well where choices
        are objects. Without it ranges are those that its candidates span, and nothing is said
        about their ends.

    Returns
    -------
    pathlib.Path
        The file.

    Raises
    ------
    NotFittedError
        If `study` is a search that is not fitted.
    TypeError, ValueError
        If `study` is nothing of the above, has no such metric, or no candidates yet.

    Notes
    -----
    Without matplotlib the report has no figures, and says so.

    Examples
    --------
    >>> import skpg
    >>> skpg.report(skpg.load_study("search.db"), "report.html")  # doctest: +SKIP
    """
    facts = facts_of(study, metric=metric, param_distributions=param_distributions)
    drawn = find_spec("matplotlib") is not None
    figures = figures_of(facts) if drawn else []
    note = "" if drawn else WITHOUT_MATPLOTLIB
    target = Path(path)
    target.write_text(page(facts, verdict_of(facts), figures, note), encoding="utf-8")
    return target
