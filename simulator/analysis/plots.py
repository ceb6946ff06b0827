"""Pictures of a result: an overview, how long outages last, and single routers' downtime.

Figures are made without pyplot, so they need no display and work in any thread.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from simulator import units
from simulator.analysis.drawing import (
    COLOURS,
    GREY,
    beside,
    draw,
    headline,
    legend,
    missing,
    not_defined,
    variant_rows,
    whiskers,
    wrapped,
)
from simulator.analysis.notation import Scale, bit_rate_scale, downtime, duration_scale, number
from simulator.analysis.results import ResultSet
from simulator.analysis.sections import title_of
from simulator.analysis.statistics import Estimate
from simulator.errors import MissingError

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LINES = ("-", "--", "-.", ":")
SHORTEST = 1.0
"""Seconds a year where the axis of downtimes begins."""
TICKS = (
    (1, "1 s"), (10, "10 s"), (60, "1 min"), (600, "10 min"), (3600, "1 h"), (6 * 3600, "6 h"),
    (86400, "1 d"), (7 * 86400, "7 d"), (30 * 86400, "30 d"), (365 * 86400, "1 y"),
)  # fmt: skip
LOG_FROM = 30.0
"""A panel whose means differ by more than this factor has a logarithmic axis."""


def overview(result: ResultSet) -> Figure:
    """Four panels: downtime, all-down probability, blast radius, and load; a row a variant."""
    from simulator.analysis.picture import Picture

    rows = len(result.variants)
    figure = Picture(figsize=(10, 3.4 + 0.9 * max(rows, 2)), layout="constrained")
    axes = figure.subplots(2, 2)
    panels = (_downtime_panel, _all_down_panel, _blast_panel, _load_panel)
    for place, (panel, axis) in enumerate(zip(panels, axes.flat, strict=True)):
        variant_rows(axis, result.variants, named=place % 2 == 0)
        panel(axis, result)
    _title(figure, result, "bars: 95 % intervals; dotted: never otherwise, so a bound only")
    return figure


def outages(result: ResultSet) -> Figure:
    """Two panels: downtime, and how long outages last; a row a variant."""
    from simulator.analysis.picture import Picture

    rows = len(result.variants)
    figure = Picture(figsize=(10, 2.2 + 0.34 * max(rows, 4)), layout="constrained")
    axes = figure.subplots(1, 2)
    for axis, panel, named in zip(axes, (_downtime_panel, _outage_panel), (True, False),
                                  strict=True):  # fmt: skip
        variant_rows(axis, result.variants, named=named)
        panel(axis, result)
    _title(figure, result, "bars: 95 % intervals of the means")
    return figure


def downtime_distribution(result: ResultSet) -> Figure:
    """Share of routers with more than a given downtime a year, over all replications."""
    from simulator.analysis.picture import Picture

    figure = Picture(figsize=(10, 4.8), layout="constrained")
    axis = figure.subplots()
    drawn = 0
    try:
        for place, variant in enumerate(result.variants):
            if result.estimate("router.availability", variant).mean is None:
                axis.plot([], [], " ", label=f"{wrapped(variant)}\n(not defined)")
                continue
            rates, weights = _router_downtime(result.objects, variant)
            drawn += _draw_survival(axis, rates, weights, variant, place)
    except MissingError as error:
        not_defined(axis, str(error))
    else:
        _finish_survival(axis, result, drawn)
    _title(figure, result, "downtime of every router in every replication")
    return figure


# -- panels of the overview ------------------------------------------------------------------


def _downtime_panel(axis: Axes, result: ResultSet) -> None:
    headline(axis, "Downtime a year")
    kinds = {"router": "router.availability", "VM's way out": "vm.north_south_availability"}
    series = {
        name: [downtime(result.estimate(metric, v)) for v in result.variants]
        for name, metric in kinds.items()
    }
    every = [e for row in series.values() for e in row if e.mean is not None]
    if not every:
        not_defined(axis, result.estimate("router.availability", result.variants[0]).reason)
        return
    means = [e.mean for e in every if e.mean is not None]
    scale = duration_scale(max(means))
    log = _spread(means) > LOG_FROM
    draw(axis, series, scale.size, log=log)
    _downtime_axis(axis, every, scale, log=log)


def _outage_panel(axis: Axes, result: ResultSet) -> None:
    headline(axis, "Outages of a router")
    series = _series(result, {"median": "router.outage_median", "longest": "router.outage_longest"})
    every = [e for row in series.values() for e in row if e.mean is not None]
    if not every:
        not_defined(axis, series["median"][0].reason)
        return
    scale = duration_scale(max(e.mean for e in every if e.mean is not None))
    log = _spread([e.mean for e in every if e.mean is not None]) > LOG_FROM
    draw(axis, series, scale.size, log=log)
    _downtime_axis(axis, every, scale, log=log)
    axis.set_xlabel(f"{scale.unit}, mean over replications{', logarithmic' if log else ''}")


def _all_down_panel(axis: Axes, result: ResultSet) -> None:
    headline(axis, "All routers down at once, by nodes and agents")
    shares = [result.estimate("router.all_down_probability_by_nodes", v) for v in result.variants]
    times = [result.estimate("router.all_down_time_by_nodes", v) for v in result.variants]
    if all(e.mean is None for e in shares):
        not_defined(axis, shares[0].reason)
        return
    draw(axis, {"": shares}, 0.01)
    for place, (share, time) in enumerate(zip(shares, times, strict=True)):
        if share.mean is not None and time.mean is not None:
            bound = f"never seen: at most {100 * (share.ci_high or 1):.2g} %"
            words = bound if time.mean == 0 else f"mean {_seconds(time.mean)}"
            beside(axis, share, place, words)
    axis.set_xlim(-3, 103)
    window = units.format_duration(result.scenario.window)
    axis.set_xlabel(f"% of replications (of {window}) that saw it")


def _blast_panel(axis: Axes, result: ResultSet) -> None:
    headline(axis, "Blast radius of one failure")
    series = _series(
        result, {"mean": "router.blast_radius_mean", "largest": "router.blast_radius_max"}
    )
    if all(e.mean is None for e in series["mean"]):
        not_defined(axis, series["mean"][0].reason)
        return
    draw(axis, series, 0.01)
    axis.set_xlim(-3, 103)
    axis.set_xlabel("% of routers that it stops")


def _load_panel(axis: Axes, result: ResultSet) -> None:
    headline(axis, "North-south load")
    offered = [result.estimate("load.offered", v) for v in result.variants]
    carried = [result.estimate("load.carried", v) for v in result.variants]
    means = [e.mean for e in offered if e.mean is not None]
    if not means:
        not_defined(axis, offered[0].reason)
        return
    scale = bit_rate_scale(max(means))
    for place, (wanted, got) in enumerate(zip(offered, carried, strict=True)):
        if wanted.mean is None or got.mean is None:
            missing(axis, place)
            continue
        colour = COLOURS[place % len(COLOURS)]
        axis.barh(place, wanted.mean / scale.size, 0.62, fill=False, edgecolor=colour, hatch="///",
                  linewidth=1, alpha=0.55)  # fmt: skip
        axis.barh(place, got.mean / scale.size, 0.36, color=colour)
        whiskers(axis, got, place, scale.size, "#222222")
    handles = [
        axis.barh(0, 0, 0, fill=False, edgecolor=GREY, hatch="///"),
        axis.barh(0, 0, 0, color=GREY),
    ]
    legend(axis, handles, ["offered", "carried"])
    axis.set_xlim(0, 1.1 * max(means) / scale.size)
    axis.set_xlabel(f"{scale.unit}, mean over time")


def _series(result: ResultSet, metrics: dict[str, str]) -> dict[str, list[Estimate]]:
    """For each name the estimates of its metric, one a variant."""
    return {
        name: [result.estimate(metric, v) for v in result.variants]
        for name, metric in metrics.items()
    }


# -- the spread of single routers ------------------------------------------------------------


def _router_downtime(objects: pd.DataFrame, variant: str) -> tuple[Any, Any]:
    """Seconds of downtime a year of each router of *variant*, and the weights: their lives."""
    mine = objects[(objects["variant"] == variant) & (objects["kind"] == "router")]
    life = mine["life_s"].to_numpy()
    if "quantile" in mine:  # too many to keep each; then lives are not known one by one
        life = np.full(life.size, life.max(initial=1.0))
    return mine["downtime_s"].to_numpy() / life * units.YEAR, life


def _draw_survival(axis: Axes, rates: Any, weights: Any, variant: str, place: int) -> bool:
    """The share of routers with a higher downtime than x; False if there are no routers."""
    if not rates.size:
        return False
    order = np.argsort(rates)
    above = 1 - np.cumsum(weights[order]) / weights.sum()
    start = SHORTEST
    axis.step(
        np.concatenate([[start], np.maximum(rates[order], start)]),
        100 * np.concatenate([[float(weights[rates > start].sum() / weights.sum())], above]),
        where="post",
        color=COLOURS[place % len(COLOURS)],
        linestyle=LINES[place % len(LINES)],
        linewidth=2,
        label=wrapped(variant),
    )
    return True


def _finish_survival(axis: Axes, result: ResultSet, drawn: int) -> None:
    if not drawn:
        not_defined(axis, "no variant has routers")
        axis.set_yticks([])
        return
    limits = {s.measures.downtime_limit_per_year for s in result.scenario.variants.values()}
    for limit in limits if len(limits) == 1 else ():
        axis.axvline(limit, color=GREY, linewidth=1)
        axis.text(limit, 102, f"limit {units.format_duration(limit)}", fontsize="small",
                  color=GREY, va="bottom", ha="center")  # fmt: skip
    axis.set_xscale("log")
    axis.set_xlim(left=SHORTEST)
    low, high = axis.get_xlim()
    ticks = [(t, name) for t, name in TICKS if low <= t <= high]
    axis.set_xticks([t for t, _ in ticks], [name for _, name in ticks])
    axis.set_xticks([], minor=True)
    axis.set_ylim(0, 101)
    axis.set_xlabel("downtime a year, logarithmic")
    axis.set_ylabel("% of routers (by life) with more")
    axis.grid(color="#dddddd", linewidth=0.8)
    for side in ("top", "right"):
        axis.spines[side].set_visible(False)
    axis.legend(loc="upper left", bbox_to_anchor=(1.01, 1.01), frameon=False)


# -- words and scales ------------------------------------------------------------------------


def _downtime_axis(axis: Axes, row: list[Estimate], scale: Scale, *, log: bool) -> None:
    """An axis that holds the intervals of *row*; mere bounds may leave it."""
    defined = [e for e in row if e.mean is not None]
    seen = [e for e in defined if not e.unseen]
    right = max((e.ci_high or e.mean or 0.0) / scale.size for e in seen or defined)
    axis.set_xlabel(f"{scale.unit} a year{', logarithmic' if log else ''}")
    if log:
        axis.set_xscale("log")
        axis.xaxis.set_major_formatter("{x:g}")
        least = min(e.mean / scale.size for e in seen if e.mean)
        axis.set_xlim(least / 4, right * 1.5)
    else:
        axis.set_xlim(-0.02 * right, right * 1.06 or 1.0)


def _spread(means: list[float]) -> float:
    positive = [mean for mean in means if mean > 0]
    return max(positive) / min(positive) if positive else 1.0


def _seconds(seconds: float) -> str:
    scale = duration_scale(seconds)
    return f"{number(seconds / scale.size, 1 if seconds / scale.size < 10 else 0)} {scale.unit}"


def _title(figure: Figure, result: ResultSet, what: str) -> None:
    figure.suptitle(f"{title_of(result)}\n{what}", fontsize="medium")
