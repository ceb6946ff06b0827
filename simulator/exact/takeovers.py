"""Routers that another node takes over, by the failover loop or by VRRP: to first order.

Failures during a takeover are neglected, so these answers are approximations and marked as such:
off by about the chance that a second node fails while one is being replaced. Nothing but hosts may
fail, all by one law, and agents do their work in no time.
"""

from __future__ import annotations

import numpy as np

from simulator.exact.answer import REWARD_SOURCE, Answer, RefusedError
from simulator.exact.case import Case
from simulator.exact.components import Failing
from simulator.exact.laws import limited_mean, rate
from simulator.exact.routers import takes_time
from simulator.trace import Floats
from simulator.world.plan import Plan, Renewal
from simulator.world.vrrp import SKEW

POINTS = 24
"""Points of each phase over which a delay is averaged."""


def applies(case: Case) -> bool:
    """Whether routers are taken over when a node dies."""
    plan = case.plan
    moved = plan.release.has_scheduler and plan.rules.allow_automatic_l3agent_failover
    return moved or plan.enabled("l3_ha")


def availability(case: Case) -> Answer:
    """Up times of one node after the other, and what a takeover or a repair costs between them."""
    case.settled()
    law, nodes = _alike(case)
    if case.plan.enabled("l3_ha"):
        return _pair(case, law, nodes)
    return _moved(case, law, nodes)


def _alike(case: Case) -> tuple[Renewal, int]:
    """The law of all hosts with L3 agents, and how many there are; nothing else may fail."""
    plan, failing = case.plan, Failing(case.plan)
    hosts = [int(host) for host in plan.nodes.host[plan.nodes.l3 >= 0]]
    laws = [law for host in hosts if isinstance(law := failing.law(host), Renewal)]
    others = [part for part in range(len(plan.parts)) if part not in hosts and failing.law(part)]
    slow = [name for name in ("boot", "agent_start", "rpc_call", "rewire", "reschedule")
            if plan.cost(name)]  # fmt: skip
    alike = {(law.time_to_failure, law.time_to_repair) for law in laws}
    reasons = [
        (bool(others), f"{failing.name(others[0]) if others else ''} can fail, too"),
        (len(laws) < len(hosts) or len(alike) != 1, "hosts do not all fail alike"),
        (len(hosts) < 2, "there is no other node"),
        (bool(slow), f"agents or server need time (costs.{slow[0] if slow else ''})"),
        (plan.delay is not None or plan.loss > 0, "heartbeats are late or lost"),
        (not plan.equilibrium, "it does not begin in equilibrium"),
        (plan.option("periodic_fuzzy_delay") not in (None, 0.0), "periodic_fuzzy_delay"),
    ]
    for holds, reason in reasons:
        if holds:
            raise RefusedError(f"takeovers are answered where only hosts fail, all alike: {reason}")
    return laws[0], len(hosts)


# -- the failover loop ---------------------------------------------------------------------


def _moved(case: Case, law: Renewal, nodes: int) -> Answer:
    """A cycle: a node's up time, which has no memory, and an outage that a move or repair ends."""
    plan, up = case.plan, law.time_to_failure
    if rate(up) is None:
        raise RefusedError("up times are not exponential: a router moves to a node of some age")
    if takes_time(case):
        raise RefusedError("routers take time to set up, one after the other")
    outages = [limited_mean(law.time_to_repair, time) for time in move_delays(plan).tolist()]
    outage = float(np.mean(outages))
    return Answer(
        up.mean / (up.mean + outage),
        "renewal-reward: MTTF / (MTTF + E[min(repair, detection and move)])",
        REWARD_SOURCE,
        (f"the other {nodes - 1} nodes are up whenever one fails",),
        exact=False,
    )


def move_delays(plan: Plan) -> Floats:
    """From a failure to the pass that moves: 2 D - U(0, R) + U(0, D // 2), s, equally likely."""
    limit, interval = plan.seconds("agent_down_time"), plan.seconds("report_interval")
    steps = (np.arange(POINTS) + 0.5) / POINTS
    delays = 2 * limit - interval * steps[:, np.newaxis] + max(limit // 2, 1.0) * steps
    return np.asarray(delays.ravel())


# -- VRRP ----------------------------------------------------------------------------------


def _pair(case: Case, law: Renewal, nodes: int) -> Answer:
    """Both nodes down, and the time until a backup is master after each loss of a master.

    Either node is master half of the time in which both are up. After both were down, the first
    to return waits as a backup does that never heard a master.
    """
    plan = case.plan
    most = plan.rules.max_l3_agents_per_router or nodes
    moves = plan.rules.allow_automatic_l3agent_failover and plan.rules.ha_failover != "none"
    if min(most, nodes) != 2 or moves:
        raise RefusedError("VRRP is answered for two replicas of each router, which stay")
    cycle = law.time_to_failure.mean + law.time_to_repair.mean
    up = law.time_to_failure.mean / cycle
    advert, promote = plan.seconds("ha_vrrp_advert_int"), plan.cost("promote")
    patience = 3 * advert + SKEW
    taken = SKEW if law.cause == "shutdown" else patience - advert / 2
    lost = up / cycle * (taken + promote) + 2 * (1 - up) / cycle * (patience + promote)
    return Answer(
        1 - (1 - up) ** 2 - lost,
        "U^2, and takeover time x rate at which masters are lost",
        REWARD_SOURCE,
        ("no replica fails or returns while one takes over",),
        exact=False,
    )
