"""What is simulated: the parts of a scenario, frozen and validated.

A `Scenario` is an experiment (how long, how often, which variants); each of its variants is a
complete `System`. Times are seconds, rates bit/s, sizes bytes, shares from 0 to 1.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self, TypeAlias

from pydantic import (
    BeforeValidator,
    Field,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
    model_validator,
)
from pydantic_core import PydanticCustomError, PydanticKnownError

from simulator.scenario.options import Neutron
from simulator.scenario.quantities import (
    TAKE_AWAY,
    Duration,
    Model,
    Name,
    PositiveBitRate,
    PositiveCount,
    PositiveDuration,
    PositivePacketRate,
    ReleaseOrDuration,
    Share,
    Switch,
    TimeDistribution,
    UnlimitedOrBitRate,
)
from simulator.scenario.thresholds import Threshold
from simulator.scenario.until import REPLICATION_LIMIT, Until, looks
from simulator.scenario.workload import Workload

HostKind = Literal["controller", "network", "compute"]
AgentType = Literal["l3", "dhcp", "l2", "metadata", "lbaas"]
AgentMode = Literal["legacy", "dvr", "dvr_snat", "dvr_no_external"]
ReleaseName = Literal[
    "nova-network", "folsom", "grizzly", "havana-2013.2.0", "havana-2013.2.1", "havana",
    "icehouse", "juno", "kilo", "liberty", "mitaka", "newton", "ocata", "pike", "queens", "rocky",
    "stein", "train", "ussuri", "victoria", "wallaby", "xena", "yoga", "zed", "2023.1", "2023.2",
    "2024.1", "2024.2", "2025.1", "2025.2", "2026.1", "2026.2",
]  # fmt: skip
"""The names of `simulator/scenario/series.py:RELEASES`."""


def _one_complaint(value: object, fits: ValidatorFunctionWrapHandler) -> Any:
    """What is of none of several kinds is one mistake, not one for each kind."""
    try:
        return fits(value)
    except ValidationError:
        raise PydanticCustomError("behaviour", "no rule or habit has such a value") from None


Behaviour: TypeAlias = Annotated[
    Switch | Name | float | tuple[PositiveCount, ...] | tuple[Name, ...],
    WrapValidator(_one_complaint),
]
"""A value of a rule or habit: a switch, a word, or some numbers or words."""


def _whole(version: object) -> object:
    """Refuse `true` and `1.0`, which equal 1."""
    if type(version) is not int:
        raise PydanticKnownError("literal_error", {"expected": "1"})
    return version


def _written_release(release: object) -> object:
    """A release whose name YAML reads as a number: `2026.2`."""
    return f"{release:g}" if isinstance(release, float) else release


class Nics(Model):
    """Rates of a host's NICs of data; the management NIC's does not matter, only its failures."""

    data: PositiveBitRate = 10e9
    """Rate of the NIC of the tunnels or VLANs, for both directions together."""
    external: PositiveBitRate = 10e9
    """Rate of the NIC towards the external networks, for both directions together."""


class Forwarding(Model):
    """What a host's CPU can forward, whatever its NICs: bit/s, and packets/s if that binds.

    The default is what a 10 G node did untuned: 4 to 5 Gbit/s (OpenStack performance-docs).
    """

    rate: UnlimitedOrBitRate = 4.5e9
    """What the CPU forwards, both directions together; `unlimited` for no limit."""
    packet_rate: PositivePacketRate | None = None
    """What the CPU forwards in packets; unset for no limit."""


class HostGroup(Model):
    """Some equal hosts, named `<group>-1`, `<group>-2`, …

    *agents* defaults by kind: network nodes run l3, dhcp, l2 and metadata, compute hosts l2.
    The two l3 options are Quantum's own; they decide which routers a group's L3 agents take.
    """

    kind: HostKind
    """What the hosts are for; it decides which agents they run by default."""
    count: PositiveCount
    """How many hosts the group has."""
    agents: tuple[AgentType, ...] | None = None
    """Which agents each host runs; default: those of its kind."""
    nics: Nics = Nics()
    """Rates of the NICs of each host."""
    forwarding: Forwarding = Forwarding()
    """What the CPU of each host can forward."""
    gateway_external_network_id: Name | None = None
    """The only external network these L3 agents take routers for; unset: any."""
    handle_internal_only_routers: Switch = True
    """Whether these L3 agents take routers without a gateway."""
    agent_mode: AgentMode | None = None
    """What these L3 agents do with distributed routers (Juno and later); unset: legacy.

    VMs go round the hosts in mode dvr or dvr_no_external, where routers are distributed.
    """
    availability_zone: Name | None = None
    """The availability zone of these agents (Mitaka and later); unset: nova."""

    @model_validator(mode="after")
    def _one_of_each(self) -> Self:
        if self.agents and len(set(self.agents)) < len(self.agents):
            raise PydanticCustomError("duplicate_agent", "an agent is named twice in `agents`")
        return self

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

    @property
    def is_local(self) -> bool:
        """Whether its L3 agents serve distributed routers, and those for their own hosts' VMs."""
        return "l3" in self.agent_types and self.agent_mode in ("dvr", "dvr_no_external")


