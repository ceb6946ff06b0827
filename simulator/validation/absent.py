"""Published answers about what the model does not have: listed, never left out."""

from __future__ import annotations

from collections.abc import Iterator

from simulator.validation.rows import Outcome, Row

GROUP = "not modelled"
ABSENT = (
    ("all down, one repair crew, n = 2, 3, 4", "3.174502e-5, 3.794105e-7, 6.046092e-9",
     "Markov chain with one crew", "repair crews: every component is repaired on its own"),
    ("node availability, one crew", "0.996000127, 0.995984193, 0.995968132",
     "Markov chain with one crew", "repair crews"),
    ("active and standby, one crew, failover 5.8 s", "0.999966650",
     "Markov chain with one crew", "repair crews"),
    ("the same, coverage 0.95, 15 min by hand", "0.999954284",
     "Markov chain with coverage", "failovers that fail by chance"),
    ("the same, failover 153.5 s, coverage 1 and 0.95", "0.999925792, 0.999915469",
     "Markov chain with coverage", "repair crews, failovers that fail by chance"),
    ("workstation cluster, N = 2, premium quality", "0.9999615335623628",
     "Haverkort, Hermanns, Katoen, SRDS 2000", "one repairman; switches and a backbone"),
    ("workstation cluster, below minimum at 20 h", "2.2016e-6",
     "Haverkort, Hermanns, Katoen, SRDS 2000", "one repairman; switches and a backbone"),
    ("machine shop, parts made in 4 weeks", "3251, 3273, 3242, ...",
     "SimPy's documentation, seed 42", "a pre-emptible repairman; what machines make"),
    ("management NIC of a controller cut", "API gone for 358 s",
     "performance-docs, reliability, Fuel 9", "the API's own failover between controllers"),
    ("controller rebooted, back to normal", "286.9 s",
     "performance-docs, reliability, Fuel 9", "how long a reboot takes is given, not found"),
    ("legacy routers under agent restarts", "50 to 95 lost samples",
     "performance-docs, Shaker", "load on the agents' hosts; the tool that moved routers"),
    ("L3 HA beyond 227 routers on 6 cores", "recovery fails",
     "performance-docs, l3_ha", "hosts that run out of CPU"),
    ("failovers that did not heal", "1 of 5",
     "performance-docs, reliability, version 1", "failovers that fail by chance"),
)  # fmt: skip


def absent() -> Iterator[Row]:
    """A row for each: what was published, who said so, and what it would take."""
    for what, published, source, missing in ABSENT:
        yield Row(GROUP, what, published, source, "", missing, Outcome.NOT_MODELLED)
