"""Every metric of a variant: its exact value, or why it has none.

To add an answer, write a function of `Case` in the module of its subject and give it a line in
ANSWERS; metrics without a line are refused by the reason in REASONS.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from simulator.analysis.downtime import CAUSES
from simulator.analysis.metrics import METRICS
from simulator.exact import by_hand, control, hosts, loads, routers, takeovers, tenants, together
from simulator.exact.answer import RENEWAL, RENEWAL_SOURCE, Answer, Answers, RefusedError
from simulator.exact.case import Case
from simulator.exact.chains import binomial
from simulator.scenario.schema import Scenario
from simulator.world.plan import Renewal


def _router_availability(case: Case) -> Answer:
    """Of routers that stay, or that an operator moves; of those that are taken over, about."""
    if takeovers.applies(case):
        return takeovers.availability(case)
    if case.system.actions:
        return by_hand.availability(case)
    return routers.availability(case)


ANSWERS: Mapping[str, Callable[[Case], Answer]] = {
    "router.availability": _router_availability,
    "router.availability_worst": routers.worst,
    "router.east_west_availability": routers.east_west,
    "router.conflicted_time": routers.conflicted,
    "router.all_down_time": together.all_down_time(uplinks=True),
    "router.all_down_probability": together.all_down_probability(uplinks=True),
    "router.all_down_time_by_nodes": together.all_down_time(uplinks=False),
    "router.all_down_probability_by_nodes": together.all_down_probability(uplinks=False),
    "router.blast_radius_mean": together.blast(mean=True),
    "router.blast_radius_p95": together.blast(mean=False),
    "router.blast_radius_max": together.blast(mean=False),
    "router.outages": routers.outages,
    **{f"router.downtime_{cause}": routers.downtime(cause) for cause in CAUSES},
    "network.availability": tenants.network_availability,
    "vm.hours_without_address": tenants.without_address,
    "vm.north_south_availability": tenants.north_south,
    "tenant.availability": tenants.availability,
    "tenant.availability_worst": tenants.availability_worst,
    "node.availability": hosts.availability,
    "agent.detection_mean": control.detection_mean,
    "agent.false_down_episodes": control.no_false_down,
    "agent.false_down_time": control.no_false_down,
    "failover.moves": control.no_moves,
    "load.offered": loads.offered,
    "load.carried": loads.carried,
    "load.hours_below_demand": loads.below_demand,
    "load.router_p5": loads.router_p5,
    "load.imbalance": loads.imbalance,
    "dhcp.servers_per_node_max": tenants.servers_max,
    "dhcp.servers_per_node_mean": tenants.servers_mean,
}
"""The metrics that have an exact value in some scenarios."""

QUANTILE = "a quantile of a random number of values is no mean of a process"
CREATED = "about what is created during the run: how it is placed depends on what is down then"
REASONS: Mapping[str, str] = {
    "router.share_over_limit": "the law of the total downtime in a window has no closed form here",
    "router.outage_median": QUANTILE,
    "router.outage_p95": QUANTILE,
    "router.outage_longest": QUANTILE,
    "control.availability": CREATED,
    "control.provisioning_median": CREATED,
    "control.provisioning_p95": CREATED,
    "agent.detection_p95": QUANTILE,
    "agent.ha_report_delay_mean": "VRRP: who is promoted depends on who failed before",
    "failover.time_median": QUANTILE,
    "failover.time_p95": QUANTILE,
}
"""Why the others have none."""

MOST_NODES = 6
"""Up to so many nodes every k of n is listed."""


def answers(scenario: Scenario, variant: str) -> Answers:
    """What can be answered of *variant*: every metric is found or refused."""
    case, found = Case(scenario, variant), Answers(variant)
    for metric in METRICS:
        if metric not in ANSWERS:
            found.refused[metric] = REASONS[metric]
            continue
        try:
            found.found[metric] = ANSWERS[metric](case)
        except RefusedError as reason:
            found.refused[metric] = str(reason)
    found.parts = {**_components(case), **_k_of_n(case)}
    return found


def _components(case: Case) -> dict[str, Answer]:
    """The availability of each kind of component that fails by a renewal process."""
    found: dict[str, Answer] = {}
    for law in case.plan.renewals:
        part = case.plan.parts[law.component]
        name = part.name if not part.group else f"{part.group}-*" + part.name[len(part.host) :]
        value = _availability(law)
        if name in found and found[name].value != value:
            name = part.name
        found[name] = Answer(value, RENEWAL, RENEWAL_SOURCE, ("in equilibrium",))
    return found


def _availability(law: Renewal) -> float:
    up, down = law.time_to_failure.mean, law.time_to_repair.mean
    return up / (up + down)


def _k_of_n(case: Case) -> dict[str, Answer]:
    """How likely at least k of the hosts with L3 agents are up."""
    nodes = case.plan.nodes
    laws = [case.failing.law(int(host)) for host in nodes.host[nodes.l3 >= 0]]
    renewals = [law for law in laws if isinstance(law, Renewal)]
    if not 1 < len(laws) <= MOST_NODES or len(renewals) < len(laws):
        return {}
    law = binomial([_availability(one) for one in renewals])
    n = len(laws)
    return {
        f"at least {k} of {n} L3 hosts": Answer(
            float(law[k:].sum()), "k of n independent hosts", RENEWAL_SOURCE, ("in equilibrium",)
        )
        for k in range(1, n + 1)
    }
