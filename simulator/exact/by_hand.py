"""Routers that an operator moves off a node at a given time, to another one.

Two acts: all routers are removed from one agent, and later, or at once, added to another. Those on
other agents stay, for the API refuses both acts for them. Agents do their work in no time.
"""

from __future__ import annotations

import numpy as np

from simulator.exact import routers
from simulator.exact.answer import PRODUCT, RENEWAL_SOURCE, Answer, RefusedError
from simulator.exact.case import Case
from simulator.exact.curves import Curve, Grid
from simulator.exact.homes import Group
from simulator.scenario.schema import Action
from simulator.trace import Floats

OPERATIONS = ["remove_router_from_agent", "add_router_to_agent"]
TIMED = ("boot", "agent_start", "rpc_call", "rewire", "answer_per_router")


def availability(case: Case) -> Answer:
    """On the first node until it is removed, on the second from when it is added."""
    away, back = _acts(case)
    places = case.moved
    names = [f"{node.name}/l3" for node in places.homes.nodes]
    if away.agent not in names or back.agent not in names or away.agent == back.agent:
        raise RefusedError("the acts must name two L3 agents, each by its whole name")
    costs = [name for name in TIMED if case.plan.cost(name)]
    if costs or routers.takes_time(case):
        raise RefusedError("acts are answered where agents need no time (costs)")
    if not places.homes.single or case.plan.rules.port_binding != "always":
        raise RefusedError("acts are answered for routers on one agent whose ports are bound")
    old, new = names.index(away.agent), names.index(back.agent)
    bends = (away.at, back.at)
    grid = Grid([*places.curves, *map(_step, bends)], case.context.begin, case.context.end)
    total = np.zeros(grid.times.shape)
    for group in places.groups:
        paths = [routers.path(places, group, node).up.at(grid.times) for node in range(len(names))]
        moved = np.where(grid.times < away.at, paths[old], 0.0)
        paths[old] = np.where(grid.times < back.at, moved, paths[new])
        total += group.count * _mean(group, paths)
    value = grid.mean(total) / places.homes.count
    return Answer(
        value, f"{PRODUCT}, of the old node, of none, and of the new one in turn", RENEWAL_SOURCE,
        routers.told(places),
    )  # fmt: skip


def _step(time: float) -> Curve:
    return Curve(np.zeros_like, (time,))


def _mean(group: Group, paths: list[Floats]) -> Floats:
    return np.asarray(sum(chance * paths[choice[0]] for choice, chance in group.choices.items()))


def _acts(case: Case) -> tuple[Action, Action]:
    """The removal and the addition."""
    acts = sorted(case.system.actions, key=lambda act: act.at)
    if [act.op for act in acts] != OPERATIONS or any(act.router != "*" for act in acts):
        raise RefusedError(
            "acts by hand (`actions`) change what is where; answered are only removing all routers "
            'from one agent and then adding all ("*") to another'
        )
    return acts[0], acts[1]
