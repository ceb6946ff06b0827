"""The nodes' hosts themselves."""

from __future__ import annotations

import numpy as np

from simulator.exact.answer import RENEWAL, RENEWAL_SOURCE, Answer, RefusedError
from simulator.exact.case import Case
from simulator.exact.curves import Grid
from simulator.world.plan import Script


def availability(case: Case) -> Answer:
    """Each host by its own law, whatever its agents and NICs do: nothing else stops a host."""
    nodes = case.plan.nodes
    hosts = nodes.host[nodes.central].tolist()
    if not hosts:
        raise RefusedError("no host runs an agent that routers or networks could be given to")
    curves = [case.failing.course(host).up for host in hosts]
    grid = Grid(curves, case.context.begin, case.context.end)
    value = float(np.mean([grid.mean(curve.at(grid.times)) for curve in curves]))
    if any(isinstance(case.failing.law(host), Script) for host in hosts):
        return Answer(value, "outages at given times", "the scenario's `outages`")
    told = ("in equilibrium",) if case.plan.equilibrium else ("all up at first",)
    return Answer(value, RENEWAL, RENEWAL_SOURCE, told)
