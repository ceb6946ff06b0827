"""One object from all that several files tell of it, with a warning where they contradict."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from simulator.exports.faults import shown
from simulator.exports.lists import Row

MOVING = ("heartbeat_timestamp",)
"""What changes from one export to the next while nothing happens."""
NOT_OBJECTS = ("ha_state", "hosted_routers", "hosted_networks")
"""Fields of a row that are about a binding, not about the object."""


def merged(kind: str, rows: Iterable[Row], warnings: list[str]) -> dict[str, dict[str, Any]]:
    """The fields of each object of *kind* by id, and `told`; of several values the preferred one.

    The REST API is preferred to openstacksdk, and that to the client; then the first file.
    """
    objects: dict[str, dict[str, Any]] = {}
    tellers: dict[tuple[str, str], Row] = {}
    for row in sorted(rows, key=lambda row: row.rank):
        identity = row.fields["id"]
        fields = objects.setdefault(identity, {})
        for field, value in row.fields.items():
            if field in NOT_OBJECTS:
                continue
            if field not in fields:
                fields[field] = value
                tellers[identity, field] = row
            elif field not in MOVING and _settled(fields[field]) != _settled(value):
                first = tellers[identity, field]
                warnings.append(
                    f"{where(row)}: {field} of {kind[:-1]} {identity} is {shown(_plain(value))}, "
                    f"but {shown(_plain(fields[field]))} in {where(first)}, which is preferred"
                )
    for fields in objects.values():
        fields["told"] = frozenset(fields)
    return dict(sorted(objects.items()))


def where(row: Row) -> str:
    """The file and place of a row."""
    return f"{row.file}: {row.place}" if row.place else row.file


def _settled(value: Any) -> Any:
    """What must agree: of a configuration all but its counts; of a list, its members."""
    if isinstance(value, Mapping):
        return {
            key: held
            for key, held in value.items()
            if isinstance(held, bool) or not isinstance(held, int | float)
        }
    return set(value) if isinstance(value, tuple) else value


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else str(value) if _is_time(value) else value


def _is_time(value: Any) -> bool:
    return hasattr(value, "isoformat")
