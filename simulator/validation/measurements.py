"""What was measured on real clouds, where the same situation can be set up: is it contained?"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from simulator.trace import Floats, Kind
from simulator.validation.rows import FREE, Effort, Row, measured, nodes, outage, scene, within

GROUP = "measured"
LIBERTY = "openstack/performance-docs, l3_ha, Liberty: reboots of the active controller"
MITAKA = "openstack/performance-docs, l3_ha, Mitaka: reboots (LP 1597461)"
BROKER = "openstack/performance-docs, mq_ha: worst call when a master broker is killed, 20.06 s"


def orderly(effort: Effort) -> Iterator[Row]:
    """A master's node is shut down in good order: nine of eleven runs lost 3 pings, 1 s apart."""
    lost = _lost(effort, off=3600, wired=0)
    yield within(
        GROUP, "VRRP, master shut down in good order", float(np.median(lost)), 2, 4,
        expected="3 pings at 1/s", source=LIBERTY, found=_span(lost),
    )  # fmt: skip


def reboot(effort: Effort) -> Iterator[Row]:
    """It comes back with its L3 agent before its L2 agent: two masters."""
    lost = np.concatenate([_lost(effort, off=off, wired=10) for off in (10, 15, 20, 60)])
    contained = lost.min() < 41.5 and lost.max() > 57
    yield within(
        GROUP, "VRRP, a node back with its L2 agent 10 s behind", float(contained), 1, 1,
        expected="41.5 s in the median, 57 s at most", source=MITAKA, found=_span(lost),
    )  # fmt: skip
    lost = _lost(effort, off=60, wired=0)
    yield within(
        GROUP, "the same, L2 agent started first", float(np.median(lost)), 2, 4,
        expected="3 s", source=MITAKA, found=_span(lost),
    )  # fmt: skip


def _span(lost: Floats) -> str:
    return f"{lost.min():.3g} to {lost.max():.3g} s"


def _lost(effort: Effort, *, off: float, wired: float) -> Floats:
    """Seconds that each router loses to the reboot of its master's node, off for so long.

    All routers have it as their master, since the other node was lost before and came back.
    """
    failures = {
        "network-1": outage(100, 300),
        "network-2": {**outage(1000, off), "orderly": True},
        **({"network-2/l2": outage(1000, off + wired)} if wired else {}),
    }
    given = scene(
        "reboot", release="mitaka", start="all_up", horizon="6000s", hosts=nodes(2, ["l3", "l2"]),
        neutron={"l3_ha": True, "periodic_fuzzy_delay": "0s"}, failures=failures,
        costs={**FREE, "promote": "2s", "arp_timeout": "60s"},
        workload={"tenants": 1, "per_tenant": {"routers": effort.of(50, 4), "networks": 0}},
    )  # fmt: skip
    (one,) = measured(given)
    rows = one.history.router_outages
    late = rows.start >= 1000
    return np.bincount(rows.owner[late], weights=rows.length[late]).astype(np.float64)


def broker(effort: Effort) -> Iterator[Row]:
    """A broker is away for 20.06 s: harmless at 75 s, and all agents look dead at 5 s."""
    del effort
    for release, share in (("grizzly", 1.0), ("havana", 0.0)):
        given = scene("broker", release=release, start="all_up", horizon="3000s",
                      hosts=nodes(20), failures={"broker": outage(1000, 20.06)})  # fmt: skip
        (one,) = measured(given)
        down = one.trace.of(Kind.AGENT_DOWN)
        found = np.unique(down.subject[down.time > 0]).size / 20
        word = "all" if share else "no"
        yield within(
            GROUP, f"broker away for 20.06 s, {word} agents look dead in {release}", found,
            share, share, expected=f"{share:.0%}", source=BROKER, found=f"{found:.0%}",
        )  # fmt: skip


MAKERS = (orderly, reboot, broker)
