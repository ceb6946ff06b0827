"""What is simulated: the parts of a scenario, frozen and validated.

A `Scenario` is an experiment (how long, how often, which variants); each of its variants is a
complete `System`. Times are seconds, rates bit/s, sizes bytes, shares from 0 to 1.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError, PydanticKnownError

from simulator.scenario.quantities import (
    TAKE_AWAY,
    Duration,
    Frequency,
    Load,
    Model,
    PositiveBitRate,
    PositiveDuration,
    PositivePacketRate,
    PositiveSize,
    ReleaseOrDuration,
    Share,
    TimeDistribution,
    UnlimitedOrBitRate,
)

Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$")]
Count = Annotated[int, Field(ge=0, le=10**12, strict=True)]
PositiveCount = Annotated[int, Field(ge=1, le=10**12, strict=True)]
HostKind = Literal["controller", "network", "compute"]
AgentType = Literal["l3", "dhcp", "l2", "metadata", "lbaas"]
ReleaseName = Literal["nova-network", "folsom", "grizzly"]


def _whole(version: object) -> object:
    """Refuse `true` and `1.0`, which equal 1."""
    if type(version) is not int:
        raise PydanticKnownError("literal_error", {"expected": "1"})
    return version


class Neutron(Model):
    """Quantum's own options, under their own names; unset means the release's default."""

    report_interval: PositiveDuration | None = None
    agent_down_time: PositiveDuration | None = None
    dhcp_lease_duration: PositiveDuration | None = None
    resync_interval: PositiveDuration | None = None
    polling_interval: PositiveDuration | None = None
    periodic_interval: PositiveDuration | None = None
    periodic_fuzzy_delay: Duration | None = None
    rpc_response_timeout: PositiveDuration | None = None
    network_auto_schedule: bool | None = None
    router_auto_schedule: bool | None = None
    send_arp_for_ha: Count | None = None


class Nics(Model):
    """Rates of a host's three NICs."""

    management: PositiveBitRate = 1e9
    data: PositiveBitRate = 10e9
    external: PositiveBitRate = 10e9


class Forwarding(Model):
    """What a host's CPU can forward, whatever its NICs: bit/s, and packets/s if that binds.

    The default is what a 10 G node did untuned: 4 to 5 Gbit/s (OpenStack performance-docs).
    """

    rate: UnlimitedOrBitRate = 4.5e9
    packet_rate: PositivePacketRate | None = None


class HostGroup(Model):
    """Some equal hosts, named `<group>-1`, `<group>-2`, …

    *agents* defaults by kind: network nodes run l3, dhcp, l2 and metadata, compute hosts l2.
    The two l3 options are Quantum's own; they decide which routers a group's L3 agents take.
    """

    kind: HostKind
    count: PositiveCount
    agents: tuple[AgentType, ...] | None = None
    nics: Nics = Nics()
    forwarding: Forwarding = Forwarding()
    gateway_external_network_id: Name | None = None
    handle_internal_only_routers: bool = True

    @property
    def agent_types(self) -> tuple[AgentType, ...]:
        """The agents in force: those given, else those of the kind."""
        if self.agents is not None:
            return self.agents
        defaults: dict[HostKind, tuple[AgentType, ...]] = {
            "controller": (),
            "network": ("l3", "dhcp", "l2", "metadata"),
            "compute": ("l2",),
        }
        return defaults[self.kind]


class ExternalNetwork(Model):
    """A way out: the pool of floating IPs of one provider, and the uplink to it."""

    uplink: PositiveBitRate | None = None


class Broker(Model):
    """The message broker between agents and server.

    *delay* is the time from sending a message to its being processed; *loss* the chance that a
    heartbeat never arrives.
    """

    delay: TimeDistribution | None = None
    loss: Share = 0.0

    @model_validator(mode="after")
    def _something_arrives(self) -> Self:
        if self.loss >= 1:
            raise PydanticCustomError("out_of_range", "loss must be less than 100%")
        return self


