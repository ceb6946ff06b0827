"""Closed forms of availability (MTTF 1000 h and MTTR 4 h where nothing else is said)."""

from __future__ import annotations

import math
from collections.abc import Iterator

from simulator.exact.answers import answers
from simulator.exact.check import BOUND
from simulator.scenario.schema import Scenario
from simulator.validation.rows import (
    FREE,
    Effort,
    Outcome,
    Row,
    agrees,
    compared,
    exponential,
    interval,
    nodes,
    samples,
    scene,
)

GROUP = "closed forms"
PRODUCT = "independent nodes; Barlow and Proschan 1975, ch. 7"
PAIR = exponential("1000h", "4h")
TENTH = exponential("9h", "1h")
PROMPT = {"periodic_fuzzy_delay": "0s"}
MANY = {"tenants": 60, "per_tenant": {"networks": 0}}
MOST = {"tenants": 400, "per_tenant": {"networks": 0}}
"""So many that hardly ever a node has none of them."""


def one_node(effort: Effort) -> Iterator[Row]:
    """A router hangs on one node."""
    given = scene("one-node", release="folsom", horizon="20y", replications=effort.of(60),
                  failures={"host.network": PAIR})  # fmt: skip
    (values,) = samples(given, effort.jobs, "router.availability")
    yield compared(
        GROUP, "availability of a router on one node", values, given, "router.availability",
        published="0.996015936", source="MTTF / (MTTF + MTTR)",
    )  # fmt: skip


def all_down(effort: Effort) -> Iterator[Row]:
    """All nodes down: U^n, and as often as can be seen."""
    for count, published in ((2, "1.5873e-5"), (3, "6.3238e-8"), (4, "2.5194e-10")):
        given = scene("all-down", horizon="100d", hosts=nodes(count), neutron=PROMPT,
                      failures={"host.network": PAIR}, workload=MOST)  # fmt: skip
        share = answers(given, "model").found["router.all_down_time"].value / given.window
        yield Row(
            GROUP, f"{count} nodes all down, exact", published, PRODUCT, f"{share:.5g}", "exact",
            Outcome.PASS if agrees(share, published) else Outcome.FAIL,
        )  # fmt: skip
    for count, replications in ((2, 40), (3, 60)) + (((4, 100),) if effort.long else ()):
        yield _all_down_simulated(effort, count, replications)


def _all_down_simulated(effort: Effort, count: int, replications: int) -> Row:
    given = scene("all-down", horizon="30d", replications=effort.of(replications),
                  hosts=nodes(count), neutron=PROMPT, failures={"host.network": TENTH},
                  workload=MANY)  # fmt: skip
    (values,) = samples(given, effort.jobs, "router.all_down_time")
    return compared(
        GROUP, f"{count} nodes all down, s in 30 d at U = 0.1", values, given,
        "router.all_down_time", published=f"{0.1**count * 30 * 86400:g}", source=PRODUCT,
    )  # fmt: skip


def k_of_n(effort: Effort) -> Iterator[Row]:
    """At least k of n nodes are up."""
    del effort
    for k, n, published in ((2, 3, "0.999952508"), (3, 4, "0.999905269")):
        given = scene("k-of-n", hosts=nodes(n), failures={"host.network": PAIR})
        value = answers(given, "model").parts[f"at least {k} of {n} L3 hosts"].value
        outcome = Outcome.PASS if agrees(value, published) else Outcome.FAIL
        yield Row(GROUP, f"at least {k} of {n} nodes up", published, PRODUCT, f"{value:.9f}",
                  "exact", outcome)  # fmt: skip


def conflict(effort: Effort) -> Iterator[Row]:
    """Two Folsom agents that answer for one router serve while exactly one is up."""
    given = scene("conflict", release="folsom", horizon="60d", replications=effort.of(60),
                  hosts=nodes(2), failures={"host.network": exponential("8h", "2h")})  # fmt: skip
    (values,) = samples(given, effort.jobs, "router.availability")
    yield compared(
        GROUP, "two agents in conflict, A = 0.8", values, given, "router.availability",
        published="0.32", source="2 A (1 - A)",
    )  # fmt: skip


def restarts(effort: Effort) -> Iterator[Row]:
    """A node with an agent that fails, too, and delays after repairs."""
    given = scene("agents", release="icehouse", horizon="30d", replications=effort.of(60),
                  neutron=PROMPT, failures={"host.network": exponential("10h", "1h"),
                                            "agent.l3": exponential("5h", "1h")})  # fmt: skip
    yield _by_exact(effort, given, "host and L3 agent fail", "Markov chain, Trivedi ch. 8")
    slow = {**FREE, "boot": "5min", "rebuild_per_router": "1min"}
    given = scene("delays", horizon="30d", replications=effort.of(60), neutron=PROMPT, costs=slow,
                  workload={**MANY, "tenants": 5}, failures={"host.network": TENTH})  # fmt: skip
    yield _by_exact(effort, given, "boot 5 min, five routers rebuilt in turn",
                    "renewal-reward, Ross th. 3.6.1")  # fmt: skip


def _by_exact(effort: Effort, given: Scenario, what: str, source: str) -> Row:
    (values,) = samples(given, effort.jobs, "router.availability")
    value = answers(given, "model").found["router.availability"].value
    return compared(GROUP, what, values, given, "router.availability",
                    published=f"{value:.9f}", source=source)  # fmt: skip


def moved(effort: Effort) -> Iterator[Row]:
    """A router that is moved off each node that fails; the others are nearly always healthy.

    Moved at the first pass at which its agent has been silent for 150 s, 153.5 s after the failure
    in the mean; or back before, if its node is. 0.999990317 was published for exactly 153.5 s.
    """
    given = scene(
        "moved", release="juno", horizon="20y", replications=effort.of(16), hosts=nodes(6),
        neutron={**PROMPT, "allow_automatic_l3agent_failover": True},
        failures={"host.network": exponential("4380h", "4h")},
        workload={"tenants": 40, "per_tenant": {"networks": 0}},
    )  # fmt: skip
    (values,) = samples(given, effort.jobs, "router.availability")
    expected = answers(given, "model").found["router.availability"].value
    z = (values.mean() - expected) / (values.std(ddof=1) / math.sqrt(values.size))
    passed = abs(z) <= BOUND and agrees(expected, "0.999990317")
    yield Row(
        GROUP, "router moved by the failover loop, MTTF 4380 h", "0.999990317",
        "renewal-reward, outage min(repair, move); other nodes healthy", interval(values),
        f"z = {z:+.2f}", Outcome.PASS if passed else Outcome.FAIL,
    )  # fmt: skip


def pair(effort: Effort) -> Iterator[Row]:
    """Two VRRP replicas: both down, and 5.8 s until the backup is master."""
    given = scene(
        "pair", release="2026.2", horizon="60d", replications=effort.of(40), hosts=nodes(2),
        neutron={**PROMPT, "l3_ha": True}, failures={"host.network": exponential("19h", "1h")},
    )  # fmt: skip
    (values,) = samples(given, effort.jobs, "router.availability")
    expected = answers(given, "model").found["router.availability"].value
    z = (values.mean() - expected) / (values.std(ddof=1) / math.sqrt(values.size))
    yield Row(
        GROUP, "VRRP pair, MTTF 19 h, MTTR 1 h", f"{expected:.6f}",
        "1 - U^2 - rate of lost masters x 5.8 s, first order", interval(values), f"z = {z:+.2f}",
        Outcome.PASS if abs(z) <= BOUND else Outcome.FAIL,
    )  # fmt: skip


MAKERS = (one_node, all_down, k_of_n, conflict, restarts, moved, pair)
