"""Laws of times that follow from clocks with random phases."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from simulator.trace import Floats, Kind
from simulator.validation.rows import (
    Effort,
    Outcome,
    Row,
    law,
    measured,
    nodes,
    outage,
    scene,
    within,
)

GROUP = "timing"
LIMITS = {
    "grizzly": (1.0, 5.0), "havana-2013.2.1": (5.0, 9.0), "havana": (45.0, 75.0),
    "2026.2": (45.0, 75.0),
}  # fmt: skip
ONE_MASTER = 2 * 2 + (256 - 50) / 256


def uniform(low: float, high: float) -> object:
    """The distribution function of a uniform time."""
    return lambda times: np.clip((np.asarray(times) - low) / (high - low), 0, 1)


def rescheduled(times: Floats) -> Floats:
    """The law of 2 x 75 s - U(0, 30 s) + U(0, 37 s): when Juno moves routers off a dead agent."""
    steps = np.linspace(0, 1, 2001)[None, :]
    inner = np.clip((np.asarray(times)[:, None] - 120 - 30 * steps) / 37, 0, 1)
    return np.asarray(np.trapezoid(inner, dx=1 / 2000, axis=1))


def detection(effort: Effort) -> Iterator[Row]:
    """agent_down_time - U(0, report_interval): hosts with two agents fail at once."""
    for release, (low, high) in LIMITS.items():
        given = scene("detection", release=release, start="all_up", horizon="1h",
                      hosts=nodes(effort.of(250, 8), ["l3", "dhcp"]),
                      failures={"host.network": outage(2000, 900)})  # fmt: skip
        (one,) = measured(given)
        yield law(
            GROUP, f"a dead agent looks down, {release}", one.detections,
            expected=f"U({low:g}, {high:g}) s, mean {(low + high) / 2:g}",
            source="agent_down_time - U(0, report_interval)", bounds=(low, high),
            cdf=uniform(low, high), mean=(low + high) / 2,  # type: ignore[arg-type]
        )  # fmt: skip


def failover_start(effort: Effort) -> Iterator[Row]:
    """The first router that a pass moves off a node that died."""
    given = scene("failover", release="juno", start="all_up", horizon="2000s", hosts=nodes(2),
                  replications=effort.of(250),
                  workload={"tenants": 6, "per_tenant": {"networks": 0}},
                  neutron={"allow_automatic_l3agent_failover": True},
                  failures={"network-1": outage(1000, 900)})  # fmt: skip
    bound = (one.trace.of(Kind.BOUND).time for one in measured(given))
    times = np.array([one[one > 1000].min() - 1000 for one in bound if (one > 1000).any()])
    yield law(
        GROUP, "failover begins, Juno on", times, expected="120 to 187 s, mean 153.5",
        source="2 x 75 s - U(0, 30) + U(0, 37)", bounds=(120, 187), cdf=rescheduled, mean=153.5,
    )  # fmt: skip


def takeover(effort: Effort) -> Iterator[Row]:
    """A VRRP backup takes over after power loss."""
    given = scene("vrrp", release="mitaka", start="all_up", neutron={"l3_ha": True},
                  hosts=nodes(2, ["l3", "l2"]),
                  workload={"tenants": effort.of(12, 4),
                            "per_tenant": {"routers": 100, "networks": 0}},
                  failures={"network-1": outage(1000, 3600)})  # fmt: skip
    (one,) = measured(given)
    low = ONE_MASTER
    yield law(
        GROUP, "VRRP takeover after power loss, advertisements 2 s apart",
        one.history.router_outages.length, expected="U(4.8, 6.8) s, mean 5.8",
        source="3 a + (256 - 50) / 256 - U(0, a)", bounds=(low, low + 2),
        cdf=uniform(low, low + 2), mean=low + 1,  # type: ignore[arg-type]
    )  # fmt: skip


def leases(effort: Effort) -> Iterator[Row]:
    """The share of VMs without an address, so long after the loss of their DHCP server."""
    del effort
    for time, share in ((500.0, 0.0), (600.0, 0.2), (750.0, 0.5), (900.0, 0.8), (1200.0, 1.0)):
        found = _vm_seconds(time + 0.5) - _vm_seconds(time - 0.5)
        yield within(
            GROUP, f"VMs without address {time / 1000:g} leases after DHCP was lost", found,
            share - 1e-3, share + 1e-3, expected=f"{share:g}",
            source="clip((t - L/2) / (L/2), 0, 1)", found=f"{found:.6f}",
        )  # fmt: skip


def _vm_seconds(after: float) -> float:
    """VM-seconds without an address, of one VM with a lease of 1000 s, until so long after."""
    given = scene("leases", release="folsom", start="all_up", horizon=f"{2000 + after}s",
                  hosts=nodes(1, ["l3", "dhcp", "l2"]), neutron={"dhcp_lease_duration": "1000s"},
                  workload={"tenants": 1, "per_tenant": {"vms": 1}},
                  failures={"network-1/data": outage(2000, 86400)})  # fmt: skip
    (one,) = measured(given)
    return one.leases.without_address()


def false_down(effort: Effort) -> Iterator[Row]:
    """How often a healthy agent looks down when heartbeats are late by exponential times.

    Silent for over D after heartbeat 0: all later ones, j R after it, come after X0 + D, so the
    chance is E[product over j of P(X > X0 + D - j R)] for each heartbeat.
    """
    mean, interval, limit, days = 0.5, 4.0, 5.0, 5 * effort.of(1)
    given = scene("flapping", start="all_up", horizon=f"{days}d", hosts=nodes(4),
                  broker={"delay": {"exponential": {"mean": f"{mean}s"}}})  # fmt: skip
    (one,) = measured(given)
    count = 4 * days * 86400 / interval
    seen, chance = float(one.belief.false_downs.owner.size), _silent(mean, interval, limit)
    z = (seen / count - chance) / np.sqrt(chance * (1 - chance) / count)
    yield Row(
        GROUP, "false down by a heartbeat, delays 0.5 s in the mean, 4 s and 5 s",
        f"{chance:.6f}", "exponential delays (0.068 when only the next heartbeat counts)",
        f"{seen / count:.6f}", f"z = {z:+.2f}", Outcome.PASS if abs(z) <= 4 else Outcome.FAIL,
    )  # fmt: skip


def _silent(mean: float, interval: float, limit: float) -> float:
    """The integral over the delay of one heartbeat, in steps of its probability."""
    steps = (np.arange(200_000) + 0.5) / 200_000
    first = -mean * np.log1p(-steps)
    chance = np.ones(steps.size)
    for later in range(1, 40):
        chance *= np.exp(-np.maximum(first + limit - later * interval, 0.0) / mean)
    return float(chance.mean())


MAKERS = (detection, failover_start, takeover, leases, false_down)
