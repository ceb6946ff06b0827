"""The agents table at one instant, as OpenStack's client lists it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid5

from simulator import units
from simulator.analysis.results import ResultSet
from simulator.errors import InputError, MissingError
from simulator.scenario.releases import AGENTS
from simulator.scenario.series import RELEASES
from simulator.trace import Kind

NAMESPACE = UUID("5e0d1b1c-8c4e-5b0e-9d5e-6e65746e6f64")
"""An agent's ID follows from its name, so that it is the same in every run."""
ZONES: Mapping[str, str] = {"l3": "nova", "dhcp": "nova", "nova-network": "internal"}
"""Availability zones by agent type; other agents have none. Nova's own services are `internal`."""
LISTED = [
    kind.name.lower()
    for kind in (
        Kind.REGISTERED, Kind.DEREGISTERED, Kind.ADMIN_STATE, Kind.AGENT_DOWN, Kind.AGENT_ALIVE,
    )
]  # fmt: skip


@dataclass(frozen=True)
class ListedAgent:
    """One row of the agents table; *state* is admin_state_up."""

    id: str
    type: str
    host: str
    zone: str | None
    alive: bool
    state: bool
    binary: str


def agent_list(result: ResultSet, at: float, variant: str | None = None) -> list[ListedAgent]:
    """The agents table of *variant* at the instant *at*, s, ordered by ID as the client does.

    Without *variant*, that of the only variant which has such a table. Raises InputError for an
    instant beyond the horizon or a variant left open, MissingError where there is no table.
    """
    horizon = result.scenario.horizon
    if not 0 <= at <= horizon:
        end = units.format_duration(horizon)
        raise InputError(f"{units.format_duration(at)} is not within the run, which lasts {end}")
    variant = _chosen(result, variant)
    events = result.events
    mine = events[(events["variant"] == variant) & (events["time_s"] <= at)]
    mine = mine[mine["event"].isin(LISTED)]
    columns = (mine[name].tolist() for name in ("event", "subject", "value"))
    listed: dict[str, tuple[bool, bool]] = {}
    for event, name, value in zip(*columns, strict=True):
        if event == "registered":
            listed[name] = (True, True)
        elif event == "deregistered":
            listed.pop(name, None)
        elif name in listed:  # else it speaks of a row that has been deleted
            alive, state = listed[name]
            admin = event == "admin_state"
            listed[name] = (alive, bool(value)) if admin else (event == "agent_alive", state)
    rows = [_row(name, alive, state) for name, (alive, state) in listed.items()]
    return sorted(rows, key=lambda row: row.id)


def table(agents: Sequence[ListedAgent]) -> str:
    """*agents* as the client prints them by default."""
    rows = [list(map(str, _shown(agent).values())) for agent in agents]
    head = list(_shown(ListedAgent("", "", "", None, True, True, "")))
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    rule = "+" + "+".join("-" * (width + 2) for width in widths) + "+"

    def line(row: Sequence[str]) -> str:
        return "|" + "|".join(f" {c:<{w}} " for c, w in zip(row, widths, strict=True)) + "|"

    return "\n".join([rule, line(head), rule, *map(line, rows), rule]) + "\n"


def as_json_text(agents: Sequence[ListedAgent]) -> str:
    """*agents* as the client prints them with `-f json`."""
    rows = [{**_shown(a), "Alive": a.alive, "State": a.state} for a in agents]
    return json.dumps(rows, indent=2) + "\n"


def _shown(agent: ListedAgent) -> dict[str, Any]:
    return {
        "ID": agent.id,
        "Agent Type": agent.type,
        "Host": agent.host,
        "Availability Zone": agent.zone,
        "Alive": ":-)" if agent.alive else "XXX",
        "State": "UP" if agent.state else "DOWN",
        "Binary": agent.binary,
    }


def _row(name: str, alive: bool, state: bool) -> ListedAgent:
    host, _, sort = name.partition("/")
    kind = AGENTS[sort]
    return ListedAgent(
        id=str(uuid5(NAMESPACE, name)),
        type=kind.label,
        host=host,
        zone=ZONES.get(sort),
        alive=alive,
        state=state,
        binary=kind.binary,
    )


def _chosen(result: ResultSet, variant: str | None) -> str:
    """The variant asked for, or the only one with an agents table."""
    if variant is None:
        tables = list(_with_table(result))
        if len(tables) > 1:
            raise InputError(f"say which variant: --variant {' or '.join(tables)}")
        variant = next(iter([*tables, *result.variants]))
    if variant not in result.samples:
        raise MissingError(f"no variant '{variant}'; this result has: {', '.join(result.variants)}")
    if variant not in _with_table(result):
        release = RELEASES[result.scenario.variants[variant].release]
        raise MissingError(
            f"{release.name} has no agents table: its agents do not report, so nobody can list them"
        )
    return variant


def _with_table(result: ResultSet) -> Iterator[str]:
    for name, system in result.scenario.variants.items():
        if RELEASES[system.release].habits.reports:
            yield name
