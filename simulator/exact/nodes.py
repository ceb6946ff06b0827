"""Nodes: when a host is up, has an object set up, and has it wired, for any laws that can be told.

Three cases have an exact answer. Nothing that matters fails: always. Only the host does: it serves
while it is up and has been for the delay of what must be set up again (renewal-reward, any laws).
Or host and agents do, exponentially, and agents need no time: a Markov chain of host, agent, L2
agent, and whether the object is set up and wired.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from typing import NamedTuple

import numpy as np

from simulator.exact import delays
from simulator.exact.answer import RefusedError
from simulator.exact.chains import Chain
from simulator.exact.components import SOUND, Course, Failing
from simulator.exact.curves import Curve
from simulator.trace import Floats, Sort


@dataclass(frozen=True)
class Service:
    """How far a node is with an object: its host is up, has it set up, has it wired (`serves`).

    Each course is within the one before; *method* says how they were found.
    """

    host: Course
    attached: Course
    serves: Course
    method: str


class State(NamedTuple):
    """A node in the chain: what is up, and whether the object is set up and wired."""

    host: bool
    agent: bool
    l2: bool
    attached: bool
    wired: bool


@dataclass(frozen=True)
class Node:
    """One host that runs agents of the type that serves objects of one *sort*.

    *agent* and *l2* are component numbers; *l2* is -1 where there is none.
    """

    failing: Failing
    sort: Sort
    place: int
    agent: int

    @property
    def host(self) -> int:
        """The host's component number."""
        return int(self.failing.plan.nodes.host[self.place])

    @property
    def l2(self) -> int:
        """The L2 agent's component number; -1 for none."""
        return int(self.failing.plan.nodes.l2[self.place])

    @property
    def name(self) -> str:
        """The host's name."""
        return self.failing.name(self.host)

    @cached_property
    def data(self) -> Course:
        """The data NIC."""
        return self.failing.course(int(self.failing.plan.nodes.data_nic[self.place]))

    @cached_property
    def external(self) -> Course:
        """The external NIC."""
        return self.failing.course(int(self.failing.plan.nodes.external_nic[self.place]))

    @property
    def restarts(self) -> list[str]:
        """The names of what fails whose return lets agents of this node do their work anew."""
        parts = [part for part in (self.host, *self._agents) if self.failing.law(part)]
        return [self.failing.name(part) for part in parts]

    @property
    def _agents(self) -> list[int]:
        """The agents whose restarts matter though the host is up, and all if it can fail."""
        habits = self.failing.plan.release.habits
        wipes = self.sort == Sort.ROUTER and habits.l3_restart_wipes
        if self.failing.law(self.host):
            return [self.agent, self.l2] if self.l2 >= 0 else [self.agent]
        found = [self.agent] if wipes else []
        if self.l2 >= 0 and (habits.l2_restart_flushes or (wipes and self.failing.law(self.agent))):
            found.append(self.l2)
        return found

    def service(self, waits: Mapping[float, float]) -> Service:
        """How far the node is, when an object is set up after *waits*, with probabilities."""
        failing = [part for part in self._agents if self.failing.law(part)]
        if not failing:
            return self._without_agents(waits)
        plan = self.failing.plan
        slow = set(waits) != {0.0} or (self.l2 >= 0 and delays.wiring(plan) > 0)
        if slow or delays.after_boot(plan) > 0:
            names = " and ".join(self.failing.name(part) for part in failing)
            raise RefusedError(
                f"{names} can fail, and agents need time to start and to set up (costs, "
                "periodic_fuzzy_delay): only hosts that fail have a closed form then"
            )
        return self._by_chain()

    def _without_agents(self, waits: Mapping[float, float]) -> Service:
        """Only the host fails, or nothing."""
        if self.failing.law(self.host) is None:
            return Service(SOUND, SOUND, SOUND, "nothing that it needs fails")
        plan, wired = self.failing.plan, dict(waits)
        if self.l2 >= 0:
            flows = delays.after_boot(plan) + delays.wiring(plan)
            wired = {}
            for seconds, chance in waits.items():
                later = max(seconds, flows)
                wired[later] = wired.get(later, 0.0) + chance
        host = self.failing.course(self.host)
        method = "renewal-reward with delays after repair" if any(wired) else "alternating renewal"
        return Service(
            host,
            self.failing.course(self.host, waits) if any(waits) else host,
            self.failing.course(self.host, wired) if any(wired) else host,
            method,
        )

    # -- the chain -------------------------------------------------------------------------

    def _by_chain(self) -> Service:
        chain, first = self._chain
        host, attached, serves = (
            _course(chain, first, chain.where(holds))
            for holds in (
                lambda s: s.host,
                lambda s: s.host and s.attached,
                lambda s: s.host and s.wired,
            )
        )
        return Service(host, attached, serves, f"Markov chain of {chain.size} states")

    @cached_property
    def _chain(self) -> tuple[Chain[State], Floats]:
        """The chain and its law at time zero: what a host that is up should have is set up."""
        firsts = self._firsts()
        chain = Chain(firsts, self._steps)
        return chain, chain.vector(firsts)

    def _firsts(self) -> dict[State, float]:
        parts = (self.host, self.agent, self.l2)
        chances = [self._up_first(part) for part in parts]
        found = {}
        for ups in product((True, False), repeat=3):
            chance = np.prod([c if up else 1 - c for c, up in zip(chances, ups, strict=True)])
            if chance > 0:
                host, agent, l2 = ups
                found[State(host, agent, l2, attached=host, wired=host)] = float(chance)
        return found

    def _up_first(self, part: int) -> float:
        fail, repair = self.failing.rates(part)
        stationary = self.failing.plan.equilibrium and fail > 0
        return repair / (fail + repair) if stationary else 1.0

    def _steps(self, state: State) -> Iterator[tuple[State, float]]:
        """What may happen next, each at its rate, 1/s."""
        for number, part in enumerate((self.host, self.agent, self.l2)):
            fail, repair = self.failing.rates(part)
            up = state[number]
            if fail:
                ups = [not up if place == number else state[place] for place in range(3)]
                host, agent, l2 = ups
                turned = self._turned(state, State(host, agent, l2, attached=False, wired=False))
                yield turned, fail if up else repair

    def _turned(self, before: State, after: State) -> State:
        """*after* with what is set up and wired; agents that start do their work at once.

        A starting agent sets up what is not, an L3 agent that wipes sets everything up anew. What
        is set up while no L2 agent runs has no wire until one does.
        """
        if not after.host:
            return after
        runs, ran = after.agent, before.host and before.agent
        wipes = self.sort == Sort.ROUTER and self.failing.plan.release.habits.l3_restart_wipes
        attached, wired = before.host and before.attached, before.host and before.wired
        if runs and not ran and (wipes or not attached):
            attached, wired = True, False
        return after._replace(attached=attached, wired=attached and (wired or after.l2))


def _course(chain: Chain[State], first: Floats, holds: Floats) -> Course:
    """The probability of the states that *holds* marks, and the rate at which they are left."""
    leaving = holds * (chain.generator @ (1 - holds))

    def up(times: Floats) -> Floats:
        return np.asarray(chain.later(first, times) @ holds)

    def falls(times: Floats) -> Floats:
        return np.asarray(chain.later(first, times) @ leaving)

    return Course(Curve(up, chain.bends), Curve(falls, chain.bends))
