"""North-south bandwidth, where no node and no uplink is ever full."""

from __future__ import annotations

import numpy as np

from simulator.analysis.profile import Profile
from simulator.exact import routers
from simulator.exact.answer import Answer, RefusedError
from simulator.exact.case import Case
from simulator.exact.chains import binomial
from simulator.exact.curves import Grid
from simulator.trace import Floats
from simulator.world.plan import uplink_rates


def _each(case: Case) -> float:
    """The mean load of a router at a factor of 1, bit/s."""
    mean = case.system.workload.traffic.per_router.build().mean
    if not mean or any(group.gateway < 0 for group in case.routers.groups):
        raise RefusedError("no north-south load (workload.traffic.per_router), or no gateway")
    return mean


def _factor(case: Case) -> float:
    """The mean factor of the daily profile over the window."""
    edges = np.array([case.context.begin, case.context.end])
    return float(np.diff(Profile(case.context.daily).weight(edges))[0]) / case.window


def offered(case: Case) -> Answer:
    """The mean load times the number of routers, and the mean of the profile."""
    value = case.routers.homes.count * _each(case) * _factor(case)
    return Answer(value, "mean load x routers x mean factor of the day", "linearity of means")


def _fits(case: Case) -> None:
    """Raise RefusedError unless all routers fit on the least node and through the least uplink."""
    constant = case.system.workload.traffic.per_router.constant
    if constant is None:
        raise RefusedError("loads without a bound may fill a node")
    peak = max(Profile(case.context.daily).factors) * constant * case.routers.homes.count
    nodes = case.plan.nodes
    least = min(
        float(nodes.capacity_bps[nodes.l3 >= 0].min()), min(uplink_rates(case.plan), default=np.inf)
    )
    if peak > least:
        raise RefusedError("a node or an uplink may be full, and is then shared max-min fair")


def carried(case: Case) -> Answer:
    """What is offered, while a router serves."""
    each = _each(case)
    _fits(case)
    places = case.routers
    total = sum(group.count * routers.serving(places, group) for group in places.groups)
    value = _weighted(case, places.grid, np.asarray(total)) * each
    return Answer(value, f"load x {routers.method(places)[0]}", *routers.method(places)[1:],
                  assumptions=routers.told(places))  # fmt: skip


def _weighted(case: Case, grid: Grid, values: Floats) -> float:
    """The mean over the window of the day's factor times *values*, which must not both change."""
    if not case.context.daily or np.ptp(values) == 0:
        return _factor(case) * float(grid.mean(values))
    raise RefusedError("the load changes over the day while availability settles")


def below_demand(case: Case) -> Answer:
    """Hours in which at least one router does not serve, which has load."""
    _each(case)
    _fits(case)
    places = case.routers
    places.homes.same_at_once()
    if 0 in Profile(case.context.daily).factors:
        raise RefusedError("no load at some time of the day")
    hours = places.grid.total(1 - all_serve(case)) / 3600
    how, source = routers.method(places)
    return Answer(hours, f"window x P(some router does not serve); {how}", source,
                  routers.told(places))  # fmt: skip


def all_serve(case: Case) -> Floats:
    """The probability that every router serves."""
    places = case.routers
    if not places.homes.single or len(places.groups) > 1:
        raise RefusedError("routers are not all placed alike: that all serve is not answered")
    group = places.groups[0]
    up = places.linked(group.gateway)
    used = sorted({i for choice in group.choices for i in choice})
    shares = (np.arange(len(used) + 1) / len(used)) ** group.count
    columns = up[used].T
    chance = np.array([binomial(column.tolist()) @ shares for column in columns])
    return np.asarray(chance * places.uplink(group.gateway))


def imbalance(case: Case) -> Answer:
    """One node carries all."""
    _each(case)
    if len(case.routers.homes.nodes) > 1:
        raise RefusedError("the largest of several random loads has no closed form here")
    return Answer(1.0, "one node carries all", "the scenario")


def router_p5(case: Case) -> Answer:
    """All of it, where nothing fails and nothing is full."""
    _each(case)
    _fits(case)
    places = case.routers
    if places.over(lambda group: routers.serving(places, group)) < 1:
        raise RefusedError("a quantile over routers has no closed form here")
    return Answer(1.0, "nothing that routers need fails", "the scenario")
