"""Reading a recording: steps of what real code was asked, what it decided and what came of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, Strict, ValidationError

from simulator.errors import InputError

Objects = Annotated[int, Field(ge=0, le=10**9)]
LATEST = 2.0**33
"""The clock is exact up to here, s."""
BULK_LIMIT = 1_000_000
"""As many objects at most a step may create at once."""


class Part(BaseModel):
    """A part of a recording. What it holds beyond is not judged."""

    model_config = ConfigDict(extra="ignore", strict=True, frozen=True)


class RecordedDecision(Part):
    """What a scheduler was offered and took; *kind* and object default to the step's."""

    kind: Literal["l3", "l3-ha", "dhcp"] | None = None
    router: str | None = None
    network: str | None = None
    candidates: list[str]
    chosen: list[str]
    needed: int | None = None
    load: dict[str, int] | None = None
    routers_on: dict[str, int] | None = None

    @property
    def target(self) -> str | None:
        """The object that was scheduled."""
        return self.router or self.network


class AgentState(Part):
    """An agent after a step."""

    alive: bool
    admin_state_up: bool
    load: int | None = None


class State(Part):
    """The tables after a step; without bindings in statistical recordings."""

    agents: dict[str, AgentState]
    networks: dict[str, list[str]] | None = None
    routers: dict[str, list[str]] | None = None


class Result(Part):
    """What a step answered, as far as it is judged."""

    status: str | None = None
    synced: list[str] | None = None
    skipped: str | None = None
    distribution: dict[str, Objects] = Field(default_factory=dict)
    sets: dict[str, Objects] | None = None


class Refusal(Part):
    """The error that a step ended in; without a status it was raised in Python."""

    type: str
    status: int | None = None


class Step(Part):
    """One operation; its arguments stand beside these fields."""

    i: int
    t: float
    op: str
    state: State
    result: Result = Result()
    error: Refusal | None = None
    decisions: list[RecordedDecision] = Field(default_factory=list)
    notifications: list[Annotated[tuple[str, str, str], Strict(False)]] = Field(
        default_factory=list
    )
    arguments: dict[str, Any] = Field(default_factory=dict)


class RecordedAgent(Part):
    """An agent that takes part."""

    type: Literal["l3", "dhcp"]
    az: str = "nova"
    host: str | None = None
    l2: bool = True
    configurations: dict[str, Any] = Field(default_factory=dict)


class Timeline(Part):
    """What was recorded: the options in force and the agents."""

    name: str = ""
    config: dict[str, Any] = Field(default_factory=dict)
    agents: dict[str, RecordedAgent]
    statistical: bool = False


class Recording(Part):
    """A whole recording. *path* is the file it came from."""

    neutron: str
    timeline: Timeline
    steps: Annotated[list[Step], Field(min_length=1)]
    path: str


class RecordingError(InputError):
    """A recording that cannot be read: *path*, and the step if it is known."""

    def __init__(self, path: str, why: str, step: object = None):
        self.path, self.step, self.why = path, step, why
        where = path if step is None else f"{path}: step {step}"
        super().__init__(f"{where}: {why}")


ARGUMENTS: dict[str, dict[str, tuple[type, object]]] = {
    "agent_start": {"agent": (str, ...)},
    "report": {"agent": (str, ...), "configurations": (dict, {})},
    "sync": {"agent": (str, ...)},
    "agent_stop": {"agent": (str, ...)},
    "update_agent": {"agent": (str, ...), "admin_state_up": (bool, ...)},
    "delete_agent": {"agent": (str, ...)},
    "create_network": {"network": (str, ...), "external": (bool, False), "az_hints": (list, [])},
    "delete_network": {"network": (str, ...)},
    "create_subnet": {"network": (str, ...), "subnet": (str, None), "enable_dhcp": (bool, True)},
    "create_net": {
        "network": (str, ...), "external": (bool, False), "az_hints": (list, []),
        "enable_dhcp": (bool, True),
    },
    "create_port": {"network": (str, ...)},
    "create_router": {
        "router": (str, ...), "gateway": (str, None), "ha": (bool, False), "az_hints": (list, []),
    },
    "delete_router": {"router": (str, ...)},
    "update_router": {"router": (str, ...), "body": (dict, {})},
    "add_interface": {"router": (str, ...), "subnet": (str, ...)},
    "add_network_to_agent": {"agent": (str, ...), "network": (str, ...)},
    "remove_network_from_agent": {"agent": (str, ...), "network": (str, ...)},
    "add_router_to_agent": {"agent": (str, ...), "router": (str, ...)},
    "remove_router_from_agent": {"agent": (str, ...), "router": (str, ...)},
    "tick_l3": {"clock_jump": (float, 0)},
    "tick_dhcp": {"clock_jump": (float, 0)},
    "schedule_router": {"router": (str, ...)},
    "schedule_network": {"network": (str, ...)},
    "bulk_networks": {"count": (int, ...)},
    "bulk_routers": {"count": (int, ...)},
    "observe": {},
}  # fmt: skip
"""The operations and their arguments: type and default, `...` for none."""


