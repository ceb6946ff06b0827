"""From lists and what is known about them to a `Cloud`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from simulator.exports.binding import Bindings, Listing
from simulator.exports.cloud import HOSTS, Agent, Binding, Cloud, Network, Router
from simulator.exports.columns import DIALECTS
from simulator.exports.commands import Request
from simulator.exports.faults import Fault, shown
from simulator.exports.lists import Found, Row
from simulator.exports.merging import merged

HOSTED = {"hosted_networks": "networks", "hosted_routers": "routers"}
"""Fields of an agent's row, and the kind of object they name."""


@dataclass(frozen=True)
class Claim:
    """That *found* lists agents or objects of *subject*, an id or name (empty: of nothing, all).

    *request*: what was asked for, if a record tells; else somebody said so.
    """

    found: Found
    request: Request | None
    subject: str


class Objects:
    """The objects by kind and id, and by name where it is nobody else's."""

    def __init__(self, found: Sequence[Found], warnings: list[str]) -> None:
        rows: dict[str, list[Row]] = defaultdict(list)
        for one in found:
            rows[one.kind or ""] += [row for row in one.rows if "id" in row.fields]
        self.rows = rows
        fields = {k: merged(k, rows[k], warnings) for k in ("agents", "networks", "routers")}
        subnets = _by_network(merged("subnets", rows["subnets"], warnings))
        self.agents = {key: Agent(**{"label": "", "host": "", **told}) for key, told in
                       fields["agents"].items()}  # fmt: skip
        self.networks = {key: _network(told, subnets) for key, told in fields["networks"].items()}
        self.routers = {key: Router(**told) for key, told in fields["routers"].items()}

    def named(self, kind: str, subject: str) -> list[str]:
        """The ids of the objects of *kind* that *subject* may mean."""
        objects: Mapping[str, Any] = getattr(self, kind)
        if subject in objects:
            return [subject]
        return [key for key, one in objects.items() if one.name == subject]


def assemble(
    found: Sequence[Found],
    claims: Iterable[Claim],
    faults: list[Fault],
    *,
    warnings: list[str],
    all_agents: bool,
) -> Cloud:
    """The cloud of these lists; what is wrong is added to *faults* and *warnings*."""
    objects = Objects(found, warnings)
    listings: dict[str, list[Listing]] = {"networks": [], "routers": []}
    for row in objects.rows["agents"]:
        for field, kind in HOSTED.items():
            if field in row.fields and row.fields.get("label"):
                members = dict.fromkeys(row.fields[field])
                listing = Listing(row.file, row.fields["id"], True, members, True, row.rank)
                listings[kind].append(listing)
    for claim in claims:
        if claim.subject:
            _add_claim(claim, objects, listings, faults, warnings)
    for kind, host in HOSTS.items():
        _check_types(objects, kind, host, listings[kind], faults)
    return _bound(objects, listings, warnings, all_agents)


def _add_claim(
    claim: Claim,
    objects: Objects,
    listings: dict[str, list[Listing]],
    faults: list[Fault],
    warnings: list[str],
) -> None:
    """The list of a claim, once it is clear whose it is."""
    meant = _meant(claim, objects)
    if len(meant) != 1:
        known = "is no" if not meant else "may be more than one"
        why = f"{shown(claim.subject)} {known} agent, network or router of these exports"
        if claim.request:
            warnings.append(f"{claim.found.file}: left out as a list of bindings, {why}")
        else:
            faults.append(Fault(claim.found.file, "", why))
        return
    kind, subject = meant[0]
    of_agent = kind == "agents"
    rows = [row for row in claim.found.rows if "id" in row.fields]
    members = {row.fields["id"]: row.fields.get("ha_state") for row in rows}
    whole = claim.found.whole and (claim.request is None or claim.request.whole)
    rank = min((row.rank for row in rows), default=_rank_of(claim.found))
    bound = kind
    if of_agent:
        agent = objects.agents.get(subject)
        of_type = "networks" if agent and agent.type == "dhcp" else "routers"
        bound = claim.found.kind or (claim.request.holds if claim.request else of_type)
    listing = Listing(claim.found.file, subject, of_agent, members, whole, rank)
    listings[bound].append(listing)


def _rank_of(found: Found) -> int:
    """The rank of a list without rows: one without a kind is the client's."""
    return DIALECTS.index("list") if found.kind is None else 0


def _meant(claim: Claim, objects: Objects) -> list[tuple[str, str]]:
    """The kind and id that the subject of *claim* may mean."""
    if claim.request and claim.request.of:
        kind = claim.request.of[0] + "s"
        known = objects.named(kind, claim.subject)
        if not known and claim.request.by_id:
            return [(kind, claim.subject)]
        return [(kind, key) for key in known]
    held = claim.found.kind
    kinds = [
        kind
        for kind in ("agents", "networks", "routers")
        if held is None or (kind == "agents") != (held == "agents")
    ]
    return [(kind, key) for kind in kinds for key in objects.named(kind, claim.subject)]


def _check_types(
    objects: Objects, kind: str, host: str, listings: Iterable[Listing], faults: list[Fault]
) -> None:
    """That no network is said to have L3 agents, and no router DHCP agents: a list is mistaken.

    Agents of other types may host either, as OVN's do; the model does not know them.
    """
    for listing in listings:
        for name in [listing.subject] if listing.of_agent else listing.members:
            agent = objects.agents.get(name)
            if agent and agent.type != host and agent.type in HOSTS.values():
                why = f"{kind} have {host} agents, but {name} is a {shown(agent.label)}"
                faults.append(Fault(listing.file, "", why))


def _bound(
    objects: Objects,
    listings: Mapping[str, Sequence[Listing]],
    warnings: list[str],
    all_agents: bool,
) -> Cloud:
    agents = dict(objects.agents)
    found: dict[str, dict[str, Binding | None]] = {}
    for kind, host in HOSTS.items():
        hosts = frozenset(key for key, agent in agents.items() if agent.type == host)
        known = Bindings(kind[:-1], hosts, all_agents, listings[kind], warnings)
        targets = sorted({*getattr(objects, kind), *known.objects()})
        found[kind] = {target: known.of_object(target) for target in targets}
        for key in hosts:
            agents[key] = replace(agents[key], hosted=known.of_agent(key, found[kind]))
    return Cloud(
        agents,
        {
            key: replace(objects.networks.get(key, Network(key)), binding=binding)
            for key, binding in found["networks"].items()
        },
        {
            key: replace(objects.routers.get(key, Router(key)), binding=binding)
            for key, binding in found["routers"].items()
        },
        tuple(warnings),
    )


def _by_network(subnets: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, bool | None]]:
    found: dict[str, dict[str, bool | None]] = defaultdict(dict)
    for key, told in subnets.items():
        found[told.get("network", "")][key] = told.get("dhcp")
    return found


def _network(told: Mapping[str, Any], subnets: Mapping[str, Mapping[str, bool | None]]) -> Network:
    """A network with all its subnets, those that it names and those that name it."""
    named = dict.fromkeys(told.get("subnets", ()))
    return Network(**{**told, "subnets": {**named, **subnets.get(told["id"], {})}})
