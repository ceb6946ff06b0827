"""What the columns of exports are called, dialect by dialect, and what they may hold.

Sources: the REST API's attribute maps (neutron_lib/api/definitions), openstacksdk's resources
(openstack/network/v2) and the columns of the client (openstackclient/network/v2).
"""

from __future__ import annotations

import ast
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from simulator.exports.faults import shown

DIALECTS = ("rest", "sdk", "show", "list")
"""Those of the REST API, openstacksdk, the client's `show` and its `list`, the preferred first."""
EVERYWHERE = frozenset(DIALECTS)
OBJECTS = EVERYWHERE - {"list"}
NOWHERE: frozenset[str] = frozenset()
WORDS = {
    "true": True, "false": False, "up": True, "down": False, ":-)": True, "xxx": False,
    "external": True, "internal": False,
}  # fmt: skip
"""What the client writes for true and false, in tables and, before 4.0, in JSON too."""
NOTHING = ("", "None")
SPEAKING = ("zone", "gateway")
"""Fields in which nothing says that there is none; elsewhere it says that nobody knows."""

Reader = Callable[[Any, bool], Any]


def text(value: Any, loose: bool) -> str:
    """Something that is not empty and can be printed."""
    if not isinstance(value, str) or not value.strip() or not value.isprintable():
        raise ValueError("a text is wanted")
    return value


def name(value: Any, loose: bool) -> str:
    """What users call a thing; may be empty."""
    if value is None:
        return ""
    if not isinstance(value, str) or any("\ud800" <= letter <= "\udfff" for letter in value):
        raise ValueError("a text is wanted")
    return value


def maybe(value: Any, loose: bool) -> str | None:
    """A text, or none."""
    empty = value is None or value == "" or (loose and value in NOTHING)
    return None if empty else text(value, loose)


def switch(value: Any, loose: bool) -> bool:
    """True or false; when *loose*, one of WORDS."""
    if isinstance(value, bool):
        return value
    found = WORDS.get(value.lower()) if loose and isinstance(value, str) else None
    if found is None:
        raise ValueError("true or false is wanted")
    return found


def moment(value: Any, loose: bool) -> datetime:
    """An instant; without a time zone it is UTC."""
    try:
        found = datetime.fromisoformat(value)
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (TypeError, ValueError, OverflowError):
        raise ValueError("a time such as 2026-11-22 10:16:55 is wanted") from None


def mapping(value: Any, loose: bool) -> dict[str, Any]:
    """A mapping; when *loose*, the text of one."""
    value = _literal(value) if loose and isinstance(value, str) else value
    if not isinstance(value, dict):
        raise ValueError("a mapping is wanted")
    return value


def texts(value: Any, loose: bool) -> tuple[str, ...]:
    """A list of texts; when *loose*, as Python writes it or with commas between."""
    if loose and isinstance(value, str):
        bare = value.strip()
        value = _literal(bare) if bare.startswith("[") else bare.replace(",", " ").split()
    if not isinstance(value, list):
        raise ValueError("a list of texts is wanted")
    return tuple(text(item, loose) for item in value)


def gateway(value: Any, loose: bool) -> str | None:
    """The network of a router's external gateway; null or {} is none."""
    empty = value is None or (loose and value in NOTHING)
    found = {} if empty else mapping(value, loose)
    return text(found.get("network_id"), loose) if found else None


def _literal(value: str) -> Any:
    """What a text means as JSON, or as Python's own notation; None if it means nothing."""
    for read in (json.loads, ast.literal_eval):
        try:
            return read(value)
        except (ValueError, SyntaxError, RecursionError, MemoryError, TypeError):
            continue
    return None


@dataclass(frozen=True)
class Column:
    """A field of an object: its name in each of DIALECTS (empty: not there), how it is read.

    *required*: the dialects in which it is never missing.
    """

    names: tuple[str, str, str, str]
    read: Reader
    required: frozenset[str] = NOWHERE

    def called(self, dialect: str) -> str:
        """What it is called in *dialect*."""
        return self.names[DIALECTS.index(dialect)]