def read_recording(path: Path) -> Recording:
    """Read and check one recording. Raises RecordingError."""
    try:
        if path.exists() and not path.is_file():
            raise RecordingError(str(path), "not a file")
        data = json.loads(path.read_bytes(), object_pairs_hook=_without_doubles)
    except OSError as error:
        raise RecordingError(str(path), error.strerror or str(error)) from None
    except RecursionError:
        raise RecordingError(str(path), "not a recording: nested too deep") from None
    except ValueError as error:
        raise RecordingError(str(path), f"not JSON: {error}") from None
    if not isinstance(data, dict):
        raise RecordingError(str(path), "not a recording: a mapping is wanted")
    try:
        recording = Recording.model_validate({**data, "path": str(path)})
    except ValidationError as error:
        raise _explained(str(path), data, error) from None
    return recording.model_copy(update={"steps": _with_arguments(recording, data["steps"])})


def _without_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object, of which no key may stand twice."""
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = [key for key, _ in pairs]
        double = next(key for key in keys if keys.count(key) > 1)
        raise ValueError(f"the key '{double}' stands twice")
    return found


def _explained(path: str, data: dict[str, Any], error: ValidationError) -> RecordingError:
    """The first fault, at its step."""
    first = error.errors(include_url=False)[0]
    place = list(first["loc"])
    step = None
    if len(place) > 1 and place[0] == "steps" and isinstance(place[1], int):
        raw = data["steps"][place[1]]
        step = raw.get("i", place[1]) if isinstance(raw, dict) else place[1]
        place = place[2:]
    what = ".".join(map(str, place)) or "it"
    return RecordingError(path, f"{what}: {first['msg'].lower()}", step)


def _with_arguments(recording: Recording, raw: list[dict[str, Any]]) -> list[Step]:
    steps, before, last = [], float("-inf"), -1
    for step, data in zip(recording.steps, raw, strict=True):

        def fault(why: str, step: Step = step) -> RecordingError:
            return RecordingError(recording.path, why, step.i)

        if step.i <= last:
            raise fault(f"i: more than {last}, of the step before, is wanted")
        last = step.i
        if not step.t >= before:
            raise fault(f"time goes backwards, from {before:g} s to {step.t:g} s")
        if step.t > LATEST:
            raise fault(f"{step.t:g} s is too late: at most {LATEST:g} s")
        before = step.t
        if step.op not in ARGUMENTS:
            raise fault(f"unknown operation '{step.op}'; known: {', '.join(ARGUMENTS)}")
        steps.append(step.model_copy(update={"arguments": _arguments(step, data, fault)}))
        _check_names(recording, step, data, raw, fault)
    return steps


def _arguments(step: Step, data: dict[str, Any], fault: Any) -> dict[str, Any]:
    found = {}
    for name, (kind, default) in ARGUMENTS[step.op].items():
        value = data.get(name, default)
        if value is ...:
            raise fault(f"{step.op} needs '{name}'")
        if value is not default and not _fits(value, kind):
            raise fault(f"{name}: a {kind.__name__} is wanted, not {value!r}")
        if name == "count" and not 0 <= value <= BULK_LIMIT:
            raise fault(f"count: a whole number from 0 to {BULK_LIMIT:,} is wanted, not {value}")
        if kind is list and not all(isinstance(item, str) for item in value):
            raise fault(f"{name}: a list of names is wanted, not {value!r}")
        if name == "body":
            _check_body(value, fault)
        found[name] = value
    return found


def _fits(value: object, kind: type) -> bool:
    """Whether *value* is of *kind*; a whole number is a number, and a switch is none."""
    if isinstance(value, bool) and kind is not bool:
        return False
    return isinstance(value, kind) or (kind is float and isinstance(value, int))


def _check_body(body: dict[str, Any], fault: Any) -> None:
    """What a router's update says, as far as it is read."""
    if not isinstance(body.get("admin_state_up", True), bool):
        raise fault(f"body.admin_state_up: a bool is wanted, not {body['admin_state_up']!r}")
    gateway = body.get("external_gateway_info") or {}
    if not isinstance(gateway, dict) or not isinstance(gateway.get("network_id", ""), str):
        raise fault(f"body.external_gateway_info: a mapping is wanted, not {gateway!r}")


def _check_names(
    recording: Recording, step: Step, data: dict[str, Any], raws: list[dict[str, Any]], fault: Any
) -> None:
    """Every agent that a step speaks of must be in the timeline."""
    known = recording.timeline.agents
    hidden = any(raw.get("ha") for raw in raws)  # HA routers have a network that is not listed
    spoken = [data["agent"]] if step.op in ("agent_start", "report", "sync", "agent_stop") else []
    spoken += step.state.agents
    spoken += [name for d in step.decisions for name in (*d.candidates, *d.chosen)]
    for name in spoken:
        if name not in known:
            raise fault(f"unknown agent '{name}'; the timeline has: {', '.join(known)}")
    for decision in step.decisions:
        target = decision.target
        objects = {**(step.state.networks or {}), **(step.state.routers or {})}
        exact = step.state.networks is not None and not (hidden and decision.kind == "dhcp")
        if target and exact and target not in objects:
            raise fault(f"a decision for an unknown object, '{target}'")