class ExternalNetwork(Model):
    """A way out: the pool of floating IPs of one provider, and the uplink to it."""

    uplink: PositiveBitRate | None = None
    """Rate of the provider's link, for both directions together; unset for no limit."""


class Broker(Model):
    """The message broker between agents and server.

    *delay* is the time from sending a message to its being processed; *loss* the chance that a
    heartbeat never arrives.
    """

    delay: TimeDistribution | None = None
    """Time from sending a message to its being processed; unset: none."""
    loss: Share = 0.0
    """Chance that a heartbeat never arrives."""

    @model_validator(mode="after")
    def _something_arrives(self) -> Self:
        if self.loss >= 1:
            raise PydanticCustomError("out_of_range", "loss must be less than 100%")
        return self


class Outage(Model):
    """One scripted outage: the component fails at *at* for *duration*."""

    at: Duration
    """When it begins, from the start of the run."""
    duration: PositiveDuration = Field(alias="for")
    """How long it lasts."""


class Failures(Model):
    """How one kind of component fails: a renewal process, or a list of outages, or `none`."""

    time_to_failure: TimeDistribution | None = None
    """From a repair to the next failure."""
    time_to_repair: TimeDistribution | None = None
    """From a failure to its repair."""
    outages: tuple[Outage, ...] | None = None
    """Outages at given times, in place of random ones."""
    orderly: Switch = False
    """Of hosts only: they are shut down in good order, so that VRRP masters resign."""

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
    """From a host's repair until its processes start."""
    agent_start: Duration = 1.0
    """From the start of an agent's process until it works."""
    rest_call: Duration = 0.02
    """One call of the REST API."""
    rpc_call: Duration = 0.05
    """One call over the broker that is answered."""
    plug_interface: Duration = 0.5
    """To plug one interface of a router or of a DHCP server."""
    arping: Duration = 1.0
    """One packet that announces an address; the agent waits for each of send_arp_for_ha."""
    spawn_dnsmasq: Duration = 0.5
    """To start one DHCP server."""
    rebuild_per_router: ReleaseOrDuration = "release"
    """For an L3 agent to set up one router; `release`: what that release needs."""
    rebuild_per_network: ReleaseOrDuration = "release"
    """For a DHCP agent to set up one network; `release`: what that release needs."""
    rewire: Duration = 2.0
    """For an L2 agent that restarted to put its flows back."""
    address_regain: Duration = 10.0
    """For a VM that lost its address to get one once it can."""
    answer_per_router: Duration = 1 / 256
    """For the server to answer for one router of an L3 agent's sync: 1 s for 256 (a08aa3bf2f)."""
    heartbeat: TimeDistribution | None = None
    """For a worker of the server to process a heartbeat, one after the other; unset: none."""
    reschedule: Duration = 0.1
    """For the server to move one router or network off a dead agent, calls to agents apart."""
    promote: Duration = 2.0
    """For a new VRRP master to set up its addresses and routes: the budget in Neutron's source."""
    arp_timeout: Duration = 0.0
    """Until those outside find the master that is left of two; 60s explains 40 to 57 s measured."""


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
"""The operations that an action may name, and what each takes."""

if TYPE_CHECKING:
    Operation: TypeAlias = str
else:
    Operation = Literal[tuple(ACTION_ARGUMENTS)]


class Action(Model):
    """An act by hand at a given time, under the name of the API operation.

    Names may hold `*`: the act is then done for every match. Where *agent* matches several,
    the operator takes the one with fewest objects that does not host this one yet.
    """

    at: Duration
    """When it is done."""
    op: Operation
    """The operation, as the API calls it."""
    agent: str | None = None
    """The agent, as `<host>/<type>`; may hold `*`."""
    network: str | None = None
    """The network's name; may hold `*`."""
    router: str | None = None
    """The router's name; may hold `*`."""
    admin_state_up: Switch | None = None
    """For update_agent: enable or disable."""

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


class Measures(Model):
    """Choices in what is measured: see `netnode explain`."""

    downtime_limit_per_year: Duration = 3600.0
    """A router with more downtime counts in `router.share_over_limit`."""
    conflicted_counts_as: Literal["down", "up"] = "down"
    """Whether a router that two nodes answer for counts as down or as up."""


