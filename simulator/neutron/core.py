"""What every part of the server stands on: its tables, its schedulers, its rules."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from simulator.neutron import errors
from simulator.neutron.distributed import Distributed
from simulator.neutron.records import Agent, Decision, Id, Network, Router
from simulator.neutron.rules import Rules
from simulator.neutron.schedulers import Draws
from simulator.neutron.scheduling import Scheduling
from simulator.neutron.tables import Tables


class Core:
    """One server's tables and schedulers; the requests stand in the classes that extend it."""

    def __init__(
        self,
        rules: Rules,
        *,
        draws: Callable[[Id], Draws],
        heard: Callable[[Agent, float], float] | None = None,
        on_decision: Callable[[Decision], Iterable[str] | None] | None = None,
        on_bind: Callable[[Id, str, bool], None] | None = None,
        on_notice_down: Callable[[str], None] | None = None,
        load: Callable[[Agent, float], int] | None = None,
        order: Callable[[Sequence[Id]], Sequence[Id]] = lambda targets: targets,
    ) -> None:
        self.rules = rules
        self.tables = Tables(rules, heard=heard, on_bind=on_bind, on_notice_down=on_notice_down)
        self.scheduling = Scheduling(self.tables, rules, draws, on_decision, load, order=order)
        self.distributed = Distributed(self.tables)

    @property
    def agents(self) -> dict[str, Agent]:
        """The agents table."""
        return self.tables.agents

    @property
    def networks(self) -> dict[Id, Network]:
        """All networks."""
        return self.tables.networks

    @property
    def routers(self) -> dict[Id, Router]:
        """All routers."""
        return self.tables.routers

    def _accepts(self, agent: Agent) -> bool:
        """Whether an agent's admin state lets it serve, and be given objects by hand.

        Source: services_available, neutron/db/agentschedulers_db.py (Kilo).
        """
        return agent.admin_state_up or self.rules.enable_services_on_agents_with_admin_state_down

    def zones(self, agent_type: str, hints: Iterable[str]) -> tuple[str, ...]:
        """*hints* or the default zones, each of which must be that of some agent of that type.

        Source: get_az_hints, neutron/common/utils.py at 29.0.0, and validate_availability_zones,
        neutron/db/agents_db.py.
        """
        hints = tuple(hints) or self.rules.default_availability_zones
        known = {agent.zone for agent in self.tables.of_type(agent_type)}
        for hint in hints:
            if hint not in known:
                raise errors.AvailabilityZoneNotFound(hint)
        return hints
