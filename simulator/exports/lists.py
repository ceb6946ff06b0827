"""What a document lists: objects of which kind, each as the fields that it tells."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from simulator.exports.columns import COLUMNS, DIALECTS, dialect_of, read_row
from simulator.exports.documents import Document
from simulator.exports.faults import Fault, shown

MARKS: Sequence[tuple[str, Sequence[frozenset[str]]]] = [
    (kind, [frozenset(mark.split("|")) for mark in marks])
    for kind, marks in (
        ("agents", ("Agent Type", "Binary|Alive", "agent_type", "binary|topic")),
        ("ports", ("MAC Address", "mac_address")),
        ("subnets", ("Network|Subnet", "cidr|network_id")),
        ("networks", ("Subnets", "Router Type", "router:external", "subnets|name")),
        ("routers", ("HA", "Distributed", "External gateway info", "external_gateway_info",
                     "ID|Name|Status|State")),
        ("zones", ("Zone Name",)),
        ("extensions", ("Alias", "alias|links")),
    )
]  # fmt: skip
"""Columns by which a list or object without a heading is known, the first that fits."""
UNUSED = ("ports", "zones", "extensions", "availability_zones")
"""Known, and nothing in them is used. A port is no proof of a binding: that of an agent that died
stays behind when its network or router is moved, as does the host of a router's port."""
PER_OBJECT = ("ha_state", "resource_versions", "HA State")
"""Columns of agents that are only there if the agents of one object were asked for."""
MAKES_NO_SENSE = (
    "agents, networks, routers or subnets of OpenStack are wanted; nothing else is read"
)


@dataclass(frozen=True)
class Row:
    """One object: where it stands, how far that place is to be preferred, and what it tells."""

    file: str
    place: str
    rank: int
    fields: Mapping[str, Any]


@dataclass(frozen=True)
class Found:
    """One list of a file. *kind* is None for an empty list that does not say of what.

    *whole*: no further page is announced. *per_object*: these are agents of one object.
    """

    file: str
    kind: str | None
    rows: tuple[Row, ...] = ()
    whole: bool = True
    per_object: bool = False
    faults: tuple[Fault, ...] = field(default=())


def lists_of(document: Document) -> list[Found]:
    """The lists in *document*; none if it holds nothing that is known here."""
    file, value = str(document.file), document.value
    if document.form == "text":
        return []
    if isinstance(value, dict):
        kind = kind_of(value)
        if kind is not None:
            return [_read(file, kind, [("", value)], alone=True)]
        return list(_headed(file, value))
    return _bare(document)


def kind_of(columns: Mapping[str, Any] | Sequence[str]) -> str | None:
    """The kind of object that has these columns."""
    there = frozenset(columns)
    for kind, marks in MARKS:
        if any(mark <= there for mark in marks):
            return kind
    return None


def _headed(file: str, value: dict[str, Any]) -> Iterator[Found]:
    """The lists and objects of a REST body, or of a dump of openstacksdk."""
    for key, held in value.items():
        if key in UNUSED:
            yield Found(file, key)
        elif key in COLUMNS and isinstance(held, list):
            rows = [(f"{key}[{number}]", row) for number, row in enumerate(held)]
            yield _read(file, key, rows, whole=not _goes_on(value.get(f"{key}_links")))
        elif key in COLUMNS:
            fault = Fault(file, key, f"a list is wanted, not {shown(held)}")
            yield Found(file, key, faults=(fault,))
        elif f"{key}s" in COLUMNS:
            yield _read(file, f"{key}s", [(key, held)])


def _goes_on(links: object) -> bool:
    """Whether the links of a page name a next one."""
    return isinstance(links, list) and any(
        isinstance(link, dict) and link.get("rel") == "next" for link in links
    )


def _bare(document: Document) -> list[Found]:
    """A list of the client's."""
    file = str(document.file)
    values: list[Any] = document.value
    columns = list(document.columns)
    for value in values:
        columns += value if isinstance(value, dict) else []
    kind = kind_of(columns)
    if kind is None:
        return [] if values or document.columns else [Found(file, None)]
    if document.lines:
        places = [f"line {line}" for line in document.lines]
    else:
        places = [f"[{number}]" for number in range(len(values))]
    return [_read(file, kind, list(zip(places, values, strict=True)), alone=True)]


def _read(
    file: str,
    kind: str,
    values: Sequence[tuple[str, Any]],
    *,
    alone: bool = False,
    whole: bool = True,
) -> Found:
    if kind in UNUSED:
        return Found(file, kind)
    rows, faults = [], []
    marked = False
    for place, value in values:
        if not isinstance(value, dict):
            faults.append(Fault(file, place, f"a mapping is wanted, not {shown(value)}"))
            continue
        dialect = dialect_of(value, alone)
        fields, wrong = read_row(kind, dialect, value)
        join = ", " if place.startswith("line") else "." if place else ""
        faults += [Fault(file, f"{place}{join}{column}", why) for column, why in wrong]
        rows.append(Row(file, place, DIALECTS.index(dialect), fields))
        marked = marked or (dialect in ("rest", "list") and not set(PER_OBJECT).isdisjoint(value))
    return Found(file, kind, tuple(rows), whole, marked, tuple(faults))