class System(Model):
    """One cluster, completely described: what a variant of a scenario simulates."""

    release: Annotated[ReleaseName, BeforeValidator(_written_release)]
    """The release of Quantum whose rules hold; `nova-network` for what came before."""
    neutron: Neutron = Neutron()
    """Quantum's own options."""
    behaviour: dict[Name, Behaviour] = Field(default_factory=dict)
    """What server and agents do otherwise than in their release, by the names and with the values
    that `netnode releases show` prints of other releases."""
    components: Literal["default", "article"] = "default"
    """Who reports to the server: the release's own agents, or all the article names."""
    heartbeats: Literal["elided", "explicit"] = "elided"
    """Computed (`elided`) or simulated one by one (`explicit`): the same result."""
    broker: Broker = Broker()
    """What happens to messages on their way."""
    segmentation: Literal["gre", "vxlan", "vlan"] = "gre"
    """How tenants' networks are kept apart; it decides the overhead of each packet."""
    rates: str | None = None
    """A set of failure rates: see `netnode presets`."""
    failures: dict[str, Failures] = Field(default_factory=dict)
    """How components fail, by kind, `kind.sort` or name; what differs from `rates`."""
    external_networks: dict[Name, ExternalNetwork] = Field(
        default_factory=lambda: {"public": ExternalNetwork()}
    )
    """The providers' networks, by name."""
    hosts: dict[Name, HostGroup]
    """Groups of equal hosts, by name."""
    costs: Costs = Costs()
    """Seconds that agents need for their work."""
    workload: Workload = Workload()
    """Tenants, their traffic, and how they change."""
    actions: tuple[Action, ...] = ()
    """Acts by hand during the run."""
    measures: Measures = Measures()
    """Choices in what is measured."""


class Experiment(Model):
    """The keys of a scenario file that belong to the experiment, not to a system."""

    version: Annotated[Literal[1], BeforeValidator(_whole)] = 1
    """The version of the scenario language."""
    name: Name | None = None
    """What the scenario is called; default: its file's name."""
    description: str = ""
    """One line about it."""
    seed: Annotated[int, Field(ge=0, lt=2**64, strict=True)] = 1
    """Same seed, same bits."""
    horizon: PositiveDuration
    """Simulated time of one replication; up to 250y."""
    warm_up: Duration = 0.0
    """Time at the start that is simulated and not measured."""
    start: Literal["equilibrium", "all_up"] = "equilibrium"
    """Components begin in the equilibrium of their failures, or all up."""
    replications: Annotated[int, Field(ge=1, le=REPLICATION_LIMIT, strict=True)] = 30
    """How many independent runs each variant has; with `until`, before the first look."""
    baseline: str | None = None
    """The variant that differences are taken against; default: the first."""
    thresholds: tuple[Threshold, ...] = ()
    """Limits that metrics must keep, as in {metric: router.availability, op: ">=", value: 99.9%};
    `netnode run` and `netnode check` tell whether they do."""
    until: Until | None = None
    """What is to be reached before a run ends: half-widths, or decisions on thresholds."""


class Scenario(Experiment):
    """An experiment: every variant simulated *replications* times over one *horizon*.

    The variants of one replication share the failure streams of every component they have in
    common, so their differences are paired. *source* is the file, and *threshold_places* has the
    `file:line` of each threshold: for messages only.
    """

    name: Name
    baseline: str
    variants: dict[str, System]
    source: str = Field(default="", exclude=True)
    threshold_places: tuple[str, ...] = Field(default=(), exclude=True)

    @property
    def looks(self) -> tuple[int, ...]:
        """After how many replications it is seen whether to end; after the last it ends anyhow."""
        return looks(self.replications, self.until.most) if self.until else (self.replications,)

    @property
    def window(self) -> float:
        """Seconds measured: from the end of the warm-up to the horizon."""
        return self.horizon - self.warm_up


def dump(scenario: Scenario) -> dict[str, Any]:
    """*scenario* as plain data that `load` reads back to an equal one."""
    return scenario.model_dump(mode="json", by_alias=True, exclude_none=True)


MODEL = ("horizon", "warm_up", "start", "variants")
"""The keys of a scenario that decide what can happen in it; the others say how often it is run."""


def model_part(scenario: Scenario) -> dict[str, Any]:
    """What decides the events of *scenario* besides its seed, as plain data without defaults.

    Without them, a key that a later version adds leaves the scenarios of today as they are.
    """
    return scenario.model_dump(
        mode="json", by_alias=True, exclude_defaults=True, include=set(MODEL)
    )
