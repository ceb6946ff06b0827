"""What an L3 agent does with a router that it is told of.

Grizzly's notice carries the router. Since Havana it carries names, and the agent asks for each
router by a call (sync_routers). What becomes of one that fails is a habit: a full sync, the same
call again, or an end after some tries.

Assumed: an agent asks for all at a time (in Neutron as many as it has threads, which also set the
routers up), and the server needs no time for the answer but `costs.rpc_call`. An agent whose row
was deleted is refused at once; if it asks for ever, it does so every report_interval.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Sequence
from typing import Any

from simpy import Event

from simulator.clock import Rank
from simulator.neutron.records import COMPUTE_MODES
from simulator.neutron.server import Server
from simulator.world.agents import Agent
from simulator.world.plan import Plan

TRIES = 6
"""An update starts with 5 and loses one each time it is queued; one that fails below 0 is given up.
Source: neutron/agent/l3/router_processing_queue.py at 10.0.7,
neutron/agent/common/resource_processing_queue.py at 29.0.0."""


ROUTERS = "sync_routers"
"""The call that asks for routers, of a sync or one by one."""


class Fetch:
    """One router that an agent asks for in its *life*: calls so far, and if it was told *again*.

    What it is told while it asks makes it ask anew after that. Source: ExclusiveRouterProcessor,
    neutron/agent/l3/router_processing_queue.py at 10.0.7.
    """

    __slots__ = ("again", "life", "tries")

    def __init__(self, life: int) -> None:
        self.life = life
        self.again = False
        self.tries = 0


class Fetching:
    """The routers that L3 agents ask for.

    *set_up* is what an agent does with routers that it is given, *resync* has it sync in full.
    """

    def __init__(
        self,
        plan: Plan,
        server: Server,
        *,
        set_up: Callable[[Agent, Sequence[int]], None],
        resync: Callable[[Agent], None],
    ) -> None:
        self._habits = plan.release.habits
        self._pause = plan.seconds("report_interval") if plan.release.has_scheduler else 0.0
        self._takes_time = plan.cost("rpc_call") > 0
        self._server = server
        self._set_up, self._resync = set_up, resync
        self._open: dict[tuple[int, int], Fetch] = {}
        self._short: set[tuple[int, int]] = set()  # agents that gave up and lack it: in which life

    def tell(self, agent: Agent, routers: Sequence[int]) -> None:
        """*agent* was told of *routers*, all at this instant."""
        agent.hear(routers)
        if self._habits.l3_updates == "told":
            self._apply(agent, routers)
            return
        known = [router for router in routers if self.asks(agent, router)] if self._open else []
        for router in known:
            self._open[agent.component, router].again = True
        asking = [router for router in routers if router not in known] if known else routers
        if self._takes_time or not agent.control.in_contact(agent) or self._is_unknown(agent):
            for router in asking:
                fetch = self._open[agent.component, router] = Fetch(agent.life)
                agent.cluster.env.process(self._ask(agent, router, fetch))
        elif asking:
            agent.control.answered(agent)
            self._take(agent, asking)

    def _apply(self, agent: Agent, routers: Sequence[int]) -> None:
        """Do as notices say that carry *routers*.

        The server tells a compute host's agent of ports without asking whether it is enabled: it is
        given nothing if it is not.
        """
        row = self._server.agents.get(agent.name)
        if row is not None and row.mode in COMPUTE_MODES:
            self._take(agent, routers)
        else:
            self._set_up(agent, routers)

    def asks(self, agent: Agent, router: int) -> bool:
        """Whether *agent* was told of *router* and asks for it."""
        fetch = self._open.get((agent.component, router))
        return fetch is not None and fetch.life == agent.life

    def forget(self, agent: Agent, routers: Iterable[int]) -> None:
        """*agent* was told that it has *routers* no longer."""
        for router in routers if self._open else ():
            self._open.pop((agent.component, router), None)

    def _ask(self, agent: Agent, router: int, fetch: Fetch) -> Generator[Event, Any, None]:
        """Call until there is an answer, or the agent gives up."""
        over = False
        while not over and self._lasts(agent, router, fetch):
            fetch.again, fetch.tries = False, fetch.tries + 1
            answered = yield from agent.control.call(agent, fetch.life, method=ROUTERS)
            if not self._lasts(agent, router, fetch):
                break
            if answered and not self._is_unknown(agent):
                self._take(agent, [router])
                fetch.tries, over = 0, not fetch.again
            elif fetch.again:
                fetch.tries = 0
            else:
                over = self._gives_up(agent, router, fetch.tries)
                if answered and not over and self._habits.l3_retry == "for_ever":
                    soon = agent.cluster.env.now + self._pause
                    yield agent.cluster.until(soon, Rank.AGENT, agent.component)
        if self._open.get((agent.component, router)) is fetch:
            del self._open[agent.component, router]
        self._rest(agent, fetch.life)

    def _lasts(self, agent: Agent, router: int, fetch: Fetch) -> bool:
        """Whether the process lives that asks, and has not been told that the router is gone."""
        known = self._open.get((agent.component, router))
        return agent.life == fetch.life and known is fetch

    def _is_unknown(self, agent: Agent) -> bool:
        """Whether the server refuses to answer, for the agent has no row.

        Source: list_active_sync_routers_on_active_l3_agent, neutron/db/l3_agentschedulers_db.py.
        """
        return agent.name not in self._server.agents

    def _take(self, agent: Agent, routers: Sequence[int]) -> None:
        """The server's answers: each of *routers*, or that it is not this agent's (any more)."""
        self._short.discard((agent.component, agent.life))
        given = self._server.given(agent.name, only=routers)
        if len(given) == len(routers):
            self._set_up(agent, routers)
            return
        for router in routers:
            if router in given:
                self._set_up(agent, [router])
            else:
                agent.remove([router])

    def _gives_up(self, agent: Agent, router: int, tries: int) -> bool:
        """After a call that failed: whether it was the last one.

        Source: _resync_router, neutron/agent/l3/agent.py at 10.0.7 and later.
        """
        habits = self._habits
        if habits.l3_retry == "sync":
            self._resync(agent)
            return True
        if habits.l3_retry == "for_ever" or tries < TRIES:
            return False
        if habits.l3_gives_up == "deletes":
            agent.remove([router])
        if router not in agent.configured:
            self._short.add((agent.component, agent.life))
        return True

    def _rest(self, agent: Agent, life: int) -> None:
        """If *agent* asks for nothing any more, it waits for nobody.

        One that has not set up what it could not ask for waits until it is answered again.
        """
        short = (agent.component, life) in self._short
        if not agent.waiting or agent.life != life or agent.syncing or short:
            return
        if not any(component == agent.component for component, _ in self._open):
            agent.control.answered(agent)
