"""How components fail and are repaired: one process a component.

To add a kind of process, write a class that drives `cluster.fail` and `cluster.repair` and give
it a line in FAILURES.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from simulator.clock import TICK, Rank, quantize
from simulator.world.cluster import Cluster, Timer
from simulator.world.plan import Renewal, Script
from simulator.world.spans import joined
from simulator.world.streams import CRASH, Streams


class RenewalProcess:
    """An alternating renewal process on the calendar: it runs whether or not others hold.

    In equilibrium it starts failed with probability MTTR / (MTTF + MTTR), and with the forward
    recurrence time of that state. Draws 0 to 2 are for the start, the others follow in order.
    """

    def __init__(self, cluster: Cluster, plan: Renewal, streams: Streams) -> None:
        self._cluster = cluster
        self._plan = plan
        self._timer = Timer(cluster.env, plan.component, self._turn)
        self._draws = streams.stream(plan.entity, CRASH)
        self._failed = False

    def start(self) -> None:
        """Begin at time zero."""
        plan = self._plan
        state, u, v = (self._draws.uniform() for _ in range(3))
        if not self._cluster.plan.equilibrium:
            self._arm(plan.time_to_failure.sample(u))
            return
        up, down = plan.time_to_failure.mean, plan.time_to_repair.mean
        if state * (up + down) < up:
            self._arm(plan.time_to_failure.residual(u, v))
        else:
            self._failed = True
            self._cluster.fail(plan.component, plan.cause)
            self._arm(plan.time_to_repair.residual(u, v))

    def _turn(self) -> None:
        self._failed = not self._failed
        if self._failed:
            self._cluster.fail(self._plan.component, self._plan.cause)
            self._arm(self._plan.time_to_repair.sample(self._draws.uniform()))
        else:
            self._cluster.repair(self._plan.component, self._plan.cause)
            self._arm(self._plan.time_to_failure.sample(self._draws.uniform()))

    def _arm(self, delay: float) -> None:
        delay = max(quantize(delay), TICK)
        if self._cluster.env.now + delay < self._cluster.plan.horizon:
            self._timer.arm(delay, Rank.REPAIR if self._failed else Rank.FAIL)


class ScriptProcess:
    """Outages at given times."""

    def __init__(self, cluster: Cluster, plan: Script, streams: Streams) -> None:
        self._cluster = cluster
        self._plan = plan

    def start(self) -> None:
        """Begin at time zero. An outage that starts where another ends prolongs it."""
        cluster, component, cause = self._cluster, self._plan.component, self._plan.cause
        for begin, end in joined(self._plan.outages):
            if begin == 0:
                cluster.fail(component, cause)
            else:
                cluster.at(begin, Rank.FAIL, component, lambda: cluster.fail(component, cause))
            cluster.at(end, Rank.REPAIR, component, lambda: cluster.repair(component, cause))


FAILURES: Mapping[type, Callable[[Cluster, Any, Streams], Any]] = {
    Renewal: RenewalProcess,
    Script: ScriptProcess,
}