class Outage(Model):
    """One scripted outage: the component fails at *at* for *duration*."""

    at: Duration
    duration: PositiveDuration = Field(alias="for")


class Failures(Model):
    """How one kind of component fails: a renewal process, or a list of outages, or `none`."""

    time_to_failure: TimeDistribution | None = None
    time_to_repair: TimeDistribution | None = None
    outages: tuple[Outage, ...] | None = None

    @model_validator(mode="before")
    @classmethod
    def _none(cls, data: object) -> object:
        return {"outages": ()} if data == "none" else data

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        renewal = (self.time_to_failure is not None, self.time_to_repair is not None)
        if self.outages is not None and any(renewal):
            raise PydanticCustomError(
                "one_of",
                "give time_to_failure and time_to_repair, or outages, not both{hint}",
                {"hint": TAKE_AWAY},
            )
        if self.outages is None and not all(renewal):
            raise PydanticCustomError(
                "one_of", "give both time_to_failure and time_to_repair, or outages, or none"
            )
        ends = 0.0
        for outage in sorted(self.outages or (), key=lambda one: one.at):
            if outage.at < ends:
                raise PydanticCustomError("overlap", "outages of one component overlap")
            ends = outage.at + outage.duration
        return self


class Costs(Model):
    """Seconds that agents need for their work. Every default is an assumption unless it says so.

    `release` for a rebuild means the sum of what that release's agent does for one object:
    see `Release.router_cost` and `network_cost`.
    """

    boot: Duration = 0.0
    agent_start: Duration = 1.0
    rest_call: Duration = 0.02
    rpc_call: Duration = 0.05
    plug_interface: Duration = 0.5
    arping: Duration = 3.0
    spawn_dnsmasq: Duration = 0.5
    rebuild_per_router: ReleaseOrDuration = "release"
    rebuild_per_network: ReleaseOrDuration = "release"
    rewire: Duration = 2.0
    address_regain: Duration = 10.0


class PerTenant(Model):
    """What each tenant owns.

    *routers* is a number, or a number by external network. Network i of a tenant hangs on its
    router i modulo their number. *floating_ips* are per router; *vms* and *ports* per network
    (a VM brings one port; *ports* are further ones, without a VM).
    """

    networks: Count = 1
    routers: Count | dict[Name, Count] = 1
    gateway: bool = True
    floating_ips: Count = 1
    vms: Count = 10
    ports: Count = 0


class Profile(Model):
    """One step of a daily load profile: from this time of day, this share of the full load."""

    since: Duration = Field(alias="from")
    factor: Annotated[float, Field(ge=0, allow_inf_nan=False)]


class Traffic(Model):
    """North-south load. *packet_size* decides tunnel overhead and packets per second."""

    per_router: Load = Load(constant=0.0)
    daily: tuple[Profile, ...] = ()
    packet_size: PositiveSize = 1500.0

    @model_validator(mode="after")
    def _a_day(self) -> Self:
        starts = [step.since for step in self.daily]
        if starts and (starts[0] != 0 or starts != sorted(set(starts)) or starts[-1] >= 86400):
            raise PydanticCustomError(
                "profile", "steps must start at 0h and rise, all within one day"
            )
        return self


class Change(Model):
    """Objects that come (a Poisson process) and go (after a lifetime; by default never)."""

    arrivals: Frequency
    lifetime: TimeDistribution | None = None


class Changes(Model):
    """Arrivals and removals during the run, each an API call that meets the scheduler.

    A new tenant brings its networks, routers, floating IPs and VMs. The others join a tenant,
    network or router drawn at random among those alive.
    """

    tenants: Change | None = None
    networks: Change | None = None
    routers: Change | None = None
    ports: Change | None = None
    floating_ips: Change | None = None
    vms: Change | None = None


class Workload(Model):
    """Tenants and what they own at the start, their traffic, and how they change."""

    tenants: Count = 10
    per_tenant: PerTenant = PerTenant()
    traffic: Traffic = Traffic()
    changes: Changes = Changes()


