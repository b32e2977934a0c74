"""What all displays draw with; matplotlib is imported when the first one is drawn."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from skpg.display.scales import Scale
from skpg.space.types import FloatArray

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Colours that people with colour blindness can tell apart (Okabe and Ito 2008), in an order in
# which neighbours differ in lightness; each is legible on white and on black.
BLUE, ORANGE, GREEN, PURPLE, SKY, AMBER, GREY = (
    "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#8A8A8A",
)  # fmt: skip
COLOURS = (BLUE, ORANGE, GREEN, PURPLE, SKY, AMBER)
# Ticks of a list at most; of longer ones some have no label.
MOST_TICKS = 16
# Inches that an entry of a legend takes, beside each of its characters.
LEGEND_HANDLE, LEGEND_CHARACTER = 0.45, 0.065


def check_matplotlib(caller: str) -> None:
    """Raise an ImportError that says how to install matplotlib, where it is missing."""
    try:
        import matplotlib  # noqa: F401
    except ImportError as error:
        raise ImportError(
            f"{caller} needs matplotlib. Install it with `pip install matplotlib`."
        ) from error


def panels(
    caller: str, ax: Any, n: int, figsize: tuple[float, float], n_columns: int = 4, **shared: Any
) -> tuple[Figure, NDArray[Any]]:
    """Return a figure, and `n` axes in rows of at most `n_columns`.

    Parameters
    ----------
    caller : str
        Of the message if matplotlib is missing.
    ax : Axes, array-like of Axes, or None
        One is divided, of an array all are used; None makes a figure.
    n : int
    figsize : tuple of float
        Inches of a new figure.
    n_columns : int, default=4
    **shared : bool or str
        `sharex` and `sharey`, as `Figure.subplots` has them.

    Raises
    ------
    ImportError
        If matplotlib is missing.
    ValueError
        If there are not as many axes as panels.
    """
    check_matplotlib(caller)
    if ax is not None and np.size(ax) > 1:
        axes = np.ravel(np.asarray(ax, dtype=object))
        if len(axes) != n:
            raise ValueError(f"ax must be one Axes or an array of {n}, got {len(axes)}.")
        return axes[0].figure, axes
    if ax is None:
        import matplotlib.pyplot as plt

        figure, place = plt.figure(figsize=figsize, layout="constrained"), None
    else:
        ax = np.ravel(np.asarray(ax, dtype=object))[0]
        figure, place = ax.figure, ax.get_subplotspec()
        if n == 1:
            return figure, np.array([ax], dtype=object)
        if place is None:
            raise ValueError("ax must be a subplot, as Figure.subplots makes it, to be divided.")
        ax.set_axis_off()
    columns = min(n, n_columns)
    rows = -(-n // columns)
    grid = figure.add_gridspec(rows, columns) if place is None else place.subgridspec(rows, columns)
    axes = grid.subplots(squeeze=False, **shared).ravel()
    for unused in axes[n:]:
        unused.remove()
    return figure, axes[:n]


def grid_size(
    n: int,
    n_columns: int,
    panel: tuple[float, float],
    margin: tuple[float, float] = (0.4, 0.4),
) -> tuple[float, float]:
    """Return width and height in inches of `n` panels, in rows of at most `n_columns`."""
    columns = min(n, n_columns)
    rows = -(-n // columns)
    return panel[0] * columns + margin[0], panel[1] * rows + margin[1]


def plain(text: str) -> str:
    """Return a text in which dollars do not begin mathematics."""
    return text.replace("$", r"\$")


def tidy(ax: Axes, grid: str = "y") -> None:
    """Give axes the common look."""
    ax.spines[["top", "right"]].set_visible(False)
    ax.grid(axis=grid, color=GREY, alpha=0.25, linewidth=0.6)  # type: ignore[arg-type]
    ax.set_axisbelow(True)


def legend_above(ax: Axes) -> None:
    """Put the legend above the axes, where it hides nothing, and no wider than they are."""
    handles, labels = ax.get_legend_handles_labels()
    if handles:
        width = ax.get_position().width * ax.figure.bbox.width / ax.figure.dpi
        ax.legend(
            handles, labels, ncols=_columns(labels, width), frameon=False,
            fontsize="small", handlelength=1.5, columnspacing=1.2, loc="lower left",
            bbox_to_anchor=(0.0, 1.0), borderaxespad=0.3,
        )  # fmt: skip


def _columns(labels: Sequence[str], width: float) -> int:
    """Return into how many columns the entries of a legend fit, of a width in inches."""
    widths = [LEGEND_HANDLE + LEGEND_CHARACTER * len(label) for label in labels]
    if sum(widths) <= width:
        return len(labels)
    fitting = int(np.clip(width / max(widths), 1, len(labels)))
    return -(-len(labels) // -(-len(labels) // fitting))  # as many rows, evenly filled


def legend_of_panels(figure: Figure, axes: NDArray[Any]) -> None:
    """Put one legend of all panels at the top of a figure."""
    found: dict[str, Any] = {}
    for ax in axes:
        for handle, label in zip(*ax.get_legend_handles_labels(), strict=True):
            found.setdefault(label, handle)
    if found:
        columns = _columns(list(found), figure.get_figwidth())
        figure.legend(
            found.values(), found.keys(), loc="outside upper left", ncols=columns,
            frameon=False, fontsize="small", handlelength=1.5, columnspacing=1.2,
        )  # fmt: skip


def dot_size(n: int) -> float:
    """Return the area of the dots of `n` candidates, in square points."""
    return float(np.clip(900.0 / max(n, 1), 3.0, 20.0))


def set_scale(ax: Axes, scale: Scale, which: str = "x", *, titled: bool = True) -> None:
    """Let an axis show a hyperparameter: its range, its scale and its ticks."""
    axis = getattr(ax, f"{which}axis")
    set_limits = getattr(ax, f"set_{which}lim")
    if scale.is_list:
        step = -(-len(scale.labels) // MOST_TICKS)
        places = np.arange(0, len(scale.labels), step)
        turned = which == "x" and max(map(len, scale.labels)) * len(places) > 30
        turn = {"rotation": 35, "ha": "right", "rotation_mode": "anchor"} if turned else {}
        axis.set_ticks(places, [plain(scale.labels[k]) for k in places], fontsize="small", **turn)
        axis.set_tick_params(length=0)
        set_limits(scale.low, scale.high)
    else:
        if scale.logarithmic:
            getattr(ax, f"set_{which}scale")("log")
        _set_number_ticks(axis, scale)
        set_limits(*padded(scale))
    if titled:
        getattr(ax, f"set_{which}label")(plain(scale.title))


def padded(scale: Scale, share: float = 0.04) -> tuple[float, float]:
    """Return the range of an axis with some space at its ends."""
    low, high = scale.low, scale.high
    if scale.logarithmic:
        factor = (high / low) ** share
        return low / factor, high * factor
    return low - share * (high - low), high + share * (high - low)


def _set_number_ticks(axis: Any, scale: Scale) -> None:
    from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter, StrMethodFormatter

    axis.set_tick_params(labelsize="small")
    if not scale.logarithmic:
        axis.set_major_locator(MaxNLocator(5, integer=scale.whole))
        return
    if scale.high / scale.low >= 100:
        axis.set_major_locator(LogLocator(numticks=6))
    else:
        axis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0), numticks=8))
        axis.set_major_formatter(StrMethodFormatter("{x:g}"))
    axis.set_minor_formatter(NullFormatter())


def shades(n: int) -> list[tuple[float, ...]]:
    """Return `n` tints of one colour, the strongest first; they also differ in grey."""
    from matplotlib.colors import to_rgb

    return [(*to_rgb(SKY), alpha) for alpha in np.linspace(0.95, 0.2, n)]


def whole_numbers(axis: Any, n_ticks: int = 9) -> None:
    """Let an axis have ticks at integers only."""
    from matplotlib.ticker import MaxNLocator

    axis.set_major_locator(MaxNLocator(n_ticks, steps=[1, 2, 5, 10], integer=True))


def score_map() -> Any:
    """Return a perceptually uniform scale of colours that is monotone in grey.

    Without the ends of viridis, which do not show on white or on black.
    """
    from matplotlib import colormaps
    from matplotlib.colors import ListedColormap

    return ListedColormap(colormaps["viridis"](np.linspace(0.1, 0.88, 256)))


def mark_best(ax: Axes, x: float, y: float, colour: str = AMBER, edge: str = BLUE) -> None:
    """Mark the best candidate."""
    ax.scatter(
        [x], [y], marker="*", s=110, color=colour, edgecolors=edge, linewidths=0.8, label="best",
        zorder=6, clip_on=False,
    )  # fmt: skip


def mark_failures(ax: Axes, x: NDArray[Any]) -> None:
    """Mark candidates that have no score at the lower edge."""
    if len(x):
        ax.scatter(
            x, np.full(len(x), 0.03), marker="x", s=18, linewidths=1.0, color=ORANGE,
            transform=ax.get_xaxis_transform(), label="failed", zorder=3, clip_on=False,
        )  # fmt: skip


def boxes(
    ax: Axes, left: FloatArray, right: FloatArray, bottom: FloatArray, top: FloatArray, **style: Any
) -> None:
    """Draw rectangles, thousands of them as one artist."""
    from matplotlib.collections import PolyCollection

    corners = np.array([[left, bottom], [right, bottom], [right, top], [left, top]])
    ax.add_collection(PolyCollection(list(np.moveaxis(corners, 2, 0)), snap=False, **style))


def mark_below(ax: Axes, x: FloatArray, size: float) -> None:
    """Mark candidates whose scores are below the axis."""
    if len(x):
        ax.scatter(
            x, np.full(len(x), 0.03), marker="v", color=GREY, s=size, lw=0, zorder=2,
            transform=ax.get_xaxis_transform(), label="below the axis",
        )  # fmt: skip


def score_limits(scores: FloatArray) -> tuple[float, float]:
    """Return limits that leave out hopeless outliers, such as fits that diverged."""
    scores = scores[np.isfinite(scores)]
    if not len(scores):
        return 0.0, 1.0
    low, high = np.quantile(scores, [0.1, 1.0])
    bottom = max(float(scores.min()), float(low - 0.5 * (high - low)))
    margin = 0.06 * (high - bottom) or 0.06 * max(abs(high), 1e-3)
    return float(bottom - 1.5 * margin), float(high + margin)
