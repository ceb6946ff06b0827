"""One variant of a scenario as the formulas see it: its homes, and their curves on one grid."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property

import numpy as np

from simulator.analysis.context import Context, context_of
from simulator.exact.answer import RefusedError
from simulator.exact.components import Course, Failing
from simulator.exact.curves import Curve, Grid
from simulator.exact.homes import Choice, Group, Homes
from simulator.scenario.schema import Scenario
from simulator.trace import Floats, Sort
from simulator.world.plan import compile_plan


class Case:
    """What the answers of one variant share, made when it is first asked for."""

    def __init__(self, scenario: Scenario, variant: str) -> None:
        self.plan = compile_plan(scenario, variant)
        self.context: Context = context_of(scenario, variant)
        self.system = scenario.variants[variant]
        self.failing = Failing(self.plan)

    @property
    def window(self) -> float:
        """Seconds measured."""
        return self.context.end - self.context.begin

    def uplink(self, gateway: int) -> Course:
        """The uplink of external network *gateway*; sound for none (-1)."""
        name = f"uplink/{self.plan.external_networks[gateway]}" if gateway >= 0 else ""
        return self.failing.course(self.plan.number[name] if name else -1)

    @cached_property
    def routers(self) -> Places:
        """The routers; raises RefusedError, as all below, if they cannot be told."""
        self.settled()
        if self.plan.enabled("l3_ha"):
            raise RefusedError("VRRP: who is master depends on who failed before")
        self._untouched()
        return Places(self, Sort.ROUTER)

    @cached_property
    def moved(self) -> Places:
        """The routers as they are before an operator moves them."""
        self.settled()
        return Places(self, Sort.ROUTER)

    @cached_property
    def networks(self) -> Places:
        """The networks."""
        self.settled()
        self._untouched()
        return Places(self, Sort.NETWORK)

    def _untouched(self) -> None:
        """Raise RefusedError if an operator changes what is where."""
        if self.system.actions:
            raise RefusedError("acts by hand (`actions`) change what is where")

    def settled(self) -> None:
        """Raise RefusedError if objects come and go, or are no objects of a server's."""
        if self.plan.release.architecture == "multi_host":
            raise RefusedError("nova-network: not answered, each host serves its own VMs")
        if any(change for _, change in self.system.workload.changes):
            raise RefusedError("objects come and go (workload.changes): each is scheduled anew")
        if self.plan.enabled("router_distributed"):
            raise RefusedError("distributed routers are not answered")
        if any(group.agent_mode for group in self.system.hosts.values()):
            raise RefusedError("agent_mode is not answered")
        zones = [group.availability_zone for group in self.system.hosts.values()]
        if any(zones) or self.plan.tenant.hints:
            raise RefusedError("availability zones are not answered")


class Places:
    """The objects of one sort, their nodes, and all their curves on one grid.

    Rows of the arrays are nodes, columns the grid's points. *firsts*: of each node's objects the
    one that is set up first, for what asks whether anything serves.
    """

    def __init__(self, case: Case, sort: Sort) -> None:
        self.case, self.homes = case, Homes(case.failing, sort)
        self.sort = sort
        self.groups = self.homes.groups

    @cached_property
    def grid(self) -> Grid:
        """Points that fit every curve of these objects."""
        return Grid(self.curves, self.case.context.begin, self.case.context.end)

    @cached_property
    def curves(self) -> list[Curve]:
        """Every curve of these objects, their nodes and uplinks."""
        homes, curves = self.homes, list[Curve]()
        for service in [*homes.services, *homes.firsts]:
            curves += [service.host.up, service.attached.up, service.serves.up]
        for node in homes.nodes:
            curves += [node.data.up, node.external.up]
        curves += [self.case.uplink(group.gateway).up for group in self.groups]
        return curves

    def at(self, curves: list[Curve]) -> Floats:
        """The values of *curves*, one row each."""
        return np.array([curve.at(self.grid.times) for curve in curves])

    @cached_property
    def host(self) -> Floats:
        """Each node's host is up."""
        return self.at([service.host.up for service in self.homes.services])

    @cached_property
    def attached(self) -> Floats:
        """Each node has any one of its objects set up."""
        return self.at([service.attached.up for service in self.homes.services])

    @cached_property
    def data(self) -> Floats:
        """Each node's data NIC is up."""
        return self.at([node.data.up for node in self.homes.nodes])

    @cached_property
    def external(self) -> Floats:
        """Each node's external NIC is up."""
        return self.at([node.external.up for node in self.homes.nodes])

    def present(self, *, first: bool = False) -> Floats:
        """Each node has one of its objects wired, and reaches the data network."""
        homes = self.homes
        services = homes.firsts if first else homes.services
        return self.at([service.serves.up for service in services]) * self.data

    def linked(self, gateway: int, *, first: bool = False) -> Floats:
        """As `present`, with a way out as far as the node goes."""
        found = self.present(first=first)
        return found * self.external if gateway >= 0 else found

    def uplink(self, gateway: int) -> Floats:
        """The uplink of external network *gateway* is up."""
        return self.case.uplink(gateway).up.at(self.grid.times)

    # -- objects ---------------------------------------------------------------------------

    def any_of(self, rows: Floats, group: Group) -> Floats:
        """At least one of the nodes of an object of *group* is in a state of that probability."""

        def some(choice: Choice) -> Floats:
            return np.asarray(1 - np.prod(1 - rows[list(choice)], axis=0))

        return self.mixed(group, some)

    def mixed(self, group: Group, of: Callable[[Choice], Floats]) -> Floats:
        """The mean of what *of* gives for the nodes of an object of *group*."""
        parts = [chance * of(choice) for choice, chance in group.choices.items()]
        return np.asarray(np.sum(parts, axis=0))

    def over(self, of: Callable[[Group], Floats]) -> float:
        """The mean over objects and the window of what *of* gives for each group."""
        total = np.sum([group.count * of(group) for group in self.groups], axis=0)
        return self.grid.mean(total) / self.homes.count