class Action(Model):
    """An act by hand at a given time, under the name of the API operation.

    Names may hold `*`: the act is then done for every match. Where *agent* matches several,
    the operator takes the one with fewest objects that does not host this one yet.
    """

    at: Duration
    op: Literal[
        "add_network_to_agent",
        "remove_network_from_agent",
        "add_router_to_agent",
        "remove_router_from_agent",
        "update_agent",
        "delete_agent",
        "agent_stop",
        "agent_start",
        "create_port",
        "update_router",
        "delete_network",
        "delete_router",
    ]
    agent: str | None = None
    network: str | None = None
    router: str | None = None
    admin_state_up: bool | None = None

    @model_validator(mode="after")
    def _arguments(self) -> Self:
        needs = ACTION_ARGUMENTS[self.op]
        given = {
            name
            for name in ("agent", "network", "router", "admin_state_up")
            if getattr(self, name) is not None
        }
        if given != set(needs):
            raise PydanticCustomError(
                "arguments", "{op} takes {needs}", {"op": self.op, "needs": ", ".join(needs)}
            )
        return self


ACTION_ARGUMENTS: Mapping[str, tuple[str, ...]] = {
    "add_network_to_agent": ("network", "agent"),
    "remove_network_from_agent": ("network", "agent"),
    "add_router_to_agent": ("router", "agent"),
    "remove_router_from_agent": ("router", "agent"),
    "update_agent": ("agent", "admin_state_up"),
    "delete_agent": ("agent",),
    "agent_stop": ("agent",),
    "agent_start": ("agent",),
    "create_port": ("network",),
    "update_router": ("router",),
    "delete_network": ("network",),
    "delete_router": ("router",),
}


class Measures(Model):
    """Choices in what is measured: see `netnode explain`."""

    downtime_limit_per_year: Duration = 3600.0
    conflicted_counts_as: Literal["down", "up"] = "down"


class System(Model):
    """One cluster, completely described: what a variant of a scenario simulates."""

    release: ReleaseName
    neutron: Neutron = Neutron()
    components: Literal["default", "article"] = "default"
    heartbeats: Literal["elided", "explicit"] = "elided"
    broker: Broker = Broker()
    segmentation: Literal["gre", "vxlan", "vlan"] = "gre"
    rates: str | None = None
    failures: dict[str, Failures] = Field(default_factory=dict)
    external_networks: dict[Name, ExternalNetwork] = Field(
        default_factory=lambda: {"public": ExternalNetwork()}
    )
    hosts: dict[Name, HostGroup]
    costs: Costs = Costs()
    workload: Workload = Workload()
    actions: tuple[Action, ...] = ()
    measures: Measures = Measures()


class Experiment(Model):
    """The keys of a scenario file that belong to the experiment, not to a system."""

    version: Annotated[Literal[1], BeforeValidator(_whole)] = 1
    name: Name | None = None
    description: str = ""
    seed: Annotated[int, Field(ge=0, lt=2**64, strict=True)] = 1
    horizon: PositiveDuration
    warm_up: Duration = 0.0
    start: Literal["equilibrium", "all_up"] = "equilibrium"
    replications: PositiveCount = 30
    baseline: str | None = None


class Scenario(Experiment):
    """An experiment: every variant simulated *replications* times over one *horizon*.

    The variants of one replication share the failure streams of every component they have in
    common, so their differences are paired. *source* is the file, for messages only.
    """

    name: Name
    baseline: str
    variants: dict[str, System]
    source: str = Field(default="", exclude=True)

    @property
    def window(self) -> float:
        """Seconds measured: from the end of the warm-up to the horizon."""
        return self.horizon - self.warm_up


def dump(scenario: Scenario) -> dict[str, Any]:
    """*scenario* as plain data that `load` reads back to an equal one."""
    return scenario.model_dump(mode="json", by_alias=True, exclude_none=True)
