"""The figures of a report, as SVG in the colours of the page."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from skpg.display import (
    ConvergenceDisplay,
    ImportanceDisplay,
    PairsDisplay,
    ParallelCoordinatesDisplay,
    PolicyDisplay,
    RacingDisplay,
    SlicesDisplay,
    TimelineDisplay,
)
from skpg.reporting.facts import Facts

# A colour that no display uses: it stands for that of the text.
TEXT_COLOUR = "#0a0b0c"
# Text stays text, and the same search has the same figures.
TEXT: dict[Any, Any] = {"svg.fonttype": "none", "svg.hashsalt": "skpg"}
COLOURS: dict[Any, Any] = {
    **dict.fromkeys(
        ("text.color", "axes.labelcolor", "axes.edgecolor", "xtick.color", "ytick.color"),
        TEXT_COLOUR,
    ),
    "axes.facecolor": "none",
    "figure.facecolor": "none",
}
# Candidates from which on their marks are pixels, since each of them is a shape otherwise.
MOST_SHAPES = 250
PIXELS_PER_INCH = 105
# Width of a page's figure per inch, at most, and at least: a narrow page scrolls it.
PIXELS_ON_PAGE, LEAST_PIXELS = 110, 68
USUAL_SIZE = (8.0, 3.6)
# Candidates with a score that a critic needs to say something.
LEAST_FOR_CRITIC = 10


@dataclass(frozen=True)
class ReportFigure:
    """A figure of a report.

    Attributes
    ----------
    title, caption : str
        Plain text.
    svg : str
    """

    title: str
    caption: str
    svg: str


def figures_of(facts: Facts) -> list[ReportFigure]:
    """Draw what there is to see of a search.

    Raises
    ------
    ImportError
        If matplotlib is not installed.
    """
    return [
        ReportFigure(title, caption, svg_of(display, number, n=len(facts.record)))
        for number, (title, caption, display) in enumerate(_displays(facts))
    ]


def _displays(facts: Facts) -> Iterator[tuple[str, str, Any]]:
    record = facts.record
    known = int(np.isfinite(record.estimates).sum())
    # the candidates of a random search are what would be estimated, those of a grid no draws
    compared = known >= LEAST_FOR_CRITIC and not (facts.estimator is not None and not facts.policy)
    n_varied = sum(dimension.size > 1 for dimension in record.space.dimensions)
    if known:
        yield (
            "Convergence",
            "Each dot is a candidate, the line the best score so far. The dashed line and "
            "its band are what random search is expected to find with as many candidates: "
            "estimated, not measured.",
            ConvergenceDisplay.from_search(record, random_search=compared),
        )
    if record.thetas is not None and len(record.thetas):
        yield (
            "What the policy learned",
            "What the policy would have drawn after each update: of a distribution the median "
            "and the central 50, 80 and 98\u00a0%, of a list the probability of each choice.",
            PolicyDisplay.from_search(record),
        )
    if known >= LEAST_FOR_CRITIC and n_varied:
        yield from _of_critic(record, n_varied)
    if record.raced.any():
        yield (
            "Racing",
            "How many folds each candidate was given before it was clear that it could not win.",
            RacingDisplay.from_search(record),
        )
    log = record.fit_log
    if log is not None and np.isfinite(log.begins).any():
        yield (
            "Timeline",
            "Which worker ran which fit when; gaps are time in which it waited.",
            TimelineDisplay.from_search(record),
        )


def _of_critic(record: Any, n_varied: int) -> Iterator[tuple[str, str, Any]]:
    yield (
        "Importance",
        "How much of the differences between scores each hyperparameter explains, by a model of "
        "the scores; a grey line is the interval over models of halves of the candidates.",
        ImportanceDisplay.from_search(record),
    )
    yield (
        "Score against each hyperparameter",
        "Each dot is a candidate. The line and its band are what a model of the scores expects if "
        "one hyperparameter of the best candidate changes. Dotted lines are the ends of the range.",
        SlicesDisplay.from_search(record),
    )
    if n_varied > 1:
        yield (
            "Pairs",
            "What the same model expects over two hyperparameters, of those that matter most.",
            PairsDisplay.from_search(record),
        )
        yield (
            "Parallel coordinates",
            "Each line is a candidate; its colour is its score, the thick line is the best one.",
            ParallelCoordinatesDisplay.from_search(record),
        )


def svg_of(display: Any, number: int, *, n: int) -> str:
    """Draw a display as SVG whose text has the colour of the text around it.

    Parameters
    ----------
    display : object
        With ``plot(ax=...)`` and perhaps ``figsize``.
    number : int
        Different for each figure of a page.
    n : int
        Number of candidates.
    """
    import matplotlib
    from matplotlib.figure import Figure

    with matplotlib.rc_context(TEXT | COLOURS):
        figure = Figure(figsize=getattr(display, "figsize", USUAL_SIZE), layout="constrained")
        display.plot(ax=figure.add_subplot())
        if n > MOST_SHAPES:
            _rasterize(figure)
        return _to_svg(figure, f"f{number}")


def _rasterize(figure: Any) -> None:
    """Let marks and lines of candidates be pixels; text and axes stay as they are."""
    for ax in figure.axes:
        for artist in (*ax.collections, *ax.images, *ax.patches):
            artist.set_rasterized(True)


def _to_svg(figure: Any, prefix: str) -> str:
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", dpi=PIXELS_PER_INCH, metadata={"Date": None})
    svg = buffer.getvalue()
    width = figure.get_figwidth()
    style = f"max-width:{PIXELS_ON_PAGE * width:.0f}px;min-width:{LEAST_PIXELS * width:.0f}px"
    svg = f'<svg style="{style}"' + svg[svg.index("<svg") + 4 :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    # names are those of one document, and several figures are in it
    svg = re.sub(r'\bid="([^"]+)"', rf'id="{prefix}-\1"', svg)
    svg = re.sub(r'(xlink:href="#|url\(#)', rf"\1{prefix}-", svg)
    return svg.replace(TEXT_COLOUR, "currentColor").strip()