ID = Column(("id", "id", "id", "ID"), text, EVERYWHERE)
ADMIN = ("admin_state_up", "is_admin_state_up", "admin_state_up", "State")
HINTS = Column(("availability_zone_hints",) * 3 + ("",), texts)
COLUMNS: Mapping[str, Mapping[str, Column]] = {
    "agents": {
        "id": ID,
        "label": Column(("agent_type",) * 3 + ("Agent Type",), text, EVERYWHERE),
        "host": Column(("host",) * 3 + ("Host",), text, EVERYWHERE),
        "zone": Column(("availability_zone",) * 3 + ("Availability Zone",), maybe),
        "alive": Column(("alive", "is_alive", "alive", "Alive"), switch, EVERYWHERE),
        "admin_state_up": Column(ADMIN, switch, EVERYWHERE),
        "heartbeat_timestamp": Column(
            ("heartbeat_timestamp", "last_heartbeat_at", "last_heartbeat_at", ""), moment
        ),
        "started_at": Column(("started_at",) * 3 + ("",), moment),
        "created_at": Column(("created_at",) * 3 + ("",), moment),
        "configurations": Column(("configurations", "configuration", "configuration", ""), mapping),
        "ha_state": Column(("ha_state",) * 3 + ("HA State",), maybe),
        "hosted_routers": Column(("", "hosted_router_ids", "", ""), texts),
        "hosted_networks": Column(("", "hosted_network_ids", "", ""), texts),
    },
    "networks": {
        "id": ID,
        "name": Column(("name",) * 3 + ("Name",), name, EVERYWHERE),
        "external": Column(
            ("router:external", "is_router_external", "router:external", "Router Type"), switch
        ),
        "admin_state_up": Column(ADMIN, switch, OBJECTS),
        "hints": HINTS,
        "subnets": Column(("subnets", "subnet_ids", "subnets", "Subnets"), texts),
    },
    "routers": {
        "id": ID,
        "name": Column(("name",) * 3 + ("Name",), name, EVERYWHERE),
        "gateway": Column(("external_gateway_info",) * 3 + ("External gateway info",), gateway),
        "ha": Column(("ha", "is_ha", "ha", "HA"), switch),
        "distributed": Column(
            ("distributed", "is_distributed", "distributed", "Distributed"), switch
        ),
        "admin_state_up": Column(ADMIN, switch, EVERYWHERE),
        "hints": HINTS,
    },
    "subnets": {
        "id": ID,
        "network": Column(("network_id",) * 3 + ("Network",), text, EVERYWHERE),
        "dhcp": Column(("enable_dhcp", "is_dhcp_enabled", "enable_dhcp", "DHCP"), switch),
    },
}  # fmt: skip
"""The fields of each kind of object."""
SDK_MARKS = frozenset(
    column.names[1]
    for columns in COLUMNS.values()
    for column in columns.values()
    if column.names[1] not in (column.names[0], column.names[2])
)
"""Names that only openstacksdk uses."""


def dialect_of(row: Mapping[str, Any], alone: bool) -> str:
    """The dialect of a row; *alone*: it stands bare in its document, not under a heading."""
    if not SDK_MARKS.isdisjoint(row):
        return "sdk"
    if "ID" in row or ("id" not in row and any(column[:1].isupper() for column in row)):
        return "list"
    return "show" if alone else "rest"


def read_row(
    kind: str, dialect: str, row: Mapping[str, Any]
) -> tuple[dict[str, Any], list[tuple[str, str]]]:
    """The fields that *row* tells, and what is wrong with it: column and message."""
    found: dict[str, Any] = {}
    faults = []
    loose = dialect in ("show", "list")
    for field, column in COLUMNS[kind].items():
        called, required = column.called(dialect), dialect in column.required
        if not called or (called not in row and not required):
            continue
        if called not in row:
            there = ", ".join(map(shown, list(row)[:8])) or "nothing"
            faults.append((called, f"it is missing; there are: {there}"))
            continue
        value = row[called]
        empty = value is None or (loose and value in NOTHING)
        if empty and not required and field not in SPEAKING:
            continue
        try:
            found[field] = column.read(value, loose)
        except ValueError as error:
            faults.append((called, f"{error}, not {shown(value)}"))
    return found, faults
