"""What the panels of a picture share: rows of variants, points with intervals, words beside them.

A variant has the same place and colour in every panel; colours are Okabe and Ito's, told apart by
everyone.
"""

from __future__ import annotations

import re
import textwrap
from typing import TYPE_CHECKING, Any

from simulator.analysis.statistics import Estimate

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLOURS = (
    "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000", "#B8A800",
)  # fmt: skip
GREY = "#555555"
MARKS = "oD"
LABEL_WIDTH = 18


def variant_rows(axis: Axes, variants: list[str], *, named: bool) -> None:
    """A row for each variant, the first on top."""
    names = [wrapped(name) for name in variants]
    axis.set_yticks(range(len(variants)), names if named else [""] * len(names))
    axis.set_ylim(len(variants) - 0.45, -0.55)
    axis.grid(axis="x", color="#dddddd", linewidth=0.8)
    axis.set_axisbelow(True)
    for side in ("top", "right"):
        axis.spines[side].set_visible(False)


def draw(axis: Axes, series: dict[str, list[Estimate]], size: float, *, log: bool = False) -> None:
    """Points with intervals: a row a variant, and within it a line for each of *series*."""
    shifts = (-0.17, 0.17) if len(series) > 1 else (0.0,)
    for place, row in enumerate(zip(*series.values(), strict=True)):
        if all(estimate.mean is None for estimate in row):
            missing(axis, place)
            continue
        for estimate, mark, shift in zip(row, MARKS, shifts, strict=False):
            if estimate.mean is None:
                missing(axis, place + shift)
            else:
                _point(
                    axis, estimate, (place, shift), size, mark if estimate.mean or not log else ""
                )
    if len(series) > 1:
        handles = [axis.plot([], [], mark, color=GREY)[0] for mark in MARKS[: len(series)]]
        legend(axis, handles, list(series))


def _point(axis: Axes, estimate: Estimate, at: tuple[int, float], size: float, mark: str) -> None:
    """One estimate in the row and the line *at*; a bound from one side is an arrow."""
    assert estimate.mean is not None
    colour, height = COLOURS[at[0] % len(COLOURS)], sum(at)
    unseen = estimate.unseen
    face = "white" if unseen else colour
    if mark:
        axis.plot(estimate.mean / size, height, mark, color=colour, mfc=face, ms=7, zorder=3)
    (_bound if unseen else whiskers)(axis, estimate, height, size, colour)


def whiskers(axis: Axes, estimate: Estimate, at: float, size: float, colour: str) -> None:
    """The interval of *estimate* at height *at*, if it has one."""
    if estimate.ci_low is not None and estimate.ci_high is not None:
        ends = [estimate.ci_low / size, estimate.ci_high / size]
        axis.plot(ends, [at, at], "-", color="white", linewidth=3.4, zorder=2)  # seen on any bar
        axis.plot(ends, [at, at], "|-", color=colour, linewidth=1.6, ms=8, zorder=2)


def _bound(axis: Axes, estimate: Estimate, at: float, size: float, colour: str) -> None:
    """What was never seen otherwise: a dotted line as far as it may reach."""
    assert estimate.mean is not None
    for end in (estimate.ci_low, estimate.ci_high):
        if end is not None and end != estimate.mean:
            mark = 4 if end < estimate.mean else 5  # carets that point left and right
            axis.plot([estimate.mean / size, end / size], [at, at], ":", color=colour, lw=1.4)
            axis.plot(end / size, at, marker=mark, color=colour, ms=7)


def beside(axis: Axes, share: Estimate, place: int, words: str) -> None:
    """*words* in the row, on the side where there is room."""
    assert share.mean is not None
    low = share.mean if share.ci_low is None else share.ci_low
    high = share.mean if share.ci_high is None else share.ci_high
    right = 1 - high > low
    x = 100 * high + 3 if right else 100 * low - 3
    axis.text(x, place, words, ha="left" if right else "right", va="center", fontsize="small",
              color=GREY)  # fmt: skip


def headline(axis: Axes, words: str) -> None:
    """The title of a panel, on the left; its legend stands to the right."""
    axis.set_title(words, loc="left", fontsize="medium", fontweight="bold")


def legend(axis: Axes, handles: list[Any], names: list[str]) -> None:
    """A legend above the panel, where it hides nothing."""
    axis.legend(handles, names, loc="lower right", bbox_to_anchor=(1.01, 0.98), ncols=2,
                fontsize="small", frameon=False, borderpad=0, handletextpad=0.4,
                columnspacing=1)  # fmt: skip


def missing(axis: Axes, at: float) -> None:
    """A row that has no value."""
    axis.text(0.02, at, "not defined", transform=axis.get_yaxis_transform(), va="center",
              color=GREY, style="italic", fontsize="small")  # fmt: skip


def not_defined(axis: Axes, reason: str | None) -> None:
    """An empty panel that says why it is."""
    axis.set_xticks([])
    axis.grid(visible=False)
    words = textwrap.fill(f"not defined: {reason}", 46)
    axis.text(0.5, 0.5, words, transform=axis.transAxes, ha="center", va="center", color=GREY,
              style="italic")  # fmt: skip


def wrapped(name: str) -> str:
    """*name* in lines, broken after commas where there are some."""
    lines: list[str] = []
    for part in re.findall(r"[^,]+,?", name):
        if lines and len(lines[-1]) + len(part) <= LABEL_WIDTH:
            lines[-1] += part
        else:
            lines += textwrap.wrap(part, LABEL_WIDTH)
    return "\n".join(lines)
