"""`netnode import`: what exports of a real cloud tell."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from simulator.cli.output import emit, emit_json, note, rows

if TYPE_CHECKING:
    from simulator.exports.cloud import Agent, Bindable, Binding, Cloud

HOSTING = ("l3", "dhcp")


@click.group(short_help="Read exports of a real cloud.")
def command() -> None:
    """Read exports of a real cloud."""


def _subjects(_: click.Context, __: click.Parameter, value: tuple[str, ...]) -> dict[Path, str]:
    found = {}
    for one in value:
        file, sign, subject = one.rpartition("=")
        if not (file and sign and subject):
            raise click.BadParameter(f"FILE=ID is wanted, not '{one}'")
        found[Path(file)] = subject
    return found


@command.command("openstack")
@click.argument("paths", nargs=-1, required=True, metavar="PATH…", type=click.Path(path_type=Path))
@click.option("--of", callback=_subjects, multiple=True, metavar="FILE=ID",
              help="Whose agents (or objects) FILE lists: a router, network or agent.")  # fmt: skip
@click.option("--all-agents", is_flag=True,
              help="No agent is missing: what each one's list names is all there is.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="One JSON document instead of tables.")
def openstack(
    *, paths: tuple[Path, ...], of: dict[Path, str], all_agents: bool, as_json: bool
) -> None:
    """Show agents, networks, routers and their bindings, as the exports in each PATH tell.

    PATH is a folder or a file. Answers of the REST API (preferred), `-f json`, `-f csv` and tables
    of the client and dumps of openstacksdk are known by what is in them. A binding that none of
    them tells is unknown. A text file with the requests (`GET /v2.0/routers/ID/l3-agents ->
    FILE`, or `$ openstack …` and `-> FILE`) says whose agents a file lists; so does --of.
    """
    from simulator.exports.reading import read_cloud

    cloud = read_cloud(paths, of=of, all_agents=all_agents)
    if as_json:
        emit_json(_document(cloud))
    else:
        emit(_agents(cloud))
        emit(_objects("NETWORK", cloud, list(cloud.networks.values())))
        emit(_objects("ROUTER", cloud, list(cloud.routers.values())))
        emit(_counts(cloud))
    for warning in cloud.warnings:
        note(f"warning: {warning}")


def _agents(cloud: Cloud) -> str:
    lines = [("AGENT", "HOST", "ZONE", "ALIVE", "ADMIN", "OBJECTS")]
    for agent in sorted(cloud.agents.values(), key=lambda agent: (agent.host, agent.name)):
        kind = agent.label if agent.type == "other" else agent.type
        words = ("yes" if agent.alive else "no", "up" if agent.admin_state_up else "down")
        lines.append((kind, agent.host, agent.zone or "-", *words, _hosted(agent)))
    return rows(lines) + "\n"


def _hosted(agent: Agent) -> str:
    if agent.type not in HOSTING:
        return "-"
    if agent.hosted is None:
        return "unknown"
    count = f"{len(agent.hosted.members):,}"
    return count if agent.hosted.exact else f"at least {count}"


def _objects(head: str, cloud: Cloud, objects: Sequence[Bindable]) -> str:
    lines = [
        (_printable(one.name) or "-", one.id, _bound(cloud, one.binding))
        for one in sorted(objects, key=lambda one: (one.name, one.id))
    ]
    return rows([(head, "ID", "AGENTS"), *lines]) + "\n"


def _printable(text: str) -> str:
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def _bound(cloud: Cloud, binding: Binding | None) -> str:
    if binding is None:
        return "unknown"
    if not binding.members:
        return "none"
    words = []
    for member in binding.members:
        agent = cloud.agents.get(member)
        state = binding.ha_states.get(member)
        words.append((agent.host if agent else member) + (f" ({state})" if state else ""))
    return ("" if binding.exact else "at least ") + ", ".join(sorted(words))


def _counts(cloud: Cloud) -> str:
    told = [
        _count(len(cloud.agents), "agent"),
        _counted(list(cloud.networks.values()), "network"),
        _counted(list(cloud.routers.values()), "router"),
    ]
    return "\n".join(told) + "\n"


def _count(number: int, word: str) -> str:
    return f"{number:,} {word}{'' if number == 1 else 's'}"


def _counted(objects: Sequence[Bindable], word: str) -> str:
    kinds = [_kind(one.binding) for one in objects]
    words = (("exactly", "all known"), ("at least", "known in part"), ("unknown", "unknown"))
    known = ", ".join(f"{said} of {kinds.count(kind):,}" for kind, said in words)
    return f"{_count(len(objects), word)}; agents {known}"


def _kind(binding: Binding | None) -> str:
    if binding is None:
        return "unknown"
    return "exactly" if binding.exact else "at least"


def _document(cloud: Cloud) -> dict[str, Any]:
    return {
        "schema_version": 1,
        "agents": [_agent_entry(agent) for agent in cloud.agents.values()],
        "networks": [
            {
                **_entry(one),
                "external": _told(one, "external"),
                "subnets": [{"id": key, "dhcp": dhcp} for key, dhcp in one.subnets.items()],
            }
            for one in cloud.networks.values()
        ],
        "routers": [
            {**_entry(one), **{key: _told(one, key) for key in ("gateway", "ha", "distributed")}}
            for one in cloud.routers.values()
        ],
        "unknown": [one.id for one in cloud.unknown()],
        "warnings": list(cloud.warnings),
    }


def _agent_entry(agent: Agent) -> dict[str, Any]:
    times = ("heartbeat_timestamp", "started_at", "created_at")
    moments = {key: getattr(agent, key) for key in times}
    return {
        "id": agent.id,
        "name": agent.name,
        "type": agent.type,
        "agent_type": agent.label,
        "host": agent.host,
        "availability_zone": agent.zone,
        "alive": agent.alive,
        "admin_state_up": agent.admin_state_up,
        **{key: moment and moment.isoformat() for key, moment in moments.items()},
        "objects": _binding_entry(agent.hosted) if agent.type in HOSTING else None,
    }


def _entry(one: Bindable) -> dict[str, Any]:
    return {
        "id": one.id,
        "name": _told(one, "name"),
        "admin_state_up": _told(one, "admin_state_up"),
        "availability_zone_hints": _told(one, "hints"),
        "agents": _binding_entry(one.binding),
    }


def _told(one: Bindable, field: str) -> Any:
    """A field of *one*; None if no export told it."""
    value = getattr(one, field) if field in one.told else None
    return list(value) if isinstance(value, tuple) else value


def _binding_entry(binding: Binding | None) -> dict[str, Any]:
    entry: dict[str, Any] = {"known": _kind(binding), "ids": None}
    if binding is not None:
        entry["ids"] = list(binding.members)
    if binding is not None and binding.ha_states:
        entry["ha_states"] = dict(binding.ha_states)
    return entry
